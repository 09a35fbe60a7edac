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
	"catalog/catalog/packing"
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
	values      headerValues
	streamed    bool // the handler has written the answer itself
}

func (a *answer) reset() {
	if cap(a.body) > maxPooled {
		a.body = nil
	}
	header := a.header[:0]
	keys := a.keys
	keys.reset()
	*a = answer{body: a.body[:0], header: header, keys: keys, values: a.values}
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
		a.values.set(h, "Location", a.location)
	}
	for _, f := range a.header {
		a.values.set(h, f[0], f[1])
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
		a.keys.write(h, &a.values)
	}
	a.vary(h)
	body := a.body
	coding := identity
	if len(body) >= minCompressed {
		coding = codingFor(r.Header.Get("Accept-Encoding"))
	}
	if get && status == http.StatusOK || a.etag != "" {
		full := quoteTag(a.etag, body, coding)
		a.values.set(h, "Etag", full)
		tag := plainTag(full[1 : len(full)-1])
		if match := r.Header.Get("If-None-Match"); get && match != "" && matches(match, tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	contentType := a.contentType
	if contentType == "" {
		contentType = "application/json"
	}
	a.values.set(h, "Content-Type", contentType)
	if coding != identity {
		s.writePacked(w, r, status, a, coding)
		return
	}
	// A body as small as this net/http holds back until the handler returns, and
	// then says its length itself. One field less matters: with it the header
	// of a product has nine, which need another kind of map, made twice.
	if len(body) >= saysLength || r.Method == http.MethodHead {
		a.values.set(h, "Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // who went away does not want it
	}
}

// saysLength is the size of a body from which its length has to be set.
const saysLength = 2048

// headerValues makes the values of an answer's header, which are kept until it
// is sent: a few at a time, since each is a list of one.
type headerValues struct{ free []string }

// set sets a field, by its canonical name.
func (v *headerValues) set(h http.Header, name, value string) {
	if len(v.free) == 0 {
		v.free = make([]string, valuesAtOnce)
	}
	v.free[0] = value
	h[name] = v.free[:1:1]
	v.free = v.free[1:]
}

// valuesAtOnce is how many values most answers have.
const valuesAtOnce = 7

// quoteTag returns the ETag of an answer: a tag of its own, or the digest of the
// body, which has other bytes, and so another strong tag, when it is compressed.
func quoteTag(own string, body []byte, c coding) string {
	if own != "" {
		return `"` + own + `"`
	}
	sum := catalog.HashOf(body)
	var room [2*len(sum) + len(`"-gz"`)]byte
	text := hex.AppendEncode(append(room[:0], '"'), sum[:])
	text = append(text, c.mark()...)
	return string(append(text, '"'))
}

// plainTag returns a tag without the mark of a coding.
func plainTag(tag string) string {
	return strings.TrimSuffix(strings.TrimSuffix(tag, gzipped.mark()), zstandard.mark())
}

// What the request has an answer depend on, beside the URL.
var (
	varyAll   = []string{"Accept-Encoding, X-Store, X-Customer"}
	varyStore = []string{"Accept-Encoding, X-Store"}
	varyWho   = []string{"Accept-Encoding, X-Customer"}
	varyNone  = []string{"Accept-Encoding"}
)

// vary says what of the request the answer depends on beside the URL.
func (a *answer) vary(h http.Header) {
	list := varyNone
	switch {
	case a.varyStore && a.varyWho:
		list = varyAll
	case a.varyStore:
		list = varyStore
	case a.varyWho:
		list = varyWho
	}
	if others := h["Vary"]; len(others) > 0 {
		list = append(others[:len(others):len(others)], list...)
	}
	h["Vary"] = list[:len(list):len(list)]
}

// matches reports whether an If-None-Match header has a tag, compressed or not.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" {
			return true
		}
		if len(part) >= 2 && part[0] == '"' && part[len(part)-1] == '"' && plainTag(part[1:len(part)-1]) == tag {
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

func (s *Server) writePacked(w http.ResponseWriter, r *http.Request, status int, a *answer, c coding) {
	out, _ := answers.Get().(*answer)
	defer func() { out.reset(); answers.Put(out) }()
	out.body = out.body[:0]
	if c == zstandard {
		out.body = packing.AppendZstd(out.body, a.body)
	} else {
		z, _ := gzips.Get().(*gzip.Writer)
		defer gzips.Put(z)
		z.Reset(&appender{&out.body})
		_, _ = z.Write(a.body) // memory takes all
		_ = z.Close()
	}
	h := w.Header()
	a.values.set(h, "Content-Encoding", c.name())
	a.values.set(h, "Content-Length", strconv.Itoa(len(out.body)))
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

// coding is how an answer is packed.
type coding int

const (
	identity coding = iota
	gzipped
	zstandard
)

// name is what HTTP calls it.
func (c coding) name() string { return [...]string{"identity", "gzip", "zstd"}[c] }

// mark is what the tag of an answer that is packed so ends with.
func (c coding) mark() string { return [...]string{"", "-gz", "-zs"}[c] }

// codingFor returns what a request's Accept-Encoding likes best; of two that it
// likes as much the faster, which is zstd by far.
func codingFor(accept string) coding {
	best, most := identity, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		name, parameter, weighed := strings.Cut(part, ";")
		var c coding
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, "gzip"):
			c = gzipped
		case strings.EqualFold(name, "zstd"):
			c = zstandard
		default:
			continue
		}
		weight := 1.0
		if weighed {
			key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			var err error
			if weight, err = strconv.ParseFloat(value, 64); err != nil || !strings.EqualFold(key, "q") {
				continue
			}
		}
		if weight > most || weight == most && weight > 0 && c > best {
			best, most = c, weight
		}
	}
	return best
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
