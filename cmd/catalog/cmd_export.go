package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/importer/export"
)

const exportLong = `Write the store's records as a feed. What import reads back gives the same
store.

Attributes and categories come first, then all that is known by a SKU: each
product as a document with its price and stock in it. Records of other kinds,
and prices and stock without a product, are lines of their own, marked by their
first member "$kind". With one --kind the feed has the bare records of that
kind, to be imported with the same --kind: products without price and stock.
With --kind products,prices the prices are in the products, and so on.

--canonical writes equal records as equal bytes: members sorted, numbers and
strings in one spelling. Two stores are equal if their canonical exports are.

CSV has typed headers (weight:number, tags:json); CSV and Parquet read the
store twice, first to find the columns. Let nothing write meanwhile if the
export shall be of one moment.
`

// exportOptions are the flags of catalog export.
type exportOptions struct {
	output      string
	format      string
	compression string
	kinds       []string
	prefix      string
	canonical   bool
	noProgress  bool
}

func (o *exportOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	addOutputFlags(cmd, &o.output, &o.format, &o.compression, "jsonl", "json", "csv", "tsv", "parquet")
	f.StringSliceVar(&o.kinds, "kind", nil, "only these `KINDS`: products, prices, stock, categories, attributes")
	f.StringVar(&o.prefix, "prefix", "", "only records whose key starts with `TEXT`")
	f.BoolVar(&o.canonical, "canonical", false, "equal records as equal bytes")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress")
	completeWords(cmd, "kind", kindNames()...)
}

// addOutputFlags adds the flags that say where a feed goes and how.
func addOutputFlags(cmd *cobra.Command, output, format, compression *string, formats ...string) {
	f := cmd.Flags()
	f.StringVarP(output, "output", "o", "-", "write to `FILE`, - for standard output")
	f.StringVar(format, "format", "", strings.Join(formats, ", ")+"; by the file's name if empty, else jsonl")
	f.StringVar(compression, "compression", "", "gzip, zstd or none; by the file's name if empty")
	completeWords(cmd, "format", formats...)
	completeWords(cmd, "compression", "gzip", "zstd", "none")
}

func newExportCommand(a *app) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:     "export",
		Short:   "Write the store's records as a feed",
		Long:    exportLong + "\n" + exitHelp,
		Example: "  catalog export -o backup.jsonl.zst\n  catalog export --canonical | sha256sum\n  catalog export --kind prices --prefix 24- --format csv -o prices.csv",
		GroupID: "feeds",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			return runExport(ctx, a, o)
		}),
	}
	o.addFlags(cmd)
	return cmd
}

// runExport writes the feed; a file appears only when it is whole.
func runExport(ctx context.Context, a *app, o exportOptions) error {
	opts := export.Options{Prefix: catalog.Key(o.prefix), Canonical: o.canonical}
	opts.Format, opts.Compression = byName(o.output, o.format, o.compression)
	for _, name := range o.kinds {
		kind, err := catalog.ParseKind(name)
		if err != nil {
			return usagef("--kind: %w", err)
		}
		opts.Kinds = append(opts.Kinds, kind)
	}
	if o.output == "-" && terminalWidth(a.stdout) > 0 && (opts.Compression != "" || opts.Format == "parquet") {
		return usagef("a terminal cannot show %s: name a file by -o", strings.TrimSpace(opts.Format+" "+opts.Compression))
	}
	defer tuneForBulk(a)()
	a.shares = true
	return a.withStore(ctx, mustExist, func(s catalog.Store) error {
		out, err := a.create(o.output)
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		defer out.discard()
		shown := a.newTicker("export", o.noProgress || o.output == "-" && terminalWidth(a.stdout) > 0)
		opts.Progress = func(lines, _ int64) { shown.show(lines, 0) }
		counts, err := export.Run(ctx, s, out, opts)
		shown.finish()
		if errors.Is(err, export.ErrOptions) {
			return usageError{err}
		}
		if err != nil {
			return err
		}
		if err := out.commit(); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		if a.global.quiet || o.output == "-" {
			return nil
		}
		return printExported(a, o.output, counts, shown.since())
	})
}

// printExported says what was written.
func printExported(a *app, path string, counts export.Counts, took time.Duration) error {
	p := &printer{w: a.stdout}
	p.printf("wrote %s lines to %s in %s\n", count(counts.Lines), path, span(took))
	var rows [][]string
	for _, kind := range catalog.Kinds() {
		if n := counts.Records[kind]; n > 0 {
			rows = append(rows, []string{"  " + kind.Plural(), count(n)})
		}
	}
	p.printf("%s", table(rows, 1))
	return p.err
}

// byName fills in format and compression from a file's name.
func byName(path, format, compression string) (string, string) {
	base := strings.ToLower(filepath.Base(path))
	for suffix, c := range map[string]string{".gz": "gzip", ".zst": "zstd"} {
		if rest, ok := strings.CutSuffix(base, suffix); ok {
			base = rest
			if compression == "" {
				compression = c
			}
		}
	}
	if format == "" {
		switch filepath.Ext(base) {
		case ".json":
			format = "json"
		case ".csv":
			format = "csv"
		case ".tsv":
			format = "tsv"
		case ".parquet":
			format = "parquet"
		default:
			format = "jsonl"
		}
	}
	if compression == "none" {
		compression = ""
	}
	return format, compression
}
