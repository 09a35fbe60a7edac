package feed

import (
	"bytes"

	"catalog/importer/internal/jsontext"
)

// csvWriter writes CSV with a typed header. An absent member is an empty cell,
// an empty string one of two quotes.
type csvWriter struct {
	*packer
	table *table
	delim byte
	cells [][]byte // values of the row, by column
	row   []byte
	text  []byte
}

func newCSVWriter(p *packer, delim byte, columns []Column) (Writer, error) {
	t, err := newTable(columns)
	if err != nil {
		return nil, err
	}
	w := &csvWriter{packer: p, table: t, delim: delim, cells: make([][]byte, len(columns))}
	for i, c := range columns {
		if i > 0 {
			w.row = append(w.row, delim)
		}
		w.row = appendCell(w.row, []byte(c.Name+":"+string(c.Type)), true)
	}
	w.row = append(w.row, '\n')
	_, err = w.w.Write(w.row)
	return w, err
}

func (w *csvWriter) Write(record []byte) error {
	clear(w.cells)
	err := w.table.cells(record, func(i int, value []byte) error {
		w.cells[i] = value
		return nil
	})
	if err != nil {
		return err
	}
	w.row = w.row[:0]
	for i, value := range w.cells {
		if i > 0 {
			w.row = append(w.row, w.delim)
		}
		switch {
		case value == nil:
		case w.table.columns[i].Type == TypeString:
			w.text = jsontext.AppendText(w.text[:0], value)
			w.row = appendCell(w.row, w.text, len(w.text) == 0 || bytes.IndexByte(w.text, w.delim) >= 0)
		default:
			w.row = appendCell(w.row, value, bytes.IndexByte(value, w.delim) >= 0)
		}
	}
	w.row = append(w.row, '\n')
	_, err = w.w.Write(w.row)
	return err
}

// appendCell appends a cell, in quotes if asked to or where it needs them.
func appendCell(row, text []byte, quote bool) []byte {
	if !quote && bytes.IndexByte(text, '"') < 0 && bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0 {
		return append(row, text...)
	}
	row = append(row, '"')
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			break
		}
		row = append(append(row, text[:i+1]...), '"')
		text = text[i+1:]
	}
	return append(append(row, text...), '"')
}
