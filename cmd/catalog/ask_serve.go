package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"catalog/catalog"
	"catalog/catalog/storefront"
	"catalog/indexer"
)

// askPath is where questions are asked: /v1/index/search and so on. The body is
// a question; the answer is lines of JSON, each an askLine, the last of which
// has the answer or an error.
const askPath = "/v1/index/"

// askLine is a line of an answer.
type askLine struct {
	Progress int64           `json:"progress,omitempty"`
	Answer   json.RawMessage `json:"answer,omitempty"`
	Error    string          `json:"error,omitempty"`
	Kind     string          `json:"kind,omitempty"` // of the error: a name of askErrors
}

// errEnding is the error of a process that is about to end.
var errEnding = errors.New("the process that has the index is ending")

// askErrors are the errors that mean something to who asked.
var askErrors = []struct {
	kind string
	err  error
}{
	{"query", indexer.ErrQuery},
	{"no_index", indexer.ErrNoIndex},
	{"settings", indexer.ErrSettings},
	{"corrupt", indexer.ErrCorrupt},
	{"leased", catalog.ErrLeased},
	{"ending", errEnding},
}

// Limits of questions.
const (
	maxQuestion  = 64 << 20 // bytes; settings may be long
	maxQuestions = 8        // at a time; others wait
	askBeat      = time.Second
)

// newAskHandler answers questions. Whoever may use it sees all prices, and may
// have the index worked upon.
func (r *respondent) newAskHandler(closing <-chan struct{}) http.Handler {
	turns := make(chan struct{}, maxQuestions)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var q question
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxQuestion))
		if err == nil {
			err = json.Unmarshal(body, &q)
		}
		q.What = strings.TrimPrefix(req.URL.Path, askPath) // which is what roles were checked for
		if err != nil || req.Method != http.MethodPost {
			http.Error(w, "POST a question", http.StatusBadRequest)
			return
		}
		// An answer may take longer than whoever set a deadline for the body
		// thought. A writer without deadlines is a test's.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		ctx, cancel := context.WithCancelCause(req.Context())
		defer cancel(nil)
		over := make(chan struct{})
		defer close(over)
		go func() {
			select {
			case <-closing:
				cancel(errEnding)
			case <-over:
			}
		}()
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-ctx.Done():
		}
		lines := &askLines{w: w}
		answer, err := r.answer(ctx, &q, lines.progress)
		if err != nil && context.Cause(ctx) != nil {
			err = context.Cause(ctx)
		}
		lines.end(answer, err)
	})
}

// askLines writes an answer.
type askLines struct {
	w     http.ResponseWriter
	begun bool
	last  time.Time
}

func (l *askLines) write(line askLine) {
	if !l.begun {
		l.w.Header().Set("Content-Type", "application/x-ndjson")
		l.w.Header().Set("Cache-Control", "no-store")
		l.begun = true
	}
	text, err := json.Marshal(line)
	if err != nil { // RawMessage is what was marshalled before
		return
	}
	_, _ = l.w.Write(append(text, '\n')) // who went away does not want it
	_ = http.NewResponseController(l.w).Flush()
}

// progress tells how far it is, now and then.
func (l *askLines) progress(n int64) {
	if now := time.Now(); now.Sub(l.last) >= askBeat {
		l.last = now
		l.write(askLine{Progress: n})
	}
}

func (l *askLines) end(answer any, err error) {
	line := askLine{}
	if err == nil {
		line.Answer, err = json.Marshal(answer)
	}
	if err != nil {
		line.Error, line.Kind = err.Error(), "failed"
		var usage usageError
		if errors.As(err, &usage) {
			line.Kind = "usage"
		}
		for _, e := range askErrors {
			if errors.Is(err, e.err) {
				line.Kind = e.kind
			}
		}
	}
	l.write(line)
}

// shareIndex lets others ask the index that this process has open, if it is
// one that is in one process at a time. That it cannot be shared is no reason
// not to use it. The share returned may be nil.
func (a *app) shareIndex(ctx context.Context, r *respondent) *share {
	dir, ok := r.opts.folder(a)
	if !ok || !a.shares {
		return nil
	}
	s, err := a.listen(ctx, dir, r.newAskHandler)
	if err != nil {
		a.log.Warn("other commands cannot use the index meanwhile", "err", err)
		return nil
	}
	return s
}

// mountIndex lets the commands of others ask the index over HTTP.
func mountIndex(r *respondent, closing <-chan struct{}) []storefront.Mount {
	h := r.newAskHandler(closing)
	return []storefront.Mount{
		{Pattern: askPath, Role: storefront.RoleRead, Handler: h},
		{Pattern: askPath + askUpdate, Role: storefront.RoleImport, Handler: h},
		{Pattern: askPath + askVerify, Role: storefront.RoleAdmin, Handler: h},
		{Pattern: askPath + askRebuild, Role: storefront.RoleAdmin, Handler: h},
	}
}
