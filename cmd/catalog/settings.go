package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// defaultConfig is read when it is there and --config does not name another.
const defaultConfig = "catalog.yaml"

// origins says for each flag of the command that runs where its value is from;
// a flag that is not in it has its default.
type origins map[string]string

// applySettings fills in the flags of cmd that the command line does not have:
// from the environment, else from the settings file.
func (a *app) applySettings(cmd *cobra.Command) error {
	file, err := a.readConfig(cmd)
	if err != nil {
		return err
	}
	a.origins = origins{}
	if m := member(file.root, "stores"); m != nil {
		a.storeViews = m.Value.AppendJSON(nil)
	}
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if failed == nil {
			failed = a.applySetting(cmd, f, file)
		}
	})
	return failed
}

// applySetting fills in one flag.
func (a *app) applySetting(cmd *cobra.Command, f *pflag.Flag, file *configFile) error {
	if f.Changed {
		a.origins[f.Name] = "--" + f.Name
		return nil
	}
	if !isSetting(f) {
		return nil
	}
	for _, name := range envNames(cmd, f) {
		if value, ok := a.lookup(name); ok && value != "" {
			if err := cmd.Flags().Set(f.Name, value); err != nil {
				return usagef("%s: %w", name, err)
			}
			a.origins[f.Name] = name
			return nil
		}
	}
	values, place := file.values(cmd, f)
	for _, value := range values {
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			return usagef("%s: %s: %w", place, f.Name, err)
		}
		a.origins[f.Name] = place
	}
	return nil
}

// readConfig reads the settings file that the flags or the environment name,
// or the default one if it is there.
func (a *app) readConfig(cmd *cobra.Command) (*configFile, error) {
	path := a.global.config
	if path == "" {
		path, _ = a.lookup("CATALOG_CONFIG")
	}
	named := path != ""
	if !named {
		path = defaultConfig
	}
	data, err := os.ReadFile(path)
	if err != nil {
		if !named && notThere(err) {
			return &configFile{}, nil
		}
		return nil, usagef("settings: %w", err)
	}
	file, err := parseConfig(path, data, cmd.Root())
	if err != nil {
		return nil, usageError{err}
	}
	return file, nil
}

// isSetting reports whether a flag can be set from outside the command line.
func isSetting(f *pflag.Flag) bool {
	return f.Name != "help" && f.Name != "config" && !f.Hidden
}

// isGlobal reports whether f is a flag of every command.
func isGlobal(cmd *cobra.Command, f *pflag.Flag) bool {
	return cmd.Root().PersistentFlags().Lookup(f.Name) == f
}

// envNames returns the environment variables of a flag, the stronger first:
// CATALOG_<COMMAND>_<FLAG>, then CATALOG_<FLAG> for all commands that have it.
func envNames(cmd *cobra.Command, f *pflag.Flag) []string {
	upper := func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "_")) }
	all := "CATALOG_" + upper(f.Name)
	if isGlobal(cmd, f) {
		return []string{all}
	}
	return []string{"CATALOG_" + upper(topLevel(cmd).Name()) + "_" + upper(f.Name), all}
}

// topLevel returns the command directly below the root that cmd belongs to:
// the settings of "imports show" are those of "imports".
func topLevel(cmd *cobra.Command) *cobra.Command {
	for cmd.HasParent() && cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	return cmd
}
