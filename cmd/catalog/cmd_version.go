package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// version is set when the program is linked.
var version = "dev"

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Print the version of this program, and what it was built with and for.",
		GroupID: "more",
		Args:    args(cobra.NoArgs),
		RunE: a.action(func(context.Context, []string) error {
			_, err := fmt.Fprintf(a.stdout, "catalog %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		}),
	}
}
