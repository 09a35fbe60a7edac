package importer

import (
	"context"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"catalog/catalog"
	"catalog/importer/internal/feed"
	"catalog/importer/internal/manifest"
)

// A feed of products for a store that has none is read once: there is nothing
// to compare with, and hardly ever does a record replace another one of the
// same feed, which is all that the survey would tell. Records are written as
// they come, and which there were is known at the end. Did one come twice, or
// anything that only the whole feed can settle, the usual passes follow: they
// find most of it done, and mend makes the rest as if they had come first.

const (
	// What is rejected is held back until it is known that nothing replaces
	// it: at most so many rejects, or bytes of them.
	maxHeld      = 10_000
	maxHeldBytes = 16 << 20
	// From so many writes to keys that were written before, if they are one in
	// so many, the rest is left to the usual passes.
	manyAgain  = 1000
	againShare = 50
)

// errNotOnce ends reading once before the feed does.
var errNotOnce = errors.New("the feed has to be surveyed first")

// once is an import that reads its feed once.
type once struct {
	spell   spellings
	records int64 // readable or not
	docs    int64 // that could be read
	keyed   int64
	long    int64 // keys that are too long for a Magento cart
	held    []*Reject
	bytes   int                               // of them
	writes  int64                             // applied
	nulls   int64                             // of these, deletes of what was not there
	parts   int64                             // prices and stock of embedded variants
	again   int64                             // of these, to a key that was written before
	made    [catalog.KindAttribute + 1]Counts // what came of it, where it was not enough
}

// seen is what a loader saw in a chunk while reading once.
type seen struct {
	docs, keyed, long int64
	parts             int64 // prices and stock of embedded variants
	next              int64 // ordinal after the last
}

// lookout notes what a loader sees while reading once.
type lookout struct {
	add  *manifest.Adder
	odds odds
	seen
	text []byte
}

// mayLoadOnce reports whether reading once may be enough.
func (r *run) mayLoadOnce() bool {
	if r.had > 0 || r.o.DryRun || r.o.Kind != catalog.KindProduct || r.o.Mode != Upsert && r.o.Mode != Sync {
		return false
	}
	if l := r.o.Guards.MaxRejects; l.Set && !l.None {
		return false // of how many, the survey says
	}
	for _, in := range r.inputs {
		if in.Format == feed.Magento {
			return false // its store rows are joined before anything is written
		}
	}
	return true
}

// loadOnce imports the feed in one pass and reports whether that was enough.
func (r *run) loadOnce(ctx context.Context) (enough bool, err error) {
	if !r.mayLoadOnce() {
		return false, nil
	}
	if err := r.store.SetMeta(ctx, r.unsettledName(), []byte(r.acc.rep.ID)); err != nil {
		return false, err
	}
	r.man = manifest.New(false)
	o := &once{spell: spellings{man: r.man}}
	r.once = o
	defer func() { r.once = nil }()
	r.openRecall()
	r.prog.phase("importing", r.prog.bytes)
	err = r.passOnce(ctx)
	switch {
	case errors.Is(err, errNotOnce):
		r.recall.close()
		return false, r.startOver(ctx, o)
	case err != nil:
		return false, errors.Join(err, r.release(o.held))
	}
	r.man.Seal(r.o.Workers)
	if o.unsure() || r.repeats() {
		r.recall.keep(&r.acc)
		return false, r.startOver(ctx, o)
	}
	r.total = o.records
	r.recall.keep(&r.acc)
	r.acc.warn("sku_over_64", o.long)
	r.acc.warn("sku_spelling", o.spell.clashes())
	if err := r.release(o.held); err != nil {
		return false, err
	}
	return true, r.store.SetMeta(ctx, r.unsettledName(), nil)
}

// unsure reports whether something came that the order of the feed alone does
// not settle: no key at all, a key that was written before, or a null, which
// goes before what another record has embedded.
func (o *once) unsure() bool {
	return o.keyed == 0 && o.docs > 0 || o.again > 0 || o.nulls > 0 && o.parts > 0
}

// passOnce reads and writes everything.
func (r *run) passOnce(ctx context.Context) error {
	c := newCommitter(ctx, r)
	workers := make([]worker, r.o.Workers)
	for i := range workers {
		workers[i] = &loader{
			r: r, docs: newDocuments(r.mapping), bufs: &c.bufs, recall: r.recall.recaller(),
			lookout: &lookout{add: r.man.NewAdder(), odds: odds{s: &r.once.spell}},
		}
	}
	err := error(nil)
	for i, in := range r.inputs {
		if i > 0 {
			in.base = r.inputs[i-1].next
		}
		in.next = in.base
		err = r.passInput(c.ctx, in, workers, func(in *input, result any) error {
			l := result.(*loaded)
			in.report.Read += l.records
			in.next = max(in.next, in.base+l.seen.next)
			if err := r.once.take(in, l); err != nil {
				return err
			}
			return c.take(in, l)
		})
		if err != nil {
			break
		}
	}
	if err = c.close(err); err != nil {
		return err
	}
	for _, w := range workers {
		look := w.(*loader).lookout
		look.add.Flush()
		look.odds.flush()
	}
	return nil
}

// take notes what came of a chunk, and holds its rejects back.
func (o *once) take(in *input, l *loaded) error {
	o.records += l.records
	o.docs += l.seen.docs
	o.keyed += l.seen.keyed
	o.long += l.seen.long
	o.parts += l.seen.parts
	for _, x := range l.rejects {
		o.held = append(o.held, x)
		o.bytes += len(x.Key) + len(x.Detail) + recordSize(x.Record)
	}
	l.rejects = nil
	if len(o.held) > maxHeld || o.bytes > maxHeldBytes || in.next > maxRecords {
		return errNotOnce
	}
	return nil
}

func recordSize(rec any) int {
	switch rec := rec.(type) {
	case json.RawMessage:
		return len(rec)
	case string:
		return len(rec)
	}
	return 0
}

// applied notes what became of writes.
func (o *once) applied(results []catalog.Result) error {
	for i := range results {
		switch results[i].Outcome {
		case catalog.Created:
		case catalog.Absent:
			o.nulls++
		default:
			o.again++
		}
	}
	o.writes += int64(len(results))
	if o.again >= manyAgain && o.again*againShare > o.writes {
		return errNotOnce
	}
	return nil
}

// release reports the rejects that were held back.
func (r *run) release(held []*Reject) error {
	for _, x := range held {
		if _, err := r.rej.add(x); err != nil {
			return err
		}
	}
	return nil
}

// repeats reports whether the feed has two records of one key.
func (r *run) repeats() bool {
	return r.man.Groups(func(g []manifest.Entry) error {
		if len(g) > 1 {
			return errNotOnce
		}
		return nil
	}) != nil
}

// startOver forgets what was counted: the usual passes count it all. What they
// find as it should be is there because of this import, see account.finish.
func (r *run) startOver(ctx context.Context, o *once) error {
	r.man.Close()
	r.man = nil
	r.recall = recall{}
	r.again = again{}
	for _, in := range r.inputs {
		in.report.Read = 0
	}
	o.made = r.acc.startOver()
	r.acc.first = &o.made
	prices := r.hadPrices
	r.had = 0
	if err := r.count(ctx); err != nil {
		return err
	}
	r.hadPrices = prices // there are none from before that could change too much
	return nil
}

// key notes the key of a record.
func (l *loader) key(k catalog.Kind, key catalog.Key, ord uint32) {
	look := l.lookout
	if look == nil || len(key) == 0 {
		return
	}
	look.keyed++
	look.text = look.text[:0]
	if k != l.r.o.Kind {
		look.text = append(look.text, ownKey(k)...)
	}
	look.text = append(look.text, key...)
	if k == l.r.o.Kind {
		if utf8.RuneCount(look.text) > cartSKU {
			look.long++
		}
		look.odds.add(look.text)
	}
	look.add.Add(l.r.man.Of(look.text), ord, manifest.Main, 0)
}
