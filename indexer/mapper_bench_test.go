package indexer

import (
	"syscall"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/fixtures"
)

// cpuTime returns what this process has used: machines are shared.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMap maps the records of the generated shop, in the order of its
// feed: ns/op is the cost of one record.
func BenchmarkMap(b *testing.B) {
	recs := records{}
	var skus []string
	size := 0
	for line, err := range fixtures.Records(b.Context(), fixtures.Options{Records: 20_000}) {
		if err != nil {
			b.Fatal(err)
		}
		sku := recs.read(b, catalog.KindProduct, string(line))
		skus = append(skus, sku)
		size += len(recs.get(catalog.KindProduct, sku))
	}
	stores, err := ParseStores([]byte(`{"default":{"language":"en","currency":"EUR"},"de":{"language":"de"},"fr":{"language":"fr"}}`), "")
	if err != nil {
		b.Fatal(err)
	}
	m := NewMapper(stores, NewTree(), nil)
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	docs, words, attrs := 0, 0, 0
	for _, sku := range skus {
		for _, d := range m.Map(recs.source(sku), now) {
			docs++
			words += len(d.Words)
			attrs += len(d.Attrs)
		}
	}
	b.ReportAllocs()
	b.SetBytes(int64(size / len(skus)))
	i, before := 0, cpuTime()
	for b.Loop() {
		m.Map(recs.source(skus[i%len(skus)]), now)
		i++
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(i), "cpu-ns/op")
	b.ReportMetric(float64(docs)/float64(len(skus)), "docs/record")
	b.ReportMetric(float64(words)/float64(docs), "words/doc")
	b.ReportMetric(float64(attrs)/float64(docs), "attrs/doc")
}
