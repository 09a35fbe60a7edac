package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"catalog/catalog"
	"catalog/importer"
	"catalog/placeholder"
	"catalog/placeholder/ledger"
	"catalog/placeholder/magento2"
	"catalog/placeholder/openmage"
)

const shopHelp = `THE SHOP'S DATABASE
  --env     reads where it is from Magento's app/etc/env.php, or OpenMage's
            app/etc/local.xml
  --dsn     or user:password@tcp(host:3306)/database, as CATALOG_DSN in the
            environment, so that nobody sees it, or in a --dsn-file
`

// shopOptions are the flags of all commands that use the shop's database.
type shopOptions struct {
	dsn, replica secret
	dsnFile, env string
	prefix       string
}

func (o *shopOptions) addFlags(f *pflag.FlagSet) {
	f.Var(&o.dsn, "dsn", "the shop's database, as `user:password@tcp(host:3306)/database`")
	f.StringVar(&o.dsnFile, "dsn-file", "", "read --dsn from `FILE`")
	f.StringVar(&o.env, "env", "", "read it from the shop's own settings `FILE`, env.php or local.xml")
	f.Var(&o.replica, "replica-dsn", "a replica of it, for what may be a little old")
	f.StringVar(&o.prefix, "table-prefix", "", "of the shop's tables; found out if empty")
}

// secret is a flag whose value is shown with its password masked.
type secret string

func (s *secret) Type() string { return "string" }

func (s *secret) Set(v string) error { *s = secret(v); return nil }

func (s *secret) String() string {
	text := string(*s)
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	user, _, ok := strings.Cut(text[:at], ":")
	if !ok {
		return text
	}
	return user + ":…" + text[at:]
}

// source returns the DSN and table prefix that the flags name.
func (o *shopOptions) source() (dsn, prefix string, err error) {
	dsn, prefix = string(o.dsn), o.prefix
	switch {
	case dsn != "":
	case o.dsnFile != "":
		text, err := os.ReadFile(o.dsnFile)
		if err != nil {
			return "", "", usagef("--dsn-file: %w", err)
		}
		dsn = strings.TrimSpace(string(text))
	case o.env != "":
		read := magento2.ReadEnv
		if strings.EqualFold(filepath.Ext(o.env), ".xml") {
			read = openmage.ReadLocalXML
		}
		found, itsPrefix, err := read(o.env)
		if err != nil {
			return "", "", usagef("--env: %w", err)
		}
		dsn = found
		if prefix == "" {
			prefix = itsPrefix
		}
	}
	if dsn == "" {
		return "", "", usagef("where is the shop's database? Use --env, --dsn or --dsn-file")
	}
	return dsn, prefix, nil
}

// detect returns the shop's dialect, and where it is.
func (o *shopOptions) detect(ctx context.Context) (d ledger.Dialect, dsn, prefix string, err error) {
	if dsn, prefix, err = o.source(); err != nil {
		return nil, "", "", err
	}
	d, err = ledger.Detect(ctx, dsn, magento2.Dialect(), openmage.Dialect())
	return d, dsn, prefix, err
}

// openShop opens the shop's database, in the dialect that it turns out to be.
func (o *shopOptions) openShop(ctx context.Context) (*ledger.Shop, error) {
	d, dsn, prefix, err := o.detect(ctx)
	if err != nil {
		return nil, err
	}
	return ledger.Open(ctx, dsn, d, ledger.Options{Prefix: prefix, Replica: string(o.replica)})
}

// withShop opens the shop for run and closes it after.
func (o *shopOptions) withShop(ctx context.Context, run func(*ledger.Shop) error) (err error) {
	shop, err := o.openShop(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.Close()) }()
	return run(shop)
}

// serviceOptions are the flags of all commands that make placeholders.
type serviceOptions struct {
	shopOptions
	manageStock    bool
	taxClasses     []string
	total, perOne  int
	timeout, sweep time.Duration
	followerName   string
}

func (o *serviceOptions) addFlags(f *pflag.FlagSet) {
	o.shopOptions.addFlags(f)
	f.BoolVar(&o.manageStock, "manage-stock", false, "let the shop count quantities; the catalog alone knows them otherwise")
	f.StringArrayVar(&o.taxClasses, "tax-class", nil, "`NAME=CLASS`: which of the shop's tax classes, by name or id, a tax_class of the catalog is")
	f.IntVar(&o.total, "max-new", 60_000, "new placeholders in a minute, from all clients; 0: any number")
	f.IntVar(&o.perOne, "max-new-per-client", 600, "new placeholders in a minute, from one client; 0: any number")
	f.DurationVar(&o.timeout, "shop-timeout", 10*time.Second, "how long the shop's database may take")
	f.DurationVar(&o.sweep, "sweep", 5*time.Minute, "how often all placeholders are compared with the catalog")
	f.StringVar(&o.followerName, "follower", "placeholder", "`NAME` of this shop's follower in the store, for a catalog with several shops")
}

// options returns what placeholder.New takes.
func (o *serviceOptions) options(a *app) (placeholder.Options, error) {
	opts := placeholder.Options{
		Rules:     placeholder.Rules{ManageStock: o.manageStock, TaxClasses: map[string]string{}},
		PerMinute: o.total, PerClient: o.perOne, Timeout: o.timeout, Sweep: o.sweep, Name: o.followerName, Logger: a.log,
	}
	for _, pair := range o.taxClasses {
		name, class, ok := strings.Cut(pair, "=")
		if !ok || name == "" || class == "" {
			return opts, usagef("--tax-class %q: use NAME=CLASS", pair)
		}
		opts.Rules.TaxClasses[name] = class
	}
	if o.total < 0 || o.perOne < 0 {
		return opts, usagef("--max-new and --max-new-per-client count placeholders: 0 is no limit")
	}
	return opts, nil
}

// withService opens store, shop and service for run, and closes them after.
func (o *serviceOptions) withService(ctx context.Context, a *app, run func(*placeholder.Service, *ledger.Shop) error) error {
	opts, err := o.options(a)
	if err != nil {
		return err
	}
	return a.withStore(ctx, mustExist, func(store catalog.Store) error {
		return o.withShop(ctx, func(shop *ledger.Shop) (err error) {
			s := placeholder.New(store, shop, opts)
			defer func() { err = errors.Join(err, s.Close()) }()
			return run(s, shop)
		})
	})
}

// days is a flag that holds a duration, also in days and weeks: 31d, 2w, 36h.
type days time.Duration

func (d *days) Type() string { return "duration" }

func (d *days) Set(s string) error {
	unit := time.Duration(0)
	switch {
	case strings.HasSuffix(s, "d"):
		unit = 24 * time.Hour
	case strings.HasSuffix(s, "w"):
		unit = 7 * 24 * time.Hour
	default:
		v, err := time.ParseDuration(s)
		*d = days(v)
		return err
	}
	n, err := strconv.ParseInt(s[:len(s)-1], 10, 64)
	if err != nil || n < 0 || n > 36_500 {
		return fmt.Errorf("%q is no duration such as 31d, 2w or 36h", s)
	}
	*d = days(time.Duration(n) * unit)
	return nil
}

func (d *days) String() string {
	v := time.Duration(*d)
	if v > 0 && v%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", v/(24*time.Hour))
	}
	return v.String()
}

// refusedError ends a command that a guard held back, with its exit status.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

func (e refusedError) Is(target error) bool { return target == importer.ErrRefused }

// group makes cmd one that only has others below it: alone it shows its help.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("unknown command %q of %s", args[0], cmd.CommandPath())
		}
		return cmd.Help()
	}
	return cmd
}
