//go:build unix

package manifest

import "syscall"

func allocate(n int) []byte {
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n)
	}
	return b
}

func release(b []byte) {
	// What came from the heap is no mapping: munmap says so, and the garbage
	// collector takes it.
	_ = syscall.Munmap(b)
}
