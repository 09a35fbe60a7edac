package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

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
	queryFlags
	asJSON bool
}

// queryFlags are those of them that whoever has the index answers by.
type queryFlags struct {
	Filters  []string `json:"filters,omitempty"`
	Facets   []string `json:"facets,omitempty"`
	Auto     int      `json:"auto,omitempty"`
	Values   int      `json:"values,omitempty"`
	NoFacets bool     `json:"no_facets,omitempty"`
	Sort     string   `json:"sort,omitempty"`
	Category string   `json:"category,omitempty"`
	Store    string   `json:"store,omitempty"`
	Group    string   `json:"group,omitempty"`
	Currency string   `json:"currency,omitempty"`
	Lists    []string `json:"lists,omitempty"`
	Variants bool     `json:"variants,omitempty"`
	Page     int      `json:"page,omitempty"`
	Size     int      `json:"size,omitempty"`
	After    string   `json:"after,omitempty"`
}

func (o *queryOptions) addFlags(cmd *cobra.Command) {
	o.indexOptions.addFlags(cmd)
	o.addView(cmd)
	f := cmd.Flags()
	f.StringArrayVarP(&o.Filters, "filter", "f", nil, "only products that meet `FIELD=VALUES`; may be repeated")
	f.StringArrayVar(&o.Facets, "facet", nil, "show this `FIELD` as a facet, before those that are chosen; may be repeated")
	f.IntVar(&o.Auto, "facets", 8, "choose the `N` facets that narrow the answer best")
	f.IntVar(&o.Values, "facet-values", 8, "show `N` values of a facet")
	f.BoolVar(&o.NoFacets, "no-facets", false, "show no facets")
	f.StringVar(&o.Sort, "sort", "", "`ORDER` of the products")
	f.BoolVar(&o.Variants, "variants", false, "show variants instead of their products")
	f.IntVar(&o.Page, "page", 1, "show page `N`")
	f.IntVar(&o.Size, "size", indexer.DefaultSize, "show `N` products")
	f.StringVar(&o.After, "after", "", "go on at this `CURSOR` of the page before")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
}

// addView adds the flags that say who asks.
func (o *queryOptions) addView(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Store, "store-view", "", "as the store view of that `CODE` sees it")
	f.StringVar(&o.Group, "group", "", "prices of this customer `GROUP`")
	f.StringArrayVar(&o.Lists, "price-list", nil, "prices of this `LIST`; may be repeated")
	f.StringVar(&o.Currency, "currency", "", "prices in this `CURRENCY`; the store view's if empty")
}

func (o *queryFlags) view() indexer.View {
	return indexer.View{Store: o.Store, Currency: o.Currency, Group: o.Group, Lists: o.Lists}
}

// query turns the flags into a query.
func (o *queryFlags) query(text string) (indexer.Query, error) {
	q := indexer.Query{View: o.view(), Text: text, Category: o.Category, Variants: o.Variants, Page: o.Page, Size: o.Size, After: o.After}
	for _, s := range o.Filters {
		f, err := indexer.ParseFilter(s)
		if err != nil {
			return q, usagef("--filter: %w", err)
		}
		q.Filters = append(q.Filters, f)
	}
	var err error
	if q.Sort, err = indexer.ParseSort(o.Sort); err != nil {
		return q, usagef("--sort: %w", err)
	}
	if !o.NoFacets {
		q.Facets = indexer.Facets{Names: o.Facets, Auto: o.Auto, Values: o.Values}
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
	cmd.Flags().StringVar(&o.Category, "category", "", "in this category or below: `PATH` or id")
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
			o.Category = args[0]
			return runSearch(ctx, a, &o, "")
		}),
	}
	o.addFlags(cmd)
	return cmd
}

func runSearch(ctx context.Context, a *app, o *queryOptions, text string) error {
	if _, err := o.query(text); err != nil {
		return err
	}
	page, err := ask[searchPage](ctx, a, &o.indexOptions, &question{What: askSearch, Text: text, queryFlags: o.queryFlags}, nil)
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(a.stdout, page)
	}
	return printPage(a.stdout, &page)
}

func runTree(ctx context.Context, a *app, o *queryOptions) error {
	if _, err := o.query(""); err != nil {
		return err
	}
	root, err := ask[*treePage](ctx, a, &o.indexOptions, &question{What: askTree, queryFlags: o.queryFlags}, nil)
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(a.stdout, root)
	}
	p := &printer{w: a.stdout}
	var show func(n *treePage, depth int)
	show = func(n *treePage, depth int) {
		for _, c := range n.Children {
			p.printf("%s%s  %s\n", strings.Repeat("  ", depth), c.Name, count(int64(c.Count)))
			show(c, depth+1)
		}
	}
	show(root, 0)
	return p.err
}
