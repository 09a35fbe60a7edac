package feed

import (
	"encoding/json"
	"fmt"
)

// keyText returns the text of a JSON value that is a key: of a string its
// content, of anything else its spelling.
func keyText(value []byte) []byte {
	value = trim(value)
	if len(value) < 2 || value[0] != '"' {
		if string(value) == "null" {
			return nil
		}
		return value
	}
	for _, c := range value[1 : len(value)-1] {
		if c == '\\' {
			var s string
			if json.Unmarshal(value, &s) != nil {
				return value
			}
			return []byte(s)
		}
	}
	return value[1 : len(value)-1]
}

// members calls yield for each member of a JSON object, with the name as it
// stands between its quotes. The object must be valid JSON; what is not is an
// error or yields nonsense, but does no harm.
func members(obj []byte, yield func(name, value []byte) error) error {
	obj = trim(obj)
	if len(obj) < 2 || obj[0] != '{' || obj[len(obj)-1] != '}' {
		return fmt.Errorf("not a JSON object")
	}
	for i := 1; ; i++ {
		i = skipSpace(obj, i)
		if i < len(obj) && obj[i] == '}' {
			return nil
		}
		end := stringEnd(obj, i)
		if end < 0 {
			return fmt.Errorf("no member name at byte %d", i)
		}
		name := obj[i+1 : end-1]
		i = skipSpace(obj, end)
		if i >= len(obj) || obj[i] != ':' {
			return fmt.Errorf("no colon at byte %d", i)
		}
		from := skipSpace(obj, i+1)
		if i = valueEnd(obj, from); i < 0 {
			return fmt.Errorf("no value at byte %d", from)
		}
		if err := yield(name, trim(obj[from:i])); err != nil {
			return err
		}
		if i = skipSpace(obj, i); i >= len(obj) {
			return fmt.Errorf("not a JSON object")
		}
		switch obj[i] {
		case '}':
			return nil
		case ',':
		default:
			return fmt.Errorf("no comma at byte %d", i)
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// stringEnd returns the end of the JSON string that starts at i, -1 if none does.
func stringEnd(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	for i++; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return -1
}

// valueEnd returns the end of the JSON value that starts at i, -1 if it has
// none.
func valueEnd(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return stringEnd(b, i)
	case '{', '[':
		depth := 0
		for ; i < len(b); i++ {
			switch b[i] {
			case '"':
				end := stringEnd(b, i)
				if end < 0 {
					return -1
				}
				i = end - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return -1
	}
	from := i
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && !isSpace(b[i]) {
		i++
	}
	if i == from {
		return -1
	}
	return i
}
