package importer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"slices"

	"catalog/catalog"
	"catalog/importer/internal/feed"
	"catalog/importer/internal/manifest"
)

// row is a record that is folded with others of its key: store-view rows of
// Magento, several patches, several prices of a SKU.
type row struct {
	in      *input
	ord     uint32
	line    int64
	offset  int64
	overlay bool
	key     string
	doc     []byte
	raw     []byte
}

func newRow(in *input, rec *feed.Record, ord uint32, doc []byte) *row {
	return &row{in: in, ord: ord, line: rec.Line, offset: rec.Offset, overlay: rec.Overlay, doc: bytes.Clone(doc), raw: bytes.Clone(rec.Raw)}
}

// folder gathers the rows of a chunk by key.
type folder struct {
	rows  map[string][]*row
	order []string
}

func (f *folder) add(l *loader, rec *feed.Record, ord uint32, doc []byte) {
	x := newRow(l.in, rec, ord, doc)
	x.key = string(quickKey(l.r.o.Kind, doc))
	if f.rows == nil {
		f.rows = map[string][]*row{}
	}
	if f.rows[x.key] == nil {
		f.order = append(f.order, x.key)
	}
	f.rows[x.key] = append(f.rows[x.key], x)
}

// fold puts together the keys all of whose rows stand in this chunk, which is
// the usual case; the others are spooled until the feed has been read.
func (l *loader) fold() {
	for _, key := range l.rows.order {
		rows := l.rows.rows[key]
		if len(rows) == l.r.groupSize(key) {
			l.join(rows)
		} else {
			l.out.rows = append(l.out.rows, rows...)
		}
	}
	l.rows = folder{}
}

// groupSize returns how many rows of the feed are folded under a key.
func (r *run) groupSize(key string) int {
	n := 0
	r.man.Each(r.man.OfString(key), func(e manifest.Entry) bool {
		if e.Flags()&manifest.Variant == 0 && r.group.Has(e.Ord()) {
			n++
		}
		return true
	})
	return n
}

// join makes one record of all rows of a key, which are in the order of the
// feed.
func (l *loader) join(rows []*row) {
	switch {
	case l.r.o.Mode == Delete:
		l.out.counts[l.r.o.Kind].Read += int64(len(rows) - 1)
		l.out.counts[l.r.o.Kind].Duplicates += int64(len(rows) - 1)
		l.remove(&feed.Record{Line: rows[0].line, Offset: rows[0].offset, Raw: rows[0].raw}, rows[0].doc)
	case l.r.o.Mode == Patch:
		l.patch(rows)
	case l.r.o.Kind == catalog.KindPrice:
		l.joinPrices(rows)
	default:
		l.joinOverlays(rows)
	}
}

// joinOverlays folds store rows into their default row. Without one they are
// merged into the document that the store has.
func (l *loader) joinOverlays(rows []*row) {
	var base *row
	for _, x := range rows {
		if !x.overlay {
			base = x
		}
	}
	if base == nil {
		l.patch(rows)
		return
	}
	doc := base.doc
	for _, x := range rows {
		if x.overlay {
			doc = catalog.MergePatch(nil, doc, x.doc)
		}
	}
	l.out.counts[l.r.o.Kind].Read += int64(len(rows) - 1)
	l.out.counts[l.r.o.Kind].Merged += int64(len(rows) - 1)
	l.put(&feed.Record{Line: base.line, Offset: base.offset, Raw: base.raw}, base.ord, doc)
}

// joinPrices makes one price record of several rows: an entry of each
// combination of qualifiers, the last one where several have the same.
func (l *loader) joinPrices(rows []*row) {
	type entry struct {
		text []byte
		row  int
	}
	entries := map[string]entry{}
	var order []string
	live := make([]int, len(rows))
	last := -1
	for i, x := range rows {
		if err := l.parse(catalog.KindPrice, x.doc); err != nil {
			l.out.rejects = append(l.out.rejects, newReject(x.in, x.line, x.offset, x.key, err, x.raw))
			live[i] = -1
			continue
		}
		last = i
		if l.parsed.Body == nil { // null: all before it is gone
			clear(entries)
			clear(live[:i])
			order = order[:0]
			continue
		}
		for _, e := range catalog.PriceEntries(l.parsed.Body) {
			q := catalog.PriceQualifiers(e)
			if old, ok := entries[q]; ok {
				live[old.row]--
			} else {
				order = append(order, q)
			}
			entries[q] = entry{bytes.Clone(e), i}
			live[i]++
		}
	}
	main := &l.out.counts[l.r.o.Kind]
	for i := range rows {
		if live[i] >= 0 {
			main.Read++
		}
		switch {
		case live[i] < 0 || i == last:
		case live[i] == 0:
			main.Duplicates++
		default:
			main.Merged++
		}
	}
	if last < 0 {
		return
	}
	if len(order) == 0 {
		l.write(catalog.KindPrice, catalog.Key(rows[last].key), nil, nil)
		return
	}
	list := make([][]byte, 0, len(order))
	for _, q := range order {
		list = append(list, entries[q].text)
	}
	l.write(catalog.KindPrice, catalog.Key(rows[last].key), catalog.PriceRecord(catalog.Key(rows[last].key), list), nil)
}

// spool keeps rows in a temporary file until all of their key have been read.
// Where a row is stands in its manifest entry, so that it costs no memory.
type spool struct {
	f    *os.File
	size int64
	buf  []byte
}

func (s *spool) close() {
	if s != nil {
		_ = s.f.Close()
	}
}

// spoolRow writes a row to the spool.
func (r *run) spoolRow(x *row) error {
	if r.spool == nil {
		f, err := os.CreateTemp(r.o.TempDir, "catalog-rows-*")
		if err != nil {
			return fmt.Errorf("importer: spool: %w", err)
		}
		// It has no name any more, so that a killed import leaves nothing.
		_ = os.Remove(f.Name())
		r.spool = &spool{f: f}
	}
	s := r.spool
	input := slices.Index(r.inputs, x.in)
	b := binary.AppendUvarint(s.buf[:0], uint64(input))
	b = binary.AppendUvarint(b, uint64(x.line))
	b = binary.AppendVarint(b, x.offset)
	flag := byte(0)
	if x.overlay {
		flag = 1
	}
	b = append(b, flag)
	for _, part := range [][]byte{[]byte(x.key), x.doc, x.raw} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	s.buf = b
	if _, err := s.f.Write(b); err != nil {
		return fmt.Errorf("importer: spool: %w", err)
	}
	s.size += int64(len(b))
	end := uint64(s.size)
	r.man.Each(r.man.OfString(x.key), func(e manifest.Entry) bool {
		if e.Flags()&manifest.Variant == 0 && e.Ord() == x.ord {
			e.SetValue(end)
			return false
		}
		return true
	})
	return nil
}

// row reads the row that ends at the given place.
func (s *spool) row(r *run, end int64, ord uint32) (*row, error) {
	var n [4]byte
	if _, err := s.f.ReadAt(n[:], end-4); err != nil {
		return nil, fmt.Errorf("importer: spool: %w", err)
	}
	b := make([]byte, binary.LittleEndian.Uint32(n[:]))
	if _, err := s.f.ReadAt(b, end-4-int64(len(b))); err != nil {
		return nil, fmt.Errorf("importer: spool: %w", err)
	}
	num := func() uint64 {
		v, k := binary.Uvarint(b)
		b = b[k:]
		return v
	}
	x := &row{ord: ord}
	x.in = r.inputs[num()]
	x.line = int64(num())
	offset, k := binary.Varint(b)
	x.offset, b = offset, b[k:]
	x.overlay, b = b[0] == 1, b[1:]
	part := func() []byte {
		n := num()
		p := b[:n:n]
		b = b[n:]
		return p
	}
	x.key, x.doc, x.raw = string(part()), part(), part()
	return x, nil
}

// foldSpooled puts the spooled rows of each key together.
func (r *run) foldSpooled(ctx context.Context) error {
	r.prog.phase("joining", 0)
	c := newCommitter(ctx, r)
	l := &loader{r: r, bufs: &c.bufs}
	fresh := func() {
		l.out = &loaded{}
		l.out.writes = c.bufs.getWrites()
	}
	deliver := func() error {
		l.turn()
		err := c.take(nil, l.out)
		fresh()
		return err
	}
	fresh()
	var rows []*row
	err := r.man.Groups(func(g []manifest.Entry) error {
		rows = rows[:0]
		for _, e := range g {
			if e.Flags()&manifest.Variant != 0 || !r.group.Has(e.Ord()) || e.Value() == 0 {
				continue
			}
			x, err := r.spool.row(r, int64(e.Value()), e.Ord())
			if err != nil {
				return err
			}
			rows = append(rows, x)
		}
		if len(rows) == 0 {
			return nil
		}
		slices.SortFunc(rows, func(a, b *row) int { return cmp.Compare(a.ord, b.ord) })
		l.in = rows[0].in
		l.join(rows)
		if len(l.out.writes)+len(l.out.patches)+len(l.out.rejects) < 1000 {
			return nil
		}
		return deliver()
	})
	if err == nil {
		err = deliver()
	}
	return c.close(err)
}
