package mongostore

import (
	"strings"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"catalog/catalog"
)

// formatVersion is the version of the layout that the package's doc describes.
const formatVersion = 1

// The collections that are not named after a kind.
const (
	headsName = "heads"
	logName   = "log"
	stateName = "state"
	metaName  = "meta"
)

// The fields of records, heads and blocks of the log.
const (
	fieldID     = "_id"
	fieldSeq    = "seq"
	fieldHash   = "hash"
	fieldSource = "source"
	fieldRefs   = "refs"
	fieldDoc    = "doc"
	fieldAs     = "spelled"
	fieldRaw    = "raw"

	fieldSpan    = "span"
	fieldCount   = "count"
	fieldEntries = "entries"
	fieldDeltas  = "deltas"
	fieldWriter  = "writer"
)

// maxSpan is the most Seqs that one block of the log covers.
const maxSpan = 1000

// headsApart reports whether the heads of a kind are in a collection of their
// own: products, whose bodies are too large to be read for their heads alone.
func headsApart(k catalog.Kind) bool { return k == catalog.KindProduct }

// text returns s as the string it is, or as bytes where BSON has no such string.
func text(s string) any {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return bson.Binary{Data: []byte(s)}
}

// textOf reads what text made.
func textOf(v bson.RawValue) (string, bool) {
	if s, ok := v.StringValueOK(); ok {
		return s, true
	}
	_, data, ok := v.BinaryOK()
	return string(data), ok
}

// possible reports whether a record can have key: the server is not to be asked
// for what BSON cannot say.
func possible(kind catalog.Kind, key catalog.Key) bool { return kind.CheckKey(string(key)) == nil }

// refTypes are the names of refs in the database.
var refTypes = map[catalog.RefType]string{
	catalog.RefURLKey:         "url",
	catalog.RefVariant:        "variant",
	catalog.RefCategoryURLKey: "category",
}

// refToken is how a ref is kept: url/STORE/VALUE, where a slash in STORE is %2F.
func refToken(r catalog.Ref) any {
	store := strings.NewReplacer("%", "%25", "/", "%2F").Replace(r.Store)
	return text(refTypes[r.Type] + "/" + store + "/" + r.Value)
}

// refKinds are the kinds whose records are looked up by refs.
var refKinds = []catalog.Kind{catalog.KindProduct, catalog.KindCategory}
