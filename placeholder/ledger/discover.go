package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"catalog/placeholder"
)

// Discover reads what a shop's own settings say. It writes nothing, and needs
// no ledger.
func Discover(ctx context.Context, dsn string, d Dialect, prefix string) (placeholder.Discovery, error) {
	var out placeholder.Discovery
	name := d.Facts().Name
	db, err := openDB(dsn, 1)
	if err != nil {
		return out, fmt.Errorf("%s: discover: %w", name, err)
	}
	err = discover(ctx, db, d, prefix, &out)
	if err != nil {
		err = fmt.Errorf("%s: discover: %w", name, classify(err))
	}
	return out, errors.Join(err, db.Close())
}

func discover(ctx context.Context, db *sql.DB, d Dialect, prefix string, out *placeholder.Discovery) error {
	schema, err := load(ctx, db, d, prefix)
	if err != nil {
		return err
	}
	out.Info = schema.Info
	r, err := newReader(ctx, db, schema.Info.Prefix)
	if err != nil {
		return err
	}
	locale, err := r.config(ctx, "general/locale/code")
	if err != nil {
		return err
	}
	currency, err := r.config(ctx, "currency/options/default")
	if err != nil {
		return err
	}
	f := d.Facts()
	roots := map[int]string{} // store id → category id
	var ids []string
	err = r.Each(ctx, func(rows *sql.Rows) error {
		var v placeholder.ViewSettings
		var website int
		var root string
		if err := rows.Scan(&v.ID, &v.Code, &v.Name, &website, &v.Website, &root); err != nil {
			return err
		}
		v.Language = language(setting(locale, v.ID, website, "en_US"))
		v.Currency = setting(currency, v.ID, website, "USD")
		roots[v.ID] = root
		ids = append(ids, root)
		out.Views = append(out.Views, v)
		return nil
	}, "SELECT s.store_id, COALESCE(s.code,''), s.name, s.website_id, COALESCE(w.code,''), COALESCE(g.root_category_id,0) FROM "+r.Table(f.Store)+" s JOIN "+
		r.Table(f.Website)+" w ON w.website_id=s.website_id LEFT JOIN "+r.Table(f.Group)+" g ON g.group_id=s.group_id WHERE s.store_id<>0 AND s.is_active=1 ORDER BY s.store_id")
	if err != nil {
		return err
	}
	names, err := categoryNames(ctx, r, slices.Clone(ids))
	if err != nil {
		return err
	}
	for i := range out.Views {
		out.Views[i].RootCategory = names[roots[out.Views[i].ID]]
	}
	return nil
}

// setting returns a setting of a store: its own, its website's, the default's.
func setting(values map[string]string, store, website int, otherwise string) string {
	for _, key := range []string{fmt.Sprintf("stores/%d", store), fmt.Sprintf("websites/%d", website), "default/0"} {
		if v := values[key]; v != "" {
			return v
		}
	}
	return otherwise
}

// language makes a BCP 47 tag of a locale as shops write it: de_DE, zh_Hans_CN.
func language(locale string) string { return strings.ReplaceAll(locale, "_", "-") }

// Detect tells the dialect of a database by its tables: the first of dialects
// whose websites' table it has.
func Detect(ctx context.Context, dsn string, dialects ...Dialect) (Dialect, error) {
	db, err := openDB(dsn, 1)
	if err != nil {
		return nil, fmt.Errorf("placeholder: detect the shop: %w", err)
	}
	defer db.Close()
	r, err := newReader(ctx, db, "")
	if err != nil && !errors.Is(err, placeholder.ErrSchema) {
		return nil, fmt.Errorf("placeholder: detect the shop: %w", classify(err))
	}
	for _, d := range dialects {
		for t := range r.tables {
			if strings.HasSuffix(t, d.Facts().Website) {
				return d, nil
			}
		}
	}
	return nil, fmt.Errorf("placeholder: detect the shop: %w: it is neither a Magento 2 nor an OpenMage: no table of websites that this user may see", placeholder.ErrSchema)
}
