package storefront_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"catalog/catalog/storefront"
)

// document is the OpenAPI document, to hold answers to.
type document struct {
	root     map[string]any
	compiler *jsonschema.Compiler
	mu       sync.Mutex
	schemas  map[string]*jsonschema.Schema
	seen     map[string]bool // METHOD path status
}

var opened = sync.OnceValues(func() (*document, error) {
	text, err := yaml.YAMLToJSON(storefront.Document())
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	root, ok := doc.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the document is no object")
	}
	d := &document{root: root, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}, seen: map[string]bool{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	return d, d.compiler.AddResource("api.json", doc)
})

func openDocument(t testing.TB) *document {
	t.Helper()
	d, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// resolve follows references; pointer is where the value stands.
func (d *document) resolve(v any, pointer string) (map[string]any, string) {
	m, _ := v.(map[string]any)
	for range 10 {
		ref, ok := m["$ref"].(string)
		if !ok {
			break
		}
		pointer = strings.TrimPrefix(ref, "#")
		var at any = d.root
		for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
			next, _ := at.(map[string]any)
			at = next[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		}
		m, _ = at.(map[string]any)
	}
	return m, pointer
}

func escapePointer(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

// path returns the template that a path is of.
func (d *document) path(path string) string {
	paths, _ := d.root["paths"].(map[string]any)
	for template := range paths {
		pattern := regexp.MustCompile(`\\\{[^/]*\\\}`).ReplaceAllString(regexp.QuoteMeta(template), ".+")
		if regexp.MustCompile("^" + pattern + "$").MatchString(path) {
			if _, exact := paths[path]; exact && template != path {
				continue
			}
			return template
		}
	}
	return ""
}

// check holds an answer to the document.
func (d *document) check(t testing.TB, method, path string, res *http.Response, body []byte) {
	t.Helper()
	template := d.path(path)
	if method == http.MethodOptions {
		return
	}
	var schema map[string]any
	pointer := "/components/schemas/Problem"
	contentType := "application/problem+json"
	if op, at := d.operation(template, strings.ToLower(method)); op != nil {
		responses, _ := op["responses"].(map[string]any)
		status := fmt.Sprint(res.StatusCode)
		r, ok := responses[status]
		if !ok {
			status = "default"
			if r, ok = responses[status]; !ok || res.StatusCode < 300 {
				t.Errorf("%s %s: the document has no answer %d", method, template, res.StatusCode)
				return
			}
		}
		var rp string
		r, rp = d.resolve(r, at+"/responses/"+status)
		content, _ := r.(map[string]any)["content"].(map[string]any)
		if content == nil {
			if res.StatusCode == http.StatusNotModified && len(body) > 0 {
				t.Errorf("%s %s: a body with 304", method, path)
			}
			return
		}
		for _, name := range slices.Sorted(maps.Keys(content)) {
			contentType = name
			media, _ := content[name].(map[string]any)
			schema, pointer = d.resolve(media["schema"], rp+"/content/"+escapePointer(name)+"/schema")
		}
	} else if res.StatusCode < 400 {
		t.Errorf("%s %s is not in the document, and answered %d", method, path, res.StatusCode)
		return
	}
	_ = schema
	got, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || got != contentType {
		t.Errorf("%s %s: %d is %q, the document says %q", method, path, res.StatusCode, got, contentType)
	}
	if !strings.HasSuffix(contentType, "json") || method == http.MethodHead {
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Errorf("%s %s: %v: %.300s", method, path, err, body)
		return
	}
	s, err := d.schema(pointer)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%s %s: %d is not what the document says: %v\n%.500s", method, path, res.StatusCode, err, body)
	}
}

func (d *document) operation(template, method string) (map[string]any, string) {
	if template == "" {
		return nil, ""
	}
	if method == "head" {
		method = "get"
	}
	paths, _ := d.root["paths"].(map[string]any)
	item, _ := paths[template].(map[string]any)
	op, _ := item[method].(map[string]any)
	return op, "/paths/" + escapePointer(template) + "/" + method
}

func (d *document) schema(pointer string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.schemas[pointer]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile("api.json#" + pointer)
	if err == nil {
		d.schemas[pointer] = s
	}
	return s, err
}

// TestDocumentIsTheRoutes holds the document equal to the routes, and every
// reference and schema of it to be of use.
func TestDocumentIsTheRoutes(t *testing.T) {
	h := newShop(t, storefront.Options{})
	var have []string
	paths, _ := h.api.root["paths"].(map[string]any)
	for path, item := range paths {
		ops, _ := item.(map[string]any)
		if ops["x-mounted"] != nil {
			continue // of another package, whose tests hold it to what is said here
		}
		for method := range ops {
			if method != "parameters" {
				have = append(have, strings.ToUpper(method)+" "+path)
			}
		}
	}
	want := h.server.Routes()
	slices.Sort(have)
	slices.Sort(want)
	for _, r := range have {
		if _, ok := slices.BinarySearch(want, r); !ok {
			t.Errorf("%s is in the document, but no route", r)
		}
	}
	for _, r := range want {
		if _, ok := slices.BinarySearch(have, r); !ok {
			t.Errorf("%s is a route, but not in the document", r)
		}
	}
	text, err := json.Marshal(h.api.root)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"\$ref":"([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
		if v, _ := h.api.resolve(map[string]any{"$ref": m[1]}, ""); v == nil {
			t.Errorf("reference %s leads nowhere", m[1])
		}
	}
}
