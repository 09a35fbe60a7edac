package exec

import "math/bits"

// bag counts a few numbers of which each may be anything: a hash table of at
// least twice as many places, and which of them are taken.
type bag struct {
	slots []times // n is 0 where there is none
	taken []uint32
	shift int
}

// reset empties a bag, which is to have at most n different numbers.
func (b *bag) reset(n int) {
	for _, i := range b.taken {
		b.slots[i] = times{}
	}
	b.taken = b.taken[:0]
	size := bits.Len(uint(2*n | 15))
	if 1<<size > cap(b.slots) {
		b.slots = make([]times, 1<<size)
	}
	b.slots, b.shift = b.slots[:1<<size], 32-size // a small one stays in the fastest memory
}

// add counts a number n times more.
func (b *bag) add(x, n uint32) {
	i := x * 0x9E3779B1 >> b.shift
	for b.slots[i].n > 0 && b.slots[i].x != x {
		i = (i + 1) & uint32(len(b.slots)-1)
	}
	if b.slots[i].n == 0 {
		b.slots[i].x = x
		b.taken = append(b.taken, i)
	}
	b.slots[i].n += n
}

// each calls f for each number, in the order in which they came.
func (b *bag) each(f func(x, n uint32)) {
	for _, i := range b.taken {
		f(b.slots[i].x, b.slots[i].n)
	}
}
