package elasticindex

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
	"catalog/indexer"
)

// Apply implements indexer.Index. Products that the server refuses for what
// they are make an *indexer.RejectedError; all others and the cursor are in.
func (x *Index) Apply(ctx context.Context, ops []indexer.Op, at catalog.Cursor) error {
	ctx, leave, err := x.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	x.writing.Lock()
	defer x.writing.Unlock()
	return wrap(x.apply(ctx, ops, at), "apply")
}

// uncertain is how long an old request may still be executed after it was
// given up.
const uncertain = 10 * time.Minute

func (x *Index) apply(ctx context.Context, ops []indexer.Op, at catalog.Cursor) (err error) {
	if _, err := x.current(ctx); err != nil {
		return err
	}
	if err := x.restore(ctx); err != nil {
		return err
	}
	ops = last(ops)
	version, err := x.scopes.take(ctx)
	if err != nil {
		return err
	}
	if err := x.uncover(ctx, ops); err != nil {
		return err
	}
	before, err := x.extras(ctx, x.alias, ops)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			x.dirty = time.Now().Add(uncertain)
			x.hidden(ops)
		}
	}()
	f := &filler{x: x, index: x.alias, alias: true, skip: time.Now().After(x.dirty)}
	f.start(ctx)
	share := max(minShare, (len(ops)+x.o.Workers-1)/x.o.Workers)
	for i := range ops {
		f.put(&ops[i], before[ops[i].SKU], version)
		if (i+1)%share == 0 {
			f.flush() // so that the engine works on all of them at once
		}
	}
	failures, err := f.finish()
	if err != nil {
		return err
	}
	if at.IsZero() {
		x.hidden(ops) // until somebody searches
		return rejected(failures)
	}
	if err := x.saveCursor(ctx, x.alias, at, version, true); err != nil {
		return err
	}
	x.uncovered()
	return rejected(failures)
}

// minShare is how many products are worth a bulk request of their own.
const minShare = 64

// last keeps the last op of each product: the order of requests is not known.
func last(ops []indexer.Op) []indexer.Op {
	seen := make(map[string]int, len(ops))
	for i := range ops {
		seen[ops[i].SKU] = i
	}
	if len(seen) == len(ops) {
		return ops
	}
	out := make([]indexer.Op, 0, len(seen))
	for i := range ops {
		if seen[ops[i].SKU] == i {
			out = append(out, ops[i])
		}
	}
	return out
}

// Sync implements indexer.Index. There is nothing to do: what Apply wrote was
// durable when it returned.
func (x *Index) Sync(ctx context.Context) error {
	_, leave, err := x.enter(ctx)
	if err != nil {
		return err
	}
	leave()
	return nil
}

// extra is an Elasticsearch document of a product whose _id is not the SKU.
type extra struct {
	id   string
	hash int64
}

// extras finds the extra documents of products.
func (x *Index) extras(ctx context.Context, index string, ops []indexer.Op) (map[string][]extra, error) {
	found := map[string][]extra{}
	for chunk := range slices.Chunk(ops, 1000) {
		skus := make([]string, len(chunk))
		for i := range chunk {
			skus[i] = chunk[i].SKU
		}
		body := object{
			"size": 5000, "_source": false, "track_total_hits": false, "docvalue_fields": []string{"h"},
			"sort":  []string{"sku", "view", "usku"},
			"query": object{"bool": object{"filter": []any{term("x", true), terms("sku", skus)}}},
		}
		for {
			var answer struct {
				Hits struct {
					Hits []struct {
						ID     string             `json:"_id"`
						Fields map[string][]int64 `json:"fields"`
						Sort   []json.RawMessage  `json:"sort"`
					} `json:"hits"`
				} `json:"hits"`
			}
			if err := x.read(ctx, http.MethodPost, "/"+index+"/_search?allow_partial_search_results=false", body, &answer); err != nil {
				return nil, err
			}
			hits := answer.Hits.Hits
			for i := range hits {
				var sku string
				if err := json.Unmarshal(hits[i].Sort[0], &sku); err != nil {
					return nil, err
				}
				e := extra{id: hits[i].ID}
				if h := hits[i].Fields["h"]; len(h) > 0 {
					e.hash = h[0]
				}
				found[sku] = append(found[sku], e)
			}
			if len(hits) < 5000 {
				break
			}
			body["search_after"] = hits[len(hits)-1].Sort
		}
	}
	return found, nil
}

// maxID is how long an _id may be, and maxSuffix what may follow the SKU in one.
const (
	maxID     = 512
	maxSuffix = 1 + 20
)

var errTooLong = errors.New("the SKU is too long for an _id")

// filler turns ops into bulk requests and sends them, several at a time. put
// and finish belong to one goroutine.
type filler struct {
	x     *Index
	index string
	alias bool
	skip  bool // extra documents that are there already are not written again

	group *errgroup.Group
	ctx   context.Context
	enc   encoder
	now   *batch

	mu       sync.Mutex
	failures []failure
}

func (f *filler) start(ctx context.Context) {
	f.group, f.ctx = errgroup.WithContext(ctx)
	f.group.SetLimit(f.x.o.Workers)
	f.enc.scope = func(s indexer.Scope) (int, error) { return f.x.scopes.number(f.ctx, s) }
}

// put adds a product's documents, and removes those that it has no longer. It
// returns whether the product has documents whose _id is not its SKU.
func (f *filler) put(op *indexer.Op, before []extra, version int64) (extras bool) {
	if f.ctx.Err() != nil {
		return false // finish says why
	}
	items, err := f.enc.product(op.Docs)
	if err == nil && len(op.SKU) > maxID-maxSuffix {
		err = errTooLong // the server would refuse the whole request for it
	}
	if err != nil {
		f.refuse([]failure{{op.SKU, err.Error()}})
		return false
	}
	if f.now == nil {
		f.now = f.x.batch()
	}
	base := false
	for i := range items {
		it := &items[i]
		if !it.extra {
			base = true
		} else {
			extras = true
			n := slices.IndexFunc(before, func(e extra) bool { return e.id == it.id })
			if n >= 0 {
				same := before[n].hash == it.hash
				before = slices.Delete(before, n, n+1)
				if same && f.skip {
					continue
				}
			}
		}
		f.now.index(op.SKU, it, version)
	}
	if !base {
		f.now.delete(op.SKU, op.SKU, version)
	}
	for _, e := range before {
		f.now.delete(op.SKU, e.id, version)
	}
	if len(f.now.body) >= f.x.o.BulkBytes {
		f.flush()
	}
	return extras
}

// flush sends what was put so far, when one of the workers is free.
func (f *filler) flush() {
	b := f.now
	if b == nil || len(b.lines) == 0 {
		return
	}
	f.now = nil
	f.group.Go(func() error {
		failures, err := f.x.send(f.ctx, f.index, b, f.alias)
		f.x.recycle(b)
		f.refuse(failures)
		return err
	})
}

func (f *filler) refuse(list []failure) {
	f.mu.Lock()
	f.failures = append(f.failures, list...)
	f.mu.Unlock()
}

// finish waits until all was sent.
func (f *filler) finish() ([]failure, error) {
	f.flush()
	err := f.group.Wait()
	return f.failures, err
}

// batch returns an empty batch.
func (x *Index) batch() *batch {
	if b, ok := x.batches.Get().(*batch); ok {
		b.reset()
		return b
	}
	return &batch{body: make([]byte, 0, x.o.BulkBytes+x.o.BulkBytes/8)}
}

func (x *Index) recycle(b *batch) {
	if cap(b.body) <= 2*x.o.BulkBytes {
		x.batches.Put(b)
	}
}
