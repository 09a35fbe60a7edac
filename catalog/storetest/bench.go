package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"catalog/catalog"
)

// Bench measures stores alike: records of 1 KB, in batches of 1,000.
func Bench(b *testing.B, h Harness) {
	for _, m := range []struct {
		name    string
		measure func(*testing.B, *bench)
	}{
		{"ApplyNew", benchApplyNew},
		{"ApplyUnchanged", benchApplyUnchanged},
		{"GetRandom", benchGetRandom},
		{"HeadsOfRandom", benchHeadsOfRandom},
		{"Heads", benchHeads},
		{"Scan", benchScan},
		{"Changes", benchChanges},
	} {
		b.Run(m.name, func(b *testing.B) {
			s := h.Open(b)
			defer s.Close()
			m.measure(b, &bench{b: b, ctx: b.Context(), s: s, rng: rand.New(rand.NewPCG(1, 2))})
		})
	}
}

const (
	benchBatch = 1000
	benchBody  = 1024
	benchFill  = 50 // batches in the store that is read
)

type bench struct {
	b   *testing.B
	ctx context.Context
	s   catalog.Store
	rng *rand.Rand
}

// batch returns the n-th batch of records. Its keys come in the order of a
// feed that is not sorted, its bodies shrink about as much as documents do.
func (m *bench) batch(n int) []catalog.Write {
	words := [...]string{"shoe", "black", "cotton", "\"size\":\"", "description", "with", "0123", "the", "für", "waterproof"}
	out := make([]catalog.Write, benchBatch)
	for i := range out {
		key := benchKey(n*benchBatch + i)
		body := fmt.Appendf(make([]byte, 0, benchBody), `{"sku":%q,"text":"`, key)
		for len(body) < benchBody-40 {
			body = fmt.Appendf(body, "%s %x ", words[m.rng.IntN(len(words))], m.rng.Uint32())
		}
		body = append(body, `"}`...)
		out[i] = catalog.Write{
			Kind: catalog.KindProduct, Key: key, Body: body, Hash: catalog.HashOf(body), Source: "bench",
			Refs: []catalog.Ref{{Type: catalog.RefURLKey, Value: string(key)}},
		}
	}
	return out
}

// benchKey spreads n over the keys: the factor has no divisor in common with
// the modulus, so that no key comes twice.
func benchKey(n int) catalog.Key {
	return catalog.Key(fmt.Sprintf("SKU-%010d", uint64(n)*7_368_787%10_000_000_000))
}

func (m *bench) fill() {
	for n := range benchFill {
		m.apply(m.batch(n))
	}
}

func (m *bench) apply(writes []catalog.Write) {
	if _, err := m.s.Apply(m.ctx, writes); err != nil {
		m.b.Fatal(err)
	}
}

// rate reports how many things a second were done, n an iteration.
func (m *bench) rate(n int, unit string) {
	m.b.ReportMetric(float64(n)*float64(m.b.N)/m.b.Elapsed().Seconds(), unit+"/s")
}

func benchApplyNew(b *testing.B, m *bench) {
	b.SetBytes(benchBatch * benchBody)
	n := 0
	for b.Loop() {
		b.StopTimer()
		writes := m.batch(n)
		n++
		b.StartTimer()
		m.apply(writes)
	}
	m.rate(benchBatch, "records")
}

func benchApplyUnchanged(b *testing.B, m *bench) {
	batches := make([][]catalog.Write, benchFill)
	for n := range batches {
		batches[n] = m.batch(n)
		m.apply(batches[n])
	}
	b.SetBytes(benchBatch * benchBody)
	n := 0
	for b.Loop() {
		m.apply(batches[n%benchFill])
		n++
	}
	m.rate(benchBatch, "records")
}

func benchGetRandom(b *testing.B, m *bench) {
	m.fill()
	for b.Loop() {
		recs, err := m.s.Get(m.ctx, catalog.KindProduct, benchKey(m.rng.IntN(benchFill*benchBatch)))
		if err != nil || !recs[0].Exists() {
			b.Fatal(recs, err)
		}
	}
	m.rate(1, "records")
}

func benchHeadsOfRandom(b *testing.B, m *bench) {
	m.fill()
	keys := make([]catalog.Key, benchBatch)
	for b.Loop() {
		for i := range keys {
			keys[i] = benchKey(m.rng.IntN(benchFill * benchBatch))
		}
		if _, err := m.s.HeadsOf(m.ctx, catalog.KindProduct, keys...); err != nil {
			b.Fatal(err)
		}
	}
	m.rate(benchBatch, "heads")
}

// benchAll measures one iteration over the whole store.
func (m *bench) all(unit string, count func() (int, error)) {
	m.fill()
	for m.b.Loop() {
		if n, err := count(); err != nil || n != benchFill*benchBatch {
			m.b.Fatal(n, err)
		}
	}
	m.rate(benchFill*benchBatch, unit)
}

func benchHeads(_ *testing.B, m *bench) {
	m.all("heads", func() (int, error) { return drain(m.s.Heads(m.ctx, catalog.KindProduct, catalog.All)) })
}

func benchScan(b *testing.B, m *bench) {
	b.SetBytes(benchFill * benchBatch * benchBody)
	m.all("records", func() (int, error) { return drain(m.s.Scan(m.ctx, catalog.KindProduct, catalog.All)) })
}

func benchChanges(_ *testing.B, m *bench) {
	m.all("changes", func() (int, error) { return drain(m.s.Changes(m.ctx, catalog.Cursor{})) })
}
