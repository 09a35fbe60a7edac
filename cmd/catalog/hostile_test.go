package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/importer"
)

// Whatever a feed is made of, an import ends within these.
const (
	hostileTime   = 10 * time.Second
	hostileMemory = 1 << 30
)

// TestHostileFeeds feeds the real program what no supplier should send, and
// holds the exit status, the reason and place of each reject, what was
// imported all the same, the time and the memory.
func TestHostileFeeds(t *testing.T) {
	type place struct {
		reason catalog.Reason
		line   int64
	}
	const good = `{"sku":"A","name":"good"}` + "\n"
	deep := strings.Repeat(`[`, 100_000) + strings.Repeat(`]`, 100_000)
	digits := strings.Repeat("1234567890", 40)
	tests := []struct {
		name, file string
		make       func(w io.Writer)
		args       []string
		status     int
		rejects    []place
		read       int64
		created    int64
		says       string // in what it prints
	}{
		{
			name: "truncated gzip", file: "f.jsonl.gz", status: 1, rejects: []place{{"truncated", 1001}}, read: 1001, created: 1000, says: "ends too early",
			make: func(w io.Writer) {
				var b bytes.Buffer
				z, _ := gzip.NewWriterLevel(&b, gzip.NoCompression)
				for i := range 1000 {
					_, _ = io.WriteString(z, `{"sku":"S`+strings.Repeat("x", i%50)+string(rune('a'+i%26))+strings.Repeat("y", i/50)+`"}`+"\n")
				}
				_ = z.Flush()
				_, _ = io.WriteString(z, good)
				_ = z.Close()
				_, _ = w.Write(b.Bytes()[:b.Len()-30])
			},
		},
		{
			name: "a line of 500 MB", file: "f.jsonl.gz", status: 3, rejects: []place{{"record_too_long", 2}}, read: 3, created: 2,
			make: zipped(func(w io.Writer) {
				_, _ = io.WriteString(w, good+`{"sku":"B","x":"`)
				repeat(w, 'a', 500<<20)
				_, _ = io.WriteString(w, `"}`+"\n"+`{"sku":"C"}`+"\n")
			}),
		},
		{
			name: "an element of 500 MB in an array", file: "f.json.gz", status: 3, rejects: []place{{"record_too_long", 1}}, read: 3, created: 2,
			make: zipped(func(w io.Writer) {
				_, _ = io.WriteString(w, `[{"sku":"A"},{"sku":"B","x":"`)
				repeat(w, 'a', 500<<20)
				_, _ = io.WriteString(w, `"},{"sku":"C"}]`)
			}),
		},
		{
			name: "a zip bomb", file: "f.jsonl.gz", status: 1, says: "f.jsonl.gz", rejects: []place{{"record_too_long", 2}}, read: 2, created: 1,
			make: zipped(func(w io.Writer) {
				_, _ = io.WriteString(w, good)
				repeat(w, 0, 1<<30)
			}),
		},
		{
			name: "deep nesting", file: "f.jsonl", status: 3, rejects: []place{{catalog.ReasonDepth, 1}}, read: 2, created: 1,
			make: write(`{"sku":"D","x":` + deep + "}\n" + good),
		},
		{
			name: "lone surrogates", file: "f.jsonl", status: 3, rejects: []place{{catalog.ReasonUTF8, 2}}, read: 2, created: 1,
			make: write(good + `{"sku":"B","name":"\ud800"}` + "\n"),
		},
		{
			name: "NUL bytes", file: "f.jsonl", status: 3, rejects: []place{{catalog.ReasonJSON, 2}, {catalog.ReasonJSON, 3}}, read: 3, created: 1,
			make: write(good + "{\"sku\":\"B\",\"name\":\"\x00\"}\n\x00\x00\x00\n"),
		},
		{
			name: "duplicate keys", file: "f.jsonl", status: 3, rejects: []place{{catalog.ReasonDuplicate, 2}}, read: 2, created: 1,
			make: write(good + `{"sku":"B","x":1,"\u0078":2}` + "\n"),
		},
		{
			name: "numbers of 400 digits", file: "f.jsonl", status: 0, read: 2, created: 2,
			make: write(good + `{"sku":"B","x":` + digits + `,"price":` + digits + "." + digits + "}\n"),
		},
		{
			name: "a header with duplicate columns", file: "f.csv", status: 2, says: "name",
			make: write("sku,name,price,name\nA,b,1,c\n"),
		},
		{
			name: "ragged rows", file: "f.csv", status: 3, rejects: []place{{"csv_columns", 3}, {"csv_columns", 4}}, read: 4, created: 2,
			make: write("sku,name,price\nA,b,1\nB,c\nC,d,2,3\nD,e,4\n"),
		},
		{name: "an empty file", file: "f.jsonl", status: 2, make: write(""), says: "empty"},
		{name: "a directory without feeds", file: "", status: 2, make: write(""), says: "feed"},
		{name: "a file that is not there", file: "-", status: 1, args: []string{"missing.jsonl"}, says: "missing.jsonl"},
		{
			name: "a Parquet file cut off", file: "f.parquet", status: 1, says: "f.parquet",
			make: write("PAR1" + strings.Repeat("\x15\x04\x15\x10", 1000)),
		},
		{
			name: "an unclosed quote", file: "f.csv", status: 3, rejects: []place{{"csv_quote", 3}}, read: 3, created: 2,
			make: write("sku,name\nA,b\nB,\"c\nC,d\n"),
		},
		{
			name: "a last line cut off", file: "f.jsonl", status: 3, rejects: []place{{catalog.ReasonJSON, 2}}, read: 2, created: 1,
			make: write(good + `{"sku":"B","name":"cut of`),
		},
	}
	dir := t.TempDir()
	program := programCopy(t, dir)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			var name string
			switch tt.file {
			case "":
				name = filepath.Join(dir, "nothing")
				if err := os.Mkdir(name, 0o750); err != nil {
					t.Fatal(err)
				}
			case "-":
			default:
				name = filepath.Join(dir, tt.file)
				f, err := os.Create(name)
				if err != nil {
					t.Fatal(err)
				}
				tt.make(f)
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
			}
			rejects, report := filepath.Join(dir, "rejects.jsonl"), filepath.Join(dir, "report.json")
			args := []string{"import", "--no-index", "--store", "pebble:" + filepath.Join(dir, "store"), "--rejects", rejects, "--report", report, "--no-progress"}
			args = append(args, tt.args...)
			if name != "" {
				args = append(args, name)
			}
			status, out, took, memory := measured(t, program, args)
			if status != tt.status {
				t.Errorf("exit status %d, want %d\n%s", status, tt.status, out)
			}
			if took > hostileTime || memory > hostileMemory {
				t.Errorf("took %v and %d MiB", took, memory>>20)
			}
			if !strings.Contains(out, tt.says) {
				t.Errorf("does not speak of %q:\n%s", tt.says, out)
			}
			if strings.Contains(out, "panic") || strings.Contains(out, "goroutine ") {
				t.Errorf("it panicked:\n%s", out)
			}
			if tt.status == 2 || tt.read == 0 {
				return
			}
			var got []place
			for _, x := range readRejects(t, rejects) {
				got = append(got, place{x.Reason, x.Line})
			}
			if !slices.Equal(got, tt.rejects) {
				t.Errorf("rejects %v, want %v", got, tt.rejects)
			}
			var rep importer.Report
			text, err := os.ReadFile(report)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &rep); err != nil {
				t.Fatal(err)
			}
			if rep.Read != tt.read || rep.Created != tt.created || rep.Rejected != int64(len(tt.rejects)) {
				t.Errorf("read %d, created %d, rejected %d; want %d, %d, %d", rep.Read, rep.Created, rep.Rejected, tt.read, tt.created, len(tt.rejects))
			}
		})
	}
}

func write(text string) func(io.Writer) {
	return func(w io.Writer) { _, _ = io.WriteString(w, text) }
}

func zipped(f func(io.Writer)) func(io.Writer) {
	return func(w io.Writer) {
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		f(z)
		_ = z.Close()
	}
}

func repeat(w io.Writer, b byte, n int) {
	block := bytes.Repeat([]byte{b}, 1<<20)
	for ; n > 0; n -= len(block) {
		_, _ = w.Write(block[:min(n, len(block))])
	}
}

// measured runs the program and returns its exit status, what it printed, how
// long it took and the most memory it had.
func measured(t *testing.T, program string, args []string) (status int, out string, took time.Duration, memory int64) {
	t.Helper()
	cmd := exec.Command(program, args...)
	start := time.Now()
	text, err := cmd.CombinedOutput()
	took = time.Since(start)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("the system does not say how much memory a process had")
	}
	// On a machine that is busy with other tests the clock runs on.
	took = min(took, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	return cmd.ProcessState.ExitCode(), string(text), took, usage.Maxrss << 10
}

func readRejects(t *testing.T, name string) []importer.Reject {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []importer.Reject
	for line := range bytes.Lines(text) {
		var x importer.Reject
		if err := json.Unmarshal(line, &x); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, x)
	}
	return all
}
