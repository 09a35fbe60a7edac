package main

import (
	"bytes"
	"encoding/json"
)

// field is a member of a JSON object, whose order is kept.
type field struct {
	name  string
	value json.RawMessage
}

// overlaid returns a document as a store view sees it: the fields that its
// overlay has replace the rest, attributes one by one; texts given per store
// become those of this store, falling back to "default" or "".
func overlaid(doc []byte, view string) ([]byte, error) {
	fields, err := fieldsOf(doc)
	if err != nil {
		return nil, err
	}
	var over []field
	kept := fields[:0]
	for _, f := range fields {
		if f.name != "stores" {
			kept = append(kept, f)
			continue
		}
		views, err := fieldsOf(f.value)
		if err != nil {
			return nil, err
		}
		if v := find(views, view); v != nil {
			if over, err = fieldsOf(v.value); err != nil {
				return nil, err
			}
		}
	}
	fields = kept
	for i := range fields {
		switch fields[i].name {
		case "name", "description", "short_description", "url_key", "brand":
			fields[i].value = textOf(fields[i].value, view)
		}
	}
	fields, err = merged(fields, over)
	return encoded(fields), err
}

// merged lays over upon fields; objects are merged one level deep.
func merged(fields, over []field) ([]field, error) {
	for _, o := range over {
		f := find(fields, o.name)
		switch {
		case f == nil:
			fields = append(fields, o)
		case o.name == "attributes" && f.value[0] == '{' && o.value[0] == '{':
			below, err := fieldsOf(f.value)
			if err != nil {
				return nil, err
			}
			above, err := fieldsOf(o.value)
			if err != nil {
				return nil, err
			}
			if below, err = merged(below, above); err != nil {
				return nil, err
			}
			f.value = encoded(below)
		default:
			f.value = o.value
		}
	}
	return fields, nil
}

// textOf returns the text of one store where a value is an object of store →
// text; any other value as it is.
func textOf(value json.RawMessage, view string) json.RawMessage {
	if len(value) == 0 || value[0] != '{' {
		return value
	}
	texts, err := fieldsOf(value)
	if err != nil {
		return value
	}
	for _, name := range []string{view, "default", ""} {
		if t := find(texts, name); t != nil {
			return t.value
		}
	}
	return value
}

func find(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

// fieldsOf returns the members of a JSON object in their order; none if it is
// another value.
func fieldsOf(doc []byte) ([]field, error) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, err
	}
	var fields []field
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		f := field{}
		f.name, _ = t.(string)
		if err := dec.Decode(&f.value); err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// encoded puts members together again.
func encoded(fields []field) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		// Names cannot fail; the new line that Encode adds is white space.
		_ = enc.Encode(f.name)
		b.WriteByte(':')
		b.Write(f.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}
