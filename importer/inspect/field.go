package inspect

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"catalog/catalog"
	"catalog/importer/internal/mapping"
)

// jsonType is a type of JSON values, numbers told apart by whether they are whole.
type jsonType uint8

const (
	typeString jsonType = iota
	typeInteger
	typeNumber
	typeBoolean
	typeObject
	typeArray
	typeNull
	types
)

func (t jsonType) String() string {
	return [...]string{"string", "integer", "number", "boolean", "object", "array", "null"}[t]
}

// separators are what the levels or items of a text may be separated by.
const separators = ">|/,"

// Limits of what is remembered.
const (
	maxFields   = 20_000
	maxExamples = 3
	maxExample  = 60 // bytes of an example
)

// field gathers what there is to say about one path.
type field struct {
	name     string
	path     string
	depth    int // names and elements on the way
	many     bool
	nameless bool // a name on the way is empty, so that no mapping can name it
	children map[string]*field
	order    []*field
	elem     *field

	records  int64 // in which it is, null or not
	filled   int64 // in which it has a value: neither null nor empty
	last     int64 // the record in which it was seen last, from 1
	lastFull int64
	types    [types]int64
	values   distinct
	examples []string
	min, max string // numbers as written
	lo, hi   float64
	longest  int
	spaces   int64    // texts with a space
	with     [4]int64 // texts with each of the separators
	letters  int64    // texts with a letter
	comma    int64    // texts that end in a comma and one or two digits, but for a currency
}

// collector looks at records.
type collector struct {
	root    field
	records int64
	fields  int
	spare   int  // values that may still be kept to be counted exactly
	dropped bool // there were more paths than are remembered
	sample  sample
}

func newCollector() *collector { return &collector{spare: maxKept} }

// add looks at one record, which must be a valid JSON object.
func (c *collector) add(doc []byte) {
	c.records++
	c.sample.add(doc)
	c.value(&c.root, doc)
}

func (c *collector) child(f *field, name []byte) *field {
	if k := f.children[string(name)]; k != nil {
		return k
	}
	if c.fields >= maxFields {
		c.dropped = true
		return nil
	}
	c.fields++
	k := &field{name: string(name), path: mapping.QuotePath(f.path, string(name)), depth: f.depth + 1, many: f.many, nameless: f.nameless}
	if k.name == "" {
		k.path, k.nameless = f.path+`""`, true
	}
	if f.children == nil {
		f.children = map[string]*field{}
	}
	f.children[k.name] = k
	f.order = append(f.order, k)
	return k
}

func (c *collector) value(f *field, raw []byte) {
	if f.last != c.records {
		f.last = c.records
		f.records++
	}
	t := typeOf(raw)
	f.types[t]++
	if t == typeNull || len(raw) == 2 && (raw[0] == '"' || raw[0] == '{' || raw[0] == '[') {
		return
	}
	if f.lastFull != c.records {
		f.lastFull = c.records
		f.filled++
	}
	if f.depth >= catalog.MaxDepth {
		return // no record of ours; and each level is read once more
	}
	switch t {
	case typeObject:
		for name, v := range mapping.Members(raw) {
			if k := c.child(f, name); k != nil {
				c.value(k, v)
			}
		}
	case typeArray:
		for e := range mapping.Elements(raw) {
			if f.elem == nil {
				if c.fields >= maxFields {
					c.dropped = true
					return
				}
				c.fields++
				f.elem = &field{path: f.path + "[]", depth: f.depth + 1, many: true, nameless: f.nameless}
			}
			c.value(f.elem, e)
		}
	default:
		c.scalar(f, t, raw)
	}
}

func typeOf(raw []byte) jsonType {
	switch raw[0] {
	case '"':
		return typeString
	case '{':
		return typeObject
	case '[':
		return typeArray
	case 't', 'f':
		return typeBoolean
	case 'n':
		return typeNull
	}
	if bytes.ContainsAny(raw, ".eE") {
		return typeNumber
	}
	return typeInteger
}

// scalar looks at a text, number or boolean.
func (c *collector) scalar(f *field, t jsonType, raw []byte) {
	f.values.add(hash(raw), &c.spare)
	f.longest = max(f.longest, len(raw))
	if len(f.examples) < maxExamples {
		if e := example(raw); !slices.Contains(f.examples, e) {
			f.examples = append(f.examples, e)
		}
	}
	switch t {
	case typeString:
		f.text(raw)
	case typeInteger, typeNumber:
		f.number(raw)
	}
}

// text notes what a text is like. Long ones are prose, whatever is in them.
func (f *field) text(raw []byte) {
	if len(raw) > 512 {
		f.spaces++
		return
	}
	if bytes.IndexByte(raw, ' ') >= 0 {
		f.spaces++
	}
	for i := range len(separators) {
		if bytes.IndexByte(raw, separators[i]) >= 0 {
			f.with[i]++
		}
	}
	if decimalComma(raw) {
		f.comma++
	}
	if bytes.ContainsFunc(raw, func(r rune) bool {
		return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '€' || r == '$' || r == '£'
	}) {
		f.letters++
	}
}

// decimalComma reports whether a text looks like 19,90 or "1.299,50 EUR".
func decimalComma(raw []byte) bool {
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	t := bytes.TrimRightFunc(raw, func(r rune) bool { return !digit(r) })
	whole := bytes.TrimRightFunc(t, digit)
	n := len(t) - len(whole)
	return n >= 1 && n <= 2 && len(whole) > 1 && whole[len(whole)-1] == ',' && digit(rune(whole[len(whole)-2]))
}

// number notes a number's place in the range.
func (f *field) number(raw []byte) {
	if len(raw) > maxExample {
		return
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // a number of JSON is one of Go's
		return
	}
	if f.min == "" || n < f.lo {
		f.min, f.lo = string(raw), n
	}
	if f.max == "" || n > f.hi {
		f.max, f.hi = string(raw), n
	}
}

// example shortens a value to show it.
func example(raw []byte) string {
	s := string(raw)
	if raw[0] == '"' {
		s = mapping.Text(raw)
	}
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= maxExample {
		return s
	}
	s = s[:maxExample]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// all yields the fields in the order in which they were met, parents first.
func (f *field) all(yield func(*field) bool) bool {
	for _, k := range f.order {
		if !yield(k) || !k.all(yield) {
			return false
		}
	}
	if f.elem != nil {
		return yield(f.elem) && f.elem.all(yield)
	}
	return true
}

// is reports whether all values that are no null are of the given types.
func (f *field) is(ts ...jsonType) bool {
	var n, all int64
	for t, c := range f.types {
		if jsonType(t) == typeNull {
			continue
		}
		all += c
		if slices.Contains(ts, jsonType(t)) {
			n += c
		}
	}
	return n > 0 && n == all
}

// sample keeps records spread evenly over those seen, in bounded memory.
type sample struct {
	docs   [][]byte
	bytes  int
	stride int64
	n      int64
}

const (
	maxSample      = 512
	maxSampleBytes = 16 << 20
)

func (s *sample) add(doc []byte) {
	if s.stride == 0 {
		s.stride = 1
	}
	s.n++
	if (s.n-1)%s.stride != 0 || len(doc) > maxSampleBytes/8 {
		return
	}
	s.docs = append(s.docs, bytes.Clone(doc))
	s.bytes += len(doc)
	for len(s.docs) > maxSample || s.bytes > maxSampleBytes {
		s.stride *= 2
		kept := s.docs[:0]
		s.bytes = 0
		for i, d := range s.docs {
			if i%2 == 0 {
				kept = append(kept, d)
				s.bytes += len(d)
			}
		}
		clear(s.docs[len(kept):])
		s.docs = kept
	}
}
