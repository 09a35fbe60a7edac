package main

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"catalog/placeholder"
	"catalog/placeholder/gateway"
	"catalog/placeholder/ledger"
)

const gatewayLong = `Stand before Magento or OpenMage as a reverse proxy, and make sure that the shop
has a product before a request puts it into a cart. Nothing is installed in the
shop. The few requests that add to carts, wish lists and compare lists are read,
by REST, GraphQL and the storefront; everything else streams through untouched.

It fails open: when ensuring takes longer than --limit, or fails, the request
goes on as it came, and the shop answers as it would have.

It follows the catalog, too, so that placeholders stay true to it. --control
serves POST /v1/placeholders, /healthz, /readyz and /stats on a port of its own.

` + shopHelp

const gatewayExample = `  catalog gateway --upstream http://127.0.0.1:8080 --listen :80 \
      --env /var/www/shop/app/etc/env.php`

// gatewayOptions are the flags of catalog gateway.
type gatewayOptions struct {
	serviceOptions
	upstream, listen, control string
	tokenFile, host           string
	limit, cooldown           time.Duration
	trusted                   []string
	maxBody                   int64
	debug, noFollow           bool
}

func newGatewayCommand(a *app) *cobra.Command {
	var o gatewayOptions
	cmd := &cobra.Command{
		Use:     "gateway",
		Short:   "Make placeholders before requests reach the shop",
		Long:    gatewayLong + "\n" + exitHelp,
		Example: gatewayExample,
		GroupID: "shop",
		Args:    args(cobra.NoArgs),
	}
	cmd.RunE = a.action(func(ctx context.Context, _ []string) error { return runGateway(ctx, a, o) })
	f := cmd.Flags()
	o.addFlags(f)
	f.StringVar(&o.upstream, "upstream", "", "the shop's `URL`")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8082", "`ADDRESS` to listen on")
	f.StringVar(&o.control, "control", "", "`ADDRESS` for the API and what watches the process; none if empty")
	f.StringVar(&o.tokenFile, "token-file", "", "ask for \"Authorization: Bearer\" on --control, with the token in `FILE`")
	f.StringVar(&o.host, "host", "", "the Host header that the shop gets; the client's if empty")
	f.DurationVar(&o.limit, "limit", 500*time.Millisecond, "how long a request waits for ensuring at most")
	f.DurationVar(&o.cooldown, "cooldown", 5*time.Second, "how long nothing is ensured after repeated failures")
	f.StringSliceVar(&o.trusted, "trusted", nil, "`NETWORKS` of proxies whose X-Forwarded-… headers count; loopback and private ones if not given")
	f.Int64Var(&o.maxBody, "max-body", 1<<20, "`BYTES` of a body that are read at most; larger ones pass untouched")
	f.BoolVar(&o.debug, "debug", false, "add a header to answers that says what was done")
	f.BoolVar(&o.noFollow, "no-follow", false, "do not follow the catalog: another process does")
	return cmd
}

// runGateway proxies until a signal ends it.
func runGateway(ctx context.Context, a *app, o gatewayOptions) error {
	upstream, err := url.Parse(o.upstream)
	if err != nil || upstream.Host == "" || upstream.Scheme != "http" && upstream.Scheme != "https" {
		return usagef("--upstream %q: name the shop as http://HOST[:PORT]", o.upstream)
	}
	var trusted []netip.Prefix
	for _, text := range o.trusted {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return usagef("--trusted %q: use networks such as 10.0.0.0/8", text)
		}
		trusted = append(trusted, p)
	}
	token, err := readToken(o.tokenFile)
	if err != nil {
		return err
	}
	a.shares = true
	return o.withService(ctx, a, func(s *placeholder.Service, shop *ledger.Shop) (err error) {
		g, err := gateway.New(upstream, ensurer{s}, gateway.Options{
			OpenMage: shop.Info().Dialect == "openmage", Limit: o.limit, Cooldown: o.cooldown, MaxBody: o.maxBody,
			Trusted: trusted, Host: o.host, Debug: o.debug, Logger: a.log,
		})
		if err != nil {
			return err
		}
		defer func() {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
			defer cancel()
			err = errors.Join(err, g.Close(stop))
		}()
		listeners := []listener{{"the shop's visitors", o.listen, g}}
		if o.control != "" {
			listeners = append(listeners, listener{"control", o.control, controlMux(s, shop, token, func() any { return g.Stats() })})
		}
		return runServers(ctx, a, s, !o.noFollow, listeners...)
	})
}

// ensurer is the gateway's view of a Service.
type ensurer struct{ *placeholder.Service }

var _ gateway.OrderEnsurer = ensurer{}

// EnsureOrders makes what orders hold be in the shop again.
func (e ensurer) EnsureOrders(ctx context.Context, client string, orders []gateway.Order) ([]placeholder.Result, error) {
	refs := make([]placeholder.OrderRef, 0, len(orders))
	for _, o := range orders {
		if o.Number != "" {
			refs = append(refs, placeholder.OrderRef{Number: o.Number})
		} else if id, err := strconv.ParseInt(o.ID, 10, 64); err == nil {
			refs = append(refs, placeholder.OrderRef{ID: id})
		}
	}
	return e.Service.EnsureOrders(ctx, client, refs)
}
