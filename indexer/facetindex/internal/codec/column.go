package codec

import (
	"encoding/binary"
	"sort"
)

const columnEntry = 12 // chunk 2, kind 1, width 1, count 4, offset 4

// Column maps numbers (documents or rows) to codes above 0; most may have
// none. A chunk of which a quarter has a code is an array of codes, a sparser
// one two arrays: of numbers, of codes.
type Column struct {
	n    int // numbers are below
	size int // how many have a code
	dir  []byte
	data []byte
}

// AppendColumn appends an encoding of a column: ids are in order and below n.
func AppendColumn(dst []byte, n int, ids, codes []uint32) []byte {
	var dir, data []byte
	total := len(ids)
	for len(ids) > 0 {
		c, k, top := ids[0]>>ChunkBits, 0, uint32(0)
		for k < len(ids) && ids[k]>>ChunkBits == c {
			top = max(top, codes[k])
			k++
		}
		width := codeWidth(top)
		chunk := min(ChunkSize, n-int(c)<<ChunkBits)
		dense := byte(0)
		off := len(data)
		if k*4 >= chunk {
			dense = 1
			data = append(data, make([]byte, chunk*int(width))...)
			for i := range k {
				at := data[off+int(ids[i]&ChunkMask)*int(width):]
				switch width {
				case 1:
					at[0] = byte(codes[i])
				case 2:
					binary.LittleEndian.PutUint16(at, uint16(codes[i]))
				case 3:
					at[0], at[1], at[2] = byte(codes[i]), byte(codes[i]>>8), byte(codes[i]>>16)
				default:
					binary.LittleEndian.PutUint32(at, codes[i])
				}
			}
		} else {
			for _, id := range ids[:k] {
				data = binary.LittleEndian.AppendUint16(data, uint16(id))
			}
			for _, code := range codes[:k] {
				data = appendCode(data, code, width)
			}
		}
		dir = binary.LittleEndian.AppendUint16(dir, uint16(c))
		dir = append(dir, dense, width)
		dir = binary.LittleEndian.AppendUint32(dir, uint32(k))
		dir = binary.LittleEndian.AppendUint32(dir, uint32(off))
		ids, codes = ids[k:], codes[k:]
	}
	dst = binary.AppendUvarint(dst, uint64(total))
	dst = AppendBlock(dst, dir)
	return AppendBlock(dst, data)
}

// codeWidth returns how many bytes codes up to top need.
func codeWidth(top uint32) uint8 {
	switch {
	case top < 1<<8:
		return 1
	case top < 1<<16:
		return 2
	case top < 1<<24:
		return 3
	}
	return 4
}

func appendCode(dst []byte, code uint32, width uint8) []byte {
	for range width {
		dst = append(dst, byte(code))
		code >>= 8
	}
	return dst
}

// ReadColumn reads what AppendColumn wrote.
func ReadColumn(r *Reader, n int) (Column, error) {
	c := Column{n: n, size: int(min(r.Uvarint(), 1<<32)), dir: r.Block(), data: r.Block()}
	if len(c.dir)%columnEntry != 0 {
		r.fail("column")
	}
	total, last := 0, -1
	for i := 0; i+columnEntry <= len(c.dir) && r.err == nil; i += columnEntry {
		chunk := c.chunkAt(i)
		total += chunk.count
		if chunk.chunk<<ChunkBits >= n || chunk.chunk <= last || chunk.bad {
			r.fail("column")
		}
		last = chunk.chunk
	}
	if total != c.size {
		r.fail("column")
	}
	if r.err != nil {
		return Column{}, r.err
	}
	return c, nil
}

// Check reports whether no code is above top.
func (c *Column) Check(top uint32) bool {
	ok := true
	c.Each(func(_, code uint32) { ok = ok && code <= top })
	return ok
}

// Len returns how many numbers have a code.
func (c *Column) Len() int { return c.size }

// chunkAt decodes an entry of the directory.
func (c *Column) chunkAt(i int) ColumnChunk {
	e := c.dir[i:]
	k := ColumnChunk{chunk: int(binary.LittleEndian.Uint16(e)), width: e[3], count: int(binary.LittleEndian.Uint32(e[4:]))}
	off, w := uint64(binary.LittleEndian.Uint32(e[8:])), uint64(k.width)
	size := min(ChunkSize, c.n-k.chunk<<ChunkBits)
	if w < 1 || w > 4 || k.count > size || size <= 0 {
		return ColumnChunk{chunk: k.chunk, bad: true}
	}
	if e[2] != 0 {
		if off+uint64(size)*w > uint64(len(c.data)) {
			return ColumnChunk{chunk: k.chunk, bad: true}
		}
		k.dense = true
		k.codes = c.data[off : off+uint64(size)*w]
		return k
	}
	n := uint64(k.count)
	if off+n*(2+w) > uint64(len(c.data)) {
		return ColumnChunk{chunk: k.chunk, bad: true}
	}
	k.ids, k.codes = c.data[off:off+2*n], c.data[off+2*n:off+n*(2+w)]
	return k
}

// Chunk returns what the column has in a chunk.
func (c *Column) Chunk(chunk int) ColumnChunk {
	n := len(c.dir) / columnEntry
	i := 0
	if n > 8 {
		i = sort.Search(n, func(i int) bool { return int(binary.LittleEndian.Uint16(c.dir[i*columnEntry:])) >= chunk })
	} else {
		for i < n && int(binary.LittleEndian.Uint16(c.dir[i*columnEntry:])) < chunk {
			i++
		}
	}
	if i == n || int(binary.LittleEndian.Uint16(c.dir[i*columnEntry:])) != chunk {
		return ColumnChunk{chunk: chunk}
	}
	return c.chunkAt(i * columnEntry)
}

// Get returns the code of a number; 0 when it has none.
func (c *Column) Get(id uint32) uint32 {
	if c.size == 0 {
		return 0
	}
	k := c.Chunk(int(id >> ChunkBits))
	return k.Get(id & ChunkMask)
}

// Each calls f for each number that has a code, in order.
func (c *Column) Each(f func(id, code uint32)) {
	for i := 0; i < len(c.dir); i += columnEntry {
		k := c.chunkAt(i)
		base := uint32(k.chunk) << ChunkBits
		k.EachIn(func(id, code uint32) { f(base+id, code) })
	}
}

// ColumnChunk is what a column has in one chunk; numbers are relative to it.
type ColumnChunk struct {
	chunk, count int
	dense, bad   bool
	width        uint8
	ids          []byte // of a sparse chunk
	codes        []byte
}

// Len returns how many numbers of the chunk have a code.
func (k *ColumnChunk) Len() int { return k.count }

func (k *ColumnChunk) code(i int) uint32 {
	switch k.width {
	case 1:
		return uint32(k.codes[i])
	case 2:
		return uint32(binary.LittleEndian.Uint16(k.codes[2*i:]))
	case 3:
		return code3(k.codes, i)
	}
	return binary.LittleEndian.Uint32(k.codes[4*i:])
}

// code3 returns the i-th code of three bytes.
func code3(b []byte, i int) uint32 {
	c := b[3*i : 3*i+3 : 3*i+3]
	return uint32(c[0]) | uint32(c[1])<<8 | uint32(c[2])<<16
}

// Get returns the code of a number; 0 when it has none.
func (k *ColumnChunk) Get(id uint32) uint32 {
	if k.dense {
		if int(id)*int(k.width) >= len(k.codes) {
			return 0
		}
		return k.code(int(id))
	}
	i := k.find(id)
	if 2*i < len(k.ids) && k.id(i) == id {
		return k.code(i)
	}
	return 0
}

func (k *ColumnChunk) id(i int) uint32 { return uint32(binary.LittleEndian.Uint16(k.ids[2*i:])) }

// GetFrom is Get for numbers that rise: at is 0 at first, and then what it was
// left at.
func (k *ColumnChunk) GetFrom(at *int, id uint32) uint32 {
	if k.dense {
		return k.Get(id)
	}
	*at = k.from(*at, id)
	if *at < k.count && k.id(*at) == id {
		return k.code(*at)
	}
	return 0
}

// from is find for a number that is not in front of a place.
func (k *ColumnChunk) from(at int, id uint32) int {
	n := len(k.ids) / 2
	if at >= n || k.id(at) >= id {
		return at
	}
	lo, hi, step := at+1, at+1, 1 // what is before lo is less
	for hi < n && k.id(hi) < id {
		lo = hi + 1
		step *= 2
		hi += step
	}
	hi = min(hi, n)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if k.id(m) < id {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// find returns the first place in a sparse chunk of which the number is not
// less. Numbers are spread more or less evenly, so the search begins where it
// should be.
func (k *ColumnChunk) find(id uint32) int {
	n := len(k.ids) / 2
	lo, hi := 0, n // what is before lo is less, what is at hi or behind is not
	at := int(id) * n >> ChunkBits
	if at >= n {
		return n
	}
	if step := 8; k.id(at) < id {
		lo = at + 1
		for at += step; at < n; at += step {
			if k.id(at) >= id {
				hi = at
				break
			}
			lo = at + 1
			step *= 2
		}
	} else {
		hi = at
		for at -= step; at >= 0; at -= step {
			if k.id(at) < id {
				lo = at + 1
				break
			}
			hi = at
			step *= 2
		}
	}
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if k.id(m) < id {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}
