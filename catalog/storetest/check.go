package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"

	"catalog/catalog"
)

// maxFaults is how many contradictions Check names.
const maxFaults = 10

// Check returns an error that says where a store contradicts itself:
//   - Scan, Heads and Stats have the same records, in the order of their keys;
//   - each body has the hash that its head has;
//   - the log's Seqs ascend and end at the tail;
//   - each record's Seq is in the log as a put of it, unless the log was trimmed
//     beyond it, and it is the last entry of its key;
//   - a key whose last entry is a delete is not there.
//
// The store must be at rest. Check holds some 100 bytes a record.
func Check(ctx context.Context, s catalog.Store) error {
	c := checker{ctx: ctx, s: s, last: map[record]catalog.Change{}}
	if err := c.readLog(); err != nil {
		return err
	}
	for _, kind := range catalog.Kinds() {
		if err := c.readKind(kind); err != nil {
			return err
		}
	}
	for id, change := range c.last {
		if change.Op == catalog.OpPut {
			c.fault("the log's last entry of %v %q is put %d, but there is no record", id.kind, id.key, change.Seq)
		}
	}
	return errors.Join(c.faults...)
}

type record struct {
	kind catalog.Kind
	key  catalog.Key
}

type checker struct {
	ctx    context.Context
	s      catalog.Store
	stats  catalog.Stats
	last   map[record]catalog.Change // the last change of each key; without those that were found right
	faults []error
}

func (c *checker) fault(format string, args ...any) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, fmt.Errorf(format, args...))
	}
}

func (c *checker) readLog() error {
	var err error
	if c.stats, err = c.s.Stats(c.ctx); err != nil {
		return err
	}
	counted, err := catalog.Counts(c.ctx, c.s)
	if err != nil {
		return err
	}
	// What a store does in the background shows in these.
	counted.DiskBytes, counted.Extra = c.stats.DiskBytes, c.stats.Extra
	if !reflect.DeepEqual(counted, c.stats) {
		c.fault("Counts says %+v, Stats %+v", counted, c.stats)
	}
	tail, err := c.s.Tail(c.ctx)
	if err != nil {
		return err
	}
	from, err := logStart(c.ctx, c.s)
	if err != nil {
		return err
	}
	seq, n := from.Seq, int64(0)
	for change, err := range c.s.Changes(c.ctx, from) {
		if err != nil {
			return err
		}
		if change.Seq <= seq {
			c.fault("change %d comes after %d", change.Seq, seq)
		}
		if n == 0 && change.Seq != c.stats.LogFirst {
			c.fault("the first change is %d, Stats says %d", change.Seq, c.stats.LogFirst)
		}
		seq = change.Seq
		n++
		c.last[record{change.Kind, change.Key}] = change
	}
	if seq > tail.Seq || n > 0 && seq != tail.Seq {
		c.fault("the last change is %d, the tail %d", seq, tail.Seq)
	}
	if n != c.stats.LogEntries || tail != c.stats.Tail {
		c.fault("the log has %d entries up to %v, Stats says %d up to %v", n, tail, c.stats.LogEntries, c.stats.Tail)
	}
	return nil
}

func (c *checker) readKind(kind catalog.Kind) error {
	next, stop := iter.Pull2(c.s.Heads(c.ctx, kind, catalog.All))
	defer stop()
	n, last := int64(0), catalog.Key("")
	for r, err := range c.s.Scan(c.ctx, kind, catalog.All) {
		if err != nil {
			return err
		}
		h, err, ok := next()
		if err != nil {
			return err
		}
		if !ok || h != r.Head {
			c.fault("%v %q: Scan yields %+v, Heads %+v", kind, r.Key, r.Head, h)
			return nil // what follows would differ as well
		}
		if r.Key <= last {
			c.fault("%v %q comes after %q", kind, r.Key, last)
		}
		last = r.Key
		n++
		c.record(r)
	}
	if h, err, ok := next(); err != nil {
		return err
	} else if ok {
		c.fault("%v: Heads yields %+v, Scan does not", kind, h)
	}
	if want := c.stats.Records[kind]; n != want {
		c.fault("%v: %d records, Stats says %d", kind, n, want)
	}
	return nil
}

// record compares a record with its body and with the log.
func (c *checker) record(r catalog.Record) {
	if h := catalog.HashOf(r.Body); h != r.Hash {
		c.fault("%v %q: the hash is %v, the body's %v", r.Kind, r.Key, r.Hash, h)
	}
	id := record{r.Kind, r.Key}
	change, ok := c.last[id]
	delete(c.last, id)
	switch {
	case !ok && (c.stats.LogFirst == 0 && r.Seq <= c.stats.Tail.Seq || r.Seq < c.stats.LogFirst):
		// trimmed
	case !ok:
		c.fault("%v %q: Seq %d is not in the log", r.Kind, r.Key, r.Seq)
	case change.Op != catalog.OpPut || change.Seq != r.Seq:
		c.fault("%v %q: Seq is %d, the log's last entry %v %d", r.Kind, r.Key, r.Seq, change.Op, change.Seq)
	}
}
