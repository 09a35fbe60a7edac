package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"catalog/catalog"
)

// app is what all commands share.
type app struct {
	system
	global  globalOptions
	log     *slog.Logger
	origins origins

	cacheBytes     int64       // of the embedded store's cache; 0: its default
	scatteredBytes int64       // the same for a store that was not compacted
	compactions    int         // of the embedded store at a time; 0: its default
	crowded        func() bool // whether they rest as long as they work; nil: never
	workers        int         // goroutines that share one heavy piece of work; 0: one per thread of Go's
	bulk           bool        // it reads or writes much
	shares         bool        // an embedded store with others: commands that have it for long set it
	storeViews     []byte      // stores: of the settings file, as JSON; nil if it has none
}

// globalOptions are the flags of every command.
type globalOptions struct {
	store     string
	storeCA   string
	config    string
	quiet     bool
	logFormat string
	logLevel  string
	profile   string

	storeTokenFile string
}

func (o *globalOptions) addFlags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&o.store, "store", "pebble:./data", "the `URL` of the store")
	f.StringVar(&o.storeTokenFile, "store-token-file", "", "the token for a store behind http(s), in `FILE`; else in CATALOG_STORE_TOKEN")
	f.StringVar(&o.storeCA, "store-ca", "", "trust the authorities in this PEM `FILE`, of a store behind https")
	f.StringVar(&o.config, "config", "", "read settings from `FILE` (default catalog.yaml, if it is there)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress and no report, only errors")
	f.StringVar(&o.logFormat, "log-format", "text", "format of log lines: text or json")
	f.StringVar(&o.logLevel, "log-level", "info", "least level of log lines: debug, info, warn or error")
	f.StringVar(&o.profile, "cpu-profile", "", "write a pprof profile of processor time to `FILE`")
	f.Lookup("cpu-profile").Hidden = true
}

const rootLong = `catalog keeps a product catalog of any size as JSON documents in a store
beside the shop, and loads feeds of any usual format into it: in parallel, in
bounded memory, skipping what did not change, and accounting for every record.
A search index, which follows every change, renders category pages and answers
searches with facets.

The store is a folder by default (--store pebble:./data). One process at a time
has it open; what runs beside a long one, such as 'gateway', 'import' or 'index
--follow', uses the store through that by itself. --store http://HOST:PORT is
the store of a server.

Every flag can also be given in the environment and in catalog.yaml: see
'catalog help settings'. What a feed may look like: 'catalog help feeds'.

` + exitHelp

// newRootCommand returns the whole program.
func newRootCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "catalog",
		Short:         "Keep a product catalog of any size beside the shop",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
		// Unknown commands arrive here, so that they are usage errors.
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
				return usagef("unknown command %q: did you mean %s?", args[0], strings.Join(s, " or "))
			}
			return usagef("unknown command %q", args[0])
		},
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	a.global.addFlags(cmd)
	cmd.AddGroup(
		&cobra.Group{ID: "feeds", Title: "Feeds:"},
		&cobra.Group{ID: "records", Title: "Records:"},
		&cobra.Group{ID: "search", Title: "Search and category pages:"},
		&cobra.Group{ID: "store", Title: "The store:"},
		&cobra.Group{ID: "shop", Title: "The shop:"},
		&cobra.Group{ID: "more", Title: "More:"},
	)
	cmd.SetHelpCommandGroupID("more")
	cmd.SetCompletionCommandGroupID("more")
	cmd.AddCommand(
		newImportCommand(a), newInspectCommand(a), newExportCommand(a), newGenerateCommand(a),
		newGetCommand(a), newDeleteCommand(a),
		newSearchCommand(a), newBrowseCommand(a), newSuggestCommand(a), newExplainCommand(a),
		newIndexCommand(a), newVerifyCommand(a), newServeCommand(a),
		newStatsCommand(a), newImportsCommand(a), newCompactCommand(a), newCopyCommand(a), newBackupCommand(a), newRestoreCommand(a),
		newSchemaCommand(a), newConfigCommand(a), newVersionCommand(a),
		newPlaceholderCommand(a), newPruneCommand(a), newGatewayCommand(a), newMagentoCommand(a),
	)
	cmd.AddCommand(newTopics()...)
	return cmd
}

// action makes a command's RunE: settings first, then run.
func (a *app) action(run func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.applySettings(cmd); err != nil {
			return err
		}
		log, err := newLogger(a.stderr, a.global)
		if err != nil {
			return err
		}
		a.log = log
		stop, err := startProfile(a.global.profile)
		if err != nil {
			return err
		}
		return errors.Join(run(cmd.Context(), args), stop())
	}
}

// withStore opens the store for run and closes it after.
func (a *app) withStore(ctx context.Context, need openMode, run func(catalog.Store) error) (err error) {
	store, err := a.openStore(ctx, need)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := store.Close(); cerr != nil && err == nil {
			err = cerr
		}
	}()
	return run(store)
}

// args wraps cobra's checks so that what they find is a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// atLeastOne asks for one or more of what a command works on.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("name at least one %s", what)
		}
		return nil
	}
}

// newLogger returns the logger that the global flags ask for.
func newLogger(w interface{ Write([]byte) (int, error) }, o globalOptions) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, usagef("--log-level %q: use debug, info, warn or error", o.logLevel)
	}
	if o.quiet && level < slog.LevelWarn {
		level = slog.LevelWarn
	}
	opts := &slog.HandlerOptions{Level: level}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, usagef("--log-format %q: use text or json", o.logFormat)
}

// terminalWidth returns the width of the terminal that w is, or 0.
func terminalWidth(w any) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

// notThere reports whether err says that a file is not there.
func notThere(err error) bool { return errors.Is(err, os.ErrNotExist) }
