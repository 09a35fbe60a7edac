package feed

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"catalog/importer/internal/jsontext"
)

// csvColumn is one column of a CSV feed.
type csvColumn struct {
	name string
	typ  ColumnType // "" in an untyped header: text, where nothing is absent
	key  []byte     // `"name":`
}

// csvHeader is what the first line of a CSV feed says.
type csvHeader struct {
	delim byte
	cols  []csvColumn
	size  int // bytes up to the first record
	lines int // lines up to the first record
}

// columnTypes are the suffixes of typed headers.
var columnTypes = map[string]ColumnType{
	"string": TypeString, "text": TypeString,
	"number": TypeNumber, "decimal": TypeNumber,
	"int": TypeInt, "integer": TypeInt,
	"double": TypeDouble, "float": TypeDouble,
	"bool": TypeBool, "boolean": TypeBool,
	"json": TypeJSON,
}

// readHeader reads the header at the beginning of a CSV text.
func readHeader(sample []byte, delimiter string) (csvHeader, error) {
	var h csvHeader
	delim, err := parseDelimiter(delimiter)
	if err != nil {
		return h, err
	}
	skipLine := func() {
		n := bytes.IndexByte(sample[h.size:], '\n') + 1
		if n == 0 {
			n = len(sample) - h.size
		}
		h.size += n
		h.lines++
	}
	for h.size < len(sample) && len(trim(firstLine(sample[h.size:]))) == 0 {
		skipLine()
	}
	if line := firstLine(sample[h.size:]); len(line) == 5 && string(line[:4]) == "sep=" { // as Excel writes it
		delim = line[4]
		skipLine()
	}
	if delim == 0 {
		delim = sniffDelimiter(sample[h.size:])
	}
	h.delim = delim
	sc := csvScanner{delim: delim}
	row, next, ok := sc.row(sample[h.size:])
	if !ok {
		return h, fmt.Errorf("%w: its quotes are not in pairs", ErrHeader)
	}
	for i, c := range row {
		col := csvColumn{name: string(c.text(sample[h.size:], nil))}
		if !c.quoted {
			col.name = string(trim([]byte(col.name)))
		}
		if j := strings.LastIndexByte(col.name, ':'); j > 0 {
			if typ, ok := columnTypes[strings.ToLower(col.name[j+1:])]; ok {
				col.name, col.typ = col.name[:j], typ
			}
		}
		switch {
		case col.name == "" && i == len(row)-1 && i > 0:
			return h, fmt.Errorf("%w: the last column has no name: the header ends with a delimiter", ErrHeader)
		case col.name == "":
			return h, fmt.Errorf("%w: column %d has no name", ErrHeader, i+1)
		case !utf8.ValidString(col.name):
			return h, fmt.Errorf("%w: the name of column %d is not UTF-8: if it is Windows-1252 say so with --encoding windows-1252", ErrEncoding, i+1)
		case len(col.name) > maxName:
			return h, fmt.Errorf("%w: the name of column %d has %d bytes: is the first line a header?", ErrHeader, i+1, len(col.name))
		}
		col.key = append(jsontext.AppendString(nil, []byte(col.name)), ':')
		h.cols = append(h.cols, col)
	}
	seen := make(map[string]int, len(h.cols))
	for i, col := range h.cols {
		if j, dup := seen[col.name]; dup {
			return h, fmt.Errorf("%w: columns %d and %d are both called %q", ErrHeader, j+1, i+1, col.name)
		}
		seen[col.name] = i
	}
	h.lines += bytes.Count(sample[h.size:h.size+next], newline)
	h.size += next
	return h, nil
}

// maxName is the longest name of a column, in bytes.
const maxName = 1024

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, newline)
	return bytes.TrimSuffix(line, []byte("\r"))
}

// parseDelimiter reads the option; 0 is for none.
func parseDelimiter(s string) (byte, error) {
	switch s {
	case "":
		return 0, nil
	case "tab", `\t`, "\t":
		return '\t', nil
	}
	if len(s) != 1 || s[0] >= utf8.RuneSelf || s[0] < ' ' || s[0] == '"' {
		return 0, fmt.Errorf("%w: delimiter %q: use one ASCII character, or tab", ErrOption, s)
	}
	return s[0], nil
}

// sniffDelimiter returns the delimiter that the first line has most of, outside
// quotes; the comma if it has none.
func sniffDelimiter(sample []byte) byte {
	var count [256]int
	quoted := false
	for _, c := range sample {
		if c == '"' {
			quoted = !quoted
		} else if !quoted {
			if c == '\n' {
				break
			}
			count[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte(";\t|") {
		if count[c] > count[best] {
			best = c
		}
	}
	return best
}
