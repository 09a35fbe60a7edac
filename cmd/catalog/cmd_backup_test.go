package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"catalog/catalog/pebblestore"
)

// TestBackupKill kills backups and restores at random moments, with and without
// another process that has the store. None of that harms the store or the
// backups before, and the same command again succeeds.
// CATALOG_TEST_BACKUP_KILLS says how often; CATALOG_TEST_SEED repeats a run.
func TestBackupKill(t *testing.T) {
	k, kills := newKiller(t, "CATALOG_TEST_BACKUP_KILLS", 4)
	k.run(t, 0, "generate", "--records", "3000", "-o", "night0.jsonl")
	k.run(t, 0, "import", "--no-index", "--source", "erp", "--store", "pebble:./store", "night0.jsonl")
	store := filepath.Join(k.dir, "store")
	want := contents(t, store)
	backup := []string{"backup", "--store", "pebble:./store", "backups"}
	start := time.Now()
	k.run(t, 0, backup...)
	span := time.Since(start)
	killed := 0
	for i := range kills {
		var holder *storeHolder
		if i%2 == 1 {
			holder = k.hold(t, "store")
		}
		if k.killed(t, backup, time.Duration(k.rng.Int64N(int64(span)))) {
			killed++
		}
		k.run(t, 0, "backup", "--check", "backups") // the newest that is one
		k.run(t, 0, backup...)
		if holder != nil {
			holder.end(t)
		}
		if _, err := os.Stat(filepath.Join(store, pebblestore.CheckpointName)); !notThere(err) {
			t.Errorf("the checkpoint is left: %v", err)
		}
		name := "restored" + strconv.Itoa(i)
		restore := []string{"restore", "--store", "pebble:./" + name, "backups"}
		if k.killed(t, restore, time.Duration(k.rng.Int64N(int64(span)))) {
			killed++
			if _, err := os.Stat(filepath.Join(k.dir, name)); notThere(err) { // else it is whole
				k.run(t, 0, restore...)
			}
		}
		if got := contents(t, filepath.Join(k.dir, name)); got != want {
			t.Errorf("restored is\n%+v, want\n%+v", got, want)
		}
		for _, pattern := range []string{".*.restoring-*", "backups/.partial-*"} {
			if left, err := filepath.Glob(filepath.Join(k.dir, pattern)); err != nil || len(left) > 0 {
				t.Errorf("left are %q, %v", left, err)
			}
		}
	}
	if got := contents(t, store); got != want {
		t.Errorf("the store itself is\n%+v, want\n%+v", got, want)
	}
	t.Logf("%d were killed before their end", killed)
}
