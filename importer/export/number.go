package export

import (
	"bytes"
	"strconv"
)

// maxZeros is how many zeros a canonical number is padded with before it gets
// an exponent instead.
const maxZeros = 20

// number writes the number at the current place in its canonical form.
func (c *Canonicalizer) number(dst []byte) ([]byte, error) {
	from := c.pos
	n, plain := scanNumber(c.src[from:])
	if n == 0 {
		return dst, c.fault()
	}
	c.pos += n
	if plain {
		return append(dst, c.src[from:c.pos]...), nil
	}
	return AppendNumber(dst, c.src[from:c.pos]), nil
}

// scanNumber returns the length of the JSON number that s starts with, 0 if
// there is none, and whether it is surely canonical as it stands.
func scanNumber(s []byte) (n int, plain bool) {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := digits(s[i:])
	if whole == 0 || whole > 1 && s[i] == '0' {
		return 0, false
	}
	plain = s[i] != '0' || i == 0
	i += whole
	if i < len(s) && s[i] == '.' {
		f := digits(s[i+1:])
		if f == 0 {
			return 0, false
		}
		i += 1 + f
		plain = s[i-1] != '0'
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		plain = false
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		e := digits(s[i:])
		if e == 0 {
			return 0, false
		}
		i += e
	}
	return i, plain && i <= maxZeros
}

// digits returns the number of decimal digits that s starts with.
func digits(s []byte) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

// AppendNumber appends the canonical spelling of a JSON number: that of the
// same decimal value, digit by digit, however many there are.
//
// Let the value be D × 10^e, with a whole D that does not end in 0. Zero is 0,
// without sign. If the number can be written without exponent with at most 20
// zeros that are no digits of D (between D and the point, or the point and D),
// it is: 1500, 0.015, -2.5. Otherwise it is D's first digit, a point and the
// others if there are more, and the exponent: 1e21, 1.5e-30.
func AppendNumber(dst, s []byte) []byte {
	neg := s[0] == '-'
	if neg {
		s = s[1:]
	}
	var exp []byte
	if i := bytes.IndexAny(s, "eE"); i >= 0 {
		s, exp = s[:i], s[i+1:]
	}
	whole, frac, _ := bytes.Cut(s, []byte{'.'})
	// D stands in whole followed by frac, without the zeros at either end.
	var store [64]byte
	d := append(append(store[:0], whole...), frac...)
	d = bytes.TrimLeft(d, "0")
	all := len(d)
	d = bytes.TrimRight(d, "0")
	if len(d) == 0 {
		return append(dst, '0')
	}
	if neg {
		dst = append(dst, '-')
	}
	shift := int64(all-len(d)) - int64(len(frac))
	e, ok := parseExponent(exp)
	if !ok {
		return appendHuge(dst, d, exp, shift)
	}
	e += shift
	point := int64(len(d)) + e // digits before the decimal point
	switch {
	case e >= 0 && e <= maxZeros:
		dst = append(dst, d...)
		return appendZeros(dst, e)
	case e < 0 && point > 0:
		dst = append(dst, d[:point]...)
		dst = append(dst, '.')
		return append(dst, d[point:]...)
	case e < 0 && -point <= maxZeros:
		dst = append(dst, '0', '.')
		dst = appendZeros(dst, -point)
		return append(dst, d...)
	}
	dst = appendMantissa(dst, d)
	return strconv.AppendInt(dst, point-1, 10)
}

// parseExponent reads an exponent that surely fits; an absent one is 0.
func parseExponent(s []byte) (int64, bool) {
	if len(s) == 0 {
		return 0, true
	}
	e, err := strconv.ParseInt(string(s), 10, 62)
	return e, err == nil
}

// appendHuge writes a number whose exponent may be too large for an int64.
func appendHuge(dst, d, exp []byte, shift int64) []byte {
	dst = appendMantissa(dst, d)
	below := exp[0] == '-'
	exp = bytes.TrimLeft(exp, "+-")
	exp = append(make([]byte, 1, len(exp)+1), bytes.TrimLeft(exp, "0")...)
	exp[0] = '0'
	// The shift is far smaller than the exponent: it never changes its sign.
	shift += int64(len(d)) - 1
	if below {
		dst = append(dst, '-')
		shift = -shift
	}
	for i := len(exp) - 1; shift != 0; i-- {
		shift += int64(exp[i] - '0')
		digit := (shift%10 + 10) % 10
		exp[i] = byte('0' + digit)
		shift = (shift - digit) / 10
	}
	return append(dst, bytes.TrimLeft(exp, "0")...)
}

// appendMantissa writes d as 1.23e.
func appendMantissa(dst, d []byte) []byte {
	dst = append(dst, d[0])
	if len(d) > 1 {
		dst = append(dst, '.')
		dst = append(dst, d[1:]...)
	}
	return append(dst, 'e')
}

func appendZeros(dst []byte, n int64) []byte {
	return append(dst, "00000000000000000000"[:n]...)
}
