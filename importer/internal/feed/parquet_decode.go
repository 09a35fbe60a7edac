package feed

import (
	"fmt"

	"github.com/parquet-go/parquet-go"
)

// parquetDecoder makes rows JSON objects. Nulls at the top level and in groups
// are absent; lists and maps become arrays and objects.
type parquetDecoder struct {
	feed  *parquetFeed
	group int
	cols  []*parquetColumn // by leaf, of the current group
	held  int64            // of columns that stay open

	out     []byte  // `"name":value` of the members of the range's rows, by column
	entries []entry // where
	starts  []int32 // first entry of each row, after sorting
	order   []int32 // entries by row
	bad     map[int]*Reject
	obj     []byte
	rows    [][]parquet.Value // of the leaves of one nested field, for one row
	at      []int             // in rows
}

// entry is one member of one row; an empty one says that a group is there.
type entry struct {
	row      int32
	field    int32
	from, to int32
	depth    int32 // of an empty one: how many of the field's groups are there
}

// NewDecoder returns a decoder that reads columns by itself.
func (r *parquetFeed) NewDecoder() Decoder { return &parquetDecoder{feed: r, group: -1} }

// Close closes the columns.
func (d *parquetDecoder) Close() error {
	for _, c := range d.cols {
		if c != nil {
			c.close()
		}
	}
	d.cols, d.held, d.group = nil, 0, -1
	return nil
}

// column returns the reader of a leaf of a row group, at a row.
func (d *parquetDecoder) column(r rowRange, leaf int, flat bool) (*parquetColumn, error) {
	if d.group != r.group {
		d.Close()
		d.group = r.group
		d.cols = make([]*parquetColumn, len(d.feed.file.RowGroups()[r.group].ColumnChunks()))
	}
	c := d.cols[leaf]
	if c == nil {
		chunk, ok := d.feed.file.RowGroups()[r.group].ColumnChunks()[leaf].(*parquet.FileColumnChunk)
		if !ok {
			return nil, fmt.Errorf("no column chunk %d", leaf)
		}
		c = &parquetColumn{chunk: chunk, flat: flat}
		d.cols[leaf] = c
	}
	d.held -= c.held
	return c, c.seek(r.from)
}

// done keeps a column open for the next range if there is room for it.
func (d *parquetDecoder) done(c *parquetColumn) {
	if d.held+c.held > parquetOpenBytes {
		c.close()
	}
	d.held += c.held
}

// nothing reports a column of a row group that has only nulls.
func (d *parquetDecoder) nothing(r rowRange, leaf int) bool {
	m := &d.feed.file.Metadata().RowGroups[r.group].Columns[leaf].MetaData
	return m.NumValues > 0 && m.Statistics.NullCount == m.NumValues
}

// Decode reads the columns of a range of rows, one after another, and yields
// the rows.
func (d *parquetDecoder) Decode(c *Chunk, yield func(*Record) error) error {
	r, _ := c.Rows.(rowRange)
	n := int(r.to - r.from)
	d.out, d.entries, d.bad = d.out[:0], d.entries[:0], nil
	for i := range d.feed.fields {
		f := &d.feed.fields[i]
		err := guarded(func() error {
			if f.flat() {
				return d.flatField(r, i)
			}
			return d.nestedField(r, i)
		})
		if err != nil {
			d.Close()
			return d.feed.in.failed(d.feed.blame(columnError(f.name, err)))
		}
	}
	d.sort(n)
	rec := Record{Ord: c.Ord, Line: c.Line, Offset: -1}
	for i := range n {
		rec.JSON, rec.Err = nil, d.bad[i]
		if rec.Err == nil {
			d.object(d.order[d.starts[i]:d.starts[i+1]])
			rec.JSON = d.obj
		}
		if err := yield(&rec); err != nil {
			return err
		}
		rec.Ord++
		rec.Line++
	}
	return nil
}

// object writes a row to d.obj.
func (d *parquetDecoder) object(entries []int32) {
	out := append(d.obj[:0], '{')
	var open []*parquetNode
	for _, i := range entries {
		e := &d.entries[i]
		groups := d.feed.fields[e.field].groups
		same := 0
		for same < min(len(open), len(groups)) && open[same] == groups[same] {
			same++
		}
		for ; len(open) > same; open = open[:len(open)-1] {
			out = append(out, '}')
		}
		for _, g := range groups[same:] {
			if e.from == e.to && len(open) == int(e.depth) {
				break
			}
			out = append(append(comma(out), g.key...), '{')
			open = append(open, g)
		}
		if e.from < e.to {
			out = append(comma(out), d.out[e.from:e.to]...)
		}
	}
	for range open {
		out = append(out, '}')
	}
	d.obj = append(out, '}')
}

// sort orders the entries by row, each row's in the order of the columns.
func (d *parquetDecoder) sort(rows int) {
	d.starts = append(d.starts[:0], make([]int32, rows+1)...)
	for _, e := range d.entries {
		d.starts[e.row+1]++
	}
	for i := range rows {
		d.starts[i+1] += d.starts[i]
	}
	if cap(d.order) < len(d.entries) {
		d.order = make([]int32, len(d.entries))
	}
	d.order = d.order[:len(d.entries)]
	for i := len(d.entries) - 1; i >= 0; i-- { // backwards, filling each row from its end
		row := d.entries[i].row
		d.starts[row+1]--
		d.order[d.starts[row+1]] = int32(i)
	}
	copy(d.starts, d.starts[1:])
	d.starts[rows] = int32(len(d.entries))
}

// reject notes that a row cannot be read.
func (d *parquetDecoder) reject(row int, f *parquetField, why *Reject) {
	if d.bad == nil {
		d.bad = make(map[int]*Reject)
	}
	if d.bad[row] == nil {
		d.bad[row] = &Reject{why.Reason, fmt.Sprintf("column %q: %s", f.name, why.Detail)}
	}
}

// member closes the entry of a member that was appended to d.out from from on.
func (d *parquetDecoder) member(row, field, from int) error {
	if len(d.out) > 1<<30 {
		return fmt.Errorf("the values of a range of rows are too large")
	}
	d.entries = append(d.entries, entry{row: int32(row), field: int32(field), from: int32(from), to: int32(len(d.out))})
	return nil
}

// present notes which of a field's groups are there in a row where the field
// itself is not.
func (d *parquetDecoder) present(row, field, def int) {
	depth := 0
	for _, g := range d.feed.fields[field].groups {
		if def >= g.def {
			depth++
		}
	}
	if depth > 0 {
		d.entries = append(d.entries, entry{row: int32(row), field: int32(field), depth: int32(depth)})
	}
}

// flatField reads a column with one value in each row.
func (d *parquetDecoder) flatField(r rowRange, field int) error {
	f := &d.feed.fields[field]
	if d.nothing(r, f.leaf) && !f.first {
		return nil
	}
	c, err := d.column(r, f.leaf, true)
	if err != nil {
		return err
	}
	var full error
	err = c.flatRows(int(r.to-r.from), f.first, func(i int, v parquet.Value) {
		if v.IsNull() {
			d.present(i, field, v.DefinitionLevel())
			return
		}
		from := len(d.out)
		out, bad := f.value(append(d.out, f.key...), v)
		if bad != nil {
			d.reject(i, f, bad)
			return
		}
		d.out = out
		if err := d.member(i, field, from); err != nil {
			full = err
			d.out = d.out[:0]
		}
	})
	d.done(c)
	if err == nil {
		err = full
	}
	return err
}

// nestedField reads a list or map.
func (d *parquetDecoder) nestedField(r rowRange, field int) error {
	f := &d.feed.fields[field]
	cols := make([]*parquetColumn, f.leaves)
	for i := range cols {
		c, err := d.column(r, f.leaf+i, false)
		if err != nil {
			return err
		}
		cols[i] = c
	}
	for len(d.rows) < f.leaves {
		d.rows, d.at = append(d.rows, make([]parquet.Value, 0, 8)), append(d.at, 0)
	}
	for row := range int(r.to - r.from) {
		for i, c := range cols {
			vals, err := c.rowValues(d.rows[i][:0])
			if err != nil {
				return err
			}
			d.rows[i], d.at[i] = vals, 0
		}
		from := len(d.out)
		a := assembler{d: d, base: f.leaf}
		d.out = append(d.out, f.key...)
		ok := a.value(f.parquetNode)
		switch {
		case a.bad != nil:
			d.out = d.out[:from]
			d.reject(row, f, a.bad)
		case !ok:
			d.out = d.out[:from]
			if f.first {
				d.present(row, field, d.rows[0][0].DefinitionLevel())
			}
		default:
			if err := d.member(row, field, from); err != nil {
				return err
			}
		}
	}
	for _, c := range cols {
		d.done(c)
	}
	return nil
}

// HasField reports whether the schema has a field of that name.
func (d *parquetDecoder) HasField(field string) bool {
	for i := range d.feed.fields {
		if d.feed.fields[i].name == field {
			return true
		}
	}
	return false
}

// Keys reads the column of the field alone.
func (d *parquetDecoder) Keys(c *Chunk, field string, yield func(ord int64, key []byte, overlay bool) error) error {
	r, _ := c.Rows.(rowRange)
	n := int(r.to - r.from)
	d.out, d.entries, d.bad = d.out[:0], d.entries[:0], nil
	for at := range d.feed.fields {
		f := &d.feed.fields[at]
		if f.name != field || !f.flat() || len(f.groups) > 0 {
			continue
		}
		if err := guarded(func() error { return d.flatField(r, at) }); err != nil {
			d.Close()
			return d.feed.in.failed(d.feed.blame(columnError(f.name, err)))
		}
		d.sort(n)
		for i := range n {
			if d.bad[i] != nil {
				continue
			}
			var key []byte
			if e := d.starts[i]; e < d.starts[i+1] {
				m := d.entries[d.order[e]]
				key = keyText(d.out[int(m.from)+len(f.key) : m.to])
			}
			if err := yield(c.Ord+int64(i), key, false); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range n {
		if err := yield(c.Ord+int64(i), nil, false); err != nil {
			return err
		}
	}
	return nil
}
