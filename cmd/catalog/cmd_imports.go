package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/importer"
)

const importsLong = `List the reports of past imports, the newest first. The store keeps them.
'catalog imports show ID' prints one; "last" is the newest.
`

func newImportsCommand(a *app) *cobra.Command {
	var asJSON bool
	var last int
	cmd := &cobra.Command{
		Use:     "imports",
		Short:   "List past imports",
		Long:    importsLong + "\n" + exitHelp,
		Example: "  catalog imports\n  catalog imports show last --json",
		GroupID: "store",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			return runImports(ctx, a, last, asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVarP(&last, "last", "n", 20, "at most `N` imports; 0: all")
	cmd.AddCommand(newImportsShowCommand(a))
	return cmd
}

func newImportsShowCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Print the report of a past import",
		Long:  "Print the report of a past import; the ID \"last\" is the newest.\n\n" + exitHelp,
		Args:  args(cobra.ExactArgs(1)),
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runImportsShow(ctx, a, args[0], asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// readReports returns the kept reports, the newest first.
func readReports(ctx context.Context, a *app) ([]*importer.Report, error) {
	var reports []*importer.Report
	err := a.withStore(ctx, mustExist, func(s catalog.Store) error {
		for m, err := range s.Metas(ctx, importer.ReportPrefix) {
			if err != nil {
				return err
			}
			r := new(importer.Report)
			if err := json.Unmarshal(m.Value, r); err != nil {
				return fmt.Errorf("report %s: %w", m.Name, err)
			}
			r.ID = strings.TrimPrefix(m.Name, importer.ReportPrefix)
			reports = append(reports, r)
		}
		return nil
	})
	slices.Reverse(reports)
	return reports, err
}

// runImports lists the reports.
func runImports(ctx context.Context, a *app, last int, asJSON bool) error {
	reports, err := readReports(ctx, a)
	if err != nil {
		return fmt.Errorf("imports: %w", err)
	}
	if last > 0 && len(reports) > last {
		reports = reports[:last]
	}
	if asJSON {
		if reports == nil {
			reports = []*importer.Report{}
		}
		return printJSON(a.stdout, reports)
	}
	out := &printer{w: a.stdout}
	if len(reports) == 0 {
		out.printf("no imports yet\n")
		return out.err
	}
	rows := [][]string{{"id", "started", "kind", "mode", "source", "status", "read", "created", "updated", "deleted", "rejected", "took"}}
	for _, r := range reports {
		rows = append(rows, []string{
			r.ID, r.Started.Local().Format(time.DateTime), r.Kind, string(r.Mode), r.Source, r.Status,
			count(r.Read), count(r.Created), count(r.Updated), count(r.Deleted), count(r.Rejected),
			span(time.Duration(r.Seconds * float64(time.Second))),
		})
	}
	out.printf("%s", table(rows, 6))
	return out.err
}

// runImportsShow prints one report.
func runImportsShow(ctx context.Context, a *app, id string, asJSON bool) error {
	reports, err := readReports(ctx, a)
	if err != nil {
		return fmt.Errorf("imports: %w", err)
	}
	i := slices.IndexFunc(reports, func(r *importer.Report) bool { return r.ID == id })
	if id == "last" && len(reports) > 0 {
		i = 0
	}
	if i < 0 {
		return fmt.Errorf("import %q: %w", id, catalog.ErrNotFound)
	}
	if asJSON {
		return printJSON(a.stdout, reports[i])
	}
	r := reports[i]
	out := &printer{w: a.stdout}
	out.printf("import %s, started %s: %s\n", r.ID, r.Started.Local().Format(time.DateTime), r.Status)
	if r.Error != "" {
		out.printf("error: %s\n", r.Error)
	}
	if out.err != nil {
		return out.err
	}
	return printReport(a.stdout, r, "-")
}
