package inspect

import (
	"bytes"
	"testing"

	"catalog/importer/internal/mapping"
)

// FuzzInspect holds that whatever a feed's fields are called and hold, it is
// described, and what is suggested for it is a mapping file.
func FuzzInspect(f *testing.F) {
	for _, doc := range []string{
		`{"id":"1","a":{"b":[1,2,{"c":null}]},"price":"1.299,00 €","category":"A>B|C"}`, `{"a.b[0]\\":1,"\u0000 #:":{"-":"x"},"":{"":[]}}`,
		`{"sku":"a","title":"n","stock":{"qty":"x"},"_id":1e400}`, `{"data":{"_id":"x"},"y":[{"_id":1}],"images":[["a"]]}`, ` {"no": true} `,
		`{"\udd00":{"":""},"":{"":[]}}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		doc = bytes.TrimSpace(doc)
		if len(doc) < 2 || doc[0] != '{' || !mapping.Valid(doc) {
			return
		}
		c := newCollector()
		c.add(doc)
		r := &Report{Feeds: []Feed{{Name: "f"}}}
		r.describe(c)
		if err := r.WriteText(&bytes.Buffer{}, 80); err != nil {
			t.Fatal(err)
		}
		if r.Note == noSuggestion {
			t.Fatal("what is suggested is no mapping file")
		}
		if r.Mapping == "" {
			return
		}
		if _, err := mapping.Parse([]byte(r.Mapping)); err != nil {
			t.Fatalf("%v in\n%s", err, r.Mapping)
		}
	})
}
