package importer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"

	"catalog/catalog"
	"catalog/importer/internal/feedcache"
	"catalog/importer/internal/manifest"
)

// recall is what records of a source came to last time, and what they come to
// now. The zero recall knows nothing and keeps nothing.
type recall struct {
	old    *feedcache.Cache  // nil: nothing is known
	out    *feedcache.Writer // nil: nothing is kept
	mapped bool              // a record does not name its key plainly
}

// openRecall opens what is known where it can be used: where every record of
// the feed stands for itself, and is large enough for a hash to be cheaper
// than reading it. What cannot be had costs time only, and a warning.
func (r *run) openRecall() {
	if r.o.FeedCache == "" || r.o.Kind != catalog.KindProduct || !r.replaces() {
		return
	}
	r.recall.mapped = r.mapping != nil
	name, fp := r.recallName(), r.fingerprint()
	var err error
	if r.full {
		if r.recall.old, err = feedcache.Open(r.o.FeedCache, name, fp); err != nil {
			r.acc.warn("feed_cache", 1)
		}
	}
	if r.o.DryRun {
		return
	}
	if r.recall.out, err = feedcache.Create(r.o.FeedCache, name, fp, r.recall.old); err != nil {
		r.acc.warn("feed_cache", 1)
	}
}

func (r *run) recallName() string {
	sum := sha256.Sum256([]byte(r.o.Source))
	return hex.EncodeToString(sum[:8]) + "." + r.o.Kind.Plural()
}

// fingerprint is of what decides, beside a record's bytes, what it comes to:
// the mapping, and the program.
func (r *run) fingerprint() feedcache.Fingerprint {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(r.o.SKU), r.o.Mapping, []byte(program())} {
		_ = binary.Write(h, binary.LittleEndian, uint64(len(part)))
		_, _ = h.Write(part)
	}
	return feedcache.Fingerprint(h.Sum(nil))
}

// program tells one build of the program from another.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}

// keep replaces what was known. A feed of a few of the source's records, such
// as a correction between two nights, does not push out what is known of all.
func (c *recall) keep(acc *account) {
	if c.out == nil {
		return
	}
	if c.old != nil && c.out.Len() < c.old.Len()/2 {
		c.out.Discard()
	} else if err := c.out.Commit(); err != nil {
		acc.warn("feed_cache", 1)
	}
	c.out = nil
}

func (c *recall) close() {
	if c.out != nil {
		c.out.Discard()
	}
	if c.old != nil {
		_ = c.old.Close()
	}
}

// recaller is a worker's use of recall. The zero recaller does nothing.
type recaller struct {
	c      *recall
	finder *feedcache.Finder // nil: nothing is known
	run    *feedcache.Run    // nil: nothing is kept
	parts  []feedcache.Part
	begun  bool // a record of this chunk was looked for
}

func (c *recall) recaller() recaller {
	r := recaller{c: c}
	if c.old != nil {
		r.finder = c.old.NewFinder()
	}
	return r
}

// begin starts a chunk, and returns where it is kept what its records come to.
func (r *recaller) begin() *feedcache.Run {
	r.begun, r.run = false, nil
	if r.c != nil && r.c.out != nil {
		r.run = new(feedcache.Run)
	}
	return r.run
}

// sum returns the sum of a record, if there is any use for it.
func (r *recaller) sum(record []byte) uint64 {
	switch {
	case r.finder != nil:
		return r.c.old.Sum(record)
	case r.run != nil:
		return r.c.out.Sum(record)
	}
	return 0
}

// find returns what the record with that number and sum came to; nil if that
// is not known. The first part is the record's own; a key that is missing
// there is the one that quickKey finds. It is valid until the next call.
func (r *recaller) find(ord int64, sum uint64) []feedcache.Part {
	if r.finder == nil {
		return nil
	}
	if !r.begun {
		r.begun = true
		r.finder.Begin(ord)
	}
	entry := r.finder.Find(ord, sum)
	if entry == nil {
		return nil
	}
	if r.parts = feedcache.Parts(r.parts[:0], entry); len(r.parts) == 0 {
		return nil
	}
	if r.run != nil {
		r.run.Keep(entry)
	}
	return r.parts
}

// note keeps what a record came to.
func (r *recaller) note(sum uint64, doc []byte, p *catalog.Parsed, f manifest.Flags, value uint64) {
	if r.run == nil {
		return
	}
	own := feedcache.Part{Flags: uint8(f), Value: value}
	if r.c.mapped || string(quickKey(p.Kind, doc)) != string(p.Key) {
		own.Key = []byte(p.Key)
	}
	r.parts = append(r.parts[:0], own)
	for i := range p.Variants {
		v := &p.Variants[i]
		f, value := parts(v.Price, v.Stock)
		r.parts = append(r.parts, feedcache.Part{Key: []byte(v.SKU), Flags: uint8(f), Value: value})
	}
	r.run.Add(sum, r.parts)
}
