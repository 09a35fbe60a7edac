package feed

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// parquetColumn reads the values of one column of one row group, from row to
// row onwards.
type parquetColumn struct {
	chunk *parquet.FileColumnChunk
	flat  bool
	pages parquet.Pages // nil when closed
	page  parquet.Page
	vals  parquet.ValueReader
	left  int64 // rows of a flat column's page that were not read yet
	buf   []parquet.Value
	next  int   // in buf
	row   int64 // the one that the next value belongs to, unless it continues the one before
	held  int64 // bytes of the open page and dictionary, about
	ended bool
}

const columnValues = 256

// seek moves to a row.
func (c *parquetColumn) seek(row int64) error {
	if c.pages != nil && row == c.row {
		return nil
	}
	_, err := c.chunk.OffsetIndex()
	indexed := err == nil
	if c.pages != nil && row > c.row && !indexed {
		return c.skip(row)
	}
	c.closePage()
	if c.pages == nil {
		c.pages = c.chunk.Pages()
	}
	c.row, c.ended = row, false
	if row == 0 && !indexed {
		c.close()
		c.pages = c.chunk.Pages()
		c.row = 0
		return nil
	}
	return c.pages.SeekToRow(row)
}

// skip reads on to a row without an index.
func (c *parquetColumn) skip(row int64) error {
	if c.flat {
		if n := int64(len(c.buf) - c.next); n > 0 {
			n = min(n, row-c.row)
			c.next += int(n)
			c.row += n
		}
		for c.row < row {
			if c.page == nil || c.left == 0 {
				if err := c.open(); err != nil {
					return err
				}
			}
			n := min(c.left, row-c.row)
			if n < c.left { // the rest of the page is wanted
				rest := c.page.Slice(c.page.NumRows()-c.left+n, c.page.NumRows())
				parquet.Release(c.page)
				c.page, c.vals = rest, rest.Values()
			}
			c.left -= n
			c.row += n
		}
		return nil
	}
	for c.row < row {
		if _, err := c.rowValues(nil); err != nil {
			return err
		}
	}
	return nil
}

// open reads the next page.
func (c *parquetColumn) open() error {
	c.closePage()
	page, err := c.pages.ReadPage()
	if err != nil {
		return err
	}
	c.page, c.vals, c.left = page, page.Values(), page.NumRows()
	c.held = page.Size() + page.NumValues() + parquetPageRead
	if d := page.Dictionary(); d != nil {
		c.held += d.Page().Size()
	}
	return nil
}

// more fills buf with values; false at the end of the column.
func (c *parquetColumn) more() (bool, error) {
	for !c.ended {
		if c.page == nil {
			err := c.open()
			if errors.Is(err, io.EOF) {
				c.ended = true
				break
			}
			if err != nil {
				return false, err
			}
		}
		if cap(c.buf) == 0 {
			c.buf = make([]parquet.Value, columnValues)
		}
		n, err := c.vals.ReadValues(c.buf[:columnValues])
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if c.buf, c.next = c.buf[:n], 0; n > 0 {
			if c.flat {
				c.left -= int64(n)
			}
			return true, nil
		}
		if err == nil {
			return false, io.ErrNoProgress
		}
		c.closePage()
	}
	return false, nil
}

// flatRows calls f for the values of the next n rows of a flat column, with
// their number from 0; for nulls only if asked to.
func (c *parquetColumn) flatRows(n int, nulls bool, f func(i int, v parquet.Value)) error {
	for i := 0; i < n; {
		if c.next == len(c.buf) {
			if c.page == nil || c.left == 0 {
				if err := c.open(); err != nil {
					return err
				}
			}
			if skip := min(int64(n-i), c.left); !nulls && skip > 0 && c.page.NumNulls() == c.page.NumValues() {
				c.left -= skip
				c.row += skip
				i += int(skip)
				continue
			}
			ok, err := c.more()
			if err != nil {
				return err
			}
			if !ok {
				return io.ErrUnexpectedEOF
			}
		}
		take := min(n-i, len(c.buf)-c.next)
		for j, v := range c.buf[c.next : c.next+take] {
			if nulls || !v.IsNull() {
				f(i+j, v)
			}
		}
		c.next += take
		c.row += int64(take)
		i += take
	}
	return nil
}

// rowValues appends the values of the next row; nil dst drops them. Their bytes
// are copied: a row may go on in the next page.
func (c *parquetColumn) rowValues(dst []parquet.Value) ([]parquet.Value, error) {
	for first := true; ; first = false {
		if c.next == len(c.buf) {
			ok, err := c.more()
			if err != nil {
				return dst, err
			}
			if !ok {
				if first {
					return dst, io.ErrUnexpectedEOF
				}
				c.row++
				return dst, nil
			}
		}
		v := c.buf[c.next]
		if !first && v.RepetitionLevel() == 0 {
			c.row++
			return dst, nil
		}
		c.next++
		if dst != nil {
			dst = append(dst, v.Clone())
		}
	}
}

func (c *parquetColumn) closePage() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	c.page, c.vals, c.left = nil, nil, 0
	c.buf, c.next = c.buf[:0], 0
}

// close frees what is open; the next seek opens it again.
func (c *parquetColumn) close() {
	c.closePage()
	if c.pages != nil {
		c.pages.Close()
	}
	c.pages, c.held, c.buf = nil, 0, nil
}

// columnError says which column of the file is damaged.
func columnError(name string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: column %q ends too early", ErrTruncated, name)
	}
	return fmt.Errorf("%w: column %q is damaged: %v", ErrTruncated, name, err)
}
