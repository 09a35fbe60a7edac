package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const configLong = `Print the settings in effect as a settings file, each with where it is from.
--all adds those that have their default.
`

func newConfigCommand(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Print the settings in effect",
		Long:    configLong + "\n" + exitHelp,
		GroupID: "more",
		Args:    args(cobra.NoArgs),
	}
	cmd.RunE = a.action(func(context.Context, []string) error { return runConfig(a, cmd, all) })
	cmd.Flags().BoolVar(&all, "all", false, "also those that have their default")
	return cmd
}

// runConfig prints the settings of all commands.
func runConfig(a *app, cmd *cobra.Command, all bool) error {
	out := &printer{w: a.stdout}
	globals := cmd.Root().PersistentFlags()
	globals.VisitAll(func(f *pflag.Flag) { printSetting(out, "", f, a.origins[f.Name], all) })
	for _, sub := range cmd.Root().Commands() {
		if sub == cmd || !sub.Runnable() {
			continue
		}
		// A command that does not run has the defaults still: fill it in.
		if err := a.applySettings(sub); err != nil {
			return err
		}
		var text strings.Builder
		section := &printer{w: &text}
		sub.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if globals.Lookup(f.Name) != f {
				printSetting(section, "  ", f, a.origins[f.Name], all)
			}
		})
		if text.Len() > 0 {
			out.printf("%s:\n%s", sub.Name(), &text)
		}
	}
	return out.err
}

// printSetting prints one setting as a line of a settings file.
func printSetting(out *printer, indent string, f *pflag.Flag, origin string, all bool) {
	switch {
	case !isSetting(f), origin == "" && !all:
		return
	case origin == "":
		origin = "default"
	}
	value := f.Value.String()
	switch f.Value.Type() {
	case "bool", "int", "int64", "uint64", "float64":
	default:
		// JSON strings are YAML strings.
		if text, err := json.Marshal(value); err == nil {
			value = string(text)
		}
	}
	out.printf("%s%s: %s # %s\n", indent, f.Name, value, origin)
}
