package storefront

import (
	"bytes"
	"encoding/binary"
	"time"

	"catalog/catalog"
)

// board keeps what was said of products, price and stock as JSON, in one piece
// of memory without pointers: two million of them cost the collector of garbage
// nothing, and 120 bytes each. It is not safe for concurrent use.
//
// Items are behind one another in text, the oldest first:
//
//	key    8 bytes, little endian: of the product and the store
//	view   2 bytes: what was asked
//	length 2 bytes, the highest bit says that there is an end
//	end    8 bytes: until when it is right, nanoseconds since 1970
//	JSON   an object whose first member is the SKU
//
// What is replaced or forgotten stays until room is needed. JSON is never written
// over: who has looked it up may read on without the lock.
type board struct {
	at   map[uint64]uint32 // where the item of a key is
	text []byte
	dead int // bytes of text that no key has
	most int // bytes of text
}

const (
	boardHead = 12
	boardEnd  = 8
	hasEnd    = 1 << 15
	longest   = hasEnd - 1 // bytes of JSON
)

func newBoard(most int) board { return board{at: map[uint64]uint32{}, most: most} }

// item returns the item at a place.
func (b *board) item(at uint32) (key uint64, view uint16, end int64, json []byte, size int) {
	p := b.text[at:]
	key, view = binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint16(p[8:])
	n, size := int(binary.LittleEndian.Uint16(p[10:])), boardHead
	if n&hasEnd != 0 {
		n &^= hasEnd
		end = int64(binary.LittleEndian.Uint64(p[size:])) //nolint:gosec // as it was written
		size += boardEnd
	}
	return key, view, end, p[size : size+n : size+n], size + n
}

// get returns what was said to who asked the same, nil if nothing was, or it is
// not right any more.
func (b *board) get(key uint64, view uint16, sku string, now time.Time) []byte {
	at, ok := b.at[key]
	if !ok {
		return nil
	}
	_, v, end, json, _ := b.item(at)
	if v != view || end != 0 && now.UnixNano() >= end || !isOf(json, sku) {
		return nil
	}
	return json
}

const skuMember = `{"sku":"`

// isOf reports whether an item is of the product: keys are hashes.
func isOf(json []byte, sku string) bool {
	rest, ok := bytes.CutPrefix(json, []byte(skuMember))
	if ok && len(rest) > len(sku) && string(rest[:len(sku)]) == sku && rest[len(sku)] == '"' {
		return true
	}
	return skuOf(json) == sku // it may be written with escapes
}

// skuOf returns the SKU of an item.
func skuOf(json []byte) string { return catalog.Value(catalog.MemberValue(json, "sku")).Text() }

// put keeps what was said of a product; end is zero where it stays right.
func (b *board) put(key uint64, view uint16, end time.Time, json []byte) {
	b.forget(key)
	size := boardHead + len(json)
	if !end.IsZero() {
		size += boardEnd
	}
	if len(json) > longest || size > b.most {
		return
	}
	if len(b.text)+size > b.most {
		b.sweep(size)
	}
	b.at[key] = uint32(len(b.text)) //nolint:gosec // most is far below
	p := binary.LittleEndian.AppendUint64(b.text, key)
	p = binary.LittleEndian.AppendUint16(p, view)
	n := uint16(len(json)) //nolint:gosec // at most longest
	if !end.IsZero() {
		p = binary.LittleEndian.AppendUint16(p, n|hasEnd)
		p = binary.LittleEndian.AppendUint64(p, uint64(end.UnixNano())) //nolint:gosec // read as it is written
	} else {
		p = binary.LittleEndian.AppendUint16(p, n)
	}
	b.text = append(p, json...)
}

// forget forgets a product, and returns what was said of it.
func (b *board) forget(key uint64) []byte {
	at, ok := b.at[key]
	if !ok {
		return nil
	}
	_, _, _, json, size := b.item(at)
	b.dead += size
	delete(b.at, key)
	return json
}

// sweep makes room for an item, and for some more: where less than an eighth is
// dead, the oldest items have to go.
func (b *board) sweep(size int) {
	drop := max(size, b.most/8) - b.dead
	kept := make([]byte, 0, b.most)
	for at := 0; at < len(b.text); {
		key, _, _, _, n := b.item(uint32(at)) //nolint:gosec // most is far below
		if now, ok := b.at[key]; ok && int(now) == at {
			if drop > 0 {
				drop -= n
				delete(b.at, key)
			} else {
				b.at[key] = uint32(len(kept)) //nolint:gosec // as above
				kept = append(kept, b.text[at:at+n]...)
			}
		}
		at += n
	}
	b.text, b.dead = kept, 0
}

// clear forgets everything, and gives its memory back.
func (b *board) clear() {
	clear(b.at)
	b.text, b.dead = nil, 0
}

// full reports whether another item would displace one.
func (b *board) full() bool { return len(b.text)-b.dead > b.most-b.most/8 }
