package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// commandLine finds the program's command lines in what operators copy.
var commandLine = regexp.MustCompile(`(?m)(?:^ExecStart=\S*/| )catalog ((?:import|prune|gateway|placeholder|magento) [^|#\n]*?)(?: 2>&1.*)?$`)

// TestDeployExamples checks that the command lines of deploy/ have only
// commands and flags that there are.
func TestDeployExamples(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../../deploy", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range commandLine.FindAllStringSubmatch(string(text), -1) {
			found++
			cmd, rest, err := newRootCommand(&app{}).Find(strings.Fields(m[1]))
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err != nil {
				t.Errorf("%s: catalog %s: %v", path, m[1], err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 6 {
		t.Errorf("only %d command lines were found", found)
	}
}
