package remotestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"catalog/catalog"
)

// request returns the stream of a call that has arguments only.
func request(args []byte) []byte {
	b := make([]byte, 0, len(preface)+len(args)+16)
	b = appendFrame(append(b, preface...), frameCall, args)
	return appendFrame(b, frameEnd, nil)
}

// ticking are the calls that may take long, and whose servers say so.
var ticking = map[string]bool{"wait": true, "apply": true, "trim": true, "compact": true, "checkpoint": true, "hold": true, "session": true}

// unary makes a call; answer, if it is not nil, gets each item of the answer.
// After a lost connection it is repeated if repeat says so; begin, if it is not
// nil, is called before each try.
func (s *Store) unary(ctx context.Context, name string, repeat bool, args []byte, answer func(d *decoder, n int) error) error {
	o, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer o.end()
	body := request(args)
	err = o.attempt(repeat, func() (bool, error) {
		r, err := o.send(name, bytes.NewReader(body), int64(len(body)), nil)
		if err != nil {
			return false, err
		}
		defer r.close()
		for n := 0; ; n++ {
			payload, err := r.next()
			if errors.Is(err, io.EOF) {
				return true, nil
			}
			if err == nil {
				d := decoder{b: payload}
				if answer == nil {
					d.fail("an answer that nobody asked for")
				} else if err := answer(&d, n); err != nil {
					return false, err
				}
				err = d.end()
			}
			if err != nil {
				return false, err
			}
		}
	})
	return s.give(err, !repeat)
}

// one makes a call that has one item as its answer.
func (s *Store) one(ctx context.Context, name string, repeat bool, args []byte, answer func(d *decoder)) error {
	got := false
	err := s.unary(ctx, name, repeat, args, func(d *decoder, n int) error {
		got = true
		if n > 0 {
			d.fail("more than one answer")
		} else {
			answer(d)
		}
		return nil
	})
	if err == nil && !got {
		err = fmt.Errorf("%s: %w: no answer", s.peer, errFrame)
	}
	return err
}

// wrap names the operation that err ended.
func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("remotestore: %s: %w", verb, err)
}

// place is how far an iterator came.
type place[T any] struct {
	args   func() []byte              // of the call that goes on from there
	decode func(d *decoder) (T, bool) // false: what was read is not for the caller
	passed func(v T)                  // notes that v was yielded
}

// iterate yields what a call answers with. start returns the place where a
// range begins.
func iterate[T any](ctx context.Context, s *Store, name, verb string, start func() place[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		o, err := s.begin(ctx)
		if err != nil {
			yield(zero, wrap(verb, err))
			return
		}
		defer o.end()
		at, left := start(), false
		err = o.attempt(true, func() (further bool, err error) {
			further, left, err = page(o, name, at, yield)
			return further, err
		})
		if err != nil && !left {
			yield(zero, wrap(verb, s.give(err, false)))
		}
	}
}

// page yields the items of one answer; left says that the loop was left.
func page[T any](o *op, name string, at place[T], yield func(T, error) bool) (further, left bool, err error) {
	body := request(at.args())
	r, err := o.send(name, bytes.NewReader(body), int64(len(body)), nil)
	if err != nil {
		return false, false, err
	}
	defer r.close()
	d := decoder{}
	for {
		payload, err := r.next()
		if errors.Is(err, io.EOF) {
			return true, false, nil
		}
		if err != nil {
			return further, false, err
		}
		d.b = payload
		v, ok := at.decode(&d)
		if err := d.end(); err != nil {
			return further, false, fmt.Errorf("%s: %w", o.s.peer, err)
		}
		if !ok {
			continue
		}
		if err := o.ended(); err != nil {
			return further, false, err
		}
		at.passed(v)
		further = true
		if !yield(v, nil) {
			return true, true, nil
		}
	}
}

// kindRange is the call of Heads and Scan behind the last key.
func kindRange(kind catalog.Kind, r catalog.Range) []byte {
	return appendString(appendString([]byte{byte(kind)}, r.From), r.To)
}

// Heads implements catalog.Store.
func (s *Store) Heads(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Head, error] {
	return iterate(ctx, s, "heads", "heads", func() place[catalog.Head] {
		left := r
		return place[catalog.Head]{
			args:   func() []byte { return kindRange(kind, left) },
			decode: func(d *decoder) (catalog.Head, bool) { return d.head(), true },
			passed: func(h catalog.Head) { left.From = h.Key + "\x00" },
		}
	})
}

// Scan implements catalog.Store.
func (s *Store) Scan(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Record, error] {
	return iterate(ctx, s, "scan", "scan", func() place[catalog.Record] {
		left := r
		return place[catalog.Record]{
			args:   func() []byte { return kindRange(kind, left) },
			decode: func(d *decoder) (catalog.Record, bool) { return d.record(), true },
			passed: func(rec catalog.Record) { left.From = rec.Key + "\x00" },
		}
	})
}

// Changes implements catalog.Store.
func (s *Store) Changes(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error] {
	return iterate(ctx, s, "changes", "read changes", func() place[catalog.Change] {
		at, epoch := after, ""
		begun := false
		return place[catalog.Change]{
			args: func() []byte { begun = false; return appendCursor(nil, at) },
			decode: func(d *decoder) (catalog.Change, bool) {
				if !begun {
					begun, epoch = true, string(d.rest())
					return catalog.Change{}, false
				}
				return d.change(), true
			},
			passed: func(c catalog.Change) { at = catalog.Cursor{Epoch: epoch, Seq: c.Seq} },
		}
	})
}

// Metas implements catalog.Store. After a lost connection it starts again, and
// leaves out what it has yielded.
func (s *Store) Metas(ctx context.Context, prefix string) iter.Seq2[catalog.MetaEntry, error] {
	return iterate(ctx, s, "metas", "metas", func() place[catalog.MetaEntry] {
		last, any := "", false
		return place[catalog.MetaEntry]{
			args: func() []byte { return appendString(nil, prefix) },
			decode: func(d *decoder) (catalog.MetaEntry, bool) {
				m := catalog.MetaEntry{Name: d.string()}
				m.Value = append([]byte{}, d.rest()...)
				return m, !any || m.Name > last
			},
			passed: func(m catalog.MetaEntry) { last, any = m.Name, true },
		}
	})
}

// record reads a record whose body is not copied.
func (d *decoder) record() (r catalog.Record) {
	r.Head = d.head()
	body := d.rest()
	switch {
	case r.Kind != 0 && body == nil && d.err == nil:
		r.Body = []byte{}
	case r.Kind != 0:
		r.Body = body
	case len(body) > 0:
		d.fail("a body of nothing")
	}
	return r
}
