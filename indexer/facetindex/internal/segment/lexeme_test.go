package segment

import "testing"

// FuzzStem packs stems, and takes apart what nobody packed.
func FuzzStem(f *testing.F) {
	for _, s := range [][2]string{
		{"lamps", "en:lamp"},
		{"lamp", "en:lamp"},
		{"", ""},
		{"a", ":a"},
		{"a", ":b"},
		{"a", "a"},
		{"a:b", "en:a:b"},
		{"laufen", "de:lauf"},
		{"went", "en:go"},
		{"x", "\x00x:y"},
		{"a\x00b", "en:a\x00b"},
		{"é", "fr:\xc3"},
	} {
		f.Add(s[0], s[1], []byte("en:\x03x"))
	}
	f.Fuzz(func(t *testing.T, term, stem string, foreign []byte) {
		packed := packStem(nil, term, stem)
		if got := string(unpackStem(nil, []byte(term), packed)); got != stem {
			t.Errorf("the stem %q of %q comes back as %q", stem, term, got)
		}
		if own := ownStem(packed); own && len(stem) <= len(term) {
			t.Errorf("%q is taken for a language and %q", stem, term)
		}
		unpackStem(nil, []byte(term), foreign)
	})
}
