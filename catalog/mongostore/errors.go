package mongostore

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/auth"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"catalog/catalog"
)

// ErrUnavailable means that the server did not answer, for as long as an
// operation tries.
var ErrUnavailable = errors.New("the server cannot be reached")

// ErrUnsuited means that the server is there, but cannot keep a store: it is no
// replica set or sharded cluster, or too old.
var ErrUnsuited = errors.New("the server cannot keep a store")

// ErrRefused means that the server does not let this user in, or not do this.
var ErrRefused = errors.New("the server refuses access")

// errAgain is the cause to try a part of an Apply again, from reading heads on:
// another writer came first.
var errAgain = errors.New("another writer came first")

// The server's codes of errors that are treated apart.
const (
	codeUnauthorized         = 13
	codeAuthenticationFailed = 18
	codeWriteConflict        = 112
	codeNoSuchTransaction    = 251
	codeCursorNotFound       = 43
	codeIllegalOperation     = 20
	codeOutOfDisk            = 14031
	codeAtlas                = 8000 // of hosted servers: authentication, quotas
)

// wrap names the operation that err ended, and gives err the sentinel that it is
// a case of. An error after the caller's context has ended is that context's.
func wrap(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if end := ctx.Err(); end != nil && !errors.Is(err, end) && !errors.Is(err, catalog.ErrClosed) {
		return fmt.Errorf("mongostore: %s: %w: %w", op, end, err)
	}
	if s := sentinel(err); s != nil && !errors.Is(err, s) {
		return fmt.Errorf("mongostore: %s: %w: %w", op, s, err)
	}
	return fmt.Errorf("mongostore: %s: %w", op, err)
}

// sentinel returns the error of this package or of catalog that err is a case of.
func sentinel(err error) error {
	var server mongo.ServerError
	if errors.As(err, &server) {
		switch {
		case server.HasErrorCode(codeUnauthorized), server.HasErrorCode(codeAuthenticationFailed), server.HasErrorCode(codeAtlas):
			return ErrRefused
		case server.HasErrorCode(codeIllegalOperation):
			return ErrUnsuited
		case server.HasErrorCode(codeOutOfDisk):
			return catalog.ErrFull
		case server.HasErrorCode(codeNoSuchTransaction): // over and over, for RetryFor
			return ErrUnavailable
		}
	}
	switch {
	case refused(err):
		return ErrRefused
	case away(err):
		return ErrUnavailable
	}
	return nil
}

// refused reports whether a connection failed at authentication.
func refused(err error) bool {
	var login *auth.Error
	var server mongo.ServerError
	return errors.As(err, &login) || errors.As(err, &server) && server.HasErrorCode(codeAuthenticationFailed)
}

// away reports whether err says that the server could not be reached, or not
// in time: it may be there again soon.
func away(err error) bool {
	if refused(err) || errors.Is(err, catalog.ErrClosed) {
		return false
	}
	var selection mongo.LabeledError
	if errors.As(err, &selection) && (selection.HasErrorLabel("RetryableWriteError") || selection.HasErrorLabel("NetworkError")) {
		return true
	}
	return mongo.IsNetworkError(err) || mongo.IsTimeout(err) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &topology.ServerSelectionError{})
}

// clash reports whether a transaction ended because another one came first, or
// because the server gave it up: not every server labels that as transient.
func clash(err error) bool {
	if errors.Is(err, errAgain) || mongo.IsDuplicateKeyError(err) {
		return true
	}
	var labeled mongo.LabeledError
	if errors.As(err, &labeled) && labeled.HasErrorLabel("TransientTransactionError") {
		return true
	}
	var server mongo.ServerError
	return errors.As(err, &server) && (server.HasErrorCode(codeWriteConflict) || server.HasErrorCode(codeNoSuchTransaction))
}
