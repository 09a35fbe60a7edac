package exec

import (
	"slices"
	"sync"

	"catalog/indexer/facetindex/internal/codec"
)

// counts counts numbers below n: codes or texts. As long as there are few next
// to n they are in a list, such that what a small category costs does not grow
// with the dictionary; and then in an array. 0 of codes means nothing.
type counts struct {
	n     int
	list  []uint32 // each number as often as it was added
	array *[]uint32
}

// fewCounts is how many times more numbers there are than a list has.
const fewCounts = 8

var arrayPool = sync.Pool{New: func() any { return new([]uint32) }}

// newArray returns zeroes, from a pool.
func newArray(n int) *[]uint32 {
	a := arrayPool.Get().(*[]uint32)
	if cap(*a) < n {
		*a = make([]uint32, n)
	}
	*a = (*a)[:n]
	clear(*a)
	return a
}

// release gives the array back; the counts are gone.
func (c *counts) release() {
	if c.array != nil {
		arrayPool.Put(c.array)
	}
	c.array, c.list = nil, nil
}

// room makes an array of the list if more numbers would be too many for it.
func (c *counts) room(more int) (array bool) {
	if c.array == nil && (len(c.list)+more)*fewCounts > c.n {
		c.array = newArray(c.n)
		for _, x := range c.list {
			(*c.array)[x]++
		}
		c.list = nil
	}
	return c.array != nil
}

// add counts a number.
func (c *counts) add(x uint32) {
	if c.room(1) {
		(*c.array)[x]++
		return
	}
	c.list = append(c.list, x)
}

// chunk counts the codes of hits.
func (c *counts) chunk(k *codec.ColumnChunk, hits *codec.Hits) {
	if c.room(min(hits.Len, k.Len())) {
		k.Count(hits, *c.array)
		return
	}
	c.list = k.AppendCodes(c.list, hits)
}

// merge adds what another has counted.
func (c *counts) merge(o *counts) {
	if o.array != nil {
		if c.array == nil {
			c.array, o.array = o.array, nil
		} else {
			for i, n := range *o.array {
				(*c.array)[i] += n
			}
		}
	}
	if c.array == nil {
		c.list = append(c.list, o.list...)
		return
	}
	for _, list := range [][]uint32{c.list, o.list} {
		for _, x := range list {
			(*c.array)[x]++
		}
	}
	c.list = nil
}

// each calls f for each number that was counted, in order.
func (c *counts) each(f func(x, n uint32)) {
	if c.array != nil {
		for x, n := range *c.array {
			if n > 0 {
				f(uint32(x), n)
			}
		}
		return
	}
	slices.Sort(c.list)
	for i := 0; i < len(c.list); {
		from := i
		for i < len(c.list) && c.list[i] == c.list[from] {
			i++
		}
		f(c.list[from], uint32(i-from))
	}
}
