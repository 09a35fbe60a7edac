package disk

import "syscall"

// Forget implements Mapping. Of a file that is mapped shared and only read, the
// system has all that it is told to forget.
func (m mapped) Forget() { _ = syscall.Madvise(m, syscall.MADV_DONTNEED) }
