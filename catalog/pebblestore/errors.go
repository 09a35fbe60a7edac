package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2"

	"catalog/catalog"
)

// mapError gives err the sentinel of package catalog that it is a case of.
func mapError(err error) error {
	var sentinel error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		sentinel = catalog.ErrFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		sentinel = catalog.ErrReadOnly
	case pebble.IsCorruptionError(err):
		sentinel = catalog.ErrCorrupt
	case errors.Is(err, pebble.ErrClosed):
		sentinel = catalog.ErrClosed
	}
	if sentinel == nil || errors.Is(err, sentinel) {
		return err
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

// wrap names the operation that err ended.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("pebblestore: %s: %w", op, mapError(err))
}

// watch notes what Pebble cannot go on after, and is its logger. A library must
// not end the process for it: every later operation of the store fails with the
// cause, until the store is opened again by another process.
type watch struct {
	log    *slog.Logger
	once   sync.Once
	broken chan struct{} // closed when err is set
	err    error
	armed  atomic.Bool // Pebble is open; before that, it returns such errors
}

func newWatch(log *slog.Logger) *watch {
	return &watch{log: log, broken: make(chan struct{})}
}

// Infof implements pebble.Logger.
func (w *watch) Infof(format string, args ...any) {
	if w.log.Enabled(context.Background(), slog.LevelDebug) {
		w.log.Debug("pebble", "text", fmt.Sprintf(format, args...))
	}
}

// Errorf implements pebble.Logger.
func (w *watch) Errorf(format string, args ...any) {
	w.log.Error("pebble", "text", fmt.Sprintf(format, args...))
}

// Fatalf implements pebble.Logger. Pebble relies on it not to come back.
func (w *watch) Fatalf(format string, args ...any) {
	cause := fmt.Errorf(format, args...)
	for _, a := range args {
		if err, ok := a.(error); ok {
			cause = err
		}
	}
	_ = w.fatal(cause)
}

// fatal notes an error that Pebble cannot take. While Pebble opens it returns
// it; after that it does not come back.
func (w *watch) fatal(err error) error {
	if err == nil {
		return nil
	}
	w.fail(err)
	if w.armed.Load() {
		standStill()
	}
	return err
}

// standStill ends what the calling goroutine does without unwinding it.
func standStill() { select {} }

// fail records that the store cannot be used any more until it is opened again.
func (w *watch) fail(cause error) {
	w.once.Do(func() {
		w.err = fmt.Errorf("the store must be opened again: %w", mapError(cause))
		w.log.Error("the store cannot go on", "err", cause)
		close(w.broken)
	})
}

// failure returns why the store cannot be used any more, if that is so.
func (w *watch) failure() error {
	select {
	case <-w.broken:
		return w.err
	default:
		return nil
	}
}

// guard runs f on a goroutine of its own, which may never come back from a
// fatal error. f must not use memory of the store's callers.
func (w *watch) guard(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-w.broken:
		return w.err
	}
}
