package feedcache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync/atomic"
)

// Cache is an opened file. It is safe for concurrent use.
type Cache struct {
	f      io.ReaderAt
	close  func() error
	seed   uint64
	blocks []block
	first  map[uint64]int32 // a block by the sum of its first entry
	count  int64
	// drift is by how much the places of records in the cache differ from
	// those in the feed, where it was last read.
	drift atomic.Int64
}

type block struct {
	at    int64
	bytes uint32
	count uint32
	sum   uint64
	from  int64 // the entries before it
}

// errUnsound is of a file that Open does not take for a cache.
var errUnsound = errors.New("feedcache: not a cache of this version")

// Open opens a cache; nil if there is none that is sound and of the
// fingerprint.
func Open(dir, name string, fp Fingerprint) (*Cache, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no cache is not an error
	}
	if err != nil {
		return nil, err
	}
	var c *Cache
	info, err := f.Stat()
	if err == nil {
		c, err = read(f, info.Size(), fp)
	}
	if err != nil {
		_ = f.Close()
		if errors.Is(err, errUnsound) {
			return nil, nil //nolint:nilnil // as good as none
		}
		return nil, fmt.Errorf("feedcache: %w", err)
	}
	c.close = f.Close
	return c, nil
}

func read(f io.ReaderAt, size int64, fp Fingerprint) (*Cache, error) {
	if size < int64(headerBytes+footerBytes) {
		return nil, errUnsound
	}
	head, tail := make([]byte, headerBytes), make([]byte, footerBytes)
	if err := errors.Join(readAt(f, head, 0), readAt(f, tail, size-footerBytes)); err != nil {
		return nil, err
	}
	if string(head[:len(magic)]) != magic || !bytes.Equal(head[len(magic)+8:], fp[:]) {
		return nil, errUnsound
	}
	at := int64(binary.LittleEndian.Uint64(tail))
	count := binary.LittleEndian.Uint64(tail[8:])
	if at < int64(headerBytes) || at > size-footerBytes || count != uint64(size-footerBytes-at)/indexBytes || (size-footerBytes-at)%indexBytes != 0 {
		return nil, errUnsound
	}
	index := make([]byte, size-footerBytes-at)
	if err := readAt(f, index, at); err != nil {
		return nil, err
	}
	if indexSum(head, index, tail[:16]) != binary.LittleEndian.Uint64(tail[16:]) {
		return nil, errUnsound
	}
	c := &Cache{
		f: f, seed: binary.LittleEndian.Uint64(head[len(magic):]),
		blocks: make([]block, count), first: make(map[uint64]int32, count),
	}
	for i := range c.blocks {
		e := index[i*indexBytes:]
		b := block{
			at: int64(binary.LittleEndian.Uint64(e)), bytes: binary.LittleEndian.Uint32(e[8:]),
			count: binary.LittleEndian.Uint32(e[12:]), sum: binary.LittleEndian.Uint64(e[16:]), from: c.count,
		}
		if b.at < int64(headerBytes) || b.at > at || int64(b.bytes) > at-b.at || b.count == 0 || b.count > blockEntries {
			return nil, errUnsound
		}
		c.blocks[i] = b
		c.first[binary.LittleEndian.Uint64(e[24:])] = int32(i)
		c.count += int64(b.count)
	}
	return c, nil
}

// readAt fills b, or says why not.
func readAt(f io.ReaderAt, b []byte, at int64) error {
	n, err := f.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return errUnsound
	}
	return err
}

// Close closes the file.
func (c *Cache) Close() error {
	if c.close == nil {
		return nil
	}
	return c.close()
}

// Len returns how many records the cache has.
func (c *Cache) Len() int64 { return c.count }

// blockOf returns the number of the block that has the entry at a place, or
// the nearest.
func (c *Cache) blockOf(place int64) int {
	i := sort.Search(len(c.blocks), func(i int) bool { return c.blocks[i].from > place }) - 1
	return min(max(i, 0), len(c.blocks)-1)
}
