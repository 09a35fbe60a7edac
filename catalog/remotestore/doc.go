// Package remotestore lets processes share a catalog.Store: NewHandler serves
// any store over HTTP, and Open returns a client of it that keeps the whole
// contract of catalog.Store. An embedded store is shared so by the process that
// holds it, over a socket beside its lock; over a network the handler asks for
// a bearer token.
//
// # Protocol
//
// Each call is a POST of a stream of frames to a path that ends in the call's
// name, answered by a stream of frames. A stream begins with a preface of six
// bytes, the last of which is the version, and ends with an end or an error
// frame: one that ends before that was cut off, whatever HTTP says. A frame is
//
//	type     one byte
//	length   of the payload, a varint, at most 32 MiB
//	payload
//
//	c  call   the arguments
//	w  write  one write of Apply
//	i  item   one record, head, change, …, or the one answer
//	t  tick   nothing: the call is still at work
//	x  error  which sentinels of package catalog it is, and its details
//	e  end    nothing is missing
//
// Numbers are varints, strings and lists begin with their length, and a body is
// what is left of its payload, byte by byte as it was. A frame is one record,
// a stream as many as it takes, so that neither side holds more than a frame
// of what it reads, but for an Apply, which the client cuts into pieces of 96
// MiB and the server takes up to 160 MiB of.
//
// # What is repeated
//
// When the connection is lost, reads are repeated, and iterators go on behind
// the last value they yielded. So is an Apply none of whose writes has an If,
// since the contract says that repeating it is harmless. All else ends with
// ErrUnavailable, and ErrUnknown if it may have been done.
//
// # Leases
//
// A client keeps a connection open from Open on, by which the server knows that
// it lives, and which leases were taken through it. When that breaks without a
// word, the client has died, and its leases are released at once on a local
// socket, after a few seconds on a network, instead of when they expire. Close
// says a word: as with any store, leases outlive it.
package remotestore
