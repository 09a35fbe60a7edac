package storetest

import (
	"bytes"
	"strings"

	"catalog/catalog"
)

func limitPromises() []promise {
	return []promise{
		{"LargestBody", largestBody},
		{"InvalidWritesNothing", invalidWritesNothing},
		{"LongestKeys", longestKeys},
		{"LongestRefs", longestRefs},
		{"LongSource", longSource},
	}
}

// largest returns a document of n bytes.
func largest(n int) []byte {
	b := bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
	copy(b, `{"a":"`)
	copy(b[n-2:], `"}`)
	return b
}

func largestBody(e *env) {
	w := catalog.Write{Kind: catalog.KindProduct, Key: "large", Body: largest(catalog.MaxBody)}
	e.outcomes([]catalog.Write{w}, catalog.Created)
	if !bytes.Equal(e.get(catalog.KindProduct, "large")[0].Body, w.Body) {
		e.Error("the largest body is not what was written")
	}
	e.outcomes([]catalog.Write{w}, catalog.Unchanged)

	larger := w
	larger.Body = largest(catalog.MaxBody + 1)
	_, err := e.s.Apply(e.ctx, []catalog.Write{larger})
	e.is(err, catalog.ErrInvalid)
	if !bytes.Equal(e.get(catalog.KindProduct, "large")[0].Body, w.Body) {
		e.Error("the refused body was written")
	}
}

func invalidWritesNothing(e *env) {
	long := strings.Repeat("x", catalog.MaxKey+1)
	good := put(catalog.KindProduct, "good", `{}`)
	bad := map[string]catalog.Write{
		"no kind":           put(0, "k", `{}`),
		"unknown kind":      put(catalog.KindAttribute+1, "k", `{}`),
		"empty key":         put(catalog.KindProduct, "", `{}`),
		"long SKU":          put(catalog.KindProduct, catalog.Key(long[:catalog.MaxSKU+1]), `{}`),
		"long price key":    put(catalog.KindPrice, catalog.Key(long[:catalog.MaxSKU+1]), `{}`),
		"long stock key":    put(catalog.KindStock, catalog.Key(long[:catalog.MaxSKU+1]), `{}`),
		"long category key": put(catalog.KindCategory, catalog.Key(long), `{}`),
		"long attribute":    put(catalog.KindAttribute, catalog.Key(long), `{}`),
		"control character": put(catalog.KindProduct, "a\x00b", `{}`),
		"line feed":         put(catalog.KindProduct, "a\nb", `{}`),
		"not UTF-8":         put(catalog.KindProduct, "a\xffb", `{}`),
		"leading space":     put(catalog.KindProduct, " a", `{}`),
		"trailing space":    put(catalog.KindProduct, "a ", `{}`),
		"large body":        put(catalog.KindProduct, "k", string(largest(catalog.MaxBody+1))),
		"invalid delete":    del(catalog.KindProduct, ""),
	}
	ref := put(catalog.KindProduct, "k", `{}`)
	ref.Refs = []catalog.Ref{{Type: catalog.RefURLKey, Value: long}}
	bad["long ref value"] = ref
	ref.Refs = []catalog.Ref{{Type: catalog.RefURLKey, Store: long[:catalog.MaxSKU+1], Value: "x"}}
	bad["long ref store"] = ref

	for name, w := range bad {
		_, err := e.s.Apply(e.ctx, []catalog.Write{good, w, put(catalog.KindStock, "good", `{}`)})
		if err == nil {
			e.Errorf("%s: accepted", name)
			continue
		}
		e.is(err, catalog.ErrInvalid)
	}
	for _, k := range catalog.Kinds() {
		if got := e.heads(k, catalog.All); len(got) != 0 {
			e.Errorf("%v: written all the same: %v", k, got)
		}
	}
	if got := e.tail(); got.Seq != 0 || len(e.changes(catalog.Cursor{})) != 0 {
		e.Errorf("the tail is %v, want a log without changes", got)
	}
}

func longestKeys(e *env) {
	for _, k := range catalog.Kinds() {
		limit := catalog.MaxSKU
		if k == catalog.KindCategory || k == catalog.KindAttribute {
			limit = catalog.MaxKey
		}
		keys := []catalog.Key{
			catalog.Key(strings.Repeat("k", limit-1)),
			catalog.Key(strings.Repeat("k", limit)),
			catalog.Key(strings.Repeat("k", limit-1) + "l"),
			catalog.Key(strings.Repeat("é", limit/2)),
		}
		for i, key := range keys {
			e.outcomes([]catalog.Write{put(k, key, doc("k", i))}, catalog.Created)
		}
		equal(e, k.String(), keysOf(e.heads(k, catalog.All)), keys)
		for i, r := range e.get(k, keys...) {
			if string(r.Body) != doc("k", i) {
				e.Errorf("%v key %d: the body is %q", k, i, r.Body)
			}
		}
	}
}

func longestRefs(e *env) {
	ref := catalog.Ref{Type: catalog.RefURLKey, Store: strings.Repeat("s", catalog.MaxSKU), Value: strings.Repeat("v", catalog.MaxKey)}
	w := put(catalog.KindProduct, catalog.Key(strings.Repeat("k", catalog.MaxSKU)), `{}`)
	w.Refs = []catalog.Ref{ref}
	e.apply(w)
	equal(e, "lookup", e.lookup(ref), []catalog.Key{w.Key})
	ref.Value = ref.Value[1:]
	if got := e.lookup(ref); len(got) != 0 {
		e.Errorf("a shorter ref finds %v", got)
	}
}

// longSource: the owner's name is limited by no rule.
func longSource(e *env) {
	w := put(catalog.KindProduct, "a", `{}`)
	for _, source := range []string{"", "x", "ERP: nächtlich\x00\xff\n", strings.Repeat("s", 5000)} {
		w.Source = source
		e.apply(w)
		if h := e.headsOf(catalog.KindProduct, "a")[0]; h.Source != source {
			e.Errorf("the source is %.20q, want %.20q", h.Source, source)
		}
		w.Body = append(w.Body, ' ')
	}
}
