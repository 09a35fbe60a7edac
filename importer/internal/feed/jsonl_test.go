package feed

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestJSONLines(t *testing.T) {
	recs, err := readFile(t, "a.jsonl", bom+"{\"sku\":\"a\"}\r\n\n  \n\t{\"sku\":\"b\"} \nnot json\n{\"sku\":\"c\"", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []got{
		{Ord: 0, Line: 1, Offset: 3, JSON: `{"sku":"a"}`, Raw: `{"sku":"a"}`},
		{Ord: 3, Line: 4, Offset: 20, JSON: `{"sku":"b"}`, Raw: `{"sku":"b"}`},
		{Ord: 4, Line: 5, Offset: 34, JSON: `not json`, Raw: `not json`},
		{Ord: 5, Line: 6, Offset: 43, JSON: `{"sku":"c"`, Raw: `{"sku":"c"`},
	}
	if !slices.Equal(recs, want) {
		t.Errorf("got  %v\nwant %v", recs, want)
	}
}

// Lines and offsets are right over many chunks, and longer lines than a chunk.
func TestJSONLinesPlaces(t *testing.T) {
	var b strings.Builder
	for i := range 40_000 {
		b.WriteString(`{"sku":"`)
		b.WriteString(strings.Repeat("x", i%200))
		if i%15_000 == 7 {
			b.WriteString(strings.Repeat("long", 1<<20))
		}
		b.WriteString("\"}\n")
	}
	text := b.String()
	for _, content := range []string{text, gz(text)} {
		recs, err := readFile(t, "a.jsonl", content, Options{})
		if err != nil || len(recs) != 40_000 {
			t.Fatal(len(recs), err)
		}
		off := int64(0)
		for i, r := range recs {
			if r.Line != int64(i+1) || r.Ord != int64(i) || r.Offset != off || !strings.HasPrefix(text[off:], r.JSON+"\n") {
				t.Fatalf("record %d: line %d, ord %d, offset %d", i, r.Line, r.Ord, r.Offset)
			}
			off += int64(len(r.JSON) + 1)
		}
	}
}

func TestJSONLinesTruncated(t *testing.T) {
	var b strings.Builder
	for i := range 40_000 { // more than zstd makes one block of
		fmt.Fprintf(&b, "{\"sku\":\"a%d\",\"n\":[1,2,3]}\n", i*i)
	}
	text := b.String()
	for name, packed := range map[string]string{"gzip": gz(text), "zstd": zst(t, text)} {
		for _, cut := range []int{len(packed) - 1, len(packed) - 4, len(packed) / 2} {
			r, in := openInput(t, file(t, "a.jsonl", packed[:cut]), Options{Format: JSONL})
			recs, err := readAll(t, r)
			if !errors.Is(err, ErrTruncated) || !strings.Contains(err.Error(), in.Name) {
				t.Errorf("%s cut at %d: %v", name, cut, err)
			}
			for i, rec := range recs {
				if rec.Reason != "" && (rec.Reason != string(ReasonTruncated) || i != len(recs)-1) {
					t.Errorf("%s cut at %d: record %d of %d: %s", name, cut, i, len(recs), rec.Reason)
				}
			}
		}
	}
	damaged := []byte(gz(text))
	damaged[len(damaged)-6] ^= 1 // the checksum
	if recs, err := readFile(t, "a", string(damaged), Options{}); !errors.Is(err, ErrTruncated) || len(recs) != 40_000 {
		t.Errorf("damaged: %d, %v", len(recs), err)
	}
	if recs, err := readFile(t, "a", gz(text)+gz(text), Options{}); err != nil || len(recs) != 80_000 {
		t.Errorf("two members: %d, %v", len(recs), err)
	}
	if recs, err := readFile(t, "a", zst(t, text)+zst(t, text), Options{}); err != nil || len(recs) != 80_000 {
		t.Errorf("two frames: %d, %v", len(recs), err)
	}
}

func TestYieldErrors(t *testing.T) {
	r, _ := openInput(t, file(t, "a", twoLines), Options{})
	stop := errors.New("stop")
	if err := r.Chunks(t.Context(), func(*Chunk) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	calls := 0
	err := r.Chunks(t.Context(), func(c *Chunk) error {
		return r.NewDecoder().Decode(c, func(*Record) error { calls++; return io.ErrNoProgress })
	})
	if !errors.Is(err, io.ErrNoProgress) || calls != 1 {
		t.Error(err, calls)
	}
}

func FuzzJSONLines(f *testing.F) {
	for _, s := range []string{twoLines, "\n\n", "{}\r\n{}", "\x00\n\xff", bom + "{}", " x "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) == 0 || !utf8.ValidString(s) || strings.TrimSpace(s) == "" {
			return
		}
		r := &jsonLines{in: inMemory(s, JSONL)}
		recs, err := readAll(t, r)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, line := range strings.Split(strings.TrimPrefix(s, bom), "\n") {
			if line = strings.Trim(line, " \t\r\n"); line != "" {
				want = append(want, line)
			}
		}
		if got := jsons(recs); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
