package inspect

import (
	"bytes"
	"slices"
	"strings"

	"catalog/catalog"
	"catalog/importer/internal/mapping"
)

// Candidate is a field that may be the key of a feed.
type Candidate struct {
	Path     string   `json:"path"`
	Coverage float64  `json:"coverage"` // share of the records that have it
	Unique   bool     `json:"unique"`   // no value came twice
	Examples []string `json:"examples,omitempty"`

	named bool // as a key is
	score int
}

// maxCandidates is how many candidates are named.
const maxCandidates = 5

// Candidates returns the fields of a sample of records, JSON objects, that
// look like their key, the likeliest first and at most five: in (nearly) all
// records, (nearly) unique, and a short text or whole number. What is no JSON
// object in the sample is passed over.
func Candidates(sample [][]byte) []Candidate {
	c := newCollector()
	for _, doc := range sample {
		if doc = bytes.TrimSpace(doc); len(doc) > 1 && doc[0] == '{' && mapping.Valid(doc) {
			c.add(doc)
		}
	}
	return c.candidates()
}

func (c *collector) candidates() []Candidate {
	if c.records == 0 {
		return nil
	}
	var all []Candidate
	c.root.all(func(f *field) bool {
		if k, ok := f.candidate(c.records); ok {
			all = append(all, k)
		}
		return true
	})
	slices.SortStableFunc(all, func(a, b Candidate) int { return b.score - a.score })
	return all[:min(len(all), maxCandidates)]
}

// candidate judges one field.
func (f *field) candidate(records int64) (Candidate, bool) {
	k := Candidate{Path: f.path, Coverage: float64(f.filled) / float64(records), Unique: f.values.unique(), Examples: f.examples}
	n, exact := f.values.count()
	if f.many || f.nameless || f.depth > 3 || !f.is(typeString, typeInteger) || f.longest > catalog.MaxSKU+2 {
		return k, false
	}
	// A feed with a field of that name says itself what its key is; records
	// without one are rejects.
	k.named = bare(f.name) == "sku" || strings.HasSuffix(bare(f.name), "variantsku")
	if k.Coverage < 0.95 && (!k.named || k.Coverage < 0.5) {
		return k, false
	}
	if !k.Unique && (exact && float64(n) < 0.95*float64(f.values.seen) || !exact && float64(n) < 0.9*float64(f.values.seen)) {
		return k, false
	}
	k.score = nameScore(f.name) - 4*(f.depth-1)
	if k.Unique && (f.filled == records || k.named) {
		k.score += 30
	}
	if f.spaces*4 > f.values.seen { // names and descriptions are unique too
		k.score -= 40
	}
	if f.with[2]*2 > f.values.seen { // addresses as well
		k.score -= 30
	}
	if f.longest > 66 {
		k.score -= 10
	}
	return k, k.score > 0
}

// nameScore says how much a name sounds like a key.
func nameScore(name string) int {
	n := bare(name)
	switch n {
	case "sku":
		return 60
	case "id", "productid", "articleid", "itemid", "articlenumber", "itemnumber", "productnumber", "artikelnummer", "partnumber", "productcode", "articleno", "itemno", "variantid":
		return 50
	case "code", "number", "uuid", "guid", "key", "asin", "mpn", "itemcode", "reference", "ref", "handle", "identifier", "stylecode", "uniqueid":
		return 40
	case "gtin", "ean", "upc", "barcode", "ean13", "gtin13", "isbn":
		return 30
	}
	switch {
	case strings.HasSuffix(n, "sku"), strings.HasSuffix(name, "_id"), strings.HasSuffix(name, "Id"), strings.HasSuffix(name, "ID"):
		return 45
	case strings.HasSuffix(n, "id"), strings.HasSuffix(n, "number"), strings.HasSuffix(n, "code"), strings.HasSuffix(n, "key"):
		return 20
	case strings.HasSuffix(n, "name"), strings.HasSuffix(n, "title"), strings.Contains(n, "description"), strings.HasSuffix(n, "url"), strings.HasSuffix(n, "link"),
		strings.HasSuffix(n, "qty"), strings.HasSuffix(n, "quantity"), strings.HasSuffix(n, "price"), strings.HasSuffix(n, "stock"),
		strings.HasSuffix(n, "date"), strings.HasSuffix(n, "type"), strings.HasSuffix(n, "weight"), strings.HasSuffix(n, "position"):
		return -40
	}
	return 0
}

// bare returns a name in lower case without a namespace and without what
// separates its words or surrounds them.
func bare(name string) string {
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("_- .?()", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}
