package pebblestore

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"catalog/catalog"
	"catalog/catalog/storetest"
)

// TestCompactAtOnce: what was loaded the moment before is compressed for size,
// too.
func TestCompactAtOnce(t *testing.T) {
	feed := newTestFeed(1000)
	writes := feed.writes(nil, 0, feed.n, 0)
	for range 10 {
		s := mustOpen(t, "/s", Options{FS: vfs.NewMem(), BulkBytes: 1})
		if _, err := s.Apply(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
		if err := s.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		levels, err := s.db.SSTables(pebble.WithProperties())
		if err != nil {
			t.Fatal(err)
		}
		for n, tables := range levels {
			for _, table := range tables {
				if table.Properties.CompressionName != bottomCompression.Name {
					t.Fatalf("level %d has a table of %d entries compressed by %s", n, table.Properties.NumEntries, table.Properties.CompressionName)
				}
			}
		}
	}
}

// TestCompact: loaded tables, also those that went straight to the bottom,
// become smaller, and nothing else changes.
func TestCompact(t *testing.T) {
	feed := newTestFeed(6000)
	for name, parts := range map[string]int{"one load": 1, "many loads": 6} {
		t.Run(name, func(t *testing.T) {
			s := mustOpen(t, "/s", Options{FS: vfs.NewMem(), BulkBytes: 1})
			other := mustOpen(t, "/s", Options{FS: vfs.NewMem(), BulkBytes: 1 << 40})
			for i := range parts {
				writes := feed.writes(nil, i*feed.n/parts, (i+1)*feed.n/parts, 0)
				for _, s := range []*Store{s, other} {
					if _, err := s.Apply(t.Context(), writes); err != nil {
						t.Fatal(err)
					}
				}
			}
			before := s.db.Metrics().Table.Local.LiveSize
			if err := s.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			if after := s.db.Metrics().Table.Local.LiveSize; after > before*3/4 {
				t.Errorf("from %d bytes to %d", before, after)
			}
			levels, err := s.db.SSTables(pebble.WithProperties())
			if err != nil {
				t.Fatal(err)
			}
			for n, tables := range levels {
				for _, table := range tables {
					if n < len(levels)-1 || table.Properties.CompressionName != bottomCompression.Name {
						t.Errorf("level %d has a table compressed by %s", n, table.Properties.CompressionName)
					}
				}
			}
			storetest.Equal(t, s, other)
		})
	}
}

// TestHold: compactions wait as long as somebody holds them, and tidy up
// afterwards.
func TestHold(t *testing.T) {
	s := mustOpen(t, "/s", Options{FS: vfs.NewMem(), BulkBytes: 1})
	release := s.Hold()
	feed := newTestFeed(100)
	var writes []catalog.Write
	for gen := range 12 {
		writes = feed.writes(writes[:0], 0, feed.n, gen)
		if _, err := s.Apply(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
	}
	if m := s.db.Metrics(); m.Compact.DefaultCount != 0 || m.ReadAmp() < 8 {
		t.Errorf("%d compactions ran, %d layers are left", m.Compact.DefaultCount, m.ReadAmp())
	}
	release()
	for deadline := time.Now().Add(time.Minute); s.db.Metrics().ReadAmp() > 6; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d layers are left", s.db.Metrics().ReadAmp())
		}
	}
}
