package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"catalog/catalog"
	"catalog/catalog/remotestore"
	"catalog/catalog/storefront"
	"catalog/catalog/storefront/purge"
	"catalog/catalog/storefront/window"
	"catalog/importer/importhttp"
	"catalog/indexer"
)

const serveLong = `Serve the catalog over HTTP: products, category pages, search, prices and stock
for storefronts, apps and CDNs, and a shop window to look at on /.

Without settings it opens store and index in ./data, keeps the index up to date
and listens on :8080. /v1/openapi.yaml describes the API; /readyz says whether
it is ready, and what it waits for; /metrics is for Prometheus.

Reading is open. Writing, imports and what is private need a token, as
"Authorization: Bearer". --tokens-file names a file of lines ROLE:SECRET, with the
role read, import or admin; CATALOG_TOKENS has the same, separated by spaces.
CATALOG_CUSTOMER_SECRET is what a shop signs X-Customer headers with, which
open the prices of customer groups and price lists.

A signal ends it: requests under way are answered first. While it runs, other
commands use store and index through it, by themselves on this machine, and with
--store http://HOST:PORT and a token on another.
`

// serveCommand are the flags of catalog serve.
type serveCommand struct {
	indexOptions
	shop serviceOptions

	listen, private, cert, key        string
	tokens, secretFile, redirects     string
	baseURL, productURL, title, media string
	origins, groups                   []string
	purges                            []string
	noFollow, noWindow                bool
	maxLag, grace                     time.Duration
	lives                             storefront.Lives
	cache                             int

	crowd crowd
}

func newServeCommand(a *app) *cobra.Command {
	var o serveCommand
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the catalog over HTTP, with a shop window",
		Long:    serveLong + "\n" + exitHelp,
		Example: "  catalog serve\n  catalog serve --listen 127.0.0.1:8080 --private 127.0.0.1:6060 --tokens-file /etc/catalog/tokens\n  catalog serve --purge http://127.0.0.1:6081",
		GroupID: "search",
		Args:    args(cobra.NoArgs),
		RunE:    a.action(func(ctx context.Context, _ []string) error { return runServe(ctx, a, &o) }),
	}
	o.indexOptions.addFlags(cmd)
	o.shop.addFlags(cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", ":8080", "`ADDRESS` to listen on")
	f.StringVar(&o.private, "private", "", "`ADDRESS` for pprof and /metrics, for nobody else; none if empty")
	f.StringVar(&o.cert, "tls-cert", "", "serve TLS with the certificates in `FILE` (PEM); read again when it changes")
	f.StringVar(&o.key, "tls-key", "", "and the private key in `FILE`")
	f.StringVar(&o.tokens, "tokens-file", "", "`FILE` of tokens, a line each: ROLE:SECRET")
	f.StringVar(&o.secretFile, "customer-secret-file", "", "`FILE` with the secret that the shop signs X-Customer with")
	f.StringSliceVar(&o.groups, "public-groups", nil, "customer `GROUPS` whose prices anybody may see")
	f.StringSliceVar(&o.origins, "cors", nil, "`ORIGINS` whose scripts may read, as https://shop.example; * for all")
	f.StringVar(&o.redirects, "redirects", "", "`FILE` of searches that lead somewhere, a line each: text => URL")
	f.StringVar(&o.baseURL, "base-url", "", "the `URL` of this server as shoppers see it; as they ask if empty")
	f.StringVar(&o.productURL, "product-url", "", "the address of a product in sitemaps: `TEMPLATE` with {base}, {store}, {sku} and {url_key}")
	f.StringVar(&o.title, "title", "", "the shop window's `TITLE`")
	f.StringVar(&o.media, "media", "", "the `URL` that images' paths are relative to")
	f.BoolVar(&o.noWindow, "no-window", false, "no shop window")
	f.BoolVar(&o.noFollow, "no-follow", false, "leave the index to another process")
	f.DurationVar(&o.maxLag, "max-lag", 5*time.Minute, "how far the index may be behind while the server is ready")
	f.DurationVar(&o.grace, "grace", 0, "how long to answer on after a signal, with /readyz failing, so that load balancers notice")
	f.DurationVar(&o.lives.Price, "price-life", 30*time.Second, "how long answers with price or stock may be cached")
	f.DurationVar(&o.lives.Long, "page-life", 24*time.Hour, "how long answers without may be cached where purges reach them")
	f.IntVar(&o.cache, "cache", 0, "`MIB` of memory for what is read of a store; 0: a sixth of the memory there is, and at least 512")
	f.StringArrayVar(&o.purges, "purge", nil, "send purges to the cache at `URL`; may be repeated")
	return cmd
}

// runServe serves until a signal ends it.
func runServe(ctx context.Context, a *app, o *serveCommand) error {
	opts, err := o.options(a)
	if err != nil {
		return err
	}
	targets, err := o.targets(a)
	if err != nil {
		return err
	}
	if o.cache < 0 {
		return usagef("--cache is a number of MiB, from 1, or 0")
	}
	defer a.tuneForServing()()
	defer a.tuneForRequests()()
	opts.Workers = a.workers
	// Shoppers want a processor while an import tidies.
	a.compactions, a.crowded = max(1, a.workers/2), o.crowd.busy
	cache := cmp.Or(int64(o.cache)<<20, cacheFor(memory()))
	opts.LiveBytes = cache / liveShare
	// What is on this machine is read ahead; a database would have to send it.
	opts.Fill = strings.HasPrefix(a.global.store, "pebble:")
	a.shares, a.cacheBytes = true, cache-opts.LiveBytes
	store, err := a.openStore(ctx, mayCreate)
	if err != nil {
		return err
	}
	closers := []func() error{store.Close}
	defer func() {
		for i := len(closers) - 1; i >= 0; i-- {
			if cerr := closers[i](); cerr != nil {
				a.log.Error("closing", "cause", cerr)
			}
		}
	}()
	if err := a.keepStoreViews(ctx, store); err != nil {
		return err
	}
	index, err := a.awaitIndex(ctx, &o.indexOptions, mayCreate)
	if err != nil {
		return err
	}
	closers = append(closers, index.Close)
	respondent := a.newRespondent(store, index, &o.indexOptions)
	if !o.noFollow {
		respondent.keeper = newIndexKeeper()
	}
	shared := a.shareIndex(ctx, respondent)
	closers = append(closers, func() error { shared.stop(); return nil })
	shop, err := o.openPlaceholders(ctx, a, store)
	if err != nil {
		return err
	}
	if shop != nil {
		closers = append(closers, shop.close)
		opts.Placeholders = shop.counts
		opts.Mounts = append(opts.Mounts, storefront.Mount{Pattern: "/v1/placeholders", Role: storefront.RoleImport, Handler: shop.service.Handler(shop.handler)})
	}
	closing := make(chan struct{})
	opts.Mounts = append(opts.Mounts, storefront.Mount{
		Pattern: "/v1/store/", Role: storefront.RoleAdmin,
		Handler: remotestore.NewHandler(store, &remotestore.HandlerOptions{Closing: closing, Logger: a.log}),
	})
	opts.Mounts = append(opts.Mounts, mountIndex(respondent, closing)...)
	imports := importhttp.New(store, importhttp.Options{Logger: a.log, Holder: holder(), Workers: a.workers})
	for _, pattern := range []string{"/v1/imports", "/v1/imports/"} {
		opts.Mounts = append(opts.Mounts, storefront.Mount{Pattern: pattern, Role: storefront.RoleImport, Read: storefront.RoleRead, Handler: imports})
	}
	ending := sync.OnceFunc(func() { close(closing) })
	if h, ok := imports.(*importhttp.Handler); ok {
		opts.Running = func() any { return h.Running() }
		closers = append(closers, h.Close)
		ending = sync.OnceFunc(func() {
			close(closing)
			if err := h.Close(); err != nil {
				a.log.Error("ending imports", "cause", err)
			}
		})
	}
	engine := respondent.engine(&question{})
	opts.Index = index
	server := storefront.New(store, engine, opts)
	closers = append(closers, server.Close)

	g, gctx := errgroup.WithContext(ctx)
	if keeper := respondent.keeper; keeper != nil {
		g.Go(func() error {
			return keeper.follow(gctx, func(ctx context.Context) error { return o.follow(ctx, a, store, index) })
		})
	}
	if shop != nil {
		g.Go(func() error { return a.again(gctx, "placeholders", shop.service.Follow) })
	}
	for _, t := range targets {
		sent, failed, behind := server.Purging(t.String())
		counts := purge.Metrics{Sent: func(keys int, _ time.Duration) { sent(keys) }, Failed: func(error) { failed() }, Behind: behind}
		g.Go(func() error {
			return a.again(gctx, "purges to "+t.String(), func(ctx context.Context) error {
				return purge.Run(ctx, purge.Options{Store: store, Index: index, Shop: engine.Shop, Target: t, Holder: holder(), Log: a.log, Metrics: counts})
			})
		})
	}
	g.Go(func() error { return o.serve(gctx, a, server, ending) })
	return g.Wait()
}

// followAgain is how long to wait before what could not follow the log tries
// again.
const followAgain = 5 * time.Second

// again runs what follows the log until ctx ends. What keeps it from doing so
// is logged: everything else is served on.
func (a *app) again(ctx context.Context, what string, run func(context.Context) error) error {
	for {
		err := run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		a.log.Error("it cannot follow the log; trying again", "what", what, "in", followAgain, "cause", err)
		pause(ctx, followAgain)
	}
}

// follow keeps the index up to date; /readyz fails once it is too far behind.
func (o *serveCommand) follow(ctx context.Context, a *app, s catalog.Store, x indexer.Index) error {
	shown := a.newIndexProgress(true)
	opts := a.followOptions(&o.indexOptions, shown)
	opts.Follow, opts.Wait, opts.Progress = true, true, shown.follow()
	return a.again(ctx, "index", func(ctx context.Context) error {
		_, err := indexer.Run(ctx, s, x, opts)
		return err
	})
}

// options turns the flags into those of the server.
func (o *serveCommand) options(a *app) (storefront.Options, error) {
	opts := storefront.Options{
		Version: version, Log: a.log, IndexName: o.name, MaxLag: o.maxLag, PublicGroups: o.groups, Origins: o.origins,
		ProductURL: o.productURL, BaseURL: o.baseURL, Lives: o.lives,
	}
	var err error
	if opts.Tokens, err = o.readTokens(a); err != nil {
		return opts, err
	}
	if opts.Secret, err = o.readSecret(a); err != nil {
		return opts, err
	}
	if opts.Redirects, err = readRedirects(o.redirects); err != nil {
		return opts, err
	}
	if (o.cert == "") != (o.key == "") {
		return opts, usagef("--tls-cert and --tls-key go together")
	}
	if o.noWindow {
		return opts, nil
	}
	opts.Window, err = window.Handler(window.Options{Title: o.title, Media: o.media})
	return opts, err
}

// readTokens reads the tokens of the file and the environment.
func (o *serveCommand) readTokens(a *app) ([]storefront.Token, error) {
	text, _ := a.lookup("CATALOG_TOKENS")
	tokens, err := storefront.ParseTokens(text)
	if err != nil {
		return nil, usagef("CATALOG_TOKENS: %w", err)
	}
	file, err := readOption("--tokens-file", o.tokens)
	if err != nil {
		return nil, err
	}
	more, err := storefront.ParseTokens(string(file))
	if err != nil {
		return nil, usagef("--tokens-file %s: %w", o.tokens, err)
	}
	return append(tokens, more...), nil
}

// minSecret is the least length of the secret that customers are signed with.
const minSecret = 16

func (o *serveCommand) readSecret(a *app) ([]byte, error) {
	secret, err := readOption("--customer-secret-file", o.secretFile)
	if err != nil {
		return nil, err
	}
	if secret == nil {
		text, _ := a.lookup("CATALOG_CUSTOMER_SECRET")
		secret = []byte(text)
	}
	secret = bytes.TrimSpace(secret)
	if len(secret) == 0 {
		return nil, nil
	}
	if len(secret) < minSecret {
		return nil, usagef("the secret that customers are signed with has %d bytes: use at least %d", len(secret), minSecret)
	}
	return secret, nil
}

// readRedirects reads a file of lines: text => URL.
func readRedirects(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("--redirects: %w", err)
	}
	out := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		from, to, ok := strings.Cut(line, "=>")
		from, to = strings.TrimSpace(from), strings.TrimSpace(to)
		if !ok || from == "" || to == "" {
			return nil, usagef("--redirects: %s:%d: write it as text => URL", path, n)
		}
		out[indexer.Fold(from)] = to
	}
	return out, lines.Err()
}

// targets returns the caches that purges are sent to.
func (o *serveCommand) targets(a *app) ([]purge.Target, error) {
	token, _ := a.lookup("CATALOG_PURGE_TOKEN")
	var out []purge.Target
	for _, address := range o.purges {
		t, err := purge.ParseTarget(address, token, &http.Client{Timeout: 10 * time.Second})
		if err != nil {
			return nil, usagef("--purge: %w", err)
		}
		out = append(out, t)
	}
	return out, nil
}
