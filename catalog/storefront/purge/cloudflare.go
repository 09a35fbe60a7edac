package purge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// cloudflare is a zone of Cloudflare. Its purges are never soft; pages are
// served stale during a fetch by stale-while-revalidate alone.
type cloudflare struct {
	base   string // of the zone, without a slash at the end
	token  string
	client *http.Client
}

// What Cloudflare takes in one request, on its smallest plan.
const (
	cloudflareKeys  = 30
	cloudflareBytes = 30 << 10
)

func (c *cloudflare) String() string { return c.base }

// Purge posts keys as tags.
func (c *cloudflare) Purge(ctx context.Context, keys []string, _ bool) error {
	return batches(keys, cloudflareKeys, cloudflareBytes, func(some []string) error {
		return c.post(ctx, map[string]any{"tags": some})
	})
}

// PurgeAll drops everything of the zone.
func (c *cloudflare) PurgeAll(ctx context.Context) error {
	return c.post(ctx, map[string]any{"purge_everything": true})
}

func (c *cloudflare) post(ctx context.Context, what map[string]any) error {
	doc, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("purge: writing the request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/purge_cache", bytes.NewReader(doc))
	if err != nil {
		return fmt.Errorf("purge: asking %s: %w", c.base, err)
	}
	r.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	body, err := send(c.client, r, c.base)
	if err != nil {
		return err
	}
	var answer struct {
		Success *bool `json:"success"`
		Errors  []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Success == nil || *answer.Success {
		return nil // the status said that it worked
	}
	text := "no success"
	if len(answer.Errors) > 0 {
		text = answer.Errors[0].Message
	}
	return &statusError{target: c.base, status: http.StatusOK, text: text}
}
