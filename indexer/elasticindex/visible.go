package elasticindex

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"catalog/indexer"
)

// unseen knows of what was written and not refreshed. A feed of prices makes
// hundreds of steps before its cursor; the engine makes a segment of each
// refresh, so there is one only when somebody searches.
type unseen struct {
	written atomic.Int64 // steps that did not refresh
	shown   atomic.Int64 // of them, those that every search sees

	mu   sync.Mutex          // one refresh at a time
	skus map[string]struct{} // of these steps; guarded by Index.writing
}

// maxUnseen is of how many products it is remembered that they were written.
const maxUnseen = 50_000

// show makes all visible that Apply wrote before.
func (x *Index) show(ctx context.Context) error {
	u := &x.unseen
	n := u.written.Load()
	if u.shown.Load() >= n {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.shown.Load() >= n {
		return nil
	}
	n = u.written.Load()
	if err := x.read(ctx, http.MethodPost, "/"+x.alias+"/_refresh", nil, nil); err != nil {
		return err
	}
	u.shown.Store(n)
	return nil
}

// hidden notes that products were written, or may have been, without a refresh.
// The caller holds writing.
func (x *Index) hidden(ops []indexer.Op) {
	u := &x.unseen
	if u.skus == nil {
		u.skus = map[string]struct{}{}
	}
	for i := range ops {
		u.skus[ops[i].SKU] = struct{}{}
	}
	u.written.Add(1)
}

// uncover makes visible what was written of products that are about to be
// written again: the documents they have are searched for. The caller holds
// writing.
func (x *Index) uncover(ctx context.Context, ops []indexer.Op) error {
	u := &x.unseen
	again := len(u.skus) > maxUnseen
	for i := 0; i < len(ops) && !again && len(u.skus) > 0; i++ {
		_, again = u.skus[ops[i].SKU]
	}
	if !again {
		return nil
	}
	if err := x.show(ctx); err != nil {
		return err
	}
	clear(u.skus)
	return nil
}

// uncovered notes that everything was refreshed. The caller holds writing.
func (x *Index) uncovered() {
	u := &x.unseen
	u.shown.Store(u.written.Load())
	clear(u.skus)
}
