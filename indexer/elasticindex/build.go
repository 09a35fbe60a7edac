package elasticindex

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// Build implements indexer.Index. Only the newest Builder may be used. Its
// Apply collects bulk requests over several calls, so an *indexer.RejectedError
// may tell of products of earlier ones. Publish sends the rest; when products
// of that are refused it says so by the same error, and has published all
// others.
func (x *Index) Build(ctx context.Context, fingerprint string) (indexer.Builder, error) {
	ctx, leave, err := x.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	name, err := x.create(ctx, fingerprint)
	if err != nil {
		return nil, wrap(err, "build")
	}
	b := &builder{x: x, name: name, seed: maphash.MakeSeed(), extras: map[uint64]struct{}{}}
	b.ctx, b.cancel = context.WithCancel(x.ctx)
	b.begin()
	return b, nil
}

// create makes the next generation, and removes those that never served.
func (x *Index) create(ctx context.Context, fingerprint string) (string, error) {
	if _, err := x.scopes.take(ctx); err != nil { // makes the dictionary, too
		return "", err
	}
	dict, err := x.scopes.identity(ctx)
	if err != nil {
		return "", err
	}
	all, serving, err := x.generations(ctx)
	if err != nil {
		return "", err
	}
	next := 1
	for _, name := range all {
		n, _ := x.numberOf(name)
		next = max(next, n+1)
		if name == serving {
			continue
		}
		if err := x.drop(ctx, name); err != nil {
			return "", err
		}
	}
	// A request that comes late to a generation that was removed must not make
	// an index of that name.
	if err := x.write(ctx, http.MethodPut, "/_index_template/"+x.alias, object{
		"index_patterns": []string{x.alias + "-0*"}, "allow_auto_create": false, "priority": 500,
	}, nil); err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s-%06d", x.alias, next)
	err = x.write(ctx, http.MethodPut, "/"+name, object{
		"settings": object{"index": x.o.settings()},
		"mappings": mapping(object{"format": format, "dict": dict, "fingerprint": fingerprint}),
	}, nil)
	var status *statusError
	if errors.As(err, &status) && status.has("resource_already_exists_exception") {
		err = nil // a repetition of our own request
	}
	return name, err
}

// builder fills a generation.
type builder struct {
	x      *Index
	name   string
	ctx    context.Context // of the requests: they outlive the Apply that caused them
	cancel context.CancelFunc
	seed   maphash.Seed

	mu     sync.Mutex
	fill   *filler
	extras map[uint64]struct{} // products that may have extra documents
	done   bool
	err    error // ends the build
}

func (b *builder) begin() {
	b.fill = &filler{x: b.x, index: b.name}
	b.fill.start(b.ctx)
}

// Apply implements indexer.Builder.
func (b *builder) Apply(ctx context.Context, ops []indexer.Op) error {
	ctx, leave, err := b.x.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(); err != nil {
		return err
	}
	version, err := b.x.scopes.take(ctx)
	if err != nil {
		return wrap(err, "build")
	}
	ops = last(ops)
	before, err := b.before(ctx, ops)
	if err != nil {
		return wrap(err, "build")
	}
	for i := range ops {
		if b.fill.put(&ops[i], before[ops[i].SKU], version) {
			b.extras[maphash.String(b.seed, ops[i].SKU)] = struct{}{}
		}
		if ctx.Err() != nil {
			b.err = ctx.Err() // half of the ops are in: nobody knows which
			return b.err
		}
	}
	if b.fill.ctx.Err() != nil {
		return b.flush()
	}
	return b.refused()
}

func (b *builder) usable() error {
	switch {
	case b.err != nil:
		return b.err
	case b.done:
		return errors.New("elasticindex: build is over")
	}
	return nil
}

// before finds the extra documents of those products that came before and had
// some. What was sent must be visible for that.
func (b *builder) before(ctx context.Context, ops []indexer.Op) (map[string][]extra, error) {
	var again []indexer.Op
	for i := range ops {
		if _, ok := b.extras[maphash.String(b.seed, ops[i].SKU)]; ok {
			again = append(again, ops[i])
		}
	}
	if len(again) == 0 {
		return nil, nil
	}
	if err := b.flush(); err != nil {
		return nil, err
	}
	if err := b.x.refresh(ctx, b.name); err != nil {
		return nil, err
	}
	return b.x.extras(ctx, b.name, again)
}

// flush sends what was put, waits for it, and begins anew. An error is that of
// the whole build: some of what was put is lost.
func (b *builder) flush() error {
	failures, err := b.fill.finish()
	b.begin()
	b.fill.failures = failures
	if err != nil {
		b.err = wrap(b.x.ended(b.ctx, err), "build")
	}
	return b.err
}

// refused returns the failures so far, once.
func (b *builder) refused() error {
	f := b.fill
	f.mu.Lock()
	defer f.mu.Unlock()
	err := rejected(f.failures)
	f.failures = nil
	return err
}

// Publish implements indexer.Builder.
func (b *builder) Publish(ctx context.Context, at catalog.Cursor) error {
	ctx, leave, err := b.x.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(); err != nil {
		return err
	}
	if err := b.flush(); err != nil {
		return err
	}
	if err := b.publish(ctx, at); err != nil {
		return wrap(err, "publish")
	}
	b.done = true
	b.cancel()
	return b.refused()
}

func (b *builder) publish(ctx context.Context, at catalog.Cursor) error {
	x := b.x
	// No Apply between the old generation's last cursor and the new one's.
	x.writing.Lock()
	defer x.writing.Unlock()
	version, err := x.scopes.take(ctx)
	if err != nil {
		return err
	}
	if err := x.write(ctx, http.MethodPut, "/"+b.name+"/_settings", object{"index": x.o.serving()}, nil); err != nil {
		return err
	}
	if err := x.refresh(ctx, b.name); err != nil {
		return err
	}
	if err := x.saveCursor(ctx, b.name, at, version, false); err != nil {
		return err
	}
	// Until now the engine wrote its log when it liked.
	if err := x.write(ctx, http.MethodPost, "/"+b.name+"/_flush", nil, nil); err != nil {
		return err
	}
	all, serving, err := x.generations(ctx)
	if err != nil {
		return err
	}
	actions := []any{object{"add": object{"index": b.name, "alias": x.alias, "is_write_index": true}}}
	if serving != "" && serving != b.name {
		actions = append(actions, object{"remove": object{"index": serving, "alias": x.alias}})
	}
	if err := x.write(ctx, http.MethodPost, "/_aliases", object{"actions": actions}, nil); err != nil {
		return err
	}
	x.dirty = time.Time{}
	x.uncovered()
	for _, name := range all {
		if name == b.name {
			continue
		}
		if err := x.drop(ctx, name); err != nil {
			return err // published all the same: the next Build drops it
		}
	}
	return nil
}

// Abort implements indexer.Builder.
func (b *builder) Abort() error {
	b.cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done {
		return nil
	}
	b.done = true
	_ = b.fill.group.Wait() // cancelled
	ctx, leave, err := b.x.enter(context.Background())
	if err != nil {
		return nil // the index is closed: the next Build drops it
	}
	defer leave()
	return wrap(b.x.drop(ctx, b.name), "abort")
}
