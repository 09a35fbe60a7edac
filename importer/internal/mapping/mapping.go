package mapping

import (
	"fmt"

	"catalog/importer/yaml"
)

// Mapping is a mapping file, checked and compiled. It is immutable: any number
// of goroutines may take mappers from it.
type Mapping struct {
	paths   *node     // all paths that are named
	slots   []slot    // what sources read, by number
	targets []*target // members of the output, in order
	attrs   []*target // explicit attributes, in order
	pairs   []pairs
	reserve map[string]bool // names of the top level that the rest cannot take
	rest    disposition
	sep     string
	product bool // has a sku that must be there
}

// slot is a place of the feed that a source reads.
type slot struct {
	path string
	many bool // the path takes several elements
}

// target is a member of the output.
type target struct {
	name  string
	key   []byte // the name as JSON, with the colon
	src   *source
	kids  []*target // of an object; nil when src is set
	array bool      // kids are the elements of an array
	list  bool      // one value is an array too
	weak  bool      // an object with weak members alone is left out
}

// pairs is an array of objects that name an attribute each.
type pairs struct {
	slot        int
	name, value string
}

// Parse reads a mapping file, YAML or JSON. Its errors name the line and are
// *yaml.Error, wrapped.
func Parse(data []byte) (*Mapping, error) {
	n, err := yaml.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	if n.IsNull() {
		return nil, fmt.Errorf("mapping: %w", &yaml.Error{Detail: "the file is empty"})
	}
	m, err := decodeMapping(n, productScope(), 0)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	return m, nil
}

// BySKU returns the mapping that takes the sku from one field and keeps
// everything else as it is. The field is a member of the record, whatever
// characters its name has, or else a path.
func BySKU(field string) (*Mapping, error) {
	if field == "" {
		return nil, fmt.Errorf("mapping: %w", &yaml.Error{Detail: "the field that is the sku has no name"})
	}
	places := &yaml.Node{Items: []*yaml.Node{yaml.String(QuotePath("", field))}}
	if _, err := parsePath(field, false); err == nil && QuotePath("", field) != field {
		places.Items = append(places.Items, yaml.String(field))
	}
	text := &yaml.Node{Object: true, Fields: []yaml.Member{{Key: "sku", Value: places}}}
	m, err := decodeMapping(text, productScope(), 0)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	return m, nil
}
