package live

import (
	"slices"
	"time"

	"catalog/indexer"
)

// Writer makes Columns row by row.
type Writer struct {
	c       *Columns
	row     int
	stock   *stockBlock
	pending [][]entry // by scope; the last is next
	next    []entry
}

// NewWriter returns a Writer of the first row.
func NewWriter() *Writer { return &Writer{c: &Columns{}} }

// scope returns the number of a scope.
func (w *Writer) scope(s indexer.Scope) int {
	i := w.c.Scope(s)
	if i < 0 {
		i = len(w.c.scopes)
		w.c.scopes = append(w.c.scopes, cloneScope(s))
		w.c.prices = append(w.c.prices, make(column, w.row>>blockBits))
		w.pending = append(w.pending, nil)
	}
	return i
}

func cloneScope(s indexer.Scope) indexer.Scope {
	b := s.Currency + "\x00" + s.Website + "\x00" + s.Group + "\x00" + s.List
	i, j := len(s.Currency), len(s.Currency)+1+len(s.Website)
	k := j + 1 + len(s.Group)
	return indexer.Scope{Currency: b[:i], Website: b[i+1 : j], Group: b[j+1 : k], List: b[k+1:]}
}

// Add adds a row.
func (w *Writer) Add(l *indexer.Live) {
	row := w.begin(l.InStock)
	for i := range l.Prices {
		p := &l.Prices[i]
		s := w.scope(p.Scope)
		w.pending[s] = append(w.pending[s], entry{row, int64(p.Amount), int64(p.Regular)})
	}
	if !l.Next.IsZero() {
		w.next = append(w.next, entry{row, l.Next.Unix(), int64(l.Next.Nanosecond())})
	}
	w.end()
}

// Copier copies rows of one source; it knows which scopes correspond.
type Copier struct {
	w      *Writer
	src    *Columns
	scopes []int
}

// Copier returns one for rows of src.
func (w *Writer) Copier(src *Columns) *Copier {
	k := &Copier{w: w, src: src}
	for _, s := range src.scopes {
		k.scopes = append(k.scopes, w.scope(s))
	}
	return k
}

// Add adds what the source has of a row.
func (k *Copier) Add(from uint32) {
	row := k.w.begin(k.src.InStock(from))
	for i, s := range k.scopes {
		if a, r, ok := k.src.Price(i, from); ok {
			k.w.pending[s] = append(k.w.pending[s], entry{row, a, r})
		}
	}
	if b := k.src.next[from>>blockBits]; b != nil {
		if a, r, ok := b.get(from & blockMask); ok {
			k.w.next = append(k.w.next, entry{row, a, r})
		}
	}
	k.w.end()
}

func (w *Writer) begin(stock bool) uint16 {
	row := uint16(w.row & blockMask)
	if row == 0 {
		w.stock = new(stockBlock)
		w.c.stock = append(w.c.stock, w.stock)
	}
	if stock {
		w.stock[row>>6] |= 1 << (row & 63)
	}
	return row
}

func (w *Writer) end() {
	w.row++
	if w.row&blockMask == 0 {
		w.flush()
	}
}

func (w *Writer) flush() {
	for i := range w.pending {
		w.c.prices[i] = append(w.c.prices[i], newBlock(w.pending[i]))
		w.pending[i] = w.pending[i][:0]
	}
	w.c.next = append(w.c.next, newBlock(w.next))
	w.next = w.next[:0]
}

// Columns ends the writing.
func (w *Writer) Columns() *Columns {
	if w.row&blockMask != 0 {
		w.flush()
	}
	w.c.rows = w.row
	return w.c
}

// Live returns what a row has.
func (c *Columns) Live(row uint32) indexer.Live {
	l := indexer.Live{InStock: c.InStock(row), Next: c.nextOf(row)}
	for i, s := range c.scopes {
		if a, r, ok := c.Price(i, row); ok {
			l.Prices = append(l.Prices, indexer.Price{Scope: s, Amount: indexer.Amount(a), Regular: indexer.Amount(r)})
		}
	}
	slices.SortFunc(l.Prices, func(a, b indexer.Price) int { return a.Scope.Compare(b.Scope) })
	return l
}

func (c *Columns) nextOf(row uint32) time.Time {
	b := c.next[row>>blockBits]
	if b == nil {
		return time.Time{}
	}
	sec, nano, ok := b.get(row & blockMask)
	if !ok {
		return time.Time{}
	}
	return time.Unix(sec, nano).UTC()
}

// Due calls f for each row whose next change is not after now, until it
// returns false, and returns the earliest change after now among the rows for
// which counts is true; zero without any.
func (c *Columns) Due(now time.Time, counts func(row uint32) bool, f func(row uint32) bool) time.Time {
	var next time.Time
	going := true
	var list []entry
	for at, b := range c.next {
		if b == nil || !next.IsZero() && b.min > next.Unix() {
			continue
		}
		list = b.entries(list[:0])
		for _, e := range list {
			t := time.Unix(e.amount, e.regular).UTC()
			row := uint32(at)<<blockBits | uint32(e.row)
			switch {
			case !t.After(now):
				if going && counts(row) {
					going = f(row)
				}
			case (next.IsZero() || t.Before(next)) && counts(row):
				next = t
			}
		}
	}
	return next
}
