package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"catalog/catalog"
)

// leaseTime is how long an import that was killed keeps others of its source
// waiting in a store that outlives it, and how long one may stand still.
const leaseTime = 15 * time.Second

// LeaseName is the name of the lease that an import of a source has meanwhile.
func LeaseName(kind catalog.Kind, source string) string {
	name := "import/" + kind.Plural() + "/" + source
	return name[:min(len(name), catalog.MaxKey)]
}

// alone runs f while no other import of this kind and source runs: two would
// undo each other's work, and sync would delete what the other has just
// brought.
func (r *run) alone(ctx context.Context, f func(context.Context) error) error {
	if r.o.DryRun {
		return f(ctx)
	}
	// A holder may take its own lease again: this one is nobody else's.
	holder := r.o.Holder + ", import " + r.acc.rep.ID
	lease, err := catalog.TakeLease(ctx, r.store, LeaseName(r.o.Kind, r.o.Source), holder, leaseTime, func(catalog.LeaseInfo) {
		r.prog.phase("waiting for another import of this source", 0)
	})
	if err != nil {
		var other *catalog.LeasedError
		if errors.As(err, &other) {
			return fmt.Errorf("source %s is being imported: %w", r.o.Source, err)
		}
		return err
	}
	return catalog.KeepLease(ctx, r.store, lease.Fence, leaseTime, func(ctx context.Context) error {
		return f(catalog.WithFence(ctx, lease.Fence))
	})
}
