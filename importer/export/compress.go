package export

import (
	"bytes"
	"io"

	"catalog/importer/internal/feed"
)

// Compress returns a writer that compresses into w: by gzip, zstd, or not at
// all. Closing it ends the compressed stream, adding a line feed if the last
// line has none; it does not close w.
func Compress(w io.Writer, compression string) (io.WriteCloser, error) {
	o := Options{Compression: compression}.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	out, err := feed.NewWriter(w, feed.WriterOptions{Format: feed.JSONL, Compression: o.Compression})
	if err != nil {
		return nil, err
	}
	return &lineWriter{out: out}, nil
}

// lineWriter gives a feed's writer, which ends each record by a line feed and
// does not look into it, one line of any text after the other.
type lineWriter struct {
	out  feed.Writer
	line []byte // begun
}

func (l *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		line, rest, ok := bytes.Cut(p, []byte{'\n'})
		if !ok {
			l.line = append(l.line, p...)
			return n, nil
		}
		if len(l.line) > 0 {
			l.line = append(l.line, line...)
			line = l.line
		}
		if err := l.out.Write(line); err != nil {
			return n - len(p), err
		}
		l.line, p = l.line[:0], rest
	}
}

func (l *lineWriter) Close() error {
	var err error
	if len(l.line) > 0 {
		err = l.out.Write(l.line)
	}
	if cerr := l.out.Close(); err == nil {
		err = cerr
	}
	return err
}
