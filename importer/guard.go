package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
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
	if r.hadPrices == 0 {
		return nil
	}
	r.prog.phase("checking prices", r.prog.bytes)
	keep := r.newKeeper(r.kept == nil && r.full && r.todo <= min(r.total/4, keptRecords))
	defer keep.done(r)
	workers := make([]worker, r.o.Workers)
	for i := range workers {
		workers[i] = &priceGuard{r: r, docs: newDocuments(r.mapping), keep: keep}
	}
	var sum priceChanges
	var waiting []newPrices
	n := 0 // of the prices that wait
	defer r.skipSame()()
	err := r.pass(ctx, workers, func(in *input, result any) error {
		found := result.(*guarded)
		keep.take(in, found.kept)
		if len(found.prices.at) > 0 {
			waiting = append(waiting, found.prices)
		}
		if n += len(found.prices.at); n < guardBatch {
			return nil
		}
		err := sum.compare(ctx, r.store, waiting)
		clear(waiting)
		waiting, n = waiting[:0], 0
		return err
	})
	if err == nil {
		err = sum.compare(ctx, r.store, waiting)
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

const (
	// guardBatch is how many prices are compared at a time: many, since in the
	// order of their keys they stand side by side in the store.
	guardBatch = 100_000
	// guardPart is how many of these are fetched at a time.
	guardPart = 2000
)

// newPrices are price records of a chunk that would be written, in as little
// memory as can be, since those of the whole feed may have to wait.
type newPrices struct {
	text []byte // the keys and bodies
	at   []newPrice
}

// newPrice is where a price's key is in the text, and behind it the body.
type newPrice struct{ start, key, body uint32 }

func (n *newPrices) add(key catalog.Key, body []byte) {
	n.at = append(n.at, newPrice{uint32(len(n.text)), uint32(len(key)), uint32(len(body))})
	n.text = append(n.text, key...)
	n.text = append(n.text, body...)
}

// compact returns a copy that takes no more memory than it needs, and empties n.
func (n *newPrices) compact() newPrices {
	c := newPrices{bytes.Clone(n.text), slices.Clone(n.at)}
	n.text, n.at = n.text[:0], n.at[:0]
	return c
}

func (n *newPrices) key(i uint32) []byte { p := n.at[i]; return n.text[p.start : p.start+p.key] }

func (n *newPrices) body(i uint32) []byte {
	p := n.at[i]
	return n.text[p.start+p.key : p.start+p.key+p.body]
}

// priceChanges counts prices, and those that change by much.
type priceChanges struct {
	prices, wild int64
	example      string
}

// compare counts new prices against those that the store has.
func (c *priceChanges) compare(ctx context.Context, s catalog.Store, prices []newPrices) error {
	type place struct{ part, i uint32 }
	n := 0
	for i := range prices {
		n += len(prices[i].at)
	}
	order := make([]place, 0, n)
	for part := range prices {
		for i := range prices[part].at {
			order = append(order, place{uint32(part), uint32(i)})
		}
	}
	slices.SortStableFunc(order, func(a, b place) int {
		return bytes.Compare(prices[a.part].key(a.i), prices[b.part].key(b.i))
	})
	keys := make([]catalog.Key, 0, guardPart)
	for part := range slices.Chunk(order, guardPart) {
		keys = keys[:0]
		for _, p := range part {
			keys = append(keys, catalog.Key(prices[p.part].key(p.i)))
		}
		old, err := s.Get(ctx, catalog.KindPrice, keys...)
		if err != nil {
			return err
		}
		for j, p := range part {
			c.count(&old[j], keys[j], prices[p.part].body(p.i))
		}
	}
	return nil
}

// count counts one new price against the old one.
func (c *priceChanges) count(old *catalog.Record, key catalog.Key, body []byte) {
	c.prices++
	if !old.Exists() || bytes.Equal(old.Body, body) {
		return
	}
	if was, is, wild := wildChange(old.Body, body); wild {
		c.wild++
		if c.example == "" {
			c.example = fmt.Sprintf("%s from %s to %s", key, was, is)
		}
	}
}

// guarded is what the guard found in a chunk.
type guarded struct {
	prices newPrices
	kept   *keptPart
}

// priceGuard is the worker that reads the prices that would be written, and
// keeps the records that the load has to look at.
type priceGuard struct {
	r      *run
	in     *input
	dec    feed.Decoder
	docs   documents
	parser catalog.Parser
	parsed catalog.Parsed
	keep   *keeper
	prices newPrices // of the chunk
	out    *guarded
}

func (g *priceGuard) begin(in *input) { g.in, g.dec = in, in.passed().NewDecoder() }

func (g *priceGuard) end() error { return g.dec.Close() }

func (g *priceGuard) chunk(_ context.Context, c *feed.Chunk) (any, error) {
	g.out = &guarded{kept: g.keep.part()}
	err := g.dec.Decode(c, g.record)
	if err != nil && !errors.Is(err, feed.ErrTruncated) {
		return nil, err
	}
	g.out.prices = g.prices.compact()
	return g.out, err
}

func (g *priceGuard) record(rec *feed.Record) error {
	ord := uint32(g.in.base + rec.Ord)
	switch {
	case rec.Err != nil:
	case g.r.drop.Has(ord):
		g.out.kept.replaced++
		return nil
	case g.r.same.Has(ord):
		return nil
	}
	key := g.look(rec)
	if !g.keep.on.Load() {
		return nil
	}
	if g.r.group.Has(ord) {
		key = "" // it stays with its kin
	}
	g.out.kept.add(rec, key)
	return nil
}

// look takes the prices of a record and returns its key; none if it will be
// rejected.
func (g *priceGuard) look(rec *feed.Record) catalog.Key {
	if rec.Err != nil || rec.Overlay {
		return ""
	}
	doc, err := g.docs.of(rec)
	if err != nil {
		return ""
	}
	p := &g.parsed
	g.parser.Reuse()
	if g.parser.Parse(g.r.o.Kind, doc, p) != nil {
		return ""
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
	if p.Kind != g.r.o.Kind {
		// A price of its own, and one inside a product: the later one counts.
		g.out.kept.inOrder = true
	}
	return p.Key
}

func (g *priceGuard) add(k catalog.Key, body []byte) {
	if body != nil {
		g.prices.add(k, body)
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
