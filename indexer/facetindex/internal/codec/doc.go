// Package codec has the encodings that segments are made of: sorted
// dictionaries, packed integers, posting lists and sparse columns.
//
// All of them are read in place, from bytes that may be a mapped file, by
// views that are cheap to copy and safe for concurrent use. Numbers are little
// endian. A view is made by a Read function, which checks what its methods
// rely on, so that bytes that are not what they should be give an error
// there, or wrong answers later, but never a panic.
//
// Arrays of integers are as wide as the greatest needs, so that reading one
// costs next to nothing, or packed by blocks where that takes half: what
// searches read for each document is of the first kind.
//
// Lists and columns are cut into chunks of 64 K documents, so that a query can
// work through all of them in step with buffers that fit a processor's cache.
package codec

import "errors"

// ErrFormat is what Read functions wrap when bytes are not an encoding.
var ErrFormat = errors.New("malformed encoding")

// Chunks of lists and columns.
const (
	ChunkBits = 16
	ChunkSize = 1 << ChunkBits // documents of a chunk
	ChunkMask = ChunkSize - 1
)
