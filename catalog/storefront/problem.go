package storefront

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"catalog/catalog"
	"catalog/indexer"
)

// Problem is an answer that says what is wrong (RFC 9457): Detail what, and
// how to mend it, Where at which parameter or member.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Where     string `json:"where,omitempty"`
	RequestID string `json:"request_id,omitempty"`

	retry  int               // seconds; 0: not said
	header map[string]string // more of the answer's header
	cause  error             // for the log
}

func (p *Problem) Error() string { return p.Detail }

func (p *Problem) Unwrap() error { return p.cause }

// problemf returns a problem of a status, found at a parameter or member.
func problemf(status int, where, format string, args ...any) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...), Where: where}
}

func badRequest(where, format string, args ...any) *Problem {
	return problemf(http.StatusBadRequest, where, format, args...)
}

func notFound(where, format string, args ...any) *Problem {
	return problemf(http.StatusNotFound, where, format, args...)
}

// retryAfter is what clients are told to wait when the server is busy, in
// seconds.
const retryAfter = 1

func busy(status int, format string, args ...any) *Problem {
	p := problemf(status, "", format, args...)
	p.retry = retryAfter
	return p
}

// problemOf is the one place that turns an error into an answer. What the
// caller cannot mend is told to the log only.
func problemOf(err error) *Problem {
	var p *Problem
	var invalid *catalog.InvalidError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, indexer.ErrQuery):
		return badRequest("", "%s", strings.TrimSuffix(strings.TrimPrefix(err.Error(), "indexer: "), ": "+indexer.ErrQuery.Error()))
	case errors.As(err, &invalid):
		p = problemf(http.StatusUnprocessableEntity, invalid.Path, "%s", invalid.Detail)
		p.Type = "urn:catalog:reason:" + string(invalid.Reason)
	case errors.As(err, &large):
		p = problemf(http.StatusRequestEntityTooLarge, "", "the body is larger than %d bytes: send less at a time, or an import", large.Limit)
	case errors.Is(err, catalog.ErrConflict):
		p = problemf(http.StatusPreconditionFailed, "If-Match", "another writer changed the record: read it again, and send its new ETag")
	case errors.Is(err, catalog.ErrFull):
		p = problemf(http.StatusInsufficientStorage, "", "the store has no space left: free some on the server, then repeat")
	case errors.Is(err, catalog.ErrReadOnly):
		p = problemf(http.StatusForbidden, "", "the store cannot be written to")
	case errors.Is(err, indexer.ErrNoIndex):
		p = busy(http.StatusServiceUnavailable, "the search index is being built: try again soon; /readyz says how far it is")
	case errors.Is(err, indexer.ErrClosed), errors.Is(err, catalog.ErrClosed):
		p = busy(http.StatusServiceUnavailable, "the server is stopping")
	case errors.Is(err, context.DeadlineExceeded):
		p = busy(http.StatusServiceUnavailable, "the answer took too long: ask for less, or try again")
	case errors.Is(err, context.Canceled):
		p = problemf(statusClientGone, "", "the client went away")
	default:
		p = problemf(http.StatusInternalServerError, "", "the catalog cannot answer: its log says why, under this request_id")
	}
	p.cause = err
	return p
}

// statusClientGone is logged when nobody waits for the answer any more.
const statusClientGone = 499

// write sends the problem as the answer.
func (p *Problem) write(w http.ResponseWriter, id string) {
	out := *p
	out.RequestID = id
	body, err := json.Marshal(&out)
	if err != nil { // strings and a number
		body = []byte(`{"title":"Internal Server Error","status":500}`)
	}
	h := w.Header()
	for _, name := range [...]string{"Etag", "Surrogate-Key", "Xkey", "Cache-Tag", "Content-Encoding"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	for k, v := range p.header {
		h.Set(k, v)
	}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // who went away does not want it
}
