package storefront

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// Server answers the routes of Document from a store and an index. It is safe
// for concurrent use.
type Server struct {
	store  catalog.Store
	engine *indexer.Engine
	opts   Options

	mux          *http.ServeMux
	metrics      *metrics
	cacheControl [LifeLong + 1][]string
	turns        chan struct{} // a place for each expensive query
	streams      chan struct{} // and for each stream of events
	groups       map[string]bool
	searches     *searches
	started      time.Time
	ids          requestIDs

	shop       atomic.Pointer[shopState]
	sitemaps   sitemaps
	trees      trees
	attributes attributeStats
	status     statusCache

	plain    *plainProducts
	plainOff atomic.Bool // nobody follows the log for it
	fill     *filler

	warmed   atomic.Bool
	stopping atomic.Bool
	done     context.Context // ends when the server stops
	stop     context.CancelFunc
	work     sync.WaitGroup
}

// New returns a Server. The caller closes it, then index and store.
func New(store catalog.Store, engine *indexer.Engine, opts Options) *Server {
	s := &Server{store: store, engine: engine, opts: opts.withDefaults(), mux: http.NewServeMux(), groups: map[string]bool{}}
	s.cacheControl = cacheControls(s.opts.Lives)
	s.turns = make(chan struct{}, s.opts.Limits.Queries)
	s.streams = make(chan struct{}, s.opts.Limits.Streams)
	for _, g := range s.opts.PublicGroups {
		s.groups[g] = true
	}
	s.searches = newSearches(s.opts.Now)
	s.started = s.opts.Now()
	s.ids.init()
	s.done, s.stop = context.WithCancel(context.Background())
	s.metrics = newMetrics(s)
	for _, r := range s.routes() {
		s.mux.Handle(r.path, s.handler(r))
	}
	for _, m := range s.opts.Mounts {
		s.mux.Handle(m.Pattern, s.mount(m))
	}
	s.mux.Handle("/v1/", s.handler(&route{path: "/v1/", any: s.noRoute}))
	if s.opts.Window != nil {
		s.mux.Handle("/", s.window())
	} else {
		s.mux.Handle("/", s.handler(&route{path: "/", any: s.noRoute}))
	}
	s.plain, s.fill = newPlainProducts(s.opts.LiveBytes), newFiller()
	s.plainOff.Store(true)
	s.work.Go(s.warm)
	s.work.Go(s.followPlain)
	if s.opts.Fill {
		s.work.Go(s.fillAlways)
	}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Drain makes /readyz say that the server is stopping, and ends streams of
// events, so that the connections can be closed.
func (s *Server) Drain() {
	s.stopping.Store(true)
	s.stop()
}

// Close ends what the server does in the background.
func (s *Server) Close() error {
	s.Drain()
	s.work.Wait()
	return nil
}

// route is a path and what answers each method.
type route struct {
	path    string
	methods map[string]method
	any     handlerFunc // of all methods, where there are no methods
}

// method is how a method of a route is answered.
type method struct {
	do        handlerFunc
	role      Role
	expensive bool // takes its turn
	stream    bool // has no time limit
}

type handlerFunc func(a *answer, r *request) error

// request is a request with its parameters read.
type request struct {
	*http.Request
	ctx context.Context //nolint:containedctx // ends with the time limit; a copy of the Request would cost more than the limit
	id  string
	q   params
	few [4]param            // room for q
	w   http.ResponseWriter // of streams

	limit deadlineContext // what ctx is while there is a time limit
}

// Context returns what ends when the client goes away or time is up.
func (r *request) Context() context.Context { return r.ctx }

// routes returns all routes of the document.
func (s *Server) routes() []*route {
	get := func(path string, do handlerFunc) *route {
		return &route{path: path, methods: map[string]method{http.MethodGet: {do: do}}}
	}
	query := func(path string, do handlerFunc) *route {
		m := method{do: do, expensive: true}
		return &route{path: path, methods: map[string]method{http.MethodGet: m, http.MethodPost: m}}
	}
	live := func(path string, price, stock bool) *route {
		m := method{do: func(a *answer, r *request) error { return s.live(a, r, price, stock) }}
		return &route{path: path, methods: map[string]method{http.MethodGet: m, http.MethodPost: m}}
	}
	one := func(path string, m method) *route {
		return &route{path: path, methods: map[string]method{http.MethodGet: m}}
	}
	return []*route{
		{path: "/v1/products", methods: map[string]method{
			http.MethodGet: {do: s.getProducts}, http.MethodPost: {do: s.postProducts},
		}},
		get("/v1/products/{sku}", s.getProduct),
		get("/v1/url-keys/{url_key}", s.getURLKey),
		get("/v1/related", s.getRelated),
		one("/v1/categories", method{do: s.getCategories, expensive: true}),
		get("/v1/category", s.getCategory),
		query("/v1/browse", s.browse),
		query("/v1/search", s.search),
		query("/v1/suggest", s.suggest),
		one("/v1/explain", method{do: s.getExplain, role: RoleRead, expensive: true}),
		live("/v1/prices", true, false),
		live("/v1/stock", false, true),
		live("/v1/live", true, true),
		one("/v1/attributes", method{do: s.getAttributes, expensive: true}),
		get("/v1/stores", s.getStores),
		one("/v1/sitemap.xml", method{do: s.getSitemap, expensive: true}),
		one("/v1/sitemap-part.xml", method{do: s.getSitemapPart, expensive: true}),
		get("/v1/status", s.getStatus),
		one("/v1/status/events", method{do: s.getEvents, stream: true}),
		{path: "/v1/records/{kind}", methods: map[string]method{
			http.MethodGet:    {do: s.getRecord, role: RoleRead},
			http.MethodPut:    {do: s.putRecord, role: RoleImport},
			http.MethodPatch:  {do: s.patchRecord, role: RoleImport},
			http.MethodDelete: {do: s.deleteRecord, role: RoleImport},
		}},
		get("/v1/openapi.yaml", s.getDocument),
		get("/livez", s.livez),
		get("/readyz", s.readyz),
		get("/metrics", s.getMetrics),
	}
}

// allowed returns the methods of a route, as Allow has them.
func (r *route) allowed() string {
	names := []string{http.MethodOptions}
	for name := range r.methods {
		names = append(names, name)
		if name == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (s *Server) noRoute(_ *answer, r *request) error {
	return notFound("", "there is nothing at %q: /v1/openapi.yaml lists what there is", clip(r.URL.Path))
}

func (s *Server) getDocument(a *answer, _ *request) error {
	a.contentType = "application/yaml"
	a.body = append(a.body, document...)
	a.life = LifeSearch
	return nil
}

// Routes lists what the document describes, as "METHOD /path".
func (s *Server) Routes() []string {
	var out []string
	for _, r := range s.routes() {
		for name := range r.methods {
			out = append(out, name+" "+r.path)
		}
	}
	return out
}
