package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/indexer"
)

const searchLong = `Search products by text, filters, or both.

Every word must match something; the last one also as a beginning. Words that
nobody uses may have a typo. When nothing matches all words, the answer says
what was given up.
` + filterHelp

const browseLong = `Show a category as a shop does: its products in their order, what is below it,
and the facets that narrow it best. The CATEGORY is a path as the store view's
tree has it, or an id; without one the whole tree is shown.
` + filterHelp

const filterHelp = `
FILTERS
  brand=Asics,Hoka    any of these values          color        has any value
  price=50..120       from 50 to 120               !color=red   not this value
  price=50..<100      below 100                    weight=..2.5 up to 2.5
  in_stock=true       created_at=2026-01..         category, sku
  Several filters hold together; of a configurable, for one and the same
  variant. An attribute that is named like one of these: attributes.price=…

SORT
  relevance, position, price, name, newest, or an attribute of numbers or
  dates; -price or price:desc is the other way around.
`

// queryOptions are the flags of search and browse.
type queryOptions struct {
	indexOptions
	filters, facets     []string
	auto, values        int
	sort, category      string
	store, group, money string
	lists               []string
	variants, noFacets  bool
	page, size          int
	after               string
	asJSON              bool
}

func (o *queryOptions) addFlags(cmd *cobra.Command) {
	o.indexOptions.addFlags(cmd)
	o.addView(cmd)
	f := cmd.Flags()
	f.StringArrayVarP(&o.filters, "filter", "f", nil, "only products that meet `FIELD=VALUES`; may be repeated")
	f.StringArrayVar(&o.facets, "facet", nil, "show this `FIELD` as a facet, before those that are chosen; may be repeated")
	f.IntVar(&o.auto, "facets", 8, "choose the `N` facets that narrow the answer best")
	f.IntVar(&o.values, "facet-values", 8, "show `N` values of a facet")
	f.BoolVar(&o.noFacets, "no-facets", false, "show no facets")
	f.StringVar(&o.sort, "sort", "", "`ORDER` of the products")
	f.BoolVar(&o.variants, "variants", false, "show variants instead of their products")
	f.IntVar(&o.page, "page", 1, "show page `N`")
	f.IntVar(&o.size, "size", indexer.DefaultSize, "show `N` products")
	f.StringVar(&o.after, "after", "", "go on at this `CURSOR` of the page before")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
}

// addView adds the flags that say who asks.
func (o *queryOptions) addView(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.store, "store-view", "", "as the store view of that `CODE` sees it")
	f.StringVar(&o.group, "group", "", "prices of this customer `GROUP`")
	f.StringArrayVar(&o.lists, "price-list", nil, "prices of this `LIST`; may be repeated")
	f.StringVar(&o.money, "currency", "", "prices in this `CURRENCY`; the store view's if empty")
}

func (o *queryOptions) view() indexer.View {
	return indexer.View{Store: o.store, Currency: o.money, Group: o.group, Lists: o.lists}
}

// query turns the flags into a query.
func (o *queryOptions) query(text string) (indexer.Query, error) {
	q := indexer.Query{View: o.view(), Text: text, Category: o.category, Variants: o.variants, Page: o.page, Size: o.size, After: o.after}
	for _, s := range o.filters {
		f, err := indexer.ParseFilter(s)
		if err != nil {
			return q, usagef("--filter: %w", err)
		}
		q.Filters = append(q.Filters, f)
	}
	var err error
	if q.Sort, err = indexer.ParseSort(o.sort); err != nil {
		return q, usagef("--sort: %w", err)
	}
	if !o.noFacets {
		q.Facets = indexer.Facets{Names: o.facets, Auto: o.auto, Values: o.values}
	}
	return q, nil
}

func newSearchCommand(a *app) *cobra.Command {
	var o queryOptions
	cmd := &cobra.Command{
		Use:     "search [TEXT]",
		Short:   "Search products",
		Long:    searchLong + "\n" + exitHelp,
		Example: "  catalog search \"trail shoes\" --filter brand=Asics,Hoka --filter price=50..120 --facet color --sort price\n  catalog search --filter 'created_at=2026-01..' --json",
		GroupID: "search",
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runSearch(ctx, a, &o, strings.Join(args, " "))
		}),
	}
	o.addFlags(cmd)
	cmd.Flags().StringVar(&o.category, "category", "", "in this category or below: `PATH` or id")
	return cmd
}

func newBrowseCommand(a *app) *cobra.Command {
	var o queryOptions
	cmd := &cobra.Command{
		Use:     "browse [CATEGORY]",
		Short:   "Show a category's page, or the tree of categories",
		Long:    browseLong + "\n" + exitHelp,
		Example: "  catalog browse\n  catalog browse Men/Shoes\n  catalog browse Men/Shoes --filter color=red --sort -price --store-view de",
		GroupID: "search",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: a.action(func(ctx context.Context, args []string) error {
			if len(args) == 0 {
				return runTree(ctx, a, &o)
			}
			o.category = args[0]
			return runSearch(ctx, a, &o, "")
		}),
	}
	o.addFlags(cmd)
	return cmd
}

// queryError turns what is wrong with a query into a usage error.
func (o *queryOptions) queryError(a *app, err error) error {
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

func runSearch(ctx context.Context, a *app, o *queryOptions, text string) error {
	q, err := o.query(text)
	if err != nil {
		return err
	}
	var page searchPage
	err = a.withIndex(ctx, &o.indexOptions, mustExist, func(s catalog.Store, x indexer.Index) error {
		e := a.engine(s, x, &o.indexOptions)
		if _, err := e.Shop(ctx); err != nil { // not part of what a search takes
			return err
		}
		start := time.Now()
		r, err := e.Search(ctx, q)
		if err != nil {
			return o.queryError(a, err)
		}
		took := time.Since(start)
		page, err = newSearchPage(ctx, s, e, o, r)
		page.Milliseconds = float64(took.Microseconds()) / 1000
		return err
	})
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(a.stdout, page)
	}
	return printPage(a.stdout, &page)
}

func runTree(ctx context.Context, a *app, o *queryOptions) error {
	q, err := o.query("")
	if err != nil {
		return err
	}
	var root *indexer.TreeNode
	err = a.withIndex(ctx, &o.indexOptions, mustExist, func(s catalog.Store, x indexer.Index) error {
		root, err = a.engine(s, x, &o.indexOptions).Tree(ctx, q)
		return o.queryError(a, err)
	})
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(a.stdout, newTreePage(root))
	}
	p := &printer{w: a.stdout}
	var show func(n *indexer.TreeNode, depth int)
	show = func(n *indexer.TreeNode, depth int) {
		for _, c := range n.Children {
			p.printf("%s%s  %s\n", strings.Repeat("  ", depth), c.Name, count(int64(c.Count)))
			show(c, depth+1)
		}
	}
	show(root, 0)
	return p.err
}
