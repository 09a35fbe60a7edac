package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/importer"
	"catalog/indexer/facetindex"
)

// importIndex is the index that an import leaves up to date.
type importIndex struct {
	indexOptions
	none bool
}

func (o *importIndex) addFlags(cmd *cobra.Command) {
	o.indexOptions.addFlags(cmd)
	cmd.Flags().BoolVar(&o.none, "no-index", false, "leave the search index as it is; 'catalog index' catches up")
}

// follows reports whether the index is to follow an import that ended so.
func (o *importIndex) follows(a *app, err error) bool {
	if o.none || err != nil && !errors.Is(err, importer.ErrRefused) && !errors.Is(err, importer.ErrTooManyRejects) {
		return false
	}
	_, err = o.place(a)
	return err == nil || o.behindServer(a) // a store in memory has no index beside it
}

// indexPercent is how much garbage the making of an index may leave, of what it
// uses: most of that are tables in which a collection has nothing to look for.
const indexPercent = 40

// afterImport brings the index up to date with what was imported, and says how
// many seconds that took. What was imported is safe whatever becomes of it.
func (a *app) afterImport(ctx context.Context, s catalog.Store, o *importIndex, noProgress bool) (seconds float64, err error) {
	start := time.Now()
	shown := a.newIndexProgress(noProgress)
	_, err = a.bringUpToDate(ctx, s, &o.indexOptions, shown, false)
	shown.finish()
	var usage usageError
	switch {
	case err == nil:
	case errors.Is(err, catalog.ErrLeased), errors.Is(err, facetindex.ErrLocked) && followed(ctx, s, o.name):
		// Somebody follows the log already: it will be there in a moment.
		a.log.Info("another process keeps the search index up to date", "index", o.name)
		err = nil
	case o.behindServer(a) && errors.As(err, &usage): // it has none
		err = nil
	case ctx.Err() != nil:
		err = fmt.Errorf("all is imported; the search index was interrupted, 'catalog index' goes on: %w", err)
	default:
		err = fmt.Errorf("all is imported, but not indexed: 'catalog index' tries again: %w", err)
	}
	return time.Since(start).Seconds(), err
}

// followed reports whether somebody keeps the index of that name up to date.
func followed(ctx context.Context, s catalog.Store, name string) bool {
	leases, err := s.Leases(ctx)
	return err == nil && slices.ContainsFunc(leases, func(l catalog.LeaseInfo) bool { return l.Name == "index/"+name })
}
