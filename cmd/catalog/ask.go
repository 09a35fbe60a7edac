package main

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/importer"
	"catalog/indexer"
)

// What an index is asked. An embedded one is open in one process: that answers
// for the others, which is why a question and its answer go through JSON.
const (
	askSearch  = "search"  // → searchPage
	askTree    = "tree"    // → *treePage
	askSuggest = "suggest" // → suggestPage
	askExplain = "explain" // → explainPage
	askStatus  = "status"  // → indexStatus
	askVerify  = "verify"  // → verifyReport
	askUpdate  = "update"  // → indexReport, when all is in that was in the store
	askRebuild = "rebuild" // → indexReport, of an index that was built anew
)

// question is what a command asks of an index.
type question struct {
	What string `json:"what"`
	Text string `json:"text,omitempty"`
	SKU  string `json:"sku,omitempty"`
	queryFlags

	Limit    int  `json:"limit,omitempty"`    // of suggest
	Repair   bool `json:"repair,omitempty"`   // of verify
	Examples int  `json:"examples,omitempty"` // of verify

	// Settings are those of who asks, if their files were named; nil: those of
	// who has the index.
	Settings *indexer.Settings `json:"settings,omitempty"`
}

// respondent answers questions by the index that this process has open.
type respondent struct {
	a     *app
	store catalog.Store
	index indexer.Index
	opts  *indexOptions

	// keeper is what keeps the index up to date in this process while others
	// ask; nil if nothing does.
	keeper *indexKeeper

	once  sync.Once
	usual *indexer.Engine // with the settings of this process
}

func (a *app) newRespondent(s catalog.Store, x indexer.Index, o *indexOptions) *respondent {
	return &respondent{a: a, store: s, index: x, opts: o}
}

// engine returns what answers a query with the settings of who asks.
func (r *respondent) engine(q *question) *indexer.Engine {
	if !r.ownSettings(q) {
		return indexer.NewEngine(r.index, r.store, indexer.EngineOptions{
			Settings: func() (*indexer.Settings, error) { return q.Settings, nil },
		})
	}
	r.once.Do(func() { r.usual = r.a.engine(r.store, r.index, r.opts) })
	return r.usual
}

// ownSettings reports whether who asks means the settings of this process.
func (r *respondent) ownSettings(q *question) bool {
	if q.Settings == nil {
		return true
	}
	own, err := r.opts.load()()
	return err == nil && reflect.DeepEqual(own, q.Settings)
}

// answer returns the answer to a question, of the type that What says.
func (r *respondent) answer(ctx context.Context, q *question, progress func(int64)) (any, error) {
	switch q.What {
	case askSearch:
		return r.search(ctx, q)
	case askTree:
		query, err := q.query("")
		if err != nil {
			return nil, err
		}
		root, err := r.engine(q).Tree(ctx, query)
		if err != nil {
			return nil, err
		}
		return newTreePage(root), nil
	case askSuggest:
		return r.suggest(ctx, q)
	case askExplain:
		return r.explain(ctx, q)
	case askStatus:
		return r.status(ctx)
	case askVerify:
		return r.verify(ctx, q, progress)
	case askUpdate:
		return r.update(ctx, progress)
	case askRebuild:
		return r.rebuild(ctx, q, progress)
	}
	return nil, usagef("the index cannot be asked for %q: are both programs of one version?", q.What)
}

func (r *respondent) search(ctx context.Context, q *question) (any, error) {
	query, err := q.query(q.Text)
	if err != nil {
		return nil, err
	}
	e := r.engine(q)
	if _, err := e.Shop(ctx); err != nil { // not part of what a search takes
		return nil, err
	}
	start := time.Now()
	res, err := e.Search(ctx, query)
	if err != nil {
		return nil, err
	}
	took := time.Since(start)
	page, err := newSearchPage(ctx, r.store, e, q.Store, res)
	page.Milliseconds = float64(took.Microseconds()) / 1000
	return page, err
}

func (r *respondent) suggest(ctx context.Context, q *question) (any, error) {
	c, err := r.engine(q).Suggest(ctx, indexer.Query{View: q.view(), Text: q.Text}, q.Limit)
	if err != nil {
		return nil, err
	}
	page := suggestPage{Words: append([]string{}, c.Words...), Categories: []categoryID{}, Values: []valueOf{}}
	for _, cat := range c.Categories {
		page.Categories = append(page.Categories, categoryID(cat))
	}
	for _, v := range c.Values {
		page.Values = append(page.Values, valueOf(v))
	}
	page.Products, err = hitRows(ctx, r.store, c.Products, q.Store)
	return page, err
}

func (r *respondent) explain(ctx context.Context, q *question) (any, error) {
	query, err := q.query(q.Text)
	if err != nil {
		return nil, err
	}
	x, err := r.engine(q).Explain(ctx, q.SKU, query)
	if err != nil {
		return nil, err
	}
	rejected, err := importer.Rejections(ctx, r.store, catalog.KindProduct, catalog.Key(q.SKU))
	if err != nil {
		return nil, err
	}
	page := newExplainPage(x)
	page.reject(rejected)
	return page, nil
}

func (r *respondent) status(ctx context.Context) (any, error) {
	st, err := r.index.Stats(ctx)
	if err != nil {
		return nil, err
	}
	out := indexStatus{Documents: st.Documents, Units: st.Units, DiskBytes: st.DiskBytes, DeadLetters: []indexer.DeadLetter{}}
	if out.Index, err = r.opts.place(r.a); err != nil {
		return nil, err
	}
	status, err := indexer.ReadStatus(ctx, r.store, r.opts.name)
	switch {
	case err == nil:
		out.Status = &status
	case !errors.Is(err, catalog.ErrNotFound):
		return nil, err
	}
	for d, err := range indexer.DeadLetters(ctx, r.store, r.opts.name) {
		if err != nil {
			return nil, err
		}
		out.DeadLetters = append(out.DeadLetters, d)
	}
	return out, nil
}

// verify compares the index with the store. The follower goes on meanwhile; it
// steps aside only when there is something to mend, which is looked for again
// then.
func (r *respondent) verify(ctx context.Context, q *question, progress func(int64)) (any, error) {
	opts := indexer.VerifyOptions{
		Name: r.opts.name, Holder: r.holder(), Examples: q.Examples, Log: r.a.log, Progress: progress, Settings: q.Settings,
		Repair: q.Repair && r.keeper == nil,
	}
	if opts.Settings == nil {
		var err error
		if opts.Settings, err = r.opts.load()(); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	v, err := indexer.Verify(ctx, r.store, r.index, opts)
	if err == nil && q.Repair && !opts.Repair && !v.OK() {
		if !r.ownSettings(q) {
			return nil, errOtherSettings
		}
		opts.Repair = true
		err = r.keeper.instead(ctx, func(ctx context.Context) (err error) {
			v, err = indexer.Verify(ctx, r.store, r.index, opts)
			return err
		})
	}
	return newVerifyReport(&v, time.Since(start)), err
}

// holder says who works for another process. Without a keeper this process may
// be at work itself: a lease that it has must not be taken for one's own.
func (r *respondent) holder() string {
	if r.keeper == nil {
		return holder() + ", for another"
	}
	return holder()
}

// errOtherSettings: the follower would undo at once what is asked for.
var errOtherSettings = usagef("the process that keeps the index up to date has other settings of search: start it with these")

// rebuild builds the index anew; the old one serves, and follows, meanwhile.
func (r *respondent) rebuild(ctx context.Context, q *question, progress func(int64)) (any, error) {
	if r.keeper != nil && !r.ownSettings(q) {
		return nil, errOtherSettings
	}
	opts := r.a.followOptions(r.opts, r.a.newIndexProgress(true))
	opts.Rebuild, opts.Holder = true, r.holder()
	opts.Progress = func(st indexer.Status) {
		if st.State == indexer.StateBuilding {
			progress(st.Built)
		}
	}
	var report indexReport
	err := r.keeper.instead(ctx, func(ctx context.Context) (err error) {
		report, err = r.a.runIndexer(ctx, r.store, r.index, r.opts, opts)
		return err
	})
	return report, err
}

// updatePause is how often the index is looked at while it catches up.
const updatePause = 20 * time.Millisecond

// update returns when the index has all that the store has now, whoever it is
// in this process that brings it up to date.
func (r *respondent) update(ctx context.Context, progress func(int64)) (any, error) {
	start := time.Now()
	report := indexReport{}
	var err error
	if report.Index, err = r.opts.place(r.a); err != nil {
		return nil, err
	}
	tail, err := r.store.Tail(ctx)
	if err != nil {
		return nil, err
	}
	for looked := start; ; pause(ctx, updatePause) {
		at, err := r.index.Cursor(ctx)
		if err == nil && at.Epoch == tail.Epoch && at.Seq >= tail.Seq {
			report.Cursor, report.Seconds = at.String(), time.Since(start).Seconds()
			return report, nil
		}
		if err != nil && !errors.Is(err, indexer.ErrNoIndex) || ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
		if r.keeper != nil || followed(ctx, r.store, r.opts.name) {
			if time.Since(looked) > time.Second {
				looked = time.Now()
				if st, err := indexer.ReadStatus(ctx, r.store, r.opts.name); err == nil {
					progress(st.Built)
				}
			}
			continue
		}
		opts := r.a.followOptions(r.opts, r.a.newIndexProgress(true))
		opts.Holder = r.holder()
		made, err := r.a.runIndexer(ctx, r.store, r.index, r.opts, opts)
		if !errors.Is(err, catalog.ErrLeased) {
			return made, err
		}
	}
}
