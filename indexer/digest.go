package indexer

import (
	"hash/maphash"
	"math"
	"math/bits"
)

// Part is what a digest tells apart, to say what is wrong with a document.
type Part uint8

// The parts of a digest.
const (
	PartShown      Part = iota // stores, search, browse
	PartWords                  // terms, stems, classes
	PartSort                   // name, collation key, words of the name, created
	PartCategories             // memberships and positions
	PartAttrs                  // values of the product
	PartUnits                  // units, their stores and values
	PartPrice
	PartStock
	NumParts
)

// String names the part for people.
func (p Part) String() string {
	return [NumParts]string{"visibility", "words", "sort keys", "categories", "attributes", "variants", "prices", "stock"}[p]
}

// Digest sums up a document such that an index can compute it from postings
// and columns, whatever order they are in: each part is a sum of hashes. It is
// valid within one process only.
type Digest struct {
	SKU, View string
	Parts     [NumParts]uint64
}

// Digester makes digests that can be compared with each other. It is safe for
// concurrent use.
type Digester struct{ seed maphash.Seed }

// NewDigester returns a Digester; verify hands one to the index.
func NewDigester() *Digester { return &Digester{maphash.MakeSeed()} }

// Strings hashes strings in their order, and a number.
func (h *Digester) Strings(n uint64, s ...string) uint64 {
	sum := mix(mix(0, uint64(len(s))), n)
	for _, t := range s {
		sum = mix(sum, maphash.String(h.seed, t))
	}
	return sum
}

// mix spreads a number over all bits and makes it depend on one before.
func mix(h, n uint64) uint64 {
	hi, lo := bits.Mul64(h^n^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return hi ^ lo
}

// Word is what a word adds to PartWords.
func (h *Digester) Word(w Word) uint64 { return h.Strings(uint64(w.Class), w.Term, w.Stem) }

// Value is what a value of an attribute adds to PartAttrs (unit "") or
// PartUnits.
func (h *Digester) Value(unit, name string, v Value) uint64 {
	return h.Strings(uint64(v.Type), unit, name, v.Text) ^ math.Float64bits(v.Num)
}

// Membership is what one adds to PartCategories.
func (h *Digester) Membership(m Membership) uint64 {
	n := uint64(uint32(m.Position)) << 1
	if m.Direct {
		n |= 1
	}
	return h.Strings(n, m.ID)
}

// Shown is PartShown as a whole.
func (h *Digester) Shown(stores []string, search, browse bool) uint64 {
	n := uint64(0)
	if search {
		n |= 1
	}
	if browse {
		n |= 2
	}
	return h.Strings(n, stores...)
}

// Sort is PartSort as a whole.
func (h *Digester) Sort(name string, key []byte, words int, created int64) uint64 {
	return h.Strings(uint64(created)*31+uint64(words), name, string(key))
}

// Unit is what a unit adds to PartUnits beside its values.
func (h *Digester) Unit(sku string, stores []string) uint64 {
	n := uint64(0)
	if stores != nil {
		n = 1
	}
	return h.Strings(n, append([]string{sku}, stores...)...)
}

// Price is what a price of a unit adds to PartPrice; Next is added with the
// zero Price and its seconds as amount, unless it is zero.
func (h *Digester) Price(unit string, p Price) uint64 {
	return h.Strings(uint64(p.Amount)*31+uint64(p.Regular), unit, p.Scope.Currency, p.Scope.Website, p.Scope.Group, p.Scope.List)
}

// Stock is what a unit adds to PartStock.
func (h *Digester) Stock(unit string, in bool) uint64 {
	n := uint64(0)
	if in {
		n = 1
	}
	return h.Strings(n, unit)
}

// Of returns the digest of a document.
func (h *Digester) Of(d *Document) Digest {
	g := Digest{SKU: d.SKU, View: d.View}
	g.Parts[PartShown] = h.Shown(d.Stores, d.Search, d.Browse)
	g.Parts[PartSort] = h.Sort(d.Name, d.NameKey, d.NameWords, d.Created)
	for _, w := range d.Words {
		g.Parts[PartWords] += h.Word(w)
	}
	for _, m := range d.Categories {
		g.Parts[PartCategories] += h.Membership(m)
	}
	for _, a := range d.Attrs {
		for _, v := range a.Values {
			g.Parts[PartAttrs] += h.Value("", a.Name, v)
		}
	}
	for i := range d.Units {
		u := &d.Units[i]
		g.Parts[PartUnits] += h.Unit(u.SKU, u.Stores)
		for _, a := range u.Attrs {
			for _, v := range a.Values {
				g.Parts[PartUnits] += h.Value(u.SKU, a.Name, v)
			}
		}
		for _, p := range u.Live.Prices {
			g.Parts[PartPrice] += h.Price(u.SKU, p)
		}
		if !u.Live.Next.IsZero() {
			g.Parts[PartPrice] += h.Price(u.SKU, Price{Amount: Amount(u.Live.Next.Unix())})
		}
		g.Parts[PartStock] += h.Stock(u.SKU, u.Live.InStock)
	}
	return g
}
