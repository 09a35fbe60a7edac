package elasticindex

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"catalog/catalog"
)

// batch is a bulk request in the making. Each SKU's documents are in one batch
// and each document there once.
type batch struct {
	body  []byte
	lines []line
}

// line is one action: where it ends in the body, and whose it is.
type line struct {
	end int
	sku string
}

// index appends a document.
func (b *batch) index(sku string, it *item, version int64) {
	b.body = append(b.body, `{"index":{"_id":`...)
	b.action(it.id, version)
	b.body = append(b.body, it.body...)
	b.body = append(b.body, '\n')
	b.lines = append(b.lines, line{len(b.body), sku})
}

// delete appends a removal.
func (b *batch) delete(sku, id string, version int64) {
	b.body = append(b.body, `{"delete":{"_id":`...)
	b.action(id, version)
	b.lines = append(b.lines, line{len(b.body), sku})
}

func (b *batch) action(id string, version int64) {
	b.body = appendString(b.body, id)
	b.body = append(b.body, `,"version":`...)
	b.body = strconv.AppendInt(b.body, version, 10)
	b.body = append(b.body, `,"version_type":"external_gte"}}`+"\n"...)
}

func (b *batch) reset() { b.body, b.lines = b.body[:0], b.lines[:0] }

// itemAnswer is what became of one action.
type itemAnswer struct {
	Status int    `json:"status"`
	Error  *cause `json:"error"`
}

// errorsFalse begins an answer in which every action succeeded.
var errorsFalse = []byte(`{"errors":false`)

// send writes a batch to an index, and repeats what failed for want of time or
// room until it succeeded or nothing more did for Options.RetryFor. Actions that the server
// refuses for what they are become failures; the rest is written.
func (x *Index) send(ctx context.Context, index string, b *batch, alias bool) ([]failure, error) {
	path := "/" + index + "/_bulk?filter_path=errors,items.*.status,items.*.error"
	if alias {
		path += "&require_alias=true" // never make an index by writing to a name
	}
	var failures []failure
	body, lines := b.body, b.lines
	end := time.Now().Add(x.o.RetryFor)
	for n := 0; len(lines) > 0; n++ {
		answer, err := x.roundTrip(ctx, request{method: http.MethodPost, path: path, body: body, lines: true, timeout: x.o.Timeout})
		var again []int
		switch {
		case ctx.Err() != nil:
			return failures, x.ended(ctx, ctx.Err())
		case tooLarge(err) && len(lines) > 1:
			return x.halves(ctx, index, body, lines, alias, failures)
		case tooLarge(err):
			return append(failures, failure{lines[0].sku, err.Error()}), nil
		case errors.Is(err, ErrUnavailable):
			// The whole request, then.
		case err != nil:
			return failures, err
		case bytes.HasPrefix(answer, errorsFalse):
			return failures, nil
		default:
			var refused []failure
			again, refused, err = outcomes(answer, lines)
			failures = append(failures, refused...)
			if len(again) == 0 || err != nil && !errors.Is(err, ErrUnavailable) {
				return failures, err
			}
			if len(again) < len(lines) { // it is getting on
				n, end = 0, time.Now().Add(x.o.RetryFor)
			}
			body, lines = pick(body, lines, again)
		}
		wait := pause(n)
		if time.Now().Add(wait).After(end) {
			return failures, err
		}
		if catalog.Sleep(ctx, wait) != nil {
			return failures, x.ended(ctx, ctx.Err())
		}
	}
	return failures, nil
}

func tooLarge(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.status == http.StatusRequestEntityTooLarge
}

// halves sends what is too large for the server in two requests.
func (x *Index) halves(ctx context.Context, index string, body []byte, lines []line, alias bool, failures []failure) ([]failure, error) {
	half := len(lines) / 2
	all := make([]int, len(lines))
	for i := range all {
		all[i] = i
	}
	for _, part := range [...][]int{all[:half], all[half:]} {
		var b batch
		b.body, b.lines = pick(body, lines, part)
		more, err := x.send(ctx, index, &b, alias)
		failures = append(failures, more...)
		if err != nil {
			return failures, err
		}
	}
	return failures, nil
}

// outcomes reads a bulk answer: which actions are to be repeated (err says
// why), and which are refused.
func outcomes(answer []byte, lines []line) (again []int, failures []failure, err error) {
	var a struct {
		Items []map[string]itemAnswer `json:"items"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return nil, nil, fmt.Errorf("answer to a bulk request: %w", err)
	}
	if len(a.Items) != len(lines) {
		return nil, nil, fmt.Errorf("answer to a bulk request has %d items, want %d", len(a.Items), len(lines))
	}
	for i := range a.Items {
		for _, it := range a.Items[i] {
			if it.Error == nil {
				continue
			}
			status := &statusError{it.Status, *it.Error}
			switch {
			case it.Status == http.StatusConflict:
				// A write with a higher version was there before: ours is old.
			case errors.Is(status, ErrReadOnly), errors.Is(status, errGone):
				return nil, failures, status
			case busy(it.Status, it.Error.Type):
				again = append(again, i)
				err = status
			default:
				failures = append(failures, failure{lines[i].sku, it.Error.String()})
			}
		}
	}
	return again, failures, err
}

// pick returns the actions of those numbers.
func pick(body []byte, lines []line, numbers []int) ([]byte, []line) {
	var b []byte
	var l []line
	for _, n := range numbers {
		start := 0
		if n > 0 {
			start = lines[n-1].end
		}
		b = append(b, body[start:lines[n].end]...)
		l = append(l, line{len(b), lines[n].sku})
	}
	return b, l
}
