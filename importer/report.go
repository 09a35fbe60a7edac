package importer

import (
	"time"

	"catalog/catalog"
)

// Counts are the outcomes of the records of one kind. They close:
// Read = Created + Updated + Unchanged + Rejected + Merged + Duplicates in all
// modes but delete, where Read = Deleted + Absent + Rejected + Duplicates.
// In sync mode Deleted counts the sweep, which is beside Read.
type Counts struct {
	Read       int64 `json:"read"`
	Created    int64 `json:"created"`
	Updated    int64 `json:"updated"`
	Unchanged  int64 `json:"unchanged"`
	Deleted    int64 `json:"deleted"`
	Absent     int64 `json:"absent"`
	Rejected   int64 `json:"rejected"`
	Merged     int64 `json:"merged"`
	Duplicates int64 `json:"duplicates"`
}

// Report is the account of one import. It is kept in the store under
// ReportPrefix and written by --report as JSON.
type Report struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Mode   Mode   `json:"mode"`
	Source string `json:"source"`
	DryRun bool   `json:"dry_run,omitempty"`
	Status string `json:"status"` // ok, rejects, refused, failed, interrupted

	Counts                // of the feed's kind
	Prices        *Counts `json:"prices,omitempty"`
	Stock         *Counts `json:"stock,omitempty"`
	Categories    *Counts `json:"categories,omitempty"`
	Attributes    *Counts `json:"attributes,omitempty"`
	ProductCounts *Counts `json:"products,omitempty"` // when a feed of mixed kinds had some

	Started      time.Time                `json:"started"`
	Seconds      float64                  `json:"seconds"`
	PerSecond    float64                  `json:"per_second"`
	IndexSeconds float64                  `json:"index_seconds,omitempty"` // spent by the caller on the search index after all was in
	TidySeconds  float64                  `json:"tidy_seconds,omitempty"`  // spent on the store's files after all was in
	PeakRSSBytes int64                    `json:"peak_rss_bytes"`
	Recalled     int64                    `json:"recalled,omitempty"` // records that were not parsed, since they are byte for byte those of last time
	Feeds        []FeedReport             `json:"feeds"`
	Rejects      map[catalog.Reason]int64 `json:"rejects_by_reason,omitempty"`
	FirstRejects []Reject                 `json:"first_rejects,omitempty"` // at most 10
	Warnings     map[string]int64         `json:"warnings,omitempty"`      // code → count
	Refused      []Refusal                `json:"refused,omitempty"`
	Error        string                   `json:"error,omitempty"`
}

// ReportPrefix is the prefix of the names under which reports are kept as
// Meta of the store; the rest is the report's ID, which sorts by time.
const ReportPrefix = "reports/"

// FeedReport is one input of an import.
type FeedReport struct {
	Name        string `json:"name"`
	Format      string `json:"format"`
	Compression string `json:"compression,omitempty"`
	Bytes       int64  `json:"bytes"` // as stored
	Read        int64  `json:"read"`
	Truncated   bool   `json:"truncated,omitempty"`
}

// Refusal is something a guard held back.
type Refusal struct {
	Guard  string `json:"guard"` // max_delete, max_unreadable, truncated, max_price_change, max_rejects
	What   string `json:"what"`  // a sentence with the figures and the flag that overrides it
	Count  int64  `json:"count"`
	Of     int64  `json:"of"`
	Option string `json:"option"` // the flag
}

// Reject is one record that was not accepted, as a line of the rejects file.
type Reject struct {
	Feed   string         `json:"feed"`
	Line   int64          `json:"line"`   // or row of a Parquet file; from 1
	Offset int64          `json:"offset"` // bytes from the start of the decompressed feed; -1: unknown
	Key    string         `json:"sku,omitempty"`
	Reason catalog.Reason `json:"reason"`
	Path   string         `json:"path,omitempty"`
	Detail string         `json:"detail"`
	Record any            `json:"record,omitempty"` // the original: an object when it is JSON, else text
}

// Progress is how far an import is.
type Progress struct {
	Phase     string        // "reading", "comparing", "importing", "joining", "deleting", "done"
	Feed      string        // the input being read
	Done      int64         // bytes of all inputs read in this phase, or records where Total is records
	Total     int64         // 0 if unknown
	Records   int64         // read so far
	Rejected  int64         // so far
	Elapsed   time.Duration // since the start
	PerSecond float64       // records, over the last seconds
	ETA       time.Duration // of the whole import; 0 if unknown
}
