package purge

import (
	"bytes"
	"context"
	"hash/maphash"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/indexer"
)

// FuzzParseTarget: what is taken for the address of a cache never shows the
// token, and asks nothing but that cache.
func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{
		"http://127.0.0.1:6081", "fastly://abc", "cloudflare://zone", "fastly+https://h/service/x", "cloudflare+http://h/zones/z/", "varnish+http://h",
		"", "://", "ftp://x", "http://", "http://user:pw@h", "varnish+ftp://h", "http://h/%zz", "fastly://a%2fb", "http://h?x=1#y", "http://[::1]:80/",
	} {
		f.Add(seed)
	}
	const token = "s3cr3t-t0k3n"
	f.Fuzz(func(t *testing.T, address string) {
		var asked []*http.Request
		client := &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r)
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
		})}
		target, err := ParseTarget(address, token, client)
		if err != nil {
			if strings.Contains(err.Error(), token) {
				t.Fatalf("%q: the error tells the token: %v", address, err)
			}
			return
		}
		if strings.Contains(target.String(), token) && !strings.Contains(address, token) {
			t.Fatalf("%q is called %q", address, target)
		}
		if err := target.Purge(context.Background(), []string{"p:a", "c:b"}, true); err != nil {
			return // an address that no request can be made of
		}
		for _, r := range asked {
			if r.URL.Host == "" || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
				t.Fatalf("%q asks %s", address, r.URL)
			}
		}
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzAnswer lets a cache answer anything: a purge then works, is asked again,
// or is refused, and ends.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{`{"success":true}`, `{"success":false,"errors":[{"message":"no"}]}`, `{"success":false}`, `{}`, `null`, `[`, "", `{"success":"x"}`, "\xff"} {
		f.Add(200, "", []byte(seed))
		f.Add(429, "3", []byte(seed))
		f.Add(400, "-1", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, after string, body []byte) {
		if status < 200 || status > 599 {
			return // the transport refuses it
		}
		client := &http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {after}}, Body: io.NopCloser(bytes.NewReader(body))}, nil
		}), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		for _, address := range []string{"http://h", "fastly://s", "cloudflare://z"} {
			target, err := ParseTarget(address, "token", client)
			if err != nil {
				t.Fatal(err)
			}
			dropped := 0
			err = halves([]string{"a", "b", "c"}, func(keys []string) error { return target.Purge(context.Background(), keys, true) }, func(string, error) { dropped++ })
			if ok := status <= 299; !ok && err == nil && dropped == 0 {
				t.Errorf("%s took %d for success", address, status)
			}
			if dropped != 0 && dropped != 3 {
				t.Errorf("%s: %d of 3 keys were dropped, all of which were refused", address, dropped)
			}
		}
	})
}

// FuzzPlaces reads categories of documents: whatever they hold, each is an ID
// that can be a key, once; and a path comes out as it went in, again.
func FuzzPlaces(f *testing.F) {
	for _, seed := range []string{
		`{"categories":["Men/Shoes","Men / Shoes",{"path":"A\\/B","position":3},{"id":"7"}]}`, `{"categories":"x"}`, `{"categories":[null,1,[],{}]}`,
		`{"stores":{"de":{"categories":["X"]},"fr":null}}`, `{}`, ``, `[`, `{"categories":["//",""," ","\\"]}`,
	} {
		f.Add([]byte(seed))
	}
	shop := &indexer.Shop{Tree: new(indexer.Tree)}
	seed := maphash.MakeSeed()
	f.Fuzz(func(t *testing.T, doc []byte) {
		var parser catalog.Parser
		var p catalog.Parsed
		if err := parser.Parse(catalog.KindProduct, doc, &p); err != nil {
			return // a store has only what this accepts
		}
		ids := categoriesOf(p.Body, shop)
		sorted := slices.Sorted(slices.Values(ids))
		if len(slices.Compact(sorted)) != len(ids) || slices.Contains(ids, "") {
			t.Fatalf("%q", ids)
		}
		for _, id := range ids {
			if again := canonical(canonical(id)); again != canonical(id) {
				t.Fatalf("%q becomes %q, then %q", id, canonical(id), again)
			}
		}
		var one, two maphash.Hash
		one.SetSeed(seed)
		two.SetSeed(seed)
		hashPlace(&one, p.Body)
		hashPlace(&two, bytes.Clone(p.Body))
		if one.Sum64() != two.Sum64() {
			t.Fatal("the same document is in two places")
		}
	})
}

// FuzzBatches: all keys are sent, in order, in pieces within the bounds.
func FuzzBatches(f *testing.F) {
	f.Add("p:a p:b c:d", 2, 10)
	f.Add("", 1, 1)
	f.Add("aaaaaaaaaaaa b c", 1000, 3)
	f.Fuzz(func(t *testing.T, text string, most, size int) {
		if most < 1 || size < 1 {
			return
		}
		keys := strings.Fields(text)
		var sent []string
		err := batches(keys, most, size, func(some []string) error {
			if len(some) == 0 || len(some) > most || len(some) > 1 && len(strings.Join(some, " ")) > size {
				t.Fatalf("%q in a piece of %d keys, %d bytes", some, most, size)
			}
			sent = append(sent, some...)
			return nil
		})
		if err != nil || !slices.Equal(sent, keys) {
			t.Fatalf("%q became %q, %v", keys, sent, err)
		}
	})
}
