package live

import (
	"encoding/binary"
	"slices"

	"catalog/indexer"
)

// Change is new live data of a row, or a part of it.
type Change struct {
	Row  uint32
	Part indexer.LivePart
	Live *indexer.Live
}

// With returns columns in which rows have changed; of several changes of a row
// the last counts. It sorts list.
func (c *Columns) With(list []Change) *Columns {
	byRow := func(a, b Change) int { return int(a.Row) - int(b.Row) }
	if !slices.IsSortedFunc(list, byRow) {
		slices.SortStableFunc(list, byRow)
	}
	n := *c
	n.stock, n.next, n.scopes, n.prices = slices.Clone(c.stock), slices.Clone(c.next), slices.Clone(c.scopes), slices.Clone(c.prices)
	for i := range n.prices {
		n.prices[i] = slices.Clone(n.prices[i])
	}
	var u update
	for len(list) > 0 {
		at, k := list[0].Row>>blockBits, 0
		for k < len(list) && list[k].Row>>blockBits == at {
			k++
		}
		n.setStock(int(at), list[:k])
		u.collect(&n, list[:k])
		if len(u.rows) > 0 {
			for s := range n.prices {
				n.prices[s][at] = n.prices[s][at].with(u.rows, u.fresh[s])
			}
			n.next[at] = n.next[at].with(u.rows, u.next)
		}
		list = list[k:]
	}
	return &n
}

// setStock takes over what changes of a block's rows say of stock.
func (c *Columns) setStock(at int, group []Change) {
	var fresh *stockBlock
	for i := range group {
		if !group[i].Part.Stock() {
			continue
		}
		if fresh == nil {
			fresh = new(stockBlock)
			*fresh = *c.stock[at]
			c.stock[at] = fresh
		}
		row := group[i].Row & blockMask
		fresh[row>>6] &^= 1 << (row & 63)
		if group[i].Live.InStock {
			fresh[row>>6] |= 1 << (row & 63)
		}
	}
}

// update is what changes of the prices of a block's rows come to.
type update struct {
	rows  []uint16  // that change, in order
	fresh [][]entry // what they have by then, by scope
	next  []entry
	known []int // numbers of scopes, in the order of the last prices
}

// collect sorts the prices of changes by scope, of which it adds new ones.
func (u *update) collect(c *Columns, group []Change) {
	u.rows, u.next = u.rows[:0], u.next[:0]
	for s := range u.fresh {
		u.fresh[s] = u.fresh[s][:0]
	}
	for len(u.fresh) < len(c.scopes) {
		u.fresh = append(u.fresh, nil)
	}
	var last *Change
	for i := range group {
		ch := &group[i]
		if ch.Part.Prices() {
			last = ch
		}
		if last == nil || i+1 < len(group) && group[i+1].Row == ch.Row {
			continue
		}
		row := uint16(ch.Row & blockMask)
		u.rows = append(u.rows, row)
		for j := range last.Live.Prices {
			p := &last.Live.Prices[j]
			s := u.scope(c, j, p.Scope)
			u.fresh[s] = append(u.fresh[s], entry{row, int64(p.Amount), int64(p.Regular)})
		}
		if t := last.Live.Next; !t.IsZero() {
			u.next = append(u.next, entry{row, t.Unix(), int64(t.Nanosecond())})
		}
		last = nil
	}
}

// scope returns the number of the scope of a row's j-th price: most rows have
// prices in the same scopes.
func (u *update) scope(c *Columns, j int, s indexer.Scope) int {
	for j >= len(u.known) {
		u.known = append(u.known, 0)
	}
	if k := u.known[j]; k < len(c.scopes) && c.scopes[k] == s {
		return k
	}
	k := c.Scope(s)
	if k < 0 {
		k = len(c.scopes)
		c.scopes = append(c.scopes, cloneScope(s))
		c.prices = append(c.prices, make(column, len(c.stock)))
		u.fresh = append(u.fresh, nil)
	}
	u.known[j] = k
	return k
}

// with returns the block in which the changed rows have what fresh says, and
// nothing else.
func (b *block) with(changed []uint16, fresh []entry) *block {
	switch {
	case b == nil && len(fresh) == 0:
		return nil
	case b == nil:
		return newBlock(fresh)
	case b.kind == narrow:
		if n := b.patch(changed, fresh); n != nil {
			return n
		}
	case len(fresh) == 0 && !slices.ContainsFunc(changed, func(row uint16) bool { _, ok := b.amount(uint32(row)); return ok }):
		return b
	}
	old := b.entries(make([]entry, 0, int(b.count)+len(fresh)))
	merged := make([]entry, 0, len(old)+len(fresh))
	for i, j, k := 0, 0, 0; i < len(old) || j < len(fresh); {
		if j < len(fresh) && (i == len(old) || fresh[j].row <= old[i].row) {
			if i < len(old) && fresh[j].row == old[i].row {
				i++
			}
			merged = append(merged, fresh[j])
			j++
			continue
		}
		for k < len(changed) && changed[k] < old[i].row {
			k++
		}
		if k == len(changed) || changed[k] != old[i].row {
			merged = append(merged, old[i])
		}
		i++
	}
	return newBlock(merged)
}

// patch is with for a narrow block that stays one; nil of one that does not.
func (b *block) patch(changed []uint16, fresh []entry) *block {
	n := &block{kind: narrow, special: b.special}
	for i := range fresh {
		e := &fresh[i]
		if e.amount < 0 || e.amount >= noneNarrow || e.regular < 0 || e.regular >= noneNarrow {
			return nil
		}
		n.special = n.special || e.amount != e.regular
	}
	le := binary.LittleEndian
	const half = 4 * blockRows
	if n.special {
		n.data = make([]byte, 2*half)
		copy(n.data, b.data)
		if !b.special {
			copy(n.data[half:], b.data)
		}
	} else {
		n.data = make([]byte, half)
		copy(n.data, b.data)
	}
	for _, row := range changed {
		le.PutUint32(n.data[4*int(row):], noneNarrow)
		if n.special {
			le.PutUint32(n.data[half+4*int(row):], noneNarrow)
		}
	}
	for i := range fresh {
		at := 4 * int(fresh[i].row)
		le.PutUint32(n.data[at:], uint32(fresh[i].amount))
		if n.special {
			le.PutUint32(n.data[half+at:], uint32(fresh[i].regular))
		}
	}
	least, count, special := uint32(noneNarrow), 0, false
	for at := 0; at < half; at += 4 {
		v := le.Uint32(n.data[at:])
		if v == noneNarrow {
			continue
		}
		count++
		least = min(least, v)
		special = special || n.special && v != le.Uint32(n.data[half+at:])
	}
	if count < sparseMax {
		return nil
	}
	if n.special && !special {
		n.special, n.data = false, slices.Clone(n.data[:half])
	}
	n.count, n.min = uint16(count), int64(least)
	return n
}
