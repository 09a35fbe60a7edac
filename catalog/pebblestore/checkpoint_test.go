package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"catalog/catalog"
	"catalog/catalog/storetest"
)

func numbered(i int) catalog.Write {
	return catalog.Write{
		Kind: catalog.KindProduct, Key: catalog.Key(fmt.Sprintf("SKU-%05d", i)), Source: "erp",
		Body: fmt.Appendf(nil, `{"sku":"SKU-%05d","text":%q}`, i, strings.Repeat("x", i%500)),
	}
}

// TestCheckpoint makes checkpoints while others write, small and in bulk. Each
// is a store of one moment, with all that was acknowledged before.
func TestCheckpoint(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, filepath.Join(dir, "store"), Options{BulkBytes: 20_000})
	var acknowledged atomic.Int64
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			n := 1 + i%7*40 // a few of them are loaded in bulk
			writes := make([]catalog.Write, n)
			for k := range writes {
				writes[k] = numbered(i + k)
			}
			if _, err := s.Apply(context.WithoutCancel(t.Context()), writes); err != nil {
				stopped <- err
				return
			}
			i += n
			acknowledged.Store(int64(i))
		}
	}()
	for round := range 5 {
		for last := acknowledged.Load(); acknowledged.Load() < last+400; {
			select {
			case err := <-stopped:
				t.Fatal(err)
			default:
			}
		}
		before := acknowledged.Load()
		if err := s.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept := filepath.Join(dir, fmt.Sprint("kept", round))
		if err := os.CopyFS(kept, os.DirFS(filepath.Join(dir, "store", CheckpointName))); err != nil {
			t.Fatal(err)
		}
		stats, err := Inspect(t.Context(), kept)
		if err != nil || stats.Records[catalog.KindProduct] < before || stats.Sources["erp"] != stats.Records[catalog.KindProduct] {
			t.Errorf("round %d: %d were acknowledged, the checkpoint has %+v, %v", round, before, stats, err)
		}
		if err := Renew(t.Context(), kept, nil); err != nil {
			t.Fatal(err)
		}
		restored := mustOpen(t, kept, Options{})
		if err := storetest.Check(t.Context(), restored); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		now, err := restored.Tail(t.Context())
		if err != nil || now.Epoch == stats.Tail.Epoch || now.Seq != stats.Tail.Seq {
			t.Errorf("round %d: the tail was %v and is %v, %v", round, stats.Tail, now, err)
		}
		for _, err := range restored.Changes(t.Context(), stats.Tail) {
			if !errors.Is(err, catalog.ErrTrimmed) {
				t.Errorf("round %d: a follower of the other store gets %v", round, err)
			}
			break
		}
		if err := restored.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
}

// TestCheckpointWithoutLog makes one of a store that was killed while it was
// opened: what its log held is in a table, and no other log had begun.
func TestCheckpointWithoutLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := mustOpen(t, dir, Options{})
	if _, err := s.Apply(t.Context(), []catalog.Write{numbered(1)}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first has a log to replay
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, dir, Options{})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(dir, tablesName, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("logs are %q, %v", logs, err)
	}
	for _, log := range logs {
		if err := os.Remove(log); err != nil {
			t.Fatal(err)
		}
	}
	s = mustOpen(t, dir, Options{})
	if err := s.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	stats, err := Inspect(t.Context(), filepath.Join(dir, CheckpointName))
	if err != nil || stats.Records[catalog.KindProduct] != 1 {
		t.Errorf("the checkpoint has %+v, %v", stats, err)
	}
}

// TestCheckpointFault: that a checkpoint cannot be written, at any of its
// writes, does the store no harm, and the next one is whole.
func TestCheckpointFault(t *testing.T) {
	inside := errorfs.InjectorFunc(nil)
	var at, n atomic.Int64
	inside = func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && strings.Contains(op.Path, "/"+CheckpointName) && n.Add(1) == at.Load() {
			return syscall.ENOSPC
		}
		return nil
	}
	mem := vfs.NewMem()
	s := mustOpen(t, "/s", Options{FS: errorfs.Wrap(mem, inside), BulkBytes: 2000})
	for i := range 5 {
		writes := []catalog.Write{numbered(2 * i), numbered(2*i + 1)}
		if _, err := s.Apply(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
	}
	for i := int64(1); ; i++ {
		at.Store(i)
		n.Store(0)
		err := s.Checkpoint(t.Context())
		if n.Load() < i {
			if err != nil || i < 10 {
				t.Errorf("after %d faults: %v", i, err)
			}
			break
		}
		if err == nil {
			continue // it was not needed: a folder that is not there was removed
		}
		if !errors.Is(err, catalog.ErrFull) {
			t.Errorf("fault %d: %v", i, err)
		}
		if _, err := s.Apply(t.Context(), []catalog.Write{numbered(100 + int(i))}); err != nil {
			t.Fatalf("after fault %d the store is of no use: %v", i, err)
		}
	}
}

func TestInspectNothing(t *testing.T) {
	if _, err := Inspect(t.Context(), t.TempDir()); !errors.Is(err, catalog.ErrInvalid) {
		t.Errorf("an empty folder: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, markerName), []byte(markerText+"99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Inspect(t.Context(), dir); !errors.Is(err, catalog.ErrVersion) {
		t.Errorf("a newer store: %v", err)
	}
}
