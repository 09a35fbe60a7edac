package storefront

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"catalog/catalog"
	"catalog/catalog/internal/jsonscan"
)

// neverMind is the time of what does not depend on it.
var neverMind = time.Unix(0, 0)

// appendString appends a JSON string.
func appendString(dst []byte, s string) []byte { return jsonscan.AppendQuoted(dst, s) }

// appendStrings appends an array of strings; of nil an empty one.
func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		dst = comma(dst, i)
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}

// appendName appends a comma and the name of a member that is written so
// already.
func appendName(dst []byte, name string) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// appendField appends a comma and a member with a text.
func appendField(dst []byte, name, text string) []byte {
	return appendString(appendName(dst, name), text)
}

// appendInt appends a comma and a member with a whole number.
func appendInt(dst []byte, name string, n int) []byte {
	return strconv.AppendInt(appendName(dst, name), int64(n), 10)
}

// appendBool appends a comma and a member with a flag.
func appendBool(dst []byte, name string, v bool) []byte {
	return strconv.AppendBool(appendName(dst, name), v)
}

// comma appends one before all elements but the first.
func comma(dst []byte, i int) []byte {
	if i > 0 {
		return append(dst, ',')
	}
	return dst
}

// member appends the member of a document, behind a comma unless it is the
// first of its object.
func member(dst []byte, name []byte, value catalog.Value, first *bool) []byte {
	if !*first {
		dst = append(dst, ',')
	}
	*first = false
	dst = jsonscan.AppendQuoted(dst, string(name))
	dst = append(dst, ':')
	return append(dst, value...)
}

// readBody reads the body of a request; only JSON is accepted.
func (s *Server) readBody(r *request, types ...string) ([]byte, error) {
	if ct := r.Header.Get("Content-Type"); ct != "" {
		media, _, err := mime.ParseMediaType(ct)
		ok := err == nil && media == "application/json"
		for _, t := range types {
			ok = ok || err == nil && media == t
		}
		if !ok {
			return nil, problemf(http.StatusUnsupportedMediaType, "Content-Type", "%q is not JSON: send application/json", clip(ct))
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, err
		}
		return nil, badRequest("", "the body ended before it was complete, or came too slowly")
	}
	return body, nil
}

// readJSON reads the body of a request into v, which must know all of its
// members.
func (s *Server) readJSON(r *request, v any) error {
	body, err := s.readBody(r)
	if err != nil {
		return err
	}
	var scan jsonscan.Scanner
	scan.MaxDepth = 16
	if err := scan.Object(body); err != nil {
		return badRequest("", "the body is no JSON object that can be read: %s", err.Error())
	}
	if err := strictJSON(body, v); err != nil {
		return err
	}
	return nil
}

// strictJSON decodes an object that the scanner has accepted.
func strictJSON(body []byte, v any) error {
	d := json.NewDecoder(&reader{body})
	d.DisallowUnknownFields()
	err := d.Decode(v)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return badRequest(wrong.Field, "is a JSON %s; %s is needed", wrong.Value, typeName(wrong.Type.Kind().String()))
	}
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return badRequest("", "the body is not what is asked for: %s", trimJSON(err.Error()))
}

// typeName says what a Go kind is in JSON.
func typeName(kind string) string {
	switch kind {
	case "slice":
		return "an array"
	case "int", "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "struct", "map":
		return "an object"
	}
	return "a " + kind
}

func trimJSON(s string) string {
	const prefix = "json: "
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):]
	}
	return s
}

// reader reads a slice once.
type reader struct{ rest []byte }

func (r *reader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
