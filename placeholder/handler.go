package placeholder

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
)

// Limits of a request to Handler.
const (
	MaxSKUs    = 200     // in one request
	maxRequest = 1 << 18 // bytes of its body
)

// HandlerOptions are the settings of Handler. The zero value works.
type HandlerOptions struct {
	// Token is what requests must show as "Authorization: Bearer …"; "" asks
	// for none.
	Token string
	// Client names who asks, for the cap; nil takes the connection's address.
	Client func(*http.Request) string
	// Timeout is how long a request may take; 0 is 15 s.
	Timeout time.Duration
}

// Request is the body of POST /v1/placeholders.
type Request struct {
	SKUs []string `json:"skus"`
}

// Response is its answer.
type Response struct {
	Placeholders []Result `json:"placeholders"` // in the order asked
}

// Problem is an error's body (RFC 9457, application/problem+json).
type Problem struct {
	Type   string `json:"type"` // "about:blank": the status says it all
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// Handler serves POST /v1/placeholders: the body {"skus":["24-MB01",…]} is
// answered by {"placeholders":[{"sku":…,"status":…,"entity_id":…},…]}, each
// SKU for itself; what cannot be sold is no error of the request. Errors are
// application/problem+json: 400, 401, 405, 413, 415, and 503 with Retry-After
// while the shop's database does not answer.
func (s *Service) Handler(o HandlerOptions) http.Handler {
	if o.Client == nil {
		o.Client = func(r *http.Request) string {
			host, _, err := net.SplitHostPort(r.RemoteAddr)
			if err != nil {
				return r.RemoteAddr
			}
			return host
		}
	}
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	return &handler{s, o}
}

type handler struct {
	service *Service
	opts    HandlerOptions
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/v1/placeholders":
		problem(w, http.StatusNotFound, "there is only /v1/placeholders")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		problem(w, http.StatusMethodNotAllowed, "use POST")
		return
	case !h.authorized(r):
		w.Header().Set("WWW-Authenticate", "Bearer")
		problem(w, http.StatusUnauthorized, "the token is missing or wrong")
		return
	}
	skus, status, detail := readRequest(w, r)
	if status != 0 {
		problem(w, status, detail)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.opts.Timeout)
	defer cancel()
	results, err := h.service.Ensure(ctx, h.opts.Client(r), skus)
	switch {
	case r.Context().Err() != nil:
		return // nobody is there to answer
	case err != nil:
		h.service.log.Warn("placeholders could not be ensured", "skus", len(skus), "error", err)
		w.Header().Set("Retry-After", "2")
		detail := "nothing is known of these SKUs: try again"
		if errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			detail = "the shop's database does not answer: try again"
		}
		problem(w, http.StatusServiceUnavailable, detail)
		return
	}
	answer(w, http.StatusOK, "application/json", Response{results})
}

// authorized compares digests, whose length tells nothing of the token's.
func (h *handler) authorized(r *http.Request) bool {
	if h.opts.Token == "" {
		return true
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(h.opts.Token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && ok
}

// readRequest returns the SKUs of a request, or the status of what is wrong.
func readRequest(w http.ResponseWriter, r *http.Request) (skus []string, status int, detail string) {
	if t := r.Header.Get("Content-Type"); t != "" {
		if mt, _, err := mime.ParseMediaType(t); err != nil || mt != "application/json" {
			return nil, http.StatusUnsupportedMediaType, "send application/json"
		}
	}
	var req Request
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	err := body.Decode(&req)
	if err == nil {
		if _, err = body.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			err = errors.New("there is more after the object")
		}
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, http.StatusRequestEntityTooLarge, fmt.Sprintf("send at most %d bytes", maxRequest)
	case err != nil:
		return nil, http.StatusBadRequest, `send an object like {"skus":["24-MB01"]}: ` + err.Error()
	case len(req.SKUs) == 0:
		return nil, http.StatusBadRequest, "skus names none"
	case len(req.SKUs) > MaxSKUs:
		return nil, http.StatusRequestEntityTooLarge, fmt.Sprintf("send at most %d SKUs at once", MaxSKUs)
	}
	return req.SKUs, 0, ""
}

func problem(w http.ResponseWriter, status int, detail string) {
	answer(w, status, "application/problem+json", Problem{"about:blank", http.StatusText(status), status, detail})
}

func answer(w http.ResponseWriter, status int, contentType string, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// An error here is a client that went away.
	_, _ = w.Write(append(data, '\n'))
}
