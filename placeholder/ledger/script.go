package ledger

import (
	"context"
	"encoding/hex"
	"strings"
)

// maxRows is how many rows one statement writes at most, maxBytes about how
// long a script may get: the server's max_allowed_packet is a few MiB at least.
const (
	maxRows  = 1000
	maxBytes = 512 << 10
)

// script is statements that go to the server in one piece: what makes a
// product is cheap for the server, and dear for who waits for each answer. The
// first that fails ends the script.
type script struct {
	text strings.Builder
	args []any
}

// add appends text that is no value.
func (c *script) add(parts ...string) {
	for _, p := range parts {
		c.text.WriteString(p)
	}
}

// next begins another statement.
func (c *script) next() {
	if c.text.Len() > 0 {
		c.text.WriteByte(';')
	}
}

// value appends a value: most need no escaping, and are not copied and looked
// at again and again as arguments are.
func (c *script) value(v string) {
	if !plain(v) {
		c.text.WriteByte('?')
		c.args = append(c.args, v)
		return
	}
	c.text.WriteByte('\'')
	c.text.WriteString(v)
	c.text.WriteByte('\'')
}

// values appends what stands in the brackets of IN.
func (c *script) values(vs []string) {
	c.text.WriteByte('(')
	for i, v := range vs {
		if i > 0 {
			c.text.WriteByte(',')
		}
		c.value(v)
	}
	c.text.WriteByte(')')
}

// optional appends a value, or NULL where there is none.
func (c *script) optional(v string) {
	if v == "" {
		c.text.WriteString("NULL")
		return
	}
	c.value(v)
}

// bytes appends a value of bytes.
func (c *script) bytes(b []byte) {
	c.text.WriteString("x'")
	c.text.WriteString(hex.EncodeToString(b))
	c.text.WriteByte('\'')
}

// plain reports whether v may stand between quotes as it is, whatever the
// server's mode and the connection's character set: it has nothing but letters,
// digits and a few signs of ASCII.
func plain(v string) bool {
	for i := range len(v) {
		switch b := v[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '-', b == ' ', b == ',', b == '_', b == ':', b == '/':
		default:
			return false
		}
	}
	return true
}

// delete appends the beginning of a DELETE; the values of column follow.
func (c *script) delete(table, column string) {
	c.add("DELETE FROM ", table, " WHERE ", ident(column), " IN ")
}

// insert appends INSERTs of rows into t.
func (c *script) insert(t *Table, rows []row) {
	for n := range rows {
		r := &rows[n]
		if n%maxRows == 0 {
			c.next()
			c.add("INSERT INTO ", ident(t.Name), " (", ident(t.ID))
			for _, col := range t.Key {
				c.add(",", ident(col))
			}
			for _, col := range t.Vals {
				c.add(",", ident(col))
			}
			for _, k := range t.Const {
				c.add(",", ident(k.Column))
			}
			c.add(") VALUES (")
		} else {
			c.add(",(")
		}
		c.value(r.id)
		for _, v := range r.key {
			c.add(",")
			c.value(v)
		}
		for _, v := range r.vals {
			c.add(",")
			c.value(v)
		}
		for _, k := range t.Const {
			c.add(",")
			c.value(k.Value)
		}
		c.add(")")
	}
}

// run sends the script and empties it.
func (c *script) run(ctx context.Context, q queryer) error {
	if c.text.Len() == 0 {
		return nil
	}
	_, err := q.ExecContext(ctx, c.text.String(), c.args...)
	c.text.Reset()
	c.args = c.args[:0]
	return err
}

// runLong is run for scripts that are long.
func (c *script) runLong(ctx context.Context, q queryer) error {
	if c.text.Len() < maxBytes {
		return nil
	}
	return c.run(ctx, q)
}
