package pebblestore

import (
	"context"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/sync/errgroup"

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

const (
	// finderPart is the least number of heads that a goroutine of its own finds.
	finderPart = 256
	// finderWindow is how many heads are found ahead.
	finderWindow = 8192
)

// headFinders finds heads of one kind by ascending keys with several finders,
// a window of keys at a time.
type headFinders struct {
	parts []partFinder
	keys  []catalog.Key // in order, those yet to be found
	found []foundHead   // of a window
	next  int           // in found
}

// partFinder is one of several finders, and the refs of what it found.
type partFinder struct {
	headFinder
	refs []byte
}

type foundHead struct {
	h  head
	ok bool
}

// newHeadFinders returns finders of keys, which are in order.
func newHeadFinders(one headFinder, n int, keys []catalog.Key) *headFinders {
	f := &headFinders{parts: make([]partFinder, n), keys: keys, found: make([]foundHead, 0, min(finderWindow, len(keys)))}
	for i := range f.parts {
		f.parts[i].headFinder = one
	}
	return f
}

func (f *headFinders) find(catalog.Key) (head, bool, error) {
	if f.next == len(f.found) {
		if err := f.window(); err != nil {
			return head{}, false, err
		}
	}
	x := &f.found[f.next]
	f.next++
	return x.h, x.ok, nil
}

// window finds the heads of the next keys.
func (f *headFinders) window() error {
	n := min(finderWindow, len(f.keys))
	keys := f.keys[:n]
	f.keys, f.found, f.next = f.keys[n:], f.found[:n], 0
	var g errgroup.Group
	size := max((n+len(f.parts)-1)/len(f.parts), finderPart)
	for i := range f.parts {
		from, to := min(i*size, n), min((i+1)*size, n)
		if from < to {
			g.Go(func() error { return f.parts[i].all(keys[from:to], f.found[from:to]) })
		}
	}
	return g.Wait()
}

// all finds the heads of keys.
func (f *partFinder) all(keys []catalog.Key, found []foundHead) error {
	f.refs = f.refs[:0]
	for i, key := range keys {
		h, ok, err := f.find(key)
		if err != nil {
			return err
		}
		start := len(f.refs)
		f.refs = append(f.refs, h.refs...) // what find returned is valid until the next call only
		h.refs = f.refs[start:len(f.refs):len(f.refs)]
		found[i] = foundHead{h, ok}
	}
	return nil
}

func (f *headFinders) close(err *error) (missed int64) {
	for i := range f.parts {
		f.parts[i].close(err)
		missed += f.parts[i].missed
	}
	return missed
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
