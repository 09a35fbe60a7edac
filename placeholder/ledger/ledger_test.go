package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"

	"catalog/placeholder"
)

func TestClassify(t *testing.T) {
	num := func(n uint16) error { return fmt.Errorf("wrapped: %w", &mysql.MySQLError{Number: n}) }
	for _, c := range []struct {
		err  error
		want error
	}{
		{num(1213), placeholder.ErrUnavailable},
		{num(1205), placeholder.ErrUnavailable},
		{num(1290), placeholder.ErrUnavailable},
		{num(1047), placeholder.ErrUnavailable},
		{num(1040), placeholder.ErrUnavailable},
		{driver.ErrBadConn, placeholder.ErrUnavailable},
		{mysql.ErrInvalidConn, placeholder.ErrUnavailable},
		{io.ErrUnexpectedEOF, placeholder.ErrUnavailable},
		{syscall.ECONNREFUSED, placeholder.ErrUnavailable},
		{sql.ErrConnDone, placeholder.ErrUnavailable},
		{errAgain, placeholder.ErrUnavailable},
		{num(1142), placeholder.ErrRights},
		{num(1045), placeholder.ErrRights},
		{num(1146), placeholder.ErrSchema},
		{num(1452), placeholder.ErrSchema},
		{placeholder.ErrCommerce, placeholder.ErrSchema},
		{placeholder.ErrFenced, placeholder.ErrFenced},
		{context.DeadlineExceeded, context.DeadlineExceeded},
	} {
		got := classify(c.err)
		if !errors.Is(got, c.want) || !errors.Is(got, c.err) {
			t.Errorf("%v is %v, want %v", c.err, got, c.want)
		}
		for _, other := range []error{placeholder.ErrUnavailable, placeholder.ErrRights, placeholder.ErrSchema} {
			if !errors.Is(c.want, other) && errors.Is(got, other) {
				t.Errorf("%v is %v, too", c.err, other)
			}
		}
	}
	for _, cut := range []string{
		"Unknown trigger has an error in its body: 'Query was empty'",
		"Trigger 'trg_x_after_insert' has an error in its body: 'You have an error in your SQL syntax; near 'BEGIN\n INSERT IGNORE ...' at line 2'",
	} {
		if !transient(fmt.Errorf("wrapped: %w", &mysql.MySQLError{Number: 1064, Message: cut})) {
			t.Errorf("not tried again, though Galera cut it short: %s", cut)
		}
	}
	if transient(num(1064)) {
		t.Error("a syntax error is tried again")
	}
	if !badValue(num(1406)) || badValue(num(1213)) || transient(num(1406)) {
		t.Error("a value that is too long is none of the others")
	}
}

func TestCategoryIDs(t *testing.T) {
	for _, c := range []struct {
		conditions string
		want       []int
	}{
		{`{"attribute":"category_ids","operator":"==","value":"12, 3","is_value_processed":false}`, []int{12, 3}},
		{`{"attribute":"category_ids","operator":"()","value":["4","5"]}`, []int{4, 5}},
		{`{"attribute":"sku","operator":"==","value":"12"}`, nil},
		{`{"a":[{"attribute":"category_ids","operator":"==","value":"1"},{"attribute":"qty","value":"9"},{"attribute":"category_ids","operator":"!=","value":"2"}]}`, []int{1, 2}},
		{`a:3:{s:9:"attribute";s:12:"category_ids";s:8:"operator";s:2:"==";s:5:"value";s:4:"7, 8";s:18:"is_value_processed";b:0;}`, []int{7, 8}},
		{`a:1:{s:9:"attribute";s:12:"category_ids";s:8:"operator";s:2:"()";s:5:"value";a:2:{i:0;s:1:"7";i:1;s:2:"18";}}`, []int{7, 18}},
		{``, nil},
	} {
		if got := categoryIDs(c.conditions); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.conditions, got, c.want)
		}
	}
}

func FuzzCategoryIDs(f *testing.F) {
	f.Add(`{"attribute":"category_ids","operator":"==","value":"12, 3"}`)
	f.Add(`s:12:"category_ids";s:8:"operator";s:2:"()";s:5:"value";a:2:{i:0;s:1:"7";}`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, id := range categoryIDs(s) {
			if id < 0 || !strings.Contains(s, "category_ids") {
				t.Fatalf("%q has category %d", s, id)
			}
		}
	})
}

func TestCompare(t *testing.T) {
	values := &Table{ID: "entity_id", Auto: "value_id", Key: []string{"attribute_id", "store_id"}, Vals: []string{"value"}, Spare: Null, Default: 1}
	links := &Table{ID: "product_id", Key: []string{"website_id"}, Spare: Drop}
	is := func(s string) []sql.NullString { return []sql.NullString{{String: s, Valid: true}} }
	null := []sql.NullString{{}}
	for _, c := range []struct {
		name                 string
		t                    *Table
		have                 []stored
		want                 []row
		insert, change, drop int
	}{
		{"same", values, []stored{{"7", "1", []string{"5", "0"}, is("a")}}, []row{{"7", []string{"5", "0"}, []string{"a"}}}, 0, 0, 0},
		{"other value", values, []stored{{"7", "1", []string{"5", "0"}, is("a")}}, []row{{"7", []string{"5", "0"}, []string{"b"}}}, 0, 1, 0},
		{"from NULL", values, []stored{{"7", "1", []string{"5", "0"}, null}}, []row{{"7", []string{"5", "0"}, []string{"b"}}}, 0, 1, 0},
		{"new", values, nil, []row{{"7", []string{"5", "0"}, []string{"b"}}}, 1, 0, 0},
		{"gone", values, []stored{{"7", "1", []string{"5", "0"}, is("a")}}, nil, 0, 1, 0},
		{"gone before", values, []stored{{"7", "1", []string{"5", "0"}, null}}, nil, 0, 0, 0},
		{"a store's that hides nothing", values, []stored{{"7", "1", []string{"5", "3"}, is("a")}}, nil, 0, 1, 0},
		{
			"a store's that would hide the default", values,
			[]stored{{"7", "1", []string{"5", "3"}, null}, {"7", "2", []string{"5", "0"}, is("a")}},
			[]row{{"7", []string{"5", "0"}, []string{"a"}}},
			0, 0, 1,
		},
		{"another product's", values, []stored{{"8", "1", []string{"5", "0"}, is("a")}}, []row{{"8", []string{"5", "0"}, []string{"a"}}, {"7", []string{"5", "0"}, []string{"a"}}}, 1, 0, 0},
		{"links", links, []stored{{id: "7", key: []string{"1"}}, {id: "7", key: []string{"2"}}}, []row{{id: "7", key: []string{"2"}}, {id: "7", key: []string{"3"}}}, 1, 0, 1},
	} {
		d := compare(c.t, c.have, c.want, nil)
		if len(d.insert) != c.insert || len(d.change) != c.change || len(d.drop) != c.drop || d.empty() != (c.insert+c.change+c.drop == 0) {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

func TestHasReturning(t *testing.T) {
	for version, want := range map[string]bool{
		"10.11.19-MariaDB-0+deb12u1": true, "5.5.5-10.6.12-MariaDB-log": true, "11.4.2-MariaDB": true, "10.4.33-MariaDB": false, "8.0.36": false, "": false,
	} {
		if hasReturning(version) != want {
			t.Errorf("%q: %v", version, !want)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, c := range [][5]string{
		{"db", "", "", "tcp", "db:3306"},
		{"db:3307", "", "", "tcp", "db:3307"},
		{"db", "33", "", "tcp", "db:33"},
		{"", "", "", "tcp", "127.0.0.1:3306"},
		{"::1", "", "", "tcp", "[::1]:3306"},
		{"[::1]:34", "", "", "tcp", "[::1]:34"},
		{"/run/s", "", "", "unix", "/run/s"},
		{"localhost:/run/s", "", "", "unix", "/run/s"},
		{"db", "1", "/s", "unix", "/s"},
	} {
		if n, a := address(c[0], c[1], c[2]); n != c[3] || a != c[4] {
			t.Errorf("%q: %s %s", c[:3], n, a)
		}
	}
}

// TestDSN holds that a DSN says what the settings do, or that none can.
func TestDSN(t *testing.T) {
	good := Connection{Host: "db:3307", User: "sh'op", Password: `p'a\ss"@/:(x)?`, Database: "ma/gen to"}
	dsn, err := good.DSN()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := mysql.ParseDSN(dsn); err != nil || got.User != good.User || got.Passwd != good.Password || got.DBName != good.Database || got.Addr != good.Host {
		t.Errorf("%s is %+v, %v", dsn, got, err)
	}
	for _, c := range []Connection{
		{Host: "db@example.com", Database: "shop"},
		{Host: "db", User: "a:b", Database: "shop"},
	} {
		if dsn, err := c.DSN(); !errors.Is(err, placeholder.ErrSchema) {
			t.Errorf("%+v is %s, %v", c, dsn, err)
		}
	}
}

// TestOpenTellsNoPassword holds that what goes wrong with a DSN is told without
// it.
func TestOpenTellsNoPassword(t *testing.T) {
	for _, dsn := range []string{"user:s3cret@tcp(127.0.0.1:1)/shop?timeout=100ms", "user:s3cret@tcp(127.0.0.1:1)/", "user:s3cret@tcp(127.0.0.1", "s3cret"} {
		if _, err := openDB(dsn, 1); err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v", err)
		}
	}
}
