package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestOutFile checks that a file is there whole or not at all, and that nothing
// else is left.
func TestOutFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	var stdout bytes.Buffer
	a := &app{system: system{stdout: &stdout}}
	files := func(want ...string) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != len(want) {
			t.Fatalf("left %v, %v; want %v", entries, err, want)
		}
	}
	write := func(text string) *outFile {
		t.Helper()
		out, err := a.create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.WriteString(text); err != nil {
			t.Fatal(err)
		}
		return out
	}
	write("first").discard()
	files()
	out := write("second")
	if err := out.commit(); err != nil {
		t.Fatal(err)
	}
	out.discard()
	files("out")
	write("third").discard()
	if got, err := os.ReadFile(path); err != nil || string(got) != "second" {
		t.Errorf("%q, %v", got, err)
	}
	if err := a.writeAtomic(path, []byte("fourth")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "fourth" {
		t.Errorf("%q, %v", got, err)
	}
	files("out")

	if err := a.writeAtomic("-", []byte("text")); err != nil || stdout.String() != "text" {
		t.Errorf("standard output has %q, %v", stdout.String(), err)
	}
	if err := a.writeAtomic(filepath.Join(dir, "no", "folder"), nil); err == nil {
		t.Error("wrote into a folder that is not there")
	}
	if err := a.writeAtomic(dir, nil); err == nil {
		t.Error("wrote over a folder")
	}
	files("out")
	if err := a.writeAtomic(os.DevNull, []byte("text")); err != nil {
		t.Errorf("device: %v", err)
	}
}

func TestByName(t *testing.T) {
	tests := []struct{ path, format, compression, wantFormat, wantCompression string }{
		{"-", "", "", "jsonl", ""},
		{"a.jsonl", "", "", "jsonl", ""},
		{"a.JSON.GZ", "", "", "json", "gzip"},
		{"dir.csv/a.csv.zst", "", "", "csv", "zstd"},
		{"dir.csv/a", "", "", "jsonl", ""},
		{"a.parquet", "", "", "parquet", ""},
		{"a.tsv", "csv", "gzip", "csv", "gzip"},
		{"a.csv.gz", "", "none", "csv", ""},
	}
	for _, tt := range tests {
		format, compression := byName(tt.path, tt.format, tt.compression)
		if format != tt.wantFormat || compression != tt.wantCompression {
			t.Errorf("byName(%q, %q, %q) = %q, %q", tt.path, tt.format, tt.compression, format, compression)
		}
	}
}
