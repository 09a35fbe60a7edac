package importhttp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/importer"
	"catalog/importer/importhttp"
)

// server is a handler over a store in memory, behind a real connection.
type server struct {
	*testing.T
	store   *memstore.Store
	handler *importhttp.Handler
	http    *httptest.Server
}

func newServer(t *testing.T, o importhttp.Options) *server {
	t.Helper()
	s := &server{T: t, store: memstore.New()}
	o.TempDir = t.TempDir()
	s.handler = importhttp.New(s.store, o).(*importhttp.Handler)
	s.http = httptest.NewServer(s.handler)
	t.Cleanup(func() {
		s.http.CloseClientConnections()
		if err := s.handler.Close(); err != nil {
			t.Error(err)
		}
		s.http.Close()
	})
	return s
}

// reply is an answer, read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (s *server) do(method, path, contentType string, body io.Reader) reply {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.http.URL+path, body)
	if err != nil {
		s.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, text}
}

func (s *server) post(query, feed string) reply {
	s.Helper()
	return s.do("POST", "/v1/imports"+query, "", strings.NewReader(feed))
}

func decode[T any](t *testing.T, text []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func (s *server) products() int64 {
	s.Helper()
	st, err := s.store.Stats(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return st.Records[catalog.KindProduct]
}

const two = `{"sku":"a","name":"A","price":1}` + "\n" + `{"sku":"b","name":"B"}` + "\n"

func TestImport(t *testing.T) {
	s := newServer(t, importhttp.Options{})
	got := s.post("?source=erp", two)
	rep := decode[importer.Report](t, got.body)
	if got.status != http.StatusOK || rep.Status != "ok" || rep.Created != 2 || rep.Source != "erp" || s.products() != 2 {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	if want := "/v1/imports/" + rep.ID; got.header.Get("Location") != want {
		t.Errorf("Location is %q, want %q", got.header.Get("Location"), want)
	}
	again := decode[importer.Report](t, s.post("", "sku,name\na,A\n").body)
	if again.Updated+again.Unchanged != 1 || again.Feeds[0].Format != "csv" {
		t.Errorf("CSV comes to %+v", again)
	}

	list := decode[struct {
		Running []importhttp.Status
		Imports []importer.Report
	}](t, s.do("GET", "/v1/imports", "", nil).body)
	if len(list.Running) != 0 || len(list.Imports) != 2 || list.Imports[1].ID != rep.ID {
		t.Errorf("listed are %+v", list)
	}
	one := decode[importhttp.Status](t, s.do("GET", "/v1/imports/"+rep.ID, "", nil).body)
	if one.State != importhttp.StateDone || one.Report.Created != 2 {
		t.Errorf("one is %+v", one)
	}
	if got := s.do("DELETE", "/v1/imports/"+rep.ID, "", nil); got.status != http.StatusConflict {
		t.Errorf("deleting what is over: %d", got.status)
	}
	// A handler that did not begin it knows it from the store.
	other := httptest.NewRecorder()
	importhttp.New(s.store, importhttp.Options{}).ServeHTTP(other, httptest.NewRequest("GET", "/v1/imports/"+rep.ID+"/events", nil))
	if other.Code != http.StatusOK || !strings.Contains(other.Body.String(), "event: report\n") {
		t.Errorf("another handler says %d %s", other.Code, other.Body)
	}
}

func TestStatuses(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		report             bool
	}{
		"rejects":           {"POST", "/v1/imports", two + `{"sku":""}`, http.StatusOK, false},
		"a guard":           {"POST", "/v1/imports?mode=sync&source=old", `{"sku":"new"}`, http.StatusConflict, true},
		"too many rejects":  {"POST", "/v1/imports?max_rejects=0", two + `{"sku":""}`, http.StatusUnprocessableEntity, true},
		"no body":           {"POST", "/v1/imports", "", http.StatusUnprocessableEntity, false},
		"no feed":           {"POST", "/v1/imports?format=parquet", two, http.StatusUnprocessableEntity, false},
		"unknown mode":      {"POST", "/v1/imports?mode=replace", two, http.StatusBadRequest, false},
		"unknown kind":      {"POST", "/v1/imports?kind=cars", two, http.StatusBadRequest, false},
		"unknown parameter": {"POST", "/v1/imports?max_reject=0", two, http.StatusBadRequest, false},
		"twice":             {"POST", "/v1/imports?mode=sync&mode=upsert", two, http.StatusBadRequest, false},
		"a bad limit":       {"POST", "/v1/imports?max_delete=101%25", two, http.StatusBadRequest, false},
		"a bad flag":        {"POST", "/v1/imports?dry_run=perhaps", two, http.StatusBadRequest, false},
		"too large":         {"POST", "/v1/imports", two + strings.Repeat(" ", 1<<16), http.StatusRequestEntityTooLarge, false},
		"no such import":    {"GET", "/v1/imports/x", "", http.StatusNotFound, false},
		"no such events":    {"GET", "/v1/imports/x/events", "", http.StatusNotFound, false},
		"no such to cancel": {"DELETE", "/v1/imports/x", "", http.StatusNotFound, false},
		"a bad number":      {"GET", "/v1/imports?last=0", "", http.StatusBadRequest, false},
		"no such path":      {"GET", "/v1/exports", "", http.StatusNotFound, false},
		"no such method":    {"PUT", "/v1/imports", "", http.StatusMethodNotAllowed, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, importhttp.Options{MaxBody: 1 << 16})
			if got := s.post("?source=old", `{"sku":"1"}`+"\n"+`{"sku":"2"}`+"\n"+`{"sku":"3"}`); got.status != http.StatusOK {
				t.Fatalf("%d %s", got.status, got.body)
			}
			got := s.do(c.method, c.path, "", strings.NewReader(c.body))
			if got.status != c.status {
				t.Fatalf("status %d, want %d: %s", got.status, c.status, got.body)
			}
			if got.status < 300 {
				return
			}
			p := decode[struct {
				Status int
				Detail string
				Report *importer.Report
			}](t, got.body)
			if got.header.Get("Content-Type") != "application/problem+json" || p.Status != c.status || p.Detail == "" || (p.Report != nil) != c.report {
				t.Errorf("the problem is %s: %s", got.header.Get("Content-Type"), got.body)
			}
		})
	}
}

func TestForm(t *testing.T) {
	form := func(parts ...string) (string, io.Reader) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for i := 0; i < len(parts); i += 2 {
			part, err := w.CreateFormFile(parts[i], "file")
			if err == nil {
				_, err = io.WriteString(part, parts[i+1])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return w.FormDataContentType(), &b
	}
	s := newServer(t, importhttp.Options{})
	const mapping = "fields:\n  sku: id\n"
	kind, body := form("map", mapping, "feed", `{"id":"x"}`)
	if got := s.do("POST", "/v1/imports", kind, body); got.status != http.StatusOK || s.products() != 1 {
		t.Errorf("%d %s", got.status, got.body)
	}
	for name, parts := range map[string][]string{
		"no feed": {"map", mapping}, "an unknown part": {"mapping", mapping, "feed", two}, "an empty part": {"map", " ", "feed", two},
		"a part after it": {"feed", two, "map", mapping},
	} {
		kind, body := form(parts...)
		if got := s.do("POST", "/v1/imports", kind, body); got.status < 400 || got.status >= 500 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if s.products() != 1 {
		t.Errorf("%d products", s.products())
	}
}

// slowPost posts a body that stays open; it returns when the import runs.
func (s *server) slowPost(query string) (body *io.PipeWriter, id string, answered chan reply, leave func()) {
	s.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(s.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", s.http.URL+"/v1/imports"+query, r)
	if err != nil {
		s.Fatal(err)
	}
	answered = make(chan reply, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		answered <- reply{resp.StatusCode, resp.Header, text}
	}()
	s.Cleanup(func() { cancel(); w.Close(); <-done })
	if _, err := io.WriteString(w, two); err != nil {
		s.Fatal(err)
	}
	s.until("it runs", func() bool { return len(s.handler.Running()) == 1 })
	return w, s.handler.Running()[0].ID, answered, cancel
}

func (s *server) until(what string, ok func() bool) {
	s.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("waited too long until %s", what)
		}
	}
}

func (s *server) idle() bool { return len(s.handler.Running()) == 0 }

func TestClientLeaves(t *testing.T) {
	s := newServer(t, importhttp.Options{})
	_, _, _, leave := s.slowPost("?detach=true") // not even then is half a feed imported
	leave()
	s.until("it is over", s.idle)
	if s.products() != 0 {
		t.Errorf("%d products of a body that was cut off", s.products())
	}
}

// TestOneOfASource: imports of one source follow one another, and one that
// another process has for longer is refused.
func TestOneOfASource(t *testing.T) {
	s := newServer(t, importhttp.Options{Parallel: 4})
	answers := make(chan reply)
	for range 4 {
		go func() { answers <- s.post("?source=erp", two) }()
	}
	for range 4 {
		if got := <-answers; got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if _, err := s.store.Acquire(t.Context(), importer.LeaseName(catalog.KindProduct, "erp"), "another process", time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := s.post("?source=erp", two); got.status != http.StatusConflict || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.post("?source=pim", two); got.status != http.StatusOK {
		t.Errorf("another source: %d %s", got.status, got.body)
	}
}

func TestDetach(t *testing.T) {
	s := newServer(t, importhttp.Options{})
	got := s.post("?detach=true", two)
	if got.status != http.StatusAccepted {
		t.Fatalf("%d %s", got.status, got.body)
	}
	s.until("it is in", func() bool { return s.products() == 2 && s.idle() })
	st := decode[importhttp.Status](t, s.do("GET", got.header.Get("Location"), "", nil).body)
	if st.State != importhttp.StateDone || st.Report.Status != "ok" {
		t.Errorf("it came to %+v", st)
	}
}

func TestCancelAndWatch(t *testing.T) {
	s := newServer(t, importhttp.Options{Parallel: 1})
	_, id, answered, _ := s.slowPost("")
	if got := s.post("", two); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("a second one: %d %s", got.status, got.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.http.URL+"/v1/imports/"+id+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	events, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	lines := bufio.NewScanner(events.Body)
	if !lines.Scan() || lines.Text() != "event: progress" {
		t.Fatalf("the first line is %q", lines.Text())
	}
	if got := s.do("DELETE", "/v1/imports/"+id, "", nil); got.status != http.StatusAccepted {
		t.Errorf("cancel: %d %s", got.status, got.body)
	}
	last := ""
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "event: ") {
			last = lines.Text()
		}
	}
	if last != "event: report" {
		t.Errorf("the last event is %q", last)
	}
	select {
	case got := <-answered:
		if got.status != http.StatusConflict {
			t.Errorf("the cancelled one is answered %d %s", got.status, got.body)
		}
	case <-time.After(time.Minute):
		t.Fatal("the cancelled one is not answered")
	}
	if s.products() != 0 {
		t.Errorf("%d products", s.products())
	}
}

func TestStall(t *testing.T) {
	s := newServer(t, importhttp.Options{Stall: 30 * time.Millisecond})
	_, _, answered, _ := s.slowPost("")
	s.until("it is over", s.idle)
	if got := <-answered; got.status != http.StatusRequestTimeout {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestClose(t *testing.T) {
	s := newServer(t, importhttp.Options{})
	_, _, answered, _ := s.slowPost("")
	if err := s.handler.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-answered; got.status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.post("", two); got.status != http.StatusServiceUnavailable {
		t.Errorf("after Close: %d %s", got.status, got.body)
	}
}

// TestKeepAlive: what an upload sets on its connection ends with it.
func TestKeepAlive(t *testing.T) {
	s := newServer(t, importhttp.Options{Stall: 20 * time.Millisecond})
	conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for range 3 {
		req, err := http.NewRequest("POST", s.http.URL+"/v1/imports", strings.NewReader(two))
		if err != nil {
			t.Fatal(err)
		}
		if err := req.Write(conn); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(r, req)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status, err)
		}
		time.Sleep(40 * time.Millisecond) // longer than a body may stall
	}
}

func FuzzParams(f *testing.F) {
	for _, s := range []string{"kind=prices&mode=sync", "max_delete=2%25&dry_run=true", "delimiter=tab&workers=2", "a=%zz"} {
		f.Add(s)
	}
	h := importhttp.New(memstore.New(), importhttp.Options{})
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("POST", "/v1/imports", strings.NewReader("no feed"))
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	})
}
