package importer

import (
	"context"
	"fmt"
	"math"
	"unicode/utf8"

	"catalog/catalog"
	"catalog/importer/internal/manifest"
)

const (
	maxRecords = math.MaxUint32 // in one import
	cartSKU    = 64             // characters: the width of Magento's sku column
)

// seen is what the first pass over a feed, the survey or the only one, saw of
// its records.
type seen struct {
	records int64 // readable or not
	docs    int64 // that are JSON objects by their look
	keyed   int64
	long    int64 // keys that are too long for a Magento cart
	next    int64 // ordinal after the last
}

// all returns s. Results of the workers of a first pass have it from here.
func (s *seen) all() *seen { return s }

func (s *seen) add(o *seen) {
	s.records += o.records
	s.docs += o.docs
	s.keyed += o.keyed
	s.long += o.long
}

// keyless reports whether there are records, and none has a key.
func (s *seen) keyless() bool { return s.keyed == 0 && s.docs > 0 }

// firstPass is a pass that finds out how many records each input has, and thus
// the ordinals of those of the next. Its results have what was seen.
func (r *run) firstPass(ctx context.Context, workers []worker, done func(in *input, result any) error) error {
	for i, in := range r.inputs {
		if i > 0 {
			in.base = r.inputs[i-1].next
		}
		in.next = in.base
		err := r.passInput(ctx, in, workers, func(in *input, result any) error {
			s := result.(interface{ all() *seen }).all()
			in.report.Read += s.records
			in.next = max(in.next, in.base+s.next)
			return done(in, result)
		})
		if err != nil {
			return err
		}
		if in.next > maxRecords {
			return fmt.Errorf("%w: more than %d records in one import: split the feeds", ErrUsage, uint32(maxRecords))
		}
	}
	return nil
}

// keyNotes puts the keys that one goroutine sees into the manifest.
type keyNotes struct {
	r    *run
	add  *manifest.Adder
	odds odds
	text []byte
}

func (r *run) newKeyNotes(s *spellings) keyNotes {
	return keyNotes{r: r, add: r.man.NewAdder(), odds: odds{s: s}}
}

// note notes the key of a record of the kind that the feed is about.
func (n *keyNotes) note(s *seen, key []byte, ord uint32, f manifest.Flags, value uint64) {
	s.keyed++
	if n.r.o.Kind == catalog.KindProduct {
		if utf8.RuneCount(key) > cartSKU {
			s.long++
		}
		n.odds.add(key)
	}
	n.add.Add(n.r.man.Of(key), ord, f, value)
}

// noteOther notes the key of a record of another kind, by itself, so that the
// last one counts.
func (n *keyNotes) noteOther(s *seen, k catalog.Kind, key []byte, ord uint32) {
	s.keyed++
	n.text = append(append(n.text[:0], 0, byte(k), 0), key...)
	n.add.Add(n.r.man.Of(n.text), ord, manifest.Main|manifest.Open, 0)
}

// flush hands everything over.
func (n *keyNotes) flush() {
	n.add.Flush()
	n.odds.flush()
}
