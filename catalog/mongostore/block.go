package mongostore

import (
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"catalog/catalog"
)

// block is a document of the log: what one transaction changed. Its _id is its
// first Seq; entries take Seqs from there on, one each. What of the span has no
// entry is a gap.
type block struct {
	ID      int64         `bson:"_id"`
	Span    int64         `bson:"span"`
	Count   int64         `bson:"count"`
	Entries string        `bson:"entries,omitempty"` // a line each: kind, op, key
	Deltas  []delta       `bson:"deltas,omitempty"`
	Writer  string        `bson:"writer,omitempty"`
	At      bson.DateTime `bson:"at,omitempty"`
}

// blockSizes is the projection of a block without its entries.
var blockSizes = bson.D{{Key: fieldSpan, Value: 1}, {Key: fieldCount, Value: 1}}

// appendEntry appends the line of a change: "1+SKU" for a put, "1-SKU" for a
// delete. Keys have no line feeds.
func appendEntry(dst []byte, kind catalog.Kind, op catalog.Op, key catalog.Key) []byte {
	if len(dst) > 0 {
		dst = append(dst, '\n')
	}
	dst = strconv.AppendUint(dst, uint64(kind), 10)
	if op == catalog.OpDelete {
		dst = append(dst, '-')
	} else {
		dst = append(dst, '+')
	}
	return append(dst, key...)
}

// changes calls yield for the entries after a Seq; false when yield has had
// enough.
func (b *block) changes(after catalog.Seq, yield func(catalog.Change) bool) (bool, error) {
	seq, n := catalog.Seq(b.ID), int64(0)
	if b.Count > 0 {
		for line := range strings.SplitSeq(b.Entries, "\n") {
			c, err := parseEntry(line)
			if err != nil {
				return false, err
			}
			c.Seq = seq
			seq, n = seq+1, n+1
			if c.Seq > after && !yield(c) {
				return false, nil
			}
		}
	}
	if n != b.Count || n > b.Span {
		return false, corrupt("the block %d of the log has %d entries, not %d", b.ID, n, b.Count)
	}
	return true, nil
}

func parseEntry(line string) (catalog.Change, error) {
	if len(line) < 3 || line[0] < '1' || line[0] > '0'+byte(catalog.KindAttribute) || line[1] != '+' && line[1] != '-' {
		return catalog.Change{}, corrupt("the entry %q of the log", line)
	}
	op := catalog.OpPut
	if line[1] == '-' {
		op = catalog.OpDelete
	}
	return catalog.Change{Kind: catalog.Kind(line[0] - '0'), Op: op, Key: catalog.Key(line[2:])}, nil
}
