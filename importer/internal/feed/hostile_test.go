package feed

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"catalog/catalog"
)

// packed writes before, n times the byte fill, and after to a zstd file, which
// stays small.
func packed(t testing.TB, before string, fill byte, n int, after string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "feed.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	buf := bufio.NewWriterSize(w, 1<<20)
	buf.WriteString(before)
	for block := []byte(strings.Repeat(string(fill), 1<<16)); n > 0; n -= len(block) {
		buf.Write(block[:min(n, len(block))])
	}
	buf.WriteString(after)
	if err := errors.Join(buf.Flush(), w.Close()); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// Whatever a feed holds, reading it allocates little, ends soon, and says where
// and why.
func TestHostile(t *testing.T) {
	const long = 500 << 20
	nested := strings.Repeat(`{"a":[`, 1<<20)
	for _, tt := range []struct {
		name   string
		path   func() string
		format string
		want   []string // records, or reason, line and offset of those that are none
		err    error
	}{
		{
			"500 MB line", func() string { return packed(t, "{\"sku\":\"a\"}\n{\"sku\":\"", 'x', long, "\"}\n{\"sku\":\"b\"}\n") }, JSONL,
			[]string{`{"sku":"a"}`, "record_too_long 2 12", `{"sku":"b"}`},
			nil,
		},
		{"500 MB last line", func() string { return packed(t, "{}\n", 'x', long, "") }, JSONL, []string{"{}", "record_too_long 2 3"}, nil},
		{
			"500 MB element", func() string { return packed(t, "[{\"sku\":\"a\"},\n{\"sku\":\"\\", 'x', long, "\"},{\"sku\":\"b\"}]") }, JSON,
			[]string{`{"sku":"a"}`, "record_too_long 2 14", `{"sku":"b"}`},
			nil,
		},
		{"500 MB of brackets", func() string { return packed(t, "[{},", '[', long, "") }, JSON, []string{`{}`, "record_too_long 1 4"}, ErrTruncated},
		{
			"500 MB cell", func() string { return packed(t, "sku,n\na,b\nc,\"", 'x', long, "\"\nd,e\n") }, CSV,
			[]string{`{"sku":"a","n":"b"}`, "csv_quote 3 10", `{"sku":"d","n":"e"}`},
			nil,
		},
		{
			"500 MB row", func() string { return packed(t, "sku,n\na,b\nc,", 'x', long, "\nd,e\n") }, CSV,
			[]string{`{"sku":"a","n":"b"}`, "record_too_long 3 10", `{"sku":"d","n":"e"}`},
			nil,
		},
		{"500 MB of newlines in quotes", func() string { return packed(t, "sku,n\na,\"", '\n', long, "\"\n") }, CSV, nil, ErrTruncated},
		{"500 MB header", func() string { return packed(t, "sku,n", 'x', long, "\na,b\n") }, CSV, nil, ErrHeader},
		{"bomb", func() string { return packed(t, "{\"sku\":\"a\"}\n", '\n', bombFrom+1<<20, "") }, JSONL, []string{`{"sku":"a"}`}, ErrBomb},
		{"bomb in one line", func() string { return packed(t, "{\"sku\":\"a\"}\n", ' ', bombFrom+1<<20, "") }, JSONL, []string{`{"sku":"a"}`, "record_too_long 2 12"}, ErrTruncated},
		{"nesting", func() string { return file(t, "a", "["+nested) }, JSON, []string{"truncated 1 1"}, ErrTruncated},
		{"nesting in a line", func() string { return file(t, "a", nested+"\n{}\n") }, JSONL, []string{nested, "{}"}, nil},
		{"zero bytes", func() string { return file(t, "a.jsonl", "\x00\x00\x00\n{\"a\":\"\x00\"}\n") }, "", []string{"\x00\x00\x00", "{\"a\":\"\x00\"}"}, nil},
		{"zero bytes in csv", func() string { return file(t, "a", "sku,n\na,\x00\n") }, CSV, []string{`{"sku":"a","n":"\u0000"}`}, nil},
		{"every row with a quote", func() string { return file(t, "a", "sku,n\n"+strings.Repeat("a,\"b\n", 1<<20)) }, CSV, nil, nil},
		{"every row with two", func() string { return file(t, "a", "sku,n\n"+strings.Repeat("a,\"b\"c\"\n", 1<<20)) }, CSV, nil, nil},
		{"commas", func() string { return file(t, "a", "["+strings.Repeat(",", 1<<18)) }, JSON, nil, ErrTruncated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.path()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start, used := time.Now(), processorTime(t)
			recs, n, err := hostile(t, path, tt.format)
			runtime.ReadMemStats(&after)
			// On a machine that is busy with other tests the clock runs on.
			if took := min(time.Since(start), processorTime(t)-used); took > slowdown*8*time.Second {
				t.Errorf("took %v", took)
			}
			if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > slowdown*600 {
				t.Errorf("allocated %d MiB", got)
			}
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) && tt.want != nil {
				t.Errorf("got %v, want %v", err, tt.err)
			}
			if tt.want != nil && !slices.Equal(recs, tt.want) {
				t.Errorf("got %d: %.300q", n, recs)
			}
		})
	}
}

// processorTime returns what this process has used of the processors so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// hostile reads a feed and keeps the first few records.
func hostile(t *testing.T, path, format string) (recs []string, n int, err error) {
	ins, err := Expand(t.Context(), []string{path}, Options{Format: format, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer ins[0].Close()
	r, err := ins[0].Open(t.Context())
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	d := r.NewDecoder()
	defer d.Close()
	err = r.Chunks(t.Context(), func(c *Chunk) error {
		defer c.Release()
		return d.Decode(c, func(rec *Record) error {
			if n++; n > 4 {
				return nil
			}
			if rec.Err != nil {
				recs = append(recs, fmt.Sprint(rec.Err.Reason, " ", rec.Line, " ", rec.Offset))
				if len(rec.Raw) == 0 || len(rec.Raw) > MaxRaw {
					t.Errorf("%d bytes of %v are kept", len(rec.Raw), rec.Err)
				}
			} else {
				recs = append(recs, string(rec.JSON))
			}
			return nil
		})
	})
	return recs, n, err
}

// A line of any length up to the limit is a record, wherever chunks end.
func TestLimit(t *testing.T) {
	for _, size := range []int{MaxRecord - 1, MaxRecord, MaxRecord + 1} {
		line := strings.Repeat("x", size)
		for _, first := range []string{"", "{}\n", strings.Repeat("{}\n", 300_000)} {
			recs, err := readFile(t, "a.jsonl", first+line+"\n{}\n", Options{})
			if err != nil {
				t.Fatal(err)
			}
			r := recs[len(recs)-2]
			if ok := r.Reason == "" && len(r.JSON) == size; ok != (size <= MaxRecord) {
				t.Errorf("%d bytes after %d: %q", size, len(first), r.Reason)
			}
		}
	}
}

// A full disk is told as such, with the place.
func TestSpoolErrors(t *testing.T) {
	full := spoolError("/some/dir", &os.PathError{Op: "write", Path: "/some/dir/x", Err: syscall.ENOSPC})
	if !errors.Is(full, catalog.ErrFull) || !strings.Contains(full.Error(), "/some/dir") {
		t.Error(full)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	ins, err := Expand(t.Context(), []string{"-"}, Options{Stdin: strings.NewReader(twoLines), TempDir: missing})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ins[0].Open(t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Error(err)
	}
}
