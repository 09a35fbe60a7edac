package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex"
)

// ask answers a question by the index that the flags name. An embedded one that
// another process has open is asked through the socket in its folder; that of
// a server whose store is used, over HTTP.
func ask[T any](ctx context.Context, a *app, o *indexOptions, q *question, progress func(int64)) (T, error) {
	var out T
	if progress == nil {
		progress = func(int64) {}
	}
	settings, err := o.own()
	if err != nil {
		return out, err
	}
	q.Settings = settings
	err = a.askAnyone(ctx, o, q, progress, &out, func() error {
		return a.withIndex(ctx, o, mustExist, func(s catalog.Store, x indexer.Index) error {
			answer, err := a.newRespondent(s, x, o).answer(ctx, q, progress)
			if v, ok := answer.(T); ok {
				out = v
			}
			return err
		})
	})
	return out, o.queryError(a, err)
}

// askAnyone puts the answer into out: that of a server, of the process that has
// the index, or else of this one, by alone.
func (a *app) askAnyone(ctx context.Context, o *indexOptions, q *question, progress func(int64), out any, alone func() error) error {
	if o.behindServer(a) {
		return a.askServer(ctx, q, progress, out)
	}
	dir, ok := o.folder(a)
	if !ok {
		return alone()
	}
	for end := time.Now().Add(lockPatience); ; pause(ctx, lockPause) {
		asked := askSocket(ctx, dir, q, progress, out)
		switch {
		case errors.Is(asked, errEnding), errors.Is(asked, errCutOff):
			// Who had the index takes a moment to let go of it.
			end = time.Now().Add(revivePatience)
		case !errors.Is(asked, errNobody):
			return asked
		}
		err := alone()
		if !errors.Is(err, facetindex.ErrLocked) || ctx.Err() != nil || time.Now().After(end) {
			return err
		}
	}
}

var (
	// errNobody: nobody listens.
	errNobody = errors.New("nobody answers for the index")
	// errCutOff: whoever was asked has ended meanwhile.
	errCutOff = errors.New("the answer ends before it is complete")
)

// askSocket asks the process that has the index in a folder.
func askSocket(ctx context.Context, dir string, q *question, progress func(int64), out any) error {
	p, err := newPlace(dir)
	if err != nil {
		return errNobody // no folder, no index
	}
	defer p.close()
	if !p.dial(ctx) {
		return errNobody
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", p.path())
	}}
	err = askURL(ctx, &http.Client{Transport: transport}, "http://index", "", q, progress, out)
	var lost *url.Error
	if errors.As(err, &lost) && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", errCutOff, err)
	}
	return err
}

// askServer asks the server whose store is used.
func (a *app) askServer(ctx context.Context, q *question, progress func(int64), out any) error {
	token, err := a.storeToken()
	if err != nil {
		return err
	}
	config, err := a.storeTLS()
	if err != nil {
		return err
	}
	base, err := url.Parse(a.global.store)
	if err != nil || base.Host == "" || base.User != nil || strings.Trim(base.Path, "/") != "" || base.RawQuery != "" {
		return usagef("--store is no address of a server: use http(s)://HOST:PORT")
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: config, Proxy: http.ProxyFromEnvironment}
	return askURL(ctx, &http.Client{Transport: transport}, base.Scheme+"://"+base.Host, token, q, progress, out)
}

// askURL asks whoever answers at an address.
func askURL(ctx context.Context, client *http.Client, base, token string, q *question, progress func(int64), out any) error {
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+askPath+q.What, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking for the index: %w", err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return usagef("%s has no index that can be asked: name one by --index-url", base)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s refuses: %s: give the server's token by CATALOG_STORE_TOKEN or --store-token-file", base, detailOf(res))
	default:
		return fmt.Errorf("%s answers %s: %s", base, res.Status, detailOf(res))
	}
	lines := json.NewDecoder(res.Body)
	for {
		var line askLine
		if err := lines.Decode(&line); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w: %w", errCutOff, err)
		}
		switch {
		case line.Error != "":
			return answered(line)
		case line.Answer != nil:
			return json.Unmarshal(line.Answer, out)
		}
		progress(line.Progress)
	}
}

// detailOf returns what an answer that is an error says.
func detailOf(res *http.Response) string {
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	var problem struct {
		Detail string `json:"detail"`
	}
	if err == nil && json.Unmarshal(text, &problem) == nil && problem.Detail != "" {
		return problem.Detail
	}
	return "without a reason"
}

// answeredError is an error of who was asked.
type answeredError struct {
	text string
	kind error
}

func (e *answeredError) Error() string { return e.text }
func (e *answeredError) Unwrap() error { return e.kind }

// answered returns the error of a line, which is what it would be here.
func answered(line askLine) error {
	if line.Kind == "usage" {
		return usageError{errors.New(line.Error)}
	}
	for _, e := range askErrors {
		if e.kind == line.Kind {
			return &answeredError{line.Error, e.err}
		}
	}
	return errors.New(line.Error)
}

// own returns the settings of search that the flags name; nil if they name none.
func (o *indexOptions) own() (*indexer.Settings, error) {
	if o.settings == "" && o.synonyms == "" && o.stopWords == "" {
		return nil, nil
	}
	return o.load()()
}

// behindServer reports whether the index is that of the server whose store is
// used.
func (o *indexOptions) behindServer(a *app) bool {
	scheme, _, _ := strings.Cut(a.global.store, ":")
	return o.url == "" && (scheme == "http" || scheme == "https")
}

// folder returns where an embedded index is.
func (o *indexOptions) folder(a *app) (string, bool) {
	place, err := o.place(a)
	if err != nil {
		return "", false
	}
	dir, ok := strings.CutPrefix(place, "facet:")
	dir = strings.TrimPrefix(dir, "//")
	return dir, ok && dir != ""
}

// queryError turns what is wrong with a query into a usage error.
func (o *indexOptions) queryError(a *app, err error) error {
	if errors.Is(err, indexer.ErrQuery) {
		return usageError{err}
	}
	if errors.Is(err, indexer.ErrNoIndex) {
		if url, uerr := o.place(a); uerr == nil {
			return noIndex(url)
		}
	}
	return err
}
