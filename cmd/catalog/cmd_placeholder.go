package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"catalog/placeholder"
	"catalog/placeholder/ledger"
)

const placeholderLong = `Placeholders are the minimal products that the catalog writes into the database
of Magento or OpenMage when an item enters a cart, so that the shop can sell it.

'ensure' makes them, 'serve' makes them for others by HTTP, 'follow' keeps them
true to the catalog, 'catalog gateway' does all of that before a shop, and
'catalog prune' removes what nobody used for long.

` + shopHelp

func newPlaceholderCommand(a *app) *cobra.Command {
	o := new(serviceOptions)
	cmd := group(&cobra.Command{
		Use:     "placeholder",
		Short:   "Make, watch and check placeholders in the shop",
		Long:    placeholderLong + "\n" + exitHelp,
		GroupID: "shop",
	})
	o.addFlags(cmd.PersistentFlags())
	cmd.AddCommand(
		newPlaceholderEnsureCommand(a, o), newPlaceholderServeCommand(a, o), newPlaceholderFollowCommand(a, o),
		newPlaceholderStatusCommand(a, o), newPlaceholderListCommand(a, o), newPlaceholderCheckCommand(a, o),
	)
	return cmd
}

const ensureLong = `Make the shop hold a product for each SKU, and print what came of each:

  created, refreshed, present   the shop has our placeholder
  foreign    the shop has the merchant's own product, which is not touched
  unknown    neither the catalog nor the shop has the SKU
  disabled   the catalog says that it is not sold
  refused    it cannot be sold; the answer says why

- reads SKUs from standard input, one a line. The exit status is 3 when the shop
has not all of them afterwards.
`

func newPlaceholderEnsureCommand(a *app, o *serviceOptions) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ensure SKU…",
		Short:   "Make placeholders for SKUs",
		Long:    ensureLong + "\n" + exitHelp,
		Example: "  catalog placeholder ensure 24-MB01 24-MB02\n  catalog placeholder ensure --json - < skus.txt",
		Args:    atLeastOne("SKU"),
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runPlaceholderEnsure(ctx, a, o, args, asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each SKU")
	return cmd
}

// runPlaceholderEnsure ensures SKUs, those of standard input among them.
func runPlaceholderEnsure(ctx context.Context, a *app, o *serviceOptions, args []string, asJSON bool) error {
	// Who may run this may fill the shop: the caps are for the network.
	o.total, o.perOne = 0, 0
	return o.withService(ctx, a, func(s *placeholder.Service, _ *ledger.Shop) error {
		missing := false
		out := &printer{w: a.stdout}
		if a.global.quiet {
			out = &printer{w: discard{}}
		}
		each := func(skus []string) error {
			results, err := s.Ensure(ctx, "command line", skus)
			if err != nil {
				return err
			}
			for _, r := range results {
				missing = missing || !r.Status.InShop()
				printResult(out, r, asJSON)
			}
			return out.err
		}
		batch := make([]string, 0, placeholder.MaxBatch)
		add := func(sku string) error {
			if batch = append(batch, sku); len(batch) < cap(batch) {
				return nil
			}
			defer func() { batch = batch[:0] }()
			return each(batch)
		}
		for _, arg := range args {
			if arg != "-" {
				if err := add(arg); err != nil {
					return err
				}
				continue
			}
			lines := bufio.NewScanner(a.stdin)
			for lines.Scan() {
				if sku := strings.TrimSpace(lines.Text()); sku != "" {
					if err := add(sku); err != nil {
						return err
					}
				}
			}
			if err := lines.Err(); err != nil {
				return err
			}
		}
		if err := each(batch); err != nil {
			return err
		}
		if missing {
			return reported{errRejects}
		}
		return nil
	})
}

// discard takes what --quiet does not want to see.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func printResult(out *printer, r placeholder.Result, asJSON bool) {
	if asJSON {
		printLine(out, r)
		return
	}
	out.printf("%s  %s", r.SKU, r.Status)
	if r.EntityID != 0 {
		out.printf(", entity id %d", r.EntityID)
	}
	if r.Spelling != "" && r.Spelling != r.SKU {
		out.printf(", spelled %s there", r.Spelling)
	}
	if r.Detail != "" {
		out.printf(": %s", r.Detail)
	}
	out.printf("\n")
}

const placeholderServeLong = `Serve POST /v1/placeholders, which ensures SKUs:

  {"skus":["24-MB01"]}  →  {"placeholders":[{"sku":"24-MB01","status":"created",
                            "entity_id":1234,"spelling":"24-MB01"}]}

and follow the catalog, so that placeholders stay true to it. /healthz answers
as long as the process runs, /readyz when the shop's database does.

Who may reach the port may fill the shop, up to --max-new: let it listen where
only the shop does, or ask for a token.
`

// serveOptions are the flags of catalog placeholder serve.
type serveOptions struct {
	listen, tokenFile string
	noFollow          bool
}

func newPlaceholderServeCommand(a *app, o *serviceOptions) *cobra.Command {
	var so serveOptions
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Make placeholders for others, by HTTP",
		Long:    placeholderServeLong + "\n" + exitHelp,
		Example: "  catalog placeholder serve --env /var/www/shop/app/etc/env.php --listen 127.0.0.1:8081",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			return runPlaceholderServe(ctx, a, o, so)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&so.listen, "listen", "127.0.0.1:8081", "`ADDRESS` to listen on")
	f.StringVar(&so.tokenFile, "token-file", "", "ask for \"Authorization: Bearer\" with the token in `FILE`")
	f.BoolVar(&so.noFollow, "no-follow", false, "do not follow the catalog: another process does")
	return cmd
}

// runPlaceholderServe serves until a signal ends it.
func runPlaceholderServe(ctx context.Context, a *app, o *serviceOptions, so serveOptions) error {
	token, err := readToken(so.tokenFile)
	if err != nil {
		return err
	}
	a.shares = true
	return o.withService(ctx, a, func(s *placeholder.Service, shop *ledger.Shop) error {
		return runServers(ctx, a, s, !so.noFollow, listener{"placeholders", so.listen, controlMux(s, shop, token, nil)})
	})
}

// readToken reads a token's file, "" of none.
func readToken(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", usagef("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", usagef("--token-file: %s is empty", path)
	}
	return token, nil
}

// controlMux serves the API and what watches the process.
func controlMux(s *placeholder.Service, shop placeholder.Shop, token string, stats func() any) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.Handler(placeholder.HandlerOptions{Token: token}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "ok") // a watcher that is gone needs no answer
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if _, err := shop.Find(ctx, []string{"readyz"}); err != nil {
			http.Error(w, "the shop's database does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		all := map[string]any{"placeholders": s.Stats()}
		if stats != nil {
			all["gateway"] = stats()
		}
		w.Header().Set("Content-Type", "application/json")
		_ = printJSON(w, all)
	})
	return mux
}

const followLong = `Keep placeholders true to the catalog until a signal ends it: price, name and
stock that change, and what is disabled or gone. 'placeholder serve' and
'gateway' do so themselves; of several one works and the others stand by.
`

func newPlaceholderFollowCommand(a *app, o *serviceOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "follow",
		Short: "Keep placeholders true to the catalog",
		Long:  followLong + "\n" + exitHelp,
		Args:  args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			a.shares = true
			return o.withService(ctx, a, func(s *placeholder.Service, _ *ledger.Shop) error {
				a.log.Info("following the catalog")
				if err := s.Follow(ctx); !errors.Is(err, context.Canceled) {
					return err
				}
				return nil
			})
		}),
	}
}
