package importhttp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/importer"
)

// The states of an import.
const (
	StateRunning = "running"
	StateDone    = "done"
)

// Why an import that is under way ends.
var (
	errCancelled = errors.New("cancelled by DELETE")
	errClosing   = errors.New("the server is ending")
	errLeft      = errors.New("the client left")
)

// Status is how far an import is, or what it came to.
type Status struct {
	ID       string           `json:"id"`
	State    string           `json:"state"` // running, done
	Kind     string           `json:"kind,omitempty"`
	Mode     importer.Mode    `json:"mode,omitempty"`
	Source   string           `json:"source,omitempty"`
	Started  *time.Time       `json:"started,omitempty"`
	Progress *Progress        `json:"progress,omitempty"`
	Report   *importer.Report `json:"report,omitempty"`
}

// Progress is importer.Progress with its times in seconds.
type Progress struct {
	Phase     string  `json:"phase"`
	Done      int64   `json:"done"`
	Total     int64   `json:"total"`
	Records   int64   `json:"records"`
	Rejected  int64   `json:"rejected"`
	Elapsed   float64 `json:"elapsed_seconds"`
	PerSecond float64 `json:"per_second"`
	ETA       float64 `json:"eta_seconds"`
}

// job is an import that this handler began.
type job struct {
	id      string
	params  params
	started time.Time
	cancel  context.CancelCauseFunc
	over    chan struct{} // closed when report and err are set

	mu       sync.Mutex
	progress *Progress
	moved    chan struct{} // closed when progress changes
	report   *importer.Report
	err      error
}

// begin registers an import, and returns the context that it runs under. run
// has to follow.
func (h *Handler) begin(ctx context.Context, p params) (*job, context.Context, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, nil, errClosing
	case h.running >= h.opts.Parallel:
		return nil, nil, errBusy
	}
	// The id of the report is made of its time, which has to be its own.
	now := time.Now().Truncate(time.Millisecond)
	if !now.After(h.last) {
		now = h.last.Add(time.Millisecond)
	}
	h.last = now
	j := &job{id: reportID(now), params: p, started: now, over: make(chan struct{}), moved: make(chan struct{})}
	ctx, j.cancel = context.WithCancelCause(ctx)
	h.running++
	h.jobs = append(h.jobs, j)
	if len(h.jobs) > keptJobs+h.opts.Parallel {
		h.forget()
	}
	h.work.Add(1)
	return j, ctx, nil
}

// errBusy: enough imports are under way.
var errBusy = errors.New("enough imports are under way")

// reportID is how importer names the report of an import that began at a time.
func reportID(at time.Time) string {
	return fmt.Sprintf("%s-%06d", at.UTC().Format("20060102T150405.000"), os.Getpid()%1_000_000)
}

// forget drops the oldest import that is over.
func (h *Handler) forget() {
	for i, j := range h.jobs {
		if j.isOver() {
			h.jobs = append(h.jobs[:i], h.jobs[i+1:]...)
			return
		}
	}
}

func (h *Handler) job(id string) *job {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, j := range h.jobs {
		if j.id == id {
			return j
		}
	}
	return nil
}

// run imports. It is called once, by a goroutine of its own or not.
func (h *Handler) run(ctx context.Context, j *job) {
	defer h.work.Done()
	o := j.params.opts
	o.TempDir, o.Holder = h.opts.TempDir, h.opts.Holder
	o.Progress = j.tell
	if o.Workers == 0 {
		o.Workers = h.opts.Workers
	}
	o.Now = func() time.Time { return j.started }
	report, err := importer.Run(ctx, h.store, o)
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		err = cause
	}
	if err == nil && !o.DryRun && !j.params.noTidy {
		h.tidy(ctx, report)
	}
	j.mu.Lock()
	j.report, j.err = report, err
	j.mu.Unlock()
	j.cancel(nil)
	close(j.over)
	h.mu.Lock()
	h.running--
	h.mu.Unlock()
	h.log.Info("import", "id", j.id, "kind", report.Kind, "mode", report.Mode, "source", report.Source,
		"status", report.Status, "read", report.Read, "rejected", report.Rejected, "seconds", report.Seconds, "error", report.Error)
}

// tidy compacts a store that a large import has left in many layers. All that
// was imported is safe before it begins.
func (h *Handler) tidy(ctx context.Context, rep *importer.Report) {
	c, ok := h.store.(catalog.Compacter)
	if !ok || !c.Untidy() {
		return
	}
	start := time.Now()
	if err := c.Compact(ctx); err != nil && ctx.Err() == nil {
		h.log.Warn("the store was not tidied", "err", err)
	}
	rep.TidySeconds = time.Since(start).Seconds()
}

// tell takes the newest progress.
func (j *job) tell(p importer.Progress) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progress = &Progress{
		Phase: p.Phase, Done: p.Done, Total: p.Total, Records: p.Records, Rejected: p.Rejected,
		Elapsed: p.Elapsed.Seconds(), PerSecond: p.PerSecond, ETA: p.ETA.Seconds(),
	}
	close(j.moved)
	j.moved = make(chan struct{})
}

func (j *job) isOver() bool {
	select {
	case <-j.over:
		return true
	default:
		return false
	}
}

func (j *job) status() Status {
	st, _ := j.now()
	return st
}

// now returns the status, and what is closed when it changes.
func (j *job) now() (Status, <-chan struct{}) {
	over := j.isOver()
	j.mu.Lock()
	defer j.mu.Unlock()
	st := Status{
		ID: j.id, State: StateRunning, Kind: j.params.opts.Kind.Plural(), Mode: j.params.opts.Mode,
		Source: j.params.opts.Source, Started: &j.started, Progress: j.progress,
	}
	if st.Source == "" {
		st.Source = "default"
	}
	if over {
		st.State, st.Report = StateDone, j.report
	}
	return st, j.moved
}
