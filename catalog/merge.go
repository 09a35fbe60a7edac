package catalog

import (
	"bytes"

	"catalog/catalog/internal/jsonscan"
)

// MergePatch appends doc as changed by patch, by the rules of RFC 7396:
// members of the patch replace those of doc, null removes, objects are merged.
// The order of doc's members stays; new ones follow. Both must be JSON objects
// that Parse accepts.
func MergePatch(dst, doc, patch []byte) []byte {
	old := jsonscan.AppendMembers(nil, doc)
	diff := jsonscan.AppendMembers(nil, patch)
	dst = append(dst, '{')
	first := true
	used := make([]bool, len(diff))
	for i := range old {
		m := &old[i]
		j := memberOf(diff, patch, m, doc)
		if j < 0 {
			dst = appendComma(dst, &first)
			dst = appendMember(dst, doc, m)
			dst = append(dst, m.Value(doc)...)
			continue
		}
		used[j] = true
		if diff[j].Type == jsonscan.Null {
			continue
		}
		dst = appendComma(dst, &first)
		dst = appendMember(dst, doc, m)
		dst = appendMerged(dst, m.Value(doc), m.Type, diff[j].Value(patch), diff[j].Type)
	}
	for j := range diff {
		if used[j] || diff[j].Type == jsonscan.Null {
			continue
		}
		dst = appendComma(dst, &first)
		dst = appendMember(dst, patch, &diff[j])
		dst = appendMerged(dst, nil, jsonscan.Invalid, diff[j].Value(patch), diff[j].Type)
	}
	return append(dst, '}')
}

// appendMerged appends what a member is after the patch.
func appendMerged(dst, old []byte, oldType jsonscan.Type, diff []byte, diffType jsonscan.Type) []byte {
	switch {
	case diffType != jsonscan.Object:
		return append(dst, diff...)
	case oldType != jsonscan.Object:
		return MergePatch(dst, []byte("{}"), diff)
	}
	return MergePatch(dst, old, diff)
}

func appendMember(dst, doc []byte, m *jsonscan.Member) []byte {
	dst = append(dst, doc[m.KeyStart-1:m.KeyEnd+1]...)
	return append(dst, ':')
}

// memberOf returns the index in list of the member with the name of m, or -1.
func memberOf(list []jsonscan.Member, doc []byte, m *jsonscan.Member, mdoc []byte) int {
	name := m.Key(mdoc)
	if m.Escaped {
		name = jsonscan.AppendUnquoted(nil, name)
	}
	for i := range list {
		other := list[i].Key(doc)
		if list[i].Escaped {
			other = jsonscan.AppendUnquoted(nil, other)
		}
		if bytes.Equal(other, name) {
			return i
		}
	}
	return -1
}

// MemberValue returns the value of a member of a JSON object, as it stands in
// it; nil if there is none. The object must be valid.
func MemberValue(doc []byte, name string) []byte {
	for i := skipToMembers(doc); i >= 0 && i < len(doc); {
		var key, val []byte
		key, val, i = nextMember(doc, i)
		if key == nil {
			return nil
		}
		if string(key) == name || bytes.IndexByte(key, '\\') >= 0 && string(jsonscan.AppendUnquoted(nil, key)) == name {
			return val
		}
	}
	return nil
}

// KeyText returns the text of a key's value as MemberValue gives it: that of a
// string, or a whole number as it is written; nil for anything else. It may
// be part of val.
func KeyText(val []byte) []byte {
	switch jsonscan.TypeOf(val) {
	case jsonscan.String:
		if len(val) < 2 {
			return nil
		}
		if s := val[1 : len(val)-1]; bytes.IndexByte(s, '\\') < 0 {
			return s
		}
		return []byte(jsonscan.Text(val))
	case jsonscan.Number:
		if isInteger(val) {
			return val
		}
	}
	return nil
}

// skipToMembers returns where the first member of an object starts, or -1.
func skipToMembers(doc []byte) int {
	i := jsonscan.SkipSpace(doc, 0)
	if i >= len(doc) || doc[i] != '{' {
		return -1
	}
	return i + 1
}

// nextMember returns the member at or after i, which stands after a { or a
// comma, and the place after it.
func nextMember(doc []byte, i int) (key, val []byte, next int) {
	i = jsonscan.SkipSpace(doc, i)
	if i < len(doc) && doc[i] == ',' {
		i = jsonscan.SkipSpace(doc, i+1)
	}
	if i >= len(doc) || doc[i] != '"' {
		return nil, nil, len(doc)
	}
	end := jsonscan.Skip(doc, i)
	if end-1 <= i {
		return nil, nil, len(doc)
	}
	key = doc[i+1 : end-1]
	i = jsonscan.SkipSpace(doc, end)
	if i >= len(doc) || doc[i] != ':' {
		return nil, nil, len(doc)
	}
	i = jsonscan.SkipSpace(doc, i+1)
	if i >= len(doc) {
		return nil, nil, len(doc)
	}
	end = jsonscan.Skip(doc, i)
	return key, doc[i:end], end
}
