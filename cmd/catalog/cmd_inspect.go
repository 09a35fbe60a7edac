package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"catalog/importer"
	"catalog/importer/inspect"
)

const inspectLong = `Look at a feed before it is imported: its format, how many records it has, each
path in them with types, coverage, distinct values and examples, which fields
could be the SKU, and a mapping file that would import it (--map of import).

The first 10,000 records within 64 MiB are read, or --records N, or --all.
Several feeds are taken as one. Nothing is imported, and no store is opened.
`

// inspectOptions are the flags of catalog inspect.
type inspectOptions struct {
	input   importer.Input
	records int64
	all     bool
	asJSON  bool
	mapping string
	tempDir string
}

func (o *inspectOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	addInputFlags(cmd, &o.input)
	f.Int64Var(&o.records, "records", 0, "read `N` records of each feed; 0: a sample")
	f.BoolVar(&o.all, "all", false, "read all records")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.StringVar(&o.mapping, "mapping", "", "write the suggested mapping to `FILE`")
	f.StringVar(&o.tempDir, "temp-dir", "", "`DIR` for temporary files; the system's if empty")
}

func newInspectCommand(a *app) *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:     "inspect FEED…",
		Short:   "Look at a feed before it is imported",
		Long:    inspectLong + "\n" + exitHelp,
		Example: "  catalog inspect supplier.jsonl.gz\n  catalog inspect --all --mapping supplier.yaml supplier.jsonl.gz\n  catalog import --map supplier.yaml supplier.jsonl.gz",
		GroupID: "feeds",
		Args:    atLeastOne("FEED"),
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runInspect(ctx, a, o, args)
		}),
	}
	o.addFlags(cmd)
	return cmd
}

// runInspect looks at feeds and prints what they are like.
func runInspect(ctx context.Context, a *app, o inspectOptions, feeds []string) error {
	switch {
	case o.records < 0:
		return usagef("--records %d is negative", o.records)
	case o.all && o.records > 0:
		return usagef("--all and --records exclude each other")
	case o.all:
		o.records = -1
	}
	report, err := inspect.Inspect(ctx, feeds, inspect.Options{
		Records: o.records, Format: o.input.Format, Encoding: o.input.Encoding,
		Delimiter: unescapeDelimiter(o.input.Delimiter), Stdin: a.stdin, TempDir: o.tempDir,
	})
	if err != nil {
		return err
	}
	if o.mapping != "" {
		if report.Mapping == "" {
			return errors.New("inspect: no mapping is suggested: " + orElse(report.Note, "the feed needs none"))
		}
		if err := a.writeAtomic(o.mapping, []byte(report.Mapping)); err != nil {
			return fmt.Errorf("inspect: mapping: %w", err)
		}
	}
	if o.asJSON {
		return printJSON(a.stdout, report)
	}
	return report.WriteText(a.stdout, terminalWidth(a.stdout))
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
