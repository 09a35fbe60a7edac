package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/fixtures"
	"catalog/importer/export"
)

const generateLong = `Write the feed of a realistic catalog of any size: simple products,
configurables with their variants, a category tree, long-tailed attributes,
texts of three stores, prices with tiers and groups, stock.

The same flags write the same feed, on every machine. Another --seed is another
shop. --night 1 is the next night's feed: by --churn of the products changed,
some gone and some new. --malformed adds records that no importer should
accept. The profile magento-xl has the size of the extra_large profile of
Magento's performance toolkit.
`

// generateOptions are the flags of catalog generate.
type generateOptions struct {
	output, format, compression string
	records                     int64
	seed                        uint64
	kind, profile               string
	night                       int
	churn, malformed            shareValue
	noProgress                  bool
}

func (o *generateOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	addOutputFlags(cmd, &o.output, &o.format, &o.compression, "jsonl", "json", "csv", "tsv", "magento", "parquet")
	f.Int64Var(&o.records, "records", 50_000, "`N` records of the product feed; 0: as many as the profile has")
	f.Uint64Var(&o.seed, "seed", 1, "which shop")
	f.StringVar(&o.kind, "kind", "products", "products, prices, stock, categories or attributes")
	f.StringVar(&o.profile, "profile", string(fixtures.Shop), "shape of the shop: shop or magento-xl")
	f.IntVar(&o.night, "night", 0, "`N` nights after the first feed")
	f.Var(&o.churn, "churn", "share of products that change each night; sets --night 1 (default 2%)")
	f.Var(&o.malformed, "malformed", "share of malformed records")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress")
	completeWords(cmd, "kind", kindNames()...)
	completeWords(cmd, "profile", string(fixtures.Shop), string(fixtures.MagentoXL))
}

func newGenerateCommand(a *app) *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:     "generate",
		Short:   "Write the feed of a made-up catalog",
		Long:    generateLong + "\n" + exitHelp,
		Example: "  catalog generate --records 2000000 -o products.jsonl.zst\n  catalog generate --records 2000000 --night 1 --churn 2% -o tomorrow.jsonl.zst\n  catalog generate --records 1000 --format magento",
		GroupID: "feeds",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			return runGenerate(ctx, a, o)
		}),
	}
	o.addFlags(cmd)
	return cmd
}

// runGenerate writes the feed; a file appears only when it is whole.
func runGenerate(ctx context.Context, a *app, o generateOptions) error {
	kind, err := catalog.ParseKind(o.kind)
	if err != nil {
		return usagef("--kind: %w", err)
	}
	opts := fixtures.Options{
		Records: o.records, Seed: o.seed, What: kind, Profile: fixtures.Profile(o.profile),
		Night: o.night, Churn: float64(o.churn), Malformed: max(float64(o.malformed), 0),
	}
	format, compression := byName(o.output, o.format, o.compression)
	if !slices.Contains([]string{"jsonl", "json", "csv", "tsv", "magento", "parquet"}, format) {
		return usagef("--format %q: use jsonl, json, csv, tsv, magento or parquet", format)
	}
	out, err := a.create(o.output)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	defer out.discard()
	shown := a.newTicker("generate", o.noProgress || o.output == "-" && terminalWidth(a.stdout) > 0)
	opts.Progress = func(lines, _ int64) { shown.show(lines, o.records) }
	lines, err := generate(ctx, out, opts, format, compression)
	shown.finish()
	switch {
	case errors.Is(err, fixtures.ErrOptions), errors.Is(err, export.ErrOptions):
		return usageError{err}
	case err != nil:
		return err
	}
	if err := out.commit(); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	if a.global.quiet || o.output == "-" {
		return nil
	}
	_, err = fmt.Fprintf(a.stdout, "wrote %s records to %s in %s\n", count(lines), o.output, span(shown.since()))
	return err
}

// generate writes the feed in a format of the generator, or of the exporter.
func generate(ctx context.Context, w io.Writer, opts fixtures.Options, format, compression string) (int64, error) {
	if format == "csv" || format == "tsv" || format == "parquet" {
		if opts.Malformed > 0 {
			return 0, usagef("--malformed: %s cannot hold malformed records", format)
		}
		var lines int64
		counted := func(yield func([]byte, error) bool) {
			lines = 0
			for record, err := range fixtures.Records(ctx, opts) {
				if lines++; lines%1000 == 0 {
					opts.Progress(lines, 0)
				}
				if !yield(record, err) {
					return
				}
			}
		}
		err := export.Write(ctx, w, counted, export.Options{Format: format, Compression: compression})
		return lines, err
	}
	opts.Format = fixtures.Format(format)
	if compression == "" {
		sum, err := fixtures.Generate(ctx, w, opts)
		return sum.Lines, err
	}
	zip, err := export.Compress(w, compression)
	if err != nil {
		return 0, err
	}
	sum, err := fixtures.Generate(ctx, zip, opts)
	if cerr := zip.Close(); err == nil {
		err = cerr
	}
	return sum.Lines, err
}

// shareValue is a flag that holds a share: "2%" or 0.02; -1 is none by wish.
type shareValue float64

func (v *shareValue) Type() string { return "N%" }

func (v *shareValue) String() string {
	if *v <= 0 {
		return "0%"
	}
	return strconv.FormatFloat(float64(*v)*100, 'f', -1, 64) + "%"
}

func (v *shareValue) Set(s string) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	f, err := strconv.ParseFloat(number, 64)
	if percent {
		f /= 100
	}
	if err != nil || math.IsNaN(f) || f < 0 || f > 1 {
		return fmt.Errorf("%q is no share between 0%% and 100%%", s)
	}
	if f == 0 {
		f = -1
	}
	*v = shareValue(f)
	return nil
}
