package segment

import (
	"slices"
	"strings"

	"catalog/indexer/facetindex/internal/codec"
)

// none stands for a document, row or string that the new segment has not.
const none = ^uint32(0)

// plan says what becomes of the sources' documents.
type plan struct {
	srcs []source
	dead []func(doc uint32) bool

	docs, rows int
	order      []place    // of the new documents
	docOf      [][]uint32 // by source and document
	rowOf      [][]uint32
	skuOf      [][]uint32
	firsts     []uint32 // first row of each new document, and the end
	docSKU     []uint32
	bySKU      []uint32 // new documents in the order of SKU and view
	skus       codec.DictWriter
	skuDict    codec.Dict // of them, when they are written
	brief      bool       // what is not needed to merge it is left out
	forget     []func()   // see Input
	spool      func() (Spool, error)
}

// place is a document of a source.
type place struct{ src, doc uint32 }

// newPlan puts the live documents of all sources in order.
func newPlan(srcs []source, dead []func(doc uint32) bool) *plan {
	p := &plan{srcs: srcs, dead: dead}
	used := make([][]bool, len(srcs))
	for i, s := range srcs {
		used[i] = make([]bool, 0)
		p.docOf = append(p.docOf, fill(s.docs()))
		p.rowOf = append(p.rowOf, fill(s.rows()))
		for d := range uint32(s.docs()) {
			if dead[i] != nil && dead[i](d) {
				continue
			}
			p.docOf[i][d] = 0
			p.docs++
			used[i] = mark(used[i], s.docSKU(d))
			for r := s.first(d); r < s.first(d+1); r++ {
				used[i] = mark(used[i], s.rowSKU(r))
			}
		}
	}
	p.mergeSKUs(used)
	p.sort()
	p.cluster()
	p.firsts = make([]uint32, 0, p.docs+1)
	for d, at := range p.order {
		s := p.srcs[at.src]
		p.docOf[at.src][at.doc] = uint32(d)
		p.firsts = append(p.firsts, uint32(p.rows))
		for r := s.first(at.doc); r < s.first(at.doc+1); r++ {
			p.rowOf[at.src][r] = uint32(p.rows)
			p.rows++
		}
	}
	p.firsts = append(p.firsts, uint32(p.rows))
	return p
}

func fill(n int) []uint32 {
	a := make([]uint32, n)
	for i := range a {
		a[i] = none
	}
	return a
}

func mark(used []bool, i uint32) []bool {
	if int(i) >= len(used) {
		used = append(used, make([]bool, int(i)+1-len(used))...)
	}
	used[i] = true
	return used
}

func (p *plan) mergeSKUs(used [][]bool) {
	lists := make([]keys, len(p.srcs))
	for i, s := range p.srcs {
		lists[i] = s.skus()
		p.skuOf = append(p.skuOf, fill(len(used[i])))
	}
	for m := newMerger(lists); m.next(); {
		kept := false
		for _, h := range m.from {
			if h.index < len(used[h.src]) && used[h.src][h.index] {
				p.skuOf[h.src][h.index] = uint32(p.skus.Len())
				kept = true
			}
		}
		if kept {
			p.skus.Add(m.key)
		}
	}
}

// sort orders the documents by SKU, by counting, and those of a SKU by view.
func (p *plan) sort() {
	starts := make([]uint32, p.skus.Len()+1)
	each := func(f func(src, doc, sku uint32)) {
		for i, s := range p.srcs {
			for d, n := range p.docOf[i] {
				if n != none {
					f(uint32(i), uint32(d), p.skuOf[i][s.docSKU(uint32(d))])
				}
			}
		}
	}
	each(func(_, _, sku uint32) { starts[sku+1]++ })
	for i := range p.skus.Len() {
		starts[i+1] += starts[i]
	}
	p.order = make([]place, p.docs)
	p.docSKU = make([]uint32, p.docs)
	next := slices.Clone(starts[:p.skus.Len()])
	each(func(src, doc, sku uint32) {
		p.order[next[sku]] = place{src, doc}
		p.docSKU[next[sku]] = sku
		next[sku]++
	})
	replaced := 0
	for i := range p.skus.Len() {
		group := p.order[starts[i]:starts[i+1]]
		if len(group) < 2 {
			continue
		}
		last := uint32(0)
		for _, at := range group {
			last = max(last, at.src)
		}
		for _, at := range group {
			if at.src < last {
				p.docOf[at.src][at.doc] = none
				replaced++
			}
		}
		slices.SortFunc(group, func(a, b place) int {
			return strings.Compare(p.srcs[a.src].view(a.doc), p.srcs[b.src].view(b.doc))
		})
	}
	if replaced > 0 {
		p.dropReplaced()
	}
}

// dropReplaced takes the documents out of the order that others replace.
func (p *plan) dropReplaced() {
	n := 0
	for i, at := range p.order {
		if p.docOf[at.src][at.doc] != none {
			p.order[n], p.docSKU[n] = at, p.docSKU[i]
			n++
		}
	}
	p.order, p.docSKU, p.docs = p.order[:n], p.docSKU[:n], n
}
