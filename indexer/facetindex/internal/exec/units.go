package exec

import (
	"slices"

	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/live"
)

// reader reads what units of one segment have, as one goroutine needs it: best
// in the order of rows.
type reader struct {
	seg     *seg
	amounts live.Reader
	sellers codec.Cursor
	attrs   []attrReader // by filter
	masks   []uint64     // by group, of a document
}

// attrReader has the columns of an attribute that is filtered by.
type attrReader struct{ any, own, unit codec.Cursor }

func newReader(s *seg) *reader {
	r := &reader{seg: s, amounts: s.Live.Reader(s.scopes), attrs: make([]attrReader, len(s.filters)), masks: make([]uint64, len(s.groups))}
	if s.sellers != nil {
		r.sellers = s.Seg.Sellers.Unit.Cursor()
	}
	for i, f := range s.filters {
		if f.field != nil {
			r.attrs[i] = attrReader{f.field.Any.Cursor(), f.field.Own.Cursor(), f.field.Unit.Cursor()}
		}
	}
	return r
}

// maxUnits is how many units of a document are looked at together: one bit
// each.
const maxUnits = 64

// complexDocs applies filters and eligibility to the complex documents of a
// chunk.
func (f *finder) complexDocs(h *chunkHits, complicated []uint64) {
	r, base := f.reader(h.seg), uint32(h.chunk)<<codec.ChunkBits
	for i, w := range complicated {
		for ; w != 0; w &= w - 1 {
			d := uint32(i<<6 | trailing(w))
			from, to := h.seg.rows(base + d)
			if to-from > maxUnits {
				f.manyUnits(h, base+d, d)
				continue
			}
			r.unitsOf(h, d, base+d, from, to)
		}
	}
}

// manyUnits is unitsOf for a document that has more than maxUnits.
func (f *finder) manyUnits(h *chunkHits, doc, d uint32) {
	s := h.seg
	first, whole := len(h.units), !s.q.Variants
	for row, to := s.rows(doc); row < to; row++ {
		if !s.eligible(row, true) {
			whole = false
			continue
		}
		fails := s.fails(doc, row, true)
		switch {
		case fails == 0:
			codec.Put(h.docs, d)
			for g := range h.except {
				codec.Put(h.except[g], d)
			}
		case fails&(fails-1) == 0 && h.except != nil:
			codec.Put(h.except[trailing(fails)], d)
			whole = false
		default:
			whole = false
			continue
		}
		h.units = append(h.units, unitHit{d, row, fails})
	}
	if whole { // all count: no need to tell them apart
		h.units = h.units[:first]
		codec.Put(h.plain, d)
	}
}

// reader returns the finder's reader of a segment.
func (f *finder) reader(s *seg) *reader {
	if f.rd == nil || f.rd.seg != s {
		f.rd = newReader(s)
	}
	return f.rd
}

// unitsOf notes which units of a document count.
func (r *reader) unitsOf(h *chunkHits, d, doc, from, to uint32) {
	s := r.seg
	full := ^uint64(0) >> (maxUnits - (to - from))
	eligible := r.eligible(from, to, full)
	if eligible == 0 {
		return
	}
	all, failing, fails := full, 0, 0 // fails: the last group that fails for all
	for g := range s.q.groups {
		m := full
		for _, i := range s.q.groups[g].filters {
			m &= r.meet(i, s.filters[i], doc, from, to, full)
		}
		r.masks[g] = m
		all &= m
		if m != full {
			failing++
			if m == 0 {
				fails = g
			}
		}
	}
	if eligible == full && !s.q.Variants {
		switch {
		case all == full:
			codec.Put(h.docs, d)
			codec.Put(h.plain, d)
			for g := range h.except {
				codec.Put(h.except[g], d)
			}
			return
		case failing == 1 && r.masks[fails] == 0:
			if h.except != nil {
				codec.Put(h.except[fails], d)
			}
			return
		}
	}
	r.note(h, d, from, eligible, all)
}

// note notes units of a document that count each by itself.
func (r *reader) note(h *chunkHits, d, from uint32, eligible, all uint64) {
	hit := eligible & all
	if hit != 0 {
		codec.Put(h.docs, d)
	}
	some := hit // with those that fail one group
	for g := range h.except {
		in := eligible &^ r.masks[g]
		for o := range r.masks {
			if o != g {
				in &= r.masks[o]
			}
		}
		if in|hit != 0 {
			codec.Put(h.except[g], d)
		}
		some |= in
	}
	for ; some != 0; some &= some - 1 {
		k := trailing(some)
		u := unitHit{doc: d, row: from + uint32(k)}
		if hit>>k&1 == 0 {
			for g, m := range r.masks {
				if m>>k&1 == 0 {
					u.fails |= 1 << g
				}
			}
		}
		h.units = append(h.units, u)
	}
}

// eligible returns which rows can be sold to whoever asks.
func (r *reader) eligible(from, to uint32, full uint64) uint64 {
	s, set := r.seg, full
	if s.q.InStockOnly {
		set = s.Live.Stocked(from, to)
	}
	if s.sellers != nil && r.sellers.Any(from, to) {
		for row := from; row < to; row++ {
			if code := r.sellers.Get(row); code != 0 && !s.sellers.Has(code) {
				set &^= 1 << (row - from)
			}
		}
	}
	return set
}

// meet returns which rows of a document meet the i-th filter.
func (r *reader) meet(i int, f *filter, doc, from, to uint32, full uint64) uint64 {
	has := uint64(0)
	switch f.kind {
	case byAttr:
		if f.field != nil {
			has = r.attrs[i].has(&f.match, doc, from, to, full)
		}
	case byPrice:
		for row := from; row < to; row++ {
			if a, ok := r.amounts.Amount(row); ok && f.hasPrice(a) {
				has |= 1 << (row - from)
			}
		}
	case byStock:
		in := r.seg.Live.Stocked(from, to)
		if f.f.Exists || slices.Contains(f.f.Values, "true") {
			has |= in
		}
		if f.f.Exists || slices.Contains(f.f.Values, "false") {
			has |= full &^ in
		}
	case bySKU:
		for row := from; row < to; row++ {
			if f.has(r.seg, doc, row, true) {
				has |= 1 << (row - from)
			}
		}
	default:
		if f.has(r.seg, doc, from, true) {
			has = full
		}
	}
	if f.f.Not {
		return full &^ has
	}
	return has
}

// has returns which rows have a code that matches: their own, or their
// product's.
func (a *attrReader) has(match *codec.Codes, doc, from, to uint32, full uint64) uint64 {
	if !match.Has(a.any.Get(doc)) {
		return 0
	}
	own := match.Has(a.own.Get(doc))
	if !a.unit.Any(from, to) {
		if own {
			return full
		}
		return 0
	}
	has := uint64(0)
	for row := from; row < to; row++ {
		ok := own
		if code := a.unit.Get(row); code != 0 {
			ok = match.Has(code)
		}
		if ok {
			has |= 1 << (row - from)
		}
	}
	return has
}
