package elasticindex

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// generation is an index as its mapping describes it.
type generation struct {
	name        string
	Format      int    `json:"format"`
	Dict        string `json:"dict"`
	Fingerprint string `json:"fingerprint"`
}

// check says whether a generation is one that this program can read.
func (g *generation) check(dict string) error {
	if g.Format != format {
		return fmt.Errorf("elasticindex: %s has format %d, this program reads %d: %w", g.name, g.Format, format, indexer.ErrFormat)
	}
	if g.Dict != dict {
		return fmt.Errorf("elasticindex: %s belongs to another dictionary of price scopes: %w", g.name, indexer.ErrFormat)
	}
	return nil
}

// current returns the generation that serves; ErrNoIndex if none does.
func (x *Index) current(ctx context.Context) (*generation, error) {
	var answer map[string]struct {
		Mappings struct {
			Meta generation `json:"_meta"`
		} `json:"mappings"`
	}
	err := x.read(ctx, http.MethodGet, "/"+x.alias+"/_mapping?filter_path=*.mappings._meta", nil, &answer)
	if errors.Is(err, errGone) {
		return nil, indexer.ErrNoIndex
	}
	if err != nil {
		return nil, wrap(err, "look at "+x.alias)
	}
	for name, a := range answer {
		g := a.Mappings.Meta
		g.name = name
		dict, err := x.scopes.identity(ctx)
		if errors.Is(err, indexer.ErrNoIndex) {
			dict, err = "none", nil
		}
		if err != nil {
			return nil, wrap(err, "look at "+x.dict)
		}
		return &g, g.check(dict)
	}
	return nil, indexer.ErrNoIndex
}

// checked remembers for a moment that the serving generation can be read.
type checked struct {
	mu   sync.Mutex
	at   time.Time
	last error
}

// readable is current for searches, asked at most once a second.
func (x *Index) readable(ctx context.Context) error {
	c := &x.seen
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil && time.Since(c.at) < recheck {
		return nil
	}
	_, err := x.current(ctx)
	if ctx.Err() == nil {
		c.at, c.last = time.Now(), err
	}
	return err
}

// Fingerprint implements indexer.Index.
func (x *Index) Fingerprint(ctx context.Context) (string, error) {
	ctx, leave, err := x.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	g, err := x.current(ctx)
	if err != nil {
		return "", err
	}
	return g.Fingerprint, nil
}

// metaSource is the document that says how far the index is.
type metaSource struct {
	Kind string `json:"k"`
	Meta struct {
		Epoch string      `json:"epoch"`
		Seq   catalog.Seq `json:"seq"`
	} `json:"meta"`
}

func (m *metaSource) cursor() catalog.Cursor {
	return catalog.Cursor{Epoch: m.Meta.Epoch, Seq: m.Meta.Seq}
}

// escapedMetaID is the _id of that document in a URL. It is no SKU: those have no
// control characters.
const escapedMetaID = "%01meta"

// Cursor implements indexer.Index.
func (x *Index) Cursor(ctx context.Context) (catalog.Cursor, error) {
	ctx, leave, err := x.enter(ctx)
	if err != nil {
		return catalog.Cursor{}, err
	}
	defer leave()
	if _, err := x.current(ctx); err != nil {
		return catalog.Cursor{}, err
	}
	var answer struct {
		Found  bool       `json:"found"`
		Source metaSource `json:"_source"`
	}
	err = x.read(ctx, http.MethodGet, "/"+x.alias+"/_doc/"+escapedMetaID, nil, &answer)
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusNotFound {
		return catalog.Cursor{}, indexer.ErrNoIndex
	}
	return answer.Source.cursor(), wrap(err, "read the cursor")
}

// saveCursor keeps the cursor, and makes it and all before it visible.
func (x *Index) saveCursor(ctx context.Context, index string, at catalog.Cursor, version int64, alias bool) error {
	if x.o.Shards > 1 {
		// The cursor's shard must not show it before the others show what it
		// stands for.
		if err := x.refresh(ctx, index); err != nil {
			return err
		}
	}
	path := "/" + index + "/_doc/" + escapedMetaID + "?refresh=true&version_type=external_gte&version=" + strconv.FormatInt(version, 10)
	if alias {
		path += "&require_alias=true"
	}
	m := metaSource{Kind: kindMeta}
	m.Meta.Epoch, m.Meta.Seq = at.Epoch, at.Seq
	err := x.write(ctx, http.MethodPut, path, &m, nil)
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusConflict {
		return ErrSuperseded
	}
	return err
}

func (x *Index) refresh(ctx context.Context, index string) error {
	return x.write(ctx, http.MethodPost, "/"+index+"/_refresh", nil, nil)
}

// generations lists the generations, and which of them serves.
func (x *Index) generations(ctx context.Context) (all []string, serving string, err error) {
	var answer map[string]struct {
		Aliases map[string]any `json:"aliases"`
	}
	err = x.read(ctx, http.MethodGet, "/"+x.alias+"-*/_alias", nil, &answer)
	if err != nil {
		return nil, "", err
	}
	for name, a := range answer {
		if _, ok := x.numberOf(name); !ok {
			continue
		}
		all = append(all, name)
		if _, ok := a.Aliases[x.alias]; ok {
			serving = name
		}
	}
	slices.Sort(all)
	return all, serving, nil
}

// numberOf returns the number of a generation's name.
func (x *Index) numberOf(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, x.alias+"-")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && len(digits) >= 6
}

// drop removes a generation.
func (x *Index) drop(ctx context.Context, name string) error {
	err := x.write(ctx, http.MethodDelete, "/"+name, nil, nil)
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// restore gives the serving generation the settings it should have, once in
// this process's life: the one before may have been told others.
func (x *Index) restore(ctx context.Context) error {
	x.seen.mu.Lock()
	done := x.restored
	x.seen.mu.Unlock()
	if done {
		return nil
	}
	if err := x.write(ctx, http.MethodPut, "/"+x.alias+"/_settings", object{"index": x.o.serving()}, nil); err != nil {
		return err
	}
	x.seen.mu.Lock()
	x.restored = true
	x.seen.mu.Unlock()
	return nil
}
