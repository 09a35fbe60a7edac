package gateway_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"catalog/placeholder/gateway"
)

const (
	formType = "application/x-www-form-urlencoded"
	// The entity id that the shelf gives the SKU "A 1".
	a1 = "1003"
)

func TestStorefront(t *testing.T) {
	s := newShop(t)
	for _, tt := range []struct {
		name, method, uri, body string
		openMageOnly            bool
		wantURI, wantBody       string // "": as it came
		sku                     string // that is ensured; "" if none
	}{
		{
			name: "form", uri: "/checkout/cart/add", body: "form_key=x&sku=A+1&qty=2&options%5B1%5D=a%20b",
			wantBody: "form_key=x&product=" + a1 + "&qty=2&options%5B1%5D=a%20b", sku: "A 1",
		},
		{
			name: "form, store code, slash, empty product", uri: "/de/checkout/cart/add/", body: "product=&sku=A%201",
			wantBody: "product=" + a1, sku: "A 1",
		},
		{
			name: "empty product last", uri: "/index.php/de/checkout/cart/add/", body: "sku=A%201&product=",
			wantBody: "product=" + a1 + "&", sku: "A 1",
		},
		{
			name: "query of a POST", uri: "/checkout/cart/add?x=%7B;1&sku=A%201", body: "form_key=x",
			wantURI: "/checkout/cart/add?x=%7B;1&product=" + a1, sku: "A 1",
		},
		{
			name: "path of a POST", uri: "/checkout/cart/add/uenc/aHR0,/sku/A%201/qty/2/", body: "form_key=x",
			wantURI: "/checkout/cart/add/uenc/aHR0,/product/" + a1 + "/qty/2/", sku: "A 1",
		},
		{
			name: "path with product 0", uri: "/checkout/cart/add/product/0/sku/A%201", body: "",
			wantURI: "/checkout/cart/add/product/" + a1, sku: "A 1",
		},
		{name: "wish list", uri: "/wishlist/index/add/", body: "sku=A%201", wantBody: "product=" + a1, sku: "A 1"},
		{name: "compare", uri: "/catalog/product_compare/add/", body: "sku=A%201", wantBody: "product=" + a1, sku: "A 1"},
		{
			name: "query by GET", method: "GET", openMageOnly: true, uri: "/checkout/cart/add?sku=A%201&qty=1",
			wantURI: "/checkout/cart/add?product=" + a1 + "&qty=1", sku: "A 1",
		},
		{
			name: "path by GET", method: "GET", openMageOnly: true, uri: "/index.php/checkout/cart/add/sku/A%201/form_key/k/",
			wantURI: "/index.php/checkout/cart/add/product/" + a1 + "/form_key/k/", sku: "A 1",
		},
		{name: "a slash in the SKU", uri: "/checkout/cart/add/sku/a%2Fb/x/%C3%A4", wantURI: "/checkout/cart/add/product/1003/x/%C3%A4", sku: "a/b"},

		{name: "it has a product", uri: "/checkout/cart/add", body: "product=7&sku=A%201"},
		{name: "the path has a product", uri: "/checkout/cart/add/product/7", body: "sku=A%201"},
		{name: "unknown", uri: "/checkout/cart/add", body: "sku=no-1", sku: "no-1"},
		{name: "another controller", uri: "/checkout/cart/addgroup", body: "sku=A%201"},
		{name: "HEAD", method: "HEAD", uri: "/checkout/cart/add?sku=A%201"},
		{name: "no SKU", uri: "/checkout/cart/add", body: "sku=&qty=1"},
		{name: "broken escapes", uri: "/checkout/cart/add", body: "sku=%zz&qty=1"},
	} {
		for _, openMage := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/OpenMage=%v", tt.name, openMage), func(t *testing.T) {
				sh := &shelf{}
				_, srv := serve(t, s.URL, sh, gateway.Options{OpenMage: openMage})
				method := tt.method
				if method == "" {
					method = "POST"
				}
				var contentType string
				if method == "POST" {
					contentType = formType
				}
				send(t, method, srv.URL+tt.uri, contentType, []byte(tt.body))
				uri, body, sku := tt.uri, tt.body, tt.sku
				if !tt.openMageOnly || openMage {
					if tt.wantURI != "" {
						uri = tt.wantURI
					}
					if tt.wantBody != "" {
						body = tt.wantBody
					}
				} else {
					sku = ""
				}
				r, b, _ := s.got()
				if r.RequestURI != uri || string(b) != body || r.ContentLength != int64(len(body)) {
					t.Errorf("the shop got %s with %q of %d bytes,\nwant %s with %q", r.RequestURI, b, r.ContentLength, uri, body)
				}
				if got := strings.Join(sh.skus(), ","); got != sku {
					t.Errorf("ensured %q, want %q", got, sku)
				}
			})
		}
	}
}

func TestStorefrontMultipart(t *testing.T) {
	s := newShop(t)
	file := "\x00\xff\r\n--not the boundary\r\nname=\"sku\"\r\n"
	form := func(fields ...string) (contentType string, body []byte) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for i := 0; i < len(fields); i += 2 {
			if fields[i] == "file" {
				f, err := w.CreateFormFile("sku", "a.txt")
				if err != nil {
					t.Fatal(err)
				}
				_, _ = f.Write([]byte(fields[i+1]))
				continue
			}
			if err := w.WriteField(fields[i], fields[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return w.FormDataContentType(), b.Bytes()
	}
	for _, tt := range []struct {
		name   string
		fields []string
		want   []string // pairs of what the shop reads; nil: the very bytes
		sku    string
	}{
		{
			"between files",
			[]string{"file", file, "qty", "2", "sku", "A 1", "file", file, "x", ""},
			[]string{"qty", "2", "product", a1, "x", ""},
			"A 1",
		},
		{"alone", []string{"sku", "A 1"}, []string{"product", a1}, "A 1"},
		{"with an empty product before and behind", []string{"product", "", "sku", "A 1", "product", ""}, []string{"product", a1}, "A 1"},
		{"files alone", []string{"file", file}, nil, ""},
		{"with a product", []string{"product", "8", "sku", "A 1"}, nil, ""},
		{"unknown", []string{"sku", "no-1"}, nil, "no-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			contentType, body := form(tt.fields...)
			sh := &shelf{}
			_, srv := serve(t, s.URL, sh, gateway.Options{})
			send(t, "POST", srv.URL+"/checkout/cart/add", contentType, body)
			if got := strings.Join(sh.skus(), ","); got != tt.sku {
				t.Errorf("ensured %q, want %q", got, tt.sku)
			}
			r, got, _ := s.got()
			if tt.want == nil {
				if !bytes.Equal(got, body) {
					t.Errorf("the shop got\n%q\nwant\n%q", got, body)
				}
				return
			}
			if r.Header.Get("Content-Type") != contentType {
				t.Errorf("content type %q", r.Header.Get("Content-Type"))
			}
			_, boundary, _ := strings.Cut(contentType, "boundary=")
			f, err := multipart.NewReader(bytes.NewReader(got), boundary).ReadForm(1 << 20)
			if err != nil {
				t.Fatalf("%v in\n%q", err, got)
			}
			defer func() { _ = f.RemoveAll() }()
			if len(f.Value) != len(tt.want)/2 {
				t.Errorf("fields %v", f.Value)
			}
			for i := 0; i < len(tt.want); i += 2 {
				if v := f.Value[tt.want[i]]; len(v) != 1 || v[0] != tt.want[i+1] {
					t.Errorf("%s is %q, want %q", tt.want[i], v, tt.want[i+1])
				}
			}
			files := 0
			for i := 0; i < len(tt.fields); i += 2 {
				if tt.fields[i] == "file" {
					files++
				}
			}
			if got := f.File["sku"]; len(got) != files {
				t.Errorf("%d files, want %d", len(got), files)
			}
			if strings.Count(string(got), file) != files {
				t.Error("a file changed")
			}
		})
	}
}
