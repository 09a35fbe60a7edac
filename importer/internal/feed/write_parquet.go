package feed

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	pgzip "github.com/parquet-go/parquet-go/compress/gzip"
	pzstd "github.com/parquet-go/parquet-go/compress/zstd"

	"catalog/importer/internal/jsontext"
)

const (
	parquetGroupBytes = 32 << 20 // of records in a row group, which is in memory while it is written
	parquetGroupRows  = 100_000
	parquetBatch      = 64       // rows handed on at a time
	parquetPageBytes  = 64 << 10 // of a page, before compression
)

// parquetWriter writes Parquet: each column is optional; TypeNumber and
// TypeJSON are columns of JSON.
type parquetWriter struct {
	table *table
	w     *parquet.GenericWriter[any]
	leaf  []int // by column: its number in the file, which orders them by name
	rows  []parquet.Row
	n     int // rows filled
	arena []byte
	bytes int // in the row group
	count int // rows in the row group
}

func newParquetWriter(w io.Writer, o WriterOptions) (Writer, error) {
	t, err := newTable(o.Columns)
	if err != nil {
		return nil, err
	}
	var codec compress.Codec
	switch o.Compression {
	case None, Zstd:
		codec = &pzstd.Codec{Level: pzstd.SpeedFastest}
	case Gzip:
		codec = &pgzip.Codec{Level: pgzip.DefaultCompression}
	default:
		return nil, fmt.Errorf("feed: %w: unknown compression %q: use gzip or zstd", ErrOption, o.Compression)
	}
	group := make(parquet.Group, len(o.Columns))
	for _, c := range o.Columns {
		group[c.Name] = parquet.Optional(parquetType(c.Type))
	}
	p := &parquetWriter{table: t, leaf: make([]int, len(o.Columns)), rows: make([]parquet.Row, parquetBatch)}
	schema := parquet.NewSchema("catalog", group)
	for i, c := range o.Columns {
		leaf, ok := schema.Lookup(c.Name)
		if !ok {
			return nil, fmt.Errorf("feed: %w: column %q", ErrOption, c.Name)
		}
		p.leaf[i] = leaf.ColumnIndex
	}
	p.w = parquet.NewGenericWriter[any](w, schema, parquet.Compression(codec), parquet.PageBufferSize(parquetPageBytes),
		parquet.DataPageStatistics(false), parquet.CreatedBy("catalog", "", ""))
	for i := range p.rows {
		p.rows[i] = make(parquet.Row, len(o.Columns))
	}
	return p, nil
}

func parquetType(t ColumnType) parquet.Node {
	switch t {
	case TypeInt:
		return parquet.Int(64)
	case TypeDouble:
		return parquet.Leaf(parquet.DoubleType)
	case TypeBool:
		return parquet.Leaf(parquet.BooleanType)
	case TypeString:
		return parquet.String()
	}
	return parquet.JSON()
}

func (p *parquetWriter) Write(record []byte) error {
	row := p.rows[p.n]
	for i := range row {
		row[i] = parquet.NullValue().Level(0, 0, i)
	}
	err := p.table.cells(record, func(i int, value []byte) error {
		v := p.value(p.table.columns[i].Type, value)
		row[p.leaf[i]] = v.Level(0, 1, p.leaf[i])
		return nil
	})
	if err != nil {
		return err
	}
	p.n++
	p.bytes += len(record)
	p.count++
	if p.n == len(p.rows) {
		if err := p.flush(); err != nil {
			return err
		}
	}
	if p.bytes >= parquetGroupBytes || p.count >= parquetGroupRows {
		if err := p.flush(); err != nil {
			return err
		}
		p.bytes, p.count = 0, 0
		if err := p.w.Flush(); err != nil {
			return fmt.Errorf("feed: write parquet: %w", err)
		}
	}
	return nil
}

// value makes a JSON value one of its column. Its bytes stay until flush.
func (p *parquetWriter) value(t ColumnType, value []byte) parquet.Value {
	switch t {
	case TypeInt:
		n, _ := asInt(value)
		return parquet.Int64Value(n)
	case TypeDouble:
		f, _ := asDouble(value)
		return parquet.DoubleValue(f)
	case TypeBool:
		return parquet.BooleanValue(value[0] == 't')
	}
	from := len(p.arena)
	if t == TypeString {
		p.arena = jsontext.AppendText(p.arena, value)
	} else {
		p.arena = append(p.arena, value...)
	}
	return parquet.ByteArrayValue(p.arena[from:len(p.arena):len(p.arena)])
}

// flush hands the rows on.
func (p *parquetWriter) flush() error {
	if p.n == 0 {
		return nil
	}
	_, err := p.w.WriteRows(p.rows[:p.n])
	p.n, p.arena = 0, p.arena[:0]
	if err != nil {
		return fmt.Errorf("feed: write parquet: %w", err)
	}
	return nil
}

// Close writes what is left and the footer.
func (p *parquetWriter) Close() error {
	if err := p.flush(); err != nil {
		return err
	}
	if err := p.w.Close(); err != nil {
		return fmt.Errorf("feed: write parquet: %w", err)
	}
	return nil
}
