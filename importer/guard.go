package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"catalog/catalog"
	"catalog/importer/internal/feed"
)

// defaultPriceChange is the share of a feed's prices, in percent, that may
// change by more than half or become 0.
const defaultPriceChange = 5

// guardPrices looks at the prices that would change before anything is
// written, and refuses the import when too many change by too much: the sign
// of a shifted decimal point, a wrong currency, a column of zeros.
func (r *run) guardPrices(ctx context.Context) error {
	limit := r.o.Guards.MaxPriceChange
	if !limit.Set {
		limit = Limit{Set: true, Count: -1, Percent: defaultPriceChange}
	}
	if limit.None || r.todo <= 0 || r.o.Mode == Delete || r.o.Kind != catalog.KindProduct && r.o.Kind != catalog.KindPrice {
		return nil
	}
	st, err := r.store.Stats(ctx)
	if err != nil {
		return err
	}
	if st.Records[catalog.KindPrice] == 0 {
		return nil
	}
	r.prog.phase("checking prices", r.prog.bytes)
	workers := make([]worker, r.o.Workers)
	for i := range workers {
		workers[i] = &priceGuard{r: r, docs: newDocuments(r.mapping)}
	}
	var sum priceChanges
	var waiting newPrices
	err = r.pass(ctx, workers, func(_ *input, result any) error {
		waiting.add(result.(*newPrices))
		if len(waiting.keys) < guardBatch {
			return nil
		}
		return sum.compare(ctx, r.store, &waiting)
	})
	if err == nil {
		err = sum.compare(ctx, r.store, &waiting)
	}
	if err != nil {
		return err
	}
	r.acc.mu.Lock()
	sum.prices += r.acc.byKind[catalog.KindPrice].Unchanged
	r.acc.mu.Unlock()
	if !limit.exceeded(sum.wild, sum.prices) {
		return nil
	}
	r.acc.refuse(Refusal{
		Guard: "max_price_change", Option: "--max-price-change", Count: sum.wild, Of: sum.prices,
		What: fmt.Sprintf("%d of %d prices would change by more than half or become 0 (%s): nothing was imported; if the feed is right, raise --max-price-change", sum.wild, sum.prices, sum.example),
	})
	r.acc.forget()
	return ErrRefused
}

// guardBatch is how many prices are compared at a time: many, since in the
// order of their keys they stand side by side in the store.
const guardBatch = 100_000

// newPrices are price records that would be written.
type newPrices struct {
	keys   []catalog.Key
	bodies [][]byte
}

func (n *newPrices) add(o *newPrices) {
	n.keys = append(n.keys, o.keys...)
	n.bodies = append(n.bodies, o.bodies...)
}

// priceChanges counts prices, and those that change by much.
type priceChanges struct {
	prices, wild int64
	example      string
}

// compare counts new prices against those that the store has, and empties new.
func (c *priceChanges) compare(ctx context.Context, s catalog.Store, n *newPrices) error {
	if len(n.keys) == 0 {
		return nil
	}
	old, err := s.Get(ctx, catalog.KindPrice, n.keys...)
	if err != nil {
		return err
	}
	c.prices += int64(len(n.keys))
	for i := range old {
		if !old[i].Exists() || bytes.Equal(old[i].Body, n.bodies[i]) {
			continue
		}
		if was, is, wild := wildChange(old[i].Body, n.bodies[i]); wild {
			c.wild++
			if c.example == "" {
				c.example = fmt.Sprintf("%s from %s to %s", n.keys[i], was, is)
			}
		}
	}
	*n = newPrices{keys: n.keys[:0], bodies: n.bodies[:0]}
	return nil
}

// priceGuard is the worker that reads the prices that would be written.
type priceGuard struct {
	r      *run
	in     *input
	dec    feed.Decoder
	docs   documents
	parser catalog.Parser
	parsed catalog.Parsed
	out    *newPrices
}

func (g *priceGuard) begin(in *input) { g.in, g.dec = in, in.reader.NewDecoder() }

func (g *priceGuard) end() error { return g.dec.Close() }

func (g *priceGuard) chunk(_ context.Context, c *feed.Chunk) (any, error) {
	g.out = &newPrices{}
	if err := g.dec.Decode(c, g.record); err != nil && !errors.Is(err, feed.ErrTruncated) {
		return nil, err
	}
	return g.out, nil
}

func (g *priceGuard) record(rec *feed.Record) error {
	ord := uint32(g.in.base + rec.Ord)
	if rec.Err != nil || g.r.drop.Has(ord) || g.r.same.Has(ord) || rec.Overlay {
		return nil
	}
	doc, err := g.docs.of(rec)
	if err != nil {
		return nil //nolint:nilerr // it will be a reject, and changes no price
	}
	p := &g.parsed
	g.parser.Reuse()
	if g.parser.Parse(g.r.o.Kind, doc, p) != nil {
		return nil
	}
	switch {
	case p.Kind == catalog.KindPrice:
		g.add(p.Key, p.Body)
	case p.Price.State == catalog.PartSet:
		g.add(p.Key, p.Price.Body)
	}
	for _, v := range p.Variants {
		if v.Price.State == catalog.PartSet {
			g.add(v.SKU, v.Price.Body)
		}
	}
	return nil
}

func (g *priceGuard) add(k catalog.Key, body []byte) {
	if body != nil {
		g.out.keys = append(g.out.keys, k)
		g.out.bodies = append(g.out.bodies, bytes.Clone(body))
	}
}

// wildChange reports whether a price of the record changes by more than half
// or becomes 0.
func wildChange(old, now []byte) (was, is string, wild bool) {
	before := map[string][]byte{}
	for _, e := range catalog.PriceEntries(old) {
		before[catalog.PriceQualifiers(e)] = catalog.MemberValue(e, "price")
	}
	for _, e := range catalog.PriceEntries(now) {
		a, b := before[catalog.PriceQualifiers(e)], catalog.MemberValue(e, "price")
		if a != nil && b != nil && wildPrice(string(a), string(b)) {
			return string(a), string(b), true
		}
	}
	return "", "", false
}

func wildPrice(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil || x <= 0 {
		return false
	}
	if y == 0 {
		return true
	}
	change := math.Abs(y-x) / x
	if math.Abs(change-0.5) > 1e-9 {
		return change > 0.5
	}
	// So close to a half only exact arithmetic tells.
	p, ok := new(big.Rat).SetString(a)
	q, ok2 := new(big.Rat).SetString(b)
	if !ok || !ok2 {
		return false
	}
	diff := new(big.Rat).Sub(q, p)
	return diff.Abs(diff).Cmp(new(big.Rat).Mul(p, big.NewRat(1, 2))) > 0
}
