package importer

import (
	"context"
	"encoding/json"
	"errors"

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
	seen
	parts  int64 // prices and stock of embedded variants
	spell  spellings
	held   []*Reject
	bytes  int   // of them
	writes int64 // applied
	nulls  int64 // of these, deletes of what was not there
	again  int64 // of these, to a key that was written before
}

// mayLoadOnce reports whether reading once may be enough.
func (r *run) mayLoadOnce() bool {
	if r.had > 0 || r.o.DryRun || r.o.Kind != catalog.KindProduct || !r.replaces() {
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
		return false, r.startOver(ctx)
	case err != nil:
		return false, errors.Join(err, r.release(o.held))
	}
	r.man.Seal(r.o.Workers)
	if o.unsure() || r.repeats() {
		r.recall.keep(&r.acc)
		return false, r.startOver(ctx)
	}
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
	return o.keyless() || o.again > 0 || o.nulls > 0 && o.parts > 0
}

// passOnce reads and writes everything.
func (r *run) passOnce(ctx context.Context) error {
	c := newCommitter(ctx, r)
	workers := make([]worker, r.o.Workers)
	notes := make([]keyNotes, r.o.Workers)
	for i := range workers {
		notes[i] = r.newKeyNotes(&r.once.spell)
		workers[i] = &loader{
			r: r, docs: newDocuments(r.mapping), bufs: &c.bufs, recall: r.recall.recaller(),
			keys: &notes[i],
		}
	}
	err := r.firstPass(c.ctx, workers, func(in *input, result any) error {
		l := result.(*loaded)
		if err := r.once.take(l); err != nil {
			return err
		}
		return c.take(in, l)
	})
	if err = c.close(err); err != nil {
		return err
	}
	for i := range notes {
		notes[i].flush()
	}
	return nil
}

// take notes what came of a chunk, and holds its rejects back.
func (o *once) take(l *loaded) error {
	o.add(&l.seen)
	o.parts += l.parts
	for _, x := range l.rejects {
		o.held = append(o.held, x)
		o.bytes += len(x.Key) + len(x.Detail) + recordSize(x.Record)
	}
	l.rejects = nil
	if len(o.held) > maxHeld || o.bytes > maxHeldBytes {
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
func (r *run) startOver(ctx context.Context) error {
	r.man.Close()
	r.man = nil
	r.recall = recall{}
	r.again = again{}
	for _, in := range r.inputs {
		in.report.Read = 0
	}
	r.acc.startOver()
	prices := r.hadPrices
	r.had = 0
	if err := r.count(ctx); err != nil {
		return err
	}
	r.hadPrices = prices // there are none from before that could change too much
	return nil
}

// noteKey notes the key of a record; nil if it has none.
func (l *loader) noteKey(k catalog.Kind, key []byte, ord uint32) {
	switch {
	case len(key) == 0:
	case k == l.r.o.Kind:
		l.keys.note(&l.out.seen, key, ord, manifest.Main, 0)
	default:
		l.keys.noteOther(&l.out.seen, k, key, ord)
	}
}
