package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"catalog/placeholder"
	"catalog/placeholder/ledger"
)

const pruneLong = `Remove the least recently used placeholders from the shop: by age, by count, or
both. Run it from cron or a systemd timer; only one runs at a time, and it may
be killed at any moment, since each small transaction is whole.

It keeps what a cart holds that may still be ordered, what an order holds that
is not complete, closed or cancelled, what is on a wish list, what was used
within the grace time, and what the merchant edited. Orders do not need their
products any more once they are over. The report says how many were kept, and
why.

It gives way to shoppers: when a transaction takes long, the next ones are
smaller, and one at a time. With --pause it rests after each.

The exit status is 4 when another prune is running.

` + shopHelp

const pruneExample = `  catalog prune --unused-for 31d
  catalog prune --keep 50000 --dry-run
  catalog prune --unused-for 31d --keep 50000 --report prune.json --quiet`

// pruneOptions are the flags of catalog prune.
type pruneOptions struct {
	shopOptions
	unusedFor, grace days
	keep             int64
	dry, asJSON      bool
	pause            time.Duration
	workers          int
	extra            []string
	report           string
}

func newPruneCommand(a *app) *cobra.Command {
	o := pruneOptions{grace: days(placeholder.DefaultGrace)}
	cmd := &cobra.Command{
		Use:     "prune",
		Short:   "Remove placeholders that nobody used for long",
		Long:    pruneLong + "\n" + exitHelp,
		Example: pruneExample,
		GroupID: "shop",
		Args:    args(cobra.NoArgs),
	}
	cmd.RunE = a.action(func(ctx context.Context, _ []string) error { return runPrune(ctx, a, o) })
	f := cmd.Flags()
	o.addFlags(f)
	f.Var(&o.unusedFor, "unused-for", "remove what was not used for so long: 31d, 2w, 36h")
	f.Int64Var(&o.keep, "keep", -1, "remove the least recently used beyond this many; -1: not by count")
	f.Var(&o.grace, "grace", "never remove what was used within this time")
	f.BoolVar(&o.dry, "dry-run", false, "say what would happen and change nothing")
	f.DurationVar(&o.pause, "pause", 0, "rest between transactions")
	f.IntVar(&o.workers, "workers", placeholder.DefaultPruneWorkers, "transactions at once, while the database is not busy and there is no --pause")
	f.StringArrayVar(&o.extra, "extra-keep", nil, "a `QUERY` that gives entity ids to keep, of an extension's tables")
	f.BoolVar(&o.asJSON, "json", false, "print the report as JSON")
	f.StringVar(&o.report, "report", "", "write the report as JSON to `FILE` as well, - for standard output")
	return cmd
}

// runPrune removes placeholders and reports.
func runPrune(ctx context.Context, a *app, o pruneOptions) error {
	config := placeholder.PruneConfig{
		UnusedFor: time.Duration(o.unusedFor), ByCount: o.keep >= 0, Keep: max(o.keep, 0), Grace: time.Duration(o.grace),
		Dry: o.dry, Pause: o.pause, Workers: o.workers, Extra: o.extra,
	}
	if config.UnusedFor == 0 && !config.ByCount {
		return usagef("what shall go? Use --unused-for, --keep or both")
	}
	if err := config.Validate(); err != nil {
		return usageError{err}
	}
	return o.withShop(ctx, func(shop *ledger.Shop) error {
		report, err := placeholder.Prune(ctx, shop, config)
		if errors.Is(err, placeholder.ErrLocked) {
			return refusedError{err}
		}
		return errors.Join(err, writePruneReport(a, o, report))
	})
}

func writePruneReport(a *app, o pruneOptions, r placeholder.PruneReport) error {
	if o.report != "" {
		data, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := a.writeAtomic(o.report, append(data, '\n')); err != nil {
			return err
		}
	}
	switch {
	case o.asJSON:
		return printJSON(a.stdout, r)
	case a.global.quiet || o.report == "-":
		return nil
	}
	out := &printer{w: a.stdout}
	verb := "removed"
	if r.Dry {
		verb = "would have removed"
	}
	out.printf("%s %s of %s placeholders in %s\n", verb, count(r.Removed), count(r.Before), span(time.Duration(r.Seconds*float64(time.Second))))
	for _, why := range slices.Sorted(maps.Keys(r.Kept)) {
		out.printf("  kept %s: %s\n", count(r.Kept[why]), keepText(why))
	}
	if r.Quotes > 0 {
		out.printf("  %s stale carts lost a line\n", count(r.Quotes))
	}
	return out.err
}

// keepText says why a placeholder was kept.
func keepText(k placeholder.Keep) string {
	switch k {
	case placeholder.KeepCart:
		return "in a cart that may be ordered"
	case placeholder.KeepOrder:
		return "in an order that is not over"
	case placeholder.KeepWishlist:
		return "on a wish list"
	case placeholder.KeepUsed:
		return "just used"
	case placeholder.KeepEdited:
		return "edited by the merchant"
	case placeholder.KeepHighest:
		return "has the highest entity id, until there is a higher one"
	case placeholder.KeepExtra:
		return "named by --extra-keep"
	case placeholder.KeepGone:
		return "was gone already"
	}
	return fmt.Sprintf("%q", string(k))
}
