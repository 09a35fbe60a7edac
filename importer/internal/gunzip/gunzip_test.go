package gunzip

import (
	"bytes"
	stdgzip "compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

func pack(t testing.TB, level int, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, p := range parts {
		w, err := stdgzip.NewWriterLevel(&b, level)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func unpack(src io.Reader) ([]byte, error) {
	z, err := NewReader(src)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// samples are texts that need all that the format has.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 700_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var json bytes.Buffer
	for i := range 20_000 {
		fmt.Fprintf(&json, `{"sku":"A-%d","name":"%x","price":%d.%02d}`+"\n", i, r.Uint64(), r.IntN(1000), r.IntN(100))
	}
	skewed := make([]byte, 400_000) // codes of very different lengths
	for i := range skewed {
		skewed[i] = byte(min(int(r.ExpFloat64()*9), 255))
	}
	var runs []byte // that repeat after 1 to 20 bytes, and end anywhere
	for i := range 20 {
		runs = append(runs, bytes.Repeat(noise[i*50:i*50+i+1], 300)[:277-i]...)
	}
	return map[string][]byte{
		"runs": runs, "empty": {}, "one byte": {'a'}, "noise": noise, "json": json.Bytes(), "skewed": skewed,
		"run of one": bytes.Repeat([]byte{'x'}, 900_000), "run of three": bytes.Repeat([]byte("abc"), 300_000),
		// Matches before which there is less than what a step copies.
		"run at the start": append([]byte("aaaa"), noise[:3000]...), "pair at the start": append([]byte("ababab"), noise[:3000]...),
		"far matches": bytes.Repeat(noise[:32768], 20), "short": []byte("hello, hello, hello"),
	}
}

func TestRead(t *testing.T) {
	for name, text := range samples() {
		for _, level := range []int{stdgzip.HuffmanOnly, 0, 1, 6, 9} {
			t.Run(fmt.Sprint(name, "/", level), func(t *testing.T) {
				packed := pack(t, level, text)
				for way, src := range map[string]io.Reader{
					"whole": bytes.NewReader(packed), "halves": iotest.HalfReader(bytes.NewReader(packed)),
					"bytes": iotest.OneByteReader(bytes.NewReader(packed)), "with the end": iotest.DataErrReader(bytes.NewReader(packed)),
				} {
					if way == "bytes" && len(packed) > 100_000 {
						continue
					}
					got, err := unpack(src)
					if err != nil || !bytes.Equal(got, text) {
						t.Fatalf("%s: %d bytes, %v; want %d", way, len(got), err, len(text))
					}
				}
			})
		}
	}
}

// A match must not reach into the member before.
func TestMembers(t *testing.T) {
	a, b := []byte(strings.Repeat("first ", 60_000)), []byte(strings.Repeat("second ", 50_000))
	got, err := unpack(bytes.NewReader(pack(t, 6, a, nil, b)))
	if want := append(bytes.Clone(a), b...); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v; want %d", len(got), err, len(want))
	}
	if got, err = unpack(bytes.NewReader(append(pack(t, 6, a), "no gzip"...))); !errors.Is(err, ErrHeader) || !bytes.Equal(got, a) {
		t.Fatalf("garbage behind: %d bytes, %v", len(got), err)
	}
}

func TestHeader(t *testing.T) {
	var b bytes.Buffer
	w := stdgzip.NewWriter(&b)
	w.Name, w.Comment, w.Extra = "feed.jsonl", "a comment", bytes.Repeat([]byte{7}, 300)
	fmt.Fprint(w, "text")
	w.Close()
	if got, err := unpack(&b); err != nil || string(got) != "text" {
		t.Fatalf("%q, %v", got, err)
	}
	for _, text := range []string{"", "\x1f", "\x1f\x8b\x08", "no gzip at all"} {
		if _, err := unpack(strings.NewReader(text)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Wherever the input ends, all before that is given, nothing else, and an
// error.
func TestTruncated(t *testing.T) {
	for name, text := range samples() {
		if len(text) > 100_000 {
			text = text[:100_000]
		}
		for _, level := range []int{0, 1, 6} {
			packed := pack(t, level, text)
			step := max(len(packed)/97, 1)
			cuts := []int{len(packed) - 1, len(packed) - 8, len(packed) - 9}
			for n := 18; n < len(packed); n += step {
				cuts = append(cuts, n)
			}
			for _, n := range cuts {
				got, err := unpack(bytes.NewReader(packed[:n]))
				if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(text, got) {
					t.Fatalf("%s, level %d, %d of %d bytes: %d bytes, %v", name, level, n, len(packed), len(got), err)
				}
			}
		}
	}
}

// A damaged byte is noticed, by the code or by the checksum, unless it is a bit
// that means nothing.
func TestDamaged(t *testing.T) {
	text := samples()["json"][:60_000]
	packed := pack(t, 6, text)
	for i := 10; i < len(packed); i += 13 {
		bad := bytes.Clone(packed)
		bad[i] ^= 0x10
		if got, err := unpack(bytes.NewReader(bad)); err == nil && !bytes.Equal(got, text) {
			t.Fatalf("byte %d: %d bytes and no error", i, len(got))
		}
	}
}

func TestSourceFails(t *testing.T) {
	cause := errors.New("the disk is gone")
	packed := pack(t, 6, samples()["json"])
	src := io.MultiReader(bytes.NewReader(packed[:5000]), iotest.ErrReader(cause))
	if _, err := unpack(src); !errors.Is(err, cause) {
		t.Fatal(err)
	}
}

// FuzzReader compares with the standard library: the same text, and an error
// where that has one.
func FuzzReader(f *testing.F) {
	for _, text := range samples() {
		f.Add(pack(f, 6, text[:min(len(text), 2000)]))
		f.Add(pack(f, 0, text[:min(len(text), 200)], text[:min(len(text), 20)]))
		f.Add(pack(f, stdgzip.HuffmanOnly, text[:min(len(text), 2000)]))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		got, err := unpack(bytes.NewReader(packed))
		want, werr := []byte(nil), error(nil)
		z, werr := stdgzip.NewReader(bytes.NewReader(packed))
		if werr == nil {
			want, werr = io.ReadAll(z)
		}
		if (err == nil) != (werr == nil) {
			t.Fatalf("%v, the standard library says %v", err, werr)
		}
		if err == nil && !bytes.Equal(got, want) || err != nil && !bytes.HasPrefix(got, want) && !bytes.HasPrefix(want, got) {
			t.Fatalf("%d bytes that differ from the standard library's %d", len(got), len(want))
		}
	})
}

func BenchmarkReader(b *testing.B) {
	text := samples()["json"]
	packed := pack(b, 6, text)
	b.SetBytes(int64(len(text)))
	buf := make([]byte, 1<<20)
	for b.Loop() {
		z, err := NewReader(bytes.NewReader(packed))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{z}, buf); err != nil {
			b.Fatal(err)
		}
	}
}
