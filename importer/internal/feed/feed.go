// Package feed opens feeds, whatever their place, compression, encoding and
// format, and cuts them into records: one JSON object each, with the place
// where it stands. It also writes them.
//
// Expand turns what the user named into Inputs; Input.Open recognises one and
// gives its Reader. A feed is read in one or more passes. In each pass Chunks
// cuts it, in order and on one goroutine, into chunks of whole records; Decode
// turns chunks into records and may run on many goroutines at once, each with
// a Decoder of its own. Cutting does as little as the format allows.
//
// No record needs more memory than MaxRecord: a longer one is skipped in
// constant memory and becomes a reject, and reading goes on after it.
package feed

import (
	"context"
	"errors"

	"catalog/catalog"
)

// Limits, in bytes.
const (
	// MaxRecord is the longest record that is handed on. It is above
	// catalog.MaxBody, since a record may hold white space or quoting that its
	// body will not.
	MaxRecord = catalog.MaxBody + 1<<20
	// MaxRaw is how much of an unreadable record Record.Raw keeps.
	MaxRaw = 1 << 20
	// longRaw is how much is kept of a record longer than MaxRecord.
	longRaw = 4 << 10
	// chunkSize is what a chunk is cut to when records are small.
	chunkSize = 1 << 20
)

// The ways in which a feed as a whole cannot be read. Errors of this package
// wrap one of them, catalog.ErrFull, or what the system answered (fs.ErrNotExist,
// fs.ErrPermission, context.Canceled …), and name the feed.
var (
	// ErrNoFeed: nothing to read: an empty file, a folder or glob without feeds.
	ErrNoFeed = errors.New("no feed")
	// ErrFormat: in no format that is known, or not in the one it should be in.
	ErrFormat = errors.New("unreadable format")
	// ErrEncoding: the text is not UTF-8; the message names the flag.
	ErrEncoding = errors.New("not UTF-8")
	// ErrHeader: the header of a CSV feed is not usable.
	ErrHeader = errors.New("unusable header")
	// ErrTruncated: the feed ends too early, or its compression or structure
	// breaks: what came before is good, what came after is lost.
	ErrTruncated = errors.New("truncated")
	// ErrBomb: the feed decompresses to an absurd multiple of its size. It is
	// also ErrTruncated.
	ErrBomb = errors.New("decompresses to an absurd size")
	// ErrChanged: the feed was changed or removed while it was being read.
	ErrChanged = errors.New("changed while being read")
	// ErrFetch: a URL did not answer, or not with the feed.
	ErrFetch = errors.New("cannot be fetched")
	// ErrOption: an option of this package has no sense.
	ErrOption = errors.New("invalid option")
)

// Misshapen reports whether err says that a feed, or what was asked of it, is
// not what it should be, so that no further try will mend it.
func Misshapen(err error) bool {
	for _, sentinel := range []error{ErrNoFeed, ErrFormat, ErrHeader, ErrEncoding, ErrOption} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

// Record is one record of a feed. All slices are valid until the Decoder's
// next record only.
type Record struct {
	Ord    int64  // position among the feed's records: unique, ascending, the same in every pass; may have gaps
	Line   int64  // line (JSON, CSV: where the record starts, from 1) or row (Parquet, from 1)
	Offset int64  // bytes from the start of the decompressed UTF-8 feed; -1 where that means nothing
	JSON   []byte // the record, which should be a JSON object (JSON feeds: unchecked); may hold white space; nil when Err is set
	Raw    []byte // the record as it stood in the feed, for the rejects file; cut at MaxRaw; nil where it has no text (Parquet)

	// Overlay marks a Magento store-view row: JSON holds sku and
	// {"stores":{code:{…}}} only, to be folded into the SKU's default row.
	Overlay bool

	Err *Reject // set when the record cannot be read
}

// Reject says why a record cannot be read.
type Reject struct {
	Reason catalog.Reason
	Detail string
}

// The reasons that this package gives, beside those of package catalog.
const (
	ReasonRagged    catalog.Reason = "csv_columns"     // a CSV row with more or fewer cells than the header
	ReasonQuote     catalog.Reason = "csv_quote"       // a quote that is not closed, or in the wrong place
	ReasonLong      catalog.Reason = "record_too_long" // longer than MaxRecord
	ReasonTruncated catalog.Reason = "truncated"       // the feed ends inside this record
	ReasonCell      catalog.Reason = "cell_invalid"    // a cell that its column's format does not allow
)

// Chunk is a run of whole records of one feed. What it holds is the format's
// own; the memory is reused after Release.
type Chunk struct {
	Ord    int64 // of the first record
	Line   int64 // of the first record
	Offset int64 // of the first record
	Read   int64 // progress: bytes of the source (as stored, compressed) read when the chunk was cut
	Data   []byte
	Rows   any     // of formats that are no bytes
	reject *Reject // set when the chunk is one unreadable record; Data then is what was kept of it
	spans  []span  // of formats whose cutter knows where each record is
	buf    []byte  // what Data is part of
	free   func(*Chunk)
}

// span is the place of a record in a chunk's Data.
type span struct{ from, to int32 }

// Release gives the chunk's memory back for reuse.
func (c *Chunk) Release() {
	if c.free != nil {
		c.free(c)
	}
}

// Reader reads one feed of one format.
type Reader interface {
	// Chunks cuts the feed from its start and hands each chunk to yield, which
	// owns it until it calls Release. It returns yield's error; ErrTruncated
	// (after having yielded all that could be read) when the input ends too
	// early or its compression or structure breaks; ErrChanged; or the error
	// of reading. One pass at a time.
	Chunks(ctx context.Context, yield func(*Chunk) error) error
	// NewDecoder returns a decoder for one goroutine. Close it after use.
	NewDecoder() Decoder
	// Close frees what the reader holds open between passes.
	Close() error
}

// Decoder turns chunks into records.
type Decoder interface {
	// Decode calls yield for each record of c in order. It returns yield's
	// error. Parquet is read here, not by Chunks: there Decode, and Keys, may
	// also return ErrTruncated, when the columns of the chunk are damaged, or
	// ErrChanged, in both cases without having yielded any of its records.
	Decode(c *Chunk, yield func(*Record) error) error
	// Close frees what the decoder holds.
	Close() error
}

// KeyDecoder is what a Decoder also is where reading only the keys is much
// cheaper than Decode: CSV, Magento CSV and Parquet. A pass over JSON looks
// for the key in the record itself.
type KeyDecoder interface {
	// HasField reports whether records of the feed can have the top-level
	// member field at all.
	HasField(field string) bool

	// Keys calls yield for each record of c in order that Decode would give
	// without Err, with the value of field, which is a top-level member of the
	// record: nil when it has none. A key is text: that of a string without
	// its quotes and escapes, that of a number as it is written. It is valid
	// until the next call only. It may also yield records that Decode finds
	// unreadable by another of their cells.
	Keys(c *Chunk, field string, yield func(ord int64, key []byte, overlay bool) error) error
}
