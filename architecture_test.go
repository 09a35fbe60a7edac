// Package catalog_test keeps the rules of how this module is put together:
// who may import whom, and what each package and file looks like. Each rule
// has a reason, which is what you read when you break it.
package catalog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module   = "catalog"
	maxLines = 600 // of a file that people wrote
)

// tree is what the rules look at.
type tree struct {
	Packages []pkg
	Files    []file
	Folders  []string // at the top level, without hidden ones
}

// pkg is a package as `go list -json` describes it.
type pkg struct {
	ImportPath                         string
	Standard                           bool
	Module                             *struct{ Path string }
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

// file is a Go file of this module.
type file struct {
	Path      string // relative to the module, with slashes
	Package   string // as its package clause names it
	Doc       string // the comment on the package clause
	Lines     int
	Generated bool
	Test      bool
}

// rule is something that holds for every tree. check returns the places where
// it does not.
type rule struct {
	name, reason string
	check        func(tree) []string
}

// own reports whether p belongs to this module.
func own(p string) bool { return strings.HasPrefix(p, module+"/") || p == module }

// part says which box of the design a package of this module belongs to. A
// folder that nobody has thought of yet is a backend of its concept: the
// strictest thing to be.
func part(importPath string) string {
	rel := strings.TrimPrefix(importPath, module+"/")
	top, rest, _ := strings.Cut(rel, "/")
	child, _, _ := strings.Cut(rest, "/")
	switch top {
	case "catalog", "indexer", "placeholder":
		switch child {
		case "", "internal", "analysis": // analysis is what the indexer makes of words
			return top
		case "storefront", "ledger", "copystore", "packing":
			return child
		}
		if strings.HasSuffix(child, "test") {
			return top + " suite"
		}
		return top + " backend " + child
	}
	return top
}

// mayUse says which other parts each part may depend on. Backends and suites
// stand for all of their concept; a part may always use itself.
var mayUse = []struct {
	part   string
	others []string
	reason string
}{
	{"catalog", nil, "the vocabulary is what everything else is built on: it depends on nothing, so that nothing can be pulled in with it"},
	{"catalog suite", []string{"catalog"}, "the suite holds any Store to the contract, so it may know the contract alone"},
	{"catalog backend", []string{"catalog"}, "a store keeps records and knows nothing of who writes or reads them; two stores that lean on each other cannot be told apart by the suite"},
	{"packing", nil, "it packs bytes, whosever they are"},
	{"storefront", []string{"catalog", "indexer", "packing"}, "the REST API serves any store and any index: cmd hands them in"},
	{"copystore", []string{"catalog"}, "a copy goes from any Store to any other: cmd chooses both"},
	{"importer", []string{"catalog", "packing"}, "an import writes to any Store; index and placeholders follow the change log and must not be called from here"},
	{"indexer", []string{"catalog"}, "the indexer follows any Store's log into any Index: cmd chooses both"},
	{"indexer suite", []string{"catalog", "indexer"}, "the suite holds any Index to the contract, so it may know the contract alone"},
	{"indexer backend", []string{"catalog", "indexer"}, "an index implements indexer's contract; two indexes that lean on each other cannot be told apart by the suite"},
	{"placeholder", []string{"catalog"}, "placeholders are made from any Store's records in any Shop: cmd chooses both"},
	{"placeholder suite", []string{"catalog", "placeholder"}, "the suite holds any Shop to the contract, so it may know the contract alone"},
	{"ledger", []string{"catalog", "placeholder"}, "the SQL that shops share knows the contract, not the shops"},
	{"placeholder backend", []string{"catalog", "placeholder", "ledger"}, "a shop implements placeholder's contract; what two shops share belongs into ledger"},
	{"schemas", nil, "schemas are data with a door: whoever embeds them must not inherit dependencies"},
	{"fixtures", []string{"*"}, ""},
	{"cmd", []string{"*"}, ""},
}

// allowed reports whether a package of part from may depend on part to, and
// why not.
func allowed(from, to string) (ok bool, reason string) {
	if from == to {
		return true, ""
	}
	if to == "cmd" {
		return false, "commands only parse flags and wire things together: what somebody else needs of them belongs into a package"
	}
	class := from
	if i := strings.Index(from, " backend "); i >= 0 {
		class = from[:i] + " backend"
	}
	for _, m := range mayUse {
		if m.part == class {
			return slices.Contains(m.others, to) || slices.Contains(m.others, "*"), m.reason
		}
	}
	return false, "the part has no place in the design: add it there and to mayUse"
}

// production reports whether a package ends up in the program.
func production(importPath string) bool {
	return own(importPath) && !strings.HasSuffix(importPath, "test")
}

var rules = []rule{
	{"layers", "the arrows of the design point one way; each line below says why", func(t tree) (bad []string) {
		for _, p := range t.Packages {
			if !own(p.ImportPath) {
				continue
			}
			for _, dep := range p.Deps {
				if !own(dep) {
					continue
				}
				if ok, why := allowed(part(p.ImportPath), part(dep)); !ok {
					bad = append(bad, fmt.Sprintf("%s depends on %s: %s", p.ImportPath, dep, why))
				}
			}
		}
		return bad
	}},

	{"cmd is the top", "a test that imports a command tests it from the wrong side: run the program, or move the code into a package", func(t tree) (bad []string) {
		for _, p := range t.Packages {
			for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
				if own(imp) && part(imp) == "cmd" && part(p.ImportPath) != "cmd" {
					bad = append(bad, fmt.Sprintf("a test of %s imports %s", p.ImportPath, imp))
				}
			}
		}
		return bad
	}},

	{"standard library only", "catalog and schemas are imported by everybody: a dependency of theirs would be one of all who build on them", func(t tree) (bad []string) {
		standard := map[string]bool{}
		for _, p := range t.Packages {
			standard[p.ImportPath] = p.Standard
		}
		for _, p := range t.Packages {
			if w := part(p.ImportPath); !own(p.ImportPath) || w != "catalog" && w != "schemas" {
				continue
			}
			for _, dep := range p.Deps {
				if !own(dep) && !standard[dep] {
					bad = append(bad, fmt.Sprintf("%s depends on %s", p.ImportPath, dep))
				}
			}
		}
		return bad
	}},

	{"one door for each library", "a library that one package imports can be replaced, upgraded and worked around in one place", func(t tree) (bad []string) {
		moduleOf := map[string]string{}
		for _, p := range t.Packages {
			if p.Module != nil {
				moduleOf[p.ImportPath] = p.Module.Path
			}
		}
		users := map[string][]string{}
		for _, p := range t.Packages {
			if !production(p.ImportPath) || part(p.ImportPath) == "fixtures" {
				continue
			}
			for _, imp := range p.Imports {
				m := moduleOf[imp]
				if m == "" || m == module || strings.HasPrefix(m, "golang.org/x/") || strings.HasPrefix(m, "github.com/go-sql-driver/") {
					continue
				}
				if !slices.Contains(users[m], p.ImportPath) {
					users[m] = append(users[m], p.ImportPath)
				}
			}
		}
		for m, ps := range users {
			if len(ps) > 1 {
				slices.Sort(ps)
				bad = append(bad, fmt.Sprintf("%s is imported by %s", m, strings.Join(ps, " and ")))
			}
		}
		return bad
	}},

	{"no testing in the program", "package testing registers flags and weighs megabytes: suites live in packages named …test", func(t tree) (bad []string) {
		for _, p := range t.Packages {
			if !production(p.ImportPath) {
				continue
			}
			for _, imp := range p.Imports {
				if imp == "testing" || strings.HasPrefix(imp, "testing/") || own(imp) && strings.HasSuffix(imp, "test") {
					bad = append(bad, fmt.Sprintf("%s imports %s", p.ImportPath, imp))
				}
			}
		}
		return bad
	}},

	{"one package comment", "the package comment is the only documentation there is, and two of them are read in the order of file names", func(t tree) (bad []string) {
		docs := map[string][]file{}
		for _, f := range t.Files {
			if f.Test {
				continue
			}
			dir := path.Dir(f.Path)
			docs[dir] = append(docs[dir], f)
		}
		for dir, fs := range docs {
			name, with := fs[0].Package, 0
			for _, f := range fs {
				if f.Doc == "" {
					continue
				}
				with++
				want := "Package " + name + " "
				if name == "main" {
					want = "Command " + path.Base(dir) + " "
				}
				if !strings.HasPrefix(f.Doc, want) {
					bad = append(bad, fmt.Sprintf("%s: the comment does not begin with %q", f.Path, want))
				}
			}
			if with != 1 {
				bad = append(bad, fmt.Sprintf("%s has %d package comments", dir, with))
			}
		}
		return bad
	}},

	{"short files", fmt.Sprintf("a file of more than %d lines holds more than one idea", maxLines), func(t tree) (bad []string) {
		for _, f := range t.Files {
			if f.Lines > maxLines && !f.Generated {
				bad = append(bad, fmt.Sprintf("%s has %d lines", f.Path, f.Lines))
			}
		}
		return bad
	}},

	{"fixed top level", "whoever knows one folder of the design knows where everything is", func(t tree) (bad []string) {
		design := []string{"cmd", "catalog", "importer", "indexer", "placeholder", "schemas", "fixtures", "deploy"}
		for _, dir := range t.Folders {
			if !slices.Contains(design, dir) {
				bad = append(bad, dir+"/ is none of "+strings.Join(design, ", "))
			}
		}
		return bad
	}},
}

func TestArchitecture(t *testing.T) {
	here := loadTree(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			bad := r.check(here)
			slices.Sort(bad)
			for _, b := range bad {
				t.Errorf("%s\n\twhy it matters: %s", b, r.reason)
			}
		})
	}
}

// loadTree reads the module this test stands in.
func loadTree(t *testing.T) tree {
	t.Helper()
	var here tree

	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Module,Imports,TestImports,XTestImports,Deps", "./...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		here.Packages = append(here.Packages, p)
	}

	ignored := ignoredFolders(t)
	err = filepath.WalkDir(".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		top := !strings.Contains(p, string(filepath.Separator))
		if e.IsDir() {
			if strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata" || top && slices.Contains(ignored, e.Name()) {
				return fs.SkipDir
			}
			if top {
				here.Folders = append(here.Folders, p)
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := readFile(p)
		here.Files = append(here.Files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return here
}

func readFile(p string) (file, error) {
	src, err := os.ReadFile(p)
	if err != nil {
		return file{}, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), p, src, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		return file{}, err
	}
	return file{
		Path:      filepath.ToSlash(p),
		Package:   parsed.Name.Name,
		Doc:       parsed.Doc.Text(),
		Lines:     strings.Count(string(src), "\n"),
		Generated: ast.IsGenerated(parsed),
		Test:      strings.HasSuffix(p, "_test.go"),
	}, nil
}

// ignoredFolders returns the folders at the top level that git ignores: what
// builds and runs leave behind is no part of the layout.
func ignoredFolders(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(".gitignore")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "/"); ok {
			names = append(names, strings.TrimSuffix(name, "/"))
		}
	}
	return names
}
