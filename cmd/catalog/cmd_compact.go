package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"catalog/catalog"
)

const compactLong = `Rewrite the store's files so that they are as small and as fast to read as they
get. The store does this by itself in time; nothing ever needs it.
`

func newCompactCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "compact",
		Short:   "Make the store's files small",
		Long:    compactLong + "\n" + exitHelp,
		GroupID: "store",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			return runCompact(ctx, a)
		}),
	}
}

// runCompact compacts the store and says what that gained.
func runCompact(ctx context.Context, a *app) error {
	a.shares = true
	return a.withStore(ctx, mustExist, func(s catalog.Store) error {
		c, ok := s.(catalog.Compacter)
		if !ok {
			return usagef("this store has no files to compact")
		}
		before, err := s.Stats(ctx)
		if err != nil {
			return fmt.Errorf("compact: %w", err)
		}
		if err := c.Compact(ctx); errors.Is(err, errors.ErrUnsupported) {
			return usagef("this store has no files to compact")
		} else if err != nil {
			return fmt.Errorf("compact: %w", err)
		}
		after, err := s.Stats(ctx)
		if err != nil {
			return fmt.Errorf("compact: %w", err)
		}
		if a.global.quiet {
			return nil
		}
		_, err = fmt.Fprintf(a.stdout, "%s before, %s now\n", size(before.DiskBytes), size(after.DiskBytes))
		return err
	})
}
