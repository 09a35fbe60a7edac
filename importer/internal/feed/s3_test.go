package feed

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// s3Server is a server of the protocol, and what it was asked.
type s3Server struct {
	*s3mem.Backend
	url    string
	fault  atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool] // true: it has answered
	signed atomic.Pointer[string]                                            // the last request's Authorization
}

// newS3 starts a server with a bucket of some objects, and points the
// environment to it.
func newS3(t *testing.T) *s3Server {
	t.Helper()
	s := &s3Server{Backend: s3mem.New()}
	fake := gofakes3.New(s.Backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization := r.Header.Get("Authorization")
		s.signed.Store(&authorization)
		if fault := s.fault.Load(); fault != nil && (*fault)(w, r) {
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	if err := s.CreateBucket("feeds"); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ENDPOINT_URL_S3": "", "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "",
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"), "HOME": t.TempDir(),
	} {
		t.Setenv(name, value)
	}
	return s
}

func (s *s3Server) put(t *testing.T, key, content string) {
	t.Helper()
	meta := map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}
	if _, err := s.PutObject("feeds", key, meta, strings.NewReader(content), int64(len(content)), nil); err != nil {
		t.Fatal(err)
	}
}

func TestS3Names(t *testing.T) {
	s := newS3(t)
	for _, key := range []string{
		"all.jsonl", "README.md", "night/b.jsonl", "night/a.csv.gz", "night/.hidden.csv", "night/notes.md", "night/deep/c.jsonl", "night/",
		"month/1/x.jsonl", "month/2/x.jsonl", "month/2/y.txt", "a b+c%20d/é.jsonl",
	} {
		s.put(t, key, twoLines)
	}
	for i := range 1100 { // more than a page of a listing
		s.put(t, fmt.Sprintf("many/%04d.jsonl", i), twoLines)
	}
	for _, tt := range []struct {
		arg  string
		want []string
		n    int
	}{
		{"s3://feeds/all.jsonl", []string{"all.jsonl"}, 1},
		{"s3://feeds/not-there-yet.jsonl", []string{"not-there-yet.jsonl"}, 1}, // Open says so
		{"s3://feeds", []string{"all.jsonl"}, 1},
		{"s3://feeds/night/", []string{"night/a.csv.gz", "night/b.jsonl"}, 2},
		{"s3://feeds/night/*", []string{"night/.hidden.csv", "night/a.csv.gz", "night/b.jsonl", "night/notes.md"}, 4},
		{"s3://feeds/ni*/b.*", []string{"night/b.jsonl"}, 1},
		{"s3://feeds/month/?/x.jsonl", []string{"month/1/x.jsonl", "month/2/x.jsonl"}, 2},
		{"s3://feeds/mon*/[2-9]/*", []string{"month/2/x.jsonl", "month/2/y.txt"}, 2},
		{"s3://feeds/a b+c%20d/", []string{"a b+c%20d/é.jsonl"}, 1},
		{"s3://feeds/many/*", []string{"many/0000.jsonl", "many/0001.jsonl"}, 1100},
	} {
		ins, err := Expand(t.Context(), []string{tt.arg}, Options{})
		if err != nil {
			t.Errorf("%s: %v", tt.arg, err)
			continue
		}
		var names []string
		for _, in := range ins[:min(len(ins), len(tt.want))] {
			names = append(names, strings.TrimPrefix(in.Name, "s3://feeds/"))
		}
		if !slices.Equal(names, tt.want) || len(ins) != tt.n {
			t.Errorf("%s: %d objects, %q, want %d, %q", tt.arg, len(ins), names, tt.n, tt.want)
		}
	}
	r, in := openInput(t, "s3://feeds/a b+c%20d/é.jsonl", Options{})
	if recs, err := readAll(t, r); err != nil || len(recs) != 2 || in.Format != JSONL {
		t.Errorf("an odd name: %q, %v", jsons(recs), err)
	}
}

// Objects are streams like any other: compressed or not, read in many passes.
func TestS3Read(t *testing.T) {
	s := newS3(t)
	s.put(t, "a.jsonl.gz", gz(twoLines))
	s.put(t, "b.csv", "sku\nA\nB\n")
	for name, format := range map[string]string{"s3://feeds/a.jsonl.gz": JSONL, "s3://feeds/b*": CSV} {
		tmp := t.TempDir()
		r, in := openInput(t, name, Options{TempDir: tmp})
		for pass := range 2 {
			if recs, err := readAll(t, r); err != nil || len(recs) != 2 || in.Format != format {
				t.Errorf("%s, pass %d: %q, %q, %v", name, pass, in.Format, jsons(recs), err)
			}
		}
		in.Close()
		if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
			t.Errorf("%s left %v, %v", name, left, err)
		}
	}
	if a := *s.signed.Load(); !strings.HasPrefix(a, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(a, "/eu-central-1/s3/") {
		t.Errorf("requests are signed %q", a)
	}
}

// TestS3Credentials: files serve where the environment has none; without any,
// requests are not signed.
func TestS3Credentials(t *testing.T) {
	s := newS3(t)
	s.put(t, "a.jsonl", twoLines)
	credentials := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(credentials, []byte("[shop]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s3cr3t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ key, profile, file, want string }{
		{"AKIDEXAMPLE", "", "", "Credential=AKIDEXAMPLE/"},
		{"", "shop", credentials, "Credential=AKIDFILE/"},
		{"", "", credentials + ".none", ""},
	} {
		t.Setenv("AWS_ACCESS_KEY_ID", tt.key)
		if tt.key == "" {
			t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		}
		t.Setenv("AWS_PROFILE", tt.profile)
		t.Setenv("AWS_SHARED_CREDENTIALS_FILE", tt.file)
		openInput(t, "s3://feeds/a.jsonl", Options{})
		if a := *s.signed.Load(); !strings.Contains(a, tt.want) || (tt.want == "") != (a == "") {
			t.Errorf("%+v: signed %q", tt, a)
		}
	}
}

func TestS3Errors(t *testing.T) {
	s := newS3(t)
	s.put(t, "a.jsonl", twoLines)
	s.put(t, "docs/README.md", "x")
	for _, tt := range []struct {
		arg  string
		want error
		open bool // Open says it
	}{
		{"s3://", ErrOption, false},
		{"s3:///a.jsonl", ErrOption, false},
		{"s3://Not A Bucket/*", ErrOption, false},
		{"s3://nobody-has-it/*", os.ErrNotExist, false},
		{"s3://feeds/docs/", ErrNoFeed, false},
		{"s3://feeds/nothing*", ErrNoFeed, false},
		{"s3://feeds/[a", ErrOption, false},
		{"s3://feeds/b.jsonl", os.ErrNotExist, true},
		{"s3://nobody-has-it/a.jsonl", os.ErrNotExist, true},
	} {
		ins, err := Expand(t.Context(), []string{tt.arg}, Options{TempDir: t.TempDir()})
		if tt.open && err == nil {
			_, err = ins[0].Open(t.Context())
		}
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.arg) {
			t.Errorf("%s: %v, want %v with the name", tt.arg, err, tt.want)
		}
	}
	for _, endpoint := range []string{"ftp://x", "http://", "http://u:p@x", "http://x/path", ":"} {
		t.Setenv("AWS_ENDPOINT_URL_S3", endpoint)
		if _, err := Expand(t.Context(), []string{"s3://feeds/a.jsonl"}, Options{}); !errors.Is(err, ErrOption) {
			t.Errorf("the endpoint %q: %v", endpoint, err)
		}
	}
}

// TestS3Faults: what a server or network does wrong is tried again where that
// may help, and never taken for the end of a feed.
func TestS3Faults(t *testing.T) {
	s := newS3(t)
	s.put(t, "a.jsonl", twoLines)
	isGet := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/a.jsonl") }
	open := func(ctx context.Context) error {
		ins, err := Expand(ctx, []string{"s3://feeds/*"}, Options{TempDir: t.TempDir()})
		if err != nil {
			return err
		}
		defer ins[0].Close()
		_, err = ins[0].Open(ctx)
		return err
	}
	var n atomic.Int32
	for name, tt := range map[string]struct {
		fault func(w http.ResponseWriter, r *http.Request) bool
		want  error
	}{
		"cut off once": {func(w http.ResponseWriter, r *http.Request) bool {
			if !isGet(r) || n.Add(1) > 1 {
				return false
			}
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			w.Header().Set("ETag", fmt.Sprintf(`"%x"`, md5.Sum([]byte(twoLines))))
			_, _ = w.Write([]byte(twoLines))
			return true
		}, nil},
		"busy once": {func(w http.ResponseWriter, r *http.Request) bool {
			if !isGet(r) || n.Add(1) > 1 {
				return false
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}, nil},
		"forbidden": {func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(http.StatusForbidden)
			return true
		}, ErrFetch},
		"replaced after it was listed": {func(_ http.ResponseWriter, r *http.Request) bool {
			if isGet(r) {
				s.put(t, "a.jsonl", twoLines+"{\"sku\":\"c\"}\n")
			}
			return false
		}, ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			n.Store(0)
			s.put(t, "a.jsonl", twoLines)
			s.fault.Store(&tt.fault)
			defer s.fault.Store(nil)
			if err := open(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			} else if err != nil && strings.Contains(err.Error(), "wJalr") {
				t.Errorf("%v tells the secret", err)
			}
		})
	}
	hang := func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	}
	s.fault.Store(&hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := open(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that does not answer: %v", err)
	}
}
