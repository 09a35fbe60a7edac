package importer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"catalog/catalog"
	"catalog/importer/internal/feed"
	"catalog/importer/internal/feedcache"
	"catalog/importer/internal/manifest"
)

// load reads the feeds a second time and writes what is new or different.
func (r *run) load(ctx context.Context) error {
	if r.todo > 0 || r.mends() {
		r.prog.phase("importing", r.prog.bytes)
		r.readKept()
		defer r.skipSame()()
		if err := r.loadPass(ctx, nil); err != nil {
			return err
		}
		r.recall.keep(&r.acc)
		r.dropKept()
	}
	if r.spool != nil {
		if err := r.foldSpooled(ctx); err != nil {
			return err
		}
	}
	return r.loadAgain(ctx)
}

// loadPass runs one pass; with only set, over those records alone.
func (r *run) loadPass(ctx context.Context, only manifest.Bits) error {
	c := newCommitter(ctx, r)
	workers := make([]worker, r.o.Workers)
	for i := range workers {
		workers[i] = &loader{r: r, only: only, docs: newDocuments(r.mapping), bufs: &c.bufs}
		if !r.full && only == nil {
			workers[i].(*loader).recall = r.recall.recaller()
		}
	}
	err := r.pass(c.ctx, workers, func(in *input, result any) error { return c.take(in, result.(*loaded)) })
	return c.close(err)
}

// again is what a pass could not decide: parents of variants that also are
// records of their own, and earlier records of keys whose last was rejected.
type again struct {
	mu       sync.Mutex
	parents  map[uint32]bool
	rejected map[uint32]manifest.Key
	second   bool // the pass over parents is under way
}

func (a *again) parent(ord uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.parents == nil {
		a.parents = map[uint32]bool{}
	}
	a.parents[ord] = true
}

func (a *again) reject(ord uint32, k manifest.Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rejected == nil {
		a.rejected = map[uint32]manifest.Key{}
	}
	a.rejected[ord] = k
}

// loadAgain runs further passes until nothing is left to decide. Where the
// last record of a key was rejected the one before it counts, and so on.
func (r *run) loadAgain(ctx context.Context) error {
	for len(r.again.rejected) > 0 {
		only := manifest.NewBits(int64(len(r.drop)) * 64)
		found := false
		for ord, k := range r.again.rejected {
			before, ok := uint32(0), false
			r.man.Each(k, func(e manifest.Entry) bool {
				if e.Flags()&manifest.Variant == 0 && e.Ord() < ord && r.drop.Has(e.Ord()) {
					before, ok = e.Ord(), true
				}
				return true
			})
			if ok {
				r.drop.Clear(before)
				only.Set(before)
				found = true
			}
		}
		r.again.rejected = nil
		if !found {
			break
		}
		if err := r.loadPass(ctx, only); err != nil {
			return err
		}
	}
	if len(r.again.parents) == 0 {
		return nil
	}
	only := manifest.NewBits(int64(len(r.drop)) * 64)
	for ord := range r.again.parents {
		only.Set(ord)
	}
	r.again.second = true
	return r.loadPass(ctx, only)
}

// loaded is what the loader made of a chunk.
type loaded struct {
	seen
	writes  []catalog.Write
	bufs    [][]byte // memory that no later chunk's bodies are in
	size    int      // bytes of the bodies
	counts  [catalog.KindAttribute + 1]Counts
	rejects []*Reject
	patches []*patch
	rows    []*row         // that wait for others of their key
	came    *feedcache.Run // what the records came to; nil: not kept
	parts   int64          // prices and stock of embedded variants, while reading once
}

// loader is the worker of the second pass.
type loader struct {
	r    *run
	only manifest.Bits // nil: all
	in   *input
	dec  feed.Decoder
	docs documents
	bufs *buffers

	parser catalog.Parser
	parsed catalog.Parsed
	begun  int // of the parser's buffer: where the chunk's bodies begin
	out    *loaded
	rows   folder
	recall recaller

	keys     *keyNotes // while reading once
	text     []byte
	replaced catalog.Parser // of records that others replace
}

func (l *loader) begin(in *input) { l.in, l.dec = in, in.passed().NewDecoder() }

func (l *loader) end() error { return l.dec.Close() }

func (l *loader) chunk(_ context.Context, c *feed.Chunk) (any, error) {
	l.out = &loaded{came: l.recall.begin()}
	l.out.writes = l.bufs.getWrites()
	l.begun = len(l.parser.Buffer())
	err := l.dec.Decode(c, l.record)
	if err != nil && !errors.Is(err, feed.ErrTruncated) {
		return nil, err
	}
	l.fold()
	l.out.size += len(l.parser.Buffer()) - l.begun
	return l.out, err
}

// parse parses a document into l.parsed. Bodies of one chunk after the other go
// into one buffer, since of most chunks of a feed that hardly changed there are
// few; one that has no room for the next document goes along with the chunk.
func (l *loader) parse(k catalog.Kind, doc []byte) error {
	buf := l.parser.Buffer()
	if need := len(doc) + len(doc)/8 + 256; buf == nil || len(buf) > 0 && cap(buf)-len(buf) < need {
		l.turn()
	}
	return l.parser.Parse(k, doc, &l.parsed)
}

// turn hands the buffer over with the chunk and begins another.
func (l *loader) turn() {
	if buf := l.parser.Buffer(); buf != nil {
		l.out.bufs = append(l.out.bufs, buf)
		l.out.size += len(buf) - l.begun
	}
	l.parser.Reset(l.bufs.get())
	l.begun = 0
}

func (l *loader) record(rec *feed.Record) error {
	ord := uint32(l.in.base + rec.Ord)
	main := &l.out.counts[l.r.o.Kind]
	if l.only != nil {
		if !l.only.Has(ord) {
			return nil
		}
		if !l.r.again.second {
			main.Read--
			main.Duplicates-- // it was counted as one, and now counts itself
		}
	} else {
		l.out.records++
	}
	if l.keys != nil {
		l.out.next = rec.Ord + 1
		if rec.Overlay {
			return errNotOnce
		}
		if rec.Err == nil {
			l.out.docs++
		}
	}
	switch {
	case rec.Err != nil:
		l.reject(rec, "", &catalog.InvalidError{Reason: rec.Err.Reason, Offset: -1, Detail: rec.Err.Detail})
		return nil
	case l.r.drop.Has(ord):
		main.Read++
		main.Duplicates++
		if l.only == nil && l.r.mends() && !rec.Overlay {
			if doc, err := l.docs.of(rec); err == nil {
				l.stray(doc, ord)
			}
		}
		return nil
	case l.r.same.Has(ord):
		return nil // counted when it was compared
	}
	doc, err := l.docs.of(rec)
	if err != nil {
		l.reject(rec, "", mappingFault(err))
		return nil
	}
	if l.r.group.Has(ord) {
		l.rows.add(l, rec, ord, doc)
		return nil
	}
	switch l.r.o.Mode {
	case Delete:
		l.remove(rec, doc)
	case Patch:
		l.patch([]*row{newRow(l.in, rec, ord, doc)})
	default:
		sum := l.recall.sum(rec.JSON)
		before := len(l.out.writes)
		if l.put(rec, ord, doc) && l.out.came != nil {
			l.note(sum, doc, l.out.writes[before:])
		}
	}
	return nil
}

// note keeps what a record came to, by its writes: those of the product and,
// where it has them, of its price and stock come first.
func (l *loader) note(sum uint64, doc []byte, writes []catalog.Write) {
	p := &l.parsed
	if p.Kind != l.r.o.Kind || p.Body == nil {
		return
	}
	f, value := manifest.Main, digestOf(p.Kind, writes[0].Hash)
	part := func(state catalog.PartState, set, null manifest.Flags) {
		switch state {
		case catalog.PartSet:
			f |= set
			value += digestOf(writes[1].Kind, writes[1].Hash)
		case catalog.PartNull:
			f |= null
		default:
			return
		}
		writes = writes[1:]
	}
	part(p.Price.State, manifest.Price, manifest.PriceNull)
	part(p.Stock.State, manifest.Stock, manifest.StockNull)
	l.recall.note(sum, doc, p, f, value)
}

// mappingFault makes a reject of what the mapping says.
func mappingFault(err error) error {
	var inv *catalog.InvalidError
	if errors.As(err, &inv) {
		return err
	}
	return &catalog.InvalidError{Reason: ReasonMapping, Offset: -1, Detail: err.Error()}
}

func (l *loader) reject(rec *feed.Record, key string, err error) {
	original := rec.Raw
	if rec.JSON != nil && !rec.Overlay && l.r.mapping == nil {
		// What a row of a table means can be fed in again; its text cannot.
		original = rec.JSON
	}
	l.out.rejects = append(l.out.rejects, newReject(l.in, rec.Line, rec.Offset, key, err, original))
}

// put parses a record and writes what it is made of, or rejects it.
func (l *loader) put(rec *feed.Record, ord uint32, doc []byte) (ok bool) {
	p := &l.parsed
	err := l.r.schema.check(doc)
	if err == nil {
		err = l.parse(l.r.o.Kind, doc)
	} else {
		p.Key = catalog.Key(quickKey(l.r.o.Kind, doc))
	}
	if err != nil {
		if l.keys != nil {
			kind, key, ok := ofOtherKind(l.r.o.Kind, doc)
			if !ok {
				kind, key = l.r.o.Kind, quickKey(l.r.o.Kind, doc)
			}
			l.noteKey(kind, key, ord)
		}
		l.reject(rec, string(p.Key), err)
		if l.r.mend != nil {
			l.r.mend.reject(ord)
		}
		if p.Key != "" && l.only == nil || l.only != nil && !l.r.again.second {
			l.r.again.reject(ord, l.r.man.OfString(string(p.Key)))
		}
		return false
	}
	if l.keys != nil {
		l.text = append(l.text[:0], p.Key...)
		l.noteKey(p.Kind, l.text, ord)
	}
	if l.only != nil && l.r.mend != nil {
		l.r.mend.keep(p)
	}
	l.emit(p, ord)
	return true
}

// emit turns a parsed record into writes.
func (l *loader) emit(p *catalog.Parsed, ord uint32) {
	second := l.r.again.second && l.only != nil
	if !second {
		l.out.counts[p.Kind].Read++ // a record of another kind is accounted for there
		l.write(p.Kind, p.Key, p.Body, p.Refs)
		l.part(catalog.KindPrice, p.Key, p.Price)
		l.part(catalog.KindStock, p.Key, p.Stock)
	}
	for i := range p.Variants {
		v := &p.Variants[i]
		price, stock := takes, takes
		if l.keys == nil {
			price, stock = l.r.embedded(v.SKU, ord, l.only != nil && !second)
		}
		if price == waits || stock == waits {
			if !second {
				l.r.again.parent(ord)
			}
		}
		l.variantPart(catalog.KindPrice, v.SKU, v.Price, price, second)
		l.variantPart(catalog.KindStock, v.SKU, v.Stock, stock, second)
	}
}

// variantPart writes an embedded variant's price or stock, unless another
// record has it. What waits is written in a second pass, if it is not there
// by then.
func (l *loader) variantPart(k catalog.Kind, sku catalog.Key, part catalog.Part, v verdict, second bool) {
	switch {
	case part.State == catalog.PartAbsent:
	case v == yields && !second:
		l.out.counts[k].Read++
		l.out.counts[k].Duplicates++
	case v == takes && !second:
		l.part(k, sku, part)
		if l.keys != nil {
			l.out.parts++
		}
	case v == waits && second:
		l.part(k, sku, part)
		if n := len(l.out.writes); part.State == catalog.PartSet {
			l.out.writes[n-1].If = new(catalog.Seq)
		}
	}
}

func (l *loader) part(k catalog.Kind, key catalog.Key, p catalog.Part) {
	if p.State == catalog.PartAbsent {
		return
	}
	l.out.counts[k].Read++
	l.write(k, key, p.Body, nil)
}

func (l *loader) write(k catalog.Kind, key catalog.Key, body []byte, refs []catalog.Ref) {
	w := catalog.Write{Kind: k, Key: key, Body: body, Source: l.r.o.Source, Refs: refs}
	if body != nil {
		w.Hash = catalog.HashOf(body)
	}
	l.out.writes = append(l.out.writes, w)
}

// remove deletes the record that a document names.
func (l *loader) remove(rec *feed.Record, doc []byte) {
	key := quickKey(l.r.o.Kind, doc)
	if key == nil {
		// Reading it in full says what is wrong.
		err := l.parse(l.r.o.Kind, doc)
		if err == nil || l.parsed.Key != "" {
			err = &catalog.InvalidError{Reason: catalog.ReasonNoKey, Path: l.r.o.Kind.KeyField(), Offset: -1, Detail: "is missing"}
		}
		l.reject(rec, "", err)
		return
	}
	if err := l.r.o.Kind.CheckKey(string(key)); err != nil {
		l.reject(rec, "", err)
		return
	}
	l.out.counts[l.r.o.Kind].Read++
	l.out.writes = appendDeletes(l.out.writes, l.r.o.Kind, catalog.Key(key), l.r.o.Source)
}

// appendDeletes appends the writes that delete a record; with a product go its
// price and stock.
func appendDeletes(dst []catalog.Write, k catalog.Kind, key catalog.Key, source string) []catalog.Write {
	dst = append(dst, catalog.Write{Kind: k, Key: key, Source: source})
	if k == catalog.KindProduct {
		dst = append(dst, catalog.Write{Kind: catalog.KindPrice, Key: key, Source: source},
			catalog.Write{Kind: catalog.KindStock, Key: key, Source: source})
	}
	return dst
}

// buffers hands out memory for the bodies and writes of a chunk.
type buffers struct {
	mu     sync.Mutex
	free   [][]byte
	writes [][]catalog.Write
}

func (b *buffers) get() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.free); n > 0 {
		buf := b.free[n-1]
		b.free = b.free[:n-1]
		return buf[:0]
	}
	return make([]byte, 0, 1<<20+1<<17)
}

func (b *buffers) getWrites() []catalog.Write {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.writes); n > 0 {
		writes := b.writes[n-1]
		b.writes = b.writes[:n-1]
		return writes[:0]
	}
	return nil
}

// putWrites takes writes back that were copied.
func (b *buffers) putWrites(w []catalog.Write) {
	clear(w)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes = append(b.writes, w)
}

func (b *buffers) put(buf []byte) {
	if cap(buf) == 0 || cap(buf) > 16<<20 {
		return // one giant record must not stay in memory for ever
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, buf)
}

// errHopeless ends a pass at --max-rejects.
func (r *run) hopeless(rejected int64) error {
	l, read := r.o.Guards.MaxRejects, max(r.total, rejected)
	if !l.Set || !l.exceeded(rejected, read) {
		return nil
	}
	r.acc.refuse(Refusal{
		Guard: "max_rejects", Option: "--max-rejects", Count: rejected, Of: read,
		What: fmt.Sprintf("stopped at reject %d of %d records; what was accepted before is in", rejected, read),
	})
	return ErrTooManyRejects
}

// exceeded reports whether n of a whole is more than the limit allows.
func (l Limit) exceeded(n, of int64) bool {
	switch {
	case l.None:
		return false
	case l.Count >= 0 && l.Percent == 0:
		return n > l.Count
	}
	return of > 0 && float64(n)*100 > l.Percent*float64(of)
}
