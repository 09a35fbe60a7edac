package importer

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"catalog/catalog"
	"catalog/importer/inspect"
	"catalog/importer/internal/feed"
	"catalog/importer/internal/feedcache"
	"catalog/importer/internal/manifest"
	"catalog/importer/internal/mapping"
)

// survey reads the feeds a first time and fills the manifest: which keys there
// are, which records replace which, and, where the store has records to
// compare with, what is the same. Into an empty store it reads keys alone.
func (r *run) survey(ctx context.Context) error {
	have := r.had
	r.full = have > 0 && r.replaces()
	r.man = manifest.New(r.full)
	r.openRecall()
	keep := r.newKeeper(r.recall.old != nil)
	defer keep.close()
	spell := &spellings{man: r.man}
	r.prog.phase("reading", r.prog.bytes)
	workers := make([]worker, r.o.Workers)
	for i := range workers {
		workers[i] = newSurveyor(r, spell, keep)
	}
	var total surveyed
	for _, in := range r.inputs {
		if s, ok := in.reader.(feed.Selective); ok && r.full {
			s.Mark()
		}
	}
	err := r.firstPass(ctx, workers, func(in *input, result any) error {
		s := result.(*surveyed)
		total.add(s)
		keep.take(in, s.kept)
		if s.came != nil {
			r.recall.out.Append(s.came)
		}
		r.prog.records(s.records)
		return nil
	})
	if err != nil {
		return err
	}
	for _, w := range workers {
		w.(*surveyor).keys.flush()
	}
	if total.keyless() {
		return r.noKey(&total)
	}
	if r.full {
		r.acc.recalled(total.known)
		r.recall.keep(&r.acc)
	}
	r.acc.warn("sku_over_64", total.long)
	r.man.Seal(r.o.Workers)
	r.acc.warn("sku_spelling", spell.clashes())
	records := r.inputs[len(r.inputs)-1].next
	r.drop, r.same, r.group = manifest.NewBits(records), manifest.NewBits(records), manifest.NewBits(records)
	r.todo = total.records
	r.total = total.records
	r.settleRecords()
	if !r.full {
		return nil
	}
	r.settleVariants()
	// Reading all heads pays when the feed is not small beside the store.
	if r.man.Len()*20 < have {
		return nil
	}
	if err := r.join(ctx); err != nil {
		return err
	}
	r.settleSame()
	r.man.DropValues()
	keep.settle(r)
	if r.todo == 0 && !r.mends() {
		r.countAll(&total)
	}
	return nil
}

// count asks the store how many records it has, once.
func (r *run) count(ctx context.Context) error {
	st, err := catalog.Counts(ctx, r.store)
	if err != nil {
		return err
	}
	for _, k := range r.touches() {
		r.had += st.Records[k]
	}
	r.hadPrices = st.Records[catalog.KindPrice]
	return nil
}

// touches returns the kinds of record that a feed of this kind is about.
func (r *run) touches() []catalog.Kind {
	if r.o.Kind == catalog.KindProduct {
		return []catalog.Kind{catalog.KindProduct, catalog.KindPrice, catalog.KindStock}
	}
	return []catalog.Kind{r.o.Kind}
}

// countAll accounts for a feed that needs no second pass: duplicates and
// unchanged records were counted when they were found.
func (r *run) countAll(total *surveyed) {
	same, _ := r.acc.read()
	n := total.records - same
	r.acc.add(r.o.Kind, Counts{Read: n, Duplicates: n})
}

// noKey says that no record has a key, and which fields look like one.
func (r *run) noKey(s *surveyed) error {
	field := r.o.Kind.KeyField()
	if r.mapping != nil {
		return fmt.Errorf("%w: no record has a %s where the mapping looks for it (%d records read)", ErrUsage, field, s.records)
	}
	var names []string
	for _, c := range inspect.Candidates(s.samples) {
		names = append(names, c.Path)
	}
	hint := "`catalog inspect` shows its fields"
	if len(names) > 0 {
		hint = "these fields look like an id: " + strings.Join(names, ", ") + "; name one with --sku, or write a mapping (`catalog inspect` suggests one)"
	}
	return fmt.Errorf("%w: no record of %s has a %s: %s", ErrUsage, r.inputs[0].Name, field, hint)
}

// surveyed is what the survey found in a chunk.
type surveyed struct {
	seen
	known   int64 // that were not parsed, since it is known what they come to
	samples [][]byte
	came    *feedcache.Run // what the records came to; nil: not kept
	kept    *keptPart
}

func (s *surveyed) add(o *surveyed) {
	s.seen.add(&o.seen)
	s.known += o.known
	if len(s.samples) < maxSamples {
		s.samples = append(s.samples, o.samples...)
	}
}

const (
	maxSamples  = 1000
	compareable = manifest.Price | manifest.PriceNull | manifest.Stock | manifest.StockNull
)

// surveyor is the worker of the survey.
type surveyor struct {
	r      *run
	in     *input
	dec    feed.Decoder
	keys   keyNotes
	docs   documents
	parser catalog.Parser
	parsed catalog.Parsed
	key    []byte
	recall recaller
	keep   *keeper
	res    *surveyed
}

func newSurveyor(r *run, s *spellings, keep *keeper) *surveyor {
	return &surveyor{r: r, keys: r.newKeyNotes(s), docs: newDocuments(r.mapping), recall: r.recall.recaller(), keep: keep}
}

func (s *surveyor) begin(in *input) { s.in, s.dec = in, in.reader.NewDecoder() }

func (s *surveyor) end() error { return s.dec.Close() }

func (s *surveyor) chunk(_ context.Context, c *feed.Chunk) (any, error) {
	s.res = &surveyed{kept: s.keep.part()}
	if s.r.full {
		s.res.came = s.recall.begin()
	}
	kd, ok := s.dec.(feed.KeyDecoder)
	if ok && !s.r.full && s.r.mapping == nil && s.r.o.Kind != catalog.KindCategory && !kd.HasField(catalog.KindMember) {
		err := kd.Keys(c, s.r.o.Kind.KeyField(), s.keyOnly)
		if err == nil && s.res.keyed == 0 && s.res.docs > 0 {
			err = s.dec.Decode(c, s.sample)
		}
		return s.res, err
	}
	return s.res, s.dec.Decode(c, s.record)
}

// keyOnly takes a key that the format could read without the rest.
func (s *surveyor) keyOnly(ord int64, key []byte, overlay bool) error {
	s.res.records++
	s.res.docs++
	s.res.next = ord + 1
	if len(key) > 0 {
		f := manifest.Main | manifest.Open
		if overlay {
			f |= manifest.Overlay
		}
		s.put(key, ord, f, 0)
	}
	return nil
}

// sample keeps records of a feed that has no keys, for the message.
func (s *surveyor) sample(rec *feed.Record) error {
	if rec.Err == nil && len(s.res.samples) < maxSamples/8 {
		s.res.samples = append(s.res.samples, bytes.Clone(rec.JSON))
	}
	return nil
}

func (s *surveyor) put(key []byte, ord int64, f manifest.Flags, value uint64) {
	s.keys.note(&s.res.seen, key, uint32(s.in.base+ord), f, value)
}

func (s *surveyor) record(rec *feed.Record) error {
	s.res.records++
	s.res.next = rec.Ord + 1
	sum := uint64(0)
	if s.r.full && !rec.Overlay && rec.Err == nil {
		sum = s.recall.sum(rec.JSON)
		if parts := s.recall.find(s.in.base+rec.Ord, sum); parts != nil {
			s.res.docs++
			s.recalled(rec, parts)
			return nil
		}
	}
	s.parsed.Key = ""
	err := s.read(rec, sum)
	if s.keep.on.Load() {
		s.res.kept.add(rec, s.parsed.Key)
	}
	return err
}

// read notes a record that is not known from last time.
func (s *surveyor) read(rec *feed.Record, sum uint64) error {
	if rec.Err != nil {
		return nil
	}
	s.res.docs++
	doc, err := s.docs.of(rec)
	if err != nil {
		return nil //nolint:nilerr // the second pass meets it again, in order, and rejects it
	}
	if kind, key, ok := ofOtherKind(s.r.o.Kind, doc); ok {
		s.otherKind(kind, key, rec.Ord)
		return nil
	}
	if !s.r.full || rec.Overlay {
		f := manifest.Main | manifest.Open
		if rec.Overlay {
			f |= manifest.Overlay
		}
		if key := quickKey(s.r.o.Kind, doc); key != nil {
			s.put(key, rec.Ord, f, 0)
		} else {
			return s.sample(rec)
		}
		return nil
	}
	s.parser.Reuse()
	p := &s.parsed
	err = s.parser.Parse(s.r.o.Kind, doc, p)
	if p.Key == "" {
		return s.sample(rec)
	}
	s.key = append(s.key[:0], p.Key...)
	if err != nil || p.Body == nil {
		s.put(s.key, rec.Ord, manifest.Main|manifest.Open, 0)
		if err != nil {
			p.Key = "" // it will be rejected
		}
		return nil //nolint:nilerr // by the second pass
	}
	f, value := parts(p.Price, p.Stock)
	f, value = f|manifest.Main, value+digest(p.Kind, p.Body)
	s.put(s.key, rec.Ord, f, value)
	s.recall.note(sum, doc, p, f, value)
	for i := range p.Variants {
		v := &p.Variants[i]
		f, value := parts(v.Price, v.Stock)
		s.keys.add.Add(s.r.man.OfString(string(v.SKU)), uint32(s.in.base+rec.Ord), f|manifest.Variant, value)
	}
	return nil
}

// recalled notes a record as it was noted last time.
func (s *surveyor) recalled(rec *feed.Record, parts []feedcache.Part) {
	s.res.known++
	own := &parts[0]
	key := own.Key
	if len(key) == 0 {
		key = quickKey(s.r.o.Kind, unwrap(rec.JSON))
	}
	s.put(key, rec.Ord, manifest.Flags(own.Flags), own.Value)
	for _, v := range parts[1:] {
		s.keys.add.Add(s.r.man.Of(v.Key), uint32(s.in.base+rec.Ord), manifest.Flags(v.Flags)|manifest.Variant, v.Value)
	}
}

// otherKind notes a record of another kind in a feed of products: by itself,
// and as a SKU that the feed knows.
func (s *surveyor) otherKind(k catalog.Kind, key []byte, ord int64) {
	s.keys.noteOther(&s.res.seen, k, key, uint32(s.in.base+ord))
	s.res.kept.inOrder = true // a price of its own, and one inside a product: the later one counts
	if k == catalog.KindPrice || k == catalog.KindStock {
		s.keys.add.Add(s.r.man.Of(key), uint32(s.in.base+ord), manifest.Variant|manifest.Open, 0)
	}
}

// parts returns flags and digest of a product's price and stock.
func parts(price, stock catalog.Part) (f manifest.Flags, value uint64) {
	switch price.State {
	case catalog.PartSet:
		f |= manifest.Price
		value += digest(catalog.KindPrice, price.Body)
	case catalog.PartNull:
		f |= manifest.PriceNull
	}
	switch stock.State {
	case catalog.PartSet:
		f |= manifest.Stock
		value += digest(catalog.KindStock, stock.Body)
	case catalog.PartNull:
		f |= manifest.StockNull
	}
	return f, value
}

// digest folds the hash of a record so that the digests of several kinds can
// be added up and taken away again one by one.
func digest(k catalog.Kind, body []byte) uint64 { return digestOf(k, catalog.HashOf(body)) }

func digestOf(k catalog.Kind, h catalog.Hash) uint64 {
	return binary.LittleEndian.Uint64(h[:8]) * (2*uint64(k) + 1)
}

// documents gives each record's document in our own shape.
type documents struct{ mapper *mapping.Mapper }

func newDocuments(m *mapping.Mapping) documents {
	if m == nil {
		return documents{}
	}
	return documents{m.NewMapper()}
}

func (d *documents) of(rec *feed.Record) ([]byte, error) {
	doc := unwrap(rec.JSON)
	if d.mapper == nil || rec.Overlay {
		return doc, nil
	}
	return d.mapper.Map(doc)
}

// quickKey finds the key of a record without checking the rest.
func quickKey(k catalog.Kind, doc []byte) []byte {
	key := catalog.KeyText(catalog.MemberValue(doc, k.KeyField()))
	if key == nil && k == catalog.KindCategory {
		key = catalog.KeyText(catalog.MemberValue(doc, "path"))
	}
	if len(key) == 0 {
		return nil
	}
	return key
}

// ofOtherKind recognises a record of another kind in a feed of products.
func ofOtherKind(asked catalog.Kind, doc []byte) (kind catalog.Kind, key []byte, ok bool) {
	const mark = `"` + catalog.KindMember + `"`
	if asked != catalog.KindProduct || !bytes.HasPrefix(bytes.TrimLeft(doc, "{ \t\r\n"), []byte(mark)) {
		return 0, nil, false
	}
	kind, err := catalog.ParseKind(string(catalog.KeyText(catalog.MemberValue(doc, catalog.KindMember))))
	if err != nil || kind == asked {
		return 0, nil, false
	}
	key = quickKey(kind, doc)
	return kind, key, key != nil
}
