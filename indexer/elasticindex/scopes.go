package elasticindex

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"catalog/indexer"
)

// dictionary is what all generations of an index share, one document of an
// index of its own: the numbers of price scopes, and how many writers there
// were. Both only grow, so that a reader may keep what it has read.
type dictionary struct {
	ID     string          `json:"id"` // random: a lost dictionary is not mistaken for a new one
	Writer int64           `json:"writer"`
	Scopes []indexer.Scope `json:"scopes"`
}

// scopes is the part of the dictionary that is known here.
type scopes struct {
	x *Index

	mu      sync.RWMutex
	id      string
	numbers map[indexer.Scope]int
	asked   time.Time // when a reader last looked for scopes that were unknown

	version version // of writers
}

// version numbers the writes of all processes there ever were: the engine
// refuses a write when there was one with a higher number (external_gte), so
// that a request that was repeated, delayed or sent by a process that has lost
// its lease undoes nothing.
type version struct {
	mu   sync.Mutex
	next int64 // 0: this process has no number yet
}

// versionBits is how many writes one process has numbers for: 10¹².
const versionBits = 40

func (s *scopes) init(x *Index) { s.x, s.numbers = x, map[indexer.Scope]int{} }

// recheck is how often readers look for scopes that nobody knew.
const recheck = time.Second

// known returns the numbers of those scopes that any price has, in their order.
func (s *scopes) known(ctx context.Context, list []indexer.Scope) ([]int, error) {
	for first := true; ; first = false {
		var out []int
		s.mu.RLock()
		all := s.id != ""
		for _, sc := range list {
			n, ok := s.numbers[sc]
			if !ok {
				all = false
				continue
			}
			out = append(out, n)
		}
		fresh := time.Since(s.asked) < recheck
		s.mu.RUnlock()
		if all || fresh || !first {
			return out, nil
		}
		_, err := s.load(ctx)
		if errors.Is(err, indexer.ErrNoIndex) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.asked = time.Now()
		s.mu.Unlock()
	}
}

// number returns the number of a scope, a new one if it has none.
func (s *scopes) number(ctx context.Context, sc indexer.Scope) (int, error) {
	s.mu.RLock()
	n, ok := s.numbers[sc]
	s.mu.RUnlock()
	if ok {
		return n, nil
	}
	err := s.update(ctx, func(d *dictionary) error {
		for i := range d.Scopes {
			if d.Scopes[i] == sc {
				n = i
				return nil
			}
		}
		if len(d.Scopes) == maxScopes {
			return fmt.Errorf("more than %d combinations of currency, website, group and price list", maxScopes)
		}
		n = len(d.Scopes)
		d.Scopes = append(d.Scopes, sc)
		return nil
	})
	return n, err
}

// take returns the version of the next write.
func (s *scopes) take(ctx context.Context) (int64, error) {
	v := &s.version
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.next == 0 {
		var writer int64
		if err := s.update(ctx, func(d *dictionary) error { d.Writer++; writer = d.Writer; return nil }); err != nil {
			return 0, err
		}
		v.next = writer << versionBits
	}
	v.next++
	return v.next, nil
}

// identity returns the dictionary's ID; one that was read before will do.
func (s *scopes) identity(ctx context.Context) (string, error) {
	s.mu.RLock()
	id := s.id
	s.mu.RUnlock()
	if id != "" {
		return id, nil
	}
	d, err := s.load(ctx)
	if err != nil {
		return "", err
	}
	return d.dictionary.ID, nil
}

// stored is a dictionary and where it stands in its document's history.
type stored struct {
	dictionary
	seq, term int64
}

const dictDoc = "/_doc/dict"

// load reads the dictionary; ErrNoIndex if there is none yet.
func (s *scopes) load(ctx context.Context) (*stored, error) {
	var answer struct {
		Seq    int64      `json:"_seq_no"`
		Term   int64      `json:"_primary_term"`
		Source dictionary `json:"_source"`
	}
	err := s.x.read(ctx, http.MethodGet, "/"+s.x.dict+dictDoc, nil, &answer)
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusNotFound {
		return nil, indexer.ErrNoIndex
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = answer.Source.ID
	for i, sc := range answer.Source.Scopes {
		s.numbers[sc] = i
	}
	return &stored{answer.Source, answer.Seq, answer.Term}, nil
}

// update changes the dictionary, if need be again and again until nobody else
// did meanwhile.
func (s *scopes) update(ctx context.Context, change func(*dictionary) error) error {
	for range 100 {
		d, err := s.load(ctx)
		query := url.Values{"refresh": {"false"}}
		switch {
		case errors.Is(err, indexer.ErrNoIndex):
			if err := s.create(ctx); err != nil {
				return err
			}
			d = &stored{dictionary: dictionary{ID: rand.Text()}}
			query.Set("op_type", "create")
		case err != nil:
			return err
		default:
			query.Set("if_seq_no", strconv.FormatInt(d.seq, 10))
			query.Set("if_primary_term", strconv.FormatInt(d.term, 10))
		}
		if err := change(&d.dictionary); err != nil {
			return err
		}
		err = s.x.write(ctx, http.MethodPut, "/"+s.x.dict+dictDoc+"?"+query.Encode(), d.dictionary, nil)
		var status *statusError
		if errors.As(err, &status) && status.status == http.StatusConflict {
			continue
		}
		if err != nil {
			return err
		}
		_, err = s.load(ctx)
		return err
	}
	return ErrSuperseded
}

// create makes the dictionary's index.
func (s *scopes) create(ctx context.Context) error {
	err := s.x.write(ctx, http.MethodPut, "/"+s.x.dict, object{
		"settings": object{"number_of_shards": 1, "number_of_replicas": s.x.o.Replicas},
		"mappings": object{"dynamic": false, "properties": object{}},
	}, nil)
	var status *statusError
	if errors.As(err, &status) && status.has("resource_already_exists_exception") {
		return nil
	}
	return err
}
