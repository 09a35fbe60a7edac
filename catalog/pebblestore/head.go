package pebblestore

import (
	"encoding/binary"

	"catalog/catalog"
)

// head is a stored head: what is under a record's key, without the body.
type head struct {
	hash   catalog.Hash
	seq    catalog.Seq
	source uint32
	refs   []byte // the refs as they are encoded
}

// appendHead encodes a head; refs are those of the write that made it.
func appendHead(b []byte, hash catalog.Hash, seq catalog.Seq, source uint32, refs []catalog.Ref) []byte {
	b = append(b, hash[:]...)
	b = binary.AppendUvarint(b, uint64(seq))
	b = binary.AppendUvarint(b, uint64(source))
	b = binary.AppendUvarint(b, uint64(len(refs)))
	for i := range refs {
		b = append(b, byte(refs[i].Type))
		b = appendString(b, refs[i].Store)
		b = appendString(b, refs[i].Value)
	}
	return b
}

// appendHeadRaw encodes a head whose refs stand as they were stored before.
func appendHeadRaw(b []byte, h head) []byte {
	b = append(b, h.hash[:]...)
	b = binary.AppendUvarint(b, uint64(h.seq))
	b = binary.AppendUvarint(b, uint64(h.source))
	return append(b, h.refs...)
}

// parseHead decodes the head at the start of v and returns what is behind it.
// The head's refs are a part of v.
func parseHead(v []byte) (h head, rest []byte, err error) {
	if len(v) < len(h.hash)+3 {
		return h, nil, corrupt("a head of %d bytes", len(v))
	}
	copy(h.hash[:], v)
	v = v[len(h.hash):]
	seq, n := binary.Uvarint(v)
	if n <= 0 || seq == 0 {
		return h, nil, corrupt("a head without a seq")
	}
	v = v[n:]
	source, n := binary.Uvarint(v)
	if n <= 0 || source > 1<<31 {
		return h, nil, corrupt("a head without a source")
	}
	v = v[n:]
	h.seq, h.source = catalog.Seq(seq), uint32(source)
	if len(v) > 0 && v[0] == 0 { // no refs, the usual case of prices and stock
		h.refs = v[:1]
		return h, v[1:], nil
	}
	rest, err = skipRefs(v)
	if err != nil {
		return h, nil, err
	}
	h.refs = v[:len(v)-len(rest)]
	return h, rest, nil
}

func skipRefs(v []byte) ([]byte, error) {
	n, v, err := cutUvarint(v)
	if err != nil {
		return nil, err
	}
	for ; n > 0; n-- {
		if len(v) == 0 {
			return nil, corrupt("a ref is cut off")
		}
		v = v[1:]
		for range 2 {
			if _, v, err = cutString(v); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// parseRefs decodes refs that parseHead found, appending to refs. The strings
// are copies.
func parseRefs(refs []catalog.Ref, v []byte) ([]catalog.Ref, error) {
	n, v, err := cutUvarint(v)
	if err != nil {
		return nil, err
	}
	for ; n > 0; n-- {
		if len(v) == 0 {
			return nil, corrupt("a ref is cut off")
		}
		r := catalog.Ref{Type: catalog.RefType(v[0])}
		var store, value []byte
		if store, v, err = cutString(v[1:]); err != nil {
			return nil, err
		}
		if value, v, err = cutString(v); err != nil {
			return nil, err
		}
		r.Store, r.Value = string(store), string(value)
		refs = append(refs, r)
	}
	return refs, nil
}

func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func cutString(v []byte) (s, rest []byte, err error) {
	n, v, err := cutUvarint(v)
	if err != nil {
		return nil, nil, err
	}
	if n > uint64(len(v)) {
		return nil, nil, corrupt("a string of %d bytes is cut off", n)
	}
	return v[:n], v[n:], nil
}

func cutUvarint(v []byte) (uint64, []byte, error) {
	n, l := binary.Uvarint(v)
	if l <= 0 {
		return 0, nil, corrupt("a number is cut off")
	}
	return n, v[l:], nil
}
