package feed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

const (
	parquetFooter    = 64 << 20 // the largest footer that is read, in bytes
	parquetPageRead  = 16 << 10 // buffer of each open column
	parquetChunk     = 4 << 20  // what a chunk's rows are in the file, uncompressed, about
	parquetMinRows   = 64       // of a chunk
	parquetMaxRows   = 2 << 10
	parquetOpenBytes = 16 << 20 // pages that a decoder keeps open from chunk to chunk
)

// parquetFeed reads Parquet. A chunk is a range of rows of one row group; it
// holds no data: each decoder reads the columns of a range one after another,
// so that only as many pages are open at a time as parquetOpenBytes allows,
// whatever the number of columns.
type parquetFeed struct {
	in     *Input
	src    *source
	spool  *os.File // the file unpacked, when it was compressed as a whole
	file   *parquet.File
	fields []parquetField
}

// rowRange is what a chunk of Parquet is.
type rowRange struct {
	group    int
	from, to int64 // rows of the group
}

// newParquet reads the footer.
func newParquet(ctx context.Context, in *Input) (_ Reader, err error) {
	r := &parquetFeed{in: in}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if r.src, err = in.open(); err != nil {
		return nil, err
	}
	var at io.ReaderAt = r.src.file
	size := r.src.size
	if in.Compression != None {
		un, err := unpack(r.src, in.Compression)
		if err != nil {
			return nil, err
		}
		defer un.Close()
		if r.spool, size, err = spoolTo(ctx, in.opts.TempDir, un, func(int64) {}); err != nil {
			return nil, err
		}
		at = r.spool
	}
	if err := checkFooter(at, size); err != nil {
		return nil, r.blame(err)
	}
	err = guarded(func() error {
		var err error
		r.file, err = parquet.OpenFile(at, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
			parquet.ReadBufferSize(parquetPageRead), parquet.FileReadMode(parquet.ReadModeSync))
		if err != nil {
			return fmt.Errorf("%w: %v", ErrFormat, err)
		}
		if err := checkGroups(r.file, size); err != nil {
			return err
		}
		r.fields, err = parquetFields(r.file.Root())
		return err
	})
	if err != nil {
		return nil, r.blame(err)
	}
	return r, nil
}

// checkFooter tells a file that was cut off from one that is no Parquet, and
// keeps a hostile footer from being believed.
func checkFooter(at io.ReaderAt, size int64) error {
	var b [8]byte
	if size < 12 {
		return fmt.Errorf("%w: %d bytes are no Parquet file", ErrTruncated, size)
	}
	if _, err := at.ReadAt(b[:4], 0); err != nil {
		return pathless(err)
	}
	if string(b[:4]) != "PAR1" {
		if string(b[:4]) == "PARE" {
			return fmt.Errorf("%w: the Parquet file is encrypted", ErrFormat)
		}
		return fmt.Errorf("%w: it does not start like a Parquet file", ErrFormat)
	}
	if _, err := at.ReadAt(b[:], size-8); err != nil {
		return pathless(err)
	}
	if string(b[4:]) != "PAR1" {
		return fmt.Errorf("%w: the Parquet file has no footer: its end is missing", ErrTruncated)
	}
	if n := int64(binary.LittleEndian.Uint32(b[:4])); n > size-12 || n > parquetFooter {
		return fmt.Errorf("%w: the footer of the Parquet file claims %d bytes", ErrFormat, n)
	}
	return nil
}

// checkGroups compares what the footer says about row groups with the file.
func checkGroups(f *parquet.File, size int64) error {
	rows := int64(0)
	meta := f.Metadata()
	leaves := len(f.Schema().Columns())
	for i := range meta.RowGroups {
		g := &meta.RowGroups[i]
		if g.NumRows < 0 || len(g.Columns) != leaves {
			return fmt.Errorf("%w: row group %d of the Parquet file has %d rows and %d of %d columns", ErrFormat, i, g.NumRows, len(g.Columns), leaves)
		}
		rows += g.NumRows
		for j := range g.Columns {
			c := &g.Columns[j].MetaData
			from := c.DataPageOffset
			if c.DictionaryPageOffset > 0 {
				from = min(from, c.DictionaryPageOffset)
			}
			if from < 4 || c.TotalCompressedSize < 0 || c.NumValues < 0 || from > size-c.TotalCompressedSize {
				return fmt.Errorf("%w: column %d of row group %d of the Parquet file lies outside of it", ErrTruncated, j, i)
			}
		}
	}
	if rows != meta.NumRows || rows < 0 {
		return fmt.Errorf("%w: the Parquet file says %d rows, its row groups %d", ErrFormat, meta.NumRows, rows)
	}
	return nil
}

// guarded calls f and makes a panic in it, which the library has for some
// damaged files, an error.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the Parquet file is damaged: %v", ErrTruncated, p)
		}
	}()
	return f()
}

// blame reports that the file changed rather than what this did to its reader.
func (r *parquetFeed) blame(err error) error {
	if err == nil || r.src == nil {
		return err
	}
	if cerr := r.src.unchanged(); cerr != nil {
		return cerr
	}
	return err
}

// Close closes the file.
func (r *parquetFeed) Close() error {
	var err error
	if r.src != nil {
		err = r.src.Close()
	}
	if r.spool != nil {
		err = errors.Join(err, r.spool.Close())
	}
	r.src, r.spool = nil, nil
	return err
}

// Chunks cuts the row groups into ranges of rows.
func (r *parquetFeed) Chunks(ctx context.Context, yield func(*Chunk) error) error {
	row, read := int64(0), int64(0)
	meta := r.file.Metadata()
	for i := range meta.RowGroups {
		g := &meta.RowGroups[i]
		stored, bytes := int64(0), int64(0)
		for j := range g.Columns {
			stored += g.Columns[j].MetaData.TotalCompressedSize
			bytes += g.Columns[j].MetaData.TotalUncompressedSize
		}
		step := int64(parquetMaxRows)
		if g.NumRows > 0 {
			step = max(parquetMinRows, min(parquetMaxRows, int64(parquetChunk)/max(1, bytes/g.NumRows)))
		}
		for from := int64(0); from < g.NumRows; from += step {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			to := min(g.NumRows, from+step)
			done := read + int64(float64(stored)*float64(to)/float64(g.NumRows))
			c := &Chunk{Ord: row + from, Line: row + from + 1, Offset: -1, Read: min(done, r.in.Size), Rows: rowRange{i, from, to}}
			if err := yield(c); err != nil {
				return err
			}
		}
		row += g.NumRows
		read += stored
	}
	return r.in.failed(r.src.unchanged())
}
