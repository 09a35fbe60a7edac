package storefront

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// TestFamilies: a product with variants is forgotten when one of them changes,
// also when that happens while it is being remembered, and when there is no
// room to watch for them all.
func TestFamilies(t *testing.T) {
	p := newPlainProducts()
	now := time.Unix(1000, 0)
	add := func(sku string, variants ...string) {
		_, _, version := p.has(sku, "de", now)
		p.addFamily("de", &liveEntry{sku: sku, family: true}, version, variants, p.versions())
	}
	known := func(sku string) bool {
		ok, e, _ := p.has(sku, "de", now)
		if ok {
			t.Errorf("%s is plain", sku)
		}
		return e != nil
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
		p.forget(changed, []string{"de", "fr"})
		if known("A") || known("B") != (changed != "v2") {
			t.Errorf("%s changed: A %v, B %v", changed, known("A"), known("B"))
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
		_, _, version := p.has("A", "de", now)
		before := p.versions()
		p.forget(changed, []string{"de"})
		p.addFamily("de", &liveEntry{sku: "A", family: true}, version, []string{"v1", "v2"}, before)
		if known("A") {
			t.Errorf("%s changed meanwhile, and A is remembered as it was", changed)
		}
	}
	// Its time ends.
	_, _, version := p.has("C", "de", now)
	p.addFamily("de", &liveEntry{sku: "C", family: true, next: now.Add(time.Second)}, version, nil, p.versions())
	if _, e, _ := p.has("C", "de", now.Add(time.Second)); e != nil || !known("C") {
		t.Error("it is remembered beyond its time, or not at all")
	}
}

// TestFamiliesFull fills the shards: whoever is remembered is watched for.
func TestFamiliesFull(t *testing.T) {
	p := newPlainProducts()
	now := time.Unix(1000, 0)
	const n = 2*maxLive/4 + 100_000
	for i := range n {
		sku := fmt.Sprintf("P%d", i)
		_, _, version := p.has(sku, "", now)
		p.addFamily("", &liveEntry{sku: sku, family: true}, version, []string{sku + "a", sku + "b", sku + "c", sku + "d"}, p.versions())
	}
	remembered := 0
	for i := range n {
		sku := fmt.Sprintf("P%d", i)
		if _, e, _ := p.has(sku, "", now); e == nil {
			continue
		}
		remembered++
		p.forget(sku+string("abcd"[i%4]), []string{""})
		if _, e, _ := p.has(sku, "", now); e != nil {
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
	p := newPlainProducts()
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
				_, _, version := p.has("A", "", now)
				before := p.versions()
				text := fmt.Sprint(read())
				e := &liveEntry{sku: "A", family: true}
				e.text.Store(&liveText{text: []byte(text)})
				p.addFamily("", e, version, skus, before)
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
		want := fmt.Sprint(read())
		for range rng.IntN(50) {
			_, e, _ := p.has("A", "", now)
			if e == nil {
				continue
			}
			seen++
			if got := string(e.text.Load().text); got != want {
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
