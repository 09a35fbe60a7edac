package window

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestWords: each language has each text of the window, with the same places
// to fill in, and none that the window does not have.
func TestWords(t *testing.T) {
	texts := map[string]bool{} // plural or not
	single := []*regexp.Regexp{
		regexp.MustCompile(`\b(?:t|mix)\('([^']+)'`),
		regexp.MustCompile(`data-words>([^<]+)<`),
		regexp.MustCompile(`aria-label="([^"]+)" data-label`),
		regexp.MustCompile(`placeholder="([^"]+)"`),
		regexp.MustCompile(`'data-words': true \}, '([^']+)'`),
	}
	lists := regexp.MustCompile(`(?s)const (?:sortNames|titles) = \{(.*?)\};`)
	quoted := regexp.MustCompile(`: '([^']+)'`)
	plurals := regexp.MustCompile(`plural\([^()']*, '([^']+)', '([^']+)'\)`)
	entries, err := static.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	languages := map[string]map[string]any{}
	for _, e := range entries {
		content, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		text := string(content)
		if lang, ok := strings.CutPrefix(e.Name(), "words-"); ok {
			words := map[string]any{}
			if err := json.Unmarshal(content, &words); err != nil {
				t.Fatalf("%s: %v", e.Name(), err)
			}
			languages[strings.TrimSuffix(lang, ".json")] = words
			continue
		}
		if e.Name() == "words.js" {
			continue // its examples are none
		}
		for _, re := range single {
			for _, m := range re.FindAllStringSubmatch(text, -1) {
				texts[m[1]] = false
			}
		}
		for _, l := range lists.FindAllStringSubmatch(text, -1) {
			for _, m := range quoted.FindAllStringSubmatch(l[1], -1) {
				texts[m[1]] = false
			}
		}
		for _, m := range plurals.FindAllStringSubmatch(text, -1) {
			texts[m[2]] = true
		}
	}
	if len(texts) < 80 {
		t.Fatalf("only %d texts were found", len(texts))
	}
	script, err := static.ReadFile("static/words.js")
	if err != nil {
		t.Fatal(err)
	}
	for lang, words := range languages {
		if !strings.Contains(string(script), "'"+lang+"'") {
			t.Errorf("words.js does not know %s", lang)
		}
		for text, several := range texts {
			checkWords(t, lang, text, words[text], several)
		}
		for text := range words {
			if _, ok := texts[text]; !ok {
				t.Errorf("%s has %q, which the window does not say", lang, text)
			}
		}
	}
	if len(languages) != 7 {
		t.Errorf("there are %d languages", len(languages))
	}
}

var place = regexp.MustCompile(`\{\w+\}`)

func checkWords(t *testing.T, lang, text string, found any, several bool) {
	t.Helper()
	forms := []any{found}
	if several {
		list, ok := found.([]any)
		if !ok || len(list) != 2 {
			t.Errorf("%s: %q needs two forms, has %v", lang, text, found)
			return
		}
		forms = list
	}
	want := place.FindAllString(text, -1)
	slices.Sort(want)
	for _, f := range forms {
		s, ok := f.(string)
		have := place.FindAllString(s, -1)
		slices.Sort(have)
		if !ok || strings.TrimSpace(s) == "" || fmt.Sprint(have) != fmt.Sprint(want) {
			t.Errorf("%s: %q is %v", lang, text, f)
		}
	}
}
