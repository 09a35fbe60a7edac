package codec

import "math/bits"

func trailing(w uint64) int { return bits.TrailingZeros64(w) }

// Words returns how many words a bitmap of n bits has.
func Words(n int) int { return (n + 63) / 64 }

// OnesCount returns how many bits are set.
func OnesCount(b []uint64) int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// AppendBits appends the numbers of the bits that are set.
func AppendBits(dst []uint16, b []uint64) []uint16 {
	for i, w := range b {
		for ; w != 0; w &= w - 1 {
			dst = append(dst, uint16(i<<6|bits.TrailingZeros64(w)))
		}
	}
	return dst
}
