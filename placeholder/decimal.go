package placeholder

import (
	"math/big"
	"strings"
)

// maxDecimal bounds the text of a decimal that is computed with; longer ones,
// and exponents beyond maxExponent, fit in no column anyway.
const (
	maxDecimal  = 64
	maxExponent = 40
)

// decimal reads a JSON number, exponents included.
func decimal(text string) (*big.Rat, bool) {
	if text == "" || len(text) > maxDecimal || strings.ContainsAny(text, "/_xXpP") {
		return nil, false
	}
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		exp := strings.TrimLeft(text[at+1:], "+-0")
		if len(exp) > 2 || len(exp) == 2 && exp > "40" {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}

// fixed returns the decimal with exactly scale fraction digits, rounded half
// away from zero; "" if text is no decimal.
func fixed(text string, scale int) string {
	if plain(text) {
		if out, ok := padded(text, scale); ok {
			return out
		}
	}
	r, ok := decimal(text)
	if !ok {
		return ""
	}
	return r.FloatString(scale)
}

// plain reports whether text is digits with at most one point between them.
func plain(text string) bool {
	if text == "" || len(text) > maxDecimal || text[0] == '.' || text[len(text)-1] == '.' {
		return false
	}
	points := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '.':
			points++
		case c < '0' || c > '9':
			return false
		}
	}
	return points < 2
}

// padded is fixed for what is plain and needs no rounding.
func padded(text string, scale int) (string, bool) {
	whole, frac, _ := strings.Cut(text, ".")
	if len(frac) > scale {
		if strings.Trim(frac[scale:], "0") != "" {
			return "", false
		}
		frac = frac[:scale]
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if scale == 0 {
		return whole, true
	}
	return whole + "." + frac + strings.Repeat("0", scale-len(frac)), true
}

// isZero reports whether what fixed returned is nothing, below nothing, or no
// amount at all.
func isZero(amount string) bool {
	return strings.HasPrefix(amount, "-") || strings.Trim(amount, "0.") == ""
}

// less compares two results of fixed of one scale that are not negative.
func less(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

// discounted returns the amount less so many percent; "" if either is no
// decimal.
func discounted(amount, percent string, scale int) string {
	a, ok := decimal(amount)
	p, ok2 := decimal(percent)
	if !ok || !ok2 || p.Sign() < 0 || p.Cmp(big.NewRat(100, 1)) > 0 {
		return ""
	}
	p.Sub(big.NewRat(100, 1), p).Quo(p, big.NewRat(100, 1))
	return a.Mul(a, p).FloatString(scale)
}
