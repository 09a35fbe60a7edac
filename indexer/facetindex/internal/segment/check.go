package segment

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sync"
	"sync/atomic"

	"catalog/indexer/facetindex/internal/codec"
)

// Besides that of each section, there is a checksum of each block of a file, so
// that what a search does not touch need not be read to open the file.
const (
	checkBits  = 16
	checkBlock = 1 << checkBits
	sumsName   = "sums"
)

// laterSections are those of which blocks are verified when they are used.
var laterSections = [...]string{"postings", "lexicon", "attrs", "titles", "valwords"}

var errChecksum = errors.New("checksum")

// checker verifies blocks of a file, each once. A nil one has nothing to do.
type checker struct {
	file     []byte
	sums     []byte
	done     []atomic.Uint64 // a bit for each block
	sections map[string]extent
}

// extent is where a section is.
type extent struct{ from, to uint64 }

func newChecker(file []byte, sums []byte, sections map[string]extent) (*checker, error) {
	blocks := (len(file) + checkBlock - 1) >> checkBits
	if len(sums) != 4*blocks {
		return nil, &CorruptError{Section: sumsName, Cause: errSize}
	}
	return &checker{file: file, sums: sums, done: make([]atomic.Uint64, codec.Words(blocks)), sections: sections}, nil
}

// check verifies what is from one place of a section on and before another.
func (c *checker) check(section string, from, to int64) error {
	if c == nil || from >= to {
		return nil
	}
	at := c.sections[section].from
	for b := (at + uint64(from)) >> checkBits; b <= (at+uint64(to)-1)>>checkBits; b++ {
		if !c.verify(b) {
			return &CorruptError{Section: section, Cause: errChecksum}
		}
	}
	return nil
}

// verify reports whether a block is as it was written.
func (c *checker) verify(b uint64) bool {
	word, bit := &c.done[b>>6], uint64(1)<<(b&63)
	if word.Load()&bit != 0 {
		return true
	}
	part := c.file[b<<checkBits : min((b+1)<<checkBits, uint64(len(c.file)))]
	if crc32.Checksum(part, crcTable) != binary.LittleEndian.Uint32(c.sums[4*b:]) {
		return false
	}
	word.Or(bit)
	return true
}

// Verify verifies all that was not yet. Between blocks it calls pause, if it is
// not nil.
func (s *Segment) Verify(ctx context.Context, pause func(context.Context) error) error {
	if s.check == nil {
		return nil
	}
	for b := range uint64(len(s.check.sums) / 4) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !s.check.verify(b) {
			return &CorruptError{File: s.file, Section: s.check.sectionAt(b << checkBits), Cause: errChecksum}
		}
		if pause != nil && b%16 == 15 {
			if err := pause(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// sectionAt names a section that a block has a part of.
func (c *checker) sectionAt(off uint64) string {
	found := "header"
	for name, at := range c.sections {
		if at.from < off+checkBlock && off < at.to {
			if found == "header" || name < found {
				found = name
			}
		}
	}
	return found
}

// later is a section that is read when it is needed first.
type later struct {
	once sync.Once
	err  error
}

// load reads the section once.
func (l *later) load(s *Segment, section string, data []byte, read func(*codec.Reader) error) error {
	l.once.Do(func() {
		if l.err = s.check.check(section, 0, int64(len(data))); l.err == nil {
			l.err = readPart(section, data, read)
		}
		l.err = s.named(l.err)
	})
	return l.err
}

// LoadWords makes the lexicon ready, which must come before any use of it. It
// is safe for concurrent use.
func (s *Segment) LoadWords() error { return s.words.load(s, "lexicon", s.lexicon, s.readLexicon) }

// LoadValueWords is LoadWords for the words of values.
func (s *Segment) LoadValueWords() error {
	return s.valueWords.load(s, "valwords", s.valwords, s.readWords)
}
