package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"catalog/indexer"
)

const suggestLong = `Complete what is being typed: products, categories, attribute values and words,
as a search box shows them.
`

// suggestPage is what catalog suggest prints, as JSON with --json.
type suggestPage struct {
	Words      []string     `json:"words"`
	Categories []categoryID `json:"categories"`
	Values     []valueOf    `json:"values"`
	Products   []hitRow     `json:"products"`
}

type categoryID struct {
	ID   string   `json:"id"`
	Path []string `json:"path"`
}

type valueOf struct {
	Field string `json:"field"`
	Value string `json:"value"`
	Count int    `json:"count"`
}

func newSuggestCommand(a *app) *cobra.Command {
	var (
		o queryOptions
		n int
	)
	cmd := &cobra.Command{
		Use:     "suggest TEXT",
		Short:   "Complete what is being typed",
		Long:    suggestLong + "\n" + exitHelp,
		Example: "  catalog suggest adid\n  catalog suggest --store-view de --json lauf",
		GroupID: "search",
		Args:    atLeastOne("TEXT"),
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runSuggest(ctx, a, &o, strings.Join(args, " "), n)
		}),
	}
	o.indexOptions.addFlags(cmd)
	o.addView(cmd)
	cmd.Flags().IntVarP(&n, "limit", "n", indexer.DefaultSuggestions, "at most `N` of each kind")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

func runSuggest(ctx context.Context, a *app, o *queryOptions, text string, n int) error {
	page, err := ask[suggestPage](ctx, a, &o.indexOptions, &question{What: askSuggest, Text: text, Limit: n, queryFlags: o.queryFlags}, nil)
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(a.stdout, page)
	}
	p := &printer{w: a.stdout}
	if len(page.Words) > 0 {
		p.printf("words: %s\n", strings.Join(page.Words, ", "))
	}
	for _, c := range page.Categories {
		p.printf("category: %s\n", strings.Join(c.Path, " / "))
	}
	for _, v := range page.Values {
		p.printf("%s: %s (%s)\n", v.Field, v.Value, count(int64(v.Count)))
	}
	var rows [][]string
	for _, h := range page.Products {
		rows = append(rows, []string{h.SKU, clipName(h.Name), h.Price})
	}
	p.printf("%s", table(rows, 2))
	return p.err
}
