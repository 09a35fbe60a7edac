// Package export writes a store's records as a feed that the importer reads
// back into an equal store, and rewrites JSON in its canonical form, by which
// stores are compared.
//
// # What stands in the feed
//
// First the attributes, then the categories, then everything that is known by
// a SKU, each in the order of their keys. A product is one line with its price
// and stock put back into the document, as "prices" and "stock". Records of
// another kind, and prices and stock that no product document can carry (of
// embedded variants, of SKUs without a product), are lines of their own whose
// first member, "$kind", says what they are; those of a SKU follow its product.
//
// A feed of one kind alone (Options.Kinds) has the bare records, to be
// imported as feed of that kind.
//
// # Consistency
//
// An export is a scan, not a snapshot. Each line is a record as it was at some
// moment between the start and the end; of what is written meanwhile, some may
// be there and some not. CSV and Parquet, which are scanned twice, may fail
// with ErrChanged then. For an exact copy let nothing else write.
package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"

	"catalog/catalog"
	"catalog/importer/internal/feed"
)

// The errors that Run and Write return, wrapped, beside those of the store and
// of what is written to.
var (
	// ErrOptions: the options make no sense.
	ErrOptions = errors.New("export: invalid options")
	// ErrChanged: records changed between the two passes of CSV or Parquet.
	ErrChanged = errors.New("export: the records changed while they were exported; do it again")
)

// Options says what to export and how. The zero value is everything, as JSON
// lines.
type Options struct {
	Format      string         // jsonl, json, csv, tsv or parquet; "": jsonl
	Compression string         // gzip, zstd or none; "": none (of Parquet: that of its pages, zstd)
	Kinds       []catalog.Kind // none: all; price and stock are joined when their kind and products are asked for
	Prefix      catalog.Key    // only records whose key starts with it
	Canonical   bool           // each line in its canonical form (but "$kind" first)

	Workers  int                         // that put lines together; 0: one per processor
	Progress func(lines, products int64) // called from one goroutine, now and then
}

func (o Options) withDefaults() Options {
	if o.Format == "" {
		o.Format = feed.JSONL
	}
	if o.Compression == "none" {
		o.Compression = feed.None
	}
	if len(o.Kinds) == 0 {
		o.Kinds = catalog.Kinds()
	}
	o.Kinds = slices.Compact(slices.Sorted(slices.Values(o.Kinds)))
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return o
}

func (o Options) validate() error {
	switch {
	case !slices.Contains([]string{feed.JSONL, feed.JSON, feed.CSV, feed.TSV, feed.Parquet}, o.Format):
		return fmt.Errorf("%w: unknown format %q: use jsonl, json, csv, tsv or parquet", ErrOptions, o.Format)
	case !slices.Contains([]string{feed.None, feed.Gzip, feed.Zstd}, o.Compression):
		return fmt.Errorf("%w: unknown compression %q: use gzip, zstd or none", ErrOptions, o.Compression)
	}
	return nil
}

// tabular reports whether the format needs its columns before its rows.
func (o Options) tabular() bool { return o.Format != feed.JSONL && o.Format != feed.JSON }

// Counts says what was written.
type Counts struct {
	Lines   int64                  // of the feed
	Records map[catalog.Kind]int64 // in these lines
}

// Run writes the records of a store to w as a feed. It does not close w.
func Run(ctx context.Context, store catalog.Store, w io.Writer, o Options) (Counts, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return Counts{}, err
	}
	var counts Counts
	err := write(ctx, w, o, func(ctx context.Context, yield func(line []byte) error) error {
		// Of two passes the last one counts.
		counts = Counts{Records: map[catalog.Kind]int64{}}
		return newPipeline(store, o, &counts).run(ctx, yield)
	})
	if err != nil {
		return counts, fmt.Errorf("export: %w", err)
	}
	return counts, nil
}

// Write writes compact JSON objects to w as a feed in o's Format and
// Compression; the other options mean nothing here. The sequence is read twice
// for CSV and Parquet. It does not close w.
func Write(ctx context.Context, w io.Writer, records iter.Seq2[[]byte, error], o Options) error {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return err
	}
	return write(ctx, w, o, func(ctx context.Context, yield func(line []byte) error) error {
		for record, err := range records {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = yield(record)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// lines calls yield for each line of a feed.
type lines func(ctx context.Context, yield func(line []byte) error) error

// write writes lines, which it goes through twice if the format needs that.
func write(ctx context.Context, w io.Writer, o Options, each lines) error {
	fo := feed.WriterOptions{Format: o.Format, Compression: o.Compression}
	if o.tabular() {
		var scan feed.ColumnScan
		if err := each(ctx, scan.Add); err != nil {
			return err
		}
		fo.Columns = markerFirst(scan.Columns())
	}
	out, err := feed.NewWriter(w, fo)
	if err != nil {
		return fmt.Errorf("%w: %s cannot hold these records, jsonl can: %w", ErrOptions, o.Format, err)
	}
	err = each(ctx, out.Write)
	if o.tabular() && errors.Is(err, feed.ErrOption) {
		err = fmt.Errorf("%w: %w", ErrChanged, err)
	}
	// After an error closing only frees memory.
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}

// markerFirst moves the column of the kinds to the front.
func markerFirst(columns []feed.Column) []feed.Column {
	i := slices.IndexFunc(columns, func(c feed.Column) bool { return c.Name == catalog.KindMember })
	if i <= 0 {
		return columns
	}
	marker := columns[i]
	return slices.Insert(slices.Delete(slices.Clone(columns), i, i+1), 0, marker)
}
