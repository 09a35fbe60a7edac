package feedcache

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/zeebo/xxh3"
)

// Run is what a run of records came to, in their order. The zero Run is empty.
type Run struct {
	entries []byte
	starts  []uint32 // of the first entry of each block
	count   int
}

// Keep appends an entry that a Finder found.
func (r *Run) Keep(entry []byte) {
	r.begin()
	r.entries = append(r.entries, entry...)
}

// Add appends what a record of that sum came to.
func (r *Run) Add(sum uint64, parts []Part) {
	r.begin()
	r.entries = appendEntry(r.entries, sum, parts)
}

func (r *Run) begin() {
	if r.count%blockEntries == 0 {
		r.starts = append(r.starts, uint32(len(r.entries)))
	}
	r.count++
}

// Writer writes a cache beside the one that is there, which it replaces when
// it is committed. It is not safe for concurrent use.
type Writer struct {
	path  string
	seed  uint64
	f     *os.File
	w     *bufio.Writer
	head  []byte
	index []byte
	at    int64
	count int64
	err   error // the first; nothing is written after it
}

// staleAfter is when a file that no writer finished is taken for a leftover.
const staleAfter = 24 * time.Hour

// Create begins a cache in a folder, which it makes if need be. Sums of
// records must be made with its seed: that of old, if it is not nil.
func Create(dir, name string, fp Fingerprint, old *Cache) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	removeStale(dir, name)
	w := &Writer{path: filepath.Join(dir, name)}
	if old != nil {
		w.seed = old.seed
	} else {
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			return nil, err
		}
		w.seed = binary.LittleEndian.Uint64(b[:])
	}
	f, err := os.CreateTemp(dir, name+".new-*")
	if err != nil {
		return nil, err
	}
	w.f, w.w = f, bufio.NewWriterSize(f, 256<<10)
	w.head = append(binary.LittleEndian.AppendUint64([]byte(magic), w.seed), fp[:]...)
	w.write(w.head)
	return w, nil
}

func removeStale(dir, name string) {
	left, _ := filepath.Glob(filepath.Join(dir, name+".new-*"))
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > staleAfter {
			_ = os.Remove(path)
		}
	}
}

// Sum returns the sum of a record. It is safe for concurrent use.
func (w *Writer) Sum(record []byte) uint64 { return xxh3.HashSeed(record, w.seed) }

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.w.Write(b)
	w.at += int64(n)
	w.err = err
}

// Append adds a run of records. An error is kept for Commit.
func (w *Writer) Append(r *Run) {
	for i, start := range r.starts {
		end, count := len(r.entries), r.count-i*blockEntries
		if i+1 < len(r.starts) {
			end, count = int(r.starts[i+1]), blockEntries
		}
		block := r.entries[start:end]
		w.index = binary.LittleEndian.AppendUint64(w.index, uint64(w.at))
		w.index = binary.LittleEndian.AppendUint32(w.index, uint32(len(block)))
		w.index = binary.LittleEndian.AppendUint32(w.index, uint32(count))
		w.index = binary.LittleEndian.AppendUint64(w.index, xxh3.HashSeed(block, w.seed))
		w.index = append(w.index, block[:8]...)
		w.write(block)
	}
	w.count += int64(r.count)
}

// Len returns how many records were added.
func (w *Writer) Len() int64 { return w.count }

// Commit ends the file and puts it in the place of the one before. It need not
// reach the disk: what a crash leaves half is noticed by its checksums.
func (w *Writer) Commit() error {
	tail := binary.LittleEndian.AppendUint64(nil, uint64(w.at))
	tail = binary.LittleEndian.AppendUint64(tail, uint64(len(w.index)/indexBytes))
	tail = binary.LittleEndian.AppendUint64(tail, indexSum(w.head, w.index, tail))
	w.write(w.index)
	w.write(tail)
	if w.err == nil {
		w.err = w.w.Flush()
	}
	err := errors.Join(w.err, w.f.Close())
	if err == nil {
		err = os.Rename(w.f.Name(), w.path)
	}
	if err != nil {
		_ = os.Remove(w.f.Name())
	}
	w.f = nil
	return err
}

// Discard ends without a cache, unless it was committed.
func (w *Writer) Discard() {
	if w.f != nil {
		_ = w.f.Close()
		_ = os.Remove(w.f.Name())
		w.f = nil
	}
}

func indexSum(head, index, tail []byte) uint64 {
	h := xxh3.New()
	_, _ = h.Write(head)
	_, _ = h.Write(index)
	_, _ = h.Write(tail)
	return h.Sum64()
}
