package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"catalog/catalog"
)

const deleteLong = `Delete records. Nothing is asked.

With a product its price and stock go too. Keys that are not there are named;
they are no failure, since the store then is as it was asked to be. To delete
what a file lists: 'catalog import --mode delete FILE'.
`

// deleteOptions are the flags of catalog delete.
type deleteOptions struct {
	kind string
}

func (o *deleteOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.kind, "kind", "products", "products, prices, stock, categories or attributes")
	completeWords(cmd, "kind", kindNames()...)
}

func newDeleteCommand(a *app) *cobra.Command {
	var o deleteOptions
	cmd := &cobra.Command{
		Use:     "delete SKU…",
		Short:   "Delete records by their keys",
		Long:    deleteLong + "\n" + exitHelp,
		Example: "  catalog delete 24-MB01\n  catalog delete --kind prices 24-MB01 24-MB02",
		GroupID: "records",
		Args:    atLeastOne("SKU"),
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runDelete(ctx, a, o, args)
		}),
	}
	o.addFlags(cmd)
	return cmd
}

// runDelete deletes the records of keys and says how many were there.
func runDelete(ctx context.Context, a *app, o deleteOptions, names []string) error {
	kind, err := catalog.ParseKind(o.kind)
	if err != nil {
		return usagef("--kind: %w", err)
	}
	kinds := []catalog.Kind{kind}
	if kind == catalog.KindProduct {
		kinds = append(kinds, catalog.KindPrice, catalog.KindStock)
	}
	var writes []catalog.Write
	for _, name := range names {
		if err := kind.CheckKey(name); err != nil {
			return usagef("%q: %w", name, err)
		}
		for _, k := range kinds {
			writes = append(writes, catalog.Write{Kind: k, Key: catalog.Key(name)})
		}
	}
	var results []catalog.Result
	err = a.withStore(ctx, mustExist, func(s catalog.Store) error {
		results, err = s.Apply(ctx, writes)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	deleted := make(map[catalog.Kind]int64)
	var absent error
	for i, r := range results {
		switch w := writes[i]; {
		case r.Outcome == catalog.Deleted:
			deleted[w.Kind]++
		case w.Kind == kind:
			absent = errors.Join(absent, fmt.Errorf("%s %q: not there", kind, w.Key))
		}
	}
	if absent != nil {
		fmt.Fprintln(a.stderr, absent)
	}
	if a.global.quiet {
		return nil
	}
	out := &printer{w: a.stdout}
	for _, k := range kinds {
		if k == kind || deleted[k] > 0 {
			out.printf("%s %s deleted\n", count(deleted[k]), k.Plural())
		}
	}
	return out.err
}
