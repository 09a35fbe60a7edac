package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/spf13/cobra"

	"catalog/placeholder"
	"catalog/placeholder/ledger"
)

func newMagentoCommand(a *app) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:     "magento",
		Short:   "Learn from the shop's own settings",
		Long:    "Learn from the settings of Magento or OpenMage.\n\n" + shopHelp + "\n" + exitHelp,
		GroupID: "shop",
	})
	o := new(shopOptions)
	o.addFlags(cmd.PersistentFlags())
	cmd.AddCommand(newMagentoDiscoverCommand(a, o), newMagentoGrantsCommand(a, o))
	return cmd
}

const discoverLong = `Read store views, languages, currencies, websites and root categories from the
shop, and print them as settings for catalog.yaml, with its tax classes,
customer groups and stocks as comments. Passwords are never printed.
`

func newMagentoDiscoverCommand(a *app, o *shopOptions) *cobra.Command {
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "discover",
		Short:   "Print the shop's store views as settings",
		Long:    discoverLong + "\n" + shopHelp + "\n" + exitHelp,
		Example: "  catalog magento discover --env /var/www/shop/app/etc/env.php --out catalog.yaml",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			return runDiscover(ctx, a, o, out, asJSON)
		}),
	}
	cmd.Flags().StringVar(&out, "out", "-", "write to `FILE`, which must not be there yet")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print all that was found, as JSON")
	return cmd
}

// runDiscover prints what the shop's settings say.
func runDiscover(ctx context.Context, a *app, o *shopOptions, out string, asJSON bool) error {
	if _, err := os.Stat(out); out != "-" && !errors.Is(err, fs.ErrNotExist) {
		return usagef("--out: %s is there already: print to another file and merge them", out)
	}
	dialect, dsn, prefix, err := o.detect(ctx)
	if err != nil {
		return err
	}
	d, err := ledger.Discover(ctx, dsn, dialect, prefix)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(a.stdout, d)
	}
	return a.writeAtomic(out, []byte(discovered(d, o)))
}

// discovered writes a discovery as settings.
func discovered(d placeholder.Discovery, o *shopOptions) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, %s\n", d.Dialect, d.Server)
	if o.env != "" {
		fmt.Fprintf(&b, "env: %s\n", yamlText(o.env))
	}
	if o.prefix != "" {
		fmt.Fprintf(&b, "table-prefix: %s\n", yamlText(o.prefix))
	}
	b.WriteString("stores:\n")
	for _, v := range d.Views {
		fmt.Fprintf(&b, "  %s: {language: %s, currency: %s, website: %s, root_category: %s} # %s\n",
			yamlText(v.Code), yamlText(v.Language), yamlText(v.Currency), yamlText(v.Website), yamlText(v.RootCategory), oneLine(v.Name))
	}
	b.WriteString("\n# websites, their base currencies, and the stocks they sell from\n")
	for _, w := range d.Websites {
		mark := ""
		if w.Default {
			mark = ", the default"
		}
		fmt.Fprintf(&b, "#   %s: %s, stock %d%s\n", oneLine(w.Code), oneLine(w.Currency), w.StockID, mark)
	}
	b.WriteString("# tax classes: map those of the catalog by placeholder: {tax-class: [NAME=CLASS]}\n")
	for _, c := range d.TaxClasses {
		mark := ""
		if c.ID == d.DefaultTax {
			mark = ", the default"
		}
		fmt.Fprintf(&b, "#   %d: %s%s\n", c.ID, oneLine(c.Name), mark)
	}
	b.WriteString("# customer groups, as price entries name them\n")
	for _, g := range d.Groups {
		fmt.Fprintf(&b, "#   %d: %s\n", g.ID, oneLine(g.Code))
	}
	if len(d.RuleAttributes) > 0 {
		fmt.Fprintf(&b, "# attributes that cart price rules ask for: %s\n", oneLine(strings.Join(d.RuleAttributes, ", ")))
	}
	return b.String()
}

// yamlText writes text such that YAML reads it as that text.
func yamlText(s string) string {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return strconv.Quote(s)
		}
	}
	switch strings.ToLower(s) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return strconv.Quote(s)
	}
	return s
}

// oneLine makes text fit for a comment.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

const grantsLong = `Print the GRANT statements that give a database user all that placeholders,
gateway and prune need, and nothing else. Run this as a user who may see all
tables, and then the statements as one who may grant; the service itself needs
neither.
`

func newMagentoGrantsCommand(a *app, o *shopOptions) *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:     "grants",
		Short:   "Print the rights that the service's database user needs",
		Long:    grantsLong + "\n" + shopHelp + "\n" + exitHelp,
		Example: "  catalog magento grants --env /var/www/shop/app/etc/env.php --user \"'catalog'@'10.0.0.%'\" | mysql",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			dsn, _, err := o.source()
			if err != nil {
				return err
			}
			config, err := mysql.ParseDSN(dsn)
			if err != nil || config.DBName == "" {
				return usagef("the DSN names no database")
			}
			return o.withShop(ctx, func(shop *ledger.Shop) error {
				out := &printer{w: a.stdout}
				for _, g := range shop.Grants(config.DBName, user) {
					out.printf("%s;\n", g)
				}
				return out.err
			})
		}),
	}
	cmd.Flags().StringVar(&user, "user", "'catalog'@'localhost'", "the `USER` that gets them, as SQL writes it")
	return cmd
}
