package storefront_test

import (
	"errors"
	"fmt"
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/storefront"
)

// writeOf returns the write that a document comes to.
func writeOf(t *testing.T, doc string) catalog.Write {
	t.Helper()
	var parser catalog.Parser
	var p catalog.Parsed
	if err := parser.Parse(catalog.KindProduct, []byte(doc), &p); err != nil {
		t.Fatal(err)
	}
	return catalog.Write{Kind: p.Kind, Key: p.Key, Body: p.Body, Hash: catalog.HashOf(p.Body), Refs: p.Refs}
}

// TestURLKeeper: what is replaced is remembered, and nothing else.
func TestURLKeeper(t *testing.T) {
	for _, empty := range []bool{true, false} {
		s := memstore.New()
		k := storefront.NewURLKeeper(s, empty)
		apply := func(docs ...string) {
			t.Helper()
			var writes []catalog.Write
			for _, d := range docs {
				writes = append(writes, writeOf(t, d))
			}
			if left, err := k.Keep(t.Context(), writes); left != 0 || err != nil {
				t.Fatal(left, err)
			}
			if _, err := s.Apply(t.Context(), writes); err != nil {
				t.Fatal(err)
			}
		}
		former := func(store, key, want string) {
			t.Helper()
			got, err := s.Meta(t.Context(), storefront.FormerURL(store, key))
			if errors.Is(err, catalog.ErrNotFound) {
				err = nil
			}
			if err != nil || string(got) != want {
				t.Errorf("empty %v: %s/%s leads to %q, %v, want %q", empty, store, key, got, err, want)
			}
		}
		apply(`{"sku":"A","url_key":"a"}`, `{"sku":"B","url_key":{"de":"b-de","fr":"b-fr"}}`, `{"sku":"C","url_key":"c"}`)
		former("", "a", "")
		apply(`{"sku":"A","url_key":"a2"}`, `{"sku":"B","url_key":{"de":"b-de","fr":"b2-fr"}}`, `{"sku":"C","url_key":"c","name":"other"}`, `{"sku":"NEW","url_key":"n"}`)
		former("", "a", "A")
		former("fr", "b-fr", "B")
		former("de", "b-de", "")
		former("", "c", "")
		former("", "n", "")
		apply(`{"sku":"A","url_key":"c"}`, `{"sku":"C","url_key":"a2"}`) // they change places
		former("", "a2", "A")
		former("", "c", "C")
		apply(`{"sku":"A"}`) // nothing replaces it
		former("", "a", "A")
	}
}

// TestURLKeeperMany: a feed that renames more than can be remembered says so.
func TestURLKeeperMany(t *testing.T) {
	s := memstore.New()
	k := storefront.NewURLKeeper(s, true)
	var before, after []catalog.Write
	for i := range storefront.MaxKeptURLs + 10 {
		before = append(before, writeOf(t, fmt.Sprintf(`{"sku":"S%d","url_key":"old-%d"}`, i, i)))
		after = append(after, writeOf(t, fmt.Sprintf(`{"sku":"S%d","url_key":"new-%d"}`, i, i)))
	}
	if left, err := k.Keep(t.Context(), before); left != 0 || err != nil {
		t.Fatal(left, err)
	}
	if _, err := s.Apply(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if left, err := k.Keep(t.Context(), after); left != 10 || err != nil {
		t.Errorf("%d left, %v", left, err)
	}
}
