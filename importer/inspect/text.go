package inspect

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// WriteText writes the report for people, in lines of at most width columns (100
// if 0, at least 70), but for the mapping.
func (r *Report) WriteText(w io.Writer, width int) error {
	if width <= 0 {
		width = 100
	}
	width = max(width, 70)
	b := bufio.NewWriter(w)
	for _, f := range r.Feeds {
		fmt.Fprintf(b, "%s: %s\n", f.Name, f.summary())
	}
	if len(r.Feeds) > 1 {
		fmt.Fprintf(b, "together: %s\n", counted(r.Records, r.Estimated, "records"))
	}
	b.WriteByte('\n')
	r.writeFields(b, width)
	if r.MoreFields {
		fmt.Fprintf(b, "… and more fields than can be shown\n")
	}
	r.writeCandidates(b, width)
	if r.Note != "" {
		fmt.Fprintf(b, "\n%s\n", r.Note)
	}
	if r.Mapping != "" {
		fmt.Fprintf(b, "\n%s", r.Mapping)
	}
	return b.Flush()
}

// summary is what there is to say about a feed in one line.
func (f *Feed) summary() string {
	s := f.Format
	if f.Compression != "" {
		s += ", " + f.Compression
	}
	if f.Encoding != "" && f.Encoding != "utf-8" {
		s += ", " + f.Encoding
	}
	s += ", " + bytesText(f.Bytes) + ", " + counted(f.Records, f.Estimated, "records")
	if f.Estimated {
		s += ", of which " + group(f.Sampled+f.Unreadable) + " were read"
	}
	if f.Unreadable > 0 {
		s += ", " + group(f.Unreadable) + " unreadable"
	}
	if f.Truncated {
		s += "; IT BREAKS OFF there"
	}
	return s
}

func counted(n int64, estimated bool, what string) string {
	if estimated {
		return "about " + group(n) + " " + what + " (estimated)"
	}
	return group(n) + " " + what
}

// group writes a number with its thousands apart.
func group(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}

// writeFields writes the table of fields.
func (r *Report) writeFields(b *bufio.Writer, width int) {
	rows := [][]string{{"FIELD", "TYPE", "FILLED", "DISTINCT", "RANGE AND EXAMPLES"}}
	for _, f := range r.Fields {
		distinct := group(f.Distinct)
		switch {
		case len(f.Examples) == 0:
			distinct = ""
		case !f.Exact:
			distinct = "~" + distinct
		}
		rows = append(rows, []string{f.Path, f.types(), percent(f.Records, r.looked), distinct, f.show()})
	}
	limits := []int{max(20, width*2/5), max(10, width/6), 7, 12, 0}
	writeTable(b, rows, limits, []bool{false, false, true, true, false}, width)
}

// types names a field's types, the commonest first; null goes without saying
// when there are others.
func (f *Field) types() string {
	var names []string
	for len(names) < len(f.Types) {
		best := ""
		for t := typeString; t < types; t++ {
			n := t.String()
			if f.Types[n] > 0 && (best == "" || f.Types[n] > f.Types[best]) && !contains(names, n) {
				best = n
			}
		}
		names = append(names, best)
	}
	if len(names) > 1 {
		kept := names[:0]
		for _, n := range names {
			if n != "null" {
				kept = append(kept, n)
			}
		}
		names = kept
	}
	return strings.Join(names, "|")
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}

// show is the range of a number, or examples.
func (f *Field) show() string {
	if f.Min != "" && f.Types["string"] == 0 {
		if f.Min == f.Max {
			return f.Min
		}
		return f.Min + " … " + f.Max
	}
	return strings.Join(f.Examples, " · ")
}

func (r *Report) writeCandidates(b *bufio.Writer, width int) {
	if len(r.Candidates) == 0 {
		return
	}
	b.WriteString("\nFields that look like the key:\n")
	rows := [][]string{}
	for _, c := range r.Candidates {
		unique := "nearly unique"
		if c.Unique {
			unique = "unique"
		}
		rows = append(rows, []string{"  " + c.Path, percent(int64(c.Coverage*1e6+0.5), 1e6), unique, strings.Join(c.Examples, " · ")})
	}
	writeTable(b, rows, []int{width / 2, 7, 13, 0}, []bool{false, true, false, false}, width)
}

// writeTable writes aligned columns. limits are the widest that a column may
// be; the last takes what is left.
func writeTable(b *bufio.Writer, rows [][]string, limits []int, right []bool, width int) {
	widths := make([]int, len(limits))
	left := width
	for i := range limits[:len(limits)-1] {
		for _, row := range rows {
			widths[i] = min(limits[i], max(widths[i], utf8.RuneCountInString(row[i])))
		}
		left -= widths[i] + 2
	}
	widths[len(limits)-1] = max(left, 10)
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			cell = printable(cell)
			if i == 0 {
				cell = middle(cell, widths[i])
			} else {
				cell = cut(cell, widths[i])
			}
			pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell)))
			if right[i] {
				cell = pad + cell
			} else {
				cell += pad
			}
			line.WriteString(cell + "  ")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// printable replaces what would disturb a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '·'
		}
		return r
	}, s)
}

// cut shortens s at its end.
func cut(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}

// middle shortens s in its middle, since both ends of a path tell most.
func middle(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	head := (width - 1) / 2
	return string(r[:head]) + "…" + string(r[len(r)-(width-1-head):])
}
