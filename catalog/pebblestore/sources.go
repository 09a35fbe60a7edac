package pebblestore

import (
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// sources is the dictionary of the names of sources, by which heads name
// theirs with a number. A name is readable before any head with its number is.
type sources struct {
	names atomic.Pointer[[]string]
	saved int // how many names are on disk; the committer's
}

// id returns the number of a name, giving it one if it has none. Only the
// committer calls it.
func (d *sources) id(name string) uint32 {
	var names []string
	if p := d.names.Load(); p != nil {
		names = *p
	}
	for i, n := range names {
		if n == name {
			return uint32(i)
		}
	}
	grown := append(names[:len(names):len(names)], name)
	d.names.Store(&grown)
	return uint32(len(names))
}

func (d *sources) name(id uint32) (string, error) {
	if p := d.names.Load(); p != nil && int(id) < len(*p) {
		return (*p)[id], nil
	}
	return "", corrupt("a head of the unknown source %d", id)
}

// unsaved calls yield with what is not on disk yet.
func (d *sources) unsaved(yield func(id uint32, name string) error) error {
	p := d.names.Load()
	if p == nil {
		return nil
	}
	for i := d.saved; i < len(*p); i++ {
		if err := yield(uint32(i), (*p)[i]); err != nil {
			return err
		}
	}
	return nil
}

// committed notes that what unsaved yielded is on disk.
func (d *sources) committed() {
	if p := d.names.Load(); p != nil {
		d.saved = len(*p)
	}
}

func (d *sources) load(db *pebble.DB) (err error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceSource}, UpperBound: []byte{spaceSource + 1}})
	if err != nil {
		return err
	}
	defer closeIter(it, &err)
	var names []string
	for it.First(); it.Valid(); it.Next() {
		if string(it.Key()) != string(sourceKey(nil, uint32(len(names)))) {
			return corrupt("the names of the sources have a gap at %d", len(names))
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		names = append(names, string(v))
	}
	d.names.Store(&names)
	d.saved = len(names)
	return it.Error()
}

// closeIter closes it and keeps its error if there was none before.
func closeIter(it *pebble.Iterator, err *error) {
	if e := it.Close(); *err == nil {
		*err = e
	}
}
