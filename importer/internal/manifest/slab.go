package manifest

import (
	"sync"
	"unsafe"
)

// slabs hands out chunks of memory that the garbage collector neither scans
// nor counts: tens of megabytes that live through the whole import would
// otherwise let the heap grow by twice as much.
type slabs struct {
	mu     sync.Mutex
	keys   slab    // and flags
	values slab    // by themselves, since they are freed before the rest
	chunks []chunk // allocated together: each by itself would hold up a page of garbage
}

// slab hands out parts of pages.
type slab struct {
	all  [][]byte
	free []byte
}

const (
	slabSize     = 1 << 20
	chunksAtOnce = 512
)

// chunk returns an empty chunk. What it points at has no pointers, and its
// sizes are multiples of 8.
func (s *slabs) chunk(values bool) *chunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.chunks) == 0 {
		s.chunks = make([]chunk, chunksAtOnce)
	}
	c := &s.chunks[0]
	s.chunks = s.chunks[1:]
	c.keys = (*chunkKeys)(s.keys.take(unsafe.Sizeof(chunkKeys{})))
	if values {
		c.values = (*[chunkSize]uint64)(s.values.take(unsafe.Sizeof([chunkSize]uint64{})))
	} else {
		c.flags = s.flags()
	}
	return c
}

// flags returns the flags of an empty chunk. s.mu is locked, or not needed.
func (s *slabs) flags() *[chunkSize]Flags {
	return (*[chunkSize]Flags)(s.keys.take(unsafe.Sizeof([chunkSize]Flags{})))
}

func (s *slab) take(size uintptr) unsafe.Pointer {
	if uintptr(len(s.free)) < size {
		s.free = allocate(slabSize)
		s.all = append(s.all, s.free)
	}
	p := unsafe.Pointer(unsafe.SliceData(s.free))
	s.free = s.free[size:]
	return p
}

func (s *slab) close() {
	for _, b := range s.all {
		release(b)
	}
	s.all, s.free = nil, nil
}

func (s *slabs) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.close()
	s.values.close()
}
