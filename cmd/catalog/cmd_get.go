package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/importer/export"
)

const getLong = `Print records as the store has them.

A product is shown with its price and stock joined back into it, as a feed may
carry them. --raw prints the stored bytes of one record a line instead, without
price and stock. Records that are not there are named on standard error, and
the exit status is 1; those that are there are printed all the same.
`

// getOptions are the flags of catalog get.
type getOptions struct {
	kind      string
	raw       bool
	storeView string
}

func (o *getOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.kind, "kind", "products", "products, prices, stock, categories or attributes")
	f.BoolVar(&o.raw, "raw", false, "the stored bytes, one record a line")
	f.StringVar(&o.storeView, "store-view", "", "as the store view of that `CODE` sees it: its overlay applied")
	completeWords(cmd, "kind", kindNames()...)
}

func newGetCommand(a *app) *cobra.Command {
	var o getOptions
	cmd := &cobra.Command{
		Use:     "get SKU…",
		Short:   "Print records by their keys",
		Long:    getLong + "\n" + exitHelp,
		Example: "  catalog get 24-MB01 24-MB02\n  catalog get --store-view de 24-MB01\n  catalog get --kind categories 'Men/Shoes'",
		GroupID: "records",
		Args:    atLeastOne("SKU"),
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runGet(ctx, a, o, args)
		}),
	}
	o.addFlags(cmd)
	return cmd
}

// runGet prints the records of keys in the order asked.
func runGet(ctx context.Context, a *app, o getOptions, names []string) error {
	kind, err := catalog.ParseKind(o.kind)
	if err != nil {
		return usagef("--kind: %w", err)
	}
	if o.raw && o.storeView != "" {
		return usagef("--raw and --store-view exclude each other")
	}
	keys := make([]catalog.Key, len(names))
	for i, name := range names {
		keys[i] = catalog.Key(name)
	}
	var bodies [][]byte
	err = a.withStore(ctx, mustExist, func(s catalog.Store) error {
		bodies, err = getBodies(ctx, s, kind, keys, !o.raw)
		return err
	})
	if err != nil {
		return err
	}
	out := &printer{w: a.stdout}
	var missing error
	for i, body := range bodies {
		if body == nil {
			missing = errors.Join(missing, fmt.Errorf("%s %q: %w", kind, keys[i], catalog.ErrNotFound))
			continue
		}
		if !o.raw {
			if body, err = pretty(body, o.storeView); err != nil {
				return fmt.Errorf("%s %q: %w", kind, keys[i], err)
			}
		}
		out.printf("%s\n", body)
	}
	return errors.Join(out.err, missing)
}

// getBodies returns the bodies of keys, nil for what is not there; those of
// products with price and stock, if asked for.
func getBodies(ctx context.Context, s catalog.Store, kind catalog.Kind, keys []catalog.Key, join bool) ([][]byte, error) {
	records, err := s.Get(ctx, kind, keys...)
	if err != nil {
		return nil, err
	}
	bodies := make([][]byte, len(keys))
	for i, r := range records {
		if r.Exists() {
			bodies[i] = r.Body
		}
	}
	if kind != catalog.KindProduct || !join {
		return bodies, nil
	}
	prices, err := s.Get(ctx, catalog.KindPrice, keys...)
	if err != nil {
		return nil, err
	}
	stock, err := s.Get(ctx, catalog.KindStock, keys...)
	if err != nil {
		return nil, err
	}
	for i, body := range bodies {
		if body != nil {
			bodies[i] = export.Join(nil, body, prices[i].Body, stock[i].Body)
		}
	}
	return bodies, nil
}

// pretty indents a body, after the overlay of a store view if one is named.
func pretty(body []byte, view string) ([]byte, error) {
	if view != "" {
		var err error
		if body, err = overlaid(body, view); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	err := json.Indent(&b, body, "", "  ")
	return b.Bytes(), err
}
