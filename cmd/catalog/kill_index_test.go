package main

import (
	"path/filepath"
	"testing"
	"time"
)

// TestKillIndex kills the real program at random moments while it indexes: an
// import that takes its index along, catching up after one that did not, and
// building the index anew. Store and index are the same ones throughout, so
// that what one kill left is there at the next. After each, `catalog index`
// must catch up and `catalog verify` find nothing.
// CATALOG_TEST_KILLS says how often; CATALOG_TEST_SEED repeats a run.
func TestKillIndex(t *testing.T) {
	k, kills := newKiller(t, "CATALOG_TEST_KILLS", 4)
	k.run(t, 0, "generate", "--records", "3000", "-o", "night0.jsonl")
	k.run(t, 0, "generate", "--records", "3000", "--night", "1", "--churn", "20%", "-o", "night1.jsonl")
	k.run(t, 0, "generate", "--records", "3000", "--kind", "prices", "--night", "2", "-o", "prices.jsonl")

	store := []string{"--store", "pebble:./" + filepath.Base(t.Name())}
	with := func(args ...string) []string { return append(args, store...) }
	importing := func(feed string, flags ...string) []string {
		return with(append([]string{"import", "--mode", "sync", "--source", "erp", "--max-delete", "none", "--max-price-change", "none", feed}, flags...)...)
	}
	prices := with("import", "--kind", "prices", "--source", "erp", "--max-price-change", "none", "prices.jsonl")
	start := time.Now()
	k.run(t, 0, importing("night0.jsonl")...)
	took := time.Since(start)

	killed := 0
	for i := range kills {
		var args []string
		switch k.rng.IntN(5) {
		case 0:
			args = importing("night0.jsonl")
		case 1:
			args = importing("night1.jsonl")
		case 2: // more than the index has, which then catches up
			k.run(t, 0, importing([]string{"night0.jsonl", "night1.jsonl"}[i%2], "--no-index")...)
			args = with("index")
		case 3:
			args = with("index", "--rebuild")
		case 4:
			args = prices
		}
		after := time.Duration(k.rng.Int64N(int64(took) * 6 / 10)) // most commands have less to do
		if k.killed(t, args, after) {
			killed++
		}
		k.run(t, 0, with("index")...)
		if status, output := k.status(t, with("verify")...); status != 0 {
			t.Fatalf("%v killed after %v (time %d): verify ends with %d\n%s", args, after, i+1, status, output)
		}
	}
	t.Logf("%d of %d were killed before their end", killed, kills)
}
