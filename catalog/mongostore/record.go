package mongostore

import (
	"encoding/binary"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"catalog/catalog"
)

// appendHead begins a document with the fields of a head and returns where its
// Seq, yet unknown, is to be put.
func appendHead(dst []byte, key catalog.Key, hash catalog.Hash, source string) (_ []byte, seqAt int) {
	dst = bsoncore.AppendStringElement(dst, fieldID, string(key))
	dst = bsoncore.AppendInt64Element(dst, fieldSeq, 0)
	seqAt = len(dst) - 8
	dst = bsoncore.AppendBinaryElement(dst, fieldHash, 0, hash[:])
	return appendText(dst, fieldSource, source), seqAt
}

func appendText(dst []byte, field, s string) []byte {
	if b, ok := text(s).(bson.Binary); ok {
		return bsoncore.AppendBinaryElement(dst, field, 0, b.Data)
	}
	return bsoncore.AppendStringElement(dst, field, s)
}

func putSeq(doc []byte, at int, seq int64) { binary.LittleEndian.PutUint64(doc[at:], uint64(seq)) }

// head appends the document of a head.
func (e *encoder) head(dst []byte, key catalog.Key, hash catalog.Hash, source string) (_ []byte, seqAt int) {
	start, dst := bsoncore.AppendDocumentStart(dst)
	dst, seqAt = appendHead(dst, key, hash, source)
	dst, _ = bsoncore.AppendDocumentEnd(dst, start) // fails for lengths beyond 2 GiB
	return dst, seqAt
}

// record appends the document of a record.
func (e *encoder) record(dst []byte, key catalog.Key, hash catalog.Hash, source string, refs []catalog.Ref, body []byte) (_ []byte, seqAt int) {
	start, dst := bsoncore.AppendDocumentStart(dst)
	dst, seqAt = appendHead(dst, key, hash, source)
	if len(refs) > 0 {
		tokens := make([]any, len(refs))
		for i, r := range refs {
			tokens[i] = refToken(r)
		}
		dst = appendArray(dst, fieldRefs, tokens)
	}
	if doc, as, ok := e.body(body); ok {
		dst = bsoncore.AppendDocumentElement(dst, fieldDoc, doc)
		if len(as) > 0 {
			var list []any
			for _, sp := range as {
				list = append(list, sp.n, sp.text)
			}
			dst = appendArray(dst, fieldAs, list)
		}
	} else {
		dst = bsoncore.AppendBinaryElement(dst, fieldRaw, 0, body)
	}
	dst, _ = bsoncore.AppendDocumentEnd(dst, start)
	return dst, seqAt
}

// appendArray appends an array of numbers, strings and bytes.
func appendArray(dst []byte, field string, values []any) []byte {
	start, dst := bsoncore.AppendArrayElementStart(dst, field)
	for i, v := range values {
		name := strconv.Itoa(i)
		switch v := v.(type) {
		case int32:
			dst = bsoncore.AppendInt32Element(dst, name, v)
		case string:
			dst = bsoncore.AppendStringElement(dst, name, v)
		case bson.Binary:
			dst = bsoncore.AppendBinaryElement(dst, name, 0, v.Data)
		}
	}
	dst, _ = bsoncore.AppendArrayEnd(dst, start)
	return dst
}

// parseHead reads the fields of a head.
func parseHead(kind catalog.Kind, raw bson.Raw) (catalog.Head, error) {
	h := catalog.Head{Kind: kind}
	_, rest, ok := bsoncore.ReadLength(raw)
	seen := 0
	// Its four fields are the first, so that the rest need not be looked at.
	for ok && seen < 4 && len(rest) > 1 {
		var e bsoncore.Element
		if e, rest, ok = bsoncore.ReadElement(rest); !ok {
			break
		}
		value, err := e.ValueErr()
		if err != nil {
			return h, corrupt("a document of %s: %v", kind.Plural(), err)
		}
		v := bson.RawValue{Type: bson.Type(value.Type), Value: value.Data}
		switch string(e.KeyBytes()) {
		case fieldID:
			var key string
			key, ok = v.StringValueOK()
			h.Key = catalog.Key(key)
		case fieldSeq:
			var seq int64
			seq, ok = v.AsInt64OK()
			h.Seq, ok = catalog.Seq(seq), ok && seq > 0
		case fieldHash:
			var data []byte
			_, data, ok = v.BinaryOK()
			ok = ok && copy(h.Hash[:], data) == len(h.Hash)
		case fieldSource:
			h.Source, ok = textOf(v)
		default:
			continue
		}
		if seen++; !ok {
			return h, corrupt("%s of %v %q", e.Key(), kind, h.Key)
		}
	}
	if !ok || seen != 4 {
		return h, corrupt("%v %q lacks a part of its head", kind, h.Key)
	}
	return h, nil
}

// parseRecord reads a record, whose body is appended to buf.
func parseRecord(kind catalog.Kind, raw bson.Raw, buf []byte) (catalog.Record, error) {
	head, err := parseHead(kind, raw)
	r := catalog.Record{Head: head}
	if err != nil {
		return r, err
	}
	if doc, ok := raw.Lookup(fieldDoc).DocumentOK(); ok {
		as, err := parseSpellings(raw.Lookup(fieldAs))
		if err == nil {
			r.Body, err = appendBody(buf, doc, as)
		}
		if err != nil {
			return r, corrupt("the body of %v %q: %v", kind, r.Key, err)
		}
		return r, nil
	}
	_, data, ok := raw.Lookup(fieldRaw).BinaryOK()
	if !ok {
		return r, corrupt("%v %q has no body", kind, r.Key)
	}
	r.Body = append(buf, data...)
	if r.Body == nil {
		r.Body = []byte{}
	}
	return r, nil
}

// parseSpellings reads what record wrote of them.
func parseSpellings(v bson.RawValue) ([]spelling, error) {
	if v.IsZero() {
		return nil, nil
	}
	list, ok := v.ArrayOK()
	if !ok {
		return nil, corrupt("spellings that are no list")
	}
	values, err := list.Values()
	if err != nil || len(values)%2 != 0 {
		return nil, corrupt("a list of %d spellings: %v", len(values), err)
	}
	var as []spelling
	for i := 0; i < len(values); i += 2 {
		n, ok := values[i].AsInt64OK()
		text, ok2 := values[i+1].StringValueOK()
		if !ok || !ok2 || len(as) > 0 && int64(as[len(as)-1].n) >= n {
			return nil, corrupt("the spelling %d", i/2)
		}
		as = append(as, spelling{int32(n), text})
	}
	return as, nil
}
