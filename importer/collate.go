package importer

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"catalog/importer/internal/manifest"
)

// spellings finds SKUs that are different here and the same to the collation
// of a shop's database, which folds case and accents: of abc and ABC only one
// can be in a cart. Only SKUs that differ from their folded form are
// remembered, 16 bytes each; the form is the case that the feed begins with,
// so that they are few.
type spellings struct {
	man   *manifest.Manifest
	upper atomic.Int32 // 0: not known yet, 1: folded to upper case, 2: to lower
	mu    sync.Mutex
	odd   []spelling
}

// spelling is the hash of a folded SKU, and a little of that of the SKU itself.
type spelling struct {
	hi      uint64
	lo, own uint32
}

func compareSpellings(a, b spelling) int {
	return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo), cmp.Compare(a.own, b.own))
}

// form returns whether keys are folded to upper case.
func (s *spellings) form(key []byte) bool {
	if f := s.upper.Load(); f != 0 {
		return f == 1
	}
	f := int32(1)
	for _, c := range key {
		if c >= 'a' && c <= 'z' {
			f = 2
			break
		}
	}
	s.upper.CompareAndSwap(0, f)
	return s.upper.Load() == 1
}

// fold returns the folded form of key, or nil when that is key itself.
func (s *spellings) fold(key []byte) []byte {
	upper := s.form(key)
	same := true
	for _, c := range key {
		if c >= utf8.RuneSelf {
			return foldWide(key, upper)
		}
		if upper && c >= 'a' && c <= 'z' || !upper && c >= 'A' && c <= 'Z' {
			same = false
		}
	}
	if same {
		return nil
	}
	out := slices.Clone(key)
	for i, c := range out {
		if upper && c >= 'a' && c <= 'z' || !upper && c >= 'A' && c <= 'Z' {
			out[i] = c ^ 0x20
		}
	}
	return out
}

// foldWide folds what is not ASCII alone, and takes the accents off.
func foldWide(key []byte, upper bool) []byte {
	text := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(string(key)))
	if upper {
		text = strings.ToUpper(text)
	} else {
		text = strings.ToLower(text)
	}
	if text == string(key) {
		return nil
	}
	return []byte(text)
}

// odds gathers the odd spellings of one goroutine.
type odds struct {
	s    *spellings
	list []spelling
}

func (o *odds) add(key []byte) {
	if folded := o.s.fold(key); folded != nil {
		hi, lo := o.s.man.Of(folded).Parts()
		own, _ := o.s.man.Of(key).Parts()
		o.list = append(o.list, spelling{hi, lo, uint32(own)})
	}
}

func (o *odds) flush() {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	o.s.odd = append(o.s.odd, o.list...)
	o.list = nil
}

// clashes counts the SKUs that another SKU of the feed is the same as, after
// folding. It empties s.
func (s *spellings) clashes() int64 {
	slices.SortFunc(s.odd, compareSpellings)
	s.odd = slices.Compact(s.odd)
	n := int64(0)
	for i := 0; i < len(s.odd); {
		x := s.odd[i]
		same := int64(0)
		for ; i < len(s.odd) && s.odd[i].hi == x.hi && s.odd[i].lo == x.lo; i++ {
			same++
		}
		if s.man.Has(manifest.KeyOf(x.hi, x.lo)) {
			same++ // the folded form is a SKU too
		}
		if same > 1 {
			n += same
		}
	}
	s.odd = nil
	return n
}
