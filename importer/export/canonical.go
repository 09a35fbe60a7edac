package export

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"unicode/utf8"

	"catalog/importer/internal/jsontext"
)

// maxDepth is more than a stored record may have, joined parts included.
const maxDepth = 256

// errJSON is wrapped by what Canonicalizer returns for input that is no JSON.
var errJSON = errors.New("export: not JSON")

// Canonicalizer rewrites JSON in one form, so that two texts that mean the
// same are the same bytes:
//
//   - no white space; members sorted by the bytes of their names;
//   - strings with the escapes that JSON demands and no other: \" \\ \b \f \n
//     \r \t and \u00xx for the other control characters (a lone surrogate, which
//     no store accepts, stays an escape);
//   - numbers in the spelling that AppendNumber gives.
//
// It reuses its memory and is not safe for concurrent use. The zero value works.
type Canonicalizer struct {
	src     []byte
	pos     int
	members []member // of the objects being read, one upon the other
	names   []byte   // names that had to be unescaped
	tmp     []byte
}

// member is a member of an object in the output.
type member struct {
	from, to         int // of the whole member, without comma
	nameFrom, nameTo int // of its name: in names if unescaped, else in the output
	unescaped        bool
	first            uint64 // bytes of the name, which decide nearly all comparisons
}

// Append appends the canonical form of src, one JSON value, to dst.
func (c *Canonicalizer) Append(dst, src []byte) ([]byte, error) {
	c.src, c.pos = src, 0
	c.members, c.names = c.members[:0], c.names[:0]
	start := len(dst)
	c.space()
	dst, err := c.value(dst, 0)
	if err != nil {
		return dst[:start], err
	}
	if c.space(); c.pos != len(src) {
		return dst[:start], c.fault()
	}
	return dst, nil
}

func (c *Canonicalizer) fault() error { return fmt.Errorf("%w: at byte %d", errJSON, c.pos) }

func (c *Canonicalizer) space() {
	for c.pos < len(c.src) {
		switch c.src[c.pos] {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return
		}
	}
}

// peek returns the byte at the current place; 0 at the end.
func (c *Canonicalizer) peek() byte {
	if c.pos < len(c.src) {
		return c.src[c.pos]
	}
	return 0
}

func (c *Canonicalizer) value(dst []byte, depth int) ([]byte, error) {
	switch b := c.peek(); b {
	case '{':
		return c.object(dst, depth+1)
	case '[':
		return c.array(dst, depth+1)
	case '"':
		return c.text(dst)
	case 't':
		return c.word(dst, "true")
	case 'f':
		return c.word(dst, "false")
	case 'n':
		return c.word(dst, "null")
	default:
		if b == '-' || b >= '0' && b <= '9' {
			return c.number(dst)
		}
	}
	return dst, c.fault()
}

func (c *Canonicalizer) word(dst []byte, w string) ([]byte, error) {
	if !bytes.HasPrefix(c.src[c.pos:], []byte(w)) {
		return dst, c.fault()
	}
	c.pos += len(w)
	return append(dst, w...), nil
}

func (c *Canonicalizer) array(dst []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, c.fault()
	}
	c.pos++
	dst = append(dst, '[')
	if c.space(); c.peek() == ']' {
		c.pos++
		return append(dst, ']'), nil
	}
	for {
		var err error
		if dst, err = c.value(dst, depth); err != nil {
			return dst, err
		}
		c.space()
		switch c.peek() {
		case ',':
			c.pos++
			dst = append(dst, ',')
			c.space()
		case ']':
			c.pos++
			return append(dst, ']'), nil
		default:
			return dst, c.fault()
		}
	}
}

// object writes the members as they come and then puts them in order.
func (c *Canonicalizer) object(dst []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, c.fault()
	}
	c.pos++
	dst = append(dst, '{')
	if c.space(); c.peek() == '}' {
		c.pos++
		return append(dst, '}'), nil
	}
	base, names := len(c.members), len(c.names)
	sorted := true
	for {
		m := member{from: len(dst)}
		var err error
		if dst, err = c.name(dst, &m); err != nil {
			return dst, err
		}
		if dst, err = c.value(dst, depth); err != nil {
			return dst, err
		}
		m.to = len(dst)
		if sorted && len(c.members) > base {
			sorted = c.compare(dst, &c.members[len(c.members)-1], &m) <= 0
		}
		c.members = append(c.members, m)
		c.space()
		if b := c.peek(); b == ',' {
			c.pos++
			dst = append(dst, ',')
			c.space()
			continue
		} else if b != '}' {
			return dst, c.fault()
		}
		c.pos++
		break
	}
	if !sorted {
		dst = c.sort(dst, c.members[base:])
	}
	c.members, c.names = c.members[:base], c.names[:names]
	return append(dst, '}'), nil
}

// name writes a member's name and colon.
func (c *Canonicalizer) name(dst []byte, m *member) ([]byte, error) {
	if c.peek() != '"' {
		return dst, c.fault()
	}
	dst, err := c.text(dst)
	if err != nil {
		return dst, err
	}
	m.nameFrom, m.nameTo = m.from+1, len(dst)-1
	if bytes.IndexByte(dst[m.nameFrom:m.nameTo], '\\') >= 0 {
		from := len(c.names)
		c.names = appendUnescaped(c.names, dst[m.nameFrom:m.nameTo])
		m.nameFrom, m.nameTo, m.unescaped = from, len(c.names), true
	}
	m.first = firstBytes(c.nameOf(dst, m))
	if c.space(); c.peek() != ':' {
		return dst, c.fault()
	}
	c.pos++
	c.space()
	return append(dst, ':'), nil
}

func (c *Canonicalizer) nameOf(dst []byte, m *member) []byte {
	if m.unescaped {
		return c.names[m.nameFrom:m.nameTo]
	}
	return dst[m.nameFrom:m.nameTo]
}

// firstBytes returns the first eight bytes of a name so that they compare as
// numbers; a shorter name is filled up by zeros.
func firstBytes(name []byte) uint64 {
	if len(name) >= 8 {
		return binary.BigEndian.Uint64(name)
	}
	var first uint64
	for i, b := range name {
		first |= uint64(b) << (56 - 8*i)
	}
	return first
}

func (c *Canonicalizer) compare(dst []byte, a, b *member) int {
	if a.first != b.first {
		return cmp.Compare(a.first, b.first)
	}
	return bytes.Compare(c.nameOf(dst, a), c.nameOf(dst, b))
}

// sort puts the members at the end of dst in order.
func (c *Canonicalizer) sort(dst []byte, members []member) []byte {
	first := members[0].from
	if len(members) <= 24 {
		for i := 1; i < len(members); i++ {
			for j := i; j > 0 && c.compare(dst, &members[j], &members[j-1]) < 0; j-- {
				members[j], members[j-1] = members[j-1], members[j]
			}
		}
	} else {
		slices.SortFunc(members, func(a, b member) int { return cmp.Or(c.compare(dst, &a, &b), cmp.Compare(a.from, b.from)) })
	}
	c.tmp = append(c.tmp[:0], dst[first:]...)
	dst = dst[:first]
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, c.tmp[m.from-first:m.to-first]...)
	}
	return dst
}

// text writes a string: what needs no escape is copied in runs.
func (c *Canonicalizer) text(dst []byte) ([]byte, error) {
	from := c.pos
	i := from + 1
	for {
		i += plainRun(c.src[i:])
		if i == len(c.src) || c.src[i] < 0x20 {
			c.pos = i
			return dst, c.fault()
		}
		if c.src[i] == '"' {
			c.pos = i + 1
			return append(dst, c.src[from:c.pos]...), nil
		}
		r, n := jsontext.Escape(c.src[i:])
		if n == 0 {
			c.pos = i
			return dst, c.fault()
		}
		dst = append(dst, c.src[from:i]...)
		dst = appendRune(dst, r)
		i += n
		from = i
	}
}

// plainRun returns how many bytes of s, eight at a time and then one by one,
// are neither a quote nor a backslash nor a control character.
func plainRun(s []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := binary.LittleEndian.Uint64(s[i:])
		quote, slash := w^('"'*ones), w^('\\'*ones)
		// A top bit is set for each byte that is 0 in quote or slash, or below
		// 0x20 in w; the lowest one is exact.
		hit := ((quote-ones)&^quote | (slash-ones)&^slash | (w-0x20*ones)&^w) & tops
		if hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for i < len(s) && s[i] != '"' && s[i] != '\\' && s[i] >= 0x20 {
		i++
	}
	return i
}

// appendRune writes a character inside a string.
func appendRune(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	switch {
	case r == '"' || r == '\\':
		return append(dst, '\\', byte(r))
	case r == '\b':
		return append(dst, '\\', 'b')
	case r == '\f':
		return append(dst, '\\', 'f')
	case r == '\n':
		return append(dst, '\\', 'n')
	case r == '\r':
		return append(dst, '\\', 'r')
	case r == '\t':
		return append(dst, '\\', 't')
	case r < 0x20, r >= 0xd800 && r < 0xe000:
		return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
	}
	return utf8.AppendRune(dst, r)
}

// appendUnescaped writes what stands between the quotes of a canonical string
// without its escapes; lone surrogates stay escaped.
func appendUnescaped(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			i++
			continue
		}
		r, n := jsontext.Escape(s[i:])
		if n == 0 {
			return append(dst, s[i:]...)
		}
		if r >= 0xd800 && r < 0xe000 {
			dst = append(dst, s[i:i+n]...)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		i += n
	}
	return dst
}
