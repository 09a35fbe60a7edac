package elasticindex

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// request is one that may be repeated: all of ours may.
type request struct {
	method, path string
	body         []byte
	lines        bool // body is newline-delimited
	timeout      time.Duration
	patience     time.Duration // how long it is repeated; below 0 it is not
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 30

// do sends a request until it is answered for good, and decodes the answer
// into v unless that is nil.
func (x *Index) do(ctx context.Context, r request, v any) error {
	body, err := x.roundTrips(ctx, r)
	if err != nil {
		return err
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("answer to %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// write is do for a request with a JSON body that changes something.
func (x *Index) write(ctx context.Context, method, path string, body, v any) error {
	r := request{method: method, path: path, timeout: x.o.Timeout, patience: x.o.RetryFor}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r.body = b
	}
	return x.do(ctx, r, v)
}

// read is do for a request with a JSON body that changes nothing.
func (x *Index) read(ctx context.Context, method, path string, body, v any) error {
	r := request{method: method, path: path, timeout: x.o.SearchTimeout, patience: min(x.o.RetryFor, 2*time.Second)}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r.body = b
	}
	return x.do(ctx, r, v)
}

// pause is how long the n-th repetition waits: from 50 ms doubling to 5 s, and
// a little at random so that clients do not come back all at once.
func pause(n int) time.Duration {
	d := min(50*time.Millisecond<<min(n, 10), 5*time.Second)
	return d/2 + rand.N(d)
}

func (x *Index) roundTrips(ctx context.Context, r request) ([]byte, error) {
	end := time.Now().Add(r.patience)
	for n := 0; ; n++ {
		body, err := x.roundTrip(ctx, r)
		if err == nil || ctx.Err() != nil {
			return body, x.ended(ctx, err)
		}
		wait := pause(n)
		if !errors.Is(err, ErrUnavailable) || r.patience < 0 || time.Now().Add(wait).After(end) {
			return nil, err
		}
		if catalog.Sleep(ctx, wait) != nil {
			return nil, x.ended(ctx, err)
		}
	}
}

// ended replaces what a cancelled request says by why it was cancelled.
func (x *Index) ended(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case x.closed.Load():
		return indexer.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}

// roundTrip sends a request once.
func (x *Index) roundTrip(ctx context.Context, r request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.path, body)
	if err != nil {
		return nil, err
	}
	// The engine would compress its answers, and takes longer for that than for
	// most searches: it is near.
	req.Header.Set("Accept-Encoding", "identity")
	switch {
	case r.lines:
		req.Header.Set("Content-Type", "application/x-ndjson")
	case r.body != nil:
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := x.client.Perform(req)
	if err != nil {
		if cert := (*tls.CertificateVerificationError)(nil); errors.As(err, &cert) {
			return nil, err // which repeating does not mend
		}
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 300 && resp.Header.Get("X-Elastic-Product") != "Elasticsearch" {
		return nil, fmt.Errorf("%s: %w", x.where, ErrProduct)
	}
	answer, err := readAnswer(resp)
	if err != nil {
		return nil, fmt.Errorf("%w: read its answer: %w", ErrUnavailable, err)
	}
	if resp.StatusCode >= 300 {
		return nil, newStatusError(resp.StatusCode, answer)
	}
	return answer, nil
}

func readAnswer(resp *http.Response) ([]byte, error) {
	var b bytes.Buffer
	if n := resp.ContentLength; n > 0 && n < maxAnswer {
		b.Grow(int(n) + 512)
	}
	n, err := b.ReadFrom(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && n == maxAnswer {
		err = errors.New("too large")
	}
	return b.Bytes(), err
}
