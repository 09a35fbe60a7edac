package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"catalog/catalog"
)

const (
	fetchTries = 4
	fetchPause = 500 * time.Millisecond // before the second try; doubled for each further one
	fetchStall = 60 * time.Second       // without a byte: the connection is given up
)

// fetchClient is the client for URLs: no limit on the whole, since feeds are
// large, but on each step.
func fetchClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: fetchStall,
		ForceAttemptHTTP2:     true,
		DisableCompression:    true, // the feed's own compression is found by its first bytes
		DisableKeepAlives:     true,
	}}
}

// get asks for a URL once and returns the answer's body.
func get(ctx context.Context, u *url.URL, opts Options) (io.ReadCloser, error) {
	client := opts.Client
	if client == nil {
		client = fetchClient()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("%w: %v", ErrOption, err)
	}
	req.Header.Set("Accept", "application/x-ndjson, application/json, text/csv, application/vnd.apache.parquet, */*")
	for k, v := range opts.Header {
		req.Header.Set(k, v)
	}
	resp, err := client.Do(req)
	if err != nil {
		cause := context.Cause(ctx)
		cancel(nil)
		if cause != nil {
			return nil, cause
		}
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // without the URL, which may hold secrets
		}
		return nil, &transientError{fmt.Errorf("%w: %v", ErrFetch, err)}
	}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // best effort: it only adds to the message
		resp.Body.Close()
		cancel(nil)
		err := fmt.Errorf("%w: the server answered %s: %.200q", ErrFetch, resp.Status, strings.TrimSpace(string(body)))
		switch resp.StatusCode {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return nil, &transientError{err}
		}
		return nil, err
	}
	b := &fetched{body: resp.Body, ctx: ctx, cancel: cancel}
	b.timer = time.AfterFunc(fetchStall, func() { cancel(errStalled) })
	return b, nil
}

var errStalled = fmt.Errorf("no byte came for %s", fetchStall)

// transientError is worth another try.
type transientError struct{ error }

func (e *transientError) Unwrap() error { return e.error }

// fetched is the body of an answer. An interrupted one is a transientError.
type fetched struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func (f *fetched) Read(p []byte) (int, error) {
	n, err := f.body.Read(p)
	f.timer.Reset(fetchStall)
	switch {
	case err == nil, errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return n, err
	case f.ctx.Err() != nil && !errors.Is(context.Cause(f.ctx), errStalled):
		return n, context.Cause(f.ctx)
	case f.ctx.Err() != nil:
		err = errStalled
	}
	return n, &transientError{fmt.Errorf("%w: the transfer broke off (%w: %v)", ErrFetch, ErrTruncated, err)}
}

func (f *fetched) Close() error {
	f.timer.Stop()
	f.cancel(nil)
	return f.body.Close()
}

// pause waits before try n+1, or until the context is done.
func pause(ctx context.Context, n int) error {
	if catalog.Sleep(ctx, fetchPause<<n) != nil {
		return context.Cause(ctx)
	}
	return nil
}
