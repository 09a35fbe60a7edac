package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The encodings, as Input.Encoding has them.
const (
	utf8Name    = "utf-8"
	utf16LE     = "utf-16le"
	utf16BE     = "utf-16be"
	windows1252 = "windows-1252"
)

const bom = "\xef\xbb\xbf"

// encodingOf says in which encoding a text is, by what was asked for and by its
// first bytes, and how many of these are a byte order mark.
func encodingOf(asked string, head []byte) (name string, skip int, err error) {
	marked := ""
	switch {
	case bytes.HasPrefix(head, []byte(bom)):
		marked, skip = utf8Name, 3
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		marked, skip = utf16LE, 2
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		marked, skip = utf16BE, 2
	}
	switch strings.ToLower(strings.ReplaceAll(asked, "_", "-")) {
	case "":
		if marked != "" {
			return marked, skip, nil
		}
		if like := likeUTF16(head); like != "" {
			return "", 0, fmt.Errorf("%w: it looks like %s: say so with --encoding %s", ErrEncoding, strings.ToUpper(like), like)
		}
		return utf8Name, 0, nil
	case "utf-8", "utf8":
		if marked != utf8Name {
			skip = 0
		}
		return utf8Name, skip, nil
	case "utf-16", "utf16":
		if marked == utf16LE || marked == utf16BE {
			return marked, skip, nil
		}
		if like := likeUTF16(head); like != "" {
			return like, 0, nil
		}
		return utf16LE, 0, nil
	case utf16LE:
		if marked != utf16LE {
			skip = 0
		}
		return utf16LE, skip, nil
	case utf16BE:
		if marked != utf16BE {
			skip = 0
		}
		return utf16BE, skip, nil
	case windows1252, "windows1252", "cp1252", "cp-1252", "latin1", "latin-1", "iso-8859-1":
		return windows1252, 0, nil
	}
	return "", 0, fmt.Errorf("%w: unknown encoding %q: use utf-8, utf-16, utf-16le, utf-16be or windows-1252", ErrOption, asked)
}

// likeUTF16 recognises text in UTF-16 without a byte order mark by the zero
// bytes of its ASCII letters.
func likeUTF16(head []byte) string {
	head = head[:min(len(head), 4096)&^1]
	var zero [2]int
	for i, c := range head {
		if c == 0 {
			zero[i&1]++
		}
	}
	pairs := len(head) / 2
	switch {
	case pairs < 2:
	case zero[1] > pairs*3/4 && zero[0] <= pairs/8:
		return utf16LE
	case zero[0] > pairs*3/4 && zero[1] <= pairs/8:
		return utf16BE
	}
	return ""
}

// like1252 reports that a text is not UTF-8 but makes sense as Windows-1252:
// it has letters beyond ASCII, none of them in UTF-8.
func like1252(head []byte) bool {
	bad, run := 0, 0
	for len(head) > 0 {
		if head[0] < utf8.RuneSelf {
			head, run = head[1:], 0
			continue
		}
		if !utf8.FullRune(head) {
			break // cut off at the end of the sample
		}
		if r, n := utf8.DecodeRune(head); r != utf8.RuneError || n > 1 {
			return false
		}
		switch head[0] {
		case 0x81, 0x8d, 0x8f, 0x90, 0x9d, 0xfe, 0xff: // undefined, or letters that hardly any text has
			return false
		}
		bad++
		if run++; run > 4 {
			return false
		}
		head = head[1:]
	}
	return bad > 0
}

// decoded returns r as UTF-8. Characters that its encoding does not have
// become U+FFFD.
func decoded(r io.Reader, name string) io.Reader {
	switch name {
	case utf16LE:
		r = &even{r: r}
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder())
	case utf16BE:
		r = &even{r: r}
		return transform.NewReader(r, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder())
	case windows1252:
		return transform.NewReader(r, charmap.Windows1252.NewDecoder())
	}
	return r
}

// even is text in UTF-16, which is truncated when it ends in half a character.
type even struct {
	r   io.Reader
	odd bool
}

func (e *even) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.odd = e.odd != (n&1 == 1)
	if errors.Is(err, io.EOF) && e.odd {
		err = fmt.Errorf("%w: it ends in half a character", ErrTruncated)
	}
	return n, err
}
