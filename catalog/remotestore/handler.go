package remotestore

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
)

const (
	contentType = "application/vnd.catalog.frames"

	// tickEvery is how often a client hears that its call is still at work.
	tickEvery = 10 * time.Second
	// stallLimit is how long a client may neither read nor write.
	stallLimit = 2 * time.Minute
	// lostGrace is how long the leases of a client on the network survive its
	// connection.
	lostGrace = 5 * time.Second

	defaultBatch    = 160 << 20
	defaultParallel = 4
	smallBody       = 1 << 20
	maxKeys         = 1 << 16 // of one call
	keysAtATime     = 256     // of one Get of the store behind
)

// HandlerOptions say how to serve a store. The zero value of each field works.
type HandlerOptions struct {
	// Tokens are the bearer tokens of which a client has to send one; none if
	// empty, where the socket's mode or a handler around this one protects it.
	Tokens []string
	// Trusted says that clients run as the same user as the server: hashes that
	// they send are not computed again, and the leases of one whose connection
	// breaks are released at once, since only its death breaks it.
	Trusted bool
	// Closing, when it is closed, ends the calls that wait and refuses new ones,
	// so that a server can be shut down gracefully: whoever uses it knows that
	// nothing was done.
	Closing <-chan struct{}
	// MaxBatch is how many bytes one Apply may have; 0 is 160 MiB.
	MaxBatch int64
	// Parallel is how many large Applies are taken in at a time; 0 is 4.
	Parallel int
	// Logger gets what goes wrong; nil discards it.
	Logger *slog.Logger
}

// handler serves a store.
type handler struct {
	store    catalog.Store
	tokens   [][sha256.Size]byte
	trusted  bool
	closing  <-chan struct{}
	maxBatch int64
	large    chan struct{} // a place for each large Apply under way
	log      *slog.Logger
	sessions sessions
	cancels  cancels
	arenas   sync.Pool
	buffers  buffers
}

// NewHandler returns a handler that gives clients of this package the whole of
// a store. It looks at the last element of a request's path only, so that it
// can be mounted anywhere. Whoever may use it may do everything: read, write,
// delete. The store must be closed after the server.
func NewHandler(store catalog.Store, o *HandlerOptions) http.Handler {
	if o == nil {
		o = &HandlerOptions{}
	}
	h := &handler{store: store, trusted: o.Trusted, closing: o.Closing, maxBatch: o.MaxBatch, log: o.Logger}
	for _, t := range o.Tokens {
		h.tokens = append(h.tokens, sha256.Sum256([]byte(t)))
	}
	if h.maxBatch <= 0 {
		h.maxBatch = defaultBatch
	}
	parallel := o.Parallel
	if parallel <= 0 {
		parallel = defaultParallel
	}
	h.large = make(chan struct{}, parallel)
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	h.sessions = newSessions(store, h.grace())
	h.arenas.New = func() any { return new(arena) }
	return h
}

func (h *handler) grace() time.Duration {
	if h.trusted {
		return 0
	}
	return lostGrace
}

// authorized compares in a time that says nothing about the tokens.
func (h *handler) authorized(r *http.Request) bool {
	if len(h.tokens) == 0 {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found := 0
	for i := range h.tokens {
		found |= subtle.ConstantTimeCompare(sum[:], h.tokens[i][:])
	}
	return found == 1 && strings.EqualFold(scheme, "Bearer")
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.authorized(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "a valid bearer token is needed", http.StatusUnauthorized)
		return
	}
	do, ok := calls[path.Base(r.URL.Path)]
	switch {
	case !ok:
		http.Error(w, "no such call of a catalog store", http.StatusNotFound)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "calls of a catalog store are POST", http.StatusMethodNotAllowed)
		return
	case r.Header.Get("Content-Type") != contentType:
		http.Error(w, "the body is no call of a catalog store", http.StatusUnsupportedMediaType)
		return
	}
	c := newCall(h, w, r)
	defer h.buffers.doneReading(c.in)
	defer h.buffers.doneWriting(c.out)
	if id := r.Header.Get(callHeader); id != "" {
		var done func()
		c.ctx, done = h.cancels.add(c.ctx, id)
		defer done()
	}
	if h.ended() {
		do = (*call).refuse
		w.Header().Set("Connection", "close")
	}
	err := c.run(do)
	// The connection's next request is not bound to this one's time.
	_ = c.control.SetWriteDeadline(time.Time{})
	if err == nil {
		return
	}
	// The client is gone, or does not keep to the protocol: cut off, it knows
	// that what it has is not all.
	if r.Context().Err() == nil {
		h.log.Warn("a call of the shared store was cut off", "call", path.Base(r.URL.Path), "err", err)
	}
	panic(http.ErrAbortHandler)
}

// ended reports whether the server is about to end.
func (h *handler) ended() bool {
	select {
	case <-h.closing:
		return true
	default:
		return false
	}
}

// refuse tells the client that nothing was done.
func (c *call) refuse() error { return errEnding }

// call is one request under way.
type call struct {
	h       *handler
	ctx     context.Context
	control *http.ResponseController
	in      *frameReader
	out     *frameWriter
	args    decoder
	size    int64 // of the request; -1 if unknown
	head    []byte
}

func newCall(h *handler, w http.ResponseWriter, r *http.Request) *call {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	c := &call{h: h, ctx: r.Context(), control: http.NewResponseController(w), size: r.ContentLength}
	c.in = h.buffers.reader(&stallReader{c.control, r.Body})
	c.out = h.buffers.writer(&stallWriter{c.control, w})
	return c
}

// run performs a call. The error that it returns is one that the client cannot
// be told.
func (c *call) run(do func(*call) error) error {
	err := c.arguments()
	if err == nil {
		err = do(c)
	}
	if err == nil {
		err = c.out.frame(frameEnd, nil, nil)
	} else if werr := (*writeError)(nil); !errors.As(err, &werr) {
		err = c.out.frame(frameError, appendError(nil, err), nil)
	}
	if err == nil {
		err = c.out.w.Flush()
	}
	return err
}

// arguments reads the first frame.
func (c *call) arguments() error {
	typ, payload, err := c.in.next()
	if err != nil {
		return err
	}
	if typ != frameCall {
		return errFrame
	}
	c.args = decoder{b: append([]byte(nil), payload...)}
	return nil
}

// finish reads the end of a request that has no more than arguments. From here
// on the server notices when the client leaves.
func (c *call) finish() error {
	if err := c.args.end(); err != nil {
		return err
	}
	return c.endOfRequest()
}

func (c *call) endOfRequest() error {
	typ, _, err := c.in.next()
	if err == nil && typ != frameEnd {
		err = errFrame
	}
	if err != nil {
		return err
	}
	return c.endOfBody()
}

// endOfBody reads the end that HTTP gives a request.
func (c *call) endOfBody() error {
	if _, err := c.in.r.ReadByte(); err == nil {
		return errFrame
	}
	// A deadline that is left would end the wait for the client's leaving.
	_ = c.control.SetReadDeadline(time.Time{})
	return nil
}

// item answers with one more value: head, and then body as it is.
func (c *call) item(head, body []byte) error {
	c.head = head // kept to be used again
	if err := c.out.frame(frameItem, head, body); err != nil {
		return &writeError{err}
	}
	return nil
}

// tick tells the client that the call is still at work, and all that was
// answered before.
func (c *call) tick() error {
	err := c.out.frame(frameTick, nil, nil)
	if err == nil {
		err = c.out.w.Flush()
	}
	if err == nil {
		err = c.control.Flush()
	}
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return &writeError{err}
	}
	return nil
}

// patiently runs what may take long, and tells the client so.
func (c *call) patiently(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	var lost error
	for {
		select {
		case err := <-done:
			if err == nil {
				err = lost
			}
			return err
		case <-t.C:
			if lost == nil {
				lost = c.tick() // the request's context ends what f does
			}
		}
	}
}

// untilClosing returns a context that also ends when the server does, with
// errEnding as its cause.
func (c *call) untilClosing() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(c.ctx)
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-c.h.closing:
			cancel(errEnding)
		case <-stop:
		}
	})
	return ctx, func() {
		close(stop)
		watch.Wait()
		cancel(nil)
	}
}

// ending gives the cause when it was the server's end that ended a wait.
func ending(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errEnding) {
		return errEnding
	}
	return err
}

// writeError is why the client can be told nothing more.
type writeError struct{ error }

func (e *writeError) Unwrap() error { return e.error }

// stallReader gives up a client that sends nothing for long.
type stallReader struct {
	control *http.ResponseController
	r       interface{ Read([]byte) (int, error) }
}

func (s *stallReader) Read(p []byte) (int, error) {
	// Not every connection has deadlines; then there is none.
	_ = s.control.SetReadDeadline(time.Now().Add(stallLimit))
	return s.r.Read(p)
}

// stallWriter gives up a client that takes nothing for long.
type stallWriter struct {
	control *http.ResponseController
	w       http.ResponseWriter
}

func (s *stallWriter) Write(p []byte) (int, error) {
	_ = s.control.SetWriteDeadline(time.Now().Add(stallLimit))
	n, err := s.w.Write(p)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		err = errors.New("the client took nothing for too long")
	}
	return n, err
}
