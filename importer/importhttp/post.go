package importhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/importer"
)

// maxPart is how long a mapping or a schema may be.
const maxPart = 4 << 20

func (h *Handler) post(w http.ResponseWriter, r *http.Request) {
	p, err := parseParams(r.URL.RawQuery)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error(), nil)
		return
	}
	up := newUpload(w, r, h.opts)
	if p.opts.Stdin, err = up.feed(&p.opts); err != nil {
		problem(w, up.status(err), up.fault(err), nil)
		return
	}
	p.opts.Feeds = []string{"-"}
	// A detached import outlives its request, any other is cancelled with it:
	// by the cause that says so.
	j, ctx, err := h.begin(context.WithoutCancel(r.Context()), p)
	switch {
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "30")
		problem(w, http.StatusTooManyRequests, err.Error()+": try again later", nil)
		return
	case err != nil:
		problem(w, http.StatusServiceUnavailable, err.Error(), nil)
		return
	}
	// A client that sends nothing must not hold up the end of its import.
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), context.Canceled) {
			up.interrupt()
		}
	})
	defer stop()
	w.Header().Set("Location", "/v1/imports/"+j.id)
	go h.run(ctx, j) // Close waits for it
	h.await(w, r, j, up)
}

// await answers when the import is over, or when a detached one has its body.
func (h *Handler) await(w http.ResponseWriter, r *http.Request, j *job, up *upload) {
	arrived := up.arrived
	if !j.params.detach {
		arrived = nil
	}
	select {
	case <-j.over:
	case <-arrived:
		up.end(w)
		answer(w, http.StatusAccepted, "application/json", j.status())
		return
	case <-r.Context().Done():
		j.cancel(errLeft)
		<-j.over // it reads the request's body
	}
	up.end(w)
	h.finish(w, j, up)
}

// finish answers what an import came to.
func (h *Handler) finish(w http.ResponseWriter, j *job, up *upload) {
	rep, err := j.report, j.err
	if err == nil {
		answer(w, http.StatusOK, "application/json", rep)
		return
	}
	detail := err.Error()
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, importer.ErrRefused):
		status, detail = http.StatusConflict, "a guard held something back; the rest is in: report.refused says what"
	case errors.Is(err, catalog.ErrLeased):
		w.Header().Set("Retry-After", "30")
		status = http.StatusConflict
	case errors.Is(err, catalog.ErrFenced):
		status, detail = http.StatusConflict, "the import stood still for so long that another could begin; what was in stays in: import the feed again"
	case errors.Is(err, errCancelled):
		status, detail = http.StatusConflict, "the import was cancelled; what was in stays in"
	case errors.Is(err, importer.ErrTooManyRejects):
		status, detail = http.StatusUnprocessableEntity, "stopped by max_rejects; what was accepted before is in"
	case errors.Is(err, importer.ErrUsage):
		status, detail = http.StatusUnprocessableEntity, strings.TrimPrefix(detail, importer.ErrUsage.Error()+": ")
	case errors.Is(err, catalog.ErrFull):
		status, detail = http.StatusInsufficientStorage, "no space is left where the server writes; what was written before is in"
	case errors.Is(err, errClosing), errors.Is(err, catalog.ErrClosed):
		status, detail = http.StatusServiceUnavailable, "the server is ending: import the feed again"
	case up.failure() != nil:
		status, detail = up.status(up.failure()), "nothing was imported: "+up.fault(up.failure())
	case errors.Is(err, errLeft):
		// If anybody is there to be told, the body stood still, and the server gave
		// the connection up before the import read on and met that.
		status, detail = http.StatusRequestTimeout, fmt.Sprintf("nothing of the body came for %v, or the client left; what was in stays in", up.stall)
	default:
		detail = "the import failed; what was written before is in: the server's log and report.error say why"
	}
	if rep != nil && rep.Status == "failed" && rep.Read == 0 && status != http.StatusInternalServerError {
		rep = nil // of an import that read nothing the detail says it all
	}
	problem(w, status, detail, rep)
}

// upload is the body of a POST while it arrives.
type upload struct {
	control *http.ResponseController
	body    io.Reader
	r       *http.Request
	stall   time.Duration
	arrived chan struct{} // closed when all is there

	mu    sync.Mutex
	err   error // that reading ended with
	ended bool
}

func newUpload(w http.ResponseWriter, r *http.Request, o Options) *upload {
	return &upload{
		control: http.NewResponseController(w), body: http.MaxBytesReader(w, r.Body, o.MaxBody),
		r: r, stall: o.Stall, arrived: make(chan struct{}),
	}
}

// interrupt makes reading end.
func (u *upload) interrupt() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return
	}
	u.ended = true
	_ = u.control.SetReadDeadline(time.Unix(1, 0))
}

// Read implements io.Reader. It notes the end, or why it does not come.
func (u *upload) Read(p []byte) (int, error) {
	u.mu.Lock()
	ended := u.ended
	if !ended {
		// Not every connection has deadlines; then there is none.
		_ = u.control.SetReadDeadline(time.Now().Add(u.stall))
	}
	u.mu.Unlock()
	if ended {
		return 0, context.Canceled
	}
	n, err := u.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = u.note(err)
	}
	return n, err
}

// note keeps why the body does not arrive, unless it was interrupted.
func (u *upload) note(err error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return context.Canceled
	}
	u.err = err
	return err
}

// failure is why the body did not arrive.
func (u *upload) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

// end is called before the request is answered: nobody reads it from then on.
// Of a body that did not all arrive the connection is given up: net/http would
// wait for the rest of it before it sends the answer, and for as long as the
// client likes.
func (u *upload) end(w http.ResponseWriter) {
	select {
	case <-u.arrived:
	default:
		w.Header().Set("Connection", "close")
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	// A deadline that is left would end the connection's next request.
	_ = u.control.SetReadDeadline(time.Time{})
}

// status is that of an answer to a body that is not what it should be.
func (u *upload) status(err error) int {
	var large *http.MaxBytesError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &timeout) && timeout.Timeout():
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}

// fault says what is wrong with a body without telling of the connection.
func (u *upload) fault(err error) string {
	switch u.status(err) {
	case http.StatusRequestTimeout:
		return fmt.Sprintf("nothing of the body came for %v", u.stall)
	case http.StatusRequestEntityTooLarge:
		return "the body is larger than this server takes"
	}
	var place *net.OpError
	if errors.As(err, &place) {
		return "the body was cut off"
	}
	return err.Error()
}

// feed returns the feed, and reads what stands before it.
func (u *upload) feed(o *importer.Options) (io.Reader, error) {
	kind, attrs, err := mime.ParseMediaType(u.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return &ending{r: u, up: u}, nil
	}
	parts := multipart.NewReader(u, attrs["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, errors.New(`the form has no part "feed"`)
		}
		if err != nil {
			return nil, err
		}
		switch name := part.FormName(); name {
		case "feed":
			return &ending{r: part, up: u, last: parts}, nil
		case "map":
			o.Mapping, err = readPart(name, part)
		case "schema":
			o.Schema, err = readPart(name, part)
		default:
			err = fmt.Errorf("the form has the part %q: use map, schema and, as the last one, feed", name)
		}
		if err != nil {
			return nil, err
		}
	}
}

func readPart(name string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxPart+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxPart:
		return nil, fmt.Errorf("the part %q has more than %d bytes", name, maxPart)
	case len(strings.TrimSpace(string(text))) == 0:
		return nil, fmt.Errorf("the part %q is empty", name)
	}
	return text, nil
}

// ending closes arrived at the feed's end.
type ending struct {
	r    io.Reader
	up   *upload
	last *multipart.Reader // must be at its end, too
	over bool
}

func (e *ending) Read(p []byte) (int, error) {
	if e.over {
		return 0, io.EOF
	}
	n, err := e.r.Read(p)
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		if e.last != nil {
			if _, perr := e.last.NextPart(); !errors.Is(perr, io.EOF) {
				if perr == nil {
					perr = errors.New(`the form has parts after "feed"`)
				}
				return n, e.up.note(perr)
			}
		}
		e.over = true
		close(e.up.arrived)
		return n, io.EOF
	}
	return n, err
}
