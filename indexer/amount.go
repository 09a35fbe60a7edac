package indexer

import (
	"math"
	"strconv"
	"time"
)

// maxAmount bounds what is taken for a price: beyond it sums would overflow.
const maxAmount = Amount(1) << 52

// parseAmount reads a decimal as records have it, exactly, rounded half up to
// 1/10,000. Not ok of what is no decimal, negative or too much.
func parseAmount(text []byte) (Amount, bool) {
	var n int64
	places, point, digits := 0, false, 0
	i := 0
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '.' && !point:
			point = true
		case c >= '0' && c <= '9':
			digits++
			if point {
				if places == 5 {
					continue
				}
				places++
			}
			if n > int64(maxAmount) {
				return 0, false
			}
			n = n*10 + int64(c-'0')
		case c|0x20 == 'e' && digits > 0:
			f, err := strconv.ParseFloat(string(text), 64)
			if err != nil || f < 0 || f*AmountScale > float64(maxAmount) {
				return 0, false
			}
			return Amount(math.Round(f * AmountScale)), true
		default:
			return 0, false
		}
	}
	if digits == 0 {
		return 0, false
	}
	for ; places < 5; places++ {
		if n > int64(maxAmount) {
			return 0, false
		}
		n *= 10
	}
	n = (n + 5) / 10
	return Amount(n), n <= int64(maxAmount)
}

// ParseDate reads a date as records have it: RFC 3339, YYYY-MM-DD, or that
// with a time behind a space, which is UTC. day says that it is a whole day.
func ParseDate(text string) (t time.Time, day, ok bool) {
	if len(text) < 10 || text[4] != '-' || text[7] != '-' {
		return time.Time{}, false, false
	}
	var err error
	switch {
	case len(text) == 10:
		t, err = time.Parse(time.DateOnly, text)
		day = true
	case text[10] == 'T' || text[10] == 't':
		if t, err = time.Parse(time.RFC3339, text); err != nil {
			t, err = time.Parse("2006-01-02T15:04:05", text)
		}
	default:
		t, err = time.Parse(time.DateTime, text)
	}
	if err != nil || t.Year() < 1 {
		return time.Time{}, false, false
	}
	return t, day, true
}

// canonicalNumber returns a JSON number in the one form that filters compare:
// no exponent, no zeros behind the last decimal. Numbers that no float64 holds
// are not ok.
func canonicalNumber(text []byte) (string, float64, bool) {
	plain := len(text) <= 15
	for i, c := range text {
		if (c < '0' || c > '9') && (c != '-' || i > 0) {
			plain = false
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return "", 0, false
	}
	if f == 0 {
		return "0", 0, true
	}
	if plain {
		return string(text), f, true
	}
	if a := math.Abs(f); a >= 1e21 || a < 1e-9 {
		return strconv.FormatFloat(f, 'g', -1, 64), f, true
	}
	if integer(text) {
		return string(text), f, true
	}
	return strconv.FormatFloat(f, 'f', -1, 64), f, true
}

func integer(text []byte) bool {
	for i, c := range text {
		if (c < '0' || c > '9') && (c != '-' || i > 0) {
			return false
		}
	}
	return len(text) > 0
}

// isNumber reports whether a text is a number as JSON writes them: so "007",
// "0x10" and "Inf" are none.
func isNumber(s []byte) bool {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	start := i
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == start || i-start > 1 && s[start] == '0' {
		return false
	}
	if i < len(s) && s[i] == '.' {
		i++
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == from {
			return false
		}
	}
	return i == len(s)
}
