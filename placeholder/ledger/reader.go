package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"catalog/placeholder"
)

// Reader reads a shop's own tables, for look-ups.
type Reader struct {
	q      queryer
	prefix string
	tables map[string]bool // with prefix; false is a view
	all    bool            // the user sees the names of all tables there are
}

// Table returns the quoted name of a table.
func (r Reader) Table(name string) string { return ident(r.prefix + name) }

// Name returns the name of a table with the prefix.
func (r Reader) Name(name string) string { return r.prefix + name }

// Has reports whether there is a table of that name; a view is none.
func (r Reader) Has(name string) bool { return r.tables[r.prefix+name] }

// Like returns the names, without prefix, of the tables that start with one
// and go on with what ok says yes to, sorted.
func (r Reader) Like(start string, ok func(rest string) bool) (names []string) {
	for t, table := range r.tables {
		if rest, is := strings.CutPrefix(t, r.prefix+start); is && table && ok(rest) {
			names = append(names, strings.TrimPrefix(t, r.prefix))
		}
	}
	slices.Sort(names)
	return names
}

// Each calls scan for every row of a query.
func (r Reader) Each(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	return each(ctx, r.q, scan, query, args...)
}

// newReader finds the shop's tables and their prefix; one that is given is
// believed.
func newReader(ctx context.Context, q queryer, prefix string) (Reader, error) {
	r := Reader{q: q, prefix: prefix, tables: map[string]bool{}}
	err := each(ctx, q, func(rows *sql.Rows) error {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return err
		}
		r.tables[name] = kind == "BASE TABLE"
		return nil
	}, "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA=DATABASE()")
	if err != nil {
		return r, err
	}
	// A right on the whole database shows all names; rights on tables show
	// theirs alone.
	_, r.all, err = scalar[int](ctx, q, "SELECT 1 FROM information_schema.SCHEMA_PRIVILEGES WHERE DATABASE() LIKE TABLE_SCHEMA"+
		" UNION SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE IN ('SELECT','INSERT','UPDATE','DELETE','SHOW VIEW')")
	if err != nil {
		return r, err
	}
	const product = "catalog_product_entity"
	if prefix != "" || r.tables[product] {
		if !r.tables[prefix+product] {
			return r, fmt.Errorf("%w: there is no table %s%s that this user may see", placeholder.ErrSchema, prefix, product)
		}
		return r, nil
	}
	var found []string
	for name := range r.tables {
		if p, ok := strings.CutSuffix(name, product); ok {
			found = append(found, p)
		}
	}
	slices.Sort(found)
	switch len(found) {
	case 0:
		return r, fmt.Errorf("%w: there is no table %s that this user may see, with any prefix", placeholder.ErrSchema, product)
	case 1:
		r.prefix = found[0]
		return r, nil
	}
	return r, fmt.Errorf("%w: the database has shops with the prefixes %s: say which", placeholder.ErrSchema, strings.Join(found, ", "))
}

// columns describes the columns of tables, by table without prefix.
func (r Reader) columns(ctx context.Context, names ...string) (map[string]map[string]column, error) {
	if len(names) == 0 {
		return nil, nil
	}
	full := make([]string, len(names))
	for i, n := range names {
		full[i] = r.prefix + n
	}
	out := map[string]map[string]column{}
	err := each(ctx, r.q, func(rows *sql.Rows) error {
		var table, name string
		var c column
		if err := rows.Scan(&table, &name, &c.Type, &c.Charset, &c.Collation, &c.Chars, &c.Scale); err != nil {
			return err
		}
		table = strings.TrimPrefix(table, r.prefix)
		if out[table] == nil {
			out[table] = map[string]column{}
		}
		out[table][name] = c
		return nil
	}, "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COALESCE(CHARACTER_SET_NAME,''), COALESCE(COLLATION_NAME,''),"+
		" COALESCE(LEAST(CHARACTER_MAXIMUM_LENGTH,1000000),0), COALESCE(NUMERIC_SCALE,0)"+
		" FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=DATABASE() AND TABLE_NAME IN "+marks(len(full)), anys(full)...)
	return out, err
}

// config returns the settings of a path by scope and scope id, as
// "default/0", "websites/3", "stores/2".
func (r Reader) config(ctx context.Context, path string) (map[string]string, error) {
	out := map[string]string{}
	if !r.Has("core_config_data") {
		return out, nil
	}
	err := each(ctx, r.q, func(rows *sql.Rows) error {
		var scope, id string
		var value sql.NullString
		if err := rows.Scan(&scope, &id, &value); err != nil {
			return err
		}
		if value.Valid {
			out[scope+"/"+id] = value.String
		}
		return nil
	}, "SELECT scope, scope_id, value FROM "+r.Table("core_config_data")+" WHERE path=?", path)
	return out, err
}
