package pebblestore

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"catalog/catalog"
)

var loadRecords = flag.Int("load.records", 100_000, "how many feed records BenchmarkLoad loads")

// BenchmarkLoad loads a feed as the importer does and reports what that costs:
// run it with -benchtime 1x.
func BenchmarkLoad(b *testing.B) {
	const batch = 50_000
	for b.Loop() {
		n := *loadRecords
		feed := newTestFeed(n)
		s, err := Open(b.Context(), b.TempDir(), nil)
		if err != nil {
			b.Fatal(err)
		}
		var cpu, wall time.Duration
		var bytes int64
		var writes []catalog.Write
		for from := 0; from < n; from += batch {
			writes = feed.writes(writes[:0], from, min(from+batch, n), 0)
			for i := range writes {
				bytes += int64(len(writes[i].Body))
			}
			start, c := time.Now(), processTime()
			if _, err := s.Apply(b.Context(), writes); err != nil {
				b.Fatal(err)
			}
			wall += time.Since(start)
			cpu += processTime() - c
		}
		b.ReportMetric(float64(cpu.Nanoseconds())/1e3/float64(n), "load-cpu-µs/record")
		b.ReportMetric(float64(n)/wall.Seconds(), "load-records/s")
		b.ReportMetric(diskRatio(b, s, bytes), "load-disk/json")
		b.ReportMetric(headsPerSecond(b, s), "loaded-heads/s")
		changedCost(b, s, feed, n/50)
		start, c := time.Now(), processTime()
		if err := s.Compact(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "compact-s")
		b.ReportMetric((processTime() - c).Seconds(), "compact-cpu-s")
		b.ReportMetric(diskRatio(b, s, bytes), "compact-disk/json")
		b.ReportMetric(headsPerSecond(b, s), "compact-heads/s")
		b.ReportMetric(peakMiB(b), "peak-MiB")
		if testing.Verbose() {
			b.Log("\n" + s.db.Metrics().String())
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// changedCost applies n changed records and reports what one costs.
func changedCost(b *testing.B, s *Store, feed *testFeed, n int) {
	writes := feed.writes(nil, 0, n, 1)
	runtime.GC()
	start, c := time.Now(), processTime()
	if _, err := s.Apply(b.Context(), writes); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64((processTime()-c).Nanoseconds())/1e3/float64(n), "change-cpu-µs/record")
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "change-records/s")
}

func headsPerSecond(b *testing.B, s *Store) float64 {
	start, n := time.Now(), 0
	for _, k := range catalog.Kinds() {
		for _, err := range s.Heads(b.Context(), k, catalog.All) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	return float64(n) / time.Since(start).Seconds()
}

func diskRatio(b *testing.B, s *Store, bytes int64) float64 {
	stats, err := s.Stats(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return float64(stats.DiskBytes) / float64(bytes)
}

// processTime returns the processor time that this process has used.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMiB returns the most memory that this process had.
func peakMiB(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(v)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(kb) / 1024
		}
	}
	return 0
}
