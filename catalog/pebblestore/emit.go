package pebblestore

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"

	"catalog/catalog"
)

// sink takes the pairs of one space in ascending order. It does not keep the
// slices.
type sink interface {
	set(key, value []byte) error
	del(key []byte) error
}

// batchSink collects pairs in a batch.
type batchSink struct{ b *pebble.Batch }

func (s batchSink) set(key, value []byte) error { return s.b.Set(key, value, nil) }
func (s batchSink) del(key []byte) error        { return s.b.Delete(key, nil) }

// tableSink writes pairs to a table.
type tableSink struct{ w *sstable.Writer }

func (s tableSink) set(key, value []byte) error { return s.w.Set(key, value) }
func (s tableSink) del(key []byte) error        { return s.w.Delete(key) }

// emitHeads writes the heads of outs, which are of kind k; of kinds without a
// body apart the body as well.
func (p *plan) emitHeads(to sink, k catalog.Kind, outs []out) error {
	var key, value []byte
	for n := range outs {
		if n%touchAhead == 0 {
			p.touchOuts(outs[n:])
		}
		o := &outs[n]
		w := &p.writes[o.i]
		key = recordKey(key[:0], k, w.Key)
		if !o.exists {
			if err := to.del(key); err != nil {
				return err
			}
			continue
		}
		if o.replaced {
			value = appendHead(value[:0], p.hashes[o.i], p.results[o.i].Seq, o.source, w.Refs)
		} else {
			old := head{hash: p.hashes[o.i], seq: o.seq, source: o.source, refs: p.arena[o.refs.start:o.refs.end]}
			value = appendHeadRaw(value[:0], old)
		}
		if !hasBodyApart(k) {
			value = append(value, w.Body...)
		}
		if err := to.set(key, value); err != nil {
			return err
		}
	}
	return nil
}

// emitBodies writes the bodies of outs, which are of a kind with bodies apart.
func (p *plan) emitBodies(to sink, k catalog.Kind, outs []out) error {
	var key []byte
	for n := range outs {
		if n%touchAhead == 0 {
			p.touchOuts(outs[n:])
		}
		o := &outs[n]
		if !o.replaced {
			continue
		}
		w := &p.writes[o.i]
		key = bodyKey(key[:0], k, w.Key)
		var err error
		if o.exists {
			err = to.set(key, w.Body)
		} else {
			err = to.del(key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// planRefs collects the refs that come and go with all outs.
func (p *plan) planRefs() error {
	for k := range p.outs {
		for n := range p.outs[k] {
			o := &p.outs[k][n]
			if !o.replaced {
				continue
			}
			w := &p.writes[o.i]
			var fresh []catalog.Ref
			if o.exists {
				fresh = w.Refs
			}
			old := p.arena[o.refs.start:o.refs.end]
			if len(old) <= 1 && len(fresh) == 0 {
				continue
			}
			if err := p.refs.diff(catalog.Kind(k), w.Key, old, fresh); err != nil {
				return err
			}
		}
	}
	p.refs.sort()
	return nil
}

func (p *plan) emitRefs(to sink) error {
	for n := range p.refs.items {
		it := &p.refs.items[n]
		var err error
		if it.gone {
			err = to.del(p.refs.key(it))
		} else {
			err = to.set(p.refs.key(it), nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// emitSystem writes the state, the names of new sources, and the log.
func (p *plan) emitSystem(to sink, names *sources) error {
	if err := to.set([]byte{spaceState}, p.state.append(nil)); err != nil {
		return err
	}
	err := names.unsaved(func(id uint32, name string) error {
		return to.set(sourceKey(nil, id), []byte(name))
	})
	if err != nil {
		return err
	}
	var key []byte
	for _, b := range p.log.blocks {
		key = logKey(key[:0], b.first)
		if err := to.set(key, p.log.value(b)); err != nil {
			return err
		}
	}
	return nil
}

// touchAhead is how many records are brought into the processor's caches at a
// time. In the order of their keys each is somewhere else in memory: one by one
// they would be waited for in turn, several together wait once.
const touchAhead = 16

// touchOuts does so for the first of outs. What it returns means nothing, but
// a compiler that saw as much would leave out the rest.
//
//go:noinline
func (p *plan) touchOuts(outs []out) (sum int) {
	for n := range outs[:min(touchAhead, len(outs))] {
		i := outs[n].i
		w := &p.writes[i]
		sum += int(p.hashes[i][0]) + int(p.results[i].Seq) + int(w.Key[0])
		if len(w.Body) > 0 {
			sum += int(w.Body[0])
		}
	}
	return sum
}
