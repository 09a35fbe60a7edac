package storefront

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// Status is how the catalog is doing.
type Status struct {
	Time    time.Time        `json:"time"`
	Started time.Time        `json:"started"`
	Version string           `json:"version"`
	Ready   bool             `json:"ready"`
	Waiting []string         `json:"waiting,omitempty"`
	Records map[string]int64 `json:"records"`
	Store   *StoreStatus     `json:"store,omitempty"`
	Index   *IndexStatus     `json:"index"`

	Imports      []json.RawMessage `json:"imports,omitempty"`
	Running      any               `json:"running,omitempty"`
	Searches     searchReport      `json:"searches"`
	Placeholders any               `json:"placeholders,omitempty"`

	sources map[string]sourceStatus
}

// sourceStatus is what is known of the imports of a source.
type sourceStatus struct {
	success  time.Time // when the last one ended that did all it should
	status   string    // of the last one
	rejected int64     // by the last one
}

// StoreStatus is what is told of the store.
type StoreStatus struct {
	Backend   string `json:"backend"`
	Tail      string `json:"tail"`
	DiskBytes int64  `json:"disk_bytes"`
	seq       catalog.Seq
}

// IndexStatus is what is told of the index and who keeps it.
type IndexStatus struct {
	Backend   string  `json:"backend,omitempty"`
	Documents int64   `json:"documents"`
	Units     int64   `json:"units"`
	DiskBytes int64   `json:"disk_bytes"`
	State     string  `json:"state,omitempty"`
	Behind    int64   `json:"behind"`
	Lag       float64 `json:"lag_seconds"`
	Dead      int     `json:"dead_letters"`
	Cursor    string  `json:"cursor,omitempty"`
	Error     string  `json:"error,omitempty"`
}

// statusCache keeps the status for a second: many may watch it. Reports of
// imports, all of which are read for it, are kept a little longer.
type statusCache struct {
	mu      sync.Mutex
	at      time.Time
	kept    Status
	imports time.Time
	reports []json.RawMessage
	sources map[string]sourceStatus
}

// Bounds of the status.
const (
	statusLife    = time.Second
	importsLife   = 5 * time.Second
	shownImports  = 10
	statusTimeout = 5 * time.Second
)

// statusNow returns the status; what cannot be found out is left out.
func (s *Server) statusNow(ctx context.Context) Status {
	k := &s.status
	k.mu.Lock()
	defer k.mu.Unlock()
	now := s.opts.Now()
	if !k.at.IsZero() && now.Sub(k.at) < statusLife {
		return k.kept
	}
	// It is everybody's: who asked first may go away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statusTimeout)
	defer cancel()
	st := Status{Time: now.UTC(), Started: s.started.UTC(), Version: s.opts.Version, Records: map[string]int64{}, Index: &IndexStatus{}}
	st.Waiting = s.waiting(ctx)
	st.Ready = len(st.Waiting) == 0
	if stats, err := s.store.Stats(ctx); err == nil {
		for kind, n := range stats.Records {
			st.Records[kind.Plural()] = n
		}
		st.Store = &StoreStatus{stats.Backend, stats.Tail.String(), stats.DiskBytes, stats.Tail.Seq}
	}
	s.indexStatus(ctx, st.Index)
	if k.imports.IsZero() || now.Sub(k.imports) >= importsLife {
		k.reports, k.sources = s.imports(ctx)
		k.imports = now
	}
	st.Imports, st.sources = k.reports, k.sources
	if s.opts.Running != nil {
		st.Running = s.opts.Running()
	}
	if s.opts.Placeholders != nil {
		if p, err := s.opts.Placeholders(ctx); err == nil {
			st.Placeholders = p
		}
	}
	k.at, k.kept = now, st
	return st
}

func (s *Server) indexStatus(ctx context.Context, out *IndexStatus) {
	if x := s.opts.Index; x != nil {
		if stats, err := x.Stats(ctx); err == nil {
			out.Backend, out.Documents, out.Units, out.DiskBytes = stats.Backend, stats.Documents, stats.Units, stats.DiskBytes
			out.Cursor = stats.Cursor.String()
		}
	}
	f, err := indexer.ReadStatus(ctx, s.store, s.opts.IndexName)
	if err != nil {
		return
	}
	out.State, out.Behind, out.Lag, out.Dead = f.State, f.Behind, f.Lag, f.Dead
	if f.Error != "" {
		out.Error = "the index cannot follow: the log says why"
	}
}

// imports returns the reports of the last imports, the newest first, and what
// is known of each source.
func (s *Server) imports(ctx context.Context) ([]json.RawMessage, map[string]sourceStatus) {
	var last []json.RawMessage
	sources := map[string]sourceStatus{}
	for m, err := range s.store.Metas(ctx, s.opts.ImportReports) {
		if err != nil {
			return nil, sources
		}
		var r struct {
			Status   string    `json:"status"`
			Source   string    `json:"source"`
			Started  time.Time `json:"started"`
			Seconds  float64   `json:"seconds"`
			Rejected int64     `json:"rejected"`
			DryRun   bool      `json:"dry_run"`
		}
		if json.Unmarshal(m.Value, &r) != nil {
			continue
		}
		if !r.DryRun {
			in := sources[r.Source]
			in.status, in.rejected = r.Status, r.Rejected
			if end := r.Started.Add(time.Duration(r.Seconds * float64(time.Second))); (r.Status == "ok" || r.Status == "rejects") && end.After(in.success) {
				in.success = end
			}
			sources[r.Source] = in
		}
		last = append(last, withID(m.Value, strings.TrimPrefix(m.Name, s.opts.ImportReports)))
		if len(last) > 2*shownImports {
			last = slices.Delete(last, 0, len(last)-shownImports)
		}
	}
	slices.Reverse(last)
	return last[:min(len(last), shownImports)], sources
}

// withID returns a report under the name that the store has it by.
func withID(report []byte, id string) json.RawMessage {
	patch := appendString([]byte(`{"id":`), id)
	return catalog.MergePatch(nil, report, append(patch, '}'))
}

// detailed reports whether a request may see what is not for everybody.
func (s *Server) detailed(r *request) (bool, error) {
	if len(s.opts.Tokens) == 0 {
		return true, nil
	}
	role, err := s.roleOf(r.Request)
	return role >= RoleRead, err
}

// appendStatus appends the status as JSON.
func (s *Server) appendStatus(ctx context.Context, b []byte, detailed bool) ([]byte, error) {
	st := s.statusNow(ctx)
	st.Searches = s.searches.report(detailed)
	if !detailed {
		st.Imports, st.Running = nil, nil
	}
	out, err := json.Marshal(&st)
	if err != nil {
		return b, fmt.Errorf("storefront: writing the status: %w", err)
	}
	return append(b, out...), nil
}

func (s *Server) getStatus(a *answer, r *request) error {
	detailed, err := s.detailed(r)
	if err != nil {
		return err
	}
	a.body, err = s.appendStatus(r.Context(), a.body, detailed)
	return err
}

// eventEvery is how often watchers of the status are told of it.
const eventEvery = 2 * time.Second

// getEvents sends the status again and again, when it has changed.
func (s *Server) getEvents(a *answer, r *request) error {
	detailed, err := s.detailed(r)
	if err != nil {
		return err
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		return busy(http.StatusTooManyRequests, "too many watch the status already: ask /v1/status now and then")
	}
	h := r.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	a.streamed = true
	control := http.NewResponseController(r.w)
	tick := time.NewTicker(eventEvery)
	defer tick.Stop()
	var said []byte
	for {
		if a.body, err = s.appendStatus(r.Context(), a.body[:0], detailed); err != nil {
			return err
		}
		text := "event: status\ndata: " + string(a.body) + "\n\n"
		if same(said, a.body) {
			text = ":\n\n" // so that a connection that is gone is noticed
		}
		said = append(said[:0], a.body...)
		s.deadline(r.w)
		if _, err := r.w.Write([]byte(text)); err != nil {
			return nil //nolint:nilerr // nobody listens any more
		}
		if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return nil //nolint:nilerr // the same
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return nil
		case <-s.done.Done():
			return nil
		}
	}
}

// same reports whether two states differ in nothing but their time.
func same(a, b []byte) bool {
	const skip = len(`{"time":"2006-01-02T15:04:05`)
	cut := func(doc []byte) string {
		if len(doc) < skip {
			return string(doc)
		}
		_, rest, _ := strings.Cut(string(doc), ",")
		return rest
	}
	return cut(a) == cut(b)
}
