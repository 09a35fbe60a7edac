package indexer_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"syscall"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/pebblestore"
	"catalog/fixtures"
	"catalog/indexer"
)

// sink is an index that takes everything and keeps nothing.
type sink struct {
	indexer.Searcher
	at    catalog.Cursor
	print string
	ops   int
	moved chan catalog.Seq // where Apply moved the cursor, if set
}

func (s *sink) Apply(_ context.Context, ops []indexer.Op, at catalog.Cursor) error {
	s.ops += len(ops)
	if !at.IsZero() {
		s.at = at
		if s.moved != nil {
			s.moved <- at.Seq
		}
	}
	return nil
}

func (s *sink) ApplyLive(_ context.Context, ops []indexer.LiveOp, at catalog.Cursor) error {
	s.ops += len(ops)
	return nil
}
func (s *sink) Sync(context.Context) error { return nil }
func (s *sink) Cursor(context.Context) (catalog.Cursor, error) {
	if s.print == "" {
		return s.at, indexer.ErrNoIndex
	}
	return s.at, nil
}
func (s *sink) Fingerprint(context.Context) (string, error) { return s.print, nil }
func (s *sink) Due(context.Context, time.Time, int) ([]string, time.Time, error) {
	return nil, time.Time{}, nil
}

func (s *sink) Build(_ context.Context, print string) (indexer.Builder, error) {
	return &sinkBuilder{s, print}, nil
}

func (s *sink) Digests(context.Context, *indexer.Digester) iter.Seq2[indexer.Digest, error] {
	return func(func(indexer.Digest, error) bool) {}
}

func (s *sink) Stats(context.Context) (indexer.IndexStats, error) { return indexer.IndexStats{}, nil }
func (s *sink) Close() error                                      { return nil }

type sinkBuilder struct {
	s     *sink
	print string
}

func (b *sinkBuilder) Apply(context.Context, []indexer.Op) error { return nil }
func (b *sinkBuilder) Publish(_ context.Context, at catalog.Cursor) error {
	b.s.at, b.s.print = at, b.print
	return nil
}
func (b *sinkBuilder) Abort() error { return nil }

// loadShop imports a generated shop, and returns the writes of its first
// products and the keys of all that has a price.
func loadShop(tb testing.TB, s catalog.Store, n int) (products []catalog.Write, units []catalog.Key) {
	tb.Helper()
	var p catalog.Parser
	var writes []catalog.Write
	flush := func() {
		if _, err := s.Apply(tb.Context(), writes); err != nil {
			tb.Fatal(err)
		}
		writes = writes[:0]
		p.Reset(nil)
	}
	for line, err := range fixtures.Records(tb.Context(), fixtures.Options{Records: int64(n)}) {
		if err != nil {
			tb.Fatal(err)
		}
		var r catalog.Parsed
		if err := p.Parse(catalog.KindProduct, append([]byte(nil), line...), &r); err != nil {
			tb.Fatal(err)
		}
		writes = append(writes, catalog.Write{Kind: r.Kind, Key: r.Key, Body: r.Body, Refs: r.Refs})
		if len(products) < 500 {
			products = append(products, catalog.Write{Kind: r.Kind, Key: r.Key, Body: slices.Clone(r.Body), Refs: slices.Clone(r.Refs)})
		}
		for _, v := range append([]catalog.Variant{{SKU: r.Key, Price: r.Price, Stock: r.Stock}}, r.Variants...) {
			if v.Price.State == catalog.PartSet {
				writes = append(writes, catalog.Write{Kind: catalog.KindPrice, Key: v.SKU, Body: v.Price.Body})
				units = append(units, v.SKU)
			}
			if v.Stock.State == catalog.PartSet {
				writes = append(writes, catalog.Write{Kind: catalog.KindStock, Key: v.SKU, Body: v.Stock.Body})
			}
		}
		if len(writes) > 10_000 {
			flush()
		}
	}
	flush()
	return products, units
}

// BenchmarkRun builds an index of a generated shop that keeps nothing, then
// follows a price feed: what Run and mapping cost by themselves.
func BenchmarkRun(b *testing.B) {
	const n = 50_000
	s, err := pebblestore.Open(b.Context(), b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	products, units := loadShop(b, s, n)
	if err := s.Compact(b.Context()); err != nil {
		b.Fatal(err)
	}
	if len(products) == 0 {
		b.Fatal("no products")
	}
	var writes []catalog.Write
	b.Run("Build", func(b *testing.B) {
		before := cpuTime()
		start := time.Now()
		runs := 0
		for b.Loop() {
			if _, err := indexer.Run(b.Context(), s, &sink{}, indexer.Options{}); err != nil {
				b.Fatal(err)
			}
			runs++
		}
		b.ReportMetric(float64(runs)*n/time.Since(start).Seconds(), "records/s")
		b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/float64(runs)/n, "cpu-ns/record")
	})
	b.Run("Prices", func(b *testing.B) {
		x := &sink{moved: make(chan catalog.Seq, 1000)}
		if _, err := indexer.Run(b.Context(), s, x, indexer.Options{}); err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			_, err := indexer.Run(ctx, s, x, indexer.Options{Follow: true})
			done <- err
		}()
		i, total := 0, 0
		var took, cpu time.Duration
		for b.Loop() {
			i++
			writes = writes[:0]
			for _, sku := range units[:20_000] {
				writes = append(writes, catalog.Write{Kind: catalog.KindPrice, Key: sku, Body: fmt.Appendf(nil, `{"sku":%q,"prices":[{"price":%d}]}`, sku, i)})
			}
			if _, err := s.Apply(b.Context(), writes); err != nil {
				b.Fatal(err)
			}
			tail, err := s.Tail(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			start, before := time.Now(), cpuTime()
			for seq := range x.moved {
				if seq >= tail.Seq {
					break
				}
			}
			took += time.Since(start)
			cpu += cpuTime() - before
			total += len(writes)
		}
		b.ReportMetric(float64(total)/took.Seconds(), "changes/s")
		b.ReportMetric(float64(cpu.Nanoseconds())/float64(total), "cpu-ns/change")
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			b.Error(err)
		}
	})
}

// cpuTime returns what this process has used: machines are shared.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
