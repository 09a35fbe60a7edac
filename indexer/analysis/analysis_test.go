package analysis

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func words(a *Analyzer, text string) string {
	var out []string
	for _, w := range a.Append(nil, []byte(text)) {
		out = append(out, w.Term)
	}
	return strings.Join(out, " ")
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ lang, text, want string }{
		{"en", "Men's Trail-Shoes, 1.5 kg.", "men trailshoes 1.5 kg"},
		{"en", "O’Neill AT&T 3,5mm", "oneill at t 3 5mm"},
		{"fr", "Sac à main d'été, l’eau", "sac a main ete eau"},
		{"it", "Dell'acqua", "acqua"},
		{"de", "Größe: Übergröße ÄÖÜ", "grosse ubergrosse aou"},
		{"sv", "Räksmörgås", "raksmorgas"},
		{"ja", "東京タワーTシャツ", "東京 京タ タワ ワー t シャ ャツ"},
		{"zh", "主板ASUS", "主板 asus"},
		{"ko", "가방", "가방"},
		{"zh", "书", "书"},
		{"en", "ＡＢＣ １２", "abc 12"},
		{"ru", "Ёлка", "елка"},
		{"", " -- ", ""},
		{"en", strings.Repeat("x", 500), strings.Repeat("x", MaxTerm)},
	} {
		if got := words(New(c.lang, 100), c.text); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.lang, c.text, got, c.want)
		}
	}
}

func TestStems(t *testing.T) {
	for _, c := range []struct{ lang, a, b string }{
		{"en", "shoes", "shoe"},
		{"en", "running", "runs"},
		{"de", "Schuhe", "Schuh"},
		{"de", "Häuser", "Haus"},
		{"fr", "chaussures", "chaussure"},
		{"es", "zapatos", "zapato"},
		{"it", "scarpe", "scarpa"},
		{"nl", "schoenen", "schoen"},
		{"pt", "sapatos", "sapato"},
		{"sv", "skjortor", "skjorta"},
	} {
		an := New(c.lang+"-XX", 100)
		got := an.Append(nil, []byte(c.a+" "+c.b))
		if len(got) != 2 || got[0].Stem != got[1].Stem || !strings.HasPrefix(got[0].Stem, c.lang+":") {
			t.Errorf("%s: %s and %s have stems %q and %q", c.lang, c.a, c.b, got[0].Stem, got[1].Stem)
		}
	}
}

func TestParts(t *testing.T) {
	if got := New("en", 10).Append(nil, []byte("the 16GB")); !got[0].Stop || got[1].Stop {
		t.Errorf("stop words: %v", got)
	}
	var list func(w *Word) string
	list = func(w *Word) string {
		out := w.Term
		if w.Stem != "en:"+w.Term && w.Stem != "de:"+w.Term {
			out += "~" + w.Stem
		}
		for i, p := range w.Parts() {
			out += string("(,"[min(i, 1)]) + list(p)
		}
		if len(w.Parts()) > 0 {
			out += ")"
		}
		return out
	}
	for _, c := range []struct{ lang, text, want string }{
		{"en", "16GB", "16gb(16,gb)"},
		{"en", "850W", "850w(850,w)"},
		{"en", "5600X RTX4070", "5600x rtx4070"},
		{"en", "NH-D15", "nhd15(nh,d15)"},
		{"en", "16-GB", "16gb(16,gb)"},
		{"en", "2TB-NVMe", "2tbnvme(2tb(2,tb),nvme)"},
		{"en", "T-Shirts -- a-", "tshirts~en:tshirt(t,shirts~en:shirt) a"},
		{"en", "MK.2 M.2 2.5 end.Next", "mk2(mk,2) m2(m,2) 2.5 end next"},
		{"en", "910-005954 2026-01-31", "910 005954 2026 01 31"},
		{"en", "a1-b-c-d-e-f-g", "a1 b c d e f g"},
		{"en", `27" 2.5” "2026"`, "27inch(27,inch) 2.5inch(2.5,inch) 2026inch(2026,inch)"},
		{"de", `27" x"`, "27zoll(27,zoll) x"},
		{"en", `123456" `, "123456"},
	} {
		var out []string
		for _, w := range New(c.lang, 100).Append(nil, []byte(c.text)) {
			out = append(out, list(w))
		}
		if got := strings.Join(out, " "); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.lang, c.text, got, c.want)
		}
	}
}

func TestMemoForgets(t *testing.T) {
	a := New("en", 16)
	for i := range 1000 {
		a.Append(nil, []byte(strings.Repeat("x", i%50+1)+" shoes"))
	}
	if n := a.words.Len(); n > 32 {
		t.Errorf("%d words are remembered, more than twice the limit", n)
	}
	if got := words(a, "Shoes"); got != "shoes" {
		t.Errorf("a word changed to %q", got)
	}
}

func TestCollate(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"apple", "Banana", "cherry", "Size 9", "Size 10"},
		"sv": {"Adam", "Zorn", "Åland", "Ägg", "Öl"},
		"de": {"Ähre", "Alt", "Öl", "Ost", "Zaun"},
	} {
		c := NewCollator(lang)
		got := slices.Clone(want)
		slices.Reverse(got)
		slices.SortFunc(got, func(a, b string) int { return bytes.Compare(c.Key(nil, a), c.Key(nil, b)) })
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	for tag, want := range map[string]string{
		"": "und", "de": "de", "de-CH": "de", "pt_BR": "pt", "EN": "en", "x": "und", "d e": "und",
		strings.Repeat("a", 9): "und", "de:x": "und", "\xff\xff": "und",
	} {
		if got := Code(tag); got != want {
			t.Errorf("Code(%q) = %q, want %q", tag, got, want)
		}
	}
}

func FuzzAppend(f *testing.F) {
	for _, s := range []string{"Men's 1.5 16GB", "l’eau", "東京t", "\xff\x00", "''''", "’’a’’b", "e\u0301", "1.2.3."} {
		f.Add(s, "fr")
	}
	f.Add("a", strings.Repeat("0", 62))
	f.Add(strings.Repeat("1", MaxTerm-2)+"gb", "en")
	f.Add(strings.Repeat("1", MaxTerm-1)+"\"", "de")
	f.Fuzz(func(t *testing.T, s, lang string) {
		a := New(lang, 16)
		for _, w := range a.Append(nil, []byte(s)) {
			if w == nil || w.Term == "" || len(w.Term) > MaxTerm || len(w.Stem) > MaxTerm || !utf8.ValidString(w.Term) && utf8.ValidString(s) {
				t.Fatalf("%q: %+v", s, w)
			}
		}
		NewCollator(lang).Key(nil, s)
	})
}

var benchText = []byte("Lightweight trail running shoe Vento with a breathable mesh upper and grippy rubber outsole for long distances on wet and rocky ground in every season")

func BenchmarkAppend(b *testing.B) {
	a := New("en", 1<<16)
	var dst []*Word
	b.SetBytes(int64(len(benchText)))
	for b.Loop() {
		dst = a.Append(dst[:0], benchText)
	}
}

func BenchmarkCollate(b *testing.B) {
	c := NewCollator("en")
	var dst []byte
	for b.Loop() {
		dst = c.Key(dst[:0], "Running shoe Vento 42 Outdoor")
	}
}
