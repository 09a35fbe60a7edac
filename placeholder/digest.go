package placeholder

import (
	"crypto/sha256"
	"encoding/binary"
)

// digestVersion begins what is digested: another way to compute placeholders
// changes it, so that all of them are written anew.
const digestVersion = 1

// digest computes Product.Hash.
func digest(p *Product) Hash {
	b := make([]byte, 0, 512)
	num := func(n int) { b = binary.AppendVarint(b, int64(n)) }
	text := func(s string) {
		num(len(s))
		b = append(b, s...)
	}
	flag := func(f bool) {
		if f {
			num(1)
		} else {
			num(0)
		}
	}
	num(digestVersion)
	flag(p.Retired)
	text(p.SKU)
	text(p.Type)
	num(len(p.Values))
	for _, v := range p.Values {
		text(v.Attribute)
		num(v.Store)
		text(v.Text)
	}
	num(len(p.Websites))
	for _, w := range p.Websites {
		num(w)
	}
	num(len(p.Tiers))
	for _, t := range p.Tiers {
		num(t.Website)
		flag(t.AllGroup)
		num(t.Group)
		text(t.Qty)
		text(t.Price)
	}
	flag(p.Stock.Manage)
	flag(p.Stock.InStock)
	flag(p.Stock.Backorders)
	text(p.Stock.Qty)
	text(p.Stock.MinSale)
	text(p.Stock.MaxSale)
	num(len(p.Categories))
	for _, c := range p.Categories {
		num(c)
	}
	sum := sha256.Sum256(b)
	return Hash(sum[:16])
}
