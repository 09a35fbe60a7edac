package segment

import "slices"

// cluster puts products that are in the same categories next to each other,
// those of a category's children too where names of children begin with that of
// their parent. What a category page looks at is then in one place, and not all
// over the file. Products of the same categories stay in the order of SKUs.
func (p *plan) cluster() {
	ranks, n := p.catRanks()
	starts := make([]uint32, n+1)
	places := make([]uint32, len(p.order)) // first the rank
	for d, at := range p.order {
		if d > 0 && p.docSKU[d] == p.docSKU[d-1] {
			places[d] = places[d-1] // all documents of a product stay together
		} else {
			places[d] = ranks[at.src][at.doc]
		}
		starts[places[d]+1]++
	}
	for i := range n {
		starts[i+1] += starts[i]
	}
	order, skus := make([]place, len(p.order)), make([]uint32, len(p.order))
	for d, at := range p.order {
		to := starts[places[d]]
		starts[places[d]]++
		order[to], skus[to], places[d] = at, p.docSKU[d], to
	}
	p.order, p.docSKU, p.bySKU = order, skus, places
}

// catRanks returns for each document of each source the rank of its set of
// categories, and the number above all ranks. Sets are in the order of what is
// in them, whatever else there is: segments that are merged have the same order.
func (p *plan) catRanks() (ranks [][]uint32, n int) {
	type set struct {
		src, code uint32
		cats      []uint32 // in order
	}
	var sets []set
	ranks = make([][]uint32, len(p.srcs)) // first the codes
	srcs := make([]field, len(p.srcs))
	lists := make([]keys, len(p.srcs))
	for i, src := range p.srcs {
		ranks[i] = make([]uint32, src.docs())
		srcs[i] = src.cats()
		lists[i] = srcs[i].texts()
		var used []bool
		srcs[i].column(colAny)(func(doc, code uint32) {
			if p.docOf[i][doc] == none {
				return
			}
			ranks[i][doc] = code
			if int(code) >= len(used) || !used[code] {
				used = mark(used, code)
				sets = append(sets, set{src: uint32(i), code: code})
			}
		})
	}
	numbers := mergedNumbers(lists)
	var ids, arena []uint32
	for i := range sets {
		s := &sets[i]
		f := srcs[s.src]
		ids = f.members(ids[:0], s.code)
		for k, v := range ids {
			ids[k] = numbers[s.src][f.value(int(v)).text]
		}
		slices.Sort(ids)
		from := len(arena)
		arena = append(arena, slices.Compact(ids)...)
		s.cats = arena[from:len(arena):len(arena)]
	}
	slices.SortFunc(sets, func(a, b set) int { return slices.Compare(a.cats, b.cats) })
	rankOf := make([][]uint32, len(p.srcs))
	for i := range sets {
		s := &sets[i]
		if i == 0 || !slices.Equal(s.cats, sets[i-1].cats) {
			n++
		}
		for int(s.code) >= len(rankOf[s.src]) {
			rankOf[s.src] = append(rankOf[s.src], 0)
		}
		rankOf[s.src][s.code] = uint32(n)
	}
	for i, list := range ranks {
		for d, code := range list {
			if code != 0 {
				list[d] = rankOf[i][code]
			}
		}
	}
	return ranks, n + 1
}

// mergedNumbers returns for each source the numbers of its strings in the order
// of the strings of all.
func mergedNumbers(lists []keys) [][]uint32 {
	numbers := make([][]uint32, len(lists))
	k := uint32(0)
	for m := newMerger(lists); m.next(); k++ {
		for _, h := range m.from {
			for h.index >= len(numbers[h.src]) {
				numbers[h.src] = append(numbers[h.src], 0)
			}
			numbers[h.src][h.index] = k
		}
	}
	return numbers
}

// takePlaces returns the documents in the order of SKUs, unless that is their own
// order, and forgets them.
func (p *plan) takePlaces() []uint32 {
	list := p.bySKU
	p.bySKU = nil
	if slices.IsSorted(list) {
		return nil
	}
	return list
}
