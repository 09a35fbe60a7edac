package segment

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"sync/atomic"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// Field is an attribute, or what is kept like one.
type Field struct {
	Texts   codec.Dict
	types   codec.Ints
	textOf  codec.Packed
	plain   bool         // a value's number is that of its text
	nums    []byte       // as they are
	whole   codec.Packed // or as integers
	setEnds codec.Packed
	setVals codec.Ints
	Any     codec.Column // documents: what any unit has
	Own     codec.Column // complex documents: what the product has
	Unit    codec.Column // rows: what the unit has of its own
	Having  Lists        // documents by text, for values of type Text

	places atomic.Pointer[places]
}

// places are where the texts of a field are among those of another one.
type places struct {
	of *Field // to be compared only: its segment may be gone
	at []uint32
}

// Nowhere is the place of a text that another field does not have.
const Nowhere = ^uint32(0)

// TextsIn returns the place of each text in the texts of another segment's
// field, Nowhere if it is not among them: with that, what was counted in both is
// added up without making texts of numbers. That of the last other field is
// remembered. Places rise as numbers do.
func (f *Field) TextsIn(other *Field) []uint32 {
	if p := f.places.Load(); p != nil && p.of == other {
		return p.at
	}
	at := make([]uint32, f.Texts.Len())
	if len(at) > other.Texts.Len()/16 {
		there := other.Texts.Iter(0)
		for it := f.Texts.Iter(0); it.Valid(); it.Next() {
			c := -1
			for ; there.Valid(); there.Next() {
				if c = bytes.Compare(there.Key(), it.Key()); c >= 0 {
					break
				}
			}
			at[it.Index()] = Nowhere
			if c == 0 && there.Valid() {
				at[it.Index()] = uint32(there.Index()) //nolint:gosec // texts are numbered by uint32
			}
		}
	} else {
		for it := f.Texts.Iter(0); it.Valid(); it.Next() {
			at[it.Index()] = Nowhere
			if i, ok := other.Texts.Find(it.Key()); ok {
				at[it.Index()] = uint32(i) //nolint:gosec // as above
			}
		}
	}
	f.places.Store(&places{of: other, at: at})
	return at
}

func readField(r *codec.Reader, docs, rows int) (*Field, error) {
	f := &Field{}
	var err error
	if f.Texts, err = codec.ReadDict(r); err != nil {
		return nil, err
	}
	flag := r.Bytes(1)
	if r.Err() != nil {
		return nil, r.Err()
	}
	if err := ints(r, &f.types, -1); err != nil {
		return nil, err
	}
	n := f.types.Len()
	if f.plain = flag[0]&1 == 0; f.plain {
		if n != f.Texts.Len() {
			return nil, errSize
		}
	} else if err := ints(r, &f.textOf, n); err != nil {
		return nil, err
	}
	if flag[0]&2 != 0 {
		f.nums = r.Bytes(uint64(n) * 8)
	}
	if flag[0]&4 != 0 {
		if err := ints(r, &f.whole, n); err != nil {
			return nil, err
		}
	}
	if err := ints(r, &f.setEnds, -1, &f.setVals, -1); err != nil {
		return nil, err
	}
	if err := ends(&f.setEnds, f.setVals.Len()); err != nil {
		return nil, err
	}
	if err := within(&f.types, 3, &f.textOf, f.Texts.Len(), &f.setVals, n); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		col *codec.Column
		n   int
	}{{&f.Any, docs}, {&f.Own, docs}, {&f.Unit, rows}} {
		if *c.col, err = codec.ReadColumn(r, c.n); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Values returns how many values there are.
func (f *Field) Values() int { return f.types.Len() }

// Codes returns the number above all codes.
func (f *Field) Codes() int { return f.types.Len() + 1 + f.setEnds.Len() }

// Text returns the number of a value's text.
func (f *Field) Text(v uint32) uint32 {
	if f.plain {
		return v
	}
	return uint32(f.textOf.At(int(v)))
}

// Plain reports whether no text has more than one value.
func (f *Field) Plain() bool { return f.plain }

// Type returns a value's type.
func (f *Field) Type(v uint32) indexer.ValueType { return indexer.ValueType(f.types.At(int(v))) }

// Num returns a value's number.
func (f *Field) Num(v uint32) float64 {
	if f.nums == nil {
		if f.whole.Len() > 0 {
			return float64(f.whole.At(int(v)))
		}
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(f.nums[8*v:]))
}

// Numbers reports whether any value may be a number.
func (f *Field) Numbers() bool { return f.nums != nil || f.whole.Len() > 0 }

func (f *Field) bits(v uint32) uint64 { return math.Float64bits(f.Num(v)) }

// Single reports whether a code is that of one value, which is code-1.
func (f *Field) Single(code uint32) bool { return int(code) <= f.types.Len() }

// Members returns the i-th value, and how many there are, of the set with a code.
func (f *Field) Members(code uint32) (from, to int) {
	k := int(code) - f.types.Len() - 1
	if k > 0 {
		from = int(f.setEnds.At(k - 1))
	}
	return from, int(f.setEnds.At(k))
}

// Member returns the value at a place that Members told of.
func (f *Field) Member(i int) uint32 { return uint32(f.setVals.At(i)) }

// Append appends the values of a code.
func (f *Field) Append(dst []uint32, code uint32) []uint32 {
	if code == 0 {
		return dst
	}
	if f.Single(code) {
		return append(dst, code-1)
	}
	for i, to := f.Members(code); i < to; i++ {
		dst = append(dst, f.Member(i))
	}
	return dst
}

// SetMembers returns how many values all sets have together.
func (f *Field) SetMembers() int { return f.setVals.Len() }

// SetsWith appends the codes of sets that have any of some values, and returns
// all codes in order.
func (f *Field) SetsWith(codes []uint32, values map[uint32]bool) []uint32 {
	set, end := 0, int64(0)
	if f.setEnds.Len() > 0 {
		end = f.setEnds.At(0)
	}
	for i := range f.setVals.Len() {
		for int64(i) >= end {
			set++
			end = f.setEnds.At(set)
		}
		if v := uint32(f.setVals.At(i)); len(values) == 1 && v+1 == codes[0] || len(values) > 1 && values[v] {
			codes = append(codes, uint32(f.types.Len()+1+set))
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}
