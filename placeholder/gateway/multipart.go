package gateway

import (
	"bufio"
	"bytes"
	"mime"
	"net/textproto"
	"strings"
)

// multipart reads a form of type multipart/form-data: its parts that are no
// files. Offsets are those of the whole part, so that a part can be replaced
// and all others stay as they are, to the byte.
func multipart(source, boundary string) place {
	p := place{source: source, write: func(id string) string {
		return "\r\nContent-Disposition: form-data; name=\"product\"\r\n\r\n" + id
	}}
	delimiter := "--" + boundary
	at := strings.Index("\r\n"+source, "\r\n"+delimiter)
	if at < 0 {
		return p
	}
	at += len(delimiter)
	for len(p.fields) < maxFields {
		// At is behind a delimiter: the part begins with the end of its line.
		end := strings.Index(source[at:], "\r\n"+delimiter)
		if end < 0 || strings.HasPrefix(source[at:], "--") {
			return p
		}
		next := at + end + len("\r\n") + len(delimiter)
		if name, value, ok := formPart(source[at : at+end]); ok {
			p.fields = append(p.fields, field{name, value, at, at + end, at, next})
		}
		at = next
	}
	return p
}

// formPart reads a part, from the end of the delimiter's line to its last
// byte. ok is false for files and for what is no form's.
func formPart(part string) (name, value string, ok bool) {
	_, part, ok = strings.Cut(part, "\r\n")
	if !ok {
		return "", "", false
	}
	head, value, ok := strings.Cut(part, "\r\n\r\n")
	if !ok {
		return "", "", false
	}
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(head + "\r\n\r\n"))).ReadMIMEHeader()
	if err != nil {
		return "", "", false
	}
	disposition, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil || disposition != "form-data" {
		return "", "", false
	}
	if _, file := params["filename"]; file {
		return "", "", false
	}
	return params["name"], value, true
}

// formBody reads a request's form; a place without fields if it has none.
func formBody(contentType string, body []byte) place {
	t, params, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
	case t == "application/x-www-form-urlencoded":
		return urlencoded(string(body))
	case t == "multipart/form-data" && params["boundary"] != "":
		return multipart(string(bytes.Clone(body)), params["boundary"])
	}
	return place{}
}
