// Package inspect looks at a feed before it is imported: what it is, which
// fields it has, which of them could be the key, and which mapping file would
// import it.
package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"catalog/importer/internal/feed"
	"catalog/importer/internal/mapping"
)

// Options say what to read. The zero value of each field works.
type Options struct {
	// Records to read of each feed; 0: the first 10,000, and all that is within
	// the first 64 MiB; negative: all.
	Records int64

	Format    string // as of an import; "": by content and name
	Encoding  string
	Delimiter string
	Header    map[string]string // sent with requests for URLs
	Client    *http.Client
	Stdin     io.Reader // what "-" reads
	TempDir   string    // for streams; "": the system's
}

// Report is what a feed, or several that belong together, is like.
type Report struct {
	Feeds      []Feed      `json:"feeds"`
	Records    int64       `json:"records"`   // of all feeds; estimated if some feed's are
	Estimated  bool        `json:"estimated"` // Records is an estimate
	Sampled    int64       `json:"sampled"`   // records that were looked at
	Unreadable int64       `json:"unreadable"`
	Fields     []Field     `json:"fields"`
	MoreFields bool        `json:"more_fields,omitempty"` // there are more than could be kept
	Candidates []Candidate `json:"key_candidates"`
	Mapping    string      `json:"mapping,omitempty"` // a mapping file, YAML; "" when none is needed
	Note       string      `json:"note,omitempty"`    // a sentence about the mapping

	looked int64 // records that Fields tell of: those sampled, without rows that belong to another
}

// Feed is one input.
type Feed struct {
	Name        string `json:"name"`
	Format      string `json:"format"`
	Compression string `json:"compression,omitempty"`
	Encoding    string `json:"encoding,omitempty"`
	Bytes       int64  `json:"bytes"` // as stored
	Records     int64  `json:"records"`
	Estimated   bool   `json:"estimated"`
	Sampled     int64  `json:"sampled"`
	Unreadable  int64  `json:"unreadable"`
	Truncated   bool   `json:"truncated,omitempty"`
}

// Field is one path of the records, for example "specs.socket" or
// "slots[].size", in the way in which mapping files write it.
type Field struct {
	Path     string           `json:"path"`
	Types    map[string]int64 `json:"types"`    // string, integer, number, boolean, object, array, null → values
	Records  int64            `json:"records"`  // that have a value here, neither null nor empty
	Coverage float64          `json:"coverage"` // the same as a share of those looked at
	Distinct int64            `json:"distinct"` // different values
	Exact    bool             `json:"distinct_exact"`
	Min      string           `json:"min,omitempty"` // of numbers, as written
	Max      string           `json:"max,omitempty"`
	Examples []string         `json:"examples,omitempty"` // shortened
}

// The default amount to read.
const (
	defaultRecords = 10_000
	defaultBytes   = 64 << 20
)

// errEnough stops reading when enough was read.
var errEnough = errors.New("enough")

// ErrShape says that a feed, or what was asked of it, is not what it should be.
var ErrShape = errors.New("unusable feed")

// fault marks the errors that no further try will mend.
func fault(err error) error {
	if feed.Misshapen(err) {
		return fmt.Errorf("%w: %w", ErrShape, err)
	}
	return fmt.Errorf("inspect: %w", err)
}

// Inspect reads the feeds (files, globs, folders, URLs, "-") and says what they
// are like. A feed that breaks off is reported as truncated, and is no error.
func Inspect(ctx context.Context, feeds []string, o Options) (*Report, error) {
	inputs, err := feed.Expand(ctx, feeds, feed.Options{
		Format: o.Format, Encoding: o.Encoding, Delimiter: o.Delimiter,
		Header: o.Header, Client: o.Client, Stdin: o.Stdin, TempDir: o.TempDir,
	})
	if err != nil {
		return nil, fault(err)
	}
	r := &Report{}
	c := newCollector()
	for _, in := range inputs {
		f, err := inspectFeed(ctx, in, c, o)
		if err != nil {
			return nil, fault(err)
		}
		r.Feeds = append(r.Feeds, *f)
		r.Records += f.Records
		r.Sampled += f.Sampled
		r.Unreadable += f.Unreadable
		r.Estimated = r.Estimated || f.Estimated
	}
	r.describe(c)
	return r, nil
}

// inspectFeed reads one feed as far as asked.
func inspectFeed(ctx context.Context, in *feed.Input, c *collector, o Options) (f *Feed, err error) {
	reader, err := in.Open(ctx)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	dec := reader.NewDecoder()
	defer func() { err = errors.Join(err, dec.Close(), reader.Close(), in.Close()) }()
	f = &Feed{Name: in.Name, Format: in.Format, Compression: in.Compression, Encoding: in.Encoding, Bytes: in.Size}
	s := sampler{feed: f, c: c, records: o.Records, bytes: 0}
	if s.records == 0 {
		s.records, s.bytes = defaultRecords, defaultBytes
	}
	err = reader.Chunks(ctx, func(chunk *feed.Chunk) error {
		defer chunk.Release()
		s.before, s.after, s.chunk, s.share = s.after, chunk.Read, chunk, 1
		return dec.Decode(chunk, s.record)
	})
	switch {
	case errors.Is(err, errEnough):
		f.Estimated = true
		f.Records = s.estimate()
	case errors.Is(err, feed.ErrTruncated):
		f.Truncated = true
		f.Records = f.Sampled + f.Unreadable
	case err != nil:
		return nil, err
	default:
		f.Records = f.Sampled + f.Unreadable
	}
	return f, nil
}

// sampler counts what is read of one feed.
type sampler struct {
	feed    *Feed
	c       *collector
	records int64 // to read; negative: all
	bytes   int64 // to read at least
	read    int64 // bytes of the records

	before, after int64       // bytes of the source read before the chunk at hand, and after it
	chunk         *feed.Chunk // the one at hand
	share         float64     // of the chunk that was looked at
}

func (s *sampler) record(r *feed.Record) error {
	n := s.feed.Sampled + s.feed.Unreadable
	if s.records >= 0 && n >= s.records && s.read >= s.bytes {
		if size := len(s.chunk.Data); size > 0 && r.Offset >= s.chunk.Offset {
			s.share = min(1, float64(r.Offset-s.chunk.Offset)/float64(size))
		}
		return errEnough
	}
	doc := bytes.TrimSpace(r.JSON)
	if r.Err != nil || len(doc) < 2 || doc[0] != '{' || !mapping.Valid(doc) {
		s.feed.Unreadable++
		s.read += int64(len(r.Raw))
		return nil
	}
	s.read += int64(len(doc))
	s.feed.Sampled++
	if !r.Overlay {
		s.c.add(doc)
	}
	return nil
}

// estimate guesses the number of records from the share of the source that
// holds those read.
func (s *sampler) estimate() int64 {
	n := s.feed.Sampled + s.feed.Unreadable
	stored := float64(s.before) + s.share*float64(s.after-s.before)
	if stored <= 0 {
		return n
	}
	return max(n, int64(float64(n)*float64(s.feed.Bytes)/stored))
}

// describe makes the report of what was collected.
func (r *Report) describe(c *collector) {
	r.MoreFields, r.looked = c.dropped, c.records
	c.root.all(func(f *field) bool {
		r.Fields = append(r.Fields, f.describe(c.records))
		return true
	})
	r.Candidates = c.candidates()
	s := suggestion{c: c, candidates: r.Candidates}
	if len(r.Feeds) > 0 && r.Feeds[0].Format == feed.Magento {
		r.Note = "Magento's own format is mapped by the program: no mapping is needed."
		return
	}
	r.Mapping, r.Note = s.text()
}

func (f *field) describe(records int64) Field {
	d := Field{
		Path: f.path, Types: map[string]int64{}, Records: f.filled, Coverage: float64(f.filled) / float64(max(records, 1)),
		Min: f.min, Max: f.max, Examples: f.examples,
	}
	for t, n := range f.types {
		if n > 0 {
			d.Types[jsonType(t).String()] = n
		}
	}
	d.Distinct, d.Exact = f.values.count()
	return d
}
