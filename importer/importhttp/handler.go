package importhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/importer"
)

// Options say how imports come in. The zero value of each field works.
type Options struct {
	// TempDir is where bodies are kept while they are imported; "" is the
	// system's.
	TempDir string
	// MaxBody is how many bytes a body may have, as sent; 0 is 64 GiB.
	MaxBody int64
	// Parallel is how many imports may be under way; 0 is 2.
	Parallel int
	// Workers is how many goroutines decode a feed whose sender does not say; 0:
	// one per processor.
	Workers int
	// Stall is how long a client may send nothing; 0 is two minutes.
	Stall time.Duration
	// Holder is who imports, for those who find a source taken: this process.
	Holder string
	// Logger gets how imports end; nil discards it.
	Logger *slog.Logger
}

const (
	defaultBody     = 64 << 30
	defaultParallel = 2
	defaultStall    = 2 * time.Minute
	keptJobs        = 50 // that are over; the store keeps their reports
	maxListed       = 200
)

// Handler serves imports. It is what New returns, for those who end it.
type Handler struct {
	store catalog.Store
	opts  Options
	log   *slog.Logger
	mux   *http.ServeMux
	work  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	running int
	last    time.Time // that an import's id was made of
	jobs    []*job    // the oldest first
}

var _ http.Handler = (*Handler)(nil)

// New returns a handler, a *Handler, that imports into store. Its paths begin
// with /v1/imports. Whoever may use it may change every record.
func New(store catalog.Store, o Options) http.Handler {
	if o.MaxBody <= 0 {
		o.MaxBody = defaultBody
	}
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	if o.Stall <= 0 {
		o.Stall = defaultStall
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{store: store, opts: o, log: o.Logger, mux: http.NewServeMux()}
	h.mux.HandleFunc("POST /v1/imports", h.post)
	h.mux.HandleFunc("GET /v1/imports", h.list)
	h.mux.HandleFunc("GET /v1/imports/{id}", h.get)
	h.mux.HandleFunc("GET /v1/imports/{id}/events", h.events)
	h.mux.HandleFunc("DELETE /v1/imports/{id}", h.cancel)
	h.mux.HandleFunc("/v1/imports", notAllowed("GET, POST"))
	h.mux.HandleFunc("/v1/imports/{id}", notAllowed("GET, DELETE"))
	h.mux.HandleFunc("/v1/imports/{id}/events", notAllowed("GET"))
	h.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusNotFound, "there is nothing here: imports are under /v1/imports", nil)
	})
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// Running returns the imports that are under way.
func (h *Handler) Running() []Status {
	h.mu.Lock()
	jobs := append([]*job(nil), h.jobs...)
	h.mu.Unlock()
	running := []Status{}
	for _, j := range jobs {
		if st := j.status(); st.State == StateRunning {
			running = append(running, st)
		}
	}
	return running
}

// Close cancels the imports that are under way, waits until they have ended,
// and refuses new ones. The store must be closed after it.
func (h *Handler) Close() error {
	h.mu.Lock()
	h.closed = true
	for _, j := range h.jobs {
		j.cancel(errClosing)
	}
	h.mu.Unlock()
	h.work.Wait()
	return nil
}

func notAllowed(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		problem(w, http.StatusMethodNotAllowed, "use "+allow, nil)
	}
}

// problemBody is an error's body (RFC 9457).
type problemBody struct {
	Type   string           `json:"type"`
	Title  string           `json:"title"`
	Status int              `json:"status"`
	Detail string           `json:"detail"`
	Report *importer.Report `json:"report,omitempty"`
}

func problem(w http.ResponseWriter, status int, detail string, rep *importer.Report) {
	answer(w, status, "application/problem+json", problemBody{"about:blank", http.StatusText(status), status, detail, rep})
}

// answer writes a value as JSON.
func answer(w http.ResponseWriter, status int, contentType string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a client that is gone needs no answer
}

// listing is the answer to GET /v1/imports.
type listing struct {
	Running []Status           `json:"running"`
	Imports []*importer.Report `json:"imports"` // the newest first
}

func (h *Handler) list(w http.ResponseWriter, r *http.Request) {
	last := 20
	if text := r.URL.Query().Get("last"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxListed {
			problem(w, http.StatusBadRequest, fmt.Sprintf("last=%q: use a number from 1 to %d", text, maxListed), nil)
			return
		}
		last = n
	}
	var texts [][]byte
	for m, err := range h.store.Metas(r.Context(), importer.ReportPrefix) {
		if err != nil {
			h.failed(w, err)
			return
		}
		if texts = append(texts, m.Value); len(texts) > maxListed {
			texts = texts[1:]
		}
	}
	out := listing{Running: h.Running(), Imports: []*importer.Report{}}
	for i := len(texts) - 1; i >= 0 && len(out.Imports) < last; i-- {
		rep := new(importer.Report)
		if err := json.Unmarshal(texts[i], rep); err != nil {
			h.failed(w, err)
			return
		}
		out.Imports = append(out.Imports, rep)
	}
	answer(w, http.StatusOK, "application/json", out)
}

// failed answers what the client cannot mend.
func (h *Handler) failed(w http.ResponseWriter, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	h.log.Error("imports", "err", err)
	problem(w, http.StatusInternalServerError, "the store failed: the server's log says why", nil)
}

// find returns the import that a request names, or answers that there is none.
func (h *Handler) find(w http.ResponseWriter, r *http.Request) (Status, *job) {
	id := r.PathValue("id")
	if j := h.job(id); j != nil {
		return j.status(), j
	}
	text, err := h.store.Meta(r.Context(), importer.ReportPrefix+id)
	rep := new(importer.Report)
	if err == nil {
		err = json.Unmarshal(text, rep)
	}
	switch {
	case errors.Is(err, catalog.ErrNotFound), errors.Is(err, catalog.ErrInvalid):
		problem(w, http.StatusNotFound, fmt.Sprintf("there is no import %q", id), nil)
		return Status{}, nil
	case err != nil:
		h.failed(w, err)
		return Status{}, nil
	}
	return Status{ID: id, State: StateDone, Report: rep}, nil
}

func (h *Handler) get(w http.ResponseWriter, r *http.Request) {
	if st, _ := h.find(w, r); st.ID != "" {
		answer(w, http.StatusOK, "application/json", st)
	}
}

// cancel asks an import to end; it has ended when its state says so.
func (h *Handler) cancel(w http.ResponseWriter, r *http.Request) {
	st, j := h.find(w, r)
	switch {
	case st.ID == "":
	case st.State == StateDone:
		problem(w, http.StatusConflict, "the import is over", st.Report)
	default:
		j.cancel(errCancelled)
		answer(w, http.StatusAccepted, "application/json", j.status())
	}
}

// bool reads a parameter that is true or false.
func boolean(name, text string) (bool, error) {
	switch strings.ToLower(text) {
	case "", "false", "0":
		return false, nil
	case "true", "1":
		return true, nil
	}
	return false, fmt.Errorf("%s=%q: use true or false", name, text)
}
