package storetest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"catalog/catalog"
)

func modelPromises() []promise {
	return []promise{
		{"FewKeysManyWrites", func(e *env) { runModel(e, 12, 60, 25) }},
		{"ManyKeys", func(e *env) { runModel(e, 2000, 25, 400) }},
		{"LargeBatches", func(e *env) { runModel(e, 15_000, 4, 20_000) }},
	}
}

// model is what a store should hold: a map, and nothing clever.
type model struct {
	e       *env
	rng     *rand.Rand
	keys    []catalog.Key
	refs    []catalog.Ref
	records map[record]modelRecord
	writes  int                    // to make bodies differ
	at      catalog.Cursor         // of the follower that derives …
	derived map[record]catalog.Seq // … this from the log: which record was put when
}

type modelRecord struct {
	body   string
	source string
	seq    catalog.Seq
	refs   []catalog.Ref
}

// runModel applies random batches to a store and to the model, and compares
// all that can be asked of the store.
func runModel(e *env, keys, rounds, batch int) {
	seed := e.h.Seed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	e.Logf("Harness.Seed: %d repeats this", seed)
	if testing.Short() {
		rounds = rounds/4 + 1
	}
	if e.h.Slow {
		keys, rounds, batch = keys/5+1, rounds/10+1, batch/5+1
	}
	m := &model{
		e: e, rng: rand.New(rand.NewPCG(seed, 0)),
		records: map[record]modelRecord{}, derived: map[record]catalog.Seq{},
	}
	unique := map[catalog.Key]bool{}
	for len(unique) < keys {
		if key := m.text(); catalog.KindProduct.CheckKey(key) == nil {
			unique[catalog.Key(key)] = true
		}
	}
	m.keys = slices.Sorted(maps.Keys(unique))
	for range 8 {
		m.refs = append(m.refs, catalog.Ref{
			Type:  catalog.RefType(1 + m.rng.IntN(3)),
			Store: []string{"", "de", "a"}[m.rng.IntN(3)], Value: m.text(),
		})
	}
	for range rounds {
		m.apply(1 + m.rng.IntN(batch))
		switch m.rng.IntN(10) {
		case 0:
			m.trim()
		case 1:
			if e.h.Reopen != nil {
				e.reopen()
			}
		}
		m.compare()
	}
	e.ok(Check(e.ctx, e.s))
}

// text returns a random string, similar ones being likely.
func (m *model) text() string {
	letters := []string{"a", "b", "A", "-", "/", ".", " ", "0", "é", "e\u0301", "日", "~", "$", "\u00a0"}
	out := ""
	for range 1 + m.rng.IntN(5) {
		out += letters[m.rng.IntN(len(letters))]
	}
	return out
}

// apply makes a random batch and checks its results against the model's.
func (m *model) apply(n int) {
	writes := make([]catalog.Write, n)
	for i := range writes {
		writes[i] = m.write()
	}
	// The model goes first, since it says what to expect; it learns Seqs after.
	want := make([]catalog.Outcome, n)
	now := maps.Clone(m.records)
	written := map[record]int{} // by which write of this batch
	for i, w := range writes {
		id := record{w.Kind, w.Key}
		old, ok := now[id]
		if _, again := written[id]; again {
			writes[i].If, w.If = nil, nil // the Seq is not known before
		}
		switch {
		case w.If != nil && *w.If != old.seq:
			want[i] = catalog.Conflict
			continue
		case w.Body == nil && !ok:
			want[i] = catalog.Absent
			continue
		case w.Body == nil:
			want[i] = catalog.Deleted
			delete(now, id)
			written[id] = i
			continue
		case ok && old.body == string(w.Body):
			want[i] = catalog.Unchanged
			old.source = w.Source
			now[id] = old
			continue
		case ok:
			want[i] = catalog.Updated
		default:
			want[i] = catalog.Created
		}
		now[id] = modelRecord{body: string(w.Body), source: w.Source, refs: w.Refs}
		written[id] = i
	}

	res, err := m.e.s.Apply(m.e.ctx, writes)
	if conflicts := slices.Contains(want, catalog.Conflict); conflicts != errors.Is(err, catalog.ErrConflict) || !conflicts && err != nil {
		m.e.Fatalf("the error is %v, conflicts expected: %v", err, conflicts)
	}
	for i, r := range res {
		if r.Outcome != want[i] {
			m.e.Fatalf("write %d of %v %q: %v, want %v", i, writes[i].Kind, writes[i].Key, r.Outcome, want[i])
		}
	}
	for id, i := range written {
		if rec, ok := now[id]; ok {
			rec.seq = res[i].Seq
			now[id] = rec
		}
	}
	m.records = now
}

// write makes a random write.
func (m *model) write() catalog.Write {
	kind, key := catalog.Kinds()[m.rng.IntN(5)], m.keys[m.rng.IntN(len(m.keys))]
	id := record{kind, key}
	m.writes++
	w := put(kind, key, fmt.Sprintf(`{"n":%d}`, m.writes))
	w.Source = []string{"erp", "pim", ""}[m.rng.IntN(3)]
	if kind == catalog.KindProduct {
		for range m.rng.IntN(4) {
			w.Refs = append(w.Refs, m.refs[m.rng.IntN(len(m.refs))])
		}
	}
	switch m.rng.IntN(10) {
	case 0, 1:
		w = del(kind, key)
	case 2, 3, 4: // the same once more
		if old, ok := m.records[id]; ok {
			w.Body, w.Refs = []byte(old.body), old.refs
		}
	}
	switch m.rng.IntN(10) {
	case 0:
		seq := m.records[id].seq
		w.If = &seq
	case 1:
		seq := catalog.Seq(m.rng.IntN(100))
		w.If = &seq
	}
	return w
}

func (m *model) trim() {
	m.follow()
	m.e.ok(m.e.s.Follow(m.e.ctx, "model", m.at))
	_, err := m.e.s.Trim(m.e.ctx, m.at.Seq+catalog.Seq(m.rng.IntN(10)))
	m.e.ok(err)
}

// follow brings what is derived from the log up to date.
func (m *model) follow() {
	for _, c := range m.e.changes(m.at) {
		if c.Op == catalog.OpDelete {
			delete(m.derived, record{c.Kind, c.Key})
		} else {
			m.derived[record{c.Kind, c.Key}] = c.Seq
		}
	}
	m.at = m.e.tail()
}

// compare asks the store for everything and compares it with the model.
func (m *model) compare() {
	e := m.e
	e.Helper()
	m.follow()
	if len(m.derived) != len(m.records) {
		e.Fatalf("the log leads to %d records, want %d", len(m.derived), len(m.records))
	}
	for id, r := range m.records {
		if m.derived[id] != r.seq {
			e.Fatalf("the log has %v %q at %d, want %d", id.kind, id.key, m.derived[id], r.seq)
		}
	}
	for _, kind := range catalog.Kinds() {
		r := catalog.All
		if m.rng.IntN(2) == 0 {
			r = catalog.Range{From: m.keys[m.rng.IntN(len(m.keys))], To: m.keys[m.rng.IntN(len(m.keys))]}
		}
		var heads []catalog.Head
		for _, key := range m.keys {
			if rec, ok := m.records[record{kind, key}]; ok && r.Contains(key) {
				heads = append(heads, rec.head(kind, key))
			}
		}
		equal(e, fmt.Sprintf("heads of %v in %q", kind, r), e.heads(kind, r), heads)
		recs := e.scan(kind, r)
		equal(e, fmt.Sprintf("scan of %v in %q", kind, r), headsIn(recs), heads)
		for _, rec := range recs {
			if want := m.records[record{kind, rec.Key}].body; string(rec.Body) != want {
				e.Fatalf("%v %q: scan yields %s, want %s", kind, rec.Key, rec.Body, want)
			}
		}
		m.compareSome(kind)
	}
	for _, ref := range m.refs {
		var want []catalog.Key
		for _, key := range m.keys {
			if slices.Contains(m.records[record{catalog.KindProduct, key}].refs, ref) {
				want = append(want, key)
			}
		}
		e.found(ref, want...)
	}
}

// compareSome asks for keys by name.
func (m *model) compareSome(kind catalog.Kind) {
	e := m.e
	asked := make([]catalog.Key, m.rng.IntN(40))
	want := make([]catalog.Head, len(asked))
	for i := range asked {
		asked[i] = m.keys[m.rng.IntN(len(m.keys))]
		if rec, ok := m.records[record{kind, asked[i]}]; ok {
			want[i] = rec.head(kind, asked[i])
		}
	}
	equal(e, "HeadsOf", e.headsOf(kind, asked...), want)
	recs := e.get(kind, asked...)
	equal(e, "Get", headsIn(recs), want)
	for i, rec := range recs {
		if want := m.records[record{kind, asked[i]}].body; string(rec.Body) != want {
			e.Fatalf("%v %q: Get returns %s, want %s", kind, asked[i], rec.Body, want)
		}
	}
}

func (r modelRecord) head(kind catalog.Kind, key catalog.Key) catalog.Head {
	return catalog.Head{Kind: kind, Key: key, Hash: catalog.HashOf([]byte(r.body)), Seq: r.seq, Source: r.source}
}
