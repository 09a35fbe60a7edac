package storefront

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"catalog/indexer"
)

// Options say how a Server works. The zero value of each field works.
type Options struct {
	Version string // of the program, for status and metrics
	Log     *slog.Logger
	Now     func() time.Time

	Index         indexer.Index // for status and readiness; nil: the engine alone
	IndexName     string        // whose follower's status is shown; "" is "main"
	MaxLag        time.Duration // of the index while ready; 0: 5 minutes
	Tokens        []Token       // none: nobody may write
	Secret        []byte        // that signs X-Customer; nil: nobody can
	PublicGroups  []string      // customer groups whose prices are public
	Origins       []string      // that may read with scripts (CORS); "*": all
	Redirects     map[string]string
	ProductURL    string // template of sitemaps: {base}, {store}, {sku}, {url_key}
	BaseURL       string // of this server as shoppers see it; "": as requests say
	LiveBytes     int64  // of price and stock that are remembered as they were told; 0: 64 MiB
	Fill          bool   // and are read ahead, so far as they fit: for a store of this machine
	Workers       int    // processors that requests may have; 0: one per thread of Go's
	Lives         Lives
	Limits        Limits
	Window        http.Handler // answers what no route does; nil: 404
	Mounts        []Mount
	Placeholders  func(context.Context) (any, error) // counts for the status; nil: none
	Running       func() any                         // imports under way, for the status; nil: none
	ImportReports string                             // prefix of the names of import reports in Meta; "": "reports/"

	// Registry is where metrics are registered and read from; nil: one of the
	// server's own.
	Registry *prometheus.Registry
}

// Mount is a handler of another package below a path of this server.
type Mount struct {
	Pattern string // as of http.ServeMux, without method: "/v1/imports", "/v1/imports/"
	Role    Role   // that every request needs
	Read    Role   // that GET and HEAD need instead; 0: Role
	Handler http.Handler
}

// Lives are how long answers may be kept. A zero field has its default.
type Lives struct {
	Browser time.Duration // of what is purged, where purges do not reach: 60 s
	Long    time.Duration // of what is purged, in shared caches: 24 h
	Search  time.Duration // of what no key purges completely: 5 min
	Price   time.Duration // of price and stock: 30 s
	Stale   time.Duration // beyond its life while it is fetched anew: 60 s
}

// Limits bound what a request may cost. A zero field has its default.
type Limits struct {
	Body    int64         // bytes of a request's body but for mounts: 9 MiB
	URL     int           // bytes: 16 KiB
	SKUs    int           // of one request: 1,000
	Filters int           // of one query: 50
	Values  int           // of all its filters: 1,000
	Queries int           // expensive ones at a time: 4 a worker
	Wait    time.Duration // for one's turn: 3 s
	Request time.Duration // of the whole of one: 30 s; none of mounts and events
	Streams int           // of events at a time: 100
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	o.IndexName = cmp.Or(o.IndexName, "main")
	o.LiveBytes = cmp.Or(o.LiveBytes, 64<<20)
	o.MaxLag = cmp.Or(o.MaxLag, 5*time.Minute)
	o.ProductURL = cmp.Or(o.ProductURL, "{base}/product?sku={sku}&store={store}")
	o.ImportReports = cmp.Or(o.ImportReports, "reports/")
	l := &o.Lives
	l.Browser = cmp.Or(l.Browser, time.Minute)
	l.Long = cmp.Or(l.Long, 24*time.Hour)
	l.Search = cmp.Or(l.Search, 5*time.Minute)
	l.Price = cmp.Or(l.Price, 30*time.Second)
	l.Stale = cmp.Or(l.Stale, time.Minute)
	m := &o.Limits
	m.Body = cmp.Or(m.Body, 9<<20)
	m.URL = cmp.Or(m.URL, 16<<10)
	m.SKUs = cmp.Or(m.SKUs, 1000)
	m.Filters = cmp.Or(m.Filters, 50)
	m.Values = cmp.Or(m.Values, 1000)
	m.Queries = cmp.Or(m.Queries, 4*cmp.Or(o.Workers, runtime.GOMAXPROCS(0)))
	m.Wait = cmp.Or(m.Wait, 3*time.Second)
	m.Request = cmp.Or(m.Request, 30*time.Second)
	m.Streams = cmp.Or(m.Streams, 100)
	return o
}
