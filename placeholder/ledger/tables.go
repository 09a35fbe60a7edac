package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"catalog/placeholder"
)

// Our own tables, without the shop's prefix.
const (
	tableLedger = "catalog_placeholder"
	tableLocks  = "catalog_placeholder_lock"
)

// States of a ledger entry.
const (
	stateLive  = 1
	stateTaken = 2
)

// statements returns what makes our tables in a shop whose sku column is
// declared like that.
func (s *Shop) statements(sku column) []string {
	return []string{
		fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s ("+
			"sku varchar(%d) CHARACTER SET %s COLLATE %s NOT NULL PRIMARY KEY, "+
			"entity_id int unsigned NOT NULL DEFAULT 0, "+
			"state tinyint unsigned NOT NULL DEFAULT 1, "+
			"disabled tinyint unsigned NOT NULL DEFAULT 0, "+
			"hash binary(16) NOT NULL DEFAULT '', "+
			"qty decimal(12,4) DEFAULT NULL, "+
			"mark timestamp NULL DEFAULT NULL, "+
			"parent varbinary(255) DEFAULT NULL, "+
			"made datetime(6) NOT NULL, "+
			"used datetime(6) NOT NULL, "+
			"KEY used (state, used), KEY parent (parent)) ENGINE=InnoDB", s.ledger, sku.Chars, sku.Charset, sku.Collation),
		fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s ("+
			"name varchar(32) CHARACTER SET ascii NOT NULL PRIMARY KEY, "+
			"token bigint unsigned NOT NULL DEFAULT 0, "+
			"holder varchar(255) NOT NULL DEFAULT '', "+
			"since datetime(6) NOT NULL, "+
			"expires datetime(6) NOT NULL) ENGINE=InnoDB", s.locks),
	}
}

// makeTables makes the ledger where it is not there, and refuses one that does
// not fit the shop.
func (s *Shop) makeTables(ctx context.Context) error {
	schema := s.schema.Load()
	prefix := schema.Info.Prefix
	for i, name := range []string{tableLedger, tableLocks} {
		r := Reader{q: s.db, prefix: prefix}
		cols, err := r.columns(ctx, name)
		if err != nil {
			return err
		}
		if cols[name] == nil {
			make := s.statements(schema.skuColumn)[i]
			if _, err := s.db.ExecContext(ctx, make); err != nil {
				if noRight(err) {
					return fmt.Errorf("%w: it may not create tables; run once as an administrator: %s", placeholder.ErrRights, make)
				}
				return err
			}
			if name == tableLocks {
				continue
			}
			if cols, err = r.columns(ctx, name); err != nil {
				return err
			}
		}
		if name == tableLedger && cols[name]["sku"] != schema.skuColumn {
			return fmt.Errorf("%w: %s.sku is %s, but the shop's is %s: alter the ledger's column to the same",
				placeholder.ErrSchema, prefix+name, cols[name]["sku"], schema.skuColumn)
		}
	}
	// The lock's row is there from the start: whoever wants it locks it.
	_, err := s.db.ExecContext(ctx, "INSERT IGNORE INTO "+s.locks+" (name, since, expires) SELECT ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM "+s.locks+" WHERE name=?)",
		lockName, lockName)
	return err
}

func (c column) String() string {
	return fmt.Sprintf("%s(%d) %s", c.Type, c.Chars, c.Collation)
}

// right is a statement that nobody runs; the server checks the user's rights
// when it prepares it.
type right struct{ verb, table, statement string }

// rights are all that is asked of the user.
func (s *Shop) rights(schema *Schema) (out []right) {
	prefix := schema.Info.Prefix
	add := func(verbs, table, column string) {
		t, c := ident(table), ident(column)
		for _, v := range strings.Fields(verbs) {
			q := map[string]string{
				"SELECT": "SELECT 1 FROM " + t + " LIMIT 0",
				"INSERT": "INSERT INTO " + t + " (" + c + ") VALUES (?)",
				"UPDATE": "UPDATE " + t + " SET " + c + "=" + c + " WHERE 1=0",
				"DELETE": "DELETE FROM " + t + " WHERE 1=0",
			}[v]
			out = append(out, right{v, table, q})
		}
	}
	add("SELECT INSERT UPDATE DELETE", prefix+tableLedger, "sku")
	add("SELECT INSERT UPDATE", prefix+tableLocks, "name")
	add("SELECT INSERT UPDATE DELETE", prefix+"catalog_product_entity", "sku")
	for _, t := range schema.Tables {
		verbs := "SELECT INSERT"
		if len(t.Vals) > 0 {
			verbs += " UPDATE"
		}
		if t.Spare != Leave {
			verbs += " DELETE"
		}
		add(verbs, t.Name, t.ID)
	}
	for _, l := range schema.leftovers {
		add("SELECT DELETE", l.table, l.Column)
	}
	add("SELECT UPDATE", prefix+s.facts.Quote, "trigger_recollect")
	if s.facts.LineFK {
		add("SELECT", prefix+s.facts.QuoteItem, "")
	} else {
		add("SELECT DELETE", prefix+s.facts.QuoteItem, "")
	}
	add("SELECT", prefix+s.facts.Order, "")
	add("SELECT", prefix+s.facts.OrderItem, "")
	return out
}

// checkRights says all rights that the user lacks, as a GRANT for each table.
func (s *Shop) checkRights(ctx context.Context) error {
	schema := s.schema.Load()
	rights := s.rights(schema)
	for _, t := range s.others(schema) {
		rights = append(rights, right{t.verbs, t.table, "SELECT 1 FROM " + ident(t.table) + " LIMIT 0"})
	}
	lacking := map[string][]string{}
	var order []string
	for _, r := range rights {
		stmt, err := s.db.PrepareContext(ctx, r.statement)
		switch {
		case err == nil:
			if err := stmt.Close(); err != nil {
				return err
			}
		case number(err) == 1146:
			// The shop really lacks it.
		case noRight(err):
			if lacking[r.table] == nil {
				order = append(order, r.table)
			}
			lacking[r.table] = append(lacking[r.table], r.verb)
		default:
			return err
		}
	}
	if len(order) == 0 {
		return nil
	}
	var errs []error
	for _, t := range order {
		errs = append(errs, fmt.Errorf("%w: GRANT %s ON %s", placeholder.ErrRights, strings.Join(lacking[t], ", "), t))
	}
	return errors.Join(errs...)
}

// wanted is a table that most shops have.
type wanted struct{ verbs, table string }

// others are tables that most shops have and that rights does not name: those
// that are only read; and, of the rest, those that this user does not see.
// Either the shop lacks these, or the user has no right to them, which must not
// look the same, or what is in them is not kept, or not cleared.
func (s *Shop) others(schema *Schema) (out []wanted) {
	prefix := schema.Info.Prefix
	unseen := func(verbs, name string) {
		if !schema.seen[prefix+name] && !schema.seenAll {
			out = append(out, wanted{verbs, prefix + name})
		}
	}
	for _, t := range s.readOnly() {
		if schema.seen[prefix+t] {
			out = append(out, wanted{"SELECT", prefix + t})
		}
		unseen("SELECT", t)
	}
	for _, l := range s.facts.Leftovers {
		if !strings.HasSuffix(l.Like, "%") {
			unseen("SELECT, DELETE", l.Like)
		}
	}
	tables := []string{"catalog_product_entity_tier_price", "catalog_category_product"}
	if s.facts.GroupPrice != "" {
		tables = append(tables, s.facts.GroupPrice)
	}
	for _, v := range valueTables {
		tables = append(tables, "catalog_product_entity_"+v)
	}
	for _, t := range tables {
		unseen("SELECT, INSERT, UPDATE, DELETE", t)
	}
	return out
}

// Grants returns the statements that give a user all the rights that are
// needed in a database, and no more. The ledger's tables must be there, or the
// user needs CREATE as well. The first gives a sight of the names of all
// tables, nothing of what is in them: without it a table that is missing and
// one that is not granted look the same, and opening insists on the latter.
func (s *Shop) Grants(database, user string) []string {
	verbs := map[string][]string{}
	var order []string
	for _, r := range s.rights(s.schema.Load()) {
		if verbs[r.table] == nil {
			order = append(order, r.table)
		}
		verbs[r.table] = append(verbs[r.table], r.verb)
	}
	prefix := s.schema.Load().Info.Prefix
	for _, t := range s.readOnly() {
		if _, there := s.schema.Load().seen[prefix+t]; there && verbs[prefix+t] == nil {
			order = append(order, prefix+t)
			verbs[prefix+t] = []string{"SELECT"}
		}
	}
	out := []string{fmt.Sprintf("GRANT SHOW VIEW ON %s.* TO %s", ident(database), user)}
	for _, t := range order {
		out = append(out, fmt.Sprintf("GRANT %s ON %s.%s TO %s", strings.Join(verbs[t], ", "), ident(database), ident(t), user))
	}
	return out
}

// readOnly are the tables that are looked up and never written, as far as the
// shop has them.
func (s *Shop) readOnly() []string {
	return append([]string{
		s.facts.Website, s.facts.Store, s.facts.Group, "eav_attribute", "eav_entity_type", "eav_entity_attribute",
		"eav_attribute_option", "eav_attribute_option_value", "core_config_data", "tax_class", "customer_group",
		"salesrule", "salesrule_product_attribute", "catalog_category_entity", "catalog_category_entity_varchar",
		"wishlist_item", "review", "review_entity",
	}, s.facts.Reads...)
}
