package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"catalog/placeholder"
)

// found is what there is under a SKU.
type found struct {
	placeholder.Found
	entry  string // the ledger's own spelling; "" when it has none
	state  int    // of the entry
	edited bool   // the entry is live, but the merchant edited the product
	half   bool   // the entry's product is gone, or was never made
	qty    sql.NullString
	parent string
}

// Find implements placeholder.Shop.
func (s *Shop) Find(ctx context.Context, skus []string) ([]placeholder.Found, error) {
	var out []placeholder.Found
	err := s.withSchema(ctx, fmt.Sprintf("find %d SKUs", len(skus)), func(schema *Schema) error {
		fs, err := s.findRetry(ctx, schema, skus)
		out = make([]placeholder.Found, len(fs))
		for i := range fs {
			out[i] = fs[i].Found
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// findRetry is find, again when the connection was lost.
func (s *Shop) findRetry(ctx context.Context, schema *Schema, skus []string) (fs []found, err error) {
	for range 3 {
		if fs, err = s.find(ctx, s.db, schema, skus, true); err == nil || !transient(err) || ctx.Err() != nil {
			break
		}
	}
	return fs, err
}

// fits reports why the sku column cannot hold sku; "" if it can.
func (s *Schema) fits(sku string) placeholder.Reason {
	switch {
	case utf8.RuneCountInString(sku) > s.Info.SKUChars:
		return placeholder.ReasonLong
	case !utf8.ValidString(sku):
		return placeholder.ReasonCharset
	}
	if !s.Info.SKU4Byte {
		for _, r := range sku {
			if r > 0xffff {
				return placeholder.ReasonCharset
			}
		}
	}
	return ""
}

// entryColumns are what scanEntry reads of a ledger l and its product p.
const entryColumns = "l.sku, l.entity_id, l.state, l.hash, l.qty, COALESCE(l.parent,''), TIMESTAMPDIFF(MICROSECOND, l.used, UTC_TIMESTAMP(6)), p.sku, p.updated_at<=>l.mark"

func scanEntry(rows *sql.Rows) (f found, err error) {
	var id int64
	var hash []byte
	var idle int64
	var product sql.NullString
	var same bool
	if err := rows.Scan(&f.entry, &id, &f.state, &hash, &f.qty, &f.parent, &idle, &product, &same); err != nil {
		return f, err
	}
	copy(f.Hash[:], hash)
	f.Idle = max(0, time.Duration(idle)*time.Microsecond)
	f.Spelling = f.entry
	switch {
	case !product.Valid:
		f.half = true
		f.Hash = placeholder.Hash{}
		f.Spelling = ""
	case f.state == stateTaken:
		f.State, f.EntityID, f.Spelling = placeholder.StateForeign, id, product.String
	case !same:
		f.edited = true
		f.State, f.EntityID, f.Spelling = placeholder.StateForeign, id, product.String
	default:
		f.State, f.EntityID = placeholder.StateLive, id
	}
	return f, nil
}

// find reads the ledger and, if asked to, for what is not live in it, the
// shop's products.
func (s *Shop) find(ctx context.Context, q queryer, schema *Schema, skus []string, products bool) ([]found, error) {
	out := make([]found, len(skus))
	var ask []any
	at := make(map[string][]int, len(skus))
	for i, sku := range skus {
		if schema.fits(sku) == "" && sku != "" {
			if at[sku] == nil {
				ask = append(ask, sku)
			}
			at[sku] = append(at[sku], i)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	// For a few it is one round trip: a shopper may be the first to ask for it.
	early := products && len(ask) <= fewSKUs
	entries := "SELECT " + entryColumns + " FROM " + s.ledger + " l LEFT JOIN " + schema.product + " p ON p.entity_id=l.entity_id WHERE l.sku "
	var other []found // entries that nobody asked for by that spelling
	var shops []productRow
	query, args := entries+"IN "+marks(len(ask)), ask
	scans := []func(rows *sql.Rows) error{func(rows *sql.Rows) error {
		f, err := scanEntry(rows)
		if err != nil {
			return err
		}
		if at[f.entry] == nil {
			other = append(other, f)
			return nil
		}
		for _, i := range at[f.entry] {
			out[i] = f
		}
		return nil
	}}
	if early {
		query += ";" + productQuery(schema, len(ask))
		args = append(slices.Clip(ask), ask...)
		scans = append(scans, scanProduct(&shops))
	}
	if err := eachOf(ctx, q, scans, query, args...); err != nil {
		return nil, err
	}
	missing := func() (rest []any) {
		for _, sku := range ask {
			if f := &out[at[sku.(string)][0]]; f.State == placeholder.StateNone {
				rest = append(rest, sku)
			}
		}
		return rest
	}
	rest := missing()
	if len(rest) > 0 && len(other) > 0 {
		// Whose other spelling they are, only the database can say.
		if err := s.match(ctx, q, rest, entries, at, out); err != nil {
			return nil, err
		}
		rest = missing()
	}
	if len(rest) == 0 || !products {
		return out, nil
	}
	if !early {
		if err := each(ctx, q, scanProduct(&shops), productQuery(schema, len(rest)), rest...); err != nil {
			return nil, err
		}
	}
	if err := s.placeProducts(ctx, q, schema, shops, rest, at, out); err != nil {
		return nil, err
	}
	return out, s.findLate(ctx, q, rest, entries, at, out)
}

// findLate asks the ledger once more for SKUs whose products turned up after
// it had been asked: they may be ours, made between the two statements.
func (s *Shop) findLate(ctx context.Context, q queryer, skus []any, entries string, at map[string][]int, out []found) error {
	var ask []any
	for _, sku := range skus {
		if f := &out[at[sku.(string)][0]]; f.State == placeholder.StateForeign && f.state == 0 {
			ask = append(ask, sku)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	known, err := list[string](ctx, q, "SELECT sku FROM "+s.ledger+" WHERE sku IN "+marks(len(ask)), ask...)
	if err != nil || len(known) == 0 {
		return err
	}
	return s.match(ctx, q, ask, entries, at, out)
}

// match asks for SKUs one by one.
func (s *Shop) match(ctx context.Context, q queryer, skus []any, entries string, at map[string][]int, out []found) error {
	for _, sku := range skus {
		err := each(ctx, q, func(rows *sql.Rows) error {
			f, err := scanEntry(rows)
			for _, i := range at[sku.(string)] {
				out[i] = f
			}
			return err
		}, entries+"=?", sku)
		if err != nil {
			return err
		}
	}
	return nil
}

// fewSKUs is how many are looked for among the shop's products at once with the
// ledger, before it is known whether that is needed.
const fewSKUs = 4

// productRow is a product of the shop.
type productRow struct {
	id  int64
	sku string
}

// productQuery asks for the products of n SKUs. The lowest id is the one that
// the shop's own look-up finds.
func productQuery(schema *Schema, n int) string {
	return "SELECT p.entity_id, p.sku FROM " + schema.product + " p WHERE p.sku IN " + marks(n) + " ORDER BY p.entity_id"
}

// scanProduct collects what productQuery gives.
func scanProduct(into *[]productRow) func(rows *sql.Rows) error {
	return func(rows *sql.Rows) error {
		var p productRow
		err := rows.Scan(&p.id, &p.sku)
		*into = append(*into, p)
		return err
	}
}

// findProducts looks for products that the ledger does not have.
func (s *Shop) findProducts(ctx context.Context, q queryer, schema *Schema, skus []any, at map[string][]int, out []found) error {
	var shops []productRow
	if err := each(ctx, q, scanProduct(&shops), productQuery(schema, len(skus)), skus...); err != nil {
		return err
	}
	return s.placeProducts(ctx, q, schema, shops, skus, at, out)
}

// placeProducts puts the shop's products where nothing of ours was found.
func (s *Shop) placeProducts(ctx context.Context, q queryer, schema *Schema, shops []productRow, skus []any, at map[string][]int, out []found) error {
	odd := false
	for _, p := range shops {
		odd = odd || at[p.sku] == nil
		for _, i := range at[p.sku] {
			if f := &out[i]; f.State == placeholder.StateNone {
				f.State, f.EntityID, f.Spelling = placeholder.StateForeign, p.id, p.sku
			}
		}
	}
	if !odd {
		return nil
	}
	for _, sku := range skus {
		err := each(ctx, q, func(rows *sql.Rows) error {
			var id int64
			var spelling string
			err := rows.Scan(&id, &spelling)
			for _, i := range at[sku.(string)] {
				// Of two spellings, too, the shop takes the lowest id.
				out[i].State, out[i].EntityID, out[i].Spelling = placeholder.StateForeign, id, spelling
			}
			return err
		}, "SELECT p.entity_id, p.sku FROM "+schema.product+" p WHERE p.sku=? ORDER BY p.entity_id LIMIT 1", sku)
		if err != nil {
			return err
		}
	}
	return nil
}

// alike reports whether our live entry is that of another SKU of the catalog.
func (f *found) alike(sku string) bool {
	return f.State == placeholder.StateLive && !bytes.Equal([]byte(f.entry), []byte(sku))
}

// liveStep is how many keys are looked for at once. Of a thousand values and
// more MariaDB makes a table, and may read the whole ledger to join it.
const liveStep = 900

// Live implements placeholder.Shop.
func (s *Shop) Live(ctx context.Context, keys []string) ([]string, error) {
	var out []string
	err := s.withSchema(ctx, fmt.Sprintf("look for %d keys", len(keys)), func(schema *Schema) error {
		asked := make(map[string]bool, len(keys))
		var distinct []string
		for _, k := range keys {
			if k != "" && !asked[k] {
				asked[k] = true
				distinct = append(distinct, k)
			}
		}
		return s.again(ctx, func() error {
			out = nil
			seen := map[string]bool{}
			scan := func(rows *sql.Rows) error {
				var sku string
				var parent []byte
				if err := rows.Scan(&sku, &parent); err != nil {
					return err
				}
				if !seen[sku] && (asked[sku] || asked[string(parent)]) {
					seen[sku] = true
					out = append(out, sku)
				}
				return nil
			}
			for some := range slices.Chunk(distinct, liveStep) {
				if err := s.askLive(ctx, schema, some, scan); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return out, err
}

// askLive asks for the live entries that have some keys for their SKU or parent.
func (s *Shop) askLive(ctx context.Context, schema *Schema, keys []string, scan func(*sql.Rows) error) error {
	var skus, parents []any
	for _, k := range keys {
		if schema.fits(k) == "" {
			skus = append(skus, k)
		}
		parents = append(parents, []byte(k))
	}
	// Left to itself the server would rather read all entries than look for that
	// many, and be wrong.
	by := func(index, column string, values []any) ask {
		return ask{
			query: fmt.Sprintf("SELECT sku, parent FROM %s FORCE INDEX (%s) WHERE state=%d AND %s IN %s", s.ledger, index, stateLive, column, marks(len(values))),
			args:  values, scan: scan,
		}
	}
	return askAll(ctx, s.db, by("PRIMARY", "sku", skus), by("parent", "parent", parents))
}
