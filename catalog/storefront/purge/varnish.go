package purge

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// varnish is a Varnish that runs the VCL of deploy/varnish.
type varnish struct {
	base   string
	token  string
	client *http.Client
}

// Varnish takes a header of 8 KiB by default, name included.
const (
	varnishKeys  = 1000
	varnishBytes = 6000
)

// AllKey is the key that the VCL of deploy/varnish puts on everything that it
// caches of the catalog.
const AllKey = "all"

func (v *varnish) String() string { return v.base }

// Purge sends keys in a header of PURGE requests.
func (v *varnish) Purge(ctx context.Context, keys []string, soft bool) error {
	header := "Xkey-Purge"
	if soft {
		header = "Xkey-Softpurge"
	}
	return batches(keys, varnishKeys, varnishBytes, func(some []string) error {
		r, err := http.NewRequestWithContext(ctx, "PURGE", v.base, nil)
		if err != nil {
			return fmt.Errorf("purge: asking %s: %w", v.base, err)
		}
		r.Header.Set(header, strings.Join(some, " "))
		if v.token != "" {
			r.Header.Set("Authorization", "Bearer "+v.token)
		}
		_, err = send(v.client, r, v.base)
		return err
	})
}

// PurgeAll makes all pages of the catalog stale.
func (v *varnish) PurgeAll(ctx context.Context) error { return v.Purge(ctx, []string{AllKey}, true) }
