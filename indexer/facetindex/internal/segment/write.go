package segment

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/live"
)

// together is how many documents are worth a second goroutine.
const together = 10_000

// titleBlock is how many names are deflated together.
const titleBlock = 256

// Input is what is merged: a segment without the documents that Dead names, or
// what a builder has, which is used up by it.
type Input struct {
	Segment *Segment
	Live    *live.Columns
	Dead    func(doc uint32) bool // nil: none
	Forget  func()                // called now and then: what was read need not stay in memory; nil: it may

	Builder *Builder // instead
}

// Write writes a segment of what the builder has, which is used up by it until
// it is reset, and returns the live data of its rows.
func (b *Builder) Write(w io.Writer) (*live.Columns, error) {
	return Merge(w, []Input{{Builder: b}})
}

// WriteBrief is Write for a segment that will be merged, and not be searched:
// it has no lists but those of words.
func (b *Builder) WriteBrief(w io.Writer) (*live.Columns, error) {
	return merge(w, []Input{{Builder: b}}, true, nil)
}

// Merge writes a segment of several. It returns the live data of its rows. Of a
// product that is in several the documents of the last count.
func Merge(w io.Writer, list []Input) (*live.Columns, error) { return merge(w, list, false, nil) }

// MergeApart is Merge for large segments, of which parts are kept in a Spool
// until it is their turn.
func MergeApart(w io.Writer, list []Input, spool func() (Spool, error)) (*live.Columns, error) {
	return merge(w, list, false, spool)
}

func merge(w io.Writer, list []Input, brief bool, spool func() (Spool, error)) (*live.Columns, error) {
	var srcs []source
	var segs []*stored
	var dead []func(uint32) bool
	var lives []*live.Columns
	var forget []func()
	for _, in := range list {
		if in.Forget != nil {
			forget = append(forget, in.Forget)
		}
		if b := in.Builder; b != nil {
			srcs = append(srcs, &built{b})
			dead = append(dead, b.dead())
			lives = append(lives, b.live.Columns())
			continue
		}
		seg := &stored{Segment: in.Segment}
		segs, srcs = append(segs, seg), append(srcs, seg)
		dead = append(dead, in.Dead)
		lives = append(lives, in.Live)
	}
	p := newPlan(srcs, dead)
	p.brief, p.forget, p.spool = brief, forget, spool
	cols, err := p.write(w, lives)
	for _, s := range segs {
		if err == nil {
			err = s.failure()
		}
	}
	return cols, err
}

func (p *plan) write(w io.Writer, lives []*live.Columns) (*live.Columns, error) {
	s := newSections(w)
	s.each = func() {
		for _, f := range p.forget {
			f()
		}
	}
	s.write("meta", binary.AppendUvarint(binary.AppendUvarint(nil, uint64(p.docs)), uint64(p.rows)))
	s.write("skus", p.skuSection())
	s.write("docs", p.docSection())
	s.write("names", p.nameSection())
	if err := p.writeTitles(s); err != nil {
		return nil, err
	}
	if p.docs < together {
		p.writeLexicon(s)
		p.writeFields(s)
	} else if err := p.writeBoth(s); err != nil {
		return nil, err
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	return p.live(lives), nil
}

// writeBoth writes lexicon and fields, which are half of the work each, at the
// same time: fields are kept apart while the lexicon, which is greater, goes to
// the file.
func (p *plan) writeBoth(s *sections) error {
	var apart Spool = &blocks{}
	if p.spool != nil {
		var err error
		if apart, err = p.spool(); err != nil {
			return err
		}
	}
	fields := &sections{w: apart}
	var wg sync.WaitGroup
	wg.Go(func() { p.writeFields(fields) })
	p.writeLexicon(s)
	wg.Wait()
	s.append(fields, apart)
	return errors.Join(fields.err, s.err, apart.Close())
}

func (p *plan) live(lives []*live.Columns) *live.Columns {
	w := live.NewWriter()
	var from []*live.Copier
	for _, l := range lives {
		from = append(from, w.Copier(l))
	}
	for _, at := range p.order {
		s := p.srcs[at.src]
		for r, end := s.first(at.doc), s.first(at.doc+1); r < end; r++ {
			from[at.src].Add(r)
		}
	}
	return w.Columns()
}

// skuSection writes SKUs, the rows by SKU, the SKUs by folded form and the
// documents by SKU if these are other orders.
func (p *plan) skuSection() []byte {
	rowSKU := make([]uint32, 0, p.rows)
	starts := make([]uint32, p.skus.Len()+1)
	for _, at := range p.order {
		s := p.srcs[at.src]
		for r, end := s.first(at.doc), s.first(at.doc+1); r < end; r++ {
			k := p.skuOf[at.src][s.rowSKU(r)]
			rowSKU = append(rowSKU, k)
			starts[k+1]++
		}
	}
	for i := range p.skus.Len() {
		starts[i+1] += starts[i]
	}
	bySKU := make([]uint32, p.rows)
	for r, k := range rowSKU {
		bySKU[starts[k]] = uint32(r)
		starts[k]++
	}
	out := p.skus.AppendTo(nil)
	p.skus = codec.DictWriter{}
	dict, _ := codec.ReadDict(codec.NewReader(out))
	p.skuDict = dict
	var folded []uint32
	if !p.brief {
		folded = foldOrder(&dict)
	}
	out = codec.AppendPacked(out, p.docSKU)
	out = codec.AppendPacked(out, rowSKU)
	out = codec.AppendPacked(out, bySKU)
	out = codec.AppendPacked(out, folded)
	return codec.AppendPacked(out, p.takePlaces())
}

// foldOrder returns the SKUs in the order of their folded form, unless that
// is their own order.
func foldOrder(d *codec.Dict) []uint32 {
	var last, buf []byte
	var arena []byte
	ends := make([]uint32, 0, d.Len())
	inOrder := true
	for it := d.Iter(0); it.Valid(); it.Next() {
		buf = append(buf[:0], indexer.Fold(string(it.Key()))...)
		inOrder = inOrder && bytes.Compare(last, buf) <= 0
		last = append(last[:0], buf...)
		arena = append(arena, buf...)
		ends = append(ends, uint32(len(arena)))
	}
	if inOrder {
		return nil
	}
	at := func(i uint32) []byte {
		if i == 0 {
			return arena[:ends[0]]
		}
		return arena[ends[i-1]:ends[i]]
	}
	order := make([]uint32, d.Len())
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return bytes.Compare(at(a), at(b)) })
	return order
}

func (p *plan) docSection() []byte {
	var views [][]byte
	viewOf := map[string]uint32{}
	view, flags := make([]uint32, p.docs), make([]uint8, p.docs)
	hash, created := make([]uint32, p.docs), make([]int64, p.docs)
	var complicated []uint32
	hashOf := make([]uint32, 0, p.skuDict.Len())
	for it := p.skuDict.Iter(0); it.Valid(); it.Next() {
		hashOf = append(hashOf, uint32(indexer.SampleHash(string(it.Key()))>>32))
	}
	names := []string{}
	for d, at := range p.order {
		s := p.srcs[at.src]
		v := s.view(at.doc)
		k, ok := viewOf[v]
		if !ok {
			k = uint32(len(names))
			viewOf[v] = k
			names = append(names, v)
		}
		view[d], flags[d], created[d] = k, s.flags(at.doc), s.created(at.doc)
		hash[d] = hashOf[p.docSKU[d]]
		if flags[d]&FlagComplex != 0 {
			complicated = append(complicated, uint32(d))
		}
	}
	for _, n := range names {
		views = append(views, []byte(n))
	}
	out := codec.AppendInts(nil, p.firsts)
	out = binary.AppendUvarint(out, uint64(len(views)))
	for _, v := range views {
		out = codec.AppendBlock(out, v)
	}
	out = codec.AppendInts(out, view)
	out = codec.AppendInts(out, flags)
	out = codec.AppendInts(out, hash)
	out = codec.AppendInts(out, created)
	return codec.AppendPostings(out, complicated)
}

func (p *plan) nameSection() []byte {
	used := make([][]bool, len(p.srcs))
	lists := make([]keys, len(p.srcs))
	newOf := make([][]uint32, len(p.srcs))
	words := make([]int64, p.docs)
	for i, s := range p.srcs {
		lists[i] = s.nameKeys()
	}
	for d, at := range p.order {
		s := p.srcs[at.src]
		words[d] = s.nameWords(at.doc)
		if k := s.nameKey(at.doc); k > 0 {
			used[at.src] = mark(used[at.src], k-1)
		}
	}
	var dict codec.DictWriter
	for i := range used {
		newOf[i] = fill(len(used[i]))
	}
	for m := newMerger(lists); m.next(); {
		kept := false
		for _, h := range m.from {
			if h.index < len(used[h.src]) && used[h.src][h.index] {
				newOf[h.src][h.index] = uint32(dict.Len())
				kept = true
			}
		}
		if kept {
			dict.Add(m.key)
		}
	}
	ords := make([]uint32, p.docs)
	for d, at := range p.order {
		if k := p.srcs[at.src].nameKey(at.doc); k > 0 {
			ords[d] = newOf[at.src][k-1] + 1
		}
	}
	out := dict.AppendTo(nil)
	out = codec.AppendInts(out, ords)
	return codec.AppendInts(out, words)
}

// writeTitles writes the names in blocks: for each how long it is, then all,
// deflated.
func (p *plan) writeTitles(s *sections) error {
	s.begin("titles")
	var ends []uint32
	var plain, lens, buf []byte
	var packed bytes.Buffer
	z, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		return err
	}
	total := uint32(0)
	for d, at := range p.order {
		buf = p.srcs[at.src].title(at.doc, buf)
		lens = binary.AppendUvarint(lens, uint64(len(buf)))
		plain = append(plain, buf...)
		if (d+1)%titleBlock != 0 && d+1 != p.docs {
			continue
		}
		packed.Reset()
		z.Reset(&packed)
		if _, err := z.Write(append(lens, plain...)); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		s.put(packed.Bytes())
		total += uint32(packed.Len())
		ends = append(ends, total)
		plain, lens = plain[:0], lens[:0]
	}
	s.end()
	s.write("titleends", codec.AppendInts(nil, ends))
	return s.err
}
