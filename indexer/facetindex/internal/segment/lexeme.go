package segment

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// A lexeme is a term with its stem. It is kept, and sorted, as the term, a zero
// byte, and the stem as it differs from the term, since most stems are the
// term itself: of "en:lamps", for the term "lamps", only the language is left.

// lexemeKey appends the key of a term and a stem that is packed.
func lexemeKey(dst, term, packed []byte) []byte {
	return append(append(append(dst, term...), 0), packed...)
}

// packStem appends what tells the stem of a term: the language if the rest is
// the term; the language, a colon, how much is cut off the end of the term, and
// what follows instead; or a zero byte and all of a stem without a language.
func packStem(dst []byte, term, stem string) []byte {
	lang, rest, ok := strings.Cut(stem, ":")
	if !ok || strings.HasPrefix(lang, "\x00") {
		return append(append(dst, 0), stem...)
	}
	dst = append(dst, lang...)
	if rest == term {
		return dst
	}
	shared := 0
	for shared < len(term) && shared < len(rest) && term[shared] == rest[shared] {
		shared++
	}
	dst = binary.AppendUvarint(append(dst, ':'), uint64(len(term)-shared))
	return append(dst, rest[shared:]...)
}

// ownStem reports whether a packed stem is that of which only the language is
// left: it is found by its term.
func ownStem(packed []byte) bool {
	return len(packed) == 0 || packed[0] != 0 && bytes.IndexByte(packed, ':') < 0
}

// unpackStem appends the stem that packStem packed.
func unpackStem(dst, term, packed []byte) []byte {
	if len(packed) > 0 && packed[0] == 0 {
		return append(dst, packed[1:]...)
	}
	lang, rest, ok := bytes.Cut(packed, []byte{':'})
	dst = append(append(dst, lang...), ':')
	if !ok {
		return append(dst, term...)
	}
	cut, n := binary.Uvarint(rest)
	if n <= 0 || cut > uint64(len(term)) {
		return dst // no writer writes that
	}
	return append(append(dst, term[:len(term)-int(cut)]...), rest[n:]...)
}
