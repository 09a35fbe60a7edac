package purge

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// fastly is a service of Fastly.
type fastly struct {
	base   string // of the service, without a slash at the end
	token  string
	client *http.Client
}

// What Fastly takes in one request.
const (
	fastlyKeys  = 256
	fastlyBytes = 16000
)

func (f *fastly) String() string { return f.base }

// Purge posts keys in the header Surrogate-Key.
func (f *fastly) Purge(ctx context.Context, keys []string, soft bool) error {
	return batches(keys, fastlyKeys, fastlyBytes, func(some []string) error {
		return f.post(ctx, "/purge", strings.Join(some, " "), soft)
	})
}

// PurgeAll drops everything: Fastly has no soft way.
func (f *fastly) PurgeAll(ctx context.Context) error { return f.post(ctx, "/purge_all", "", false) }

func (f *fastly) post(ctx context.Context, path, keys string, soft bool) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.base+path, nil)
	if err != nil {
		return fmt.Errorf("purge: asking %s: %w", f.base, err)
	}
	r.Header.Set("Accept", "application/json")
	if f.token != "" {
		r.Header.Set("Fastly-Key", f.token)
	}
	if keys != "" {
		r.Header.Set("Surrogate-Key", keys)
	}
	if soft {
		r.Header.Set("Fastly-Soft-Purge", "1")
	}
	_, err = send(f.client, r, f.base)
	return err
}
