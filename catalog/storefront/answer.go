package storefront

import (
	"compress/gzip"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
)

// Life is how long an answer may be kept.
type Life uint8

// The lives of answers.
const (
	LifeNone    Life = iota // not at all
	LifePrivate             // not at all, and it is one customer's
	LifeMissing             // what is not there, for seconds
	LifePrice               // has price or stock in it
	LifeSearch              // no key purges it completely
	LifeLong                // is purged by its keys
)

// answer is what a handler makes. It is used again for other requests: what
// its body is made of must not be kept.
type answer struct {
	body        []byte
	status      int // 0: 200
	life        Life
	contentType string // "": JSON
	etag        string // without quotes; "": the body's digest
	keys        keySet
	varyStore   bool // it depends on X-Store
	varyWho     bool // it depends on X-Customer
	location    string
	header      [][2]string
	streamed    bool // the handler has written the answer itself
}

func (a *answer) reset() {
	if cap(a.body) > maxPooled {
		a.body = nil
	}
	header := a.header[:0]
	keys := a.keys
	keys.reset()
	*a = answer{body: a.body[:0], header: header, keys: keys}
}

// maxPooled is the largest buffer that is kept for other requests.
const maxPooled = 1 << 20

// shorten makes the answer live no longer than l.
func (a *answer) shorten(l Life) { a.life = min(a.life, l) }

var answers = sync.Pool{New: func() any { return &answer{body: make([]byte, 0, 8<<10)} }}

// write sends the answer.
func (s *Server) write(w http.ResponseWriter, r *http.Request, a *answer) {
	h := w.Header()
	if a.location != "" {
		h["Location"] = []string{a.location}
	}
	for _, f := range a.header {
		h[f[0]] = []string{f[1]}
	}
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	if !get {
		a.life = min(a.life, LifeNone)
	}
	if a.keys.full {
		a.shorten(LifePrice)
	}
	h["Cache-Control"] = s.cacheControl[a.life]
	if a.life >= LifeMissing {
		a.keys.write(h)
	}
	a.vary(h)
	body := a.body
	compress := len(body) >= minCompressed && acceptsGzip(r)
	if get && status == http.StatusOK || a.etag != "" {
		tag := a.etag
		if tag == "" {
			sum := catalog.HashOf(body)
			tag = hex.EncodeToString(sum[:])
		}
		full := `"` + tag + `"`
		if compress && a.etag == "" {
			full = `"` + tag + `-gz"` // other bytes, another strong tag
		}
		h["Etag"] = []string{full}
		if match := r.Header.Get("If-None-Match"); get && match != "" && matches(match, tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	contentType := a.contentType
	if contentType == "" {
		contentType = "application/json"
	}
	h["Content-Type"] = []string{contentType}
	if compress {
		s.writeGzip(w, r, status, body)
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // who went away does not want it
	}
}

// vary says what of the request the answer depends on beside the URL.
func (a *answer) vary(h http.Header) {
	switch {
	case a.varyStore && a.varyWho:
		h["Vary"] = append(h["Vary"], "Accept-Encoding, X-Store, X-Customer")
	case a.varyStore:
		h["Vary"] = append(h["Vary"], "Accept-Encoding, X-Store")
	case a.varyWho:
		h["Vary"] = append(h["Vary"], "Accept-Encoding, X-Customer")
	default:
		h["Vary"] = append(h["Vary"], "Accept-Encoding")
	}
}

// matches reports whether an If-None-Match header has a tag, compressed or not.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" {
			return true
		}
		if len(part) >= 2 && part[0] == '"' && part[len(part)-1] == '"' && strings.TrimSuffix(part[1:len(part)-1], "-gz") == tag {
			return true
		}
	}
	return false
}

// minCompressed is the least body that is worth compressing, in bytes: what is
// shorter fits into one packet anyway.
const minCompressed = 1400

var gzips = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil { // the level is a constant
		panic(err)
	}
	return z
}}

func (s *Server) writeGzip(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	out, _ := answers.Get().(*answer)
	defer func() { out.reset(); answers.Put(out) }()
	out.body = out.body[:0]
	z, _ := gzips.Get().(*gzip.Writer)
	defer gzips.Put(z)
	z.Reset(&appender{&out.body})
	_, _ = z.Write(body) // memory takes all
	_ = z.Close()
	h := w.Header()
	h["Content-Encoding"] = []string{"gzip"}
	h["Content-Length"] = []string{strconv.Itoa(len(out.body))}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(out.body)
	}
}

// appender is a writer to a slice.
type appender struct{ to *[]byte }

func (a *appender) Write(p []byte) (int, error) {
	*a.to = append(*a.to, p...)
	return len(p), nil
}

// acceptsGzip reports whether a request takes gzip.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, "gzip") {
			q = strings.TrimSpace(q)
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

// cacheControls returns the Cache-Control of each life.
func cacheControls(l Lives) [LifeLong + 1][]string {
	sec := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
	public := func(browser, shared time.Duration) []string {
		return []string{"public, max-age=" + sec(min(browser, shared)) + ", s-maxage=" + sec(shared) +
			", stale-while-revalidate=" + sec(l.Stale) + ", stale-if-error=86400"}
	}
	return [LifeLong + 1][]string{
		LifeNone:    {"no-store"},
		LifePrivate: {"private, no-store"},
		LifeMissing: {"public, max-age=5, s-maxage=10"},
		LifePrice:   {"public, max-age=" + sec(l.Price) + ", stale-while-revalidate=" + sec(l.Stale)},
		LifeSearch:  public(l.Browser, l.Search),
		LifeLong:    public(l.Browser, l.Long),
	}
}
