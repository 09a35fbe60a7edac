package importer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"catalog/catalog"
)

// The reasons that this package gives, beside those of package catalog and of
// the feed formats.
const (
	ReasonUnknown  catalog.Reason = "unknown_sku"    // patch, or a store row, of a key that is not there
	ReasonSchema   catalog.Reason = "schema"         // the caller's JSON Schema says no
	ReasonMapping  catalog.Reason = "mapping"        // the mapping cannot be applied
	ReasonConflict catalog.Reason = "write_conflict" // others kept changing the record while it was patched
)

// rejects writes the rejects file.
type rejects struct {
	w   io.Writer
	buf *bufio.Writer
	acc *account
}

// add counts a reject and writes it.
func (r *rejects) add(x *Reject) (total int64, err error) {
	total = r.acc.reject(x)
	if r.w == nil {
		return total, nil
	}
	if r.buf == nil {
		r.buf = bufio.NewWriterSize(r.w, 64<<10)
	}
	line, err := json.Marshal(x)
	if err != nil {
		return total, fmt.Errorf("importer: rejects file: %w", err)
	}
	if _, err := r.buf.Write(append(line, '\n')); err != nil {
		return total, fmt.Errorf("importer: rejects file: %w", err)
	}
	return total, nil
}

func (r *rejects) flush() error {
	if r.buf == nil {
		return nil
	}
	if err := r.buf.Flush(); err != nil {
		return fmt.Errorf("importer: rejects file: %w", err)
	}
	return nil
}

// newReject describes a record that was not accepted. The original goes along
// as an object when it is one, so that a corrected file can be fed in again.
func newReject(in *input, line, offset int64, key string, err error, original []byte) *Reject {
	x := &Reject{Feed: in.Name, Line: line, Offset: offset, Key: key, Reason: catalog.ReasonJSON, Detail: err.Error()}
	var inv *catalog.InvalidError
	if errors.As(err, &inv) {
		x.Reason, x.Path, x.Detail = inv.Reason, inv.Path, inv.Detail
	}
	original = unwrap(original)
	switch {
	case len(original) == 0:
	case json.Valid(original) && utf8.Valid(original):
		x.Record = json.RawMessage(append([]byte(nil), original...))
	default:
		x.Record = string(original)
	}
	return x
}

// unwrap returns the record inside a line of a rejects file, so that a
// corrected one can be fed in as it is; any other document as it is.
func unwrap(doc []byte) []byte {
	if len(doc) < 8 || string(doc[:8]) != `{"feed":` {
		return doc
	}
	if catalog.MemberValue(doc, "reason") == nil || catalog.MemberValue(doc, "detail") == nil {
		return doc
	}
	rec := catalog.MemberValue(doc, "record")
	if len(rec) == 0 {
		return doc
	}
	if rec[0] == '"' {
		var text string
		if json.Unmarshal(rec, &text) == nil {
			return []byte(text)
		}
	}
	return rec
}
