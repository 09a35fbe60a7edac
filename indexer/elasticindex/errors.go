package elasticindex

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"catalog/catalog"
	"catalog/indexer"
)

// Errors beside those of package indexer.
var (
	// ErrUnavailable: the server did not answer, or was too busy, for as long
	// as Options.RetryFor. Nothing that it confirmed is lost; try again later.
	ErrUnavailable = errors.New("the Elasticsearch server is not available")
	// ErrReadOnly: the server takes no writes because its disk is full, or an
	// operator blocked them. It lifts the first block by itself when there is
	// room again; then the same call succeeds. It is catalog.ErrFull.
	ErrReadOnly = fmt.Errorf("the Elasticsearch server takes no writes, its disk is full or the index is blocked: %w", catalog.ErrFull)
	// ErrSuperseded: another process has begun to write to the index.
	ErrSuperseded = errors.New("another process writes to the index")
	// ErrProduct: who answers is not Elasticsearch from 7.14 on: it does not say
	// so in the header X-Elastic-Product. A proxy between has to let it through.
	ErrProduct = errors.New("the server is no Elasticsearch (its answers have no header X-Elastic-Product)")

	errGone = errors.New("index or snapshot is gone") // another generation serves now
)

// failure is a product that the server refuses, however often it is sent.
type failure struct {
	sku    string
	reason string // the server's words
}

// rejected turns failures into the error that callers know: all others are in
// the index.
func rejected(list []failure) error {
	if len(list) == 0 {
		return nil
	}
	e := &indexer.RejectedError{Products: map[string]error{}}
	for _, f := range list {
		if e.Products[f.sku] == nil {
			e.Products[f.sku] = errors.New(f.reason)
		}
	}
	return e
}

// cause is an error as the server describes it.
type cause struct {
	Type      string  `json:"type"`
	Reason    string  `json:"reason"`
	CausedBy  *cause  `json:"caused_by"`
	RootCause []cause `json:"root_cause"`
}

func (c *cause) String() string {
	s := c.Type + ": " + c.Reason
	if len(c.RootCause) > 0 && c.RootCause[0].Reason != c.Reason {
		s += ": " + c.RootCause[0].Reason
	}
	for d := c.CausedBy; d != nil; d = d.CausedBy {
		s += ": " + d.Reason
	}
	return s
}

// statusError is an answer that is no success.
type statusError struct {
	status int
	cause  cause
}

func newStatusError(status int, body []byte) *statusError {
	e := &statusError{status: status}
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &answer) == nil && json.Unmarshal(answer.Error, &e.cause) != nil {
		e.cause.Reason = strings.Trim(string(answer.Error), `"`)
	}
	return e
}

func (e *statusError) Error() string {
	if e.cause.Type == "" {
		return fmt.Sprintf("Elasticsearch answers %d %s %s", e.status, http.StatusText(e.status), e.cause.Reason)
	}
	return fmt.Sprintf("Elasticsearch answers %d %s", e.status, &e.cause)
}

// Unwrap sorts the error: callers ask for these.
func (e *statusError) Unwrap() []error { return e.kind() }

func (e *statusError) kind() []error {
	switch {
	case blocked(e.cause.Type):
		return []error{ErrReadOnly}
	case busy(e.status, e.cause.Type):
		return []error{ErrUnavailable}
	case e.has("index_not_found_exception", "search_context_missing_exception", "no_shard_available_action_exception", "index_closed_exception"):
		return []error{errGone}
	}
	return nil
}

func (e *statusError) has(types ...string) bool {
	list := append([]cause{e.cause}, e.cause.RootCause...)
	for c := e.cause.CausedBy; c != nil; c = c.CausedBy {
		list = append(list, *c)
	}
	for _, c := range list {
		for _, t := range types {
			if c.Type == t {
				return true
			}
		}
	}
	return false
}

// blocked tells writes that are forbidden from those that are too many: the
// server answers 429 to both.
func blocked(typ string) bool { return typ == "cluster_block_exception" }

// busy reports whether the same request may succeed a little later.
func busy(status int, typ string) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusInternalServerError:
		return !blocked(typ)
	}
	return false
}

// wrap says what was being done, and what an index that is not there means.
func wrap(err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, indexer.ErrClosed), errors.Is(err, indexer.ErrNoIndex), errors.Is(err, context.Canceled) && !errors.Is(err, ErrUnavailable):
		return err
	}
	return fmt.Errorf("elasticindex: %s: %w", doing, err)
}
