package importer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/importer/internal/feed"
	"catalog/importer/internal/manifest"
	"catalog/importer/internal/mapping"
)

// Run imports feeds into store and accounts for every record. The report is
// never nil, also when there is an error, and is kept in the store unless
// DryRun is set. Errors that callers tell apart: ErrRefused (a guard held
// something back; what was not is in), ErrTooManyRejects, ErrUsage, the
// context's; errors of the store and of reading feeds as they are.
//
// An import may be killed at any moment and started again: what is in already
// costs only the comparison.
func Run(ctx context.Context, store catalog.Store, o Options) (*Report, error) {
	if l, ok := store.(catalog.Loader); ok {
		defer l.Hold()()
	}
	r := newRun(store, o)
	defer r.close()
	err := r.run(ctx)
	return r.finish(ctx, err), err
}

// run is one import while it is under way.
type run struct {
	o     Options
	store catalog.Store
	acc   account
	prog  progress
	rej   rejects

	inputs  []*input
	mapping *mapping.Mapping
	schema  *schema

	had       int64 // records of the kinds that the feed is about, before
	hadPrices int64
	man       *manifest.Manifest
	full      bool                   // the manifest has digests and variants, not keys alone
	drop      manifest.Bits          // records that a later one replaces
	same      manifest.Bits          // records whose product, price and stock the store has as they are
	group     manifest.Bits          // rows that are folded with others
	total     int64                  // records, as far as the survey could see
	todo      int64                  // records neither dropped nor the same
	dropped   int64                  // records that a later one replaces
	gone      map[catalog.Kind]*gone // what the join found missing; nil without a join
	again     again                  // what a further pass has to look at
	unlike    int64                  // bodies in a row that meant something else than the stored ones (alike.go)

	recall recall // what the feed's records came to last time

	once *once   // while the feed is read once
	mend *mender // nil: there is nothing to be mended

	spool *spool
	kept  *keptFile // what the inputs' kept records are in
}

// input is an opened feed and the place of its records in the whole.
type input struct {
	*feed.Input
	reader feed.Reader
	kept   *kept // what a pass kept for those that follow; nil: nothing
	base   int64 // added to the feed's ordinals
	next   int64 // the first ordinal after its last; set by the first pass
	before int64 // bytes of the inputs before it
	report FeedReport
	mu     sync.Mutex
	cut    error // why the input ended too early, or has holes
}

// damaged notes that not all of the input could be read.
func (in *input) damaged(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.report.Truncated = true
	if in.cut == nil {
		in.cut = err
	}
}

func newRun(store catalog.Store, o Options) *run {
	if o.Kind == 0 {
		o.Kind = catalog.KindProduct
	}
	if o.Mode == "" {
		o.Mode = Upsert
	}
	if o.Source == "" {
		o.Source = "default"
	}
	if o.Holder == "" {
		o.Holder = "a process"
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.BatchBytes <= 0 {
		o.BatchBytes = batchBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &run{o: o, store: store}
	r.acc.start(o)
	r.rej = rejects{w: o.Rejects, acc: &r.acc}
	r.prog.begin(o.Progress, &r.acc)
	if o.DryRun {
		r.store = &dryStore{Store: store}
	}
	return r
}

func (r *run) close() {
	r.prog.end()
	for _, in := range r.inputs {
		if in.reader != nil {
			_ = in.reader.Close()
		}
		_ = in.Close()
	}
	if r.man != nil {
		r.man.Close()
	}
	r.spool.close()
	r.kept.close()
	r.recall.close()
}

func (r *run) run(ctx context.Context) error {
	if err := r.prepare(); err != nil {
		return err
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	return r.alone(ctx, r.work)
}

// work imports what was opened.
func (r *run) work(ctx context.Context) error {
	if err := r.count(ctx); err != nil {
		return err
	}
	enough, err := r.loadOnce(ctx)
	if err == nil && !enough {
		err = r.loadTwice(ctx)
	}
	if err != nil {
		return err
	}
	if err := r.rej.flush(); err != nil {
		return err
	}
	if r.o.Mode == Sync {
		if err := r.sweep(ctx); err != nil {
			return err
		}
	}
	if in := r.truncated(); in != nil && r.o.Mode != Sync {
		return fmt.Errorf("%s ends too early (what could be read is in): %w", in.Name, in.cut)
	}
	if len(r.acc.rep.Refused) > 0 {
		return ErrRefused
	}
	return nil
}

// loadTwice reads the feeds first to see what there is, then to write it.
func (r *run) loadTwice(ctx context.Context) error {
	if err := r.openMend(ctx); err != nil {
		return err
	}
	if err := r.survey(ctx); err != nil {
		return err
	}
	if err := r.guardPrices(ctx); err != nil {
		return err
	}
	if err := r.load(ctx); err != nil {
		return err
	}
	return r.settle(ctx)
}

func (r *run) prepare() error {
	switch r.o.Mode {
	case Upsert, Patch, Sync, Delete:
	default:
		return fmt.Errorf("%w: unknown mode %q: use upsert, patch, sync or delete", ErrUsage, r.o.Mode)
	}
	if len(r.o.Feeds) == 0 {
		return fmt.Errorf("%w: no feed is named", ErrUsage)
	}
	var err error
	switch {
	case len(r.o.Mapping) > 0 && r.o.SKU != "":
		return fmt.Errorf("%w: a mapping file and --sku exclude each other", ErrUsage)
	case len(r.o.Mapping) > 0:
		if r.mapping, err = mapping.Parse(r.o.Mapping); err != nil {
			return fmt.Errorf("%w: mapping: %w", ErrUsage, err)
		}
	case r.o.SKU != "" && r.o.SKU != "sku":
		if r.mapping, err = mapping.BySKU(r.o.SKU); err != nil {
			return fmt.Errorf("%w: --sku: %w", ErrUsage, err)
		}
	}
	if len(r.o.Schema) > 0 {
		if r.schema, err = compileSchema(r.o.Schema); err != nil {
			return fmt.Errorf("%w: schema: %w", ErrUsage, err)
		}
	}
	return nil
}

// open finds and recognises the feeds.
func (r *run) open(ctx context.Context) error {
	r.prog.phase("opening", 0)
	found, err := feed.Expand(ctx, r.o.Feeds, feed.Options{
		Format: r.o.Input.Format, Encoding: r.o.Input.Encoding, Delimiter: r.o.Input.Delimiter,
		TempDir: r.o.TempDir, Stdin: r.o.Stdin, Header: r.o.Input.Header,
		Spooled: func(name string, bytes int64) { r.prog.at(name, bytes) },
	})
	if err != nil {
		return shape(err)
	}
	for _, f := range found {
		r.inputs = append(r.inputs, &input{Input: f, report: FeedReport{Name: f.Name}})
	}
	var bytes int64
	for _, in := range r.inputs {
		if in.reader, err = in.Open(ctx); err != nil {
			return shape(err)
		}
		in.before = bytes
		bytes += in.Size
		in.report.Format, in.report.Compression, in.report.Bytes = in.Format, in.Compression, in.Size
	}
	r.prog.bytes = bytes
	return nil
}

// shape marks the errors of feeds that are not what they should be, and that
// no further try will mend, as ErrUsage.
func shape(err error) error {
	if feed.Misshapen(err) {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return err
}

// truncated returns the first input that ended too early.
func (r *run) truncated() *input {
	for _, in := range r.inputs {
		if in.report.Truncated {
			return in
		}
	}
	return nil
}

// finish completes the report and keeps it.
func (r *run) finish(ctx context.Context, err error) *Report {
	r.prog.end()
	if ferr := r.rej.flush(); ferr != nil && err == nil {
		err = ferr
	}
	for _, in := range r.inputs {
		r.acc.rep.Feeds = append(r.acc.rep.Feeds, in.report)
	}
	rep := r.acc.finish(err)
	if r.o.DryRun || errors.Is(err, ErrUsage) || errors.Is(err, catalog.ErrLeased) {
		return rep
	}
	// The report of an interrupted import is kept as well.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	kerr := keepReport(ctx, r.store, rep)
	if kerr == nil {
		kerr = keepRejects(ctx, r.store, rep, r.acc.rejected)
	}
	if kerr != nil && rep.Error == "" {
		rep.Error = kerr.Error()
	}
	return rep
}
