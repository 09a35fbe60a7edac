package elasticindex

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"math"
	"strconv"
	"strings"

	"catalog/indexer"
)

// format is the version of everything in this file, in encode.go, in binary.go
// and in mapping.go. An index of another one is rebuilt.
const format = 2

// The kinds of Elasticsearch documents.
const (
	kindBoth    = "b" // a document with one unit: a hit as product and as variant
	kindProduct = "p" // a document with several units, which are nested
	kindVariant = "v" // one of these units, as a hit of its own
	kindMeta    = "m" // cursor and fingerprint
)

// sep separates the parts of a key. Names, which may contain anything, are
// escaped, and so is what writer.lines joins.
const sep = "\x01"

var (
	escaper   = strings.NewReplacer("\x01", "\x02a", "\x02", "\x02b", "\n", "\x02c")
	unescaper = strings.NewReplacer("\x02a", "\x01", "\x02b", "\x02", "\x02c", "\n", "\x02d", "")
)

func escape(name string) string {
	for i := range len(name) {
		if c := name[i]; c <= '\n' && (c == '\n' || c == 1 || c == 2) {
			return escaper.Replace(name)
		}
	}
	return name
}

// lineOf returns how a string stands in what writer.lines writes, and so how it
// is found there: the engine has no empty terms of lines.
func lineOf(s string) string {
	if s == "" {
		return "\x02d"
	}
	return escape(s)
}

// split takes apart what writer.lines wrote.
func split(s string) []string {
	if s == "" {
		return nil
	}
	list := strings.Split(s, "\n")
	if strings.Contains(s, "\x02") {
		for i := range list {
			list[i] = unescaper.Replace(list[i])
		}
	}
	return list
}

// partitions is how many fields share the values of all attributes, each name
// always in the same one: a field's ordinals are computed anew after each
// refresh, when a facet needs them, and only those of that field.
const partitions = 16

func partition(name string) int {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int(h.Sum32() % partitions)
}

// The fields of a unit, of flat documents as they stand, of nested units below
// "u.".
const (
	fieldStores  = "us" // stores that sell it
	fieldInStock = "is"
	fieldIDs     = "id" // its SKU and its product's
	fieldNames   = "a"  // attributes that it has
	fieldPrices  = "p"  // packed scope and amount
	fieldNext    = "nx" // Live.Next
	fieldSuggest = "sv" // words of values
	nestedPrefix = "u."
)

func fieldValues(name string) string  { return "kv" + digit(partition(name)) }
func fieldNumbers(name string) string { return "nu" + digit(partition(name)) }

func digit(n int) string { return hexDigits[n : n+1] }

// sortable writes a number such that the order of bytes is that of numbers.
func sortable(b []byte, f float64) []byte {
	if f == 0 {
		f = 0 // not -0
	}
	n := math.Float64bits(f)
	if n>>63 != 0 {
		n = ^n
	} else {
		n |= 1 << 63
	}
	return hex.AppendEncode(b, binary.BigEndian.AppendUint64(nil, n))
}

// unsortable reads what sortable wrote.
func unsortable(s string) (float64, bool) {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 {
		return 0, false
	}
	if n>>63 != 0 {
		n &^= 1 << 63
	} else {
		n = ^n
	}
	return math.Float64frombits(n), true
}

// A packed price is (scope−32768)·2⁴⁸ + amount + 2⁴⁷.
const (
	amountBits = 48
	amountBias = int64(1) << (amountBits - 1)
	maxScopes  = 1 << 16
	maxAmount  = indexer.Amount(amountBias - 1) // some 14 billion of a currency
)

func scopeBase(scope int) int64 { return (int64(scope) - maxScopes/2) << amountBits }

func packPrice(scope int, a indexer.Amount) int64 {
	a = max(min(a, maxAmount), -maxAmount)
	return scopeBase(scope) + int64(a) + amountBias
}

// categoryHash tells the categories of one document apart.
func categoryHash(id string) int64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	n := h.Sum64()
	// FNV's upper bits hardly change with the last byte: mix.
	n ^= n >> 33
	n *= 0xff51afd7ed558ccd
	n ^= n >> 33
	return int64(n >> 1)
}

// sampleKey is SampleHash as a signed number of the same order.
func sampleKey(sku string) int64 { return int64(indexer.SampleHash(sku) ^ 1<<63) }

// maxNameKey is how many bytes of a name's collation key names are sorted by.
const maxNameKey = 4096

// nameKeys is base64 whose texts sort like what they stand for.
var nameKeys = base64.NewEncoding("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz").WithPadding(base64.NoPadding)

func nameKey(key []byte) string { return nameKeys.EncodeToString(key[:min(len(key), maxNameKey)]) }

// nextMillis rounds up: nothing is due too early.
func nextMillis(l *indexer.Live) int64 {
	n := l.Next.UnixMilli()
	if l.Next.Nanosecond()%1e6 != 0 {
		n++
	}
	return n
}

// docKey tells the documents of one product apart, its variants included.
func docKey(d *indexer.Document) string { return d.SKU + sep + d.View }
