package storefront

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

const view = 7

// said is an item of a product.
func said(sku, price string) []byte {
	return append(appendField(appendString([]byte(`{"sku":`), sku), "price", price), '}')
}

// TestFamilies: a product with variants is forgotten when one of them changes,
// also when that happens while it is being remembered, and when there is no
// room to watch for them all.
func TestFamilies(t *testing.T) {
	p := newPlainProducts(64 << 20)
	now := time.Unix(1000, 0)
	add := func(sku string, variants ...string) {
		_, _, _, version := p.has(sku, "de", view, now)
		p.sayFamily(sku, "de", view, time.Time{}, said(sku, ""), version, variants, p.versions())
	}
	known := func(sku string) bool {
		_, _, said, _ := p.has(sku, "de", view, now)
		return said != nil
	}
	for _, changed := range []string{"A", "v1", "v2"} {
		add("A", "v1", "v2")
		add("B", "v2", "v3")
		if !known("A") || !known("B") {
			t.Fatal("they are not remembered")
		}
		p.forget(changed, []string{"fr"})
		if !known("A") {
			t.Errorf("%s of another store changed, and A is forgotten", changed)
		}
		parents := p.forget(changed, []string{"de", "fr"})
		if known("A") || known("B") != (changed != "v2") {
			t.Errorf("%s changed: A %v, B %v", changed, known("A"), known("B"))
		}
		slices.Sort(parents)
		if want := map[string][]string{"v1": {"A"}, "v2": {"A", "B"}}[changed]; !slices.Equal(parents, want) {
			t.Errorf("%s changed: it was said of %q", changed, parents)
		}
	}
	p.clear()
	add("A", "v1")
	p.clear()
	if known("A") {
		t.Error("it is remembered after all was forgotten")
	}
	// What changed since it was read is not remembered.
	for _, changed := range []string{"A", "v1"} {
		_, _, _, version := p.has("A", "de", view, now)
		before := p.versions()
		p.forget(changed, []string{"de"})
		p.sayFamily("A", "de", view, time.Time{}, said("A", ""), version, []string{"v1", "v2"}, before)
		if known("A") {
			t.Errorf("%s changed meanwhile, and A is remembered as it was", changed)
		}
	}
	// Its time ends.
	_, _, _, version := p.has("C", "de", view, now)
	p.sayFamily("C", "de", view, now.Add(time.Second), said("C", ""), version, nil, p.versions())
	if _, _, text, _ := p.has("C", "de", view, now.Add(time.Second)); text != nil || !known("C") {
		t.Error("it is remembered beyond its time, or not at all")
	}
}

// TestFamiliesFull fills the shards: whoever is remembered is watched for.
func TestFamiliesFull(t *testing.T) {
	p := newPlainProducts(64 << 20)
	now := time.Unix(1000, 0)
	const n, variants = 50_000, 100
	list := make([]string, variants)
	for i := range n {
		sku := fmt.Sprintf("P%d", i)
		for v := range list {
			list[v] = fmt.Sprintf("%s-%d", sku, v)
		}
		_, _, _, version := p.has(sku, "", view, now)
		p.sayFamily(sku, "", view, time.Time{}, said(sku, ""), version, list, p.versions())
	}
	remembered := 0
	for i := range n {
		sku := fmt.Sprintf("P%d", i)
		if _, _, text, _ := p.has(sku, "", view, now); text == nil {
			continue
		}
		remembered++
		p.forget(fmt.Sprintf("%s-%d", sku, i%variants), []string{""})
		if _, _, text, _ := p.has(sku, "", view, now); text != nil {
			t.Fatalf("%s is remembered though its variant changed", sku)
		}
	}
	if remembered == 0 || remembered == n {
		t.Errorf("%d of %d are remembered", remembered, n)
	}
}

// TestFamiliesRace changes variants while families are remembered: who is told
// of a change never finds what was before it.
func TestFamiliesRace(t *testing.T) {
	p := newPlainProducts(64 << 20)
	now := time.Unix(1000, 0)
	var value [4]struct { // of the variants
		sync.Mutex
		n int64
	}
	read := func() (out [4]int64) {
		for i := range value {
			value[i].Lock()
			out[i] = value[i].n
			value[i].Unlock()
		}
		return out
	}
	skus := []string{"v0", "v1", "v2", "v3"}
	stop := make(chan struct{})
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, _, _, version := p.has("A", "", view, now)
				before := p.versions()
				p.sayFamily("A", "", view, time.Time{}, said("A", fmt.Sprint(read())), version, skus, before)
			}
		})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	seen := 0
	for end := time.Now().Add(5 * time.Second); seen < 100 && time.Now().Before(end); {
		i := rng.IntN(len(skus))
		value[i].Lock()
		value[i].n++
		value[i].Unlock()
		p.forget(skus[i], []string{""})
		want := string(said("A", fmt.Sprint(read())))
		for range rng.IntN(50) {
			_, _, got, _ := p.has("A", "", view, now)
			if got == nil {
				continue
			}
			seen++
			if string(got) != want {
				t.Fatalf("it is %s, remembered is %s", want, got)
			}
		}
	}
	close(stop)
	work.Wait()
	if seen == 0 {
		t.Error("it was never remembered")
	}
}
