package gunzip

import (
	"encoding/binary"
	"unsafe"
)

// load and store move eight bytes at an offset of p, in the order of the format
// on any machine. They do not look at bounds: a look at every symbol costs a
// seventh of the time, and fast has made sure of them for a whole round.

func load(p unsafe.Pointer, at int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, at))[:])
}

func store(p unsafe.Pointer, at int, v uint64) {
	binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Add(p, at))[:], v)
}

func storeByte(p unsafe.Pointer, at int, v byte) { *(*byte)(unsafe.Add(p, at)) = v }
