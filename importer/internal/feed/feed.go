// Package feed opens feeds, whatever their place, compression, encoding and
// format, and cuts them into records: one JSON object each, with the place
// where it stands.
//
// A feed is read in one or more passes. In each pass Chunks cuts it, in order
// and on one goroutine, into chunks of whole records; Decode turns chunks into
// records and may run on many goroutines at once, each with a Decoder of its
// own. Cutting does as little as the format allows.
package feed

import (
	"context"

	"catalog/catalog"
)

// Record is one record of a feed. All slices are valid until the Decoder's
// next record only.
type Record struct {
	Ord    int64  // position among the feed's records: unique, ascending, the same in every pass
	Line   int64  // line (JSON, CSV: where the record starts, from 1) or row (Parquet, from 1)
	Offset int64  // bytes from the start of the decompressed feed; -1 where that means nothing
	JSON   []byte // the record as a JSON object; may hold white space; nil when Err is set
	Raw    []byte // the record as it stood in the feed, for the rejects file; cut at 1 MiB

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
	ReasonLong      catalog.Reason = "record_too_long" // longer than any record may be
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
	Rows   any // of formats that are no bytes
	free   func(*Chunk)
}

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
	// early or its compression or structure breaks; or the error of reading.
	Chunks(ctx context.Context, yield func(*Chunk) error) error
	// NewDecoder returns a decoder for one goroutine.
	NewDecoder() Decoder
}

// Decoder turns chunks into records.
type Decoder interface {
	// Decode calls yield for each record of c in order. It returns yield's error.
	Decode(c *Chunk, yield func(*Record) error) error
}
