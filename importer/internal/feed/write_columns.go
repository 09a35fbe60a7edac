package feed

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ColumnType is the type of a column of CSV or Parquet.
type ColumnType string

// The column types. They are also the suffixes of typed CSV headers
// ("weight:number").
const (
	TypeString ColumnType = "string" // JSON strings
	TypeNumber ColumnType = "number" // JSON numbers, kept exactly as they are written
	TypeInt    ColumnType = "int"    // JSON numbers that are an int64 in canonical spelling
	TypeDouble ColumnType = "double" // JSON numbers that a float64 gives back letter by letter
	TypeBool   ColumnType = "bool"
	TypeJSON   ColumnType = "json" // any JSON value
)

// Column is a column of CSV or Parquet: a top-level member of the records.
type Column struct {
	Name string
	Type ColumnType
}

// ColumnScan finds the columns that records need: the first pass of a CSV or
// Parquet export. The zero value is ready. It is for one goroutine.
type ColumnScan struct {
	types map[string]ColumnType // by the name as it is spelt in JSON
	wide  map[string]bool       // has integers that a float64 may not hold
}

// Add looks at one record, a compact JSON object.
func (s *ColumnScan) Add(record []byte) error {
	if s.types == nil {
		s.types, s.wide = make(map[string]ColumnType), make(map[string]bool)
	}
	err := members(record, func(name, value []byte) error {
		was, known := s.types[string(name)]
		now := typeOf(value)
		if now == TypeInt && len(value) > 15 {
			s.wide[string(name)] = true
		}
		switch {
		case !known || was == now:
		case (was == TypeInt && now == TypeDouble || was == TypeDouble && now == TypeInt) && !s.wide[string(name)]:
			now = TypeDouble
		case isNumeric(was) && isNumeric(now):
			now = TypeNumber
		default:
			now = TypeJSON
		}
		if !known || was != now {
			s.types[string(name)] = now
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("feed: %w: %v", ErrOption, err)
	}
	return nil
}

// Columns returns the columns found so far: sku first, the others by name.
func (s *ColumnScan) Columns() []Column {
	types := make(map[string]ColumnType, len(s.types))
	for name, typ := range s.types {
		name = unescaped([]byte(name))
		if was, twice := types[name]; twice && was != typ { // spelt in two ways
			typ = TypeJSON
		}
		types[name] = typ
	}
	var columns []Column
	for name, typ := range types {
		columns = append(columns, Column{name, typ})
	}
	slices.SortFunc(columns, func(a, b Column) int {
		switch {
		case a.Name == b.Name:
			return 0
		case a.Name == "sku":
			return -1
		case b.Name == "sku":
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return columns
}

func isNumeric(t ColumnType) bool { return t == TypeInt || t == TypeDouble || t == TypeNumber }

// typeOf returns the narrowest type of a JSON value.
func typeOf(value []byte) ColumnType {
	switch c := value[0]; {
	case c == '"':
		return TypeString
	case c == 't', c == 'f':
		return TypeBool
	case c != '-' && (c < '0' || c > '9'):
		return TypeJSON
	}
	if _, ok := asInt(value); ok {
		return TypeInt
	}
	if isDouble(value) {
		return TypeDouble
	}
	return TypeNumber
}

// asInt reads a number that is an int64 in canonical spelling.
func asInt(value []byte) (int64, bool) {
	if len(value) > 20 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || string(value) == "-0" {
		return 0, false
	}
	return n, true
}

// asDouble reads a number that a float64 gives back letter by letter.
func asDouble(value []byte) (float64, bool) {
	if len(value) > 30 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		return 0, false
	}
	var b [40]byte
	out, bad := appendFloat(b[:0], f, 64)
	return f, bad == nil && string(out) == string(value)
}

func isDouble(value []byte) bool {
	_, ok := asDouble(value)
	return ok
}

// unescaped returns a member's name as text.
func unescaped(name []byte) string {
	if !strings.Contains(string(name), `\`) {
		return string(name)
	}
	var s string
	if json.Unmarshal([]byte(`"`+string(name)+`"`), &s) != nil {
		return string(name)
	}
	return s
}

// table finds the columns of a record's members.
type table struct {
	columns []Column
	index   map[string]int
}

func newTable(columns []Column) (*table, error) {
	t := &table{columns: columns, index: make(map[string]int, len(columns))}
	if len(columns) == 0 {
		return nil, fmt.Errorf("feed: %w: there are no columns", ErrOption)
	}
	for i, c := range columns {
		if _, twice := t.index[c.Name]; twice || c.Name == "" || len(c.Name) > maxName-16 {
			return nil, fmt.Errorf("feed: %w: a column cannot be called %.60q, or not two of them", ErrOption, c.Name)
		}
		if _, ok := columnTypes[string(c.Type)]; !ok && c.Type != TypeJSON {
			return nil, fmt.Errorf("feed: %w: unknown column type %q", ErrOption, c.Type)
		}
		t.index[c.Name] = i
	}
	return t, nil
}

// cells calls yield for each member with the number of its column.
func (t *table) cells(record []byte, yield func(i int, value []byte) error) error {
	err := members(record, func(name, value []byte) error {
		i, ok := t.index[string(name)]
		if !ok {
			if i, ok = t.index[unescaped(name)]; !ok {
				return fmt.Errorf("member %.60q has no column", name)
			}
		}
		typ := t.columns[i].Type
		if is := typeOf(value); typ != TypeJSON && typ != is && !(typ == TypeNumber && isNumeric(is)) && !(typ == TypeDouble && isDouble(value)) {
			return fmt.Errorf("member %.60q: %.60s is not of type %s", name, value, typ)
		}
		return yield(i, value)
	})
	if err != nil {
		return fmt.Errorf("feed: %w: %w", ErrOption, err)
	}
	return nil
}
