package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/importer"
)

const importLong = `Import feeds into the store.

A FEED is a file, a glob, a folder (every feed in it), an http(s) or s3 URL, or
- for standard input. Formats are JSON lines, a JSON array, CSV and TSV with a
header, Magento's product CSV, and Parquet, each also compressed by gzip or
zstd; they are recognised by content and name. See 'catalog help feeds'.

Every record has exactly one outcome, and the report's counting closes:

  read = created + updated + unchanged + rejected + merged + duplicates

The last record of a key wins, and a record that is as it was costs a
comparison only. An import that was interrupted, or killed, is repeated by the
same command: what was in already is then unchanged.

Imports of different sources may run at the same time. Of one kind and source
one runs: a second one ends with a message that says who is at it since when.

MODES
  upsert  a record replaces its document (the default); price and stock that
          the record does not mention stay as they are
  patch   a record is merged into its document (RFC 7396); a key that the store
          does not have is a reject
  sync    upsert, then delete what this --source imported before and no longer
          has, unless a guard refuses it
  delete  a record's key names what to delete

GUARDS
  Limits are a count (100), a share (2%) or none.
  --max-rejects       stop early when more records than this are rejected
  --max-unreadable    sync deletes nothing when more records than this could
                      not be read, for their keys are unknown
  --max-delete        sync deletes nothing when it would be more of the
                      source's records than this
  --max-price-change  prices stay as they are when more of them than this would
                      change by more than half, or become 0
`

const importExample = `  catalog import products.jsonl.gz
  catalog import --mode sync --source erp --rejects rejects.jsonl nightly/
  catalog import --kind prices --source erp prices.csv
  catalog import --map supplier.yaml --source supplier https://example.com/feed.json
  zcat feed.gz | catalog import --dry-run --report - -q -`

// importOptions are the flags of catalog import.
type importOptions struct {
	kind, mode, source  string
	input               importer.Input
	mapFile, sku        string
	schema              string
	guards              importer.Guards
	dryRun, noProgress  bool
	rejects, reportFile string
	workers             int
	tempDir             string
	feedCache           string
	batchBytes          int64
	noTidy              bool
	index               importIndex
}

func (o *importOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.kind, "kind", "products", "what the records are: products, prices, stock, categories or attributes")
	f.StringVar(&o.mode, "mode", "upsert", "what they do: upsert, patch, sync or delete")
	f.StringVar(&o.source, "source", "default", "`NAME` of who sends the feed and owns its records")
	addInputFlags(cmd, &o.input)
	f.StringVar(&o.mapFile, "map", "", "mapping `FILE` (YAML or JSON) for a feed with fields of its own; 'catalog inspect' suggests one")
	f.StringVar(&o.sku, "sku", "", "the `FIELD` that is the SKU, for a feed that needs no other mapping")
	f.StringVar(&o.schema, "schema", "", "reject records that do not satisfy this JSON Schema `FILE`")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would happen and change nothing")
	f.StringVar(&o.rejects, "rejects", "", "write rejected records to `FILE`, to be corrected and imported again")
	f.Var(limitValue{&o.guards.MaxRejects, "none"}, "max-rejects", "stop above this many rejects")
	f.Var(limitValue{&o.guards.MaxUnreadable, "0"}, "max-unreadable", "refuse sync's deletes above this many unreadable records; not one if not given")
	f.Var(limitValue{&o.guards.MaxDelete, "10%"}, "max-delete", "refuse sync's deletes above this many of the source's records")
	f.Var(limitValue{&o.guards.MaxPriceChange, "5%"}, "max-price-change", "refuse prices when more than this change by more than half, or become 0")
	f.StringVar(&o.reportFile, "report", "", "write the report as JSON to `FILE`, - for standard output")
	f.IntVar(&o.workers, "workers", 0, "decoding `N` goroutines; 0: one per processor")
	f.StringVar(&o.tempDir, "temp-dir", "", "`DIR` for temporary files; the system's if empty")
	f.StringVar(&o.feedCache, "feed-cache", "", "`DIR` that remembers what records came to, so that what is byte for byte the same next night is not parsed again; beside an embedded store if empty, none: do without")
	f.Int64Var(&o.batchBytes, "batch-bytes", 0, "write about this many `BYTES` at a time; 0: 48 MiB")
	f.BoolVar(&o.noTidy, "no-tidy", false, "end when all is in; after a large import do not tidy the store's files")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress")
	o.index.addFlags(cmd)
	completeWords(cmd, "kind", kindNames()...)
	completeWords(cmd, "mode", "upsert", "patch", "sync", "delete")
}

// addInputFlags adds the flags that say how to read a feed.
func addInputFlags(cmd *cobra.Command, in *importer.Input) {
	f := cmd.Flags()
	f.StringVar(&in.Format, "format", "", "jsonl, json, csv, tsv, magento or parquet; recognised if empty")
	f.StringVar(&in.Encoding, "encoding", "", "of CSV: utf-8, utf-16 or windows-1252; utf-8 if empty")
	f.StringVar(&in.Delimiter, "delimiter", "", "of CSV, one `CHARACTER`; found in the header if empty")
	completeWords(cmd, "format", "jsonl", "json", "csv", "tsv", "magento", "parquet")
	completeWords(cmd, "encoding", "utf-8", "utf-16", "windows-1252")
}

func newImportCommand(a *app) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:     "import FEED…",
		Short:   "Import feeds into the store",
		Long:    importLong + "\n" + exitHelp,
		Example: importExample,
		GroupID: "feeds",
		Args:    atLeastOne("FEED"),
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runImport(ctx, a, o, args)
		}),
	}
	o.addFlags(cmd)
	return cmd
}

// runImport imports feeds, shows the report and returns what the exit status
// is decided by.
func runImport(ctx context.Context, a *app, o importOptions, feeds []string) error {
	opts, err := o.options(a, feeds)
	if err != nil {
		return err
	}
	if o.rejects == "-" && o.reportFile == "-" {
		return usagef("--rejects and --report cannot both be standard output")
	}
	var rejects *outFile
	if o.rejects != "" {
		if rejects, err = a.create(o.rejects); err != nil {
			return fmt.Errorf("rejects: %w", err)
		}
		defer rejects.discard()
		opts.Rejects = rejects
	}
	shown := a.newProgress(o.noProgress)
	if shown != nil {
		opts.Progress = shown.show
	}
	untune := sync.OnceFunc(tuneForBulk(a))
	defer untune()
	mode := mayCreate
	if o.dryRun {
		mode = orEmpty
	}
	a.shares = true
	var report *importer.Report
	err = a.withStore(ctx, mode, func(s catalog.Store) error {
		if !o.dryRun {
			if err := a.keepStoreViews(ctx, s); err != nil {
				return err
			}
		}
		var err error
		report, err = importer.Run(ctx, s, opts)
		if !o.dryRun && ctx.Err() == nil && o.index.follows(a, err) {
			shown.finish()
			untune()
			var ierr error
			report.IndexSeconds, ierr = a.afterImport(ctx, s, &o.index, o.noProgress)
			err = errors.Join(err, ierr)
		}
		if !o.dryRun && !o.noTidy && ctx.Err() == nil && !errors.Is(err, importer.ErrUsage) {
			shown.finish()
			report.TidySeconds = a.tidy(ctx, s)
		}
		return err
	})
	shown.finish()
	if report == nil || errors.Is(err, importer.ErrUsage) {
		return err
	}
	if rejects != nil {
		// However the import ended: these records were rejected.
		err = errors.Join(err, rejects.commit())
	}
	return finishImport(a, o, report, err)
}

// tidy compacts a store that a large import has left in many layers, and says
// how many seconds that took. All that was imported is safe before it begins,
// so neither an interruption nor a failure of it changes how the import ended.
func (a *app) tidy(ctx context.Context, s catalog.Store) float64 {
	c, ok := s.(catalog.Compacter)
	if !ok || !c.Untidy() {
		return 0
	}
	start := time.Now()
	if !a.global.quiet {
		fmt.Fprintln(a.stderr, "All is in and safe. Tidying the store's files, so that reading is fast; Ctrl-C does no harm …")
	}
	if err := c.Compact(ctx); err != nil && ctx.Err() == nil {
		a.log.Warn("the store was not tidied: catalog compact tries again", "err", err)
	}
	return time.Since(start).Seconds()
}

// finishImport tells the outcome to people and to --report.
func finishImport(a *app, o importOptions, report *importer.Report, err error) error {
	if o.reportFile != "" {
		data, jerr := json.MarshalIndent(report, "", "  ")
		if jerr == nil {
			jerr = a.writeAtomic(o.reportFile, append(data, '\n'))
		}
		if jerr != nil {
			return errors.Join(err, fmt.Errorf("report: %w", jerr))
		}
	}
	// Of an import that failed before it read anything the error says it all.
	if started := report.Status != "failed" || report.Read > 0; started && !a.global.quiet {
		w := a.stdout
		if o.reportFile == "-" || o.rejects == "-" {
			w = a.stderr
		}
		if perr := printReport(w, report, o.rejects); perr != nil {
			return errors.Join(err, perr)
		}
	}
	if err == nil && (report.Rejected > 0 || report.Status == "rejects") {
		return reported{errRejects}
	}
	if errors.Is(err, importer.ErrRefused) && !a.global.quiet {
		return reported{err}
	}
	return err
}

// options turns the flags into the importer's options.
func (o importOptions) options(a *app, feeds []string) (importer.Options, error) {
	kind, err := catalog.ParseKind(o.kind)
	if err != nil {
		return importer.Options{}, usagef("--kind: %w", err)
	}
	if !slices.Contains([]string{"upsert", "patch", "sync", "delete"}, o.mode) {
		return importer.Options{}, usagef("--mode %q: use upsert, patch, sync or delete", o.mode)
	}
	if o.source == "" {
		return importer.Options{}, usagef("--source is empty")
	}
	if o.batchBytes < 0 {
		return importer.Options{}, usagef("--batch-bytes %d is negative", o.batchBytes)
	}
	if o.workers < 0 {
		return importer.Options{}, usagef("--workers %d is negative", o.workers)
	}
	opts := importer.Options{
		Feeds: feeds, Kind: kind, Mode: importer.Mode(o.mode), Source: o.source,
		Input: o.input, SKU: o.sku, Guards: o.guards, DryRun: o.dryRun,
		Workers: o.workers, BatchBytes: o.batchBytes, TempDir: o.tempDir, Stdin: a.stdin,
		FeedCache: o.feedCacheDir(a), Holder: holder(),
	}
	opts.Input.Delimiter = unescapeDelimiter(o.input.Delimiter)
	if opts.Mapping, err = readOption("--map", o.mapFile); err != nil {
		return opts, err
	}
	opts.Schema, err = readOption("--schema", o.schema)
	return opts, err
}

// feedCacheDir returns the folder that remembers feeds; "" for none.
func (o importOptions) feedCacheDir(a *app) string {
	switch dir, embedded := strings.CutPrefix(a.global.store, "pebble:"); {
	case o.feedCache == "none":
		return ""
	case o.feedCache != "" || !embedded:
		return o.feedCache
	default:
		return filepath.Clean(strings.TrimPrefix(dir, "//")) + ".feeds"
	}
}

// readOption reads the file that a flag names, if it names one.
func readOption(flag, path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("%s: %w", flag, err)
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil, usagef("%s: %s is empty", flag, path)
	}
	return data, nil
}

// unescapeDelimiter lets a shell's user write a tab.
func unescapeDelimiter(s string) string {
	if s == `\t` || s == "tab" {
		return "\t"
	}
	return s
}

// kindNames lists the kinds as flags take them.
func kindNames() []string {
	var names []string
	for _, k := range catalog.Kinds() {
		names = append(names, k.Plural())
	}
	return names
}

// completeWords offers words for the value of a flag in the shell.
func completeWords(cmd *cobra.Command, flag string, words ...string) {
	// The only error is a flag that does not exist, which a test would find.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}
