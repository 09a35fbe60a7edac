package feed

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// source is an opened feed as it is stored: bytes from the start, and a count
// of them. It notices when the file changes under it.
type source struct {
	in   *Input
	file stored
	own  *os.File // file, when it is closed with the source
	size int64
	n    int64 // bytes read
	err  error // of the last Read, except io.EOF
}

// open opens the feed's bytes for one more pass.
func (in *Input) open() (*source, error) {
	if in.spool != nil {
		return &source{in: in, file: in.spool, size: in.Size}, nil
	}
	f, err := os.Open(in.path)
	if err != nil {
		if in.info != nil && errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%w: it is no longer there", ErrChanged)
		}
		return nil, pathless(err)
	}
	s := &source{in: in, file: f, own: f}
	info, err := f.Stat()
	if err == nil {
		s.size = info.Size()
		if in.info == nil {
			in.info = info
		}
		err = s.compare(info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

// compare reports that the file is not as it was at first.
func (s *source) compare(now os.FileInfo) error {
	was := s.in.info
	switch {
	case !os.SameFile(was, now):
		return fmt.Errorf("%w: another file has taken its place", ErrChanged)
	case was.Size() != now.Size():
		return fmt.Errorf("%w: it had %d bytes and now has %d", ErrChanged, was.Size(), now.Size())
	case !was.ModTime().Equal(now.ModTime()):
		return fmt.Errorf("%w: it was written to", ErrChanged)
	}
	return nil
}

// unchanged is called at the end of a pass, and before bad data is blamed on
// the feed.
func (s *source) unchanged() error {
	if s.own == nil {
		return nil
	}
	info, err := s.own.Stat()
	if err != nil {
		return err
	}
	return s.compare(info)
}

// Read reads on. It gives ErrChanged instead of io.EOF when the file is not
// what it was at first.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.file.ReadAt(p, s.n)
	s.n += int64(n)
	if n > 0 {
		return n, nil // ReadAt tells of the end together with the last bytes
	}
	if errors.Is(err, io.EOF) {
		if cerr := s.unchanged(); cerr != nil {
			err = cerr
		} else {
			return 0, io.EOF
		}
	}
	s.err = pathless(err)
	return 0, s.err
}

// Close closes the file, except a spool, which the Input keeps.
func (s *source) Close() error {
	if s.own != nil {
		return s.own.Close()
	}
	return nil
}

// pathless strips the path from a file error: the caller names the feed.
func pathless(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
