package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"catalog/indexer"
)

const (
	magic   = "CATLIV"
	version = 1
)

// ErrCorrupt is what Decode wraps when bytes are not live data.
var ErrCorrupt = errors.New("malformed live data")

var table = crc32.MakeTable(crc32.Castagnoli)

// Encode returns the columns as a file has them.
func (c *Columns) Encode() []byte {
	dst := append([]byte(magic), version, 0)
	dst = binary.AppendUvarint(dst, uint64(c.rows))
	for _, b := range c.stock {
		for _, w := range b {
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(c.scopes)))
	dst = c.next.encode(dst)
	for i, s := range c.scopes {
		for _, t := range [...]string{s.Currency, s.Website, s.Group, s.List} {
			dst = binary.AppendUvarint(dst, uint64(len(t)))
			dst = append(dst, t...)
		}
		dst = c.prices[i].encode(dst)
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst, table))
}

func (c column) encode(dst []byte) []byte {
	for _, b := range c {
		if b == nil {
			dst = append(dst, 0xff)
			continue
		}
		kind := b.kind << 1
		if b.special {
			kind |= 1
		}
		dst = append(dst, kind)
		dst = binary.LittleEndian.AppendUint16(dst, b.count)
		dst = binary.AppendVarint(dst, b.min)
		dst = append(dst, b.data...)
	}
	return dst
}

// Decode reads what Encode wrote, in place.
func Decode(b []byte) (*Columns, error) {
	if len(b) < len(magic)+2+4 || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("live: no magic: %w", ErrCorrupt)
	}
	if v := binary.LittleEndian.Uint16(b[len(magic):]); v != version {
		return nil, fmt.Errorf("live: version %d: %w", v, indexer.ErrFormat)
	}
	body := b[:len(b)-4]
	if binary.LittleEndian.Uint32(b[len(b)-4:]) != crc32.Checksum(body, table) {
		return nil, fmt.Errorf("live: checksum: %w", ErrCorrupt)
	}
	r := &reader{b: body[len(magic)+2:]}
	rows := r.uvarint()
	if rows > uint64(len(r.b))*8 {
		return nil, fmt.Errorf("live: %d rows: %w", rows, ErrCorrupt)
	}
	c := &Columns{rows: int(rows)}
	n := blocksOf(c.rows)
	for range n {
		data := r.bytes(blockRows / 8)
		if r.bad {
			break
		}
		s := new(stockBlock)
		for i := range s {
			s[i] = binary.LittleEndian.Uint64(data[8*i:])
		}
		c.stock = append(c.stock, s)
	}
	scopes := r.uvarint()
	c.next = r.column(n)
	for i := uint64(0); i < scopes && !r.bad; i++ {
		c.scopes = append(c.scopes, indexer.Scope{Currency: r.text(), Website: r.text(), Group: r.text(), List: r.text()})
		c.prices = append(c.prices, r.column(n))
	}
	if r.bad || len(r.b) > 0 {
		return nil, fmt.Errorf("live: %w", ErrCorrupt)
	}
	return c, nil
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) text() string { return string(r.bytes(r.uvarint())) }

func (r *reader) column(n int) column {
	c := make(column, 0, n)
	for range n {
		kind := r.bytes(1)
		if r.bad {
			return nil
		}
		if kind[0] == 0xff {
			c = append(c, nil)
			continue
		}
		b := &block{kind: kind[0] >> 1, special: kind[0]&1 != 0}
		count := r.bytes(2)
		if r.bad {
			return nil
		}
		b.count = binary.LittleEndian.Uint16(count)
		v, w := binary.Varint(r.b)
		size := b.size()
		if w <= 0 || size < 0 || b.count == 0 {
			r.bad = true
			return nil
		}
		r.b = r.b[w:]
		b.min = v
		b.data = r.bytes(uint64(size))
		if b.kind == sparse && !r.bad {
			last := -1
			for i := range int(b.count) {
				row := int(binary.LittleEndian.Uint16(b.data[2*i:]))
				if row <= last || row >= blockRows {
					r.bad = true
				}
				last = row
			}
		}
		c = append(c, b)
	}
	return c
}
