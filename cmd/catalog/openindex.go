package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/importer/yaml"
	"catalog/indexer"
	"catalog/indexer/elasticindex"
	"catalog/indexer/facetindex"
)

// indexOptions are the flags of every command that uses the search index.
type indexOptions struct {
	url  string
	name string
	ca   string

	settings, synonyms, stopWords string // files
}

func (o *indexOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.url, "index-url", "", "the `URL` of the search index: facet:DIR, or http(s)://HOST:9200 of Elasticsearch; beside the store if empty")
	f.StringVar(&o.ca, "index-ca", "", "trust the authorities in this PEM `FILE`, of an index behind https")
	f.StringVar(&o.name, "index-name", "main", "the `NAME` of the index, where there are several")
	f.StringVar(&o.settings, "search-settings", "", "`FILE` (YAML or JSON) of facets, rules and more; see 'catalog schema index-settings'")
	f.StringVar(&o.synonyms, "synonyms", "", "`FILE` of synonyms, a line each: sneaker, trainer")
	f.StringVar(&o.stopWords, "stop-words", "", "`FILE` of words that a search leaves out, one a line")
}

// place returns the URL of the index: the one asked for, else a folder beside
// the store.
func (o *indexOptions) place(a *app) (string, error) {
	if o.url != "" {
		return o.url, nil
	}
	if beside := indexBeside(a.global.store); beside != "" {
		if o.name != "main" {
			beside += "-" + o.name
		}
		return beside, nil
	}
	return "", usagef("--store %s has no index beside it: name one by --index-url", a.global.store)
}

// noIndex tells the user how to get one.
func noIndex(place string) error {
	return fmt.Errorf("%s: %w: 'catalog index' makes it", place, indexer.ErrNoIndex)
}

// openIndex opens the index.
func (a *app) openIndex(ctx context.Context, o *indexOptions, mode openMode) (indexer.Index, error) {
	place, err := o.place(a)
	if err != nil {
		return nil, err
	}
	scheme, rest, ok := strings.Cut(place, ":")
	switch {
	case !ok:
	case scheme == "facet":
		dir := strings.TrimPrefix(rest, "//")
		if dir == "" {
			return nil, usagef("--index-url %q names no folder: use facet:DIR", place)
		}
		if mode != mayCreate && !hasEntries(dir) {
			return nil, noIndex(place)
		}
		x, err := facetindex.Open(ctx, dir, &facetindex.Options{
			Workers: a.workers,
			OnError: func(err error) { a.log.Warn("the index will try again", "err", err) },
		})
		if errors.Is(err, facetindex.ErrLocked) {
			return nil, fmt.Errorf("%w, which does not answer for it: end it, or name another index by --index-url", err)
		}
		if err != nil {
			return nil, err
		}
		return x, nil
	case scheme == "http" || scheme == "https":
		return a.openElastic(o, place)
	}
	return nil, usagef("--index-url %q: use facet:DIR, or http://HOST:9200 of Elasticsearch", place)
}

// openElastic connects to Elasticsearch. url may name several nodes, separated
// by commas, and a user; an API key comes from the environment.
func (a *app) openElastic(o *indexOptions, list string) (indexer.Index, error) {
	var opts elasticindex.Options
	opts.APIKey, _ = a.lookup("CATALOG_INDEX_API_KEY")
	var err error
	if opts.CA, err = readOption("--index-ca", o.ca); err != nil {
		return nil, err
	}
	var nodes []string
	for part := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || u.Host == "" {
			return nil, usagef("--index-url: a node is no URL: use http://HOST:9200") // it may hold a password
		}
		if u.User != nil {
			opts.User = u.User.Username()
			opts.Password, _ = u.User.Password()
			u.User = nil
		}
		nodes = append(nodes, u.String())
	}
	return elasticindex.Open(nodes, o.name, &opts)
}

// indexPatience is how long a process that is going to stay waits for one that
// has the index and does not answer for it.
const indexPatience = 3 * time.Second

// awaitIndex is openIndex for a process that is going to stay: a search or the
// like has the index for a moment only. (Who just has a question or a task asks
// in between whoever has it, see askAnyone.)
func (a *app) awaitIndex(ctx context.Context, o *indexOptions, mode openMode) (indexer.Index, error) {
	for end := time.Now().Add(indexPatience); ; {
		x, err := a.openIndex(ctx, o, mode)
		if !errors.Is(err, facetindex.ErrLocked) || time.Now().After(end) {
			return x, err
		}
		if err := catalog.Sleep(ctx, lockPause); err != nil {
			return nil, err
		}
	}
}

// withIndex opens store and index for run and closes both after. Others may ask
// the index meanwhile, if this process shares what it has.
func (a *app) withIndex(ctx context.Context, o *indexOptions, mode openMode, run func(catalog.Store, indexer.Index) error) error {
	return a.withKeptIndex(ctx, o, mode, nil, run)
}

// withKeptIndex is withIndex for a process whose keeper brings the index up to
// date.
func (a *app) withKeptIndex(ctx context.Context, o *indexOptions, mode openMode, keeper *indexKeeper, run func(catalog.Store, indexer.Index) error) error {
	return a.withStore(ctx, mustExist, func(s catalog.Store) (err error) {
		open := a.openIndex
		if keeper != nil {
			open = a.awaitIndex
		}
		x, err := open(ctx, o, mode)
		if err != nil {
			return err
		}
		r := a.newRespondent(s, x, o)
		r.keeper = keeper
		shared := a.shareIndex(ctx, r)
		defer func() {
			shared.stop()
			err = errors.Join(err, x.Close())
		}()
		return run(s, x)
	})
}

// engine returns what answers queries.
func (a *app) engine(s catalog.Store, x indexer.Searcher, o *indexOptions) *indexer.Engine {
	return indexer.NewEngine(x, s, indexer.EngineOptions{
		Settings: o.load(),
		Warn:     func(err error) { a.log.Warn("the settings of search stay as they were", "err", err) },
	})
}

// load returns what reads the settings of search, again whenever a file of
// theirs has changed.
func (o *indexOptions) load() func() (*indexer.Settings, error) {
	files := &indexer.Files{Settings: o.settings, Synonyms: o.synonyms, StopWords: o.stopWords, ToJSON: yaml.ToJSON}
	return files.Load
}

// holder says who takes a lease, for people.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}

// indexProgress shows how far an index is: as progress does for an import.
type indexProgress struct {
	*ticker
	log    *slog.Logger
	logged time.Time
}

func (a *app) newIndexProgress(hide bool) *indexProgress {
	return &indexProgress{ticker: a.newTicker("indexing", hide), log: a.log}
}

// show takes the newest state.
func (p *indexProgress) show(st indexer.Status) {
	if st.State == indexer.StateBuilding {
		p.ticker.show(st.Built, 0)
	}
}

// follow logs the state of one that stays: when it changes, and every minute.
func (p *indexProgress) follow() func(indexer.Status) {
	last := ""
	return func(st indexer.Status) {
		if now := time.Now(); st.State != last || now.Sub(p.logged) >= time.Minute {
			last, p.logged = st.State, now
			p.log.Info("index", "state", st.State, "behind", st.Behind, "lag_seconds", st.Lag, "built", st.Built, "dead_letters", st.Dead)
		}
	}
}
