package importer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"catalog/catalog"
	"catalog/importer/internal/feed"
)

// The most that is kept of an input.
const (
	keptBytes   = 256 << 20
	keptRecords = 1 << 18
	keptChunk   = 256 << 10
)

// kept has the records of an input that changed, or that may have, so that who
// reads them need not read a whole feed of which little did. The records are in a temporary
// file; in memory is where each stands. It is a feed.Reader, which gives the
// records in the order of their keys: those that a batch looks up in the store
// then stand side by side there. Records of which the order means something
// come before all others, as they stood in the feed.
type kept struct {
	file     *keptFile
	chunks   sync.Pool // of *[]byte
	places   []keptPlace
	size     int64 // of the input, which progress is told in
	replaced int64 // records left out because a later one replaces them
	inOrder  bool  // of the feed: the order of any two records may mean something
	sorted   bool
}

// keptPlace is where a record stands in the file.
type keptPlace struct {
	key keptKey
	at  int64
	n   uint32
	ord uint32 // in the input
}

// keptKey is the start of a key, zero for records whose order means something.
type keptKey [16]byte

// keptFile is what the inputs' records are written to.
type keptFile struct {
	f    *os.File
	w    *bufio.Writer
	size int64
}

func newKeptFile(dir string) (*keptFile, error) {
	f, err := os.CreateTemp(dir, "catalog-changed-*")
	if err != nil {
		return nil, err
	}
	// It has no name any more, so that a killed import leaves nothing.
	_ = os.Remove(f.Name())
	return &keptFile{f: f, w: bufio.NewWriterSize(f, keptChunk)}, nil
}

func (k *keptFile) close() {
	if k != nil {
		_ = k.f.Close()
	}
}

// keptPart is what is to be kept of a chunk.
type keptPart struct {
	text     []byte
	places   []keptPlace // at is in text
	replaced int64
	inOrder  bool
}

// add takes a record. A key that is empty says that its order means something.
func (p *keptPart) add(rec *feed.Record, key catalog.Key) {
	at := len(p.text)
	p.text = appendKept(p.text, rec)
	place := keptPlace{at: int64(at), n: uint32(len(p.text) - at), ord: uint32(rec.Ord)}
	copy(place.key[:], key)
	p.places = append(p.places, place)
}

// add takes what is to be kept of a chunk. It reports false when that is too
// much, or cannot be written: then nothing is kept.
func (k *kept) add(p *keptPart) bool {
	k.replaced += p.replaced
	k.inOrder = k.inOrder || p.inOrder
	for _, place := range p.places {
		place.at += k.file.size
		k.places = append(k.places, place)
	}
	k.file.size += int64(len(p.text))
	if k.file.size > keptBytes || len(k.places) > keptRecords {
		return false
	}
	_, err := k.file.w.Write(p.text)
	return err == nil
}

// Chunks implements feed.Reader.
func (k *kept) Chunks(ctx context.Context, yield func(*feed.Chunk) error) error {
	if !k.sorted && !k.inOrder {
		slices.SortStableFunc(k.places, func(a, b keptPlace) int { return bytes.Compare(a.key[:], b.key[:]) })
	}
	k.sorted = true
	for i := 0; i < len(k.places); {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &feed.Chunk{Data: k.chunk()}
		for i < len(k.places) && (len(c.Data) == 0 || len(c.Data)+int(k.places[i].n) <= cap(c.Data)) {
			run := k.places[i]
			for i++; i < len(k.places) && k.places[i].at == run.at+int64(run.n) &&
				len(c.Data)+int(run.n)+int(k.places[i].n) <= cap(c.Data); i++ {
				run.n += k.places[i].n
			}
			from := len(c.Data)
			c.Data = slices.Grow(c.Data, int(run.n))[:from+int(run.n)]
			if _, err := k.file.f.ReadAt(c.Data[from:], run.at); err != nil {
				return fmt.Errorf("importer: reading the changed records again: %w", err)
			}
		}
		c.Read = k.size * int64(i) / int64(len(k.places))
		if err := yield(c); err != nil {
			return err
		}
	}
	return nil
}

func (k *kept) chunk() []byte {
	if b, ok := k.chunks.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, keptChunk)
}

// NewDecoder implements feed.Reader.
func (k *kept) NewDecoder() feed.Decoder { return keptDecoder{k} }

// Close implements feed.Reader. The file is closed by who opened it.
func (k *kept) Close() error { return nil }

type keptDecoder struct{ k *kept }

func (keptDecoder) Close() error { return nil }

// Decode implements feed.Decoder. The chunk's memory is used again after it.
func (d keptDecoder) Decode(c *feed.Chunk, yield func(*feed.Record) error) error {
	defer func() {
		if cap(c.Data) == keptChunk { // larger ones were for one long record
			d.k.chunks.Put(&c.Data)
		}
	}()
	var rec feed.Record
	var rej feed.Reject
	for b := c.Data; len(b) > 0; {
		var err error
		if b, err = cutKept(b, &rec, &rej); err != nil {
			return err
		}
		if err := yield(&rec); err != nil {
			return err
		}
	}
	return nil
}

const (
	keptOverlay = 1 << iota
	keptReject
	keptRaw // the raw text is not the record itself
)

func appendKept(b []byte, rec *feed.Record) []byte {
	b = binary.AppendUvarint(b, uint64(rec.Ord))
	b = binary.AppendUvarint(b, uint64(rec.Line))
	b = binary.AppendVarint(b, rec.Offset)
	flags := byte(0)
	if rec.Overlay {
		flags |= keptOverlay
	}
	if rec.Err != nil {
		flags |= keptReject
	}
	raw := !bytes.Equal(rec.Raw, rec.JSON)
	if raw {
		flags |= keptRaw
	}
	b = append(b, flags)
	part := func(p []byte) {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	if rec.Err != nil {
		part([]byte(rec.Err.Reason))
		part([]byte(rec.Err.Detail))
	}
	part(rec.JSON)
	if raw {
		part(rec.Raw)
	}
	return b
}

var errKept = errors.New("importer: a record that was kept cannot be read again")

// cutKept reads the record at the start of b, which it is valid with, and
// returns what is behind it.
func cutKept(b []byte, rec *feed.Record, rej *feed.Reject) ([]byte, error) {
	ord, n := binary.Uvarint(b)
	line, m := binary.Uvarint(b[max(n, 0):])
	if n <= 0 || m <= 0 {
		return nil, errKept
	}
	b = b[n+m:]
	offset, n := binary.Varint(b)
	if n <= 0 || len(b) == n {
		return nil, errKept
	}
	flags := b[n]
	b = b[n+1:]
	ok := true
	part := func() []byte {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			ok = false
			return nil
		}
		p := b[n : n+int(size) : n+int(size)]
		b = b[n+int(size):]
		if size == 0 {
			return nil
		}
		return p
	}
	*rec = feed.Record{Ord: int64(ord), Line: int64(line), Offset: offset, Overlay: flags&keptOverlay != 0}
	if flags&keptReject != 0 {
		rej.Reason = catalog.Reason(part())
		rej.Detail = string(part())
		rec.Err = rej
	}
	rec.JSON = part()
	rec.Raw = rec.JSON
	if flags&keptRaw != 0 {
		rec.Raw = part()
	}
	if !ok {
		return nil, errKept
	}
	return b, nil
}

// keeper keeps records while a pass reads the feeds: the survey those that it
// did not know from last time, which are nearly all that changed; where it
// knows none, the guard those that did change.
type keeper struct {
	file  *keptFile
	of    map[*input]*kept
	on    atomic.Bool // false: nothing is kept, and the feeds are read once more
	parts sync.Pool   // of *keptPart
}

// part returns an empty part; take takes it back.
func (k *keeper) part() *keptPart {
	if p, ok := k.parts.Get().(*keptPart); ok {
		return p
	}
	return new(keptPart)
}

// newKeeper returns a keeper, which is on where it is wanted.
func (r *run) newKeeper(wanted bool) *keeper {
	k := &keeper{of: map[*input]*kept{}}
	if !wanted {
		return k
	}
	var err error
	if k.file, err = newKeptFile(r.o.TempDir); err != nil {
		return k // it is not worth an import
	}
	for _, in := range r.inputs {
		// What a schema refuses is not known before the load; and where rejects
		// can end an import, what came before them is to be in.
		k.of[in] = &kept{file: k.file, size: in.Size, inOrder: r.schema != nil || r.o.Guards.MaxRejects.Set}
	}
	k.on.Store(true)
	return k
}

// settle is done, for the survey, if what it kept has all that there is to do.
func (k *keeper) settle(r *run) {
	if !k.on.Load() || r.todo == 0 || r.mends() {
		return
	}
	todo, replaced := r.todo, r.dropped
	for in, kept := range k.of {
		for i := range kept.places {
			place := &kept.places[i]
			ord := uint32(in.base) + place.ord
			switch {
			case r.drop.Has(ord):
				replaced--
			case !r.same.Has(ord):
				todo--
			}
			if r.group.Has(ord) {
				place.key = keptKey{} // it stays with its kin
			}
		}
	}
	if todo != 0 {
		return
	}
	k.of[r.inputs[0]].replaced = replaced // those that it did know
	k.done(r)
}

// take keeps what came of a chunk.
func (k *keeper) take(in *input, p *keptPart) {
	if k.on.Load() && !k.of[in].add(p) {
		k.on.Store(false)
	}
	*p = keptPart{text: p.text[:0], places: p.places[:0]}
	k.parts.Put(p)
}

// done makes the next pass read what was kept, if all of it was.
func (k *keeper) done(r *run) {
	if k.on.Load() && k.file.w.Flush() == nil {
		k.file.w = nil
		r.kept, k.file = k.file, nil
		for _, in := range r.inputs {
			in.kept = k.of[in]
		}
		return
	}
	k.close()
}

// close lets go of what no pass will read.
func (k *keeper) close() { k.file.close() }

// readKept accounts for what the kept records leave out.
func (r *run) readKept() {
	for _, in := range r.inputs {
		if in.kept != nil {
			r.acc.add(r.o.Kind, Counts{Read: in.kept.replaced, Duplicates: in.kept.replaced})
		}
	}
}

// dropKept lets go of what was kept: what follows reads the feeds.
func (r *run) dropKept() {
	for _, in := range r.inputs {
		in.kept = nil
	}
	r.kept.close()
	r.kept = nil
}

// passed returns what the next pass reads.
func (in *input) passed() feed.Reader {
	if in.kept != nil {
		return in.kept
	}
	return in.reader
}
