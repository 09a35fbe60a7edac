package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"catalog/indexer"
)

const verifyLong = `Compare the search index with the store, completely.

Every document is made anew from the store, and compared with what the index
really keeps in its postings, columns or fields. A document is missing, surplus,
wrong, or stale when a change to it is on its way. The exit status is 1 when the
index is not what the store says; --repair mends what is wrong. An index that
another process has open, such as 'serve', is compared and mended by that one;
while it mends, changes wait.
`

func newVerifyCommand(a *app) *cobra.Command {
	var (
		o                  indexOptions
		repair, asJSON, np bool
		examples           int
	)
	cmd := &cobra.Command{
		Use:     "verify",
		Short:   "Compare the search index with the store",
		Long:    verifyLong + "\n" + exitHelp,
		Example: "  catalog verify\n  catalog verify --repair",
		GroupID: "search",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			q := &question{What: askVerify, Repair: repair, Examples: examples}
			return runVerify(ctx, a, &o, q, a.newTicker("verifying", np), asJSON)
		}),
	}
	o.addFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&repair, "repair", false, "index anew what is missing or wrong, and remove what is surplus")
	f.IntVar(&examples, "examples", 10, "name `N` documents of each fault")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&np, "no-progress", false, "show no progress")
	return cmd
}

// errDiffers ends a verify that found faults.
var errDiffers = errors.New("the index is not what the store says")

// verifyReport is what catalog verify prints, as JSON with --json.
type verifyReport struct {
	OK        bool             `json:"ok"` // stale documents are only late
	Products  int64            `json:"products"`
	Documents int64            `json:"documents"`
	Faults    map[string]int64 `json:"faults"`
	Parts     map[string]int64 `json:"parts,omitempty"`
	Examples  []findingRow     `json:"examples"`
	Unmapped  int64            `json:"unmapped,omitempty"`
	Outdated  bool             `json:"outdated,omitempty"` // built with other settings
	Repaired  int64            `json:"repaired,omitempty"`
	Cursor    string           `json:"cursor"`
	Seconds   float64          `json:"seconds"`
}

// differs reports whether the index is not what the store says, and stayed so.
func (r *verifyReport) differs() bool { return !r.OK && r.Repaired == 0 }

type findingRow struct {
	SKU   string   `json:"sku"`
	View  string   `json:"view,omitempty"`
	Fault string   `json:"fault"`
	Parts []string `json:"parts,omitempty"`
}

func runVerify(ctx context.Context, a *app, o *indexOptions, q *question, shown *ticker, asJSON bool) error {
	a.shares = true
	r, err := ask[verifyReport](ctx, a, o, q, func(n int64) { shown.show(n, 0) })
	shown.finish()
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(a.stdout, r)
	} else {
		err = printVerify(a, r)
	}
	if err == nil && r.differs() {
		return reported{errDiffers}
	}
	return err
}

func newVerifyReport(v *indexer.Verification, took time.Duration) verifyReport {
	r := verifyReport{
		OK: v.OK(), Products: v.Products, Documents: v.Documents, Faults: map[string]int64{}, Parts: map[string]int64{}, Examples: []findingRow{},
		Unmapped: v.Unmapped, Outdated: v.Outdated, Repaired: v.Repaired, Cursor: v.Cursor.String(), Seconds: took.Seconds(),
	}
	for f := range indexer.NumFaults {
		r.Faults[f.String()] = v.Counts[f]
	}
	for p := range indexer.NumParts {
		if n := v.Parts[p]; n > 0 {
			r.Parts[p.String()] = n
		}
	}
	for _, f := range v.Examples {
		row := findingRow{SKU: f.SKU, View: f.View, Fault: f.Fault.String()}
		for _, p := range f.Parts {
			row.Parts = append(row.Parts, p.String())
		}
		r.Examples = append(r.Examples, row)
	}
	return r
}

func printVerify(a *app, r verifyReport) error {
	p := &printer{w: a.stdout}
	p.printf("compared %s documents of %s products in %s\n", count(r.Documents), count(r.Products), span(time.Duration(r.Seconds*float64(time.Second))))
	clean := true
	for f := range indexer.NumFaults {
		if n := r.Faults[f.String()]; n > 0 {
			clean = false
			p.printf("%s: %s\n", f, count(n))
		}
	}
	if r.Unmapped > 0 {
		clean = false
		p.printf("products that cannot be indexed: %s\n", count(r.Unmapped))
	}
	if r.Outdated {
		clean = false
		p.printf("it was built with other settings: 'catalog index' builds it anew\n")
	}
	for _, f := range r.Examples {
		line := fmt.Sprintf("  %s %s", f.Fault, f.SKU)
		if f.View != "" {
			line += " in store view " + f.View
		}
		if len(f.Parts) > 0 {
			line += ": " + strings.Join(f.Parts, ", ")
		}
		p.printf("%s\n", line)
	}
	switch {
	case clean:
		p.printf("the index is what the store says\n")
	case r.Repaired > 0:
		p.printf("repaired: %s products\n", count(r.Repaired))
	default:
		p.printf("'catalog verify --repair' mends it\n")
	}
	return p.err
}
