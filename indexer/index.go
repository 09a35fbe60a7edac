package indexer

import (
	"context"
	"errors"
	"iter"
	"time"

	"catalog/catalog"
)

// Errors of indexes and queries.
var (
	ErrQuery   = errors.New("invalid query")           // the request makes no sense; the text says why
	ErrNoIndex = errors.New("no index yet")            // nothing was ever published
	ErrCorrupt = errors.New("index is corrupt")        // a checksum does not hold: rebuild
	ErrFormat  = errors.New("index of another format") // rebuild
	ErrClosed  = errors.New("index is closed")
)

// Searcher answers prepared queries. Every method is safe for concurrent use,
// also with Apply, and sees one state of the index throughout.
type Searcher interface {
	Search(ctx context.Context, q *Prepared) (*Result, error)
	// Suggest completes what is being typed.
	Suggest(ctx context.Context, q *Prepared, limit int) (*Suggestions, error)
	// Rank returns the place of a SKU among the hits of q, from 1; 0 if it is
	// no hit.
	Rank(ctx context.Context, q *Prepared, sku string) (int, error)
	// Attributes returns statistics of the attributes of current content.
	Attributes(ctx context.Context) ([]AttributeStats, error)
}

// Suggestions completes a text. Products are hits whose words match, the last
// one as prefix; Values are attribute values (brands first) that match alike.
type Suggestions struct {
	Products []Hit
	Values   []ValueSuggestion
	Words    []string // completions and corrections of the last word, the most frequent first
}

// ValueSuggestion is an attribute value whose text matches.
type ValueSuggestion struct {
	Field, Value string
	Count        int // products that have it
}

// AttributeStats counts the products that have an attribute, in a unit or
// themselves. Of a product's documents only the first by View is looked at.
type AttributeStats struct {
	Name     string
	Products int
	Numbers  int // of them, those all of whose values are numbers
	Dates    int
}

// Index is a search index. One process writes at a time (Run holds a lease).
type Index interface {
	Searcher

	// Apply replaces or removes all documents of products. When it returns nil,
	// the ops are visible to every search of this Index that starts later; an
	// index that several processes share shows them to the others at the latest
	// with the next Apply that moves the cursor. They and the
	// cursor are durable then or later, but never the cursor without the ops:
	// after a crash Cursor may be an older one, and applying again is harmless.
	// The zero Cursor leaves the cursor where it is; without ops only the cursor
	// moves. An index that does not take some of the products, but all others
	// and the cursor, returns a *RejectedError.
	Apply(ctx context.Context, ops []Op, at catalog.Cursor) error

	// Sync makes everything applied so far durable, cursor included.
	Sync(ctx context.Context) error

	// Cursor returns up to where the index has durably followed the log.
	// ErrNoIndex when there is nothing to follow from: build first.
	Cursor(ctx context.Context) (catalog.Cursor, error)

	// Fingerprint returns the settings' fingerprint that the index was built with.
	Fingerprint(ctx context.Context) (string, error)

	// Due returns up to limit SKUs of units whose Live.Next is not after now, and the
	// earliest Next after now (zero: none).
	Due(ctx context.Context, now time.Time, limit int) ([]string, time.Time, error)

	// Build starts a new generation beside the one that serves. What remains
	// of builds that were never published is removed.
	Build(ctx context.Context, fingerprint string) (Builder, error)

	// Digests yields a digest of each document, computed anew from what the
	// index keeps (postings, columns, fields) and not from anything that was
	// stored for the purpose, in no particular order.
	Digests(ctx context.Context, h *Digester) iter.Seq2[Digest, error]

	Stats(ctx context.Context) (IndexStats, error)
	Close() error
}

// LiveIndex is an Index that takes price and stock of units without their
// documents. A unit it does not know is kept until a document mentions it, or
// forgotten: a document applied later carries its own Live.
type LiveIndex interface {
	Index
	// ApplyLive is Apply for live data. Ops of one unit take effect in their order.
	ApplyLive(ctx context.Context, ops []LiveOp, at catalog.Cursor) error
}

// FamilyIndex is a LiveIndex that can tell which products have variants, so that
// a change of prices need not read the products for it.
type FamilyIndex interface {
	LiveIndex
	// Families returns those of some SKUs that are of products with documents
	// of which a unit is something else than the product itself, each with the
	// SKUs of its units, once each and in no order.
	Families(ctx context.Context, skus []string) (map[string][]string, error)
}

// Builder fills a new generation. Not safe for concurrent use, except that
// Apply may be called by several goroutines with different products.
type Builder interface {
	// Apply adds products. It keeps nothing of ops but strings: documents and
	// their slices are used again when it has returned.
	Apply(ctx context.Context, ops []Op) error
	// Publish makes the generation the one that serves, in one step, with the
	// cursor at. Readers see the old one or the new one. A *RejectedError names
	// products, of any Apply before, that are not in it.
	Publish(ctx context.Context, at catalog.Cursor) error
	// Abort drops the generation. It is harmless after Publish.
	Abort() error
}

// Settler is a Builder of which Publish takes the longer the more was added.
type Settler interface {
	Builder
	// Settle does so much of the work of Publish that what is left depends only
	// on what is added afterwards. It is not called together with Apply.
	Settle(ctx context.Context) error
}

// Op replaces the documents of a product; without any it removes them.
type Op struct {
	SKU  string
	Docs []*Document
}

// LiveOp replaces price and stock of a unit, or one of them.
type LiveOp struct {
	SKU  string
	Part LivePart // what of Live counts; the rest stays as it is
	Live Live
}

// LivePart says what of a unit's live data changes.
type LivePart uint8

// The parts of live data.
const (
	LiveAll    LivePart = iota
	LivePrices          // Prices and Next
	LiveStock           // InStock
)

// Prices reports whether prices are among what changes.
func (p LivePart) Prices() bool { return p != LiveStock }

// Stock reports whether stock is.
func (p LivePart) Stock() bool { return p != LivePrices }

// IndexStats describes an index.
type IndexStats struct {
	Backend, Location string
	Documents, Units  int64
	DiskBytes         int64
	Cursor            catalog.Cursor
	Fingerprint       string
	Extra             map[string]string
}
