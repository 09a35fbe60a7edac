package catalog_test

import (
	"strings"
	"testing"
)

// TestRulesCanFail feeds each rule a tree that breaks it, and one beside it
// that does not: a rule that cannot fail protects nothing.
func TestRulesCanFail(t *testing.T) {
	// depends returns a tree in which one package depends on others.
	depends := func(from string, deps ...string) tree {
		return tree{Packages: []pkg{{ImportPath: from, Imports: deps, Deps: deps}}}
	}
	third := func(p, modulePath string) pkg {
		return pkg{ImportPath: p, Module: &struct{ Path string }{modulePath}}
	}
	with := func(t tree, more ...pkg) tree {
		t.Packages = append(t.Packages, more...)
		return t
	}
	std := func(p string) pkg { return pkg{ImportPath: p, Standard: true} }
	doc := func(p, name, text string) file { return file{Path: p, Package: name, Doc: text} }

	cases := map[string][]struct {
		name string
		tree tree
		bad  int
	}{
		"layers": {
			{"a command uses everything", depends("catalog/cmd/catalog", "catalog/importer", "catalog/catalog/pebblestore", "catalog/fixtures"), 0},
			{"a package below a command", depends("catalog/cmd/catalog", "catalog/cmd/catalog/internal/ui"), 0},
			{"fixtures import a command", depends("catalog/fixtures/bench", "catalog/cmd/catalog"), 1},
			{"the importer uses its own inner packages", depends("catalog/importer", "catalog/importer/internal/feed", "catalog/catalog"), 0},
			{"the importer knows a store", depends("catalog/importer", "catalog/catalog/memstore"), 1},
			{"the importer's inner package knows a store that does not exist yet", depends("catalog/importer/internal/feed", "catalog/catalog/tikvstore"), 1},
			{"the importer pushes into the index", depends("catalog/importer", "catalog/indexer"), 1},
			{"the indexer knows the importer and the placeholders", depends("catalog/indexer", "catalog/importer", "catalog/placeholder"), 2},
			{"the indexer knows its own backend", depends("catalog/indexer", "catalog/indexer/facetindex"), 1},
			{"an index knows the contract", depends("catalog/indexer/facetindex", "catalog/indexer", "catalog/catalog"), 0},
			{"one index leans on the other", depends("catalog/indexer/elasticindex", "catalog/indexer/facetindex/columns"), 1},
			{"one store leans on the other", depends("catalog/catalog/remotestore", "catalog/catalog/pebblestore"), 1},
			{"a store has inner packages", depends("catalog/catalog/pebblestore", "catalog/catalog/pebblestore/internal/keys", "catalog/catalog/internal/jsonscan"), 0},
			{"the vocabulary knows a store", depends("catalog/catalog", "catalog/catalog/memstore"), 1},
			{"the suite knows a store", depends("catalog/catalog/storetest", "catalog/catalog/memstore"), 1},
			{"shops share the ledger", depends("catalog/placeholder/magento2", "catalog/placeholder/ledger", "catalog/placeholder"), 0},
			{"one shop leans on the other", depends("catalog/placeholder/openmage", "catalog/placeholder/magento2"), 1},
			{"the ledger knows a shop", depends("catalog/placeholder/ledger", "catalog/placeholder/magento2"), 1},
			{"the storefront knows an engine", depends("catalog/catalog/storefront", "catalog/indexer", "catalog/indexer/facetindex"), 1},
			{"the copier knows the contract", depends("catalog/catalog/copystore", "catalog/catalog"), 0},
			{"the copier knows a store", depends("catalog/catalog/copystore", "catalog/catalog/pebblestore"), 1},
			{"a store knows the copier", depends("catalog/catalog/memstore", "catalog/catalog/copystore"), 1},
			{"schemas know the importer", depends("catalog/schemas", "catalog/importer"), 1},
			{"a part that the design has not", depends("catalog/util", "catalog/catalog"), 1},
		},
		"cmd is the top": {
			{"a test of the importer", tree{Packages: []pkg{{ImportPath: "catalog/importer", XTestImports: []string{"catalog/cmd/catalog"}}}}, 1},
			{"a test of the command", tree{Packages: []pkg{{ImportPath: "catalog/cmd/catalog", TestImports: []string{"catalog/cmd/catalog/internal/ui"}}}}, 0},
		},
		"standard library only": {
			{"a library", with(depends("catalog/catalog", "encoding/json", "golang.org/x/text/cases"), std("encoding/json"), third("golang.org/x/text/cases", "golang.org/x/text")), 1},
			{"the standard library", with(depends("catalog/schemas", "embed", "catalog/catalog/internal/jsonscan"), std("embed")), 0},
			{"a store may", with(depends("catalog/catalog/pebblestore", "github.com/cockroachdb/pebble/v2"), third("github.com/cockroachdb/pebble/v2", "github.com/cockroachdb/pebble/v2")), 0},
		},
		"one door for each library": {
			{"two packages of one module", with(depends("catalog/importer", "x.org/y/a"), third("x.org/y/a", "x.org/y"), third("x.org/y/b", "x.org/y"),
				depends("catalog/cmd/catalog", "x.org/y/b").Packages[0]), 1},
			{"fixtures and suites do not count", with(depends("catalog/importer", "x.org/y/a"), third("x.org/y/a", "x.org/y"),
				depends("catalog/fixtures", "x.org/y/a").Packages[0], depends("catalog/catalog/storetest", "x.org/y/a").Packages[0]), 0},
			{"nor does golang.org/x", with(depends("catalog/importer", "golang.org/x/sync/errgroup"), third("golang.org/x/sync/errgroup", "golang.org/x/sync"),
				depends("catalog/indexer", "golang.org/x/sync/errgroup").Packages[0]), 0},
		},
		"no testing in the program": {
			{"directly", depends("catalog/importer", "testing"), 1},
			{"its helpers", depends("catalog/fixtures", "testing/fstest"), 1},
			{"by a suite", depends("catalog/cmd/catalog", "catalog/catalog/storetest"), 1},
			{"a suite itself", depends("catalog/catalog/storetest", "testing"), 0},
		},
		"one package comment": {
			{"none", tree{Files: []file{doc("a/a.go", "a", ""), doc("a/b.go", "a", "")}}, 1},
			{"two", tree{Files: []file{doc("a/a.go", "a", "Package a is."), doc("a/b.go", "a", "Package a does.")}}, 1},
			{"one of another package", tree{Files: []file{doc("a/a.go", "a", "Package b is.")}}, 1},
			{"a command", tree{Files: []file{doc("cmd/a/main.go", "main", "Command a runs."), {Path: "cmd/a/a_test.go", Package: "main_test", Test: true}}}, 0},
		},
		"short files": {
			{"long", tree{Files: []file{{Path: "a/a.go", Lines: maxLines + 1}}}, 1},
			{"generated", tree{Files: []file{{Path: "a/a.go", Lines: 10 * maxLines, Generated: true}, {Path: "a/b.go", Lines: maxLines}}}, 0},
		},
		"fixed top level": {
			{"a new folder", tree{Folders: []string{"cmd", "pkg", "internal"}}, 2},
			{"a later folder of the design", tree{Folders: []string{"indexer", "deploy"}}, 0},
		},
	}

	for _, r := range rules {
		failed := false
		for _, c := range cases[r.name] {
			t.Run(r.name+"/"+c.name, func(t *testing.T) {
				bad := r.check(c.tree)
				if len(bad) != c.bad {
					t.Errorf("%d violations, want %d: %s", len(bad), c.bad, strings.Join(bad, "; "))
				}
			})
			failed = failed || c.bad > 0
		}
		if !failed {
			t.Errorf("rule %q has no example of breaking it", r.name)
		}
		if r.reason == "" {
			t.Errorf("rule %q gives no reason", r.name)
		}
	}
	if len(cases) != len(rules) {
		t.Errorf("%d rules, but examples of %d", len(rules), len(cases))
	}
}
