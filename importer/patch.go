package importer

import (
	"context"
	"errors"

	"catalog/catalog"
)

// patch is what is merged into the record of one key, in the order of rows.
type patch struct {
	key  string
	rows []*row
}

// patchTries is how often a patch is put to a record that others keep changing.
const patchTries = 20

// patch takes rows of one key to be merged into what the store has.
func (l *loader) patch(rows []*row) {
	x := rows[0]
	if x.key == "" {
		x.key = string(quickKey(l.r.o.Kind, x.doc))
	}
	for _, x := range rows {
		err := l.r.schema.check(x.doc)
		if err == nil {
			// Read in full, so that what is no document is a reject of its own.
			err = l.parse(l.r.o.Kind, x.doc)
		}
		if err != nil {
			l.out.rejects = append(l.out.rejects, newReject(x.in, x.line, x.offset, x.key, err, x.raw))
			rows = without(rows, x)
		}
	}
	if len(rows) > 0 {
		l.out.counts[l.r.o.Kind].Read += int64(len(rows))
		l.out.counts[l.r.o.Kind].Merged += int64(len(rows) - 1)
		l.out.patches = append(l.out.patches, &patch{key: x.key, rows: rows})
	}
}

func without(rows []*row, x *row) []*row {
	out := make([]*row, 0, len(rows))
	for _, y := range rows {
		if y != x {
			out = append(out, y)
		}
	}
	return out
}

// applyPatches merges patches into the records as they are now and writes
// them, under the condition that nobody changed them in between; where
// somebody did, it is done again.
func (c *committer) applyPatches(patches []*patch) error {
	ctx, kind := c.ctx, c.r.o.Kind
	for try := 0; len(patches) > 0; try++ {
		if try == patchTries {
			for _, p := range patches {
				if err := c.rejectPatch(p, &catalog.InvalidError{Reason: ReasonConflict, Offset: -1, Detail: "others keep changing the record"}); err != nil {
					return err
				}
			}
			return nil
		}
		keys := make([]catalog.Key, len(patches))
		for i, p := range patches {
			keys[i] = catalog.Key(p.key)
		}
		bases, err := c.r.store.Get(ctx, kind, keys...)
		if err != nil {
			return err
		}
		var writes []catalog.Write
		var owner []*patch
		for i, p := range patches {
			w, err := c.merge(ctx, p, &bases[i])
			if err != nil {
				var inv *catalog.InvalidError
				if !errors.As(err, &inv) {
					return err
				}
				if err := c.rejectPatch(p, err); err != nil {
					return err
				}
				continue
			}
			for range w {
				owner = append(owner, p)
			}
			writes = append(writes, w...)
		}
		if patches, err = c.applyOnce(ctx, writes, owner, try); err != nil {
			return err
		}
	}
	return nil
}

// applyOnce writes, counts, and returns the patches that met a conflict.
func (c *committer) applyOnce(ctx context.Context, writes []catalog.Write, owner []*patch, try int) ([]*patch, error) {
	results, err := c.r.store.Apply(ctx, writes)
	if err != nil && !errors.Is(err, catalog.ErrConflict) {
		return nil, err
	}
	var again []*patch
	for i, res := range results {
		k := writes[i].Kind
		var n Counts
		if k != c.r.o.Kind && try == 0 {
			n.Read = 1
		}
		if res.Outcome == catalog.Conflict {
			if len(again) == 0 || again[len(again)-1] != owner[i] {
				again = append(again, owner[i])
			}
		} else if k == c.r.o.Kind || len(again) == 0 || again[len(again)-1] != owner[i] {
			n.outcome(res.Outcome)
		}
		c.r.acc.add(k, n)
	}
	return again, nil
}

func (c *committer) rejectPatch(p *patch, err error) error {
	n := int64(len(p.rows))
	c.r.acc.add(c.r.o.Kind, Counts{Read: -n, Merged: 1 - n})
	for _, x := range p.rows {
		if rerr := c.reject(newReject(x.in, x.line, x.offset, p.key, err, x.raw)); rerr != nil {
			return rerr
		}
	}
	return nil
}

// merge returns the writes that a patch comes to. The price in a patch
// replaces the price record, as in an upsert; stock is merged into the stock
// record.
func (c *committer) merge(ctx context.Context, p *patch, base *catalog.Record) ([]catalog.Write, error) {
	kind, source := c.r.o.Kind, c.r.o.Source
	if !base.Exists() {
		return nil, &catalog.InvalidError{Reason: ReasonUnknown, Path: kind.KeyField(), Offset: -1, Detail: "there is no " + kind.String() + " of this key to change"}
	}
	var parser catalog.Parser
	var parsed catalog.Parsed
	body := base.Body
	var price, stock catalog.Part
	var variants []catalog.Variant
	for _, x := range p.rows {
		if err := parser.Parse(kind, x.doc, &parsed); err != nil {
			return nil, err
		}
		if kind == catalog.KindPrice {
			body = parsed.Body
			continue
		}
		body = catalog.MergePatch(nil, body, parsed.Body)
		if parsed.Price.State != catalog.PartAbsent {
			price = parsed.Price
		}
		switch {
		case parsed.Stock.State == catalog.PartSet && stock.State == catalog.PartSet:
			stock.Body = catalog.MergePatch(nil, stock.Body, parsed.Stock.Body)
		case parsed.Stock.State != catalog.PartAbsent:
			stock = parsed.Stock
		}
		variants = append(variants, parsed.Variants...)
	}
	if body != nil {
		if err := parser.Parse(kind, body, &parsed); err != nil {
			return nil, err
		}
		body = parsed.Body
	}
	seq := base.Seq
	writes := []catalog.Write{{Kind: kind, Key: base.Key, Body: body, Source: source, Refs: parsed.Refs, If: &seq}}
	if body == nil {
		writes[0].Refs = nil
	}
	if stock.State == catalog.PartSet {
		old, err := c.r.store.Get(ctx, catalog.KindStock, base.Key)
		if err != nil {
			return nil, err
		}
		if old[0].Exists() {
			var merged catalog.Parsed
			if err := parser.Parse(catalog.KindStock, catalog.MergePatch(nil, old[0].Body, stock.Body), &merged); err != nil {
				return nil, err
			}
			stock.Body = merged.Body
		}
	}
	for _, v := range append(variants, catalog.Variant{SKU: base.Key, Price: price, Stock: stock}) {
		for k, part := range map[catalog.Kind]catalog.Part{catalog.KindPrice: v.Price, catalog.KindStock: v.Stock} {
			if part.State != catalog.PartAbsent {
				writes = append(writes, catalog.Write{Kind: k, Key: v.SKU, Body: part.Body, Source: source})
			}
		}
	}
	return writes, nil
}
