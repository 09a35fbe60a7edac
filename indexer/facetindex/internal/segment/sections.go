package segment

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

const (
	magic   = "CATSEG"
	version = 3
	oldest  = 2 // that can be read
	headLen = len(magic) + 2
	footLen = 8 + 4 + 4 + len(magic)
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// A CorruptError says which part of a segment is not as it was written. It is
// indexer.ErrCorrupt.
type CorruptError struct {
	File    string // if it is known
	Section string
	Cause   error
}

// Error implements error.
func (e *CorruptError) Error() string {
	if e.File != "" {
		return fmt.Sprintf("%s: section %s: %v: %v", e.File, e.Section, indexer.ErrCorrupt, e.Cause)
	}
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

	blocks   []byte // checksums of the file's blocks
	blockSum uint32 // of the last one, as far as it is written
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
	s.sum = crc32.Update(s.sum, crcTable, b)
	for rest := b; len(rest) > 0; {
		n := min(len(rest), checkBlock-int(s.off&(checkBlock-1)))
		s.blockSum = crc32.Update(s.blockSum, crcTable, rest[:n])
		if s.off += uint64(n); s.off&(checkBlock-1) == 0 {
			s.endBlock()
		}
		rest = rest[n:]
	}
	if s.each != nil && s.off >= s.next {
		s.each()
		s.next = s.off + eachBytes
	}
}

const eachBytes = 32 << 20

func (s *sections) endBlock() {
	s.blocks = binary.LittleEndian.AppendUint32(s.blocks, s.blockSum)
	s.blockSum = 0
}

// begin starts a section, end ends it; write writes a whole one.
func (s *sections) begin(name string) { s.name, s.start, s.sum = name, s.off, 0 }

func (s *sections) end() {
	s.list = append(s.list, section{s.name, s.start, s.off - s.start, s.sum})
}

// append writes sections that were written apart.
func (s *sections) append(o *sections, apart Spool) {
	base := s.off
	if err := apart.Each(s.put); err != nil && s.err == nil {
		s.err = err
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

// Spool keeps what is written until it is read, once.
type Spool interface {
	io.Writer
	// Each calls f for all that was written, in parts.
	Each(f func([]byte)) error
	Close() error
}

// blocks is a Spool in memory, which never copies to a greater place.
type blocks struct{ list [][]byte }

// Each implements Spool.
func (b *blocks) Each(f func([]byte)) error {
	for i, part := range b.list {
		f(part)
		b.list[i] = nil
	}
	return nil
}

// Close implements Spool.
func (b *blocks) Close() error { return nil }

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

// finish writes the checksums of blocks, and the table.
func (s *sections) finish() error {
	if s.off&(checkBlock-1) != 0 {
		s.endBlock()
	}
	s.write(sumsName, s.blocks)
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

// readSections returns the sections of a file, checksums verified; but those
// of laterSections are left to a checker if later is set and the file has the
// checksums for it.
func readSections(b []byte, later bool) (map[string][]byte, *checker, error) {
	bad := func(section, format string, args ...any) error {
		return &CorruptError{Section: section, Cause: fmt.Errorf(format, args...)}
	}
	if len(b) < headLen+footLen || string(b[:len(magic)]) != magic {
		return nil, nil, bad("header", "no magic")
	}
	if v := binary.LittleEndian.Uint16(b[len(magic):]); v < oldest || v > version {
		return nil, nil, fmt.Errorf("segment of version %d, not %d to %d: %w", v, oldest, version, indexer.ErrFormat)
	}
	foot := b[len(b)-footLen:]
	start, length := binary.LittleEndian.Uint64(foot), uint64(binary.LittleEndian.Uint32(foot[8:]))
	if string(foot[16:]) != magic || start > uint64(len(b)) || start+length != uint64(len(b)-footLen) {
		return nil, nil, bad("footer", "cut off")
	}
	toc := b[start : start+length]
	if crc32.Checksum(toc, crcTable) != binary.LittleEndian.Uint32(foot[12:]) {
		return nil, nil, bad("table", "checksum")
	}
	r := codec.NewReader(toc)
	list, at, sums := map[string][]byte{}, map[string]extent{}, map[string]uint32{}
	end := uint64(headLen)
	for range r.Count(7) {
		name, off, n := r.String(), r.Uvarint(), r.Uvarint()
		sum := r.Bytes(4)
		if r.Err() != nil || off != end || n > start-off {
			return nil, nil, bad("table", "a section is out of place")
		}
		end = off + n
		data := b[off:end:end]
		at[name], sums[name] = extent{off, end}, binary.LittleEndian.Uint32(sum)
		list[name] = data
	}
	if r.Err() != nil || r.Len() > 0 || end != start {
		return nil, nil, bad("table", "a section is out of place")
	}
	var c *checker
	if data := list[sumsName]; later && len(data) > 0 {
		var err error
		if c, err = newChecker(b[:at[sumsName].from], data, at); err != nil {
			return nil, nil, err
		}
	}
	for name, data := range list {
		if c != nil && slices.Contains(laterSections[:], name) {
			continue
		}
		if crc32.Checksum(data, crcTable) != sums[name] {
			return nil, nil, bad(name, "checksum")
		}
	}
	return list, c, nil
}
