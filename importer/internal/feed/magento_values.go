package feed

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"catalog/importer/internal/jsontext"
)

// appendAmount appends a number as it is written; what is none stays text, for
// the rules of package catalog to judge.
func appendAmount(out, text []byte) []byte {
	if text = trim(text); jsontext.IsNumber(text) {
		return append(out, text...)
	}
	return jsontext.AppendString(out, text)
}

func appendStatus(out, text []byte) []byte {
	switch strings.ToLower(string(text)) {
	case "1", "enabled", "yes":
		return append(out, `"enabled"`...)
	case "0", "2", "disabled", "no":
		return append(out, `"disabled"`...)
	}
	return jsontext.AppendString(out, text)
}

func appendVisibility(out, text []byte) []byte {
	switch strings.ToLower(strings.ReplaceAll(string(text), " ", "")) {
	case "catalog,search", "4":
		return append(out, `"catalog_search"`...)
	case "catalog", "2":
		return append(out, `"catalog"`...)
	case "search", "3":
		return append(out, `"search"`...)
	case "notvisibleindividually", "1":
		return append(out, `"none"`...)
	}
	return jsontext.AppendString(out, text)
}

// appendStrings appends an array of strings.
func appendStrings(out []byte, list [][]byte) []byte {
	out = append(out, '[')
	for _, s := range list {
		out = jsontext.AppendString(comma(out), s)
	}
	return append(out, ']')
}

// splitList splits a list at its commas. A word with commas stands in quotes.
func splitList(list [][]byte, text []byte) [][]byte {
	for _, w := range splitLabels(nil, text) {
		if len(w) > 0 {
			list = append(list, w)
		}
	}
	return list
}

// splitLabels is splitList that keeps empty words.
func splitLabels(list [][]byte, text []byte) [][]byte {
	for {
		if v, after, ok := quoted(bytes.TrimLeft(text, " \t\n\r")); ok && (len(trim(after)) == 0 || trim(after)[0] == ',') {
			list = append(list, v)
			if after = trim(after); len(after) == 0 {
				return list
			}
			text = after[1:]
			continue
		}
		i := bytes.IndexByte(text, ',')
		if i < 0 {
			return append(list, trim(text))
		}
		list = append(list, trim(text[:i]))
		text = text[i+1:]
	}
}

// splitCategories splits a list of category paths at its commas. A path with
// commas stands in quotes; where it does not, a word after ", " that has no
// level, behind a path that has, belongs to that path's last name.
func splitCategories(list [][]byte, text []byte) [][]byte {
	from := len(list)
	rest := text
	for _, w := range splitLabels(nil, text) {
		i := bytes.Index(rest, w)
		spaced := i > 0 && isSpace(rest[i-1])
		rest = rest[max(i, 0)+len(w):]
		switch {
		case len(w) == 0:
		case spaced && len(list) > from && bytes.IndexByte(w, '/') < 0 && isBelow(list[len(list)-1], w):
			list[len(list)-1] = append(append(bytes.Clone(list[len(list)-1]), ", "...), w...)
		default:
			list = append(list, w)
		}
	}
	return list
}

// isBelow reports that path has levels, the first of which is not w.
func isBelow(path, w []byte) bool {
	root, _, levels := bytes.Cut(path, []byte("/"))
	return levels && !bytes.Equal(trim(root), w)
}

// appendCategories appends paths as an array. A backslash stands for itself in
// Magento, except before a slash that is part of a name; ours is doubled.
func appendCategories(out []byte, paths [][]byte) []byte {
	out = append(out, '[')
	var path []byte
	for _, p := range paths {
		path = path[:0]
		for i := 0; i < len(p); i++ {
			switch c := p[i]; {
			case c == '\\' && i+1 < len(p) && p[i+1] == '/':
				path = append(path, '\\', '/')
				i++
			case c == '\\':
				path = append(path, '\\', '\\')
			case c == '/':
				path = append(bytes.TrimRight(path, " "), '/')
				for i+1 < len(p) && p[i+1] == ' ' {
					i++
				}
			default:
				path = append(path, c)
			}
		}
		out = jsontext.AppendString(comma(out), path)
	}
	return append(out, ']')
}

// appendDate appends a date. Magento's own spellings become YYYY-MM-DD, with
// the time of day after a T where it is not midnight; month before day where
// AM or PM or a day above 12 says so, or where sure is set. Anything else stays
// as it is.
func appendDate(out, text []byte, sure bool) []byte {
	if len(text) < 6 || text[0] < '0' || text[0] > '9' || len(text) >= 10 && text[4] == '-' && (len(text) == 10 || text[10] == 'T') {
		return jsontext.AppendString(out, text)
	}
	s := string(text)
	for _, space := range []string{"\u202f", "\u00a0"} { // before AM and PM
		s = strings.ReplaceAll(s, space, " ")
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return appendTime(out, t)
		}
	}
	american := strings.HasSuffix(strings.ToUpper(s), "M")
	for _, layout := range []string{
		"1/2/06, 3:04 PM", "1/2/06 3:04 PM", "1/2/2006, 3:04 PM", "1/2/2006 3:04 PM",
		"1/2/06", "1/2/2006", "1/2/06, 15:04", "1/2/2006 15:04", "1/2/2006 15:04:05",
	} {
		t, err := time.Parse(layout, strings.ToUpper(s))
		if err == nil && (american || sure || t.Day() > 12) {
			return appendTime(out, t)
		}
	}
	for _, layout := range []string{"2/1/06", "2/1/2006", "2.1.2006", "2.1.06", "2/1/2006 15:04", "2.1.2006 15:04"} {
		if t, err := time.Parse(layout, s); err == nil && (strings.Contains(layout, ".") || t.Day() > 12) {
			return appendTime(out, t)
		}
	}
	return jsontext.AppendString(out, text)
}

func appendTime(out []byte, t time.Time) []byte {
	layout := "2006-01-02"
	if t.Hour()+t.Minute()+t.Second() > 0 {
		layout = time.RFC3339
	}
	return strconv.AppendQuote(out, t.Format(layout))
}
