package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// TestAskErrors: an error of who was asked ends a command as its own would.
func TestAskErrors(t *testing.T) {
	for _, c := range []struct {
		err    error
		is     error
		status int
	}{
		{fmt.Errorf("sort: %w", indexer.ErrQuery), indexer.ErrQuery, statusFailed}, // queryError makes it one of usage
		{fmt.Errorf("x: %w", indexer.ErrNoIndex), indexer.ErrNoIndex, statusFailed},
		{fmt.Errorf("x: %w", indexer.ErrSettings), indexer.ErrSettings, statusUsage},
		{&catalog.LeasedError{}, catalog.ErrLeased, statusFailed},
		{usagef("no such flag"), nil, statusUsage},
		{errors.New("disk"), nil, statusFailed},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			lines := &askLines{w: w}
			lines.progress(7)
			lines.end(nil, c.err)
		}))
		var seen int64
		err := askURL(t.Context(), server.Client(), server.URL, "", &question{What: askSearch}, func(n int64) { seen = n }, new(searchPage))
		server.Close()
		if err == nil || err.Error() != c.err.Error() || c.is != nil && !errors.Is(err, c.is) || exitStatus(err) != c.status || seen != 7 {
			t.Errorf("%v: became %v, status %d, progress %d", c.err, err, exitStatus(err), seen)
		}
	}
}

// TestAskCutOff: an answer that ends half-way is no answer.
func TestAskCutOff(t *testing.T) {
	for _, text := range []string{"", `{"progress":3}` + "\n", `{"answer":{"total"`, "null\n", "<html>"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }))
		page := searchPage{Total: -1}
		err := askURL(t.Context(), server.Client(), server.URL, "", &question{What: askSearch}, func(int64) {}, &page)
		server.Close()
		if !errors.Is(err, errCutOff) || page.Total != -1 {
			t.Errorf("%q: %v, %+v", text, err, page)
		}
	}
}

// TestAskEnding: who waits for an answer when the process that has the index
// ends is told so at once, and nobody answers after.
func TestAskEnding(t *testing.T) {
	t.Chdir(t.TempDir())
	a, _ := testApp()
	a.global.store = "pebble:./data"
	a.lookup = os.LookupEnv
	o := &indexOptions{name: "main"}
	store, err := a.openStore(t.Context(), mayCreate)
	if err != nil {
		t.Fatal(err)
	}
	index, err := a.openIndex(t.Context(), o, mayCreate)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody keeps the index, and never gets there.
	lease, err := store.Acquire(t.Context(), "index/main", "a test", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Apply(t.Context(), []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	shared := a.shareIndex(t.Context(), a.newRespondent(store, index, o))
	ended := make(chan error, 1)
	dir := filepath.Clean("data.index")
	go func() {
		ended <- askSocket(t.Context(), dir, &question{What: askUpdate}, func(int64) {}, new(indexReport))
	}()
	for shared.calls.Load() == 0 {
		pause(t.Context(), time.Millisecond)
	}
	start := time.Now()
	shared.stop()
	if err := <-ended; !errors.Is(err, errEnding) || time.Since(start) > shareDrain {
		t.Errorf("who waited was told after %v: %v", time.Since(start), err)
	}
	if err := askSocket(t.Context(), dir, &question{What: askStatus}, nil, new(indexStatus)); !errors.Is(err, errNobody) {
		t.Errorf("somebody answers: %v", err)
	}
	if err := errors.Join(store.Release(t.Context(), lease.Fence), index.Close(), store.Close()); err != nil {
		t.Error(err)
	}
}
