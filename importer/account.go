package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
)

// keptReports is how many reports the store keeps.
const keptReports = 200

// account counts. Its methods are safe for concurrent use.
type account struct {
	mu       sync.Mutex
	rep      Report
	kind     catalog.Kind
	byKind   [catalog.KindAttribute + 1]Counts
	keyless  int64                              // rejects whose key is unknown
	rejected []Reject                           // to be kept
	first    *[catalog.KindAttribute + 1]Counts // what this import came to before it started over; nil if it did not
	began    time.Time
	elapsed  func() time.Duration
}

func (a *account) start(o Options) {
	now := o.Now()
	began := time.Now()
	a.elapsed = func() time.Duration { return time.Since(began) }
	a.kind = o.Kind
	a.began = now
	a.rep = Report{
		ID:   fmt.Sprintf("%s-%06d", now.UTC().Format("20060102T150405.000"), os.Getpid()%1_000_000),
		Kind: o.Kind.Plural(), Mode: o.Mode, Source: o.Source, DryRun: o.DryRun, Started: now,
		Rejects: map[catalog.Reason]int64{}, Warnings: map[string]int64{},
	}
}

// add adds counts of a kind.
func (a *account) add(k catalog.Kind, c Counts) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byKind[k].add(c)
}

func (c *Counts) add(o Counts) {
	c.Read += o.Read
	c.Created += o.Created
	c.Updated += o.Updated
	c.Unchanged += o.Unchanged
	c.Deleted += o.Deleted
	c.Absent += o.Absent
	c.Rejected += o.Rejected
	c.Merged += o.Merged
	c.Duplicates += o.Duplicates
}

// outcome counts what a write came to.
func (c *Counts) outcome(o catalog.Outcome) {
	switch o {
	case catalog.Created:
		c.Created++
	case catalog.Updated:
		c.Updated++
	case catalog.Unchanged:
		c.Unchanged++
	case catalog.Deleted:
		c.Deleted++
	case catalog.Absent:
		c.Absent++
	}
}

func (a *account) read() (records, rejected int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byKind[a.kind].Read, a.byKind[a.kind].Rejected
}

// unreadable returns how many records were rejected without a key.
func (a *account) unreadable() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.keyless
}

func (a *account) created() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byKind[a.kind].Created
}

func (a *account) warn(code string, n int64) {
	if n == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rep.Warnings[code] += n
}

// forget takes all counts back: nothing of the feed was imported.
func (a *account) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.byKind[:])
}

func (a *account) refuse(f Refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rep.Refused = append(a.rep.Refused, f)
}

// reject counts a reject and remembers the first ones.
func (a *account) reject(x *Reject) (total int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byKind[a.kind].Read++
	a.byKind[a.kind].Rejected++
	a.rep.Rejects[x.Reason]++
	if x.Key == "" {
		a.keyless++
	}
	a.remember(x)
	if len(a.rep.FirstRejects) < 10 {
		first := *x
		first.Record = nil
		a.rep.FirstRejects = append(a.rep.FirstRejects, first)
	}
	return a.byKind[a.kind].Rejected
}

// startOver takes all counts back, but for what asFirst needs to know of them.
func (a *account) startOver() {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := a.byKind
	a.first = &first
	clear(a.byKind[:])
}

// recalled counts the records of which it was known what they come to, but not
// by this import itself.
func (a *account) recalled(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first == nil {
		a.rep.Recalled = n
	}
}

// asFirst counts as created what an import that started over had created
// itself. Of products, prices and stock there were none before.
func (a *account) asFirst() {
	for k := range a.byKind {
		c, first := &a.byKind[k], &a.first[k]
		created, updated := min(c.Unchanged, first.Created), int64(0)
		switch catalog.Kind(k) {
		case catalog.KindProduct, catalog.KindPrice, catalog.KindStock:
			created = c.Unchanged
			c.Created, c.Updated = c.Created+c.Updated, 0
		default:
			updated = min(c.Unchanged-created, max(first.Updated-c.Duplicates, 0))
		}
		c.Created += created
		c.Updated += updated
		c.Unchanged -= created + updated
	}
}

// finish returns the report.
func (a *account) finish(err error) *Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first != nil {
		a.asFirst()
		a.first = nil
	}
	rep := &a.rep
	rep.Counts = a.byKind[a.kind]
	section := func(k catalog.Kind) *Counts {
		if c := a.byKind[k]; k != a.kind && c != (Counts{}) {
			return &c
		}
		return nil
	}
	rep.ProductCounts = section(catalog.KindProduct)
	rep.Prices, rep.Stock = section(catalog.KindPrice), section(catalog.KindStock)
	rep.Categories, rep.Attributes = section(catalog.KindCategory), section(catalog.KindAttribute)
	rep.Seconds = a.elapsed().Seconds()
	if rep.Seconds > 0 {
		rep.PerSecond = float64(rep.Read) / rep.Seconds
	}
	rep.PeakRSSBytes = peakRSS()
	switch {
	case err == nil && rep.Rejected > 0:
		rep.Status = "rejects"
	case err == nil:
		rep.Status = "ok"
	case errors.Is(err, ErrRefused):
		rep.Status = "refused"
	case errors.Is(err, context.Canceled):
		rep.Status, rep.Error = "interrupted", "interrupted"
	default:
		rep.Status, rep.Error = "failed", err.Error()
	}
	out := *rep
	return &out
}

// keepReport keeps the report in the store, and drops the oldest beyond
// keptReports.
func keepReport(ctx context.Context, s catalog.Store, rep *Report) error {
	text, err := json.Marshal(rep)
	if err != nil {
		return err
	}
	if err := s.SetMeta(ctx, ReportPrefix+rep.ID, text); err != nil {
		return err
	}
	var names []string
	for e, err := range s.Metas(ctx, ReportPrefix) {
		if err != nil {
			return err
		}
		names = append(names, e.Name)
	}
	for len(names) > keptReports {
		for _, name := range []string{names[0], rejectsPrefix + strings.TrimPrefix(names[0], ReportPrefix)} {
			if err := s.SetMeta(ctx, name, nil); err != nil {
				return err
			}
		}
		names = names[1:]
	}
	return nil
}

// Reports returns the kept reports, the newest first, at most n.
func Reports(ctx context.Context, s catalog.Store, n int) ([]*Report, error) {
	var all []*Report
	for e, err := range s.Metas(ctx, ReportPrefix) {
		if err != nil {
			return nil, err
		}
		rep := new(Report)
		if err := json.Unmarshal(e.Value, rep); err != nil {
			return nil, fmt.Errorf("importer: report %s: %w", strings.TrimPrefix(e.Name, ReportPrefix), err)
		}
		all = append(all, rep)
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	if n > 0 && len(all) > n {
		all = all[:n]
	}
	return all, nil
}
