package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"catalog/importer/yaml"
)

// configFile is a settings file: flags by their names, those of one command
// below the command's name.
type configFile struct {
	name string // for messages
	root *yaml.Node
}

// parseConfig reads a settings file and checks that all of it is known.
func parseConfig(path string, data []byte, root *cobra.Command) (*configFile, error) {
	c := &configFile{name: filepath.Base(path)}
	n, err := yaml.Parse(data)
	var fault *yaml.Error
	switch {
	case errors.As(err, &fault):
		return nil, fmt.Errorf("%s: %s", c.place(fault.Line), fault.Detail)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", c.name, err)
	case n.IsNull():
		return c, nil
	case !n.Object:
		return nil, fmt.Errorf("%s: the settings are no mapping of names to values", c.place(n.Line))
	}
	c.root = n
	return c, c.check(root)
}

// place names a line for people, as "catalog.yaml:12".
func (c *configFile) place(line int) string {
	if line == 0 {
		return c.name
	}
	return fmt.Sprintf("%s:%d", c.name, line)
}

// member returns the member of n of that name, or nil.
func member(n *yaml.Node, name string) *yaml.Member {
	if n == nil {
		return nil
	}
	for i := range n.Fields {
		if n.Fields[i].Key == name {
			return &n.Fields[i]
		}
	}
	return nil
}

// values returns what the file says of a flag of cmd, and the place where.
func (c *configFile) values(cmd *cobra.Command, f *pflag.Flag) ([]string, string) {
	if section := member(c.root, topLevel(cmd).Name()); section != nil && !isGlobal(cmd, f) {
		if m := member(section.Value, f.Name); m != nil {
			return scalars(m.Value), c.place(m.Line)
		}
	}
	if m := member(c.root, f.Name); m != nil && !m.Value.Object {
		return scalars(m.Value), c.place(m.Line)
	}
	return nil, ""
}

// scalars returns the values of a setting as flags take them: one, or those of
// a list.
func scalars(n *yaml.Node) []string {
	if n.IsNull() {
		return nil
	}
	if s, ok := n.Text(); ok {
		return []string{s}
	}
	if n.Scalar != nil {
		return []string{string(n.Scalar)}
	}
	var out []string
	for _, item := range n.Items {
		out = append(out, scalars(item)...)
	}
	return out
}

// check reports members that are no settings.
func (c *configFile) check(root *cobra.Command) error {
	for _, m := range c.root.Fields {
		if m.Key == "stores" {
			if err := c.checkStores(m); err != nil {
				return err
			}
			continue
		}
		sub := childCommand(root, m.Key)
		switch {
		case m.Value.Object && sub != nil:
			for _, flag := range m.Value.Fields {
				if !slices.Contains(settingNames(sub), flag.Key) {
					return fmt.Errorf("%s: %q is no setting of 'catalog %s': it has %s",
						c.place(flag.Line), flag.Key, m.Key, strings.Join(settingNames(sub), ", "))
				}
				if flag.Value.Object {
					return fmt.Errorf("%s: %s is a single value or a list", c.place(flag.Line), flag.Key)
				}
			}
		case m.Value.Object:
			return fmt.Errorf("%s: %q is no command", c.place(m.Line), m.Key)
		case !anyHasSetting(root, m.Key):
			return fmt.Errorf("%s: %q is no setting: see 'catalog help settings'", c.place(m.Line), m.Key)
		}
	}
	return nil
}

// storeSettings lists what stores: says of one store view.
func storeSettings() []string { return []string{"currency", "language", "root_category", "website"} }

// checkStores checks the store views: an object of code → properties.
func (c *configFile) checkStores(stores yaml.Member) error {
	if !stores.Value.Object {
		return fmt.Errorf("%s: stores is no mapping of store codes", c.place(stores.Line))
	}
	for _, view := range stores.Value.Fields {
		if !view.Value.Object {
			return fmt.Errorf("%s: store %q is no mapping", c.place(view.Line), view.Key)
		}
		for _, m := range view.Value.Fields {
			if !slices.Contains(storeSettings(), m.Key) {
				return fmt.Errorf("%s: %q is no setting of a store: it has %s",
					c.place(m.Line), m.Key, strings.Join(storeSettings(), ", "))
			}
			if _, ok := m.Value.Text(); !ok {
				return fmt.Errorf("%s: %s of store %q is no text", c.place(m.Line), m.Key, view.Key)
			}
		}
	}
	return nil
}

// childCommand returns the command of that name below root, or nil.
func childCommand(root *cobra.Command, name string) *cobra.Command {
	for _, c := range root.Commands() {
		if c.Name() == name && c.Runnable() {
			return c
		}
	}
	return nil
}

// settingNames lists the flags of a command, and of the commands below it,
// that can be set from outside the command line.
func settingNames(cmd *cobra.Command) []string {
	var names []string
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if isSetting(f) && !isGlobal(cmd, f) {
			names = append(names, f.Name)
		}
	})
	for _, sub := range cmd.Commands() {
		names = append(names, settingNames(sub)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// anyHasSetting reports whether name is a global flag, or one of any command.
func anyHasSetting(root *cobra.Command, name string) bool {
	if f := root.PersistentFlags().Lookup(name); f != nil {
		return isSetting(f)
	}
	return slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool {
		return slices.Contains(settingNames(c), name)
	})
}
