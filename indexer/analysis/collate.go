package analysis

import (
	"golang.org/x/text/collate"
	langtag "golang.org/x/text/language"
)

// MaxKey bounds a collation key, in bytes; names that differ behind it stand
// as if they were equal.
const MaxKey = 128

// Collator makes keys whose order, byte by byte, is that of names in a
// language. Case, marks that the language does not sort by, and widths do not
// count; numbers in names are compared as such. Not safe for concurrent use.
type Collator struct {
	c   *collate.Collator
	buf collate.Buffer
}

// NewCollator returns the Collator of the language of a tag.
func NewCollator(tag string) *Collator {
	t, err := langtag.Parse(tag)
	if err != nil {
		t = langtag.Und
	}
	return &Collator{c: collate.New(t, collate.Loose, collate.Numeric)}
}

// Key appends the key of a name.
func (c *Collator) Key(dst []byte, name string) []byte {
	key := c.c.KeyFromString(&c.buf, cut(name, 2*MaxKey))
	dst = append(dst, key[:min(len(key), MaxKey)]...)
	c.buf.Reset()
	return dst
}
