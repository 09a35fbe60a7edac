package purge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Target is a cache that takes purges. Its methods may be called by several
// goroutines; repeating a purge does no harm.
type Target interface {
	// Purge makes the pages with one of the keys stale, or drops them if soft
	// is false. It sends as many requests as the cache needs.
	Purge(ctx context.Context, keys []string, soft bool) error
	// PurgeAll makes all pages stale, or drops them where the cache knows no
	// other way.
	PurgeAll(ctx context.Context) error
	// String names the target without secrets.
	String() string
}

// ErrTarget is the error of an address that is not that of a cache.
var ErrTarget = errors.New("not the address of a cache")

// ParseTarget returns the cache of an address:
//
//	http://varnish:6081                       Varnish with deploy/varnish's VCL
//	fastly://SERVICE                          Fastly
//	cloudflare://ZONE                         Cloudflare
//	fastly+https://host/service/SERVICE       what speaks like Fastly
//	cloudflare+https://host/zones/ZONE        what speaks like Cloudflare
//
// token is what the cache asks for; it never appears in errors. client sends
// the requests; nil is one with a timeout of 10 s. An address that is none of
// these is ErrTarget.
func ParseTarget(address, token string, client *http.Client) (Target, error) {
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("purge: %w: it has the form http://host:port, fastly://SERVICE or cloudflare://ZONE", ErrTarget)
	}
	if u.User != nil {
		return nil, fmt.Errorf("purge: %w: give secrets as token, not in the address", ErrTarget)
	}
	kind, scheme, plus := strings.Cut(u.Scheme, "+")
	if plus && scheme != "http" && scheme != "https" {
		return nil, fmt.Errorf("purge: %w: unknown scheme %q", ErrTarget, u.Scheme)
	}
	base := *u
	base.Scheme, base.RawQuery, base.Fragment = scheme, "", ""
	base.Path = strings.TrimSuffix(base.Path, "/")
	switch {
	case u.Scheme == "http", u.Scheme == "https":
		base.Scheme = u.Scheme
		return &varnish{base: base.String() + "/", token: token, client: client}, nil
	case kind == "varnish" && plus:
		return &varnish{base: base.String() + "/", token: token, client: client}, nil
	case kind == "fastly":
		at := base.String()
		if !plus {
			at = "https://api.fastly.com/service/" + url.PathEscape(u.Host)
		}
		return &fastly{base: at, token: token, client: client}, nil
	case kind == "cloudflare":
		at := base.String()
		if !plus {
			at = "https://api.cloudflare.com/client/v4/zones/" + url.PathEscape(u.Host)
		}
		return &cloudflare{base: at, token: token, client: client}, nil
	}
	return nil, fmt.Errorf("purge: %w: unknown scheme %q", ErrTarget, u.Scheme)
}

// statusError is an answer that is no success.
type statusError struct {
	target string
	status int
	after  time.Duration // how long to wait, if the cache said so
	text   string
}

// Error says what the cache answered.
func (e *statusError) Error() string {
	return fmt.Sprintf("purge: %s answered %d: %s", e.target, e.status, e.text)
}

// refused reports that the cache does not take these keys, now or later,
// though it might take others.
func (e *statusError) refused() bool {
	return e.status == http.StatusBadRequest || e.status == http.StatusRequestEntityTooLarge ||
		e.status == http.StatusUnprocessableEntity || e.status == http.StatusRequestHeaderFieldsTooLarge
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// send sends a request and returns the start of the answer's body, or a
// *statusError.
func send(client *http.Client, r *http.Request, target string) ([]byte, error) {
	resp, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("purge: sending to %s: %w", target, err)
	}
	defer func() { _ = resp.Body.Close() }() // nothing more is read of it
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("purge: reading the answer of %s: %w", target, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		e := &statusError{target: target, status: resp.StatusCode, text: strings.TrimSpace(string(body[:min(len(body), 200)]))}
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 && s < 3600 {
			e.after = time.Duration(s) * time.Second
		}
		return nil, e
	}
	return body, nil
}

// batches calls f with groups of at most maxKeys keys and maxBytes bytes, with
// one byte between keys; a single key may be longer.
func batches(keys []string, maxKeys, maxBytes int, f func([]string) error) error {
	for len(keys) > 0 {
		n, size := 1, len(keys[0])
		for n < len(keys) && n < maxKeys && size+1+len(keys[n]) <= maxBytes {
			size += 1 + len(keys[n])
			n++
		}
		if err := f(keys[:n]); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// halves sends keys by f. If the cache refuses some of them, it tries each half,
// and so finds the key that it does not take, which it hands to drop.
func halves(keys []string, f func([]string) error, drop func(string, error)) error {
	err := f(keys)
	var se *statusError
	if !errors.As(err, &se) || !se.refused() {
		return err
	}
	if len(keys) == 1 {
		drop(keys[0], err)
		return nil
	}
	if err := halves(keys[:len(keys)/2], f, drop); err != nil {
		return err
	}
	return halves(keys[len(keys)/2:], f, drop)
}
