// Package feedcache keeps what the records of a feed came to when they were
// last read, so that the next night only hashes what is byte for byte the same
// instead of parsing it again.
//
// It is a memo of a pure function: from the bytes of a record, and a
// fingerprint of all else that what it comes to depends on, to digests of the
// parts it is made of. Losing a cache costs time, never correctness: a file
// that is missing, cut off, damaged or of other settings counts as empty. A
// record is known by 64 bits of a hash whose seed each file draws by itself,
// and is compared with the few hundred that stood near it last time: two
// different ones are taken for the same with a chance of 10⁻¹⁶ each.
//
// # Format
//
// All numbers are little-endian.
//
//	header   magic "feedmem1", seed (8), fingerprint (32)
//	block …  of up to 256 entries, in the order of the feed
//	index    of each block: offset (8), bytes (4), entries (4), checksum (8),
//	         the first entry's sum (8)
//	footer   offset of the index (8), blocks (8), xxh3 of header, index and
//	         these two (8)
//
// An entry is the record's sum (8) and its parts: how many (uvarint), then of
// each its flags (1), value (7), and key (uvarint length, bytes). The checksum
// of a block is its xxh3 with the file's seed.
package feedcache

import "encoding/binary"

const (
	magic        = "feedmem1"
	headerBytes  = len(magic) + 8 + 32
	indexBytes   = 32
	footerBytes  = 24
	blockEntries = 256
)

// Fingerprint is of all that decides what a record comes to, but its bytes.
type Fingerprint [32]byte

// Part is one of the things that a record is made of: itself, or a variant
// embedded in it.
type Part struct {
	Key   []byte // may be empty, of a record that names its key plainly
	Flags uint8
	Value uint64 // of 56 bits
}

// appendEntry appends an entry.
func appendEntry(dst []byte, sum uint64, parts []Part) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, sum)
	dst = binary.AppendUvarint(dst, uint64(len(parts)))
	for _, p := range parts {
		dst = binary.LittleEndian.AppendUint64(dst, p.Value<<8|uint64(p.Flags))
		dst = binary.AppendUvarint(dst, uint64(len(p.Key)))
		dst = append(dst, p.Key...)
	}
	return dst
}

// cutEntry returns how long the entry at the start of b is; 0 if it is none.
func cutEntry(b []byte) int {
	if len(b) < 9 {
		return 0
	}
	at := 8
	count, n := binary.Uvarint(b[at:])
	if n <= 0 {
		return 0
	}
	at += n
	for range count {
		if len(b)-at < 9 {
			return 0
		}
		at += 8
		size, n := binary.Uvarint(b[at:])
		if n <= 0 || size > uint64(len(b)-at-n) {
			return 0
		}
		at += n + int(size)
	}
	return at
}

// Parts appends the parts of an entry that a Finder found. Their keys are
// valid as long as the entry.
func Parts(dst []Part, entry []byte) []Part {
	count, n := binary.Uvarint(entry[8:])
	at := 8 + n
	for range count {
		v := binary.LittleEndian.Uint64(entry[at:])
		size, n := binary.Uvarint(entry[at+8:])
		at += 8 + n
		dst = append(dst, Part{Key: entry[at : at+int(size)], Flags: uint8(v), Value: v >> 8})
		at += int(size)
	}
	return dst
}
