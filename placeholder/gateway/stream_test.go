package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"catalog/placeholder/gateway"
)

// upstream starts a shop that h plays.
func upstream(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestEventsArriveBeforeTheEnd(t *testing.T) {
	for _, contentType := range []string{"text/event-stream", "text/html"} {
		more := make(chan struct{})
		up := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Content-Length", "14") // so that nothing but our settings makes it flush
			_, _ = io.WriteString(w, "first\n\n")
			w.(http.Flusher).Flush()
			<-more
			_, _ = io.WriteString(w, "second\n")
		})
		_, srv := serve(t, up, &shelf{}, gateway.Options{})
		res, err := srv.Client().Get(srv.URL + "/events")
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 7)
		if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "first\n\n" {
			t.Fatalf("%q %v", first, err)
		}
		close(more) // only now does the shop go on
		rest, err := io.ReadAll(res.Body)
		if err != nil || string(rest) != "second\n" {
			t.Errorf("%q %v", rest, err)
		}
		_ = res.Body.Close()
	}
}

// TestUploadsArriveBeforeTheEnd has client and shop take turns within one
// request and its answer.
func TestUploadsArriveBeforeTheEnd(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		in := bufio.NewReader(r.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = io.WriteString(w, strings.ToUpper(line))
			w.(http.Flusher).Flush()
		}
	})
	_, srv := serve(t, up, &shelf{}, gateway.Options{})
	r, w := io.Pipe()
	req, err := http.NewRequest("POST", srv.URL+"/rest/V1/products", r)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(w, "line 0\n") }()
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(res.Body)
	for i := range 5 {
		got, err := out.ReadString('\n')
		if err != nil || got != fmt.Sprintf("LINE %d\n", i) {
			t.Fatalf("%q %v", got, err)
		}
		if i < 4 {
			_, _ = fmt.Fprintf(w, "line %d\n", i+1)
		}
	}
	_ = w.Close()
	if rest, err := io.ReadAll(out); err != nil || len(rest) != 0 {
		t.Errorf("%q %v", rest, err)
	}
	_ = res.Body.Close()
}

// TestLargeBodies sends 10 MB up and down at once, many times the body limit,
// on a route that streams and on one that is read, and looks at what it costs.
func TestLargeBodies(t *testing.T) {
	const size = 10 << 20
	data := make([]byte, size)
	chacha := rand.NewChaCha8([32]byte{1})
	_, _ = chacha.Read(data)
	want := sha256.Sum256(data)
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		if err != nil || n != size || !bytes.Equal(h.Sum(nil), want[:]) {
			t.Errorf("the shop got %d bytes, %v", n, err)
		}
		_, _ = w.Write(data)
	})
	for _, path := range []string{"/media/upload", "/rest/V1/carts/mine/items"} {
		for _, length := range []int64{size, -1} {
			sh := &shelf{}
			_, srv := serve(t, up, sh, gateway.Options{MaxBody: 64 << 10})
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			req, err := http.NewRequest("POST", srv.URL+path, bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = length
			res, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			h := sha256.New()
			n, err := io.Copy(h, res.Body)
			_ = res.Body.Close()
			runtime.ReadMemStats(&after)
			if err != nil || n != size || !bytes.Equal(h.Sum(nil), want[:]) {
				t.Errorf("%s: %d bytes came back, %v", path, n, err)
			}
			// All that was allocated, the test's own client and shop included.
			if got := after.TotalAlloc - before.TotalAlloc; got > size/4 {
				t.Errorf("%s with length %d: allocated %d bytes", path, length, got)
			}
			if len(sh.skus()) != 0 {
				t.Error("something was ensured")
			}
		}
	}
}

func TestWebsocket(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Sec-Websocket-Key") != "k" {
			t.Errorf("headers %v", r.Header)
		}
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(conn, buf)
	})
	_, srv := serve(t, up, &shelf{}, gateway.Options{Debug: true})
	conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n")
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("%v %v", res, err)
	}
	frame := make([]byte, 4)
	for i := range 20 {
		want := fmt.Sprintf("\x81\x02%02d", i)
		_, _ = io.WriteString(conn, want)
		if _, err := io.ReadFull(in, frame); err != nil || string(frame) != want {
			t.Fatalf("%q %v", frame, err)
		}
	}
}

func TestTrailersAndHopByHopHeaders(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		for _, h := range []string{"Keep-Alive", "X-Hop", "Proxy-Authorization"} {
			if r.Header.Get(h) != "" {
				t.Errorf("the shop got %s", h)
			}
		}
		if r.Header.Get("X-Own") != "1" || r.Header.Get("Te") != "trailers" {
			t.Errorf("headers %v", r.Header)
		}
		w.Header().Set("Trailer", "Announced")
		w.Header().Set("Connection", "X-Back")
		w.Header().Set("X-Back", "1")
		_, _ = fmt.Fprintf(w, "%s %s %s", b, r.Trailer.Get("Sum"), r.Trailer.Get("Unannounced"))
		w.Header().Set("Announced", "a")
		w.Header().Set(http.TrailerPrefix+"Late", "b")
	})
	_, srv := serve(t, up, &shelf{}, gateway.Options{})
	for _, path := range []string{"/x", "/rest/V1/carts/mine/items"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: shop\r\nTE: trailers\r\nConnection: X-Hop, Keep-Alive, TE\r\nX-Hop: 1\r\nX-Own: 1\r\nKeep-Alive: 5\r\n"+
			"Proxy-Authorization: x\r\nTrailer: Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nSum: s\r\nUnannounced: u\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if err != nil || string(b) != "hello s u" {
			t.Errorf("%s: %q %v", path, b, err)
		}
		if res.Trailer.Get("Announced") != "a" || res.Trailer.Get("Late") != "b" || res.Header.Get("X-Back") != "" {
			t.Errorf("%s: trailers %v, headers %v", path, res.Trailer, res.Header)
		}
		_ = conn.Close()
	}
}

func TestUnusualRequestsArriveAsTheyWere(t *testing.T) {
	for _, head := range []string{
		"GET /a%2Fb/c|d?x=%zz;y&&=1? HTTP/1.1\r\n",
		"GET /? HTTP/1.1\r\n",
		"GET /a//b/../c HTTP/1.1\r\n",
		"HEAD /x HTTP/1.1\r\n",
		"PURGE /x HTTP/1.1\r\n",
		"OPTIONS /x HTTP/1.1\r\n",
		"POST /checkout/cart/add/x/c|d?sku=no-1&%zz HTTP/1.1\r\n",
		"POST /checkout/cart/add/x/c|d?sku=A+1&%zz HTTP/1.1\r\n",
	} {
		got := make(chan string, 1)
		up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			got <- fmt.Sprintf("%s %s %s\r\n", r.Method, r.RequestURI, r.Proto)
			w.Header().Set("Content-Length", "4")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "\x1f\x8b\x00!")
		})
		_, srv := serve(t, up, &shelf{}, gateway.Options{})
		conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, head+"Host: shop\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
		all, err := io.ReadAll(conn)
		_ = conn.Close()
		if err != nil {
			t.Fatal(err)
		}
		if g, want := <-got, strings.Replace(head, "sku=A+1", "product="+a1, 1); g != want {
			t.Errorf("the shop got %q of %q", g, head)
		}
		if body := strings.HasSuffix(string(all), "\r\n\r\n\x1f\x8b\x00!"); body == strings.HasPrefix(head, "HEAD") {
			t.Errorf("%q was answered by %q", head, all)
		}
		if !strings.Contains(string(all), "Content-Length: 4\r\n") || !strings.Contains(string(all), "Content-Encoding: gzip\r\n") {
			t.Errorf("%q was answered by %q", head, all)
		}
	}
}

func TestExpectContinue(t *testing.T) {
	for _, path := range []string{"/upload", "/refused", "/rest/V1/carts/mine/items"} {
		up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/refused" {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return
			}
			b, _ := io.ReadAll(r.Body) // which tells the client to go on
			_, _ = w.Write(b)
		})
		_, srv := serve(t, up, &shelf{}, gateway.Options{})
		conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		in := bufio.NewReader(conn)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := http.StatusRequestEntityTooLarge
		if path != "/refused" {
			want = http.StatusOK
			if res.StatusCode != http.StatusContinue {
				t.Errorf("%s: %s before the body", path, res.Status)
			}
			_, _ = io.WriteString(conn, "hello")
			if res, err = http.ReadResponse(in, nil); err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(res.Body); err != nil || string(b) != "hello" {
				t.Errorf("%s: %q %v", path, b, err)
			}
		}
		if res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
		_ = conn.Close()
	}
}

// TestBrokenAnswer has the shop die in mid-answer: the client must see that.
func TestBrokenAnswer(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	_, srv := serve(t, up, &shelf{}, gateway.Options{})
	res, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if !errors.Is(err, io.ErrUnexpectedEOF) || string(b) != "half" {
		t.Errorf("%q %v", b, err)
	}
}

// TestClientGoesAway has the client leave while the shop works.
func TestClientGoesAway(t *testing.T) {
	noticed, started := make(chan struct{}), make(chan struct{})
	up := upstream(t, func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
		close(noticed)
	})
	g, srv := serve(t, up, &shelf{}, gateway.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := srv.Client().Do(req); err == nil {
		_ = res.Body.Close()
		t.Error("there was an answer")
	}
	<-noticed
	if n := g.Stats().Upstream; n != 0 {
		t.Errorf("%d requests count as not answered by the shop", n)
	}
}

// TestEarlyAnswer has the shop answer without reading a large upload.
func TestEarlyAnswer(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/early" {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n)
	})
	_, srv := serve(t, up, &shelf{}, gateway.Options{})
	for range 5 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		// More than all buffers on the way hold, and never all of it.
		_, _ = io.WriteString(conn, "POST /early HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000000\r\n\r\n")
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for chunk := make([]byte, 64<<10); ; {
				if _, err := conn.Write(chunk); err != nil {
					return
				}
			}
		}()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%v %v", res, err)
		}
		_ = conn.Close()
		<-sent
		if _, body := send(t, "POST", srv.URL+"/late", "", make([]byte, 100_000)); body != "100000" {
			t.Errorf("the next upload arrived as %q", body)
		}
	}
}
