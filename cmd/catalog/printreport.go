package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"catalog/catalog"
	"catalog/importer"
)

// printReport writes a report for people: what happened, what was not
// accepted, and what to do next.
func printReport(w io.Writer, r *importer.Report, rejectsFile string) error {
	p := &printer{w: w}
	p.printf("%s\n\n%s", headline(r), countsTable(r))
	printFeeds(p, r)
	printRejects(p, r)
	for _, code := range slices.Sorted(maps.Keys(r.Warnings)) {
		p.printf("\nwarning: %s: %s", code, count(r.Warnings[code]))
	}
	if len(r.Warnings) > 0 {
		p.printf("\n")
	}
	for _, f := range r.Refused {
		p.printf("\nrefused: %s\n", f.What)
	}
	for _, line := range advice(r, rejectsFile) {
		p.printf("\n%s\n", line)
	}
	return p.err
}

// headline sums the import up in a line.
func headline(r *importer.Report) string {
	verb := "imported"
	switch {
	case r.DryRun:
		verb = "would have imported"
	case r.Status == "interrupted":
		verb = "interrupted while importing"
	case r.Status == "failed":
		verb = "failed while importing"
	case r.Status == "refused":
		verb = "imported in part:"
	}
	line := fmt.Sprintf("%s %s (%s) of source %q in %s", verb, r.Kind, r.Mode, r.Source,
		span(time.Duration(r.Seconds*float64(time.Second))))
	if r.PerSecond > 0 {
		line += fmt.Sprintf(", %s records/s", count(int64(r.PerSecond)))
	}
	if r.IndexSeconds >= 0.1 {
		line += ", then " + span(time.Duration(r.IndexSeconds*float64(time.Second))) + " of indexing"
	}
	if r.TidySeconds >= 0.1 {
		line += ", then " + span(time.Duration(r.TidySeconds*float64(time.Second))) + " of tidying"
	}
	if r.PeakRSSBytes > 0 {
		line += fmt.Sprintf(", at most %s of memory", size(r.PeakRSSBytes))
	}
	return line
}

// section is the counts of one kind.
type section struct {
	name string
	*importer.Counts
}

// sections lists the counts of a report, the feed's kind first.
func sections(r *importer.Report) []section {
	all := []section{{r.Kind, &r.Counts}}
	for _, s := range []section{
		{catalog.KindProduct.Plural(), r.ProductCounts},
		{catalog.KindPrice.Plural(), r.Prices},
		{catalog.KindStock.Plural(), r.Stock},
		{catalog.KindCategory.Plural(), r.Categories},
		{catalog.KindAttribute.Plural(), r.Attributes},
	} {
		if s.Counts != nil && *s.Counts != (importer.Counts{}) {
			all = append(all, s)
		}
	}
	return all
}

// countsTable shows the counts, without the columns in which all are zero.
func countsTable(r *importer.Report) string {
	columns := []struct {
		name   string
		of     func(*importer.Counts) int64
		always bool
	}{
		{"read", func(c *importer.Counts) int64 { return c.Read }, true},
		{"created", func(c *importer.Counts) int64 { return c.Created }, r.Mode != importer.Delete},
		{"updated", func(c *importer.Counts) int64 { return c.Updated }, r.Mode != importer.Delete},
		{"unchanged", func(c *importer.Counts) int64 { return c.Unchanged }, r.Mode != importer.Delete},
		{"deleted", func(c *importer.Counts) int64 { return c.Deleted }, r.Mode == importer.Delete || r.Mode == importer.Sync},
		{"absent", func(c *importer.Counts) int64 { return c.Absent }, r.Mode == importer.Delete},
		{"merged", func(c *importer.Counts) int64 { return c.Merged }, false},
		{"duplicates", func(c *importer.Counts) int64 { return c.Duplicates }, false},
		{"rejected", func(c *importer.Counts) int64 { return c.Rejected }, true},
	}
	all := sections(r)
	rows := make([][]string, len(all)+1)
	rows[0] = []string{""}
	for i, s := range all {
		rows[i+1] = []string{s.name}
	}
	for _, c := range columns {
		if !c.always && !slices.ContainsFunc(all, func(s section) bool { return c.of(s.Counts) != 0 }) {
			continue
		}
		rows[0] = append(rows[0], c.name)
		for i, s := range all {
			rows[i+1] = append(rows[i+1], count(c.of(s.Counts)))
		}
	}
	return table(rows, 1)
}

// printFeeds lists the feeds when there are several, or something is wrong
// with one.
func printFeeds(p *printer, r *importer.Report) {
	if len(r.Feeds) > 1 {
		p.printf("\n")
		const most = 20
		rows := [][]string{{"feed", "format", "size", "records"}}
		for i, f := range r.Feeds {
			if i == most {
				rows = append(rows, []string{fmt.Sprintf("… and %s more", count(int64(len(r.Feeds)-most)))})
				break
			}
			format := f.Format
			if f.Compression != "" {
				format += "." + f.Compression
			}
			rows = append(rows, []string{f.Name, format, size(f.Bytes), count(f.Read)})
		}
		p.printf("%s", table(rows, 2))
	}
	for _, f := range r.Feeds {
		if f.Truncated {
			p.printf("\n%s ends too early: what could be read was imported\n", f.Name)
		}
	}
}

// printRejects shows why records were rejected, and the first of them.
func printRejects(p *printer, r *importer.Report) {
	if len(r.Rejects) == 0 && len(r.FirstRejects) == 0 {
		return
	}
	reasons := slices.SortedFunc(maps.Keys(r.Rejects), func(a, b catalog.Reason) int {
		return cmp.Or(cmp.Compare(r.Rejects[b], r.Rejects[a]), cmp.Compare(a, b))
	})
	var rejected int64
	parts := make([]string, 0, len(reasons))
	for _, reason := range reasons {
		rejected += r.Rejects[reason]
		parts = append(parts, fmt.Sprintf("%s %s", count(r.Rejects[reason]), reason))
	}
	p.printf("\nrejected: %s\n", strings.Join(parts, ", "))
	for _, f := range r.FirstRejects {
		p.printf("  %s\n", rejectLine(f))
	}
	if more := rejected - int64(len(r.FirstRejects)); more > 0 {
		p.printf("  … and %s more\n", count(more))
	}
}

// rejectLine describes one reject: place, key, reason and sentence.
func rejectLine(f importer.Reject) string {
	line := fmt.Sprintf("%s:%d", f.Feed, f.Line)
	if f.Offset >= 0 {
		line += fmt.Sprintf(" (byte %d)", f.Offset)
	}
	line += ": "
	if f.Key != "" {
		line += f.Key + ": "
	}
	line += string(f.Reason) + ": "
	if f.Path != "" && !strings.HasPrefix(f.Detail, f.Path) {
		line += f.Path + " "
	}
	return line + f.Detail
}

// advice says what to do next.
func advice(r *importer.Report, rejectsFile string) []string {
	var lines []string
	rejected := r.Rejected > 0 || r.Status == "rejects"
	switch {
	case r.Status == "interrupted":
		lines = append(lines, "Run the same command again: what is in already costs a comparison only.")
	case rejected && rejectsFile != "" && rejectsFile != "-":
		lines = append(lines, fmt.Sprintf("The rejected records are in %s: correct them there and import that file.", rejectsFile))
	case rejected && rejectsFile == "":
		lines = append(lines, "Import again with --rejects FILE to get the rejected records in a file that can be corrected and imported.")
	}
	return lines
}
