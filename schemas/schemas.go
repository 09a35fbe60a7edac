// Package schemas holds the JSON Schemas (draft 2020-12) of what the program
// reads and writes, to check feeds and files with other tools, to complete
// mapping and settings files in editors, and to read reports:
//
//	product    a record of a product feed, as import takes it
//	price      a record of a price feed
//	stock      a record of a stock feed
//	category   a record of a category feed
//	attribute  a record of an attribute feed
//	mapping    a mapping file (import --map), as YAML or JSON
//	settings   the settings file catalog.yaml
//	index-settings  what a shop says of its search (--search-settings)
//	report     what import --report writes
//	reject     a line of what import --rejects writes
//	prune      what prune --report writes
//
// What a schema refuses import refuses, and the other way round, but for what
// JSON Schema cannot say: lengths are counted in bytes, names must not be
// given twice in an object, and numbers are kept as they are written.
package schemas

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// FS holds the schemas as NAME.schema.json.
//
//go:embed *.schema.json
var FS embed.FS

// ErrUnknown says that there is no schema of that name.
var ErrUnknown = errors.New("no such schema")

const suffix = ".schema.json"

// Names returns the names of all schemas, sorted.
func Names() []string {
	files, err := fs.Glob(FS, "*"+suffix)
	if err != nil { // the pattern is a constant
		return nil
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, suffix)
	}
	return files
}

// Get returns the schema of a name, as "product". Its error is ErrUnknown.
func Get(name string) ([]byte, error) {
	text, err := FS.ReadFile(name + suffix)
	if err != nil {
		return nil, fmt.Errorf("schemas: %q: %w", name, ErrUnknown)
	}
	return text, nil
}
