package export

// Join appends the product document with its price and stock records, either
// of which may be nil, put back into it as a feed carries them: "prices" and
// "stock". The arguments are compact JSON, as stores keep it. A record that a
// feed could not carry inside the document is left out.
func Join(dst, product, price, stock []byte) []byte {
	dst, _, _ = join(dst, product, price, stock)
	return dst
}

// join is Join, and says which records are in what it wrote.
func join(dst, product, price, stock []byte) (out []byte, priceIn, stockIn bool) {
	if len(product) < 2 {
		return append(dst, product...), false, false
	}
	dst = append(dst, product[:len(product)-1]...)
	comma := len(product) > 2
	if len(price) > 0 && !hasPriceMember(product) {
		if list := pricesOf(price); list != nil {
			dst = appendMember(dst, &comma, `"prices":`)
			dst = append(dst, list...)
			priceIn = true
		}
	}
	if len(stock) > 0 {
		dst, stockIn = appendStock(dst, &comma, stock)
	}
	return append(dst, '}'), priceIn, stockIn
}

func appendMember(dst []byte, comma *bool, name string) []byte {
	if *comma {
		dst = append(dst, ',')
	}
	*comma = true
	return append(dst, name...)
}

// hasPriceMember reports whether a product document has kept a member that,
// beside "prices", would be taken for part of a price: a currency without any
// amount, say, which is no price by itself.
func hasPriceMember(product []byte) bool {
	found := false
	eachMember(product, func(name, _ []byte) bool {
		switch string(name) {
		case "price", "prices", "special_price", "special_from", "special_to", "msrp", "currency", "tiers", "tier_prices":
			found = true
		}
		return !found
	})
	return found
}

// pricesOf returns the entries of a price record, nil if it has members beside
// them.
func pricesOf(price []byte) []byte {
	var list []byte
	alone := eachMember(price, func(name, value []byte) bool {
		switch string(name) {
		case "sku":
			return true
		case "prices":
			list = value
			return len(value) > 2 // of none the importer would make no record
		}
		return false
	})
	if !alone {
		return nil
	}
	return list
}

// appendStock appends the member "stock", if the record says more than its SKU.
func appendStock(dst []byte, comma *bool, stock []byte) ([]byte, bool) {
	start, had := len(dst), *comma
	dst = appendMember(dst, comma, `"stock":{`)
	inner := false
	eachMember(stock, func(name, value []byte) bool {
		if string(name) != "sku" {
			if inner {
				dst = append(dst, ',')
			}
			inner = true
			dst = append(dst, '"')
			dst = append(dst, name...)
			dst = append(dst, '"', ':')
			dst = append(dst, value...)
		}
		return true
	})
	if !inner {
		*comma = had
		return dst[:start], false
	}
	return append(dst, '}'), true
}

// appendMarked appends a record that stands in a feed of products as a line of
// its own, marked by its kind.
func appendMarked(dst []byte, kind string, body []byte) []byte {
	dst = append(dst, `{"$kind":"`...)
	dst = append(dst, kind...)
	dst = append(dst, '"')
	if len(body) > 2 {
		dst = append(dst, ',')
	}
	return append(dst, body[1:]...)
}

// eachMember calls f for the members of a compact JSON object, with the name
// as it is written between its quotes, until f returns false. It reports
// whether f never did and the object was whole.
func eachMember(object []byte, f func(name, value []byte) bool) bool {
	i := 1
	for i < len(object) && object[i] == '"' {
		name := i + 1
		i += skipString(object[i:])
		nameEnd := i - 1
		if i >= len(object) || object[i] != ':' {
			return false
		}
		i++
		value := i
		i += skipValue(object[i:])
		if i >= len(object) {
			return false
		}
		if !f(object[name:nameEnd], object[value:i]) {
			return false
		}
		if object[i] == ',' {
			i++
		}
	}
	return i == len(object)-1 && object[i] == '}'
}

// skipString returns the length of the string that s starts with.
func skipString(s []byte) int {
	i := 1
	for i < len(s) {
		i += plainRun(s[i:])
		if i >= len(s) || s[i] == '"' {
			break
		}
		if s[i] == '\\' {
			i++
		}
		i++
	}
	return min(i+1, len(s))
}

// skipValue returns the length of the compact JSON value that s starts with.
func skipValue(s []byte) int {
	depth := 0
	for i := 0; i < len(s); {
		switch s[i] {
		case '"':
			i += skipString(s[i:])
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return len(s)
}
