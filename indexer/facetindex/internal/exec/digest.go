package exec

import (
	"context"
	"iter"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/segment"
)

// digestChunks is how many chunks are digested together: each pass reads all
// words and attributes.
const digestChunks = 4

// Digests yields a digest of each document of all segments, computed of
// postings and columns.
func Digests(ctx context.Context, views []View, h *indexer.Digester) iter.Seq2[indexer.Digest, error] {
	return func(yield func(indexer.Digest, error) bool) {
		for i := range views {
			v := &views[i]
			for c := 0; c < v.chunks(); c += digestChunks {
				list, err := digest(ctx, v, h, c, min(c+digestChunks, v.chunks()))
				if err != nil {
					yield(indexer.Digest{}, err)
					return
				}
				for k := range list {
					if v.Alive(uint32(c<<codec.ChunkBits+k)) && !yield(list[k], nil) {
						return
					}
				}
			}
		}
	}
}

// digester digests some chunks of a segment.
type digester struct {
	*View
	h        *indexer.Digester
	from, to uint32 // documents
	chunks   [2]int
	list     []indexer.Digest
}

func digest(ctx context.Context, v *View, h *indexer.Digester, first, end int) (list []indexer.Digest, err error) {
	defer guard(&err)
	d := &digester{View: v, h: h, from: uint32(first << codec.ChunkBits), to: uint32(min(end<<codec.ChunkBits, v.Seg.Docs)), chunks: [2]int{first, end}}
	d.list = make([]indexer.Digest, d.to-d.from)
	for _, part := range []func() error{d.basics, d.words, d.categories, d.attrs} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := part(); err != nil {
			return nil, err
		}
	}
	return d.list, nil
}

func (d *digester) basics() error {
	titles := d.Seg.Titles()
	shown := map[[2]uint32]uint64{}
	sellers := map[uint32][]string{}
	for doc := d.from; doc < d.to; doc++ {
		g := &d.list[doc-d.from]
		n := int(doc)
		g.SKU, g.View = d.Seg.SKUs.String(int(d.Seg.DocSKU.At(n))), d.Seg.ViewOf(doc)
		flags := uint32(d.Seg.Flags.At(n))
		k := [2]uint32{d.Seg.Stores.Any.Get(doc), flags & (segment.FlagSearch | segment.FlagBrowse)}
		if _, ok := shown[k]; !ok {
			shown[k] = d.h.Shown(texts(d.Seg.Stores, k[0]), flags&segment.FlagSearch != 0, flags&segment.FlagBrowse != 0)
		}
		g.Parts[indexer.PartShown] = shown[k]
		title, err := titles.Of(doc)
		if err != nil {
			return err
		}
		var key []byte
		if i := d.Seg.NameKey.At(n); i > 0 {
			key = d.Seg.NameKeys.At(int(i-1), nil)
		}
		g.Parts[indexer.PartSort] = d.h.Sort(string(title), key, int(d.Seg.NameWords.At(n)), d.Seg.Created.At(n))
		for row, to := uint32(d.Seg.First.At(n)), uint32(d.Seg.First.At(n+1)); row < to; row++ {
			sku := d.Seg.SKUs.String(int(d.Seg.RowSKU.At(int(row))))
			var stores []string
			if code := d.Seg.Sellers.Unit.Get(row); code != 0 {
				if _, ok := sellers[code]; !ok {
					sellers[code] = texts(d.Seg.Sellers, code)
				}
				stores = sellers[code]
			}
			g.Parts[indexer.PartUnits] += d.h.Unit(sku, stores)
			live := d.Live.Live(row)
			for _, p := range live.Prices {
				g.Parts[indexer.PartPrice] += d.h.Price(sku, p)
			}
			if !live.Next.IsZero() {
				g.Parts[indexer.PartPrice] += d.h.Price(sku, indexer.Price{Amount: indexer.Amount(live.Next.Unix())})
			}
			g.Parts[indexer.PartStock] += d.h.Stock(sku, live.InStock)
		}
	}
	return nil
}

// texts returns the texts of a code; not nil even without any.
func texts(f *segment.Field, code uint32) []string {
	out := []string{}
	for _, v := range f.Append(nil, code) {
		out = append(out, f.Texts.String(int(f.Text(v))))
	}
	return out
}

func (d *digester) words() error {
	if err := d.Seg.LoadWords(); err != nil {
		return err
	}
	var docs []uint32
	for it := d.Seg.Lexicon.Iter(0); it.Valid(); it.Next() {
		lists, err := d.Seg.Postings(it.Index())
		if err != nil {
			return err
		}
		w := indexer.Word{Token: indexer.Token{Term: string(d.Seg.Term(it)), Stem: string(d.Seg.Stem(it))}}
		for c := range lists {
			if lists[c].Len() == 0 {
				continue
			}
			w.Class = indexer.Class(c)
			sum := d.h.Word(w)
			for chunk := d.chunks[0]; chunk < d.chunks[1]; chunk++ {
				set := lists[c].Chunk(chunk)
				docs = set.AppendTo(docs[:0], uint32(chunk)<<codec.ChunkBits)
				for _, doc := range docs {
					d.list[doc-d.from].Parts[indexer.PartWords] += sum
				}
			}
		}
	}
	return nil
}

// each calls f for the codes of a column of documents.
func (d *digester) each(c *codec.Column, f func(doc, code uint32)) {
	for chunk := d.chunks[0]; chunk < d.chunks[1]; chunk++ {
		k := c.Chunk(chunk)
		base := uint32(chunk) << codec.ChunkBits
		if k.Len() > 0 {
			k.EachIn(func(id, code uint32) { f(base+id, code) })
		}
	}
}

func (d *digester) categories() error {
	f := d.Seg.Cats
	var buf []uint32
	plain := make([]uint64, f.Values())
	member := func(v uint32, pos int32) uint64 {
		return d.h.Membership(indexer.Membership{ID: f.Texts.String(int(f.Text(v))), Direct: f.Type(v) != 0, Position: pos})
	}
	for v := range plain {
		plain[v] = member(uint32(v), indexer.NoPosition)
	}
	d.each(&f.Any, func(doc, code uint32) {
		buf = f.Append(buf[:0], code)
		for _, v := range buf {
			d.list[doc-d.from].Parts[indexer.PartCategories] += plain[v]
		}
	})
	for cat := range f.Texts.Len() {
		d.Seg.Positions(cat, func(doc uint32, pos int32) {
			if doc < d.from || doc >= d.to {
				return
			}
			buf = f.Append(buf[:0], f.Any.Get(doc))
			for _, v := range buf {
				if int(f.Text(v)) == cat {
					d.list[doc-d.from].Parts[indexer.PartCategories] += member(v, pos) - plain[v]
				}
			}
		})
	}
	return nil
}

func (d *digester) attrs() error {
	complicated := make([]uint64, codec.Words(d.Seg.Docs))
	for _, doc := range d.Seg.Complex.AppendTo(nil) {
		codec.Put(complicated, doc)
	}
	rowFrom, rowTo := uint32(d.Seg.First.At(int(d.from))), uint32(d.Seg.First.At(int(d.to)))
	var buf []uint32
	for a := range d.Seg.AttrNames.Len() {
		f, err := d.Seg.Field(a)
		if err != nil {
			return err
		}
		name := d.Seg.AttrNames.String(a)
		value := func(unit string, v uint32) uint64 {
			return d.h.Value(unit, name, indexer.Value{Text: f.Texts.String(int(f.Text(v))), Num: f.Num(v), Type: f.Type(v)})
		}
		sums := make([]uint64, f.Values())
		product := func(doc, code uint32) {
			buf = f.Append(buf[:0], code)
			for _, v := range buf {
				if sums[v] == 0 {
					sums[v] = value("", v)
				}
				d.list[doc-d.from].Parts[indexer.PartAttrs] += sums[v]
			}
		}
		d.each(&f.Any, func(doc, code uint32) {
			if !codec.Has(complicated, doc) {
				product(doc, code)
			}
		})
		d.each(&f.Own, product)
		for chunk := int(rowFrom >> codec.ChunkBits); chunk <= int(rowTo>>codec.ChunkBits); chunk++ {
			k := f.Unit.Chunk(chunk)
			if k.Len() == 0 {
				continue
			}
			k.EachIn(func(id, code uint32) {
				row := uint32(chunk)<<codec.ChunkBits + id
				if row < rowFrom || row >= rowTo {
					return
				}
				sku := d.Seg.SKUs.String(int(d.Seg.RowSKU.At(int(row))))
				buf = f.Append(buf[:0], code)
				for _, v := range buf {
					d.list[d.Seg.DocOf(row)-d.from].Parts[indexer.PartUnits] += value(sku, v)
				}
			})
		}
	}
	return nil
}
