package pebblestore

import (
	"context"

	"github.com/cockroachdb/pebble/v2"

	"catalog/catalog"
)

// headFinder finds heads of one kind by ascending keys.
type headFinder struct {
	db     *pebble.DB
	kind   catalog.Kind
	filter *filter // nil: none
	it     *pebble.Iterator
	key    []byte
	missed int64 // how often there was nothing
}

func (f *headFinder) find(key catalog.Key) (h head, ok bool, err error) {
	if f.filter != nil && !f.filter.has(key) {
		return h, false, nil
	}
	if f.it == nil {
		lower, upper := bounds(spaceRecord+byte(f.kind), catalog.All)
		f.it, err = f.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper, UseL6Filters: true})
		if err != nil {
			return h, false, err
		}
	}
	f.key = recordKey(f.key[:0], f.kind, key)
	if !f.it.SeekPrefixGE(f.key) {
		f.missed++
		return h, false, f.it.Error()
	}
	v, err := f.it.ValueAndErr()
	if err != nil {
		return h, false, err
	}
	h, _, err = parseHead(v)
	return h, err == nil, err
}

func (f *headFinder) close(err *error) {
	if f.it != nil {
		closeIter(f.it, err)
	}
}

// The costs, against each other, of reading one head in a scan of all and of
// looking for one that is not there.
const (
	scanCost = 1
	missCost = 10
)

// prepareFilter builds the filter of a kind when looking for what is not there
// has cost as much as building it would: in an empty store at once.
func (s *Store) prepareFilter(ctx context.Context, k catalog.Kind, n int64) error {
	count := s.state.Load().counts[k]
	if s.filter[k] != nil || s.missed[k]*missCost < count*scanCost {
		return nil
	}
	f := newFilter(max(n, count))
	for h, err := range s.heads(ctx, k, catalog.All) {
		if err != nil {
			return err
		}
		f.add(h.Key)
	}
	s.filter[k] = f
	return nil
}
