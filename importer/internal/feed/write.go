package feed

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"catalog/catalog/packing"
)

// WriterOptions say what a Writer writes.
type WriterOptions struct {
	Format      string   // JSONL, JSON, CSV, TSV or Parquet
	Compression string   // None, Gzip or Zstd; of Parquet: that of its pages, None means Zstd
	Columns     []Column // of CSV and Parquet, in this order (Parquet: by name); see ColumnScan
}

// Writer writes records as a feed that this package reads back as the same
// records: same members, same strings, same numbers. CSV and Parquet lose the
// order of members. It is for one goroutine.
type Writer interface {
	// Write writes one record, a compact JSON object. For CSV and Parquet a
	// member without a column, or whose value is not of its column's type, is
	// ErrOption: scan all records first. A null needs a column of TypeJSON.
	Write(record []byte) error
	// Close ends the feed and flushes; it does not close what is written to.
	Close() error
}

// NewWriter starts a feed.
func NewWriter(w io.Writer, o WriterOptions) (Writer, error) {
	if o.Format == Parquet {
		return newParquetWriter(w, o)
	}
	p := &packer{buf: bufio.NewWriterSize(w, 256<<10)}
	p.w = p.buf
	switch o.Compression {
	case None:
	case Gzip:
		z := packing.NewGzipWriter(p.buf)
		p.w, p.z = z, z
	case Zstd:
		z, err := packing.NewZstdWriter(p.buf)
		if err != nil {
			return nil, fmt.Errorf("feed: %w", err)
		}
		p.w, p.z = z, z
	default:
		return nil, fmt.Errorf("feed: %w: unknown compression %q: use gzip or zstd", ErrOption, o.Compression)
	}
	switch o.Format {
	case JSONL:
		return &lineWriter{p}, nil
	case JSON:
		return &arrayWriter{packer: p}, nil
	case CSV:
		return newCSVWriter(p, ',', o.Columns)
	case TSV:
		return newCSVWriter(p, '\t', o.Columns)
	}
	return nil, fmt.Errorf("feed: %w: unknown format %q: use jsonl, json, csv, tsv or parquet", ErrOption, o.Format)
}

// packer buffers and compresses.
type packer struct {
	w   io.Writer // z or buf
	z   io.Closer // nil without compression
	buf *bufio.Writer
}

func (p *packer) Close() error {
	var err error
	if p.z != nil {
		err = p.z.Close()
	}
	return errors.Join(err, p.buf.Flush())
}

// lineWriter writes JSON lines.
type lineWriter struct{ *packer }

func (l *lineWriter) Write(record []byte) error {
	if _, err := l.w.Write(record); err != nil {
		return err
	}
	_, err := l.w.Write(newline)
	return err
}

// arrayWriter writes a JSON array, a record a line.
type arrayWriter struct {
	*packer
	some bool
}

func (a *arrayWriter) Write(record []byte) error {
	before := ",\n"
	if !a.some {
		before = "[\n"
	}
	a.some = true
	if _, err := io.WriteString(a.w, before); err != nil {
		return err
	}
	_, err := a.w.Write(record)
	return err
}

func (a *arrayWriter) Close() error {
	end := "\n]\n"
	if !a.some {
		end = "[]\n"
	}
	_, err := io.WriteString(a.w, end)
	return errors.Join(err, a.packer.Close())
}
