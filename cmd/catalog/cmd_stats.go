package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"catalog/catalog"
)

const statsLong = `Describe the store: records of each kind, who owns the products, the change
log and who follows it, leases, and the size on disk.
`

// statsReport is what catalog stats prints, as JSON with --json.
type statsReport struct {
	Store      string            `json:"store"`
	Backend    string            `json:"backend"`
	Format     int               `json:"format,omitempty"`
	Records    map[string]int64  `json:"records"`
	Sources    map[string]int64  `json:"sources,omitempty"`
	Tail       string            `json:"tail"`
	LogFirst   uint64            `json:"log_first"`
	LogEntries int64             `json:"log_entries"`
	Followers  []followerReport  `json:"followers"`
	Leases     []leaseReport     `json:"leases"`
	DiskBytes  int64             `json:"disk_bytes"`
	Extra      map[string]string `json:"extra,omitempty"`
}

type followerReport struct {
	Name   string    `json:"name"`
	At     string    `json:"at"`
	Moved  time.Time `json:"moved"`
	Behind int64     `json:"behind"`
}

type leaseReport struct {
	Name    string    `json:"name"`
	Holder  string    `json:"holder"`
	Since   time.Time `json:"since"`
	Expires time.Time `json:"expires"`
}

func newStatsCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "stats",
		Short:   "Describe the store",
		Long:    statsLong + "\n" + exitHelp,
		Example: "  catalog stats\n  catalog stats --json | jq .records",
		GroupID: "store",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			return runStats(ctx, a, asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// runStats prints what the store says about itself.
func runStats(ctx context.Context, a *app, asJSON bool) error {
	var report statsReport
	err := a.withStore(ctx, mustExist, func(s catalog.Store) error {
		var err error
		report, err = collectStats(ctx, s)
		return err
	})
	if err != nil {
		return fmt.Errorf("stats: %w", err)
	}
	if asJSON {
		return printJSON(a.stdout, report)
	}
	return printStats(a.stdout, report)
}

// collectStats asks the store.
func collectStats(ctx context.Context, s catalog.Store) (statsReport, error) {
	st, err := s.Stats(ctx)
	if err != nil {
		return statsReport{}, err
	}
	followers, err := s.Followers(ctx)
	if err != nil {
		return statsReport{}, err
	}
	leases, err := s.Leases(ctx)
	if err != nil {
		return statsReport{}, err
	}
	r := statsReport{
		Store: st.Location, Backend: st.Backend, Format: st.Format, Records: map[string]int64{}, Sources: st.Sources,
		Tail: st.Tail.String(), LogFirst: uint64(st.LogFirst), LogEntries: st.LogEntries, DiskBytes: st.DiskBytes,
		Extra: st.Extra, Followers: []followerReport{}, Leases: []leaseReport{},
	}
	for _, k := range catalog.Kinds() {
		r.Records[k.Plural()] = st.Records[k]
	}
	for _, f := range followers {
		r.Followers = append(r.Followers, followerReport{f.Name, f.At.String(), f.Moved, f.Behind})
	}
	for _, l := range leases {
		r.Leases = append(r.Leases, leaseReport{l.Name, l.Holder, l.Since, l.Expires})
	}
	return r, nil
}

// printStats writes the report for people.
func printStats(w io.Writer, r statsReport) error {
	p := &printer{w: w}
	p.printf("store: %s %s", r.Backend, r.Store)
	if r.Format > 0 {
		p.printf(", format %d", r.Format)
	}
	if r.DiskBytes > 0 {
		p.printf(", %s on disk", size(r.DiskBytes))
	}
	p.printf("\n\n")
	rows := make([][]string, 0, len(r.Records))
	for _, k := range catalog.Kinds() {
		rows = append(rows, []string{k.Plural(), count(r.Records[k.Plural()])})
	}
	p.printf("%s", table(rows, 1))
	if len(r.Sources) > 0 {
		p.printf("\nproducts by source\n")
		rows = rows[:0]
		for _, name := range slices.Sorted(maps.Keys(r.Sources)) {
			rows = append(rows, []string{"  " + name, count(r.Sources[name])})
		}
		p.printf("%s", table(rows, 1))
	}
	p.printf("\nchange log: %s entries", count(r.LogEntries))
	if r.LogEntries > 0 {
		p.printf(", from %d", r.LogFirst)
	}
	p.printf(", tail %s\n", r.Tail)
	for _, f := range r.Followers {
		p.printf("  follower %s: at %s, %s behind, moved %s\n", f.Name, f.At, count(f.Behind), f.Moved.Format(time.RFC3339))
	}
	for _, l := range r.Leases {
		p.printf("  lease %s: held by %s since %s until %s\n", l.Name, l.Holder, l.Since.Format(time.RFC3339), l.Expires.Format(time.RFC3339))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Extra)) {
		p.printf("%s: %s\n", name, r.Extra[name])
	}
	return p.err
}

// printJSON writes a value as indented JSON.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
