package gateway

import (
	"errors"
	"slices"

	"catalog/placeholder"
)

// maxSKUs is how many different SKUs a request may add; one with more passes
// untouched.
const maxSKUs = placeholder.MaxBatch

var errTooMany = errors.New("gateway: the request adds too many products")

// parsed is a request that was read: what it needs to be in the shop, and how
// it goes on then.
type parsed struct {
	skus   []string // without duplicates, in the order of the request
	orders []string // numbers or ids of orders that are ordered again
	excess bool     // it needs more than we look at
	// rewrite tells how the request goes on, given the answers to skus.
	rewrite func(answers) rewritten
}

// add notes that the request needs a SKU; false is one too many. What cannot
// be a SKU is left out.
func (p *parsed) add(sku string) bool {
	switch {
	case sku == "" || len(sku) > 255 || slices.Contains(p.skus, sku):
	case len(p.skus) == maxSKUs:
		p.excess = true
	default:
		p.skus = append(p.skus, sku)
	}
	return !p.excess
}

// nothing reports whether the request needs no product.
func (p *parsed) nothing() bool { return len(p.skus) == 0 && len(p.orders) == 0 }

// rewritten is how a request goes on. The zero value leaves it as it came.
type rewritten struct {
	body    []byte  // nil: as it came
	query   *string // the raw query; nil: as it came
	path    string  // the escaped path; "": as it came
	refusal *refusal
}

// refusal is an answer given in the shop's place.
type refusal struct {
	sku string
	// batch is how many operations a GraphQL request had; 0 is one that was
	// not an array.
	batch int
}

// sentence tells people what to do instead.
func (r *refusal) sentence() string {
	return `The product "` + r.sku + `" has variants: add the variant that was chosen by its own SKU.`
}

// answers are ensure's results by the SKU asked for.
type answers map[string]placeholder.Result

// spelling returns how the shop spells a SKU; sku itself where that is not
// known.
func (a answers) spelling(sku string) string {
	if r, ok := a[sku]; ok && r.Status.InShop() && r.Spelling != "" {
		return r.Spelling
	}
	return sku
}

// ours reports whether a SKU is a placeholder now.
func (a answers) ours(sku string) bool {
	r, ok := a[sku]
	return ok && r.Status.InShop() && r.Status != placeholder.Foreign
}

// id returns the entity id of a SKU, 0 if the shop has none.
func (a answers) id(sku string) int64 {
	if r, ok := a[sku]; ok && r.Status.InShop() {
		return r.EntityID
	}
	return 0
}

// refusal returns the answer to a request that adds one of skus that is a
// configurable of ours, nil if none is.
func (a answers) refusal(skus []string) *refusal {
	for _, sku := range skus {
		if r, ok := a[sku]; ok && r.Status == placeholder.Refused && r.Reason == placeholder.ReasonParent {
			return &refusal{sku: sku}
		}
	}
	return nil
}
