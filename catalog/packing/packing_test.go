package packing_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"catalog/catalog/packing"
)

var text = []byte(strings.Repeat(`{"sku":"A-1","name":"Table lamp"}`, 20_000))

func TestThereAndBack(t *testing.T) {
	var packed bytes.Buffer
	z := packing.NewGzipWriter(&packed)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	g, err := gzip.NewReader(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(g); err != nil || !bytes.Equal(got, text) {
		t.Errorf("gzip gave %d bytes, %v", len(got), err)
	}

	packed.Reset()
	zw, err := packing.NewZstdWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zw.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	if got := unpack(t, packed.Bytes()); !bytes.Equal(got, text) {
		t.Errorf("zstd gave %d bytes", len(got))
	}
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	z, err := packing.NewZstdReader(bytes.NewReader(packed), 8<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	got, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAppendZstd(t *testing.T) {
	random := make([]byte, 300_000)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(random)
	var wg sync.WaitGroup
	for _, src := range [][]byte{nil, []byte("x"), text, random} {
		wg.Go(func() {
			got := packing.AppendZstd([]byte("before"), src)
			if !bytes.HasPrefix(got, []byte("before")) {
				t.Errorf("%d bytes: what was there is gone", len(src))
			} else if back := unpack(t, got[6:]); !bytes.Equal(back, src) {
				t.Errorf("%d bytes came back as %d", len(src), len(back))
			}
		})
	}
	wg.Wait()
	if n := len(packing.AppendZstd(nil, text)); n > len(text)/50 {
		t.Errorf("%d bytes became %d", len(text), n)
	}
}

func TestWindow(t *testing.T) {
	// A frame's head that asks for a window of 2 GiB, and for nothing else.
	head := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0, 0, 0}
	z, err := packing.NewZstdReader(bytes.NewReader(head), 8<<20)
	if err == nil {
		defer z.Close()
		_, err = io.ReadAll(z)
	}
	if !errors.Is(err, packing.ErrWindow) {
		t.Errorf("the error is %v", err)
	}
}

// BenchmarkPage packs what a category page weighs, as answers are packed.
func BenchmarkPage(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var page []byte
	for range 24 {
		page = fmt.Appendf(page, `{"sku":"SHOE-%06d","name":"Trail shoe %d %s","brand":"Brand %d","url":"trail-shoe-%d","image":"/media/%x/%x.jpg","rating":%.1f,"categories":["Men/Shoes/Trail","Sale"],"attributes":{"color":"c%d","material":"m%d","size":["41","42","43","44"]}},`,
			rng.IntN(1e6), rng.IntN(1000), []string{"light", "waterproof", "for winter"}[rng.IntN(3)], rng.IntN(40), rng.IntN(1e6), rng.Uint64(), rng.Uint64(), 5*rng.Float64(), rng.IntN(12), rng.IntN(8))
	}
	var out []byte
	b.Run("gzip", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		var to bytes.Buffer
		z, err := gzip.NewWriterLevel(&to, gzip.BestSpeed)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			to.Reset()
			z.Reset(&to)
			_, _ = z.Write(page)
			_ = z.Close()
		}
		b.ReportMetric(float64(to.Len())/float64(len(page)), "ratio")
	})
	b.Run("zstd", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		for b.Loop() {
			out = packing.AppendZstd(out[:0], page)
		}
		b.ReportMetric(float64(len(out))/float64(len(page)), "ratio")
	})
}
