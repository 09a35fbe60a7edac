package inspect

import (
	"math"
	"math/bits"
)

// Limits of what is counted exactly: values of any field, and of a field in
// which no value has come twice, since that may be the key.
const (
	maxExact  = 4096
	maxUnique = 1 << 19
	maxKept   = 1 << 22 // of all fields together, about 100 MB
)

// distinct counts different values in bounded memory: exactly while they are
// few, or while none has come twice, and by a HyperLogLog sketch from then on.
type distinct struct {
	exact map[uint64]struct{} // nil once there are too many
	regs  []uint8
	seen  int64 // values, the same ones too
}

const (
	sketchBits = 11 // 2,048 registers: a standard error of 2.3 %
	registers  = 1 << sketchBits
)

// add counts a value. spare is how many values may still be kept by all fields
// together.
func (d *distinct) add(h uint64, spare *int) {
	d.seen++
	if d.regs != nil {
		d.sketch(h)
		return
	}
	if d.exact == nil {
		d.exact = map[uint64]struct{}{}
	}
	before := len(d.exact)
	d.exact[h] = struct{}{}
	n := len(d.exact)
	*spare -= n - before
	if *spare >= 0 && (n <= maxExact || int64(n) == d.seen && n <= maxUnique) {
		return
	}
	*spare += n
	d.regs = make([]uint8, registers)
	for h := range d.exact {
		d.sketch(h)
	}
	d.exact = nil
}

func (d *distinct) sketch(h uint64) {
	i := h >> (64 - sketchBits)
	if rank := uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1)) + 1); rank > d.regs[i] {
		d.regs[i] = rank
	}
}

// count returns the number of different values, and whether it is exact.
func (d *distinct) count() (int64, bool) {
	if d.regs == nil {
		return int64(len(d.exact)), true
	}
	sum, zeros := 0.0, 0
	for _, r := range d.regs {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	e := 0.7213 / (1 + 1.079/registers) * registers * registers / sum
	if zeros > 0 && e <= 2.5*registers {
		e = registers * math.Log(registers/float64(zeros))
	}
	return min(int64(e+0.5), d.seen), false
}

// unique reports that no value has come twice, as far as could be followed.
func (d *distinct) unique() bool {
	return d.seen > 0 && d.regs == nil && int64(len(d.exact)) == d.seen
}

// hash is FNV-1a with a final mix, so that all its bits are good.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
