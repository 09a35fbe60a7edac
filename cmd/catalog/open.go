package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/mongostore"
)

// openMode says what a command wants of the store.
type openMode int

const (
	mayCreate openMode = iota // make the store if there is none
	mustExist                 // a store that is not there is an error
	orEmpty                   // a store that is not there is empty, and is not made
)

// openStore opens the store that --store names.
func (a *app) openStore(ctx context.Context, mode openMode) (catalog.Store, error) {
	scheme, rest, ok := strings.Cut(a.global.store, ":")
	if !ok {
		return nil, usagef("--store %q is no URL of a store: use pebble:DIR", a.global.store)
	}
	switch scheme {
	case "pebble":
		dir := strings.TrimPrefix(rest, "//")
		if dir == "" {
			return nil, usagef("--store %q names no folder: use pebble:DIR", a.global.store)
		}
		if mode != mayCreate && !hasEntries(dir) {
			if mode == orEmpty {
				return memstore.New(), nil
			}
			return nil, usagef("there is no store in %s: import a feed into it first, or name another by --store", filepath.Clean(dir))
		}
		return a.openEmbedded(ctx, dir)
	case "memory":
		// Gone with the process: for trying a feed's import, and for tests.
		return memstore.New(), nil
	case "http", "https":
		return a.openRemote(ctx)
	case "mongodb", "mongodb+srv":
		return a.openMongo(ctx, mode)
	}
	return nil, usagef("--store %q: unknown scheme %q: use pebble:DIR, mongodb://HOST/DATABASE, or http(s)://HOST:PORT of a server", a.global.store, scheme)
}

// openMongo opens the store in a database of MongoDB. Its URL may hold a
// password, and is not repeated.
func (a *app) openMongo(ctx context.Context, mode openMode) (catalog.Store, error) {
	s, err := mongostore.Open(ctx, a.global.store, &mongostore.Options{Logger: a.log, Existing: mode != mayCreate})
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, catalog.ErrInvalid):
		return nil, usagef("--store: %w", err)
	case errors.Is(err, catalog.ErrNotFound) && mode == orEmpty:
		return memstore.New(), nil
	case errors.Is(err, catalog.ErrNotFound):
		return nil, usagef("%w: import a feed into it first, or name another by --store", err)
	}
	return nil, err
}

// indexBeside returns where the embedded index of a store is that is named by
// its URL, "" if it has none: in a folder beside an embedded one, in a folder
// of the working directory for a database.
func indexBeside(store string) string {
	if dir, ok := strings.CutPrefix(store, "pebble:"); ok {
		return "facet:" + filepath.Clean(strings.TrimPrefix(dir, "//")) + ".index"
	}
	if name, err := mongostore.Database(store); err == nil {
		return "facet:" + name + ".index"
	}
	return ""
}

// hasEntries reports whether dir is a folder with something in it. Only what
// is surely not a store is refused here; the store itself says the rest.
func hasEntries(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) > 0 || err != nil && !notThere(err)
}
