package manifest

import "sync/atomic"

// Bits is a set of ordinals below a limit. Its methods are safe for concurrent
// use.
type Bits []uint64

// NewBits returns an empty set for ordinals below n.
func NewBits(n int64) Bits { return make(Bits, (n+63)/64) }

// Set adds i.
func (b Bits) Set(i uint32) { atomic.OrUint64(&b[i/64], 1<<(i%64)) }

// Clear removes i.
func (b Bits) Clear(i uint32) { atomic.AndUint64(&b[i/64], ^(uint64(1) << (i % 64))) }

// Has reports whether i is in the set. What is beyond the limit is not.
func (b Bits) Has(i uint32) bool {
	return int64(i/64) < int64(len(b)) && atomic.LoadUint64(&b[i/64])&(1<<(i%64)) != 0
}
