package storefront

import (
	"net/url"
	"testing"
)

// FuzzParams holds the reading of query strings to net/url: what both read
// means the same, and nothing that is accepted is no UTF-8.
func FuzzParams(f *testing.F) {
	for _, seed := range []string{
		"", "sku=a&sku=b", "sku=a%2Fb", "sku=a+b&x", "&&=&a=%zz", "sku=%F0%9F%92%A1", "a=%ff", "a;b=1", "filter=a%3D1%2C2&filter=%22", "%73ku=1", "a=b=c", "%", "a=%2",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, err := parseParams(nil, query)
		want, wantErr := url.ParseQuery(query)
		if err != nil || wantErr != nil {
			return // ParseQuery refuses semicolons, we refuse what is no UTF-8
		}
		have := url.Values{}
		for _, p := range got {
			have[p.name] = append(have[p.name], p.value)
		}
		for name, values := range want {
			if len(have[name]) != len(values) {
				t.Fatalf("%q: %q is %q, want %q", query, name, have[name], values)
			}
			for i := range values {
				if have[name][i] != values[i] {
					t.Fatalf("%q: %q is %q, want %q", query, name, have[name], values)
				}
			}
		}
		if len(have) != len(want) {
			t.Fatalf("%q: %d names, want %d", query, len(have), len(want))
		}
	})
}

// FuzzCustomer holds the reading of signed headers to accepting nothing that
// was not signed.
func FuzzCustomer(f *testing.F) {
	secret := []byte("0123456789abcdef")
	good := Customer{Group: "vip", Lists: []string{"a", "b"}, Expires: neverMind.AddDate(100, 0, 0)}.Sign(secret)
	for _, seed := range []string{good, good + "&group=other", "group=vip&signature=", "", "&signature=00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if _, err := parseCustomer(header, secret, neverMind); err == nil && header != good {
			// Hexadecimal digits may be written either way.
			if len(header) != len(good) {
				t.Fatalf("%q is taken for signed", header)
			}
		}
	})
}
