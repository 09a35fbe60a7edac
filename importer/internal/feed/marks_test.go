package feed

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// What is selected is read as a whole pass reads it, whatever the lines.
func TestSelect(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for i := range 30_000 {
		b.WriteString(strings.Repeat("\n", rnd.IntN(20)/18*rnd.IntN(30)))
		fmt.Fprintf(&b, `{"sku":"%d","x":"%s"}`, i, strings.Repeat("y", rnd.IntN(200)))
		b.WriteString([]string{"\n", "\r\n", " \n", "\n\n"}[rnd.IntN(4)])
	}
	text := b.String()
	for name, content := range map[string]string{
		"plain": text, "no last newline": strings.TrimRight(text, "\r\n "), "byte order mark": bom + text, "one line": `{"sku":"1"}`,
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := openInput(t, file(t, "a.jsonl", content), Options{})
			s := r.(Selective)
			s.Mark()
			all, err := readAll(t, r)
			if err != nil {
				t.Fatal(err)
			}
			for _, share := range []float64{0, 0.001, 0.1, 0.9, 1} {
				want := map[int64]bool{} // by line
				for _, rec := range all {
					want[rec.Ord] = rnd.Float64() < share
				}
				var asked [][2]int64
				ok := s.Select(func(from, to int64) bool {
					asked = append(asked, [2]int64{from, to})
					for ord := from; ord < to; ord++ {
						if want[ord] {
							return true
						}
					}
					return false
				})
				if !ok {
					t.Fatal("cannot select")
				}
				recs, err := readAll(t, r)
				if err != nil {
					t.Fatal(err)
				}
				var expect []got
				for _, rec := range all {
					for ord := rec.Ord / markEvery * markEvery; ord < (rec.Ord/markEvery+1)*markEvery; ord++ {
						if want[ord] {
							expect = append(expect, rec)
							break
						}
					}
				}
				if !slices.Equal(recs, expect) {
					t.Fatalf("share %v: got %d records, want %d", share, len(recs), len(expect))
				}
			}
			s.Select(nil)
			if recs, err := readAll(t, r); err != nil || !slices.Equal(recs, all) {
				t.Errorf("after that: %d records, %v; want %d", len(recs), err, len(all))
			}
		})
	}
}

// Where lines were left out of what is noted, everything is read.
func TestSelectRefused(t *testing.T) {
	long := `{"sku":"` + strings.Repeat("x", MaxRecord) + "\"}\n"
	wide := strings.Repeat(`{"sku":"`+strings.Repeat("x", markSpan/4)+"\"}\n", 8)
	for name, content := range map[string]string{
		"too long": "{\"sku\":\"a\"}\n" + long + "{\"sku\":\"b\"}\n", "too wide": wide, "packed": gz("{\"sku\":\"a\"}\n"),
	} {
		r, _ := openInput(t, file(t, "a.jsonl", content), Options{})
		s := r.(Selective)
		s.Mark()
		all, err := readAll(t, r)
		if err != nil {
			t.Fatal(err)
		}
		if s.Select(func(_, _ int64) bool { return false }) {
			t.Errorf("%s: selected", name)
		}
		if again, err := readAll(t, r); err != nil || !slices.Equal(again, all) {
			t.Errorf("%s: the next pass differs: %v", name, err)
		}
	}
}

func TestSelectNoticesChanges(t *testing.T) {
	for name, change := range map[string]func(string) error{
		"written to": func(p string) error { return os.Chtimes(p, time.Time{}, time.Unix(1, 0)) },
		"shorter":    func(p string) error { return os.Truncate(p, 10) },
	} {
		path := file(t, "a.jsonl", strings.Repeat("{\"sku\":\"abcdefgh\"}\n", 100))
		r, _ := openInput(t, path, Options{})
		s := r.(Selective)
		s.Mark()
		if _, err := readAll(t, r); err != nil {
			t.Fatal(err)
		}
		if !s.Select(func(from, _ int64) bool { return from > 50 }) {
			t.Fatal("cannot select")
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(t, r); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
