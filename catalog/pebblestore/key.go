package pebblestore

import (
	"encoding/binary"
	"fmt"

	"catalog/catalog"
)

// The first byte of a key says what it keeps; see the package's comment.
const (
	spaceState    = 0x01
	spaceSource   = 0x02
	spaceLog      = 0x03
	spaceFollower = 0x05
	spaceLease    = 0x06
	spaceMeta     = 0x07
	spaceRecord   = 0x10 // + kind: heads; of all kinds but products with the body behind
	spaceBody     = 0x20 // + kind: bodies of products
	spaceRef      = 0x30
	spaceEnd      = 0x31
)

// Within a ref's key, value and store end with these two bytes, and a zero
// byte inside them is written as zero and escaped.
const (
	refEnd     = 0x01
	refEscaped = 0xff
)

func appendKey[K ~string](b []byte, space byte, name K) []byte {
	b = append(b, space)
	return append(b, name...)
}

func recordKey(b []byte, k catalog.Kind, key catalog.Key) []byte {
	return appendKey(b, spaceRecord+byte(k), key)
}

func bodyKey(b []byte, k catalog.Kind, key catalog.Key) []byte {
	return appendKey(b, spaceBody+byte(k), key)
}

func logKey(b []byte, seq catalog.Seq) []byte {
	b = append(b, spaceLog)
	return binary.BigEndian.AppendUint64(b, uint64(seq))
}

func sourceKey(b []byte, id uint32) []byte {
	b = append(b, spaceSource)
	return binary.BigEndian.AppendUint32(b, id)
}

// refPrefix is what the keys of all records with ref r start with.
func refPrefix(b []byte, r catalog.Ref) []byte {
	b = append(b, spaceRef, byte(r.Type))
	b = appendEscaped(b, r.Value)
	return appendEscaped(b, r.Store)
}

// refKey is the key that says that a record has ref r. A record's key has no
// control characters, so the kind behind it does not disturb the order.
func refKey(b []byte, r catalog.Ref, k catalog.Kind, key catalog.Key) []byte {
	b = refPrefix(b, r)
	b = append(b, key...)
	return append(b, byte(k))
}

func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		b = append(b, s[i])
		if s[i] == 0 {
			b = append(b, refEscaped)
		}
	}
	return append(b, 0, refEnd)
}

// refOwner returns the key of the record that the rest of a ref's key, behind
// refPrefix, names.
func refOwner(rest []byte) (catalog.Key, error) {
	if len(rest) < 2 {
		return "", corrupt("a ref without a record")
	}
	return catalog.Key(rest[:len(rest)-1]), nil
}

// bounds returns the keys of the records of kind k in r as an interval.
func bounds(space byte, r catalog.Range) (lower, upper []byte) {
	lower = appendKey(nil, space, r.From)
	if r.To == "" {
		return lower, []byte{space + 1}
	}
	return lower, appendKey(nil, space, r.To)
}

// hasBodyApart reports whether records of kind k keep their body under a key of its own.
func hasBodyApart(k catalog.Kind) bool { return k == catalog.KindProduct }

// corrupt describes bytes that no version of this package wrote.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", catalog.ErrCorrupt, fmt.Sprintf(format, args...))
}
