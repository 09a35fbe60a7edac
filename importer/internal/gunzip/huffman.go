package gunzip

import "math/bits"

const (
	maxBits   = 15 // of a code
	maxMatch  = 258
	litSyms   = 288
	distSyms  = 32
	endSymbol = 256

	// The first look is by so many bits; few codes are longer.
	litBits  = 11
	distBits = 8
	// Each table that continues a longer code's first bits has room for the
	// longest code, and stands for two codes at least.
	litTable  = 8192
	distTable = 4096
)

// An entry of a decoding table says in its bits 0–5 how many bits to drop,
// those of extra bits included; in bits 8–11 how many of them the code has;
// then what it is; and in the upper 16 a literal, the least length or distance,
// or where the table starts that the code's further bits lead into. Entry 0 is
// of bits that are no code.
const (
	entryDrop   = 63
	entryCode   = 8
	entryLong   = 1 << 12 // goes on in another table
	entryEnd    = 1 << 13 // of the block
	entryMatch  = 1 << 14
	entryLit    = 1 << 15
	entryValue  = 16
	entryCodes  = 15
	entryNoCode = 0
)

// codes are the decoding tables of a block.
type codes struct {
	lit   [litTable]uint32
	dist  [distTable]uint32
	fixed bool // they are those of the format itself

	lengths [litSyms + distSyms]uint8
}

var (
	lengthBase  = [...]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra = [...]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase    = [...]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distExtra   = [...]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
	// lengthOrder is the order in which a block gives the lengths of the codes
	// for its codes' lengths.
	lengthOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// litEntry is the entry of a literal, length or end, without its code's bits;
// entryNoCode of symbols that have no meaning.
func litEntry(sym int) (entry uint32, extra uint8) {
	switch i := sym - endSymbol - 1; {
	case sym < endSymbol:
		return entryLit | uint32(sym)<<entryValue, 0
	case sym == endSymbol:
		return entryEnd, 0
	case i < len(lengthBase):
		return entryMatch | uint32(lengthBase[i])<<entryValue, lengthExtra[i]
	}
	return entryNoCode, 0
}

// distEntry is the entry of a distance, as litEntry.
func distEntry(sym int) (entry uint32, extra uint8) {
	if sym < len(distBase) {
		return entryMatch | uint32(distBase[sym])<<entryValue, distExtra[sym]
	}
	return entryNoCode, 0
}

// plainEntry is the entry of a symbol that means itself.
func plainEntry(sym int) (entry uint32, extra uint8) {
	return entryLit | uint32(sym)<<entryValue, 0
}

// build makes a decoding table of the lengths of the symbols' codes, 0 for
// those that have none. It reports false if they are no code. As everywhere, a
// code of one bit that leaves the other out will do, and so does none at all,
// as long as it is not used.
func build(table []uint32, first uint, lengths []uint8, entryOf func(sym int) (uint32, uint8)) bool {
	var count [maxBits + 1]int
	longest := uint(0)
	for _, n := range lengths {
		count[n]++
		longest = max(longest, uint(n))
	}
	clear(table[:1<<first])
	if longest == 0 {
		return true
	}
	var next [maxBits + 1]uint32
	code := uint32(0)
	for n := uint(1); n <= longest; n++ {
		code <<= 1
		next[n] = code
		code += uint32(count[n])
	}
	if code != 1<<longest && (code != 1 || longest != 1) {
		return false
	}
	end := uint32(1) << first // of the tables
	for sym, n := range lengths {
		if n == 0 {
			continue
		}
		// Codes come with their first bit lowest.
		rev := uint32(bits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		entry, extra := entryOf(sym)
		if entry != entryNoCode {
			entry |= uint32(n+extra) | uint32(n)<<entryCode
		}
		if uint(n) <= first {
			for i := rev; i < 1<<first; i += 1 << n {
				table[i] = entry
			}
			continue
		}
		more := longest - first
		link := &table[rev&(1<<first-1)]
		if *link == entryNoCode {
			*link = entryLong | uint32(more) | end<<entryValue
			end += 1 << more
		}
		at := *link >> entryValue
		for i := rev >> first; i < 1<<more; i += 1 << (uint(n) - first) {
			table[at+i] = entry
		}
	}
	return true
}

// useFixed makes the tables those of the format itself.
func (c *codes) useFixed() {
	if c.fixed {
		return
	}
	var l [litSyms + distSyms]uint8
	for i := range l {
		switch {
		case i < 144:
			l[i] = 8
		case i < 256:
			l[i] = 9
		case i < 280:
			l[i] = 7
		case i < litSyms:
			l[i] = 8
		default:
			l[i] = 5
		}
	}
	build(c.lit[:], litBits, l[:litSyms], litEntry)
	build(c.dist[:], distBits, l[litSyms:], distEntry)
	c.fixed = true
}
