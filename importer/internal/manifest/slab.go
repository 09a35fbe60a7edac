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

// chunk returns an empty chunk. What it points at has no pointers, and its
// sizes are multiples of 8.
func (s *slabs) chunk(values bool) *chunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &chunk{keys: (*chunkKeys)(s.take(unsafe.Sizeof(chunkKeys{})))}
	if values {
		c.values = (*[chunkSize]uint64)(s.take(unsafe.Sizeof([chunkSize]uint64{})))
	} else {
		c.flags = (*[chunkSize]Flags)(s.take(unsafe.Sizeof([chunkSize]Flags{})))
	}
	return c
}

func (s *slabs) take(size uintptr) unsafe.Pointer {
	if uintptr(len(s.free)) < size {
		s.free = allocate(slabSize)
		s.all = append(s.all, s.free)
	}
	p := unsafe.Pointer(unsafe.SliceData(s.free))
	s.free = s.free[size:]
	return p
}

func (s *slabs) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.all {
		release(b)
	}
	s.all, s.free = nil, nil
}
