package placeholder

import (
	"strings"

	"catalog/catalog"
)

// stockOf says what a stock record means for the shop. Without a record, or
// one that is not managed, there is always enough.
func stockOf(record catalog.Value, manage bool) Stock {
	var qty, inStock, managed, backorders, least, most string
	for key, v := range record.Members() {
		t := strings.ToLower(strings.TrimSpace(scalar(v)))
		switch string(key) {
		case "qty":
			qty = t
		case "in_stock":
			inStock = t
		case "manage":
			managed = t
		case "backorders":
			backorders = t
		case "min_qty":
			least = t
		case "max_qty":
			most = t
		}
	}
	s := Stock{InStock: true, Qty: "0.0000", MinSale: quantity(least), MaxSale: quantity(most)}
	if managed == "false" {
		return s
	}
	amount := fixed(qty, 4)
	switch backorders {
	case "", "0", "false", "no", "none", "never":
		switch {
		case inStock == "false":
			s.InStock = false
		case inStock == "true" && !manage:
			// The flag is the merchant's word; the quantity may be another's.
		case amount != "" && isZero(amount):
			s.InStock = false
		}
	default:
		s.Backorders = manage
	}
	if manage && record != nil {
		s.Manage = amount != ""
		if s.Manage {
			s.Qty = amount
		}
	}
	if !s.InStock && !s.Manage {
		s.Qty = "0.0000"
	}
	return s
}

// quantity returns a limit that is above 0, or "".
func quantity(text string) string {
	q := fixed(text, 4)
	if isZero(q) {
		return ""
	}
	return q
}
