package pebblestore

import (
	"bytes"
	"slices"

	"catalog/catalog"
)

// refPlan collects the keys of refs that come and go.
type refPlan struct {
	arena      []byte
	items      []refItem
	old, fresh []catalog.Ref
}

type refItem struct {
	prefix uint64
	key    span
	gone   bool
}

func (r *refPlan) reset() { r.arena, r.items = r.arena[:0], r.items[:0] }

// release lets go of the caller's strings.
func (r *refPlan) release() {
	clear(r.old[:cap(r.old)])
	clear(r.fresh[:cap(r.fresh)])
}

// diff adds what changes when a record's refs become fresh; old are those it
// had, as they were stored, or nil.
func (r *refPlan) diff(k catalog.Kind, key catalog.Key, old []byte, fresh []catalog.Ref) error {
	r.old, r.fresh = r.old[:0], r.fresh[:0]
	if len(old) > 0 {
		var err error
		if r.old, err = parseRefs(r.old, old); err != nil {
			return err
		}
	}
	for _, f := range fresh {
		if slices.Contains(r.fresh, f) {
			continue
		}
		r.fresh = append(r.fresh, f)
		if len(r.old) == 0 || !slices.Contains(r.old, f) {
			r.add(k, key, f, false)
		}
	}
	for i, o := range r.old {
		if !slices.Contains(r.fresh, o) && !slices.Contains(r.old[:i], o) {
			r.add(k, key, o, true)
		}
	}
	return nil
}

func (r *refPlan) add(k catalog.Kind, key catalog.Key, f catalog.Ref, gone bool) {
	start := len(r.arena)
	r.arena = refKey(r.arena, f, k, key)
	r.items = append(r.items, refItem{key: span{uint32(start), uint32(len(r.arena))}, gone: gone})
}

func (r *refPlan) key(it *refItem) []byte { return r.arena[it.key.start:it.key.end] }

// sort puts the keys in order. All are different: a key names its record.
func (r *refPlan) sort() {
	if len(r.items) < 2 {
		return
	}
	first := r.key(&r.items[0])
	skip := len(first)
	for i := range r.items[1:] {
		skip = commonPrefix(first, r.key(&r.items[i+1]), skip)
	}
	for i := range r.items {
		r.items[i].prefix = prefixOf(r.key(&r.items[i])[skip:])
	}
	slices.SortFunc(r.items, func(a, b refItem) int {
		if a.prefix != b.prefix {
			if a.prefix < b.prefix {
				return -1
			}
			return 1
		}
		return bytes.Compare(r.key(&a), r.key(&b))
	})
}
