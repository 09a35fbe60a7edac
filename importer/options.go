// Package importer loads feeds of products, prices, stock, categories and
// attributes into a catalog.Store: in parallel, in bounded memory, skipping
// what did not change, and accounting for every record.
//
// A feed is read twice: a survey finds what replaces what, and what the store
// has already, the load writes the rest. Products for a store without any are
// read once (once.go): in the order of the feed the last record of a key wins
// by itself, and the few feeds in which one comes twice are surveyed after
// all, and mended. So that this holds after a kill as well, the store keeps a
// note, a Meta that starts with "import/unsettled/", from the first write to
// the end. Of a feed that Options.FeedCache knows but for a little, that little
// is set aside by the survey, and read again instead of the feed (kept.go).
package importer

import (
	"errors"
	"io"
	"time"

	"catalog/catalog"
)

// Mode says what a feed's records do to the store's.
type Mode string

// The modes.
const (
	Upsert Mode = "upsert" // a record replaces its document
	Patch  Mode = "patch"  // a record is merged into its document (RFC 7396); an unknown key is a reject
	Sync   Mode = "sync"   // upsert, then delete what this source's feed no longer has
	Delete Mode = "delete" // a record's key names what to delete
)

// Options says what to import and how. The zero value of each field works.
type Options struct {
	Feeds  []string // files, globs, folders, http(s) URLs, "-"
	Kind   catalog.Kind
	Mode   Mode
	Source string // owner of the records, "default" if empty
	Holder string // who imports, for those who find this source taken; may be empty

	Input   Input
	Mapping []byte // a mapping file's content, YAML or JSON
	SKU     string // path of the field that is the key, for feeds that need no more mapping
	Schema  []byte // a JSON Schema that every record must satisfy, beside the built-in rules

	Guards Guards
	DryRun bool

	Rejects  io.Writer      // JSON lines of Reject; nil: only counted
	Progress func(Progress) // called a few times a second from one goroutine
	Workers  int            // decoding goroutines; 0: one per processor
	// BatchBytes is about how much is written at a time; 0 is 48 MiB. The
	// import holds two batches in memory.
	BatchBytes int64
	TempDir    string // for spools; "": the system's
	// FeedCache is a folder that keeps, between imports, what the records of
	// product feeds came to, so that those that are byte for byte the same need
	// not be parsed again: about 20 bytes a record. It may be lost at any
	// time. "": none.
	FeedCache string
	Stdin     io.Reader // what "-" reads
	Now       func() time.Time
}

// Input says how to read feeds that cannot be recognised by themselves.
type Input struct {
	Format    string // jsonl, json, csv, tsv, magento, parquet; "": by content and name
	Encoding  string // of CSV: utf-8, utf-16, windows-1252; "": utf-8
	Delimiter string // of CSV; "": by the header
	Header    map[string]string
}

// Guards stop an import that would do harm. In the Limit fields, the zero
// value is the default.
type Guards struct {
	MaxRejects     Limit // stop early above it; default: none
	MaxUnreadable  Limit // refuse sync's deletes above it; default 0
	MaxDelete      Limit // refuse sync's deletes above it; default 10 % of the source's records
	MaxPriceChange Limit // refuse price feeds above it; default 5 % of the prices
}

// Limit is a count, a share of the whole, or neither (no limit).
type Limit struct {
	Set     bool
	None    bool
	Count   int64
	Percent float64 // used when Count < 0
}

// The ways in which Run can end early or short of what was asked.
var (
	// ErrRefused: a guard held back part of the import; Report.Refused says which.
	ErrRefused = errors.New("refused")
	// ErrTooManyRejects: stopped by Guards.MaxRejects.
	ErrTooManyRejects = errors.New("too many rejects")
	// ErrUsage: the options or the feed's shape make no sense together.
	ErrUsage = errors.New("usage")
)
