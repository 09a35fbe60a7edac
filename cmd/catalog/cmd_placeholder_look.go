package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"catalog/placeholder"
	"catalog/placeholder/ledger"
)

const placeholderStatusLong = `Print what the shop is, how many placeholders it has, when the first and the
last of them was used, and how many rows they take.
`

// placeholderStatus is what 'placeholder status --json' prints.
type placeholderStatus struct {
	Dialect  string                   `json:"dialect"`
	Server   string                   `json:"server"`
	Prefix   string                   `json:"table_prefix,omitempty"`
	Websites []string                 `json:"websites"`
	Live     int64                    `json:"live"`
	Disabled int64                    `json:"disabled"`
	Taken    int64                    `json:"taken"`
	Oldest   *time.Time               `json:"oldest_use,omitempty"`
	Newest   *time.Time               `json:"newest_use,omitempty"`
	Tables   []placeholderStatusTable `json:"tables"`
}

type placeholderStatusTable struct {
	Name  string `json:"name"`
	Ours  int64  `json:"ours"`
	InAll int64  `json:"in_all"`
}

func newPlaceholderStatusCommand(a *app, o *serviceOptions) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Count placeholders and their rows",
		Long:  placeholderStatusLong + "\n" + exitHelp,
		Args:  args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			return o.withShop(ctx, func(shop *ledger.Shop) error { return runPlaceholderStatus(ctx, a, shop, asJSON) })
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runPlaceholderStatus(ctx context.Context, a *app, shop placeholder.Shop, asJSON bool) error {
	counts, err := shop.Counts(ctx)
	if err != nil {
		return fmt.Errorf("placeholder status: %w", err)
	}
	info := shop.Info()
	s := placeholderStatus{
		Dialect: info.Dialect, Server: info.Server, Prefix: info.Prefix,
		Live: counts.Live, Disabled: counts.Disabled, Taken: counts.Taken,
		Websites: []string{}, Tables: []placeholderStatusTable{},
	}
	for _, w := range info.Websites {
		s.Websites = append(s.Websites, w.Code)
	}
	for _, t := range counts.Tables {
		s.Tables = append(s.Tables, placeholderStatusTable{t.Name, t.Ours, t.InAll})
	}
	if !counts.Oldest.IsZero() {
		s.Oldest, s.Newest = &counts.Oldest, &counts.Newest
	}
	if asJSON {
		return printJSON(a.stdout, s)
	}
	out := &printer{w: a.stdout}
	out.printf("%s in %s\n", s.Dialect, s.Server)
	out.printf("%s placeholders, %s of them disabled; %s were taken over by the merchant\n", count(s.Live), count(s.Disabled), count(s.Taken))
	if s.Oldest != nil {
		out.printf("last used between %s and %s\n", s.Oldest.Local().Format(time.DateTime), s.Newest.Local().Format(time.DateTime))
	}
	rows := [][]string{{"table", "rows of ours", "of about"}}
	for _, t := range s.Tables {
		row := []string{t.Name, "", ""}
		for i, n := range []int64{t.Ours, t.InAll} {
			if n >= 0 {
				row[i+1] = count(n)
			}
		}
		rows = append(rows, row)
	}
	if len(rows) > 1 {
		out.printf("\n%s", table(rows, 1))
	}
	return out.err
}

const placeholderListLong = `List placeholders in the order of their SKUs: entity id, state, when it was made
and last used. The state is live, disabled, taken (the merchant edited it, and
it is theirs now) or gone (its product was deleted).
`

func newPlaceholderListCommand(a *app, o *serviceOptions) *cobra.Command {
	var asJSON bool
	var limit int
	var after string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List placeholders",
		Long:    placeholderListLong + "\n" + exitHelp,
		Example: "  catalog placeholder list --json --limit 0 > placeholders.jsonl",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			return o.withShop(ctx, func(shop *ledger.Shop) error {
				return runPlaceholderList(ctx, a, shop, after, limit, asJSON)
			})
		}),
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	f.IntVarP(&limit, "limit", "n", 50, "at most `N`; 0: all")
	f.StringVar(&after, "after", "", "begin after this `SKU`")
	return cmd
}

// placeholderEntry is a line of 'placeholder list --json'.
type placeholderEntry struct {
	SKU      string    `json:"sku"`
	EntityID int64     `json:"entity_id"`
	State    string    `json:"state"`
	Made     time.Time `json:"made"`
	Used     time.Time `json:"used"`
}

func runPlaceholderList(ctx context.Context, a *app, shop placeholder.Shop, after string, limit int, asJSON bool) error {
	out := &printer{w: a.stdout}
	const page = 1000
	for printed := 0; limit == 0 || printed < limit; {
		n := page
		if limit > 0 {
			n = min(page, limit-printed)
		}
		entries, err := shop.List(ctx, after, n)
		if err != nil {
			return fmt.Errorf("placeholder list: %w", err)
		}
		for _, e := range entries {
			line := placeholderEntry{e.SKU, e.EntityID, entryState(e), e.Made, e.Used}
			if asJSON {
				printLine(out, line)
			} else {
				out.printf("%s  %d  %s  made %s, used %s\n", e.SKU, e.EntityID, line.State,
					e.Made.Local().Format(time.DateTime), e.Used.Local().Format(time.DateTime))
			}
		}
		printed += len(entries)
		if len(entries) < n || out.err != nil {
			break
		}
		after = entries[len(entries)-1].SKU
	}
	return out.err
}

func entryState(e placeholder.Entry) string {
	switch {
	case e.State == placeholder.StateForeign:
		return "taken"
	case e.State == placeholder.StateNone:
		return "gone"
	case e.Disabled:
		return "disabled"
	}
	return "live"
}

// printLine prints v as a line of JSON.
func printLine(out *printer, v any) {
	data, err := json.Marshal(v)
	if err != nil && out.err == nil {
		out.err = err
	}
	out.printf("%s\n", data)
}

const placeholderCheckLong = `Look for placeholders that lost rows, rows whose placeholder is gone, and what
else should not be. --repair puts it right, with what the catalog says.

The exit status is 3 when something was found, and not repaired.
`

func newPlaceholderCheckCommand(a *app, o *serviceOptions) *cobra.Command {
	var asJSON, repair bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look for placeholders that are not whole",
		Long:  placeholderCheckLong + "\n" + exitHelp,
		Args:  args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			if !repair {
				return o.withShop(ctx, func(shop *ledger.Shop) error { return runPlaceholderCheck(ctx, a, nil, shop, asJSON) })
			}
			return o.withService(ctx, a, func(s *placeholder.Service, shop *ledger.Shop) error {
				return runPlaceholderCheck(ctx, a, s, shop, asJSON)
			})
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each finding")
	cmd.Flags().BoolVar(&repair, "repair", false, "put right what is found")
	return cmd
}

// placeholderFinding is a line of 'placeholder check --json'.
type placeholderFinding struct {
	Kind     placeholder.FindingKind `json:"kind"`
	SKU      string                  `json:"sku,omitempty"`
	EntityID int64                   `json:"entity_id,omitempty"`
	Table    string                  `json:"table,omitempty"`
	Detail   string                  `json:"detail"`
	Repaired bool                    `json:"repaired"`
}

// runPlaceholderCheck checks the shop, and repairs it if there is a service.
func runPlaceholderCheck(ctx context.Context, a *app, s *placeholder.Service, shop placeholder.Shop, asJSON bool) error {
	out := &printer{w: a.stdout}
	found, left := int64(0), int64(0)
	err := shop.Check(ctx, s != nil, func(f placeholder.Finding) error {
		found++
		if !f.Repaired {
			left++
		}
		line := placeholderFinding{f.Kind, f.SKU, f.EntityID, f.Table, f.Detail, f.Repaired}
		if asJSON {
			printLine(out, line)
			return out.err
		}
		out.printf("%s  %s", f.Kind, f.SKU)
		if f.EntityID != 0 {
			out.printf(", entity id %d", f.EntityID)
		}
		if f.Table != "" {
			out.printf(", %s", f.Table)
		}
		out.printf(": %s\n", f.Detail)
		return out.err
	})
	if err == nil && s != nil && found > 0 {
		// What lost rows gets them back from the catalog.
		err = s.Sweep(ctx)
	}
	if err != nil {
		return fmt.Errorf("placeholder check: %w", err)
	}
	if !asJSON && !a.global.quiet {
		switch {
		case found == 0:
			out.printf("all is well\n")
		case left == 0:
			out.printf("%s found, all repaired\n", count(found))
		default:
			out.printf("%s found, %s not repaired\n", count(found), count(left))
		}
	}
	if left > 0 {
		return errors.Join(out.err, reported{errRejects})
	}
	return out.err
}
