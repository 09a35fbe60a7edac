package memstore

import (
	"bytes"
	"context"
	"slices"

	"catalog/catalog"
)

// Apply implements catalog.Store. The whole batch becomes visible at once.
func (s *Store) Apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	if err := s.usable(ctx); err != nil {
		return nil, wrap("apply", err)
	}
	for i := range writes {
		if err := writes[i].Validate(); err != nil {
			return nil, wrap("apply", &catalog.ApplyError{Failed: []int{i}, Err: err})
		}
	}
	hashes := make([]catalog.Hash, len(writes))
	for i, w := range writes {
		hashes[i] = w.Hash
		if w.Body != nil && w.Hash.IsZero() {
			hashes[i] = catalog.HashOf(w.Body)
		}
	}

	results := make([]catalog.Result, len(writes))
	var conflicts []int
	err := s.write(ctx, "apply", func() error {
		if err := s.leases.check(ctx); err != nil {
			return err
		}
		for k := range s.records {
			s.records[k].begin()
		}
		before := s.log.tail
		for i := range writes {
			results[i] = s.apply(&writes[i], hashes[i])
			if results[i].Outcome == catalog.Conflict {
				conflicts = append(conflicts, i)
			}
		}
		if s.log.tail != before {
			s.log.wake()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if conflicts != nil {
		return results, wrap("apply", &catalog.ApplyError{Failed: conflicts, Err: catalog.ErrConflict})
	}
	return results, nil
}

// apply performs one valid write, whose body has the digest hash.
func (s *Store) apply(w *catalog.Write, hash catalog.Hash) catalog.Result {
	old := s.find(w.Kind, w.Key)
	var seq catalog.Seq
	if old != nil {
		seq = old.Seq
	}
	switch {
	case w.If != nil && *w.If != seq:
		return catalog.Result{Outcome: catalog.Conflict, Seq: seq}
	case w.Body == nil && old == nil:
		return catalog.Result{Outcome: catalog.Absent}
	case w.Body == nil:
		s.log.append(w.Kind, catalog.OpDelete, w.Key)
		s.replace(old, nil)
		return catalog.Result{Outcome: catalog.Deleted}
	case old != nil && old.Hash == hash:
		if old.Source != w.Source {
			moved := *old
			moved.Source = w.Source
			s.replace(old, &moved)
		}
		return catalog.Result{Outcome: catalog.Unchanged, Seq: seq}
	}
	outcome := catalog.Created
	if old != nil {
		outcome = catalog.Updated
	}
	seq = s.log.append(w.Kind, catalog.OpPut, w.Key)
	s.replace(old, &record{
		Head: catalog.Head{Kind: w.Kind, Key: w.Key, Hash: hash, Seq: seq, Source: w.Source},
		body: bytes.Clone(w.Body),
		refs: slices.Clone(w.Refs),
	})
	return catalog.Result{Outcome: outcome, Seq: seq}
}

// replace puts the record new, or none if it is nil, in the place of old,
// which may be nil too, together with their refs.
func (s *Store) replace(old, new *record) {
	if old != nil {
		for _, ref := range old.refs {
			delete(s.refs[ref], old.Key)
			if len(s.refs[ref]) == 0 {
				delete(s.refs, ref)
			}
		}
		s.count(old, -1)
	}
	if new == nil {
		s.records[old.Kind].delete(old.Key)
		return
	}
	for _, ref := range new.refs {
		if s.refs[ref] == nil {
			s.refs[ref] = map[catalog.Key]struct{}{}
		}
		s.refs[ref][new.Key] = struct{}{}
	}
	s.count(new, 1)
	s.records[new.Kind].set(new.Key, new)
}

// count keeps the number of products of each owner.
func (s *Store) count(r *record, by int64) {
	if r.Kind != catalog.KindProduct {
		return
	}
	if s.sources[r.Source] += by; s.sources[r.Source] == 0 {
		delete(s.sources, r.Source)
	}
}
