// Package storetest holds implementations of catalog.Store to its contract:
// Run is the conformance suite, with one subtest for each promise, and Bench
// makes stores comparable. Check, Dump, Diff and Equal help the tests of other
// packages to say what a store holds and whether two hold the same.
//
// A store's test file is a harness and a call:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, storetest.Harness{
//			Open: func(t testing.TB) catalog.Store { return memstore.New() },
//		})
//	}
//
// Where the contract leaves a choice, the suite accepts each: Seqs may have
// gaps, an iterator may see concurrent writes or not, entries of a key that
// one Apply writes several times may be folded into the last.
//
// Where the contract is short, the suite reads it like this:
//   - Reading a key that no record can have is no error: it is not there.
//   - A Source is any string; so are the names of metas, followers and leases.
//   - An iterator may be ranged over more than once, and starts anew each time.
//     One that was made before Close and is used after it yields ErrClosed.
//   - A new store's Tail has an epoch and Seq 0. Once entries were trimmed, the
//     zero Cursor is ErrTrimmed like any other before the oldest entry left.
//   - A cursor beyond the tail is ErrTrimmed too: it is of a time before a
//     crash took back what was not yet durable. Follow refuses with ErrTrimmed
//     what Changes would refuse, other epochs included.
//   - The holder of a lease may acquire it again: a new Token, and the former
//     acquisition is fenced. An expired lease is lost though nobody took it.
//   - SetMeta keeps an empty value that is not nil, and deleting a meta that is
//     not there is no error. Metas lists nothing of the store's own.
package storetest

import (
	"context"
	"testing"
	"time"

	"catalog/catalog"
)

// Harness opens the stores under test.
type Harness struct {
	// Open returns a new, empty store. The suite closes it; what else there is
	// to tidy up belongs into t.Cleanup.
	Open func(t testing.TB) catalog.Store

	// Reopen closes s, which Open or Reopen returned, and opens the same place
	// again. nil says that the store is not durable, and the promises about
	// durability are not asked of it.
	Reopen func(t testing.TB, s catalog.Store) catalog.Store

	// EndsLeases says that no lease outlives what Reopen closes: the process
	// that has an embedded store open.
	EndsLeases bool

	// Slow says that a call takes milliseconds, so that the long tests would
	// take minutes: they are about a tenth as long.
	Slow bool

	// Seed makes the random tests repeat a run that failed; 0 takes a new one
	// each time. The seed is logged when a test fails.
	Seed uint64
}

// few returns n, or a tenth of it for a store that is Slow: even where n is, as
// some tests need it.
func (e *env) few(n int) int {
	if e.h.Slow {
		return max(n/10, 4) &^ 1
	}
	return n
}

// promise is one subtest.
type promise struct {
	name string
	keep func(*env)
}

// Run tests that the harness's stores keep each promise of catalog.Store.
func Run(t *testing.T, h Harness) {
	groups := []struct {
		name     string
		promises []promise
	}{
		{"Records", recordPromises()},
		{"Buffers", bufferPromises()},
		{"Limits", limitPromises()},
		{"Keys", keyPromises()},
		{"If", ifPromises()},
		{"Refs", refPromises()},
		{"Batches", batchPromises()},
		{"Iterators", iteratorPromises()},
		{"Log", logPromises()},
		{"Followers", followerPromises()},
		{"Wait", waitPromises()},
		{"Concurrency", concurrencyPromises()},
		{"Leases", leasePromises()},
		{"Fences", fencePromises()},
		{"Meta", metaPromises()},
		{"Stats", statsPromises()},
		{"Close", closePromises()},
		{"Model", modelPromises()},
	}
	if h.Reopen != nil {
		groups = append(groups, struct {
			name     string
			promises []promise
		}{"Reopen", reopenPromises()})
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, p := range g.promises {
				t.Run(p.name, func(t *testing.T) { p.keep(newEnv(t, h)) })
			}
		})
	}
}

// patience is how long a test waits for what must happen soon.
const patience = time.Minute

// newEnv opens a store for one test.
func newEnv(t *testing.T, h Harness) *env {
	ctx, cancel := context.WithTimeout(t.Context(), 5*patience)
	t.Cleanup(cancel)
	e := &env{T: t, ctx: ctx, h: h}
	e.s = e.open()
	return e
}
