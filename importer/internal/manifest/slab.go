package manifest

import (
	"sync"
	"unsafe"
)

// slabs hands out chunks of memory that the garbage collector neither scans
// nor counts: tens of megabytes that live through the whole import would
// otherwise let the heap grow by twice as much.
type slabs struct {
	mu   sync.Mutex
	all  [][]byte
	free []byte
}

const slabSize = 1 << 20

func (s *slabs) chunk() *chunk {
	const size = int(unsafe.Sizeof(chunk{}))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) < size {
		s.free = allocate(slabSize)
		s.all = append(s.all, s.free)
	}
	c := (*chunk)(unsafe.Pointer(unsafe.SliceData(s.free))) // Entry has no pointers, and size is a multiple of 8
	s.free = s.free[size:]
	return c
}

func (s *slabs) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.all {
		release(b)
	}
	s.all, s.free = nil, nil
}
