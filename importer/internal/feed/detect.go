package feed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// sniffSize is how much of a feed is looked at to recognise it.
const sniffSize = 1 << 20

// sniff recognises the feed's compression, encoding and format, as far as the
// options do not say, and returns the beginning of its text.
func (in *Input) sniff(ctx context.Context) ([]byte, error) {
	src, err := in.open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	head := make([]byte, 16)
	n, err := src.file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, pathless(err)
	}
	if in.Compression, err = compressionOf(head[:n]); err != nil {
		return nil, err
	}
	un, err := unpack(src, in.Compression)
	if err != nil {
		return nil, err
	}
	defer un.Close()
	sample := make([]byte, sniffSize)
	n, err = io.ReadFull(un, sample)
	whole := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if n == 0 {
		if whole {
			return nil, fmt.Errorf("%w: it holds nothing", ErrNoFeed)
		}
		return nil, err
	}
	// Other errors come again when the feed is read, at their place.
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	return in.recognise(sample[:n])
}

// recognise sets Encoding and Format by the first bytes of the unpacked feed.
func (in *Input) recognise(raw []byte) ([]byte, error) {
	if in.Format = strings.ToLower(in.opts.Format); in.Format == "ndjson" {
		in.Format = JSONL
	}
	if bytes.HasPrefix(raw, []byte("PAR1")) {
		if in.Format == "" {
			in.Format = Parquet
		}
	}
	if in.Format == Parquet {
		return raw, nil
	}
	if c, err := compressionOf(raw); err != nil || c != None && in.Compression != None {
		return nil, fmt.Errorf("%w: inside its %s compression it is packed once more", ErrFormat, in.Compression)
	}
	enc, skip, err := encodingOf(in.opts.Encoding, raw)
	if err != nil {
		return nil, err
	}
	in.Encoding = enc
	text := raw[skip:]
	if enc != utf8Name {
		text, err = io.ReadAll(decoded(bytes.NewReader(text), enc))
		if err != nil && !errors.Is(err, ErrTruncated) { // that comes again, at its place
			return nil, fmt.Errorf("%w: not %s: %v", ErrEncoding, enc, err)
		}
	}
	if len(trim(text)) == 0 && len(raw) < sniffSize {
		return nil, fmt.Errorf("%w: it holds nothing but white space", ErrNoFeed)
	}
	if in.Format == "" {
		if in.Format, err = formatOf(text, in.fileName()); err != nil {
			return nil, err
		}
	}
	if isCSV(in.Format) && enc == utf8Name && in.opts.Encoding == "" && like1252(text) {
		return nil, fmt.Errorf("%w: it looks like Windows-1252 (ISO 8859-1): say so with --encoding windows-1252", ErrEncoding)
	}
	return text, nil
}

func isCSV(format string) bool { return format == CSV || format == TSV || format == Magento }

// formatOf recognises a format by a text's beginning and its file's name.
func formatOf(text []byte, name string) (string, error) {
	byName, known := extensions[extension(name)]
	body := trim(text)
	if len(body) == 0 { // a megabyte of white space
		return JSONL, nil
	}
	switch body[0] {
	case '{':
		return jsonFormat(body), nil
	case '[':
		if byName == JSONL && !bytes.HasPrefix(trim(body[1:]), []byte("{")) {
			return JSONL, nil
		}
		return JSON, nil
	case '<':
		if byName != CSV {
			return "", fmt.Errorf("%w: it looks like HTML or XML", ErrFormat)
		}
	}
	if byName != CSV && byName != "" {
		return byName, nil
	}
	lines := bytes.SplitN(body, newline, 4)
	for _, line := range lines[1:] {
		if line = trim(line); len(line) > 1 && line[0] == '{' && line[len(line)-1] == '}' {
			return JSONL, nil // whose first line is damaged
		}
	}
	if header := trim(lines[0]); known || plausibleHeader(header) {
		if isMagentoHeader(header) {
			return Magento, nil
		}
		return CSV, nil
	}
	return "", fmt.Errorf("%w: it is neither JSON, CSV with a header, nor Parquet: say which with --format", ErrFormat)
}

// jsonFormat tells JSON lines from objects that are spread over lines.
func jsonFormat(body []byte) string {
	first, rest, more := bytes.Cut(body, newline)
	if second := trim(rest); wrapper(body) > 0 && (len(second) == 0 || !json.Valid(trim(first))) {
		return JSON
	}
	if first = trim(first); !more || json.Valid(first) {
		return JSONL
	}
	if second := trim(rest); len(second) > 0 && second[0] == '{' {
		return JSONL // whose first line is damaged
	}
	if len(first) == 1 || bytes.HasSuffix(first, []byte(",")) || bytes.HasSuffix(first, []byte("{")) || bytes.HasSuffix(first, []byte("[")) {
		return JSON
	}
	return JSONL
}

// plausibleHeader reports that a line may be the header of a CSV feed.
func plausibleHeader(line []byte) bool {
	if len(line) == 0 || len(line) > 1<<20 {
		return false
	}
	for _, c := range line {
		if c < ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return bytes.ContainsAny(line, ",;\t|") || len(line) <= 64 && !bytes.ContainsAny(line, "{}[]<>=")
}

// failed wraps an error of reading with the feed's name.
func (in *Input) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("feed: read %s: %w", in.Name, err)
}
