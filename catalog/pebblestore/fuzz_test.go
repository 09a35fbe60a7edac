package pebblestore

import (
	"errors"
	"reflect"
	"testing"

	"catalog/catalog"
)

// The decoders meet whatever a disk gives back: they may refuse it as corrupt,
// and what they take they write again alike.

func FuzzHead(f *testing.F) {
	refs := []catalog.Ref{{Type: catalog.RefURLKey, Store: "de", Value: "schuh"}, {Type: catalog.RefVariant, Value: "A-1"}}
	f.Add(appendHead(nil, catalog.HashOf(nil), 1, 0, nil))
	f.Add(append(appendHead(nil, catalog.HashOf(nil), 1<<40, 7, refs), `{"sku":"a"}`...))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, v []byte) {
		h, rest, err := parseHead(v)
		if err != nil {
			mustBeCorrupt(t, err)
			return
		}
		parsed, err := parseRefs(nil, h.refs)
		if err != nil {
			t.Fatalf("parseHead takes what parseRefs does not: %v", err)
		}
		again, rest2, err := parseHead(append(appendHead(nil, h.hash, h.seq, h.source, parsed), rest...))
		if err != nil || string(rest2) != string(rest) || again.hash != h.hash || again.seq != h.seq || again.source != h.source {
			t.Fatalf("%+v becomes %+v, %v", h, again, err)
		}
		if refs, err := parseRefs(nil, again.refs); err != nil || !reflect.DeepEqual(refs, parsed) {
			t.Fatalf("%v becomes %v, %v", parsed, refs, err)
		}
	})
}

func FuzzLogBlock(f *testing.F) {
	var w logWriter
	for i, c := range []catalog.Change{
		{Kind: catalog.KindProduct, Op: catalog.OpPut, Key: "a"},
		{Kind: catalog.KindPrice, Op: catalog.OpDelete, Key: "a"},
		{Kind: catalog.KindCategory, Op: catalog.OpPut, Key: "Shoes"},
	} {
		c.Seq = catalog.Seq(5 + i)
		w.add(c)
	}
	f.Add(w.value(w.blocks[0]))
	f.Add([]byte{0x11, 0xff})
	f.Fuzz(func(t *testing.T, v []byte) {
		changes, err := readBlock(v, 5)
		if err != nil {
			mustBeCorrupt(t, err)
			return
		}
		var w logWriter
		for _, c := range changes {
			w.add(c)
		}
		var again []catalog.Change
		for _, b := range w.blocks {
			part, err := readBlock(w.value(b), b.first)
			if err != nil {
				t.Fatal(err)
			}
			again = append(again, part...)
		}
		if !reflect.DeepEqual(again, changes) {
			t.Fatalf("%v becomes %v", changes, again)
		}
	})
}

func readBlock(v []byte, first catalog.Seq) ([]catalog.Change, error) {
	r := logReader{rest: v, seq: first}
	var changes []catalog.Change
	for {
		c, ok, err := r.next()
		if err != nil || !ok {
			return changes, err
		}
		changes = append(changes, c)
	}
}

func FuzzState(f *testing.F) {
	st := newState()
	st.tail, st.trimmed, st.token = 1000, 10, 3
	st.own(2, 5)
	f.Add(st.append(nil))
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, v []byte) {
		st, err := parseState(v)
		if err != nil {
			mustBeCorrupt(t, err)
			return
		}
		if again, err := parseState(st.append(nil)); err != nil || !reflect.DeepEqual(again, st) {
			t.Fatalf("%+v becomes %+v, %v", st, again, err)
		}
	})
}

func FuzzLease(f *testing.F) {
	f.Add([]byte{1, 2, 2, 'm', 'e'})
	f.Fuzz(func(t *testing.T, v []byte) {
		if _, err := parseLease("import", v); err != nil {
			mustBeCorrupt(t, err)
		}
	})
}

func mustBeCorrupt(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, catalog.ErrCorrupt) {
		t.Fatalf("the error is %v", err)
	}
}

// TestRefKeys: keys of refs keep apart what is different, in the order of the
// records' keys, whatever bytes are in it.
func TestRefKeys(t *testing.T) {
	texts := []string{"", "a", "ab", "b", "\x00", "\x00\x01", "\x01", "a\x00", "a\x00\x01b", "\xff"}
	seen := map[string][]string{}
	for _, value := range texts {
		for _, store := range texts {
			r := catalog.Ref{Type: catalog.RefURLKey, Store: store, Value: value}
			prefix := string(refPrefix(nil, r))
			for other, of := range seen {
				if len(other) <= len(prefix) && prefix[:len(other)] == other || len(prefix) < len(other) && other[:len(prefix)] == prefix {
					t.Errorf("%q is a prefix of the key of %q", []string{store, value}, of)
				}
			}
			seen[prefix] = []string{store, value}
			key := refKey(nil, r, catalog.KindProduct, "SKU-1")
			if owner, err := refOwner(key[len(prefix):]); err != nil || owner != "SKU-1" {
				t.Errorf("the owner is %q, %v", owner, err)
			}
		}
	}
}

func TestFilter(t *testing.T) {
	feed := newTestFeed(300_000)
	f := newFilter(0)
	for i := range 200_000 {
		f.add(feed.sku(i))
	}
	wrong := 0
	for i := range feed.n {
		switch has := f.has(feed.sku(i)); {
		case i < 200_000 && !has:
			t.Fatalf("%q was added", feed.sku(i))
		case i >= 200_000 && has:
			wrong++
		}
	}
	if wrong > 3000 {
		t.Errorf("%d of 100,000 absent keys are taken for present", wrong)
	}
}
