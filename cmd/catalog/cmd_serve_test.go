package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptPort sets a variable to an address that nobody listens on: port NAME.
func scriptPort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port NAME")
	}
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

// scriptFetch sends a request and puts the answer, header included, into the
// file answer: fetch STATUS [METHOD] URL [Header:value|@bodyfile…]. While
// nobody listens, or the status is another one, it tries again for some seconds.
func scriptFetch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fetch STATUS [METHOD] URL [Header:value|@bodyfile…]")
	}
	want, method, rest := args[0], http.MethodGet, args[1:]
	if !strings.Contains(rest[0], "/") {
		method, rest = rest[0], rest[1:]
	}
	var text string
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		status, answer, err := fetch(ts, method, "http://"+rest[0], rest[1:])
		text = answer
		if err == nil && fmt.Sprint(status) == want {
			break
		}
		if time.Now().After(end) {
			ts.Fatalf("%s %s: %d, %v, want %s\n%s", method, rest[0], status, err, want, answer)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs("answer"), []byte(text), 0o600))
}

func fetch(ts *testscript.TestScript, method, url string, more []string) (int, string, error) {
	body := ""
	for _, m := range more {
		if file, ok := strings.CutPrefix(m, "@"); ok {
			body = ts.ReadFile(file)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	ts.Check(err)
	for _, m := range more {
		if name, value, ok := strings.Cut(m, ":"); ok && m[0] != '@' {
			r.Header.Set(name, value)
		}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	var out strings.Builder
	for name, values := range res.Header {
		fmt.Fprintf(&out, "%s: %s\n", name, strings.Join(values, ", "))
	}
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, out.String() + "\n" + string(text), err
}

// writeCertificate makes a certificate of a serial number, signed by itself.
func writeCertificate(t *testing.T, c *certificate, serial int64, at time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{c.cert: {Type: "CERTIFICATE", Bytes: cert}, c.key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCertificate holds TLS to taking new files, and to going on with the old
// certificate while the new files cannot be read.
func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	c := &certificate{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	if _, err := c.get(nil); err == nil {
		t.Fatal("no files are a certificate")
	}
	serial := func() int64 {
		t.Helper()
		c.seen = time.Time{} // as if it were long ago
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.SerialNumber.Int64()
	}
	now := time.Now()
	writeCertificate(t, c, 1, now)
	if got := serial(); got != 1 {
		t.Errorf("serial %d, want 1", got)
	}
	writeCertificate(t, c, 2, now.Add(time.Second))
	if got := serial(); got != 2 {
		t.Errorf("renewed: serial %d, want 2", got)
	}
	if err := os.WriteFile(c.cert, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 2 {
		t.Errorf("while the file is broken: serial %d, want 2", got)
	}
}

func TestReadRedirects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redirects")
	for text, want := range map[string]map[string]string{
		"# none\n\n": {},
		"Imprint => /imprint\nSale=>https://x.example/": {"imprint": "/imprint", "sale": "https://x.example/"},
		"imprint": nil,
		"=> /x":   nil,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readRedirects(path)
		if (err == nil) != (want != nil) || fmt.Sprint(got) != fmt.Sprint(want) && want != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
