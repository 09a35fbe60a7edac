package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"catalog/importer"
	"catalog/indexer"
)

const explainLong = `Say why a product is, or is not, shown: to a store view, in a category, or for a
query. Without any it is whether the product is shown at all.

It may be missing, rejected when its feed was imported, disabled, of another
website, hidden, in no category, not indexed yet, sold out, or filtered out; or
it is shown at some place, and you see which of its words matched, and where.
` + filterHelp

// explainPage is what catalog explain prints, as JSON with --json.
type explainPage struct {
	SKU     string     `json:"sku"`
	Store   string     `json:"store_view"`
	Shown   bool       `json:"shown"`
	Rank    int        `json:"rank,omitempty"`
	Total   int        `json:"total"`
	Score   int        `json:"score,omitempty"`
	Causes  []causeRow `json:"causes"`
	Words   []wordRow  `json:"words,omitempty"`
	Notes   []string   `json:"notes,omitempty"`
	Parents []string   `json:"parents,omitempty"`
}

type causeRow struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

type wordRow struct {
	Word  string `json:"word"`
	Found string `json:"found,omitempty"`
	Class string `json:"class,omitempty"`
	Score int    `json:"score"`
}

func newExplainCommand(a *app) *cobra.Command {
	var (
		o    queryOptions
		text string
	)
	cmd := &cobra.Command{
		Use:     "explain SKU",
		Short:   "Say why a product is or is not shown",
		Long:    explainLong + "\n" + exitHelp,
		Example: "  catalog explain 24-MB01\n  catalog explain 24-MB01 --query \"yoga bag\" --store-view de\n  catalog explain 24-MB01 --category Gear/Bags --filter color=red",
		GroupID: "search",
		Args:    args(cobra.ExactArgs(1)),
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runExplain(ctx, a, &o, args[0], text)
		}),
	}
	o.indexOptions.addFlags(cmd)
	o.addView(cmd)
	f := cmd.Flags()
	f.StringVar(&text, "query", "", "among the hits of this `TEXT`")
	f.StringVar(&o.Category, "category", "", "in this category: `PATH` or id")
	f.StringArrayVarP(&o.Filters, "filter", "f", nil, "among products that meet `FIELD=VALUES`; may be repeated")
	f.StringVar(&o.Sort, "sort", "", "in this `ORDER`")
	f.BoolVar(&o.Variants, "variants", false, "among variants")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

func runExplain(ctx context.Context, a *app, o *queryOptions, sku, text string) error {
	if _, err := o.query(text); err != nil {
		return err
	}
	page, err := ask[explainPage](ctx, a, &o.indexOptions, &question{What: askExplain, Text: text, SKU: sku, queryFlags: o.queryFlags}, nil)
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(a.stdout, page)
	}
	p := &printer{w: a.stdout}
	if page.Shown {
		p.printf("%s is shown: number %s of %s", page.SKU, count(int64(page.Rank)), count(int64(page.Total)))
		if page.Score > 0 {
			p.printf(", %s points", count(int64(page.Score)))
		}
		p.printf("\n")
	} else {
		p.printf("%s is not shown\n", page.SKU)
	}
	for _, c := range page.Causes {
		p.printf("  %s: %s\n", c.Reason, c.Detail)
	}
	for _, w := range page.Words {
		if w.Found == "" {
			p.printf("  %q is not found\n", w.Word)
			continue
		}
		p.printf("  %q is found as %q in its %s, %d points\n", w.Word, w.Found, w.Class, w.Score)
	}
	for _, n := range page.Notes {
		p.printf("  %s\n", n)
	}
	if len(page.Parents) > 0 {
		p.printf("  variant of %s\n", strings.Join(page.Parents, ", "))
	}
	return p.err
}

// reject says when and why imports did not take the product: as a cause if it
// is not shown, else by the way.
func (p *explainPage) reject(rejected []importer.Rejection) {
	seen := map[string]bool{} // the newest of each source says it
	for _, r := range rejected {
		if seen[r.Source] {
			continue
		}
		seen[r.Source] = true
		detail := fmt.Sprintf("import %s of source %q rejected it on %s: %s, line %d: %s: %s",
			r.Import, r.Source, r.Started.Local().Format("2006-01-02 15:04"), r.Feed, r.Line, r.Reason, r.Detail)
		if p.Shown {
			p.Notes = append(p.Notes, detail)
			continue
		}
		p.Causes = append(p.Causes, causeRow{"rejected", detail})
	}
}

func newExplainPage(x *indexer.Explanation) explainPage {
	p := explainPage{SKU: x.SKU, Store: x.Store, Shown: x.Shown, Rank: x.Rank, Total: x.Total, Score: x.Score, Causes: []causeRow{}, Notes: x.Notes, Parents: x.Parents}
	for _, c := range x.Causes {
		p.Causes = append(p.Causes, causeRow{string(c.Reason), c.Detail})
	}
	for _, w := range x.Words {
		p.Words = append(p.Words, wordRow(w))
	}
	return p
}
