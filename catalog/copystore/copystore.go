// Package copystore copies a whole catalog from one catalog.Store to another,
// of whatever kind each is, while the source keeps changing: records of all
// kinds with their owners and refs, and what is kept beside them as Meta. Run
// copies what is there, follows the source's change log to its tail, compares
// every record of both stores, and can be repeated: a copy that was interrupted
// or killed goes on where it was, and one that is whole is brought up to date.
//
// # What is not copied
//
// Seqs, the epoch and the log are the target's own, so that whatever followed
// the source notices, and rebuilds. Leases and followers belong to processes of
// the source. Metas below "index/" say how far an index of the source is, those
// below "copy/" how far a copy is.
//
// # How it goes on
//
// The target keeps, as Meta, which store is being copied into it, the key of
// the last record that is in, and the source's cursor behind which all changes
// are still to be copied; it is written after each batch that it speaks of. So
// what is done twice after a kill is the same again. The source has a follower
// of the copy's name from the first record to the last, so that its log keeps
// the changes; a copy that is given up leaves it behind, and Abandon takes it
// away.
//
// # What the comparison proves
//
// For each kind it reads the heads of the source and the records of the target,
// whose bodies it hashes again, side by side. What differs is copied once more
// and looked at again: a change of an owner alone is not in the log, so that
// only this finds it. What then still differs is a fault, unless the source has
// changed it since the cursor that the copy has reached. The digest of a kind
// is the sum (xor) of the SHA-256 of each record's key, hash and owner.
package copystore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"catalog/catalog"
)

// The errors of Run beside those of the stores.
var (
	// ErrSame: source and target are one store.
	ErrSame = errors.New("source and target are the same store")
	// ErrNotEmpty: the target has records that no copy has put there.
	ErrNotEmpty = errors.New("the target is not empty")
	// ErrOther: the target is a copy of another store, or a part of one.
	ErrOther = errors.New("the target holds a copy of another store")
	// ErrWritten: somebody else wrote to the target after the copy was whole.
	ErrWritten = errors.New("the target was written to since it was copied")
	// ErrDiffers: the comparison found records that are not alike.
	ErrDiffers = errors.New("the copy differs from its source")
)

// Options say how to copy. The zero value of each field works.
type Options struct {
	// Overwrite makes the target a copy of the source whatever it holds: what
	// the source does not have is deleted from it.
	Overwrite bool
	// BatchBytes is about how much is written at a time; 0 is 32 MiB. Three
	// times as much is held in memory.
	BatchBytes int
	// Holder says for people who copies, in the lease that keeps a second copy
	// into the same target away.
	Holder string
	// Progress, if it is not nil, is called after each batch, by one goroutine.
	Progress func(Progress)
	// Logger gets what is worth knowing before the end; nil discards it.
	Logger *slog.Logger
}

// Progress is how far a copy is.
type Progress struct {
	Phase string // PhaseRecords, PhaseLog or PhaseCheck
	Done  int64  // records or changes of this phase
	Total int64  // records of the source; 0 where unknown
}

// The phases of a copy, in their order.
const (
	PhaseRecords = "records"
	PhaseLog     = "log"
	PhaseCheck   = "check"
	phaseDone    = "done"
)

// Report says what a copy did and what the comparison found.
type Report struct {
	From      string       `json:"from"` // without secrets
	To        string       `json:"to"`
	Started   time.Time    `json:"started"`
	Seconds   float64      `json:"seconds"`
	Status    string       `json:"status"` // "ok", "differs", "interrupted" or "failed"
	Resumed   bool         `json:"resumed,omitempty"`
	Kinds     []KindReport `json:"kinds"`
	Changes   int64        `json:"changes"`             // of the source's log that were followed
	Metas     int64        `json:"metas"`               // that both stores have
	Corrected int64        `json:"corrected,omitempty"` // records that the comparison copied again
	Moving    int64        `json:"moving,omitempty"`    // records that the source changed during the comparison
	Faults    int64        `json:"faults"`              // records that are not alike
	Examples  []Fault      `json:"examples,omitempty"`
	Source    string       `json:"source_cursor"` // all changes of the source up to here are in the target
	Target    string       `json:"target_cursor"`
}

// KindReport is what a copy did with the records of one kind.
type KindReport struct {
	Kind         string `json:"kind"`
	Read         int64  `json:"read"` // from the source, but for those of the log
	Created      int64  `json:"created"`
	Updated      int64  `json:"updated"`
	Unchanged    int64  `json:"unchanged"`
	Deleted      int64  `json:"deleted"`
	SourceCount  int64  `json:"source_count"` // by the comparison
	TargetCount  int64  `json:"target_count"`
	SourceDigest string `json:"source_digest"`
	TargetDigest string `json:"target_digest"`
}

// Fault is a record that is not alike in both stores.
type Fault struct {
	Kind string `json:"kind"`
	Key  string `json:"key"`
	What string `json:"what"`
}

const (
	defaultBatch = 32 << 20
	leaseName    = "copy"
	maxExamples  = 10
)

// Run copies all of from to to, or goes on with it, and compares the two. The
// report is never nil. On an error it says what was done; the same call again
// does the rest. Nobody else may write to the target meanwhile.
func Run(ctx context.Context, from, to catalog.Store, o Options) (*Report, error) {
	if o.BatchBytes <= 0 {
		o.BatchBytes = defaultBatch
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &copier{from: from, to: to, o: o, report: &Report{Started: time.Now()}}
	for _, k := range catalog.Kinds() {
		c.report.Kinds = append(c.report.Kinds, KindReport{Kind: k.String()})
	}
	err := c.run(ctx)
	r := c.report
	r.Seconds = time.Since(r.Started).Seconds()
	switch {
	case err == nil:
		r.Status = "ok"
	case errors.Is(err, ErrDiffers):
		r.Status = "differs"
	case ctx.Err() != nil:
		r.Status = "interrupted"
	default:
		r.Status = "failed"
	}
	if err != nil {
		err = fmt.Errorf("copystore: %w", err)
	}
	return r, err
}

// Abandon takes away what an unfinished copy from one store to the other has
// left in both but for the records. catalog.ErrNotFound if there is none.
func Abandon(ctx context.Context, from, to catalog.Store) error {
	c := &copier{from: from, to: to}
	if err := c.abandon(ctx); err != nil {
		return fmt.Errorf("copystore: abandon: %w", err)
	}
	return nil
}

// copier is one Run.
type copier struct {
	from, to catalog.Store
	o        Options
	report   *Report
	state    state
	lease    catalog.Fence // of the target
	name     string        // of the follower
}

func (c *copier) run(ctx context.Context) error {
	if err := c.describe(ctx); err != nil {
		return err
	}
	return c.leased(ctx, func(ctx context.Context) error {
		if l, ok := c.to.(catalog.Loader); ok {
			defer l.Hold()()
		}
		if err := c.begin(ctx); err != nil {
			return err
		}
		for {
			err := c.copy(ctx)
			if !errors.Is(err, errAgain) {
				return err
			}
			// Somebody trimmed the log under the copy: what is in stays, and
			// all is compared by its hash when it is written again.
			c.o.Logger.Warn("the source's log no longer has the changes since the copy began; it begins anew")
			if err := c.restart(ctx); err != nil {
				return err
			}
		}
	})
}

// copy does what the state says is left.
func (c *copier) copy(ctx context.Context) error {
	if c.state.Phase == PhaseRecords {
		if err := c.records(ctx); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context) error{c.follow, c.metas, c.check, c.metas} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return c.finish(ctx)
}

// describe fills in what the report says of the stores.
func (c *copier) describe(ctx context.Context) error {
	for _, s := range []struct {
		store catalog.Store
		text  *string
	}{{c.from, &c.report.From}, {c.to, &c.report.To}} {
		st, err := catalog.Counts(ctx, s.store)
		if err != nil {
			return err
		}
		*s.text = st.Backend
		if st.Location != "" {
			*s.text += ":" + st.Location
		}
	}
	return nil
}

func (c *copier) kind(k catalog.Kind) *KindReport {
	for i, kind := range catalog.Kinds() {
		if kind == k {
			return &c.report.Kinds[i]
		}
	}
	return &KindReport{} // of a kind that a newer source has; its Scan is never made
}

func (c *copier) progress(p Progress) {
	if c.o.Progress != nil {
		c.o.Progress(p)
	}
}
