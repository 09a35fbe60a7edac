package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/catalog/copystore"
)

const copyLong = `Copy a whole catalog from one store to another, of whatever kind each is: the
records of all kinds with the sources that own them, the store views, and what
else is kept beside them. FROM and TO are URLs as --store has them.

The source may change all the time. The copy takes what is there, then follows
the source's change log to its tail, then compares every record of both stores:
counts and digests of each kind, and the target's bodies, read again. What
differs is copied once more; what then still differs is a fault, and the exit
status 1.

The target must be empty, unless it is a copy of this source. The same command
again goes on with a copy that was interrupted or killed, and brings one that is
whole up to date. So to move a shop: copy while all goes on; end what writes to
the source; copy again, which takes a short time; start everything with the new
--store. Let nobody else write to the target before that.

The target's change log is its own: an index of it, and whatever else followed
the source, is made anew by itself. Rejects and reports of imports come along.

A copy that was not finished leaves a follower in the source, for which it keeps
its log; --abandon takes that away, and the target's records stay.
`

// copyOptions are the flags of catalog copy.
type copyOptions struct {
	overwrite, abandon bool
	batchBytes         int
	reportFile         string
	noProgress, noTidy bool
}

func newCopyCommand(a *app) *cobra.Command {
	var o copyOptions
	cmd := &cobra.Command{
		Use:     "copy FROM TO",
		Short:   "Copy a whole catalog into another store",
		Long:    copyLong + "\n" + exitHelp,
		Example: "  catalog copy pebble:./data mongodb://db1,db2,db3/shop?replicaSet=rs0\n  catalog copy http://catalog:8080 pebble:./mirror",
		GroupID: "store",
		Args:    args(cobra.ExactArgs(2)),
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runCopy(ctx, a, args[0], args[1], o)
		}),
	}
	f := cmd.Flags()
	f.BoolVar(&o.overwrite, "overwrite", false, "make the target a copy whatever it holds: delete from it what the source does not have")
	f.BoolVar(&o.abandon, "abandon", false, "give up a copy that was not finished")
	f.IntVar(&o.batchBytes, "batch-bytes", 0, "write about this many `BYTES` at a time; 0: 32 MiB")
	f.StringVar(&o.reportFile, "report", "", "write the report as JSON to `FILE`, - for standard output")
	f.BoolVar(&o.noTidy, "no-tidy", false, "end when all is in; do not tidy the target's files")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress")
	return cmd
}

// openAt opens the store at a URL that is no --store.
func (a *app) openAt(ctx context.Context, url string, mode openMode) (catalog.Store, error) {
	other := *a
	other.global.store = url
	other.shares = true
	return other.openStore(ctx, mode)
}

func runCopy(ctx context.Context, a *app, source, target string, o copyOptions) (err error) {
	if o.batchBytes < 0 {
		return usagef("--batch-bytes: a size is not below 0")
	}
	from, err := a.openAt(ctx, source, mustExist)
	if err != nil {
		return fmt.Errorf("copy: source: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	mode := mayCreate
	if o.abandon {
		mode = mustExist
	}
	to, err := a.openAt(ctx, target, mode)
	if err != nil {
		return fmt.Errorf("copy: target: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if o.abandon {
		if err := copystore.Abandon(ctx, from, to); errors.Is(err, catalog.ErrNotFound) {
			return usagef("there is no unfinished copy from %s to %s", source, target)
		} else if err != nil {
			return err
		}
		return nil
	}
	shown := a.newTicker("copying", o.noProgress)
	report, err := copystore.Run(ctx, from, to, copystore.Options{
		Overwrite: o.overwrite, BatchBytes: o.batchBytes, Holder: holder(), Logger: a.log,
		Progress: func(p copystore.Progress) {
			shown.what = map[string]string{
				copystore.PhaseRecords: "copying", copystore.PhaseLog: "following", copystore.PhaseCheck: "comparing",
			}[p.Phase]
			shown.show(p.Done, p.Total)
		},
	})
	shown.finish()
	if err == nil && !o.noTidy {
		a.tidy(ctx, to)
	}
	return finishCopy(a, o, report, copyAdvice(err))
}

// copyAdvice tells what to do about a target that was refused.
func copyAdvice(err error) error {
	switch {
	case errors.Is(err, copystore.ErrNotEmpty), errors.Is(err, copystore.ErrOther), errors.Is(err, copystore.ErrWritten):
		return usageError{fmt.Errorf("%w: name an empty one, or --overwrite to lose what it has", err)}
	case errors.Is(err, copystore.ErrSame):
		return usageError{fmt.Errorf("%w, or one is a plain copy of the other's files", err)}
	}
	return err
}

// finishCopy tells the outcome to people and to --report.
func finishCopy(a *app, o copyOptions, r *copystore.Report, err error) error {
	if o.reportFile != "" {
		data, jerr := json.MarshalIndent(r, "", "  ")
		if jerr == nil {
			jerr = a.writeAtomic(o.reportFile, append(data, '\n'))
		}
		if jerr != nil {
			return errors.Join(err, fmt.Errorf("report: %w", jerr))
		}
	}
	if a.global.quiet || o.reportFile == "-" || r.Status == "failed" {
		return err
	}
	return errors.Join(err, printCopied(a.stdout, r))
}

// printCopied writes the report for people.
func printCopied(w io.Writer, r *copystore.Report) error {
	p := &printer{w: w}
	verb := map[string]string{"ok": "copied", "differs": "copied, but not alike,", "interrupted": "interrupted while copying"}[r.Status]
	p.printf("%s %s to %s in %s\n\n", verb, r.From, r.To, span(time.Duration(r.Seconds*float64(time.Second))))
	rows := [][]string{{"", "read", "created", "updated", "unchanged", "deleted", "in source", "in target"}}
	for _, k := range r.Kinds {
		kind, err := catalog.ParseKind(k.Kind)
		if err != nil || k.Read+k.Created+k.Updated+k.Unchanged+k.Deleted+k.SourceCount+k.TargetCount == 0 {
			continue
		}
		row := []string{kind.Plural()}
		for _, n := range []int64{k.Read, k.Created, k.Updated, k.Unchanged, k.Deleted, k.SourceCount, k.TargetCount} {
			row = append(row, count(n))
		}
		rows = append(rows, row)
	}
	p.printf("%s", table(rows, 1))
	if r.Changes > 0 {
		p.printf("\nchanges followed: %s\n", count(r.Changes))
	}
	if r.Corrected > 0 {
		p.printf("copied again by the comparison: %s\n", count(r.Corrected))
	}
	if r.Moving > 0 {
		p.printf("still changing: %s; the same command again copies them\n", count(r.Moving))
	}
	for _, f := range r.Examples {
		p.printf("fault: %s %s %s\n", f.Kind, f.Key, f.What)
	}
	if r.Status == "ok" {
		p.printf("\nThe counts and digests of all kinds are the same on both sides.\n")
	}
	return p.err
}
