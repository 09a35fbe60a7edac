package remotestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"catalog/catalog"
)

// pieceBytes is how much of an Apply is sent at a time. The server takes more.
const pieceBytes = 96 << 20

// Apply implements catalog.Store. A batch of more than 96 MiB arrives in
// pieces, one after the other.
func (s *Store) Apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	results, err := s.apply(ctx, writes)
	return results, wrap("apply", err)
}

func (s *Store) apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	o, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer o.end()
	// All of them before the first piece is sent: an invalid one forbids all.
	for i := range writes {
		if err := writes[i].Validate(); err != nil {
			return nil, &catalog.ApplyError{Failed: []int{i}, Err: err}
		}
	}
	results := make([]catalog.Result, 0, len(writes))
	var conflicts []int
	var cause error // of the conflicts
	for first := true; first || len(results) < len(writes); first = false {
		at := len(results)
		got, err := s.applyPiece(ctx, o, writes[at:])
		var named *catalog.ApplyError
		switch {
		case err == nil:
		case errors.Is(err, catalog.ErrConflict) && got != nil:
			if errors.As(err, &named) {
				for _, n := range named.Failed {
					conflicts = append(conflicts, at+n)
				}
			}
			cause = err
		default:
			return nil, o.s.failedFrom(err, at, len(writes))
		}
		if len(got) == 0 && len(writes) > 0 {
			return nil, fmt.Errorf("%s: %w: no results", s.peer, errFrame)
		}
		results = append(results, got...)
	}
	if cause == nil {
		return results, nil
	}
	if named := (*catalog.ApplyError)(nil); errors.As(cause, &named) {
		cause = &catalog.ApplyError{Failed: conflicts, Err: named.Err}
	}
	return results, cause
}

// failedFrom says which writes an error stands for: those it names, or else
// all from the piece on that did not arrive.
func (s *Store) failedFrom(err error, at, n int) error {
	var named *catalog.ApplyError
	if errors.As(err, &named) {
		failed := make([]int, 0, len(named.Failed)+n-at)
		for _, i := range named.Failed {
			failed = append(failed, at+i)
		}
		return &catalog.ApplyError{Failed: failed, Err: named.Err}
	}
	var lost *lostError
	if !errors.As(err, &lost) {
		return err
	}
	failed := make([]int, 0, n-at)
	for i := at; i < n; i++ {
		failed = append(failed, i)
	}
	return &catalog.ApplyError{Failed: failed, Err: err}
}

// applyPiece applies as many writes as one call takes.
func (s *Store) applyPiece(ctx context.Context, o *op, writes []catalog.Write) ([]catalog.Result, error) {
	b := newBatch(ctx, writes)
	var results []catalog.Result
	err := o.attempt(!b.conditional, func() (bool, error) {
		results = nil
		// What still sends must not look at the writes once they are the
		// caller's again.
		defer b.detach()
		reply, err := o.send("apply", b.reader(), b.size, func() (io.ReadCloser, error) { return b.reader(), nil })
		if err != nil {
			return false, err
		}
		defer reply.close()
		for {
			payload, err := reply.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return false, err
			}
			d := decoder{b: payload}
			results = d.results()
			if err := d.end(); err != nil {
				return false, fmt.Errorf("%s: %w", s.peer, err)
			}
		}
		if len(results) != b.n {
			return false, fmt.Errorf("%s: %w: %d results for %d writes", s.peer, errFrame, len(results), b.n)
		}
		return true, nil
	})
	if err != nil && !errors.Is(err, catalog.ErrConflict) {
		return nil, s.lostBatch(err, b.conditional)
	}
	if err != nil && len(results) != b.n {
		return nil, err
	}
	return results, err
}

// lostBatch says of a batch with conditions that nobody knows whether it was
// applied.
func (s *Store) lostBatch(err error, conditional bool) error {
	var lost *lostError
	if !errors.As(err, &lost) {
		return err
	}
	return &lostError{err: s.give(err, conditional), unsent: lost.unsent, gone: lost.gone}
}

// batch is the stream of one call of Apply: all but the bodies is in head, and
// ends has where in it each body comes.
type batch struct {
	head        []byte
	ends        []int
	bodies      [][]byte
	n           int
	size        int64
	conditional bool

	mu      sync.Mutex
	readers []*batchReader
}

func newBatch(ctx context.Context, writes []catalog.Write) *batch {
	b := &batch{}
	b.head = appendFrame(append(b.head, preface...), frameCall, fenced(ctx))
	var args []byte
	for i := range writes {
		w := &writes[i]
		if b.n > 0 && b.size+int64(len(w.Body)) > pieceBytes {
			break
		}
		args = appendWrite(args[:0], w)
		b.head = appendFrameHeader(b.head, frameWrite, len(args)+len(w.Body))
		b.head = append(b.head, args...)
		b.ends = append(b.ends, len(b.head))
		b.bodies = append(b.bodies, w.Body)
		b.size += int64(len(w.Body))
		b.conditional = b.conditional || w.If != nil
		b.n++
	}
	b.head = appendFrame(b.head, frameEnd, nil)
	b.size += int64(len(b.head))
	return b
}

// reader returns a reader from the start.
func (b *batch) reader() *batchReader {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &batchReader{b: b}
	b.readers = append(b.readers, r)
	return r
}

// detach makes all readers end, and returns when none reads.
func (b *batch) detach() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.readers {
		_ = r.Close()
	}
	b.readers = nil
}

// batchReader reads a batch, until it is closed.
type batchReader struct {
	mu   sync.Mutex
	b    *batch // nil when it is closed
	at   int    // in head
	next int    // the next body
	body []byte // what is left of the one being read
}

// Close implements io.Closer.
func (r *batchReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.b, r.body = nil, nil
	return nil
}

// sent reports whether all was read.
func (r *batchReader) sent() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b == nil || r.at == len(r.b.head)
}

// Read implements io.Reader.
func (r *batchReader) Read(p []byte) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.b == nil {
		return 0, io.ErrClosedPipe
	}
	for n < len(p) {
		if len(r.body) > 0 {
			k := copy(p[n:], r.body)
			r.body = r.body[k:]
			n += k
			continue
		}
		end := len(r.b.head)
		if r.next < len(r.b.ends) {
			end = r.b.ends[r.next]
		}
		k := copy(p[n:], r.b.head[r.at:end])
		r.at += k
		n += k
		if r.at < end {
			break
		}
		if r.next == len(r.b.ends) {
			break
		}
		r.body = r.b.bodies[r.next]
		r.next++
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
