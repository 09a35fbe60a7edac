package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// The formats.
const (
	JSONL   = "jsonl"
	JSON    = "json" // an array of objects, or objects one after the other
	CSV     = "csv"  // any delimiter
	TSV     = "tsv"  // CSV with tabs, when asked for; recognised feeds are CSV
	Magento = "magento"
	Parquet = "parquet"
)

// The compressions.
const (
	None = ""
	Gzip = "gzip"
	Zstd = "zstd"
)

// Options say how to find and read feeds that cannot be recognised by
// themselves. The zero value of each field works.
type Options struct {
	Format    string // jsonl, json, csv, tsv, magento, parquet; "": by content and name
	Encoding  string // utf-8, utf-16, utf-16le, utf-16be, windows-1252; "": UTF-8, or what a byte order mark says
	Delimiter string // of CSV: one ASCII character, or "tab"; "": by the header

	TempDir string                         // where streams are spooled; "": the system's
	Stdin   io.Reader                      // what "-" reads; nil: there is none
	Client  *http.Client                   // for URLs; nil: one with sensible timeouts
	Header  map[string]string              // sent with requests for URLs
	Spooled func(name string, bytes int64) // told now and then how much of a stream was spooled; may be nil
}

// Input is one feed. Its methods are for one goroutine at a time.
type Input struct {
	Name        string // as the user knows it: the path, "-", or the URL without secrets
	Size        int64  // bytes as stored; of a stream 0 before Open
	Format      string // set by Open, like the next two
	Compression string
	Encoding    string // "utf-8", "utf-16le", …; "" of Parquet

	opts   Options
	path   string                                       // of a file; "" of a stream
	stream func(context.Context) (io.ReadCloser, error) // of a stream
	spool  stored                                       // what a stream was copied to: a file without a name
	info   os.FileInfo                                  // of the file when it was first seen
}

// stored is a feed's bytes, held open.
type stored interface {
	io.ReaderAt
	io.Closer
}

// Open recognises the feed, copying it to a temporary file first if it is a
// stream, and returns its Reader, which must be closed before the Input.
func (in *Input) Open(ctx context.Context) (Reader, error) {
	r, err := in.openReader(ctx)
	if err != nil {
		return nil, fmt.Errorf("feed: %s: %w", in.Name, err)
	}
	return r, nil
}

func (in *Input) openReader(ctx context.Context) (Reader, error) {
	if in.stream != nil && in.spool == nil {
		if err := in.fetchStream(ctx); err != nil {
			return nil, err
		}
	}
	if err := in.look(); err != nil {
		return nil, err
	}
	s, err := in.sniff(ctx)
	if err != nil {
		return nil, err
	}
	switch in.Format {
	case JSONL:
		return &jsonLines{in: in}, nil
	case JSON:
		return &jsonValues{in: in}, nil
	case CSV, TSV, Magento:
		return newCSV(in, s)
	case Parquet:
		return newParquet(ctx, in)
	}
	return nil, fmt.Errorf("%w: unknown format %q: use jsonl, json, csv, tsv, magento or parquet", ErrOption, in.Format)
}

// look notes how the file is now, so that a later change is noticed.
func (in *Input) look() error {
	f, err := in.open()
	if err != nil {
		return err
	}
	defer f.Close()
	if f.size == 0 {
		return fmt.Errorf("%w: the file is empty", ErrNoFeed)
	}
	in.Size = f.size
	return nil
}

// Close removes what a stream was spooled to.
func (in *Input) Close() error {
	if in.spool == nil {
		return nil
	}
	err := in.spool.Close()
	in.spool = nil
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
