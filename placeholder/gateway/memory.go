package gateway

import (
	"errors"
	"io"
	"sync/atomic"
)

const (
	// maxMemory is how many bytes the requests that are being read may take,
	// all together; what comes then passes untouched.
	maxMemory = 96 << 20
	// parseFactor is how many bytes a byte of JSON or GraphQL may become once
	// parsed: an array of zeros is the worst.
	parseFactor = 64
)

var errMemory = errors.New("gateway: too much is being read at once")

// memory is a budget of bytes. It is safe for concurrent use.
type memory struct {
	limit int64
	used  atomic.Int64
}

// share is what one request has of a budget.
type share struct {
	of *memory
	n  int64
}

// take takes n bytes more, unless that is more than there is.
func (s *share) take(n int64) bool {
	if s.of.used.Add(n) > s.of.limit {
		s.of.used.Add(-n)
		return false
	}
	s.n += n
	return true
}

// release gives all back.
func (s *share) release() {
	s.of.used.Add(-s.n)
	s.n = 0
}

// reader counts what is read from r as it arrives: what a client only
// announces costs nothing.
func (s *share) reader(r io.Reader) io.Reader { return sharedReader{s, r} }

type sharedReader struct {
	share *share
	r     io.Reader
}

func (r sharedReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if !r.share.take(int64(n)) {
		return n, errMemory // which must come with what was read
	}
	return n, err
}
