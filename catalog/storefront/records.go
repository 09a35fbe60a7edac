package storefront

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"catalog/catalog"
	"catalog/catalog/internal/jsonscan"
)

// apiSource owns records that were first written here. A record that a feed
// owns stays the feed's when it is changed, so that a later sync still knows it.
const apiSource = "api"

// recordKey reads which record a request is about.
func (s *Server) recordKey(r *request) (catalog.Kind, catalog.Key, error) {
	name := r.PathValue("kind")
	kind, err := catalog.ParseKind(name)
	if err != nil || name != kind.Plural() {
		return 0, "", notFound("kind", "there is no kind of record %q: use products, prices, stock, categories or attributes", clip(name))
	}
	key := r.q.get("key")
	if err := kind.CheckKey(key); err != nil {
		var invalid *catalog.InvalidError
		if errors.As(err, &invalid) {
			return 0, "", badRequest("key", "the key %s", invalid.Detail)
		}
		return 0, "", err
	}
	return kind, catalog.Key(key), nil
}

func etagOf(seq catalog.Seq) string { return strconv.FormatUint(uint64(seq), 10) }

// getRecord answers with a record as it is stored.
func (s *Server) getRecord(a *answer, r *request) error {
	kind, key, err := s.recordKey(r)
	if err != nil {
		return err
	}
	records, err := s.records(r.Context(), kind, []string{string(key)})
	if err != nil {
		return err
	}
	if !records[0].Exists() {
		return notFound("key", "there is no %s %q", kind, clip(string(key)))
	}
	a.life, a.etag = LifePrivate, etagOf(records[0].Seq)
	a.body = append(a.body, records[0].Body...)
	return nil
}

// condition is what If-Match and If-None-Match ask of a record.
type condition struct {
	seq    []catalog.Seq // any of these
	exists bool          // any version
	absent bool
	given  bool
}

func readCondition(r *request) (condition, error) {
	var c condition
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	switch {
	case match == "" && none == "":
		return c, nil
	case match != "" && none != "":
		return c, badRequest("If-Match", "goes without If-None-Match")
	case none != "":
		if strings.TrimSpace(none) != "*" {
			return c, badRequest("If-None-Match", "is * or nothing here: it asks that there is no such record")
		}
		return condition{absent: true, given: true}, nil
	}
	c.given = true
	for part := range strings.SplitSeq(match, ",") {
		part = strings.TrimSpace(part)
		if part == "*" {
			c.exists = true
			continue
		}
		n, err := strconv.ParseUint(strings.Trim(part, `"`), 10, 64)
		if err != nil || len(part) < 3 || part[0] != '"' {
			return c, badRequest("If-Match", "%q is no ETag of a record: take it from GET as it is", clip(part))
		}
		c.seq = append(c.seq, catalog.Seq(n))
	}
	return c, nil
}

// holds reports whether the record with a head is what was asked for.
func (c *condition) holds(h *catalog.Head) bool {
	switch {
	case !c.given:
		return true
	case c.absent:
		return !h.Exists()
	case !h.Exists():
		return false
	}
	return c.exists || slices.Contains(c.seq, h.Seq)
}

// errPrecondition is what a condition that does not hold comes to.
func errPrecondition(h *catalog.Head) error {
	if !h.Exists() {
		return problemf(http.StatusPreconditionFailed, "If-Match", "there is no such record")
	}
	p := problemf(http.StatusPreconditionFailed, "If-Match", "the record is another version now: read it again, and send its new ETag")
	p.header = map[string]string{"ETag": `"` + etagOf(h.Seq) + `"`}
	return p
}

// change makes the writes of a request from the record as it is now.
type change func(kind catalog.Kind, base *catalog.Record) ([]catalog.Write, error)

// changeTries is how often a record is written that others keep changing.
const changeTries = 10

// change reads a record, lets do say what becomes of it, and writes that under
// the condition that nobody changed the record in between. Whoever asked for
// no version of it is not told about such races: it is done again.
func (s *Server) change(a *answer, r *request, do change) error {
	kind, key, err := s.recordKey(r)
	if err != nil {
		return err
	}
	cond, err := readCondition(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	for try := 1; ; try++ {
		records, err := s.records(ctx, kind, []string{string(key)})
		if err != nil {
			return err
		}
		base := &records[0]
		if !cond.holds(&base.Head) {
			return errPrecondition(&base.Head)
		}
		base.Key = key
		writes, err := do(kind, base)
		if err != nil {
			return err
		}
		seq := base.Seq
		writes[0].If = &seq
		for i := range writes {
			if writes[i].Source == "" {
				writes[i].Source = apiSource
			}
		}
		results, err := s.store.Apply(ctx, writes)
		if errors.Is(err, catalog.ErrConflict) && try < changeTries {
			continue
		}
		if err != nil {
			return fmt.Errorf("storefront: writing %s %q: %w", kind, key, err)
		}
		for i := range writes {
			// Whoever writes reads what was written, at once.
			if err := s.forgetRecord(ctx, writes[i].Kind, writes[i].Key); err != nil {
				s.forgetAll()
			}
		}
		if kind == catalog.KindProduct {
			s.keepFormerURLs(ctx, key, base.Body, writes[0].Body)
		}
		return s.written(a, kind, key, writes, results)
	}
}

// written answers what was done.
func (s *Server) written(a *answer, kind catalog.Kind, key catalog.Key, writes []catalog.Write, results []catalog.Result) error {
	b := append(a.body, `{"key":`...)
	b = appendString(b, string(key))
	b = appendField(b, "outcome", results[0].Outcome.String())
	for i := range writes {
		if i > 0 && writes[i].Key == key && writes[i].Kind != kind {
			b = appendField(b, writes[i].Kind.String(), results[i].Outcome.String())
		}
	}
	a.body = append(b, '}')
	if results[0].Seq != 0 {
		a.etag = etagOf(results[0].Seq)
	}
	if results[0].Outcome == catalog.Created {
		a.status = http.StatusCreated
	}
	if results[0].Outcome == catalog.Absent {
		return notFound("key", "there is no %s %q", kind, clip(string(key)))
	}
	return nil
}

func (s *Server) putRecord(a *answer, r *request) error {
	doc, err := s.readBody(r)
	if err != nil {
		return err
	}
	return s.change(a, r, func(kind catalog.Kind, base *catalog.Record) ([]catalog.Write, error) {
		return parsedWrites(kind, base, doc)
	})
}

// parsedWrites returns the writes that a document comes to: its record, and
// the price and stock that it carries.
func parsedWrites(kind catalog.Kind, base *catalog.Record, doc []byte) ([]catalog.Write, error) {
	doc, err := withKey(kind, base.Key, doc)
	if err != nil {
		return nil, err
	}
	var parser catalog.Parser
	var p catalog.Parsed
	if err := parser.Parse(kind, doc, &p); err != nil {
		return nil, err
	}
	if p.Kind != kind || p.Key != base.Key {
		return nil, badRequest(kind.KeyField(), "the document is of %s %q, the URL says %s %q", p.Kind, clip(string(p.Key)), kind, clip(string(base.Key)))
	}
	w := catalog.Write{Kind: kind, Key: p.Key, Body: p.Body, Source: base.Source, Refs: p.Refs}
	if p.Body == nil {
		w.Refs = nil
	}
	return append([]catalog.Write{w}, partWrites(&p)...), nil
}

// partWrites returns the writes of the prices and stocks that a product
// carried.
func partWrites(p *catalog.Parsed) []catalog.Write {
	var out []catalog.Write
	for _, v := range append(p.Variants[:len(p.Variants):len(p.Variants)], catalog.Variant{SKU: p.Key, Price: p.Price, Stock: p.Stock}) {
		if v.Price.State != catalog.PartAbsent {
			out = append(out, catalog.Write{Kind: catalog.KindPrice, Key: v.SKU, Body: v.Price.Body})
		}
		if v.Stock.State != catalog.PartAbsent {
			out = append(out, catalog.Write{Kind: catalog.KindStock, Key: v.SKU, Body: v.Stock.Body})
		}
	}
	return out
}

// withKey returns a document with its key in it.
func withKey(kind catalog.Kind, key catalog.Key, doc []byte) ([]byte, error) {
	var scan jsonscan.Scanner
	scan.MaxDepth = catalog.MaxDepth
	if err := scan.Object(doc); err != nil {
		return nil, problemf(http.StatusUnprocessableEntity, "", "the body is no JSON object that can be read: %s", err.Error())
	}
	if given := catalog.Value(catalog.MemberValue(doc, kind.KeyField())); given != nil && given.Type() != catalog.ValueNull {
		return doc, nil
	}
	if kind == catalog.KindCategory && catalog.MemberValue(doc, "path") != nil {
		// A category may be known by its path: then that is its key.
		if catalog.Value(catalog.MemberValue(doc, "path")).Text() == string(key) {
			return doc, nil
		}
	}
	out := append([]byte(`{"`), kind.KeyField()...)
	out = appendString(append(out, `":`...), string(key))
	return catalog.MergePatch(nil, doc, append(out, '}')), nil
}

func (s *Server) patchRecord(a *answer, r *request) error {
	doc, err := s.readBody(r, "application/merge-patch+json")
	if err != nil {
		return err
	}
	ctx := r.Context()
	return s.change(a, r, func(kind catalog.Kind, base *catalog.Record) ([]catalog.Write, error) {
		if !base.Exists() {
			return nil, notFound("key", "there is no %s %q to patch: PUT makes it", kind, clip(string(base.Key)))
		}
		patch, err := withKey(kind, base.Key, doc)
		if err != nil {
			return nil, err
		}
		switch kind {
		case catalog.KindProduct:
			return s.patchedProduct(ctx, base, patch)
		case catalog.KindPrice:
			return parsedWrites(kind, base, patchedPrice(base.Body, patch))
		}
		return parsedWrites(kind, base, catalog.MergePatch(nil, base.Body, patch))
	})
}

// patchedProduct merges a patch into a product. Its price and stock are merged
// into records of their own.
func (s *Server) patchedProduct(ctx context.Context, base *catalog.Record, patch []byte) ([]catalog.Write, error) {
	var parser catalog.Parser
	var p catalog.Parsed
	if err := parser.Parse(catalog.KindProduct, patch, &p); err != nil {
		return nil, err
	}
	if p.Kind != catalog.KindProduct || p.Key != base.Key {
		return nil, badRequest("sku", "the patch is of %s %q, the URL says product %q", p.Kind, clip(string(p.Key)), clip(string(base.Key)))
	}
	parts := partWrites(&p)
	writes, err := parsedWrites(catalog.KindProduct, base, catalog.MergePatch(nil, base.Body, p.Body))
	if err != nil {
		return nil, err
	}
	for i := range parts {
		w := &parts[i]
		if w.Kind != catalog.KindStock || w.Body == nil {
			continue
		}
		old, err := s.store.Get(ctx, w.Kind, w.Key)
		if err != nil {
			return nil, fmt.Errorf("storefront: reading stock %q: %w", w.Key, err)
		}
		if old[0].Exists() {
			merged, err := parsedWrites(w.Kind, &old[0], catalog.MergePatch(nil, old[0].Body, w.Body))
			if err != nil {
				return nil, err
			}
			*w = merged[0]
		}
	}
	return append(writes, parts...), nil
}

// patchedPrice returns a price record with a patch merged into it. A patch that
// is one entry changes the entry for the same currency, website, group and
// list, or adds one.
func patchedPrice(base, patch []byte) []byte {
	if catalog.MemberValue(patch, "prices") != nil || catalog.Value(catalog.MemberValue(patch, "price")).Type() == catalog.ValueObject {
		return catalog.MergePatch(nil, base, patch)
	}
	sku := catalog.Key(catalog.Value(catalog.MemberValue(base, "sku")).Text())
	flat := []byte{'{'}
	first := true
	for name, v := range catalog.Value(patch).Members() {
		if string(name) != "sku" {
			flat = member(flat, name, v, &first)
		}
	}
	flat = append(flat, '}')
	entries := catalog.PriceEntries(base)
	for i, e := range entries {
		if catalog.PriceQualifiers(e) == catalog.PriceQualifiers(flat) {
			entries[i] = catalog.MergePatch(nil, e, flat)
			return catalog.PriceRecord(sku, entries)
		}
	}
	return catalog.PriceRecord(sku, append(entries, flat))
}

func (s *Server) deleteRecord(a *answer, r *request) error {
	return s.change(a, r, func(kind catalog.Kind, base *catalog.Record) ([]catalog.Write, error) {
		writes := []catalog.Write{{Kind: kind, Key: base.Key}}
		if kind == catalog.KindProduct {
			writes = append(writes, catalog.Write{Kind: catalog.KindPrice, Key: base.Key}, catalog.Write{Kind: catalog.KindStock, Key: base.Key})
		}
		return writes, nil
	})
}
