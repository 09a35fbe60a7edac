package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"catalog/schemas"
)

const schemaLong = `Print a JSON Schema of what this program reads and writes; without a name, the
names there are.
`

func newSchemaCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "schema [NAME]",
		Short:   "Print a JSON Schema",
		Long:    schemaLong + "\n" + exitHelp,
		Example: "  catalog schema\n  catalog schema product > product.schema.json",
		GroupID: "more",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: a.action(func(_ context.Context, args []string) error {
			return runSchema(a, args)
		}),
	}
}

// runSchema prints one schema, or the names of all.
func runSchema(a *app, names []string) error {
	if len(names) == 0 {
		_, err := fmt.Fprintln(a.stdout, strings.Join(schemas.Names(), "\n"))
		return err
	}
	text, err := schemas.Get(names[0])
	if err != nil {
		return usagef("no schema %q: there are %s", names[0], strings.Join(schemas.Names(), ", "))
	}
	_, err = a.stdout.Write(text)
	return err
}
