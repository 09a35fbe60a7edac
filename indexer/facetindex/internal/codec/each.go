package codec

import "encoding/binary"

// EachIn calls f for each number of a chunk that has a code, in order.
func (k *ColumnChunk) EachIn(f func(id, code uint32)) {
	if k.dense {
		for j := range len(k.codes) / int(k.width) {
			if code := k.code(j); code != 0 {
				f(uint32(j), code)
			}
		}
		return
	}
	for j := range len(k.ids) / 2 {
		f(uint32(binary.LittleEndian.Uint16(k.ids[2*j:])), k.code(j))
	}
}
