package facetindex

import (
	"bufio"
	"errors"

	"catalog/indexer/facetindex/internal/disk"
	"catalog/indexer/facetindex/internal/segment"
)

// spool is a segment.Spool in a file that no manifest names, so that a crash
// leaves nothing of it.
type spool struct {
	disk disk.FS
	name string
	file disk.File
	buf  *bufio.Writer
}

// spoolPart is how much is read of a spool at once, and spoolKeep how much of
// it stays in memory.
const (
	spoolPart = 1 << 20
	spoolKeep = 32 << 20
)

func (x *Index) newSpool() (segment.Spool, error) {
	x.mu.Lock()
	name := x.newFile("seg")
	x.mu.Unlock()
	f, err := x.disk.Create(name)
	if err != nil {
		return nil, err
	}
	return &spool{x.disk, name, f, bufio.NewWriterSize(f, spoolPart)}, nil
}

// Write implements segment.Spool.
func (s *spool) Write(b []byte) (int, error) { return s.buf.Write(b) }

// Each implements segment.Spool.
func (s *spool) Each(f func([]byte)) error {
	if err := s.buf.Flush(); err != nil {
		return err
	}
	m, err := s.disk.Map(s.name)
	if err != nil {
		return err
	}
	b := m.Bytes()
	for from := 0; from < len(b); from += spoolPart {
		if from%spoolKeep == 0 {
			m.Forget()
		}
		f(b[from:min(from+spoolPart, len(b))])
	}
	return m.Close()
}

// Close implements segment.Spool.
func (s *spool) Close() error { return errors.Join(s.file.Close(), s.disk.Remove(s.name)) }
