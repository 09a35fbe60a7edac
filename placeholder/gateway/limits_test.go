package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestTooManyProductsPass(t *testing.T) {
	var rest, graphql []string
	for i := range maxSKUs + 1 {
		rest = append(rest, fmt.Sprintf(`{"cartItem":{"sku":"s%d"}}`, i))
		graphql = append(graphql, fmt.Sprintf(`{sku:\"s%d\"}`, i))
	}
	query := func(items []string) []byte {
		return []byte(`{"query":"mutation{addProductsToCart(cartItems:[` + strings.Join(items, ",") + `]){x}}"}`)
	}
	for name, p := range map[string][2]*parsed{
		"REST":    {parseREST("", []byte("["+strings.Join(rest[1:], ",")+"]")), parseREST("", []byte("["+strings.Join(rest, ",")+"]"))},
		"GraphQL": {parseGraphQL(query(graphql[1:])), parseGraphQL(query(graphql))},
	} {
		if p[0].excess || len(p[0].skus) != maxSKUs {
			t.Errorf("%s: %d products are too many", name, len(p[0].skus))
		}
		if !p[1].excess {
			t.Errorf("%s: %d products are not too many", name, maxSKUs+1)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const item = `{"cartItem":{"sku":"A"}}`
	m := memory{limit: int64(len(item)) * (parseFactor + 1)}
	newRequest := func() *http.Request { return httptest.NewRequest("POST", "/", strings.NewReader(item)) }
	first := &share{of: &m}
	if _, plain, err := readBody(newRequest(), 1000, first); err != nil || string(plain) != item {
		t.Fatalf("%q %v", plain, err)
	}
	for range 3 {
		second := &share{of: &m}
		r, plain, err := readBody(newRequest(), 1000, second)
		if !errors.Is(err, errMemory) || plain != nil {
			t.Fatalf("read %q beyond the budget, %v", plain, err)
		}
		if b, err := io.ReadAll(r.Body); err != nil || string(b) != item {
			t.Errorf("the shop gets %q, %v", b, err)
		}
		second.release()
	}
	first.release()
	if n := m.used.Load(); n != 0 {
		t.Errorf("%d bytes were not given back", n)
	}
	if _, _, err := readBody(newRequest(), 1000, &share{of: &m}); err != nil {
		t.Error(err)
	}
}

// TestBrokenUpload has the client's connection break: the shop must see that,
// not a shorter body.
func TestBrokenUpload(t *testing.T) {
	broken := errors.New("connection reset")
	r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)))
	r.ContentLength = 10
	out, _, err := readBody(r, 1000, &share{of: &memory{limit: 1 << 20}})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(out.Body); string(b) != "half" || !errors.Is(err, broken) {
		t.Errorf("%q %v", b, err)
	}
}

// TestReadingIsLinear reads the largest bodies that are hard to read.
func TestReadingIsLinear(t *testing.T) {
	const size = 1 << 20
	for name, read := range map[string]func(){
		"form":      func() { urlencoded(strings.Repeat("&", size)) },
		"path":      func() { pathParams(strings.Repeat("/a", size/2), 3) },
		"multipart": func() { multipart(strings.Repeat("--b\r\n", size/5), "b") },
		"JSON":      func() { parseREST("", bytes.Repeat([]byte("[],"), size/3)) },
		"depth":     func() { parseREST("", bytes.Repeat([]byte("["), size)) },
		"GraphQL": func() {
			parseGraphQL([]byte(`{"query":"mutation{addProductsToCart(` + strings.Repeat("{", size-100) + `"}`))
		},
		"XML": func() { parseREST("text/xml", bytes.Repeat([]byte("<a>"), size/3)) },
		"bulk": func() {
			parseREST("", []byte("["+strings.Repeat(`{"cartItem":{"sku":"a"}},`, size/25)+"1]"))
		},
	} {
		began := time.Now()
		read()
		// It takes tens of milliseconds; quadratic would be minutes.
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}
