package elasticindex

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"catalog/indexer"
)

// Options say how an index is reached and kept. The zero value is what one
// node without access control needs.
type Options struct {
	APIKey   string // base64, as the server shows it; wins over User
	User     string
	Password string
	CA       []byte // PEM certificates of the authorities to trust; nil: the system's

	Shards   int // of a new generation; 0 is 1
	Replicas int // while serving; 0 is none

	Workers   int // bulk requests in flight; 0 is 2
	BulkBytes int // of a bulk request; 0 is 4 MiB

	// Timeout bounds each request to the server, 0 is 60 seconds; SearchTimeout
	// each search, 0 is 20 seconds.
	Timeout, SearchTimeout time.Duration
	// RetryFor is how long a write is repeated while the server is away or too
	// busy; 0 is 30 seconds. Searches are repeated for two seconds at most.
	RetryFor time.Duration

	// Transport replaces the HTTP transport; nil is one with timeouts. CA does
	// not apply to one that is no *http.Transport.
	Transport http.RoundTripper
}

func (o *Options) withDefaults() Options {
	d := Options{}
	if o != nil {
		d = *o
	}
	d.Shards = max(d.Shards, 1)
	if d.Workers <= 0 {
		d.Workers = 2
	}
	if d.BulkBytes <= 0 {
		d.BulkBytes = 4 << 20
	}
	if d.Timeout <= 0 {
		d.Timeout = time.Minute
	}
	if d.SearchTimeout <= 0 {
		d.SearchTimeout = 20 * time.Second
	}
	if d.RetryFor <= 0 {
		d.RetryFor = 30 * time.Second
	}
	return d
}

// DefaultName is the name of an index whose URL has none.
const DefaultName = "products"

// ParseURL takes apart "http://user:password@host:9200,other:9200/name?ca=FILE":
// the nodes' URLs, the index's name and the options. Scheme, user and password
// hold for all nodes. The query may set ca, api_key, shards and replicas.
func ParseURL(s string) (nodes []string, name string, o Options, err error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme != "http" && scheme != "https" {
		return nil, "", o, errors.New("elasticindex: URL: want http:// or https://")
	}
	hosts, tail := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		hosts, tail = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(hosts, '@'); i >= 0 {
		u, err := url.Parse(scheme + "://" + hosts[:i+1] + "host")
		if err != nil {
			return nil, "", o, errors.New("elasticindex: URL: user or password are not escaped")
		}
		o.User = u.User.Username()
		o.Password, _ = u.User.Password()
		hosts = hosts[i+1:]
	}
	for host := range strings.SplitSeq(hosts, ",") {
		u, err := url.Parse(scheme + "://" + host)
		if err != nil || u.Host == "" {
			return nil, "", o, fmt.Errorf("elasticindex: URL: host %q", host)
		}
		nodes = append(nodes, u.String())
	}
	u, err := url.Parse(tail)
	if err != nil {
		return nil, "", o, fmt.Errorf("elasticindex: URL: %w", err)
	}
	name = strings.Trim(u.Path, "/")
	if name == "" {
		name = DefaultName
	}
	for key, values := range u.Query() {
		v := values[len(values)-1]
		switch key {
		case "ca":
			o.CA, err = os.ReadFile(v)
		case "api_key":
			o.APIKey = v
		case "shards":
			_, err = fmt.Sscanf(v, "%d", &o.Shards)
		case "replicas":
			_, err = fmt.Sscanf(v, "%d", &o.Replicas)
		default:
			err = errors.New("unknown")
		}
		if err != nil {
			return nil, "", o, fmt.Errorf("elasticindex: URL: parameter %s: %w", key, err)
		}
	}
	return nodes, name, o, nil
}

// Index is a search index in Elasticsearch. It is safe for concurrent use;
// writes are in order of their calls, and belong to one process at a time.
type Index struct {
	o      Options
	client *elastictransport.Client
	where  string
	alias  string // "catalog-NAME", of the generation that serves
	dict   string // "catalog-NAME-dict", the index of what all generations share

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	active sync.WaitGroup
	closed atomic.Bool
	gate   sync.RWMutex // of closed and active

	scopes   scopes
	unseen   unseen
	seen     checked
	restored bool // guarded by seen.mu
	batches  sync.Pool
	writing  sync.Mutex // one Apply at a time
	dirty    time.Time  // until then old requests may still be on their way
}

var _ indexer.Index = (*Index)(nil)

var (
	validName     = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,99}$`)
	generationEnd = regexp.MustCompile(`-(\d{6,}|dict)$`)
)

// Open returns the index of that name on the server of those nodes. It reaches
// for none of them yet: a server that is away now may be back when asked.
func Open(nodes []string, name string, options *Options) (*Index, error) {
	if !validName.MatchString(name) || generationEnd.MatchString(name) {
		return nil, fmt.Errorf("elasticindex: name %q: want lower case letters, digits, dots, hyphens, and no number at the end: %w", name, indexer.ErrQuery)
	}
	x := &Index{o: options.withDefaults(), where: strings.Join(nodes, ","), alias: "catalog-" + name}
	x.dict = x.alias + "-dict"
	transport := x.o.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 64
		t.ResponseHeaderTimeout = x.o.Timeout
		transport = t
	}
	var err error
	if x.client, err = newClient(nodes, &x.o, transport); err != nil {
		return nil, fmt.Errorf("elasticindex: open: %w", err)
	}
	x.ctx, x.cancel = context.WithCancel(context.Background())
	x.scopes.init(x)
	return x, nil
}

func newClient(nodes []string, o *Options, transport http.RoundTripper) (*elastictransport.Client, error) {
	urls := make([]*url.URL, len(nodes))
	for i, n := range nodes {
		var err error
		if urls[i], err = url.Parse(strings.TrimRight(n, "/")); err != nil {
			return nil, err
		}
	}
	options := []elastictransport.Option{
		elastictransport.WithURLs(urls...),
		elastictransport.WithTransport(transport),
		elastictransport.WithDisableRetry(), // roundTrip repeats, and knows what
	}
	switch {
	case o.APIKey != "":
		options = append(options, elastictransport.WithAPIKey(o.APIKey))
	case o.User != "" || o.Password != "":
		options = append(options, elastictransport.WithBasicAuth(o.User, o.Password))
	}
	if len(o.CA) > 0 {
		options = append(options, elastictransport.WithCACert(o.CA))
	}
	return elastictransport.NewClient(options...)
}

// Close releases the index. It waits for calls under way, which it ends.
func (x *Index) Close() error {
	x.gate.Lock()
	x.closed.Store(true)
	x.gate.Unlock()
	x.cancel()
	x.active.Wait()
	return nil
}

// enter begins a call: the context ends with the caller's and with Close.
func (x *Index) enter(ctx context.Context) (context.Context, func(), error) {
	x.gate.RLock()
	defer x.gate.RUnlock()
	if x.closed.Load() {
		return nil, nil, indexer.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	x.active.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(x.ctx, cancel)
	return ctx, func() { stop(); cancel(); x.active.Done() }, nil
}
