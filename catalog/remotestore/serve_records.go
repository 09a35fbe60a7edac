package remotestore

import (
	"fmt"
	"iter"

	"catalog/catalog"
)

// keys reads a list of keys.
func (c *call) keys() []catalog.Key {
	n := c.args.count(1)
	if n > maxKeys {
		c.args.fail("too many keys")
		return nil
	}
	keys := make([]catalog.Key, n)
	for i := range keys {
		keys[i] = catalog.Key(c.args.string())
	}
	return keys
}

func (c *call) get() error {
	kind, keys := catalog.Kind(c.args.byte()), c.keys()
	if err := c.finish(); err != nil {
		return err
	}
	// A few at a time, since their bodies are in memory all at once; once even
	// without a key, for its error.
	for first := true; first || len(keys) > 0; first = false {
		n := min(len(keys), keysAtATime)
		recs, err := c.h.store.Get(c.ctx, kind, keys[:n]...)
		if err != nil {
			return err
		}
		for i := range recs {
			if err := c.item(appendHead(c.head[:0], &recs[i].Head), recs[i].Body); err != nil {
				return err
			}
		}
		keys = keys[n:]
	}
	return nil
}

func (c *call) headsOf() error {
	kind, keys := catalog.Kind(c.args.byte()), c.keys()
	if err := c.finish(); err != nil {
		return err
	}
	heads, err := c.h.store.HeadsOf(c.ctx, kind, keys...)
	if err != nil {
		return err
	}
	for i := range heads {
		if err := c.item(appendHead(c.head[:0], &heads[i]), nil); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) lookup() error {
	ref := c.args.ref()
	if err := c.finish(); err != nil {
		return err
	}
	keys, err := c.h.store.Lookup(c.ctx, ref)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := c.item(append(c.head[:0], k...), nil); err != nil {
			return err
		}
	}
	return nil
}

// kindAndRange reads what Heads and Scan are asked for.
func (c *call) kindAndRange() (catalog.Kind, catalog.Range) {
	return catalog.Kind(c.args.byte()), catalog.Range{From: catalog.Key(c.args.string()), To: catalog.Key(c.args.string())}
}

// send answers with all that an iterator yields.
func send[T any](c *call, seq iter.Seq2[T, error], item func(T) error) error {
	for v, err := range seq {
		if err == nil {
			err = item(v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *call) heads() error {
	kind, r := c.kindAndRange()
	if err := c.finish(); err != nil {
		return err
	}
	return send(c, c.h.store.Heads(c.ctx, kind, r), func(h catalog.Head) error {
		return c.item(appendHead(c.head[:0], &h), nil)
	})
}

func (c *call) scan() error {
	kind, r := c.kindAndRange()
	if err := c.finish(); err != nil {
		return err
	}
	return send(c, c.h.store.Scan(c.ctx, kind, r), func(rec catalog.Record) error {
		return c.item(appendHead(c.head[:0], &rec.Head), rec.Body)
	})
}

// changes answers with the epoch first, by which a client can go on.
func (c *call) changes() error {
	after := c.args.cursor()
	if err := c.finish(); err != nil {
		return err
	}
	tail, err := c.h.store.Tail(c.ctx)
	if err != nil {
		return err
	}
	if err := c.item([]byte(tail.Epoch), nil); err != nil {
		return err
	}
	return send(c, c.h.store.Changes(c.ctx, after), func(change catalog.Change) error {
		return c.item(appendChange(c.head[:0], change), nil)
	})
}

func (c *call) meta() error {
	name := c.args.string()
	if err := c.finish(); err != nil {
		return err
	}
	value, err := c.h.store.Meta(c.ctx, name)
	if err != nil {
		return err
	}
	return c.item(nil, value)
}

func (c *call) setMeta() error {
	c.fence()
	name := c.args.string()
	var value []byte
	if c.args.bool() {
		if value = c.args.rest(); value == nil {
			value = []byte{}
		}
	}
	if err := c.finish(); err != nil {
		return err
	}
	return c.h.store.SetMeta(c.ctx, name, value)
}

func (c *call) metas() error {
	prefix := c.args.string()
	if err := c.finish(); err != nil {
		return err
	}
	return send(c, c.h.store.Metas(c.ctx, prefix), func(m catalog.MetaEntry) error {
		return c.item(appendString(c.head[:0], m.Name), m.Value)
	})
}

// apply takes a batch in and applies it as one.
func (c *call) apply() error {
	c.fence()
	if err := c.args.end(); err != nil {
		return err
	}
	if c.size < 0 || c.size > smallBody {
		select {
		case c.h.large <- struct{}{}:
			defer func() { <-c.h.large }()
		case <-c.ctx.Done():
			return c.ctx.Err()
		}
	}
	a := c.h.arenas.Get().(*arena)
	defer func() { a.reset(); c.h.arenas.Put(a) }()
	writes, err := c.writes(a)
	if err != nil {
		return err
	}
	var results []catalog.Result
	err = c.patiently(func() (err error) {
		results, err = c.h.store.Apply(c.ctx, writes)
		return err
	})
	if results != nil { // with a conflict there are results and an error
		if ierr := c.item(appendResults(nil, results), nil); ierr != nil {
			return ierr
		}
	}
	return err
}

// writes reads the writes of an Apply. Their bodies are in the arena.
func (c *call) writes(a *arena) ([]catalog.Write, error) {
	writes := a.writes
	d := decoder{}
	for left := c.h.maxBatch; ; {
		typ, n, err := c.in.header()
		if err != nil {
			return nil, err
		}
		if typ == frameEnd && n == 0 {
			a.writes = writes
			return writes, c.endOfBody()
		}
		if left -= int64(n) + writeCost; typ != frameWrite || left < 0 {
			if typ != frameWrite {
				return nil, errFrame
			}
			return nil, fmt.Errorf("%w: a batch of more than %d bytes", catalog.ErrInvalid, c.h.maxBatch)
		}
		if d.b, err = a.read(c.in, n); err != nil {
			return nil, err
		}
		w := d.write()
		if err := d.end(); err != nil {
			return nil, err
		}
		if left -= int64(len(w.Refs)) * refCost; left < 0 {
			return nil, fmt.Errorf("%w: a batch of more than %d bytes", catalog.ErrInvalid, c.h.maxBatch)
		}
		if !w.Hash.IsZero() && w.Body != nil && !c.h.trusted && w.Hash != catalog.HashOf(w.Body) {
			return nil, fmt.Errorf("%w: the hash of %s %q is not of its body", catalog.ErrInvalid, w.Kind, w.Key)
		}
		writes = append(writes, w)
	}
}

// What writes and refs take beside their payload.
const (
	writeCost = 160
	refCost   = 40
)

// arena is the memory of one Apply's bodies.
type arena struct {
	free   []byte // of the last chunk
	chunks [][]byte
	used   int // of chunks
	writes []catalog.Write
}

const (
	arenaChunk = 1 << 20
	arenaKeep  = 64 // chunks
)

// read reads a payload into the arena.
func (a *arena) read(f *frameReader, n int) ([]byte, error) {
	if n > arenaChunk/4 {
		return f.payload(nil, n) // by itself, and only as much as arrives
	}
	if n > cap(a.free)-len(a.free) {
		if a.used == len(a.chunks) {
			a.chunks = append(a.chunks, make([]byte, 0, arenaChunk))
		}
		a.free = a.chunks[a.used]
		a.used++
	}
	at := len(a.free)
	var err error
	a.free, err = f.payload(a.free, n)
	return a.free[at:len(a.free):len(a.free)], err
}

// reset makes all of the arena free again.
func (a *arena) reset() {
	clear(a.writes)
	a.writes = a.writes[:0]
	if cap(a.writes) > 1<<17 {
		a.writes = nil
	}
	if len(a.chunks) > arenaKeep {
		clear(a.chunks[arenaKeep:])
		a.chunks = a.chunks[:arenaKeep]
	}
	a.used, a.free = 0, nil
}
