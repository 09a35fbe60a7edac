package storefront

import (
	"encoding/hex"
	"net/http"

	"catalog/catalog"
)

// Bounds of the surrogate keys of one answer: many caches take 8 KiB of one
// header at most.
const (
	maxKeys     = 120
	maxKeyBytes = 4 << 10
	maxKeyText  = 64
)

// SurrogateKey returns the key by which answers that show a record are purged:
// "p:SKU" of a product, "c:ID" of a category. What is no letter, digit, dot,
// hyphen or underscore is written as %XX, and what would be longer than 64
// bytes as a digest, so that a key never has a space or a comma.
func SurrogateKey(kind catalog.Kind, key string) string {
	return string(appendKey(nil, kind, key))
}

func appendKey(dst []byte, kind catalog.Kind, key string) []byte {
	letter := byte('p')
	if kind == catalog.KindCategory {
		letter = 'c'
	}
	dst = append(dst, letter, ':')
	start := len(dst)
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
		if len(dst)-start > maxKeyText {
			sum := catalog.HashOf([]byte(key))
			return hex.AppendEncode(append(dst[:start], '%'), sum[:])
		}
	}
	return dst
}

// keySet collects the surrogate keys of an answer, each once.
type keySet struct {
	text []byte // keys, a space before each but the first
	ends []int
	full bool // some did not fit: the answer cannot be purged completely
}

func (k *keySet) reset() { *k = keySet{text: k.text[:0], ends: k.ends[:0]} }

// add adds the key of a record.
func (k *keySet) add(kind catalog.Kind, key string) {
	if k.full {
		return
	}
	before := len(k.text)
	if before > 0 {
		k.text = append(k.text, ' ')
	}
	at := len(k.text)
	k.text = appendKey(k.text, kind, key)
	if k.has(k.text[at:]) {
		k.text = k.text[:before]
		return
	}
	if len(k.ends) == maxKeys || len(k.text) > maxKeyBytes {
		k.text, k.full = k.text[:before], true
		return
	}
	k.ends = append(k.ends, len(k.text))
}

// has reports whether a key is there already.
func (k *keySet) has(key []byte) bool {
	start := 0
	for _, end := range k.ends {
		if string(k.text[start:end]) == string(key) {
			return true
		}
		start = end + 1
	}
	return false
}

// write sets the headers: Fastly's, Varnish's and Cloudflare's.
func (k *keySet) write(h http.Header, values *headerValues) {
	if len(k.ends) == 0 {
		return
	}
	spaced := string(k.text)
	values.set(h, "Surrogate-Key", spaced)
	h["Xkey"] = h["Surrogate-Key"]
	if len(k.ends) == 1 {
		h["Cache-Tag"] = h["Surrogate-Key"]
		return
	}
	for i, c := range k.text {
		if c == ' ' {
			k.text[i] = ','
		}
	}
	values.set(h, "Cache-Tag", string(k.text))
}
