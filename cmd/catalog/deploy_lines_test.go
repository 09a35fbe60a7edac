package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// TestDeployManifests checks that the containers of deploy/ call only commands
// and flags that there are.
func TestDeployManifests(t *testing.T) {
	found := map[string]int{}
	for _, dir := range []string{"kubernetes", "compose"} {
		err := filepath.WalkDir(filepath.Join("../../deploy", dir), func(path string, e fs.DirEntry, err error) error {
			if ext := filepath.Ext(path); err != nil || e.IsDir() || ext != ".yaml" && ext != ".yml" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			documents, err := parser.ParseBytes(text, 0)
			if err != nil {
				return err
			}
			for _, d := range documents.Docs {
				if d.Body == nil {
					continue
				}
				var content any
				if err := yaml.NodeToValue(d.Body, &content); err != nil {
					return err
				}
				commandLines(content, func(args []string) {
					cmd, rest, err := newRootCommand(&app{}).Find(args)
					if err == nil {
						err = cmd.ParseFlags(rest)
					}
					if err != nil {
						t.Errorf("%s: catalog %s: %v", path, strings.Join(args, " "), err)
					}
					found[cmd.Name()]++
				})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"serve", "index", "gateway", "import", "prune"} {
		if found[name] < 2 {
			t.Errorf("%d command lines of %s were found", found[name], name)
		}
	}
}

// commandLines calls f with each list of arguments, below a YAML value, that
// begins with a command of this program.
func commandLines(v any, f func(args []string)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			commandLines(e, f)
		}
	case map[string]any:
		for _, name := range []string{"args", "command", "entrypoint"} {
			list, _ := v[name].([]any)
			var args []string
			for _, e := range list {
				if s, ok := e.(string); ok {
					args = append(args, s)
				}
			}
			if len(args) > 0 && strings.HasSuffix(args[0], "/catalog") {
				args = args[1:]
			}
			if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
				for _, c := range newRootCommand(&app{}).Commands() {
					if c.Name() == args[0] {
						f(args)
					}
				}
			}
		}
		for _, e := range v {
			commandLines(e, f)
		}
	}
}
