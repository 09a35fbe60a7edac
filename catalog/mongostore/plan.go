package mongostore

import (
	"cmp"
	"fmt"
	"slices"

	"catalog/catalog"
)

// group is the writes to one record, by their indexes, in the order given.
type group struct {
	kind   catalog.Kind
	key    catalog.Key
	writes []int
}

// part is what one transaction is to write.
type part []group

// out is what the writes of a group come to.
type out struct {
	kind    catalog.Kind
	key     catalog.Key
	old     catalog.Head // zero when the record was not there
	exists  bool         // the record is there after
	written bool         // it has a log entry, and a body of its own
	last    int          // the write with that body
	hash    catalog.Hash
	source  string
	later   []int // results that get the Seq
	seq     int64
}

// op is what the log says of it.
func (o *out) op() catalog.Op {
	if o.exists {
		return catalog.OpPut
	}
	return catalog.OpDelete
}

// check reports the rule that a write breaks.
func check(i int, w *catalog.Write) error {
	err := w.Validate()
	for _, r := range w.Refs {
		if err == nil && w.Body != nil && !takesRef(w.Kind, r.Type) {
			err = fmt.Errorf("a ref of type %d: %w", r.Type, catalog.ErrInvalid)
		}
	}
	if err != nil {
		return fmt.Errorf("write %d, %s %q: %w", i, w.Kind, w.Key, err)
	}
	return nil
}

// parts divides writes such that each part has its records to itself.
func parts(writes []catalog.Write, records, bytes int) []part {
	type id struct {
		kind catalog.Kind
		key  catalog.Key
	}
	at := make(map[id]int, len(writes))
	var groups []group
	for i := range writes {
		w := &writes[i]
		n, ok := at[id{w.Kind, w.Key}]
		if !ok {
			n = len(groups)
			at[id{w.Kind, w.Key}] = n
			groups = append(groups, group{kind: w.Kind, key: w.Key})
		}
		groups[n].writes = append(groups[n].writes, i)
	}
	var out []part
	start, size := 0, 0
	for n := range groups {
		own := 0
		for _, i := range groups[n].writes {
			own = max(own, len(writes[i].Body))
		}
		if n > start && (n-start >= records || size+own > bytes) {
			out = append(out, part(groups[start:n]))
			start, size = n, 0
		}
		size += own
	}
	if start < len(groups) {
		out = append(out, part(groups[start:]))
	}
	return out
}

// sort puts the groups of each kind together, in the order of their keys, so
// that all writers touch records in one order.
func (p part) sort() {
	slices.SortFunc(p, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
	})
}

// resolve performs the writes of a group on the head that is there, fills in
// their results but for the Seqs to come, and returns what is to be stored.
func (g *group) resolve(writes []catalog.Write, hashes []catalog.Hash, old catalog.Head, results []catalog.Result) (o out, store bool) {
	o = out{kind: g.kind, key: g.key, old: old, exists: old.Exists(), hash: old.Hash, source: old.Source}
	for _, i := range g.writes {
		w := &writes[i]
		seq := catalog.Seq(0) // the record's, as far as it is known
		if o.exists && !o.written {
			seq = old.Seq
		}
		results[i] = catalog.Result{Seq: seq}
		res := &results[i]
		tell := func() {
			if o.exists && o.written {
				o.later = append(o.later, i)
			}
		}
		switch {
		case w.If != nil && !(*w.If == 0 && !o.exists || *w.If != 0 && !o.written && o.exists && *w.If == old.Seq):
			res.Outcome = catalog.Conflict
			tell()
		case w.Body == nil && !o.exists:
			res.Outcome = catalog.Absent
		case w.Body == nil:
			*res = catalog.Result{Outcome: catalog.Deleted}
			o.exists, o.written, o.last = false, true, i
		case o.exists && o.hash == hashes[i]:
			res.Outcome = catalog.Unchanged
			o.source = w.Source
			tell()
		default:
			res.Outcome = catalog.Created
			if o.exists {
				res.Outcome = catalog.Updated
			}
			o.exists, o.written, o.last, o.hash, o.source = true, true, i, hashes[i], w.Source
			o.later = append(o.later, i)
		}
	}
	return o, o.written || o.exists && o.source != old.Source
}

// number gives what has a log entry its Seq, from from on, and returns the
// block of the log.
func number(outs []out, from int64, results []catalog.Result) block {
	b := block{ID: from}
	var entries []byte
	sum := counts{}
	for n := range outs {
		o := &outs[n]
		o.seq = int64(o.old.Seq)
		if o.written {
			o.seq = from + b.Count
			b.Count++
			entries = appendEntry(entries, o.kind, o.op(), o.key)
			for _, i := range o.later {
				results[i].Seq = catalog.Seq(o.seq)
			}
		}
		if o.old.Exists() {
			sum[countOf(o.kind, o.old.Source)]--
		}
		if o.exists {
			sum[countOf(o.kind, o.source)]++
		}
	}
	b.Entries, b.Deltas = string(entries), sum.deltas()
	return b
}

// countOf returns what a record counts to: only products are counted by source.
func countOf(k catalog.Kind, source string) countKey {
	if k != catalog.KindProduct {
		source = ""
	}
	return countKey{k, source}
}
