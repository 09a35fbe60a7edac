package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// got is a record as the tests compare it.
type got struct {
	Ord, Line, Offset int64
	JSON, Raw         string
	Overlay           bool
	Reason            string
}

// openInput opens one feed.
func openInput(t testing.TB, name string, opts Options) (Reader, *Input) {
	t.Helper()
	if opts.TempDir == "" {
		opts.TempDir = t.TempDir()
	}
	ins, err := Expand(t.Context(), []string{name}, opts)
	if err != nil {
		t.Fatal(err)
	}
	in := ins[0]
	t.Cleanup(func() { in.Close() })
	r, err := in.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, in
}

// readAll reads a feed in one pass. The error is that of Chunks.
func readAll(t testing.TB, r Reader) ([]got, error) {
	t.Helper()
	d := r.NewDecoder()
	defer d.Close()
	var recs []got
	last := int64(-1)
	err := r.Chunks(t.Context(), func(c *Chunk) error {
		defer c.Release()
		return d.Decode(c, func(rec *Record) error {
			if rec.Ord <= last {
				t.Errorf("Ord %d after %d", rec.Ord, last)
			}
			last = rec.Ord
			g := got{Ord: rec.Ord, Line: rec.Line, Offset: rec.Offset, JSON: string(rec.JSON), Raw: string(rec.Raw), Overlay: rec.Overlay}
			if rec.Err != nil {
				g.Reason = string(rec.Err.Reason)
				if rec.JSON != nil || rec.Err.Detail == "" {
					t.Errorf("reject with JSON %q, detail %q", rec.JSON, rec.Err.Detail)
				}
			}
			recs = append(recs, g)
			return nil
		})
	})
	return recs, err
}

// readFile writes content to a file of that name and reads it.
func readFile(t testing.TB, name, content string, opts Options) ([]got, error) {
	t.Helper()
	r, _ := openInput(t, file(t, name, content), opts)
	return readAll(t, r)
}

// file makes a file and returns its path.
func file(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// memory is a stored feed that is no file.
type memory struct{ *strings.Reader }

func (memory) Close() error { return nil }

// inMemory returns a recognised input with that content.
func inMemory(content, format string) *Input {
	return &Input{Name: "f", Format: format, Encoding: utf8Name, Size: int64(len(content)), spool: memory{strings.NewReader(content)}}
}

// jsons lists what the records hold, or why not.
func jsons(recs []got) []string {
	var s []string
	for _, r := range recs {
		if r.Reason != "" {
			s = append(s, "!"+r.Reason)
		} else {
			s = append(s, r.JSON)
		}
	}
	return s
}

func gz(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func zst(t testing.TB, s string) string {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return string(w.EncodeAll([]byte(s), nil))
}

const twoLines = "{\"sku\":\"a\"}\n{\"sku\":\"b\"}\n"

func TestExpandNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.jsonl", "a.csv.gz", ".hidden.csv", "README.md", "c.parquet", "d.json.zst"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(twoLines), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "sub.csv"), 0o777); err != nil {
		t.Fatal(err)
	}
	names := func(args ...string) []string {
		ins, err := Expand(t.Context(), args, Options{Stdin: strings.NewReader("")})
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, in := range ins {
			s = append(s, strings.TrimPrefix(in.Name, dir+"/"))
		}
		return s
	}
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{dir}, []string{"a.csv.gz", "b.jsonl", "c.parquet", "d.json.zst"}},
		{[]string{dir + "/*.json*"}, []string{"b.jsonl", "d.json.zst"}},
		{[]string{dir + "/c.parquet", "-", dir + "/b.jsonl"}, []string{"c.parquet", "-", "b.jsonl"}},
		{[]string{"https://u:p@example.com/f.csv?token=x"}, []string{"https://example.com/f.csv?…"}},
	} {
		if got := names(tt.args...); !slices.Equal(got, tt.want) {
			t.Errorf("Expand(%q) = %q, want %q", tt.args, got, tt.want)
		}
	}
}

func TestExpandErrors(t *testing.T) {
	empty := t.TempDir()
	for _, tt := range []struct {
		name string
		args []string
		opts Options
		want error
	}{
		{"nothing", nil, Options{}, ErrNoFeed},
		{"missing", []string{empty + "/x.csv"}, Options{}, os.ErrNotExist},
		{"glob", []string{empty + "/*.csv"}, Options{}, ErrNoFeed},
		{"folder", []string{empty}, Options{}, ErrNoFeed},
		{"bad glob", []string{"[a"}, Options{}, ErrOption},
		{"stdin", []string{"-"}, Options{}, ErrOption},
		{"stdin twice", []string{"-", "-"}, Options{Stdin: strings.NewReader("")}, ErrOption},
		{"url", []string{"http://"}, Options{}, ErrOption},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Expand(t.Context(), tt.args, tt.opts)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			for _, arg := range tt.args {
				if err != nil && !strings.Contains(err.Error(), arg) {
					t.Errorf("%v does not name %s", err, arg)
				}
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	for _, tt := range []struct {
		name, file, content string
		opts                Options
		want                error
	}{
		{"empty", "a.jsonl", "", Options{}, ErrNoFeed},
		{"empty gzip", "a.jsonl.gz", gz(""), Options{}, ErrNoFeed},
		{"blank", "a.jsonl", "\n \n", Options{}, ErrNoFeed},
		{"html", "a", "<!DOCTYPE html><html>", Options{}, ErrFormat},
		{"binary", "a", "\x00\x01\x02abc\x03", Options{}, ErrFormat},
		{"xz", "a.csv", "\xfd7zXZ\x00abcdef", Options{}, ErrFormat},
		{"zip", "a.xlsx", "PK\x03\x04abcdef", Options{}, ErrFormat},
		{"packed twice", "a.jsonl.gz", gz(gz(twoLines)), Options{}, ErrFormat},
		{"short gzip", "a.gz", "\x1f\x8b\x08", Options{}, ErrTruncated},
		{"format", "a.csv", "sku,name\n", Options{Format: "xml"}, ErrOption},
		{"encoding", "a.csv", "sku,name\n", Options{Encoding: "ebcdic"}, ErrOption},
		{"utf-16", "a.csv", "s\x00k\x00u\x00,\x00b\x00\n\x00", Options{}, ErrEncoding},
		{"utf-16be json", "a.jsonl", "\x00{\x00\"\x00s\x00k\x00u\x00\"", Options{}, ErrEncoding},
		{"1252", "a.csv", "sku,name\na,M\xfcller\n", Options{}, ErrEncoding},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := file(t, tt.file, tt.content)
			ins, err := Expand(t.Context(), []string{path}, tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			_, err = ins[0].Open(t.Context())
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %v with the path", err, tt.want)
			}
			if errors.Is(tt.want, ErrEncoding) && !strings.Contains(err.Error(), "--encoding") {
				t.Errorf("%v does not name the flag", err)
			}
		})
	}
}

func TestOpenRecognises(t *testing.T) {
	for _, tt := range []struct {
		name, content, format, compression, encoding string
	}{
		{"a.jsonl", twoLines, JSONL, None, "utf-8"},
		{"a", twoLines, JSONL, None, "utf-8"},
		{"a.csv", twoLines, JSONL, None, "utf-8"},
		{"a", gz(twoLines), JSONL, Gzip, "utf-8"},
		{"a", zst(t, twoLines), JSONL, Zstd, "utf-8"},
		{"a", bom + twoLines, JSONL, None, "utf-8"},
		{"a", "{\"sku\":\"a\"", JSONL, None, "utf-8"},
		{"a", "{broken\n{\"sku\":\"a\"}\n", JSONL, None, "utf-8"},
		{"a", "broken\n{\"sku\":\"a\"}\n", JSONL, None, "utf-8"},
		{"a.jsonl", "broken\n", JSONL, None, "utf-8"},
		{"a", " [ {\"sku\":\"a\"} ]", JSON, None, "utf-8"},
		{"a", "{\n  \"sku\": \"a\"\n}\n", JSON, None, "utf-8"},
		{"a", "sku;name\n", CSV, None, "utf-8"},
		{"a.csv", "sku\nA\n", CSV, None, "utf-8"},
		{"a", "sku\nA\n", CSV, None, "utf-8"},
		{"a.tsv", "sku\tname\n", CSV, None, "utf-8"},
		{"a", "sku,store_view_code,product_type,name\n", Magento, None, "utf-8"},
		{"a", "\xff\xfes\x00k\x00u\x00,\x00b\x00\n\x00", CSV, None, "utf-16le"},
		{"a", "\xfe\xff\x00s\x00k\x00u\x00,\x00b\x00\n", CSV, None, "utf-16be"},
	} {
		t.Run(fmt.Sprintf("%s %.12q", tt.name, tt.content), func(t *testing.T) {
			_, in := openInput(t, file(t, tt.name, tt.content), Options{})
			if in.Format != tt.format || in.Compression != tt.compression || in.Encoding != tt.encoding || in.Size != int64(len(tt.content)) {
				t.Errorf("got %q %q %q %d", in.Format, in.Compression, in.Encoding, in.Size)
			}
		})
	}
}

// A stream is read in as many passes as a file, and leaves nothing behind.
func TestStreams(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/feed.jsonl.gz", http.StatusFound)
		case "/feed.jsonl.gz":
			io.WriteString(w, gz(twoLines))
		}
	}))
	defer srv.Close()
	fifo := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- os.WriteFile(fifo, []byte(twoLines), 0) }()
	for _, name := range []string{"-", srv.URL + "/moved", fifo} {
		tmp := t.TempDir()
		r, in := openInput(t, name, Options{Stdin: strings.NewReader(twoLines), TempDir: tmp})
		for pass := range 3 {
			recs, err := readAll(t, r)
			if err != nil || !slices.Equal(jsons(recs), []string{`{"sku":"a"}`, `{"sku":"b"}`}) {
				t.Errorf("%s, pass %d: %q, %v", name, pass, jsons(recs), err)
			}
		}
		in.Close()
		if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
			t.Errorf("%s left %v, %v", name, left, err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPipeCancelled(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, writer := range []bool{false, true} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if writer { // it opens the pipe, but writes nothing
			f, err := os.OpenFile(fifo, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
		}
		ins, err := Expand(ctx, []string{fifo}, Options{TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = ins[0].Open(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("writer %v: got %v", writer, err)
		}
		cancel()
	}
}

func TestURLErrors(t *testing.T) {
	t.Parallel() // it waits between tries
	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		switch r.URL.Path {
		case "/missing":
			http.NotFound(w, r)
		case "/flaky": // breaks off once
			w.Header().Set("Content-Length", fmt.Sprint(len(twoLines)))
			if n == 1 {
				io.WriteString(w, twoLines[:5])
				return
			}
			io.WriteString(w, twoLines)
		case "/cut": // always breaks off
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, twoLines)
		case "/hang":
			<-r.Context().Done()
		}
	}))
	defer srv.Close()
	open := func(ctx context.Context, path string) error {
		calls.Store(0)
		ins, err := Expand(ctx, []string{srv.URL + path}, Options{TempDir: t.TempDir(), Client: srv.Client()})
		if err != nil {
			t.Fatal(err)
		}
		defer ins[0].Close()
		_, err = ins[0].Open(ctx)
		return err
	}
	if err := open(t.Context(), "/missing"); !errors.Is(err, ErrFetch) || calls.Load() != 1 || !strings.Contains(err.Error(), "404") {
		t.Errorf("missing: %v after %d calls", err, calls.Load())
	}
	if err := open(t.Context(), "/flaky"); err != nil || calls.Load() != 2 {
		t.Errorf("flaky: %v after %d calls", err, calls.Load())
	}
	if err := open(t.Context(), "/cut"); !errors.Is(err, ErrTruncated) || !errors.Is(err, ErrFetch) || calls.Load() != fetchTries {
		t.Errorf("cut: %v after %d calls", err, calls.Load())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := open(ctx, "/hang"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang: %v", err)
	}
}

// A file that is replaced, grows, shrinks or goes is told.
func TestChanged(t *testing.T) {
	content := strings.Repeat(twoLines, 200_000)
	for _, tt := range []struct {
		name   string
		change func(path string) error
	}{
		{"shrinks", func(p string) error { return os.Truncate(p, 3<<20) }},
		{"grows", func(p string) error {
			f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.WriteString(f, twoLines)
			return err
		}},
		{"replaced", func(p string) error {
			if err := os.WriteFile(p+".new", []byte(content), 0o666); err != nil {
				return err
			}
			return os.Rename(p+".new", p)
		}},
		{"goes", os.Remove},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := file(t, "a.jsonl", content)
			r, _ := openInput(t, path, Options{})
			chunks := 0
			pass := func() error {
				return r.Chunks(t.Context(), func(c *Chunk) error {
					c.Release()
					if chunks++; chunks == 1 {
						return tt.change(path)
					}
					return nil
				})
			}
			err := pass()
			if err == nil { // what was open stays readable
				err = pass()
			}
			if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want ErrChanged with the path", err)
			}
		})
	}
}
