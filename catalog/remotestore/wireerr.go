package remotestore

import (
	"context"
	"encoding/binary"
	"errors"

	"catalog/catalog"
)

// The errors of a store that is reached through another process.
var (
	// ErrUnavailable: the process that has the store cannot be reached, or the
	// connection to it was lost.
	ErrUnavailable = errors.New("the store's process cannot be reached")
	// ErrUnknown: the connection was lost while something was being changed that
	// must not be repeated unseen: it may have been done or not. It comes with
	// ErrUnavailable.
	ErrUnknown = errors.New("the outcome is unknown")
	// ErrUnauthorized: the server asks for a token, or for another one.
	ErrUnauthorized = errors.New("not authorized")

	// errEnding: the process that has the store is about to close it.
	errEnding = errors.New("the process that has the store is ending")
)

// sentinels are what an error can be: the place in the list is a bit of the
// protocol, so that the list only grows, at its end.
var sentinels = [...]error{
	catalog.ErrNotFound, catalog.ErrConflict, catalog.ErrInvalid, catalog.ErrTrimmed,
	catalog.ErrLeased, catalog.ErrFenced, catalog.ErrLocked, catalog.ErrClosed,
	catalog.ErrFull, catalog.ErrReadOnly, catalog.ErrCorrupt, catalog.ErrVersion,
	context.Canceled, context.DeadlineExceeded, errEnding, errors.ErrUnsupported, errFrame,
}

// wireError is an error of the store behind the server.
type wireError struct {
	text string
	is   uint64  // which sentinels
	as   []error // its details: *catalog.LeasedError, *catalog.InvalidError, …
}

func (e *wireError) Error() string { return e.text }

func (e *wireError) Is(target error) bool {
	for i, s := range sentinels {
		if s == target {
			return e.is&(1<<i) != 0
		}
	}
	return false
}

func (e *wireError) Unwrap() []error { return e.as }

// What details an error has.
const (
	detailApply = 1 << iota
	detailLeased
	detailInvalid
	detailLocked
)

func appendError(b []byte, err error) []byte {
	var (
		is      uint64
		has     byte
		apply   *catalog.ApplyError
		leased  *catalog.LeasedError
		invalid *catalog.InvalidError
		locked  *catalog.LockedError
	)
	for i, s := range sentinels {
		if errors.Is(err, s) {
			is |= 1 << i
		}
	}
	text := err.Error()
	if errors.As(err, &apply) {
		has |= detailApply
		if apply.Err != nil {
			text = apply.Err.Error()
		}
	}
	if errors.As(err, &leased) {
		has |= detailLeased
	}
	if errors.As(err, &invalid) {
		has |= detailInvalid
	}
	if errors.As(err, &locked) {
		has |= detailLocked
	}
	b = appendString(binary.AppendUvarint(b, is), text)
	b = append(b, has)
	if apply != nil {
		b = binary.AppendUvarint(b, uint64(len(apply.Failed)))
		for _, n := range apply.Failed {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	if leased != nil {
		b = appendLease(b, leased.LeaseInfo)
	}
	if invalid != nil {
		b = appendString(appendString(b, invalid.Reason), invalid.Path)
		b = appendString(binary.AppendVarint(b, int64(invalid.Offset)), invalid.Detail)
	}
	if locked != nil {
		b = appendTime(appendString(appendString(b, locked.Dir), locked.Holder), locked.Since)
	}
	return b
}

// decodeError reads what appendError wrote. A payload that is none is an error
// of its own.
func decodeError(payload []byte) error {
	d := decoder{b: payload}
	e := &wireError{is: d.uint(), text: d.string()}
	has := d.byte()
	var err error = e
	if has&detailApply != 0 {
		failed := make([]int, d.count(1))
		for i := range failed {
			failed[i] = int(min(d.uint(), 1<<31-1))
		}
		err = &catalog.ApplyError{Failed: failed, Err: e}
	}
	if has&detailLeased != 0 {
		e.as = append(e.as, &catalog.LeasedError{LeaseInfo: d.lease()})
	}
	if has&detailInvalid != 0 {
		e.as = append(e.as, &catalog.InvalidError{
			Reason: catalog.Reason(d.string()), Path: d.string(), Offset: int(d.int()), Detail: d.string(),
		})
	}
	if has&detailLocked != 0 {
		e.as = append(e.as, &catalog.LockedError{Dir: d.string(), Holder: d.string(), Since: d.time()})
	}
	if d.err != nil {
		return d.err
	}
	return err
}
