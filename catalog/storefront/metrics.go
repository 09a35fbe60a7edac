package storefront

import (
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the figures for Prometheus.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	busy     prometheus.Counter
	purged   *prometheus.CounterVec
	unpurged *prometheus.CounterVec
	unsent   *prometheus.GaugeVec
	handler  http.Handler
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catalog_http_requests_total", Help: "Requests answered.",
		}, []string{"route", "method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "catalog_http_request_seconds", Help: "How long answers took.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route"}),
		busy: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "catalog_http_busy_total", Help: "Queries refused because too many ran.",
		}),
	}
	target := []string{"target"}
	m.purged = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "catalog_purge_keys_total", Help: "Surrogate keys that a cache took."}, target)
	m.unpurged = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "catalog_purge_failures_total", Help: "Purges that a cache did not take; they are sent again."}, target)
	m.unsent = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "catalog_purge_behind", Help: "Changes whose keys are not sent yet."}, target)
	reg := s.opts.Registry
	reg.MustRegister(m.requests, m.seconds, m.busy, m.purged, m.unpurged, m.unsent, &stateCollector{s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	return m
}

// routeMetrics are those of one route.
type routeMetrics struct {
	seconds prometheus.Observer
	ok      prometheus.Counter // GET with 200, which most are
	all     *prometheus.CounterVec
	route   string
}

func (m *metrics) route(path string) *routeMetrics {
	return &routeMetrics{
		seconds: m.seconds.WithLabelValues(path), all: m.requests, route: path,
		ok: m.requests.WithLabelValues(path, http.MethodGet, "200"),
	}
}

func (m *routeMetrics) observe(method string, code int, took time.Duration) {
	m.seconds.Observe(took.Seconds())
	if code == http.StatusOK && method == http.MethodGet {
		m.ok.Inc()
		return
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other" // whatever clients make up
	}
	m.all.WithLabelValues(m.route, method, strconv.Itoa(code)).Inc()
}

func (s *Server) getMetrics(a *answer, r *request) error {
	a.streamed = true
	s.deadline(r.w)
	r.w.Header().Set("Cache-Control", "no-store")
	s.metrics.handler.ServeHTTP(r.w, r.Request)
	return nil
}

// Purging returns what counts the purges that are sent to a cache: keys that it
// took, failures, and how many changes are behind.
func (s *Server) Purging(target string) (sent func(keys int), failed func(), behind func(changes int64)) {
	keys, failures, gauge := s.metrics.purged.WithLabelValues(target), s.metrics.unpurged.WithLabelValues(target), s.metrics.unsent.WithLabelValues(target)
	return func(n int) { keys.Add(float64(n)) }, failures.Inc, func(n int64) { gauge.Set(float64(n)) }
}

// stateCollector tells what store and index are like when somebody asks.
type stateCollector struct{ s *Server }

var (
	descRecords = prometheus.NewDesc("catalog_records", "Records of the store.", []string{"kind"}, nil)
	descTail    = prometheus.NewDesc("catalog_store_tail_seq", "Seq of the newest change.", nil, nil)
	descDisk    = prometheus.NewDesc("catalog_store_disk_bytes", "Size of the store.", nil, nil)
	descDocs    = prometheus.NewDesc("catalog_index_documents", "Documents of the index.", nil, nil)
	descBehind  = prometheus.NewDesc("catalog_index_behind", "Changes that are not in the index yet.", nil, nil)
	descLag     = prometheus.NewDesc("catalog_index_lag_seconds", "Age of the oldest of them.", nil, nil)
	descDead    = prometheus.NewDesc("catalog_index_dead_letters", "Products that could not be indexed.", nil, nil)
	descReady   = prometheus.NewDesc("catalog_ready", "1 if /readyz says ok.", nil, nil)
	descImport  = prometheus.NewDesc("catalog_import_last_success_timestamp_seconds", "When the last import of a source ended that did all it should.", []string{"source"}, nil)
	descLast    = prometheus.NewDesc("catalog_import_last_info", "How the last import of a source ended; always 1.", []string{"source", "status"}, nil)
	descRejects = prometheus.NewDesc("catalog_import_last_rejected", "Records that the last import of a source rejected.", []string{"source"}, nil)
	descRunning = prometheus.NewDesc("catalog_imports_running", "Imports under way through this server.", nil, nil)
	descZero    = prometheus.NewDesc("catalog_searches_total", "Searches by text.", []string{"result"}, nil)
	descSaid    = prometheus.NewDesc("catalog_live_remembered", "Products of store views whose price and stock are told from memory.", nil, nil)
	descFilled  = prometheus.NewDesc("catalog_live_filled", "1 if no price and stock is to be read ahead.", nil, nil)
	descInfo    = prometheus.NewDesc("catalog_build_info", "Always 1.", []string{"version"}, nil)
)

func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descRecords, descTail, descDisk, descDocs, descBehind, descLag, descDead, descReady, descImport, descLast, descRejects, descRunning, descZero, descSaid, descFilled, descInfo} {
		ch <- d
	}
}

func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	st := c.s.statusNow(c.s.done)
	for kind, n := range st.Records {
		gauge(descRecords, float64(n), kind)
	}
	if st.Store != nil {
		gauge(descTail, float64(st.Store.seq))
		gauge(descDisk, float64(st.Store.DiskBytes))
	}
	if x := st.Index; x != nil {
		gauge(descDocs, float64(x.Documents))
		gauge(descBehind, float64(x.Behind))
		gauge(descLag, x.Lag)
		gauge(descDead, float64(x.Dead))
	}
	ready := 0.0
	if st.Ready {
		ready = 1
	}
	gauge(descReady, ready)
	filled := 0.0
	if c.s.fill.filled.Load() {
		filled = 1
	}
	gauge(descFilled, filled)
	gauge(descSaid, float64(c.s.plain.items()))
	for source, in := range st.sources {
		if !in.success.IsZero() {
			gauge(descImport, float64(in.success.Unix()), source)
		}
		gauge(descLast, 1, source, in.status)
		gauge(descRejects, float64(in.rejected), source)
	}
	if running := reflect.ValueOf(st.Running); running.Kind() == reflect.Slice {
		gauge(descRunning, float64(running.Len()))
	}
	total, zero := c.s.searches.counts()
	ch <- prometheus.MustNewConstMetric(descZero, prometheus.CounterValue, float64(total-zero), "found")
	ch <- prometheus.MustNewConstMetric(descZero, prometheus.CounterValue, float64(zero), "nothing")
	gauge(descInfo, 1, c.s.opts.Version)
}
