package pebblestore

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"catalog/catalog"
)

// plan turns the writes of one Apply into what is to be stored. Its memory is
// used again for the next Apply.
type plan struct {
	writes  []catalog.Write
	results []catalog.Result
	hashes  []catalog.Hash // of the writes' bodies
	order   [catalog.KindAttribute + 1][]item
	outs    [catalog.KindAttribute + 1][]out
	links   []link
	arena   []byte // old refs
	refs    refPlan
	log     logWriter
	state   *state // as it will be
	bytes   int64  // about as many will be stored
	changes int    // entries of the log
	clash   bool   // some If did not hold
}

// item stands for a write while writes are sorted: the first bytes of its key
// that tell keys apart, and its index.
type item struct {
	prefix uint64
	i      uint32
}

// out is what becomes of one record.
type out struct {
	i        uint32 // the write with the key, and with the body if there is one
	source   uint32
	seq      catalog.Seq // the one it keeps; 0: that of write i
	refs     span        // of the record as it was, in plan.arena
	existed  bool
	exists   bool
	replaced bool // the body is new
}

type span struct{ start, end uint32 }

// link says that the record of result i has the Seq of the write j.
type link struct{ i, j uint32 }

// begin prepares p for writes.
func (p *plan) begin(writes []catalog.Write, st *state) {
	p.writes, p.state = writes, st
	p.results = make([]catalog.Result, len(writes))
	p.hashes = slices.Grow(p.hashes[:0], len(writes))[:len(writes)]
	for k := range p.order {
		p.order[k], p.outs[k] = p.order[k][:0], p.outs[k][:0]
	}
	for i := range writes {
		k := writes[i].Kind
		p.order[k] = append(p.order[k], item{i: uint32(i)})
	}
	p.links, p.arena = p.links[:0], p.arena[:0]
	p.log.reset()
	p.refs.reset()
	p.bytes, p.changes, p.clash = 0, 0, false
}

// end lets go of the caller's memory.
func (p *plan) end() {
	p.writes, p.results, p.state = nil, nil, nil
	p.log.key = ""
	p.refs.release()
}

// sort puts the writes of a kind into the order of their keys, those of one
// key in the order given.
func (p *plan) sort(k catalog.Kind) {
	items := p.order[k]
	if len(items) < 2 {
		return
	}
	skip := len(p.writes[items[0].i].Key)
	for _, it := range items[1:] {
		skip = commonPrefix(p.writes[items[0].i].Key, p.writes[it.i].Key, skip)
	}
	sorted := true
	for n := range items {
		items[n].prefix = prefixOf(p.writes[items[n].i].Key[skip:])
		sorted = sorted && (n == 0 || items[n-1].prefix < items[n].prefix)
	}
	if sorted {
		return
	}
	slices.SortFunc(items, func(a, b item) int {
		if a.prefix != b.prefix {
			if a.prefix < b.prefix {
				return -1
			}
			return 1
		}
		if c := strings.Compare(string(p.writes[a.i].Key), string(p.writes[b.i].Key)); c != 0 {
			return c
		}
		return cmp.Compare(a.i, b.i)
	})
}

func commonPrefix[S ~string | ~[]byte](a, b S, limit int) int {
	limit = min(limit, len(b))
	for i := range limit {
		if a[i] != b[i] {
			return i
		}
	}
	return limit
}

// prefixOf returns the first eight bytes of s as a number that sorts as they do.
func prefixOf[S ~string | ~[]byte](s S) uint64 {
	if len(s) >= 8 {
		return uint64(s[0])<<56 | uint64(s[1])<<48 | uint64(s[2])<<40 | uint64(s[3])<<32 |
			uint64(s[4])<<24 | uint64(s[5])<<16 | uint64(s[6])<<8 | uint64(s[7])
	}
	var b [8]byte
	copy(b[:], s)
	return binary.BigEndian.Uint64(b[:])
}

// finder finds heads by ascending keys. What it returns is valid until the
// next call.
type finder interface {
	find(key catalog.Key) (h head, ok bool, err error)
}

// resolve decides the outcomes of the sorted writes of a kind.
func (p *plan) resolve(k catalog.Kind, f finder, ids *sources) error {
	items := p.order[k]
	for len(items) > 0 {
		key := p.writes[items[0].i].Key
		n := 1
		for n < len(items) && p.writes[items[n].i].Key == key {
			n++
		}
		old, ok, err := f.find(key)
		if err != nil {
			return err
		}
		p.resolveKey(k, items[:n], old, ok, ids)
		items = items[n:]
	}
	return nil
}

// keys returns the different keys of the sorted writes of a kind.
func (p *plan) keys(k catalog.Kind) []catalog.Key {
	keys := make([]catalog.Key, 0, len(p.order[k]))
	for _, it := range p.order[k] {
		if key := p.writes[it.i].Key; len(keys) == 0 || keys[len(keys)-1] != key {
			keys = append(keys, key)
		}
	}
	return keys
}

// resolveKey performs the writes to one key on what is there.
func (p *plan) resolveKey(k catalog.Kind, items []item, old head, existed bool, ids *sources) {
	o := out{i: items[0].i, existed: existed, exists: existed, source: old.source, seq: old.seq}
	hash := old.hash
	written, moved := false, false // by these writes: the record, or just its source
	for _, it := range items {
		w := &p.writes[it.i]
		res := &p.results[it.i]
		if w.If != nil && !(*w.If == 0 && !o.exists || *w.If != 0 && o.exists && *w.If == o.seq) {
			res.Outcome = catalog.Conflict
			p.clash = true
			p.tell(it.i, &o)
			continue
		}
		if w.Body == nil {
			res.Outcome = catalog.Absent
			if o.exists {
				res.Outcome = catalog.Deleted
				o.exists, o.replaced, o.i, written = false, true, it.i, true
			}
			continue
		}
		h := w.Hash
		if h.IsZero() {
			h = catalog.HashOf(w.Body)
		}
		id := ids.id(w.Source)
		if o.exists && h == hash {
			res.Outcome = catalog.Unchanged
			p.tell(it.i, &o)
			if id != o.source {
				o.source, moved = id, true
				if !o.replaced {
					o.i = it.i // has the same body, of which it may be a new copy
				}
			}
			continue
		}
		res.Outcome = catalog.Created
		if o.exists {
			res.Outcome = catalog.Updated
		}
		hash, p.hashes[it.i] = h, h
		o.exists, o.replaced, o.i, o.source, o.seq, written = true, true, it.i, id, 0, true
	}
	if !written && !moved || !o.existed && !o.exists {
		return
	}
	if !o.replaced {
		p.hashes[o.i] = hash
	}
	if existed {
		o.refs.start = uint32(len(p.arena))
		p.arena = append(p.arena, old.refs...)
		o.refs.end = uint32(len(p.arena))
	}
	p.count(k, &o, old.source)
	p.outs[k] = append(p.outs[k], o)
}

// tell gives the result of write i the Seq that the record has now.
func (p *plan) tell(i uint32, o *out) {
	switch {
	case !o.exists:
	case o.seq != 0:
		p.results[i].Seq = o.seq
	default:
		p.links = append(p.links, link{i, o.i})
	}
}

func (p *plan) count(k catalog.Kind, o *out, oldSource uint32) {
	w := &p.writes[o.i]
	p.bytes += int64(len(w.Body) + 2*len(w.Key) + 64)
	if o.exists && !o.existed {
		p.state.counts[k]++
	}
	if o.existed && !o.exists {
		p.state.counts[k]--
	}
	if k == catalog.KindProduct {
		if o.existed {
			p.state.own(oldSource, -1)
		}
		if o.exists {
			p.state.own(o.source, 1)
		}
	}
}

// number gives the changes their Seqs, in the order of the writes, and writes
// the log.
func (p *plan) number() {
	for i := range p.results {
		op := catalog.OpPut
		switch p.results[i].Outcome {
		case catalog.Created, catalog.Updated:
			p.results[i].Seq = p.state.tail + 1
		case catalog.Deleted:
			op = catalog.OpDelete
		default:
			continue
		}
		p.state.tail++
		p.changes++
		w := &p.writes[i]
		p.log.add(catalog.Change{Seq: p.state.tail, Kind: w.Kind, Op: op, Key: w.Key})
	}
	for _, l := range p.links {
		p.results[l.i].Seq = p.results[l.j].Seq
	}
}

// failed returns the indices of the writes that a failed commit left undone.
func (p *plan) failed() []int {
	var failed []int
	for k := range p.order {
		for _, it := range p.order[k] {
			switch p.results[it.i].Outcome {
			case catalog.Absent, catalog.Conflict:
			default:
				failed = append(failed, int(it.i))
			}
		}
	}
	slices.Sort(failed)
	return failed
}
