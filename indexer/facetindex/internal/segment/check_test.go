package segment

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"catalog/indexer"
)

// TestLater flips a bit of each part of a segment that is verified when it is
// used: reading what the bit belongs to fails and names the file, and so does
// verifying all.
func TestLater(t *testing.T) {
	whole := encoded(t, 800)
	use := func(s *Segment) error {
		errs := []error{s.LoadWords(), s.LoadValueWords()}
		for i := range s.AttrNames.Len() {
			_, err := s.Field(i)
			errs = append(errs, err)
		}
		for i := range s.Lexicon.Len() {
			_, err := s.Postings(i)
			errs = append(errs, err)
		}
		titles := s.Titles()
		for doc := range uint32(s.Docs) {
			_, err := titles.Of(doc)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
	s, err := OpenLater(whole, "file")
	if err != nil {
		t.Fatal(err)
	}
	if s.check == nil {
		t.Fatal("nothing is left for later")
	}
	if err := errors.Join(use(s), s.Verify(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	later := 0
	for i := 0; i < len(whole); i += 1 + len(whole)/500 {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		s, err := OpenLater(b, "file")
		if err != nil {
			if !errors.Is(err, indexer.ErrCorrupt) && !errors.Is(err, indexer.ErrFormat) {
				t.Fatalf("byte %d: %v", i, err)
			}
			continue
		}
		later++
		again, err := OpenLater(b, "file")
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{use(s), again.Verify(t.Context(), nil)} {
			if !errors.Is(err, indexer.ErrCorrupt) {
				t.Fatalf("byte %d: using what is damaged: %v", i, err)
			}
			if !strings.Contains(err.Error(), "file: ") {
				t.Fatalf("byte %d: no file is named: %v", i, err)
			}
		}
	}
	if later == 0 {
		t.Error("every bit was verified when the file was opened")
	}
}
