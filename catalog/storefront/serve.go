package storefront

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"
)

// requestIDs makes the numbers by which the log names requests.
type requestIDs struct {
	prefix string
	last   atomic.Uint64
}

func (i *requestIDs) init() {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	i.prefix = hex.EncodeToString(b[:]) + "-"
}

// next returns the request's own number if a proxy gave it a usable one, else
// a new one.
func (i *requestIDs) next(r *http.Request) string {
	if given := r.Header.Get("X-Request-Id"); given != "" && len(given) <= 64 && printable(given) {
		return given
	}
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], i.last.Add(1))
	var room [32]byte
	return string(hex.AppendEncode(append(room[:0], i.prefix...), n[4:]))
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// handler returns what answers a route: everything that all requests have in
// common happens here.
func (s *Server) handler(rt *route) http.Handler {
	m := s.metrics.route(rt.path)
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		start := time.Now()
		id := s.ids.next(hr)
		c := &call{request: request{Request: hr, id: id, ctx: hr.Context()}, writer: countingWriter{ResponseWriter: w}}
		cw := &c.writer
		c.request.w = cw
		a, _ := answers.Get().(*answer)
		a.values.set(cw.Header(), "X-Request-Id", id)
		defer func() {
			if cause := recover(); cause != nil {
				s.panicked(cw, hr, id, cause)
			}
			m.observe(hr.Method, cw.code(), time.Since(start))
			s.logRequest(hr, id, rt.path, cw, time.Since(start))
			a.reset()
			answers.Put(a)
		}()
		if s.cors(cw, hr, rt) {
			return
		}
		if err := s.answer(rt, a, &c.request); err != nil {
			s.fail(cw, hr, id, err)
			return
		}
		if !a.streamed {
			s.deadline(cw)
			s.write(cw, hr, a)
		}
	})
}

// call is what one request needs, made at once.
type call struct {
	writer  countingWriter
	request request
}

// answer finds the method, checks what all methods have in common, and runs it.
func (s *Server) answer(rt *route, a *answer, r *request) error {
	if len(r.URL.RawQuery)+len(r.URL.Path) > s.opts.Limits.URL {
		return problemf(http.StatusRequestURITooLong, "", "the URL has more than %d bytes: use POST", s.opts.Limits.URL)
	}
	name := r.Method
	if name == http.MethodHead {
		name = http.MethodGet
	}
	m, ok := rt.methods[name]
	switch {
	case rt.any != nil:
		m = method{do: rt.any}
	case !ok:
		p := problemf(http.StatusMethodNotAllowed, "", "%s takes %s", rt.path, rt.allowed())
		p.header = map[string]string{"Allow": rt.allowed()}
		return p
	}
	var err error
	if r.q, err = parseParams(r.few[:0], r.URL.RawQuery); err != nil {
		return err
	}
	if err := s.need(r.Request, m.role); err != nil {
		return err
	}
	if m.stream {
		return m.do(a, r)
	}
	r.limit = deadlineContext{Context: r.ctx, at: time.Now().Add(s.opts.Limits.Request)}
	ctx := &r.limit
	defer ctx.end()
	r.ctx = ctx
	if r.ContentLength != 0 && r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.readDeadline(r.w)
		r.Body = http.MaxBytesReader(r.w, r.Body, s.opts.Limits.Body)
	}
	if m.expensive {
		if err := s.turn(ctx); err != nil {
			return err
		}
		defer func() { <-s.turns }()
	}
	return m.do(a, r)
}

// turn waits until an expensive query may run.
func (s *Server) turn(ctx context.Context) error {
	select {
	case s.turns <- struct{}{}:
		return nil
	default:
	}
	t := time.NewTimer(s.opts.Limits.Wait)
	defer t.Stop()
	select {
	case s.turns <- struct{}{}:
		return nil
	case <-t.C:
		s.metrics.busy.Inc()
		return busy(http.StatusTooManyRequests, "too many queries at a time: try again in a moment")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// slowClient is how long a client may take for its body, and for an answer.
const slowClient = 30 * time.Second

// deadline gives the client time to take the answer.
func (s *Server) deadline(w http.ResponseWriter) {
	// A writer without deadlines is a test's.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(slowClient))
}

func (s *Server) readDeadline(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(slowClient))
}

// fail answers with what an error means, and logs what is ours.
func (s *Server) fail(w *countingWriter, r *http.Request, id string, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		s.opts.Log.ErrorContext(r.Context(), "request failed", "request_id", id, "method", r.Method, "path", r.URL.Path, "status", p.Status, "cause", err)
	}
	if w.status != 0 {
		return // too late to say so
	}
	s.deadline(w)
	p.write(w, id)
}

// panicked keeps a bug in one request from ending the others.
func (s *Server) panicked(w *countingWriter, r *http.Request, id string, cause any) {
	if cause == http.ErrAbortHandler { //nolint:errorlint // the value that net/http asks for
		panic(cause)
	}
	s.opts.Log.ErrorContext(r.Context(), "request panicked", "request_id", id, "method", r.Method, "path", r.URL.Path, "cause", cause, "stack", string(debug.Stack()))
	if w.status == 0 {
		problemf(http.StatusInternalServerError, "", "the catalog cannot answer: its log says why, under this request_id").write(w, id)
	}
}

func (s *Server) logRequest(r *http.Request, id, path string, w *countingWriter, took time.Duration) {
	ctx := r.Context()
	if !s.opts.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	s.opts.Log.DebugContext(ctx, "request", "request_id", id, "method", r.Method, "route", path, "status", w.code(), "bytes", w.bytes, "seconds", took.Seconds())
}

// cors adds what lets scripts of other origins read, and answers OPTIONS; it
// reports whether that was all.
func (s *Server) cors(w http.ResponseWriter, r *http.Request, rt *route) bool {
	origin := r.Header.Get("Origin")
	h := w.Header()
	if len(s.opts.Origins) > 0 {
		all := slices.Contains(s.opts.Origins, "*")
		if !all {
			h.Add("Vary", "Origin")
		}
		if origin != "" && (all || slices.Contains(s.opts.Origins, origin)) {
			if all {
				origin = "*"
			}
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "ETag, X-Request-Id, Retry-After")
			if r.Method == http.MethodOptions {
				h.Set("Access-Control-Allow-Methods", rt.allowed())
				h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, If-None-Match, X-Customer, X-Store")
				h.Set("Access-Control-Max-Age", "86400")
			}
		}
	}
	if r.Method != http.MethodOptions || rt.any != nil {
		return false
	}
	h.Set("Allow", rt.allowed())
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// mount returns the handler of another package behind a role. Its requests may
// take as long as they want while something moves.
func (s *Server) mount(m Mount) http.Handler {
	rm := s.metrics.route(m.Pattern)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := s.ids.next(r)
		cw := &countingWriter{ResponseWriter: w}
		cw.Header()["X-Request-Id"] = []string{id}
		defer func() {
			if cause := recover(); cause != nil {
				s.panicked(cw, r, id, cause)
			}
			rm.observe(r.Method, cw.code(), time.Since(start))
			s.logRequest(r, id, m.Pattern, cw, time.Since(start))
		}()
		// The handler before may have set one on this connection.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		role := m.Role
		if m.Read != RoleNone && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			role = m.Read
		}
		if err := s.need(r, role); err != nil {
			s.fail(cw, r, id, err)
			return
		}
		r.Body = &movingBody{r.Body, http.NewResponseController(w)}
		m.Handler.ServeHTTP(cw, r)
	})
}

// window returns what answers everything else, counted.
func (s *Server) window() http.Handler {
	m := s.metrics.route("/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		cw := &countingWriter{ResponseWriter: w}
		s.deadline(cw)
		s.opts.Window.ServeHTTP(cw, r)
		m.observe(r.Method, cw.code(), time.Since(start))
	})
}

// stalled is how long the body of a mount's request may stand still.
const stalled = 2 * time.Minute

// movingBody is a body that may take any time as long as it comes.
type movingBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *movingBody) Read(p []byte) (int, error) {
	// A writer without deadlines is a test's.
	_ = b.control.SetReadDeadline(time.Now().Add(stalled))
	return b.ReadCloser.Read(p)
}

// countingWriter knows what was written.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countingWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap gives http.ResponseController what is below.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countingWriter) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
