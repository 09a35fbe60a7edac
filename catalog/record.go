package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Limits of records, in bytes unless said otherwise.
const (
	MaxBody  = 8 << 20 // of any record
	MaxSKU   = 255
	MaxKey   = 1024 // of a category or attribute key
	MaxDepth = 64   // nesting of objects and arrays
)

// Kind is what a record describes.
type Kind uint8

// The kinds of record. The numbers are part of the stores' formats.
const (
	KindProduct Kind = iota + 1
	KindPrice
	KindStock
	KindCategory
	KindAttribute
)

// Kinds returns all kinds in the order in which they are exported: what others
// refer to first.
func Kinds() []Kind {
	return []Kind{KindAttribute, KindCategory, KindProduct, KindPrice, KindStock}
}

// String returns the kind's name in the singular.
func (k Kind) String() string {
	switch k {
	case KindProduct:
		return "product"
	case KindPrice:
		return "price"
	case KindStock:
		return "stock"
	case KindCategory:
		return "category"
	case KindAttribute:
		return "attribute"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Plural returns the kind's name as flags and reports write it.
func (k Kind) Plural() string {
	switch k {
	case KindStock:
		return "stock"
	case KindCategory:
		return "categories"
	}
	return k.String() + "s"
}

// ParseKind reads a kind's name, in the singular or plural.
func ParseKind(s string) (Kind, error) {
	for _, k := range Kinds() {
		if s == k.String() || s == k.Plural() {
			return k, nil
		}
	}
	return 0, fmt.Errorf("unknown kind %q: use products, prices, stock, categories or attributes", s)
}

// Key names a record among those of its kind; keys compare byte by byte.
type Key string

// Seq orders all changes of a store; 0 is before the first. Gaps are allowed.
type Seq uint64

// Hash is the digest of a body: two bodies with the same Hash are the same.
type Hash [16]byte

// HashOf returns the digest of a body: the first 16 bytes of its SHA-256,
// which the processors this runs on compute in hardware.
func HashOf(body []byte) Hash {
	sum := sha256.Sum256(body)
	return Hash(sum[:16])
}

// IsZero reports whether h is unset.
func (h Hash) IsZero() bool { return h == Hash{} }

// String returns h in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Head is what the store knows about a record without its body.
type Head struct {
	Kind   Kind
	Key    Key
	Hash   Hash
	Seq    Seq    // of the change that wrote the current body
	Source string // the last writer's name: who owns the record (sync deletes by it)
}

// Exists reports whether the head is of a record that is there.
func (h Head) Exists() bool { return h.Seq != 0 }

// Record is a stored record; the zero Record stands for one that is not there.
type Record struct {
	Head
	Body []byte
}

// RefType says what a Ref's value is.
type RefType uint8

// The types of ref. The numbers are part of the stores' formats.
const (
	RefURLKey         RefType = iota + 1 // a product's url_key; Store is the store code, "" for all
	RefVariant                           // the SKU of a product's variant: finds parents
	RefCategoryURLKey                    // a category's url_key, per store like a product's
)

// Ref is a second way to find a record, kept consistent with it by the store.
type Ref struct {
	Type  RefType
	Store string
	Value string
}

// Op is what a change did.
type Op uint8

// The operations. The numbers are part of the stores' formats.
const (
	OpPut Op = iota + 1
	OpDelete
)

// String returns "put" or "delete".
func (o Op) String() string {
	if o == OpDelete {
		return "delete"
	}
	return "put"
}

// Change is an entry of the change log: it names a record, and a follower
// loads the record as it is now.
type Change struct {
	Seq  Seq
	Kind Kind
	Op   Op
	Key  Key
}

// Write asks the store to put or delete one record.
type Write struct {
	Kind   Kind
	Key    Key
	Body   []byte // nil deletes
	Hash   Hash   // HashOf(Body); the store fills in a zero one
	Source string // becomes the record's owner
	Refs   []Ref  // computed by this package (Product, ParseCategory), stored with the record
	If     *Seq   // when set, the record's current Seq must be this; 0: it must not exist
}

// Outcome is what a Write came to.
type Outcome uint8

// The outcomes of a Write.
const (
	Unchanged Outcome = iota + 1 // the same body was there: no log entry; ownership may have moved
	Created
	Updated
	Deleted
	Absent   // asked to delete what is not there
	Conflict // Write.If did not hold: nothing was written
)

// String returns the outcome's name as reports write it.
func (o Outcome) String() string {
	names := [...]string{"none", "unchanged", "created", "updated", "deleted", "absent", "conflict"}
	if int(o) < len(names) {
		return names[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Result is the answer to one Write.
type Result struct {
	Outcome Outcome
	Seq     Seq // the record's Seq now; 0 when it is not there
}
