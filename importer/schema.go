package importer

import (
	"bytes"
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"catalog/catalog"
)

// schema is the caller's own JSON Schema; a nil one accepts everything.
type schema struct{ s *jsonschema.Schema }

func compileSchema(text []byte) (*schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	const name = "schema.json"
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	s, err := c.Compile(name)
	if err != nil {
		return nil, err
	}
	return &schema{s}, nil
}

// check validates a document. One that is no JSON passes: reading it says
// better what is wrong.
func (s *schema) check(doc []byte) error {
	if s == nil {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	err = s.s.Validate(v)
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0] // the innermost says what is wrong and where
	}
	return &catalog.InvalidError{
		Reason: ReasonSchema, Path: strings.Join(invalid.InstanceLocation, "."), Offset: -1,
		Detail: invalid.ErrorKind.LocalizedString(message.NewPrinter(language.English)),
	}
}
