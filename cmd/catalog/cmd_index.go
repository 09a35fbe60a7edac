package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex"
)

const indexLong = `Bring the search index up to date with the store.

The index follows the store's change log, so that only what changed is done
again. It is built anew, beside the one that serves, when there is none, when
the settings that its documents depend on changed (languages, store views), or
when the log no longer reaches back to where it stands. An index can always be
thrown away: the store is the truth.

Several may run: one works, and another takes over when it dies (--wait). Beside
a process that has an embedded index, such as 'serve', it waits until that has
brought the index up to date, or built it anew (--rebuild). A server is asked by
--store http://HOST:PORT.
`

// indexCommand are the flags of catalog index.
type indexCommand struct {
	indexOptions
	follow, rebuild, wait, status, asJSON bool
	noProgress                            bool
}

func newIndexCommand(a *app) *cobra.Command {
	var o indexCommand
	cmd := &cobra.Command{
		Use:     "index",
		Short:   "Bring the search index up to date",
		Long:    indexLong + "\n" + exitHelp,
		Example: "  catalog index\n  catalog index --follow --wait\n  catalog index --status\n  catalog index --rebuild --index-url http://localhost:9200",
		GroupID: "search",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			if o.status {
				return runIndexStatus(ctx, a, &o)
			}
			return runIndex(ctx, a, &o)
		}),
	}
	o.addFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.follow, "follow", false, "stay, and index every change as it is made")
	f.BoolVar(&o.rebuild, "rebuild", false, "build the index anew; the old one serves until then")
	f.BoolVar(&o.wait, "wait", false, "while another process keeps this index, wait for it to end")
	f.BoolVar(&o.status, "status", false, "say how far the index is, and do nothing")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress")
	return cmd
}

// indexReport is what catalog index prints, as JSON with --json.
type indexReport struct {
	Index    string  `json:"index"`
	Rebuilt  bool    `json:"rebuilt"`
	Built    int64   `json:"built"`
	Changes  int64   `json:"changes"`
	Products int64   `json:"products"`
	Live     int64   `json:"live"`
	Dead     int64   `json:"dead_letters"`
	Cursor   string  `json:"cursor"`
	Seconds  float64 `json:"seconds"`
}

func runIndex(ctx context.Context, a *app, o *indexCommand) error {
	a.shares = true
	shown := a.newIndexProgress(o.noProgress)
	var r indexReport
	var err error
	switch {
	case o.follow:
		r, err = o.keep(ctx, a, shown)
	case o.rebuild:
		r, err = o.buildAnew(ctx, a, shown)
	default:
		err = a.withStore(ctx, mustExist, func(s catalog.Store) error {
			if err := a.keepStoreViews(ctx, s); err != nil {
				return err
			}
			r, err = a.bringUpToDate(ctx, s, &o.indexOptions, shown, o.wait)
			return err
		})
	}
	shown.finish()
	var leased *catalog.LeasedError
	if errors.As(err, &leased) {
		return fmt.Errorf("%w: --wait takes over when it ends", err)
	}
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(a.stdout, r)
	}
	if a.global.quiet {
		return nil
	}
	return printIndexed(a, r)
}

// standby is how often one that waits tries to open the index.
const standby = time.Second

// keep has the index to itself: it stays, or builds it anew. With --wait it
// takes over when another process that has it ends.
func (o *indexCommand) keep(ctx context.Context, a *app, shown *indexProgress) (r indexReport, err error) {
	for {
		var keeper *indexKeeper
		if o.follow {
			keeper = newIndexKeeper()
		}
		err = a.withKeptIndex(ctx, &o.indexOptions, mayCreate, keeper, func(s catalog.Store, x indexer.Index) error {
			if err := a.keepStoreViews(ctx, s); err != nil {
				return err
			}
			opts := a.followOptions(&o.indexOptions, shown)
			opts.Follow, opts.Rebuild, opts.Wait = o.follow, o.rebuild, o.wait
			if !o.follow {
				r, err = a.runIndexer(ctx, s, x, &o.indexOptions, opts)
				return err
			}
			opts.Progress = shown.follow()
			return keeper.follow(ctx, func(ctx context.Context) error {
				r, err = a.runIndexer(ctx, s, x, &o.indexOptions, opts)
				opts.Rebuild = opts.Rebuild && !r.Rebuilt
				return err
			})
		})
		if !o.wait || !errors.Is(err, facetindex.ErrLocked) {
			return r, err
		}
		if pause(ctx, standby); ctx.Err() != nil {
			return r, errInterrupted
		}
	}
}

// buildAnew builds the index anew: by the process that has it, if another one
// does.
func (o *indexCommand) buildAnew(ctx context.Context, a *app, shown *indexProgress) (r indexReport, err error) {
	defer a.collectAt(indexPercent)()
	q := &question{What: askRebuild}
	if q.Settings, err = o.own(); err != nil {
		return r, err
	}
	err = a.askAnyone(ctx, &o.indexOptions, q, func(n int64) { shown.ticker.show(n, 0) }, &r, func() (err error) {
		r, err = o.keep(ctx, a, shown)
		return err
	})
	return r, err
}

// bringUpToDate puts all into the index that the store has now: by the process
// that has the index, if another one has it.
func (a *app) bringUpToDate(ctx context.Context, s catalog.Store, o *indexOptions, shown *indexProgress, wait bool) (r indexReport, err error) {
	defer a.collectAt(indexPercent)()
	progress := func(n int64) { shown.ticker.show(n, 0) }
	err = a.askAnyone(ctx, o, &question{What: askUpdate}, progress, &r, func() error {
		x, err := a.openIndex(ctx, o, mayCreate)
		if err != nil {
			return err
		}
		shared := a.shareIndex(ctx, a.newRespondent(s, x, o))
		opts := a.followOptions(o, shown)
		opts.Wait = wait
		r, err = a.runIndexer(ctx, s, x, o, opts)
		shared.stop()
		return errors.Join(err, x.Close())
	})
	return r, err
}

// followOptions turns the flags into those of indexer.Run.
func (a *app) followOptions(o *indexOptions, shown *indexProgress) indexer.Options {
	return indexer.Options{Name: o.name, Holder: holder(), Settings: o.load(), Log: a.log, Progress: shown.show, Workers: a.workers}
}

// runIndexer brings the index up to date.
func (a *app) runIndexer(ctx context.Context, s catalog.Store, x indexer.Index, o *indexOptions, opts indexer.Options) (indexReport, error) {
	url, err := o.place(a)
	if err != nil {
		return indexReport{}, err
	}
	start := time.Now()
	r, err := indexer.Run(ctx, s, x, opts)
	if opts.Follow && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = errInterrupted
	}
	return indexReport{url, r.Rebuilt, r.Built, r.Changes, r.Products, r.Live, r.Dead, r.Cursor.String(), time.Since(start).Seconds()}, err
}

// printIndexed says what was done.
func printIndexed(a *app, r indexReport) error {
	p := &printer{w: a.stdout}
	took := span(time.Duration(r.Seconds * float64(time.Second)))
	switch {
	case r.Rebuilt:
		p.printf("indexed %s products in %s, %s/s: %s\n", count(r.Built), took, count(int64(float64(r.Built)/max(r.Seconds, 1e-3))), r.Index)
	case r.Changes == 0:
		p.printf("the index is up to date: %s\n", r.Index)
	default:
		p.printf("indexed %s changes in %s (%s products, %s prices and stocks): %s\n", count(r.Changes), took, count(r.Products), count(r.Live), r.Index)
	}
	if r.Dead > 0 {
		p.printf("%s products could not be indexed: 'catalog index --status' names them\n", count(r.Dead))
	}
	return p.err
}

// indexStatus is what catalog index --status prints, as JSON with --json.
type indexStatus struct {
	Index       string               `json:"index"`
	Documents   int64                `json:"documents"`
	Units       int64                `json:"units"`
	DiskBytes   int64                `json:"disk_bytes"`
	Status      *indexer.Status      `json:"follower,omitempty"`
	DeadLetters []indexer.DeadLetter `json:"dead_letters"`
}

func runIndexStatus(ctx context.Context, a *app, o *indexCommand) error {
	out, err := ask[indexStatus](ctx, a, &o.indexOptions, &question{What: askStatus}, nil)
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(a.stdout, out)
	}
	p := &printer{w: a.stdout}
	p.printf("index: %s, %s documents, %s units, %s on disk\n", out.Index, count(out.Documents), count(out.Units), size(out.DiskBytes))
	if st := out.Status; st != nil {
		p.printf("lag: %s changes, %.1f seconds; %s since %s\n", count(st.Behind), st.Lag, st.State, st.Updated.Local().Format(time.DateTime))
		if st.Error != "" {
			p.printf("last error: %s\n", st.Error)
		}
	}
	for _, d := range out.DeadLetters {
		p.printf("not indexed: %s since %s: %s\n", d.SKU, d.At.Local().Format(time.DateTime), d.Error)
	}
	return p.err
}
