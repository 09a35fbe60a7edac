package segment

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

const (
	magic   = "CATSEG"
	version = 2
	headLen = len(magic) + 2
	footLen = 8 + 4 + 4 + len(magic)
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// A CorruptError says which part of a segment is not as it was written. It is
// indexer.ErrCorrupt.
type CorruptError struct {
	Section string
	Cause   error
}

// Error implements error.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("section %s: %v: %v", e.Section, indexer.ErrCorrupt, e.Cause)
}

// Unwrap returns indexer.ErrCorrupt.
func (e *CorruptError) Unwrap() error { return indexer.ErrCorrupt }

// sections writes the sections of a file.
type sections struct {
	w    io.Writer
	off  uint64
	list []section
	err  error
	each func() // called when eachBytes more are written; nil: not
	next uint64

	name  string
	start uint64
	sum   uint32
}

// section is an entry of the table.
type section struct {
	name       string
	start, len uint64
	sum        uint32
}

func newSections(w io.Writer) *sections {
	s := &sections{w: w}
	s.put(binary.LittleEndian.AppendUint16([]byte(magic), version))
	return s
}

func (s *sections) put(b []byte) {
	if s.err != nil {
		return
	}
	_, s.err = s.w.Write(b)
	s.off += uint64(len(b))
	s.sum = crc32.Update(s.sum, crcTable, b)
	if s.each != nil && s.off >= s.next {
		s.each()
		s.next = s.off + eachBytes
	}
}

const eachBytes = 32 << 20

// begin starts a section, end ends it; write writes a whole one.
func (s *sections) begin(name string) { s.name, s.start, s.sum = name, s.off, 0 }

func (s *sections) end() {
	s.list = append(s.list, section{s.name, s.start, s.off - s.start, s.sum})
}

// append writes sections that were written into memory.
func (s *sections) append(o *sections, b *blocks) {
	base := s.off
	for i, part := range b.list {
		s.put(part)
		b.list[i] = nil
	}
	for _, x := range o.list {
		x.start += base
		s.list = append(s.list, x)
	}
}

func (s *sections) write(name string, b []byte) {
	s.begin(name)
	s.put(b)
	s.end()
}

// blocks is a writer that keeps what is written, without ever copying it to a
// greater place.
type blocks struct{ list [][]byte }

const blockBytes = 1 << 20

// Write implements io.Writer.
func (b *blocks) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		last := len(b.list) - 1
		if last < 0 || len(b.list[last]) == blockBytes {
			b.list = append(b.list, make([]byte, 0, blockBytes))
			last++
		}
		k := min(len(p), blockBytes-len(b.list[last]))
		b.list[last] = append(b.list[last], p[:k]...)
		p = p[k:]
	}
	return n, nil
}

// finish writes the table.
func (s *sections) finish() error {
	toc := binary.AppendUvarint(nil, uint64(len(s.list)))
	for _, x := range s.list {
		toc = codec.AppendString(toc, x.name)
		toc = binary.AppendUvarint(toc, x.start)
		toc = binary.AppendUvarint(toc, x.len)
		toc = binary.LittleEndian.AppendUint32(toc, x.sum)
	}
	start := s.off
	s.put(toc)
	foot := binary.LittleEndian.AppendUint64(nil, start)
	foot = binary.LittleEndian.AppendUint32(foot, uint32(len(toc)))
	foot = binary.LittleEndian.AppendUint32(foot, crc32.Checksum(toc, crcTable))
	s.put(append(foot, magic...))
	return s.err
}

// readSections returns the sections of a file, checksums verified.
func readSections(b []byte) (map[string][]byte, error) {
	bad := func(section, format string, args ...any) error {
		return &CorruptError{section, fmt.Errorf(format, args...)}
	}
	if len(b) < headLen+footLen || string(b[:len(magic)]) != magic {
		return nil, bad("header", "no magic")
	}
	if v := binary.LittleEndian.Uint16(b[len(magic):]); v != version {
		return nil, fmt.Errorf("segment of version %d, not %d: %w", v, version, indexer.ErrFormat)
	}
	foot := b[len(b)-footLen:]
	start, length := binary.LittleEndian.Uint64(foot), uint64(binary.LittleEndian.Uint32(foot[8:]))
	if string(foot[16:]) != magic || start > uint64(len(b)) || start+length != uint64(len(b)-footLen) {
		return nil, bad("footer", "cut off")
	}
	toc := b[start : start+length]
	if crc32.Checksum(toc, crcTable) != binary.LittleEndian.Uint32(foot[12:]) {
		return nil, bad("table", "checksum")
	}
	r := codec.NewReader(toc)
	list := map[string][]byte{}
	end := uint64(headLen)
	for range r.Count(7) {
		name, off, n := r.String(), r.Uvarint(), r.Uvarint()
		sum := r.Bytes(4)
		if r.Err() != nil || off != end || n > start-off {
			return nil, bad("table", "a section is out of place")
		}
		end = off + n
		data := b[off:end:end]
		if crc32.Checksum(data, crcTable) != binary.LittleEndian.Uint32(sum) {
			return nil, bad(name, "checksum")
		}
		list[name] = data
	}
	if r.Err() != nil || r.Len() > 0 || end != start {
		return nil, bad("table", "a section is out of place")
	}
	return list, nil
}
