package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/importer"
)

// TestPrintReport checks what people are told, by its parts.
func TestPrintReport(t *testing.T) {
	base := importer.Report{Kind: "products", Mode: importer.Sync, Source: "erp", Status: "ok", Seconds: 12.3, PerSecond: 81234.5}
	base.Counts = importer.Counts{Read: 1_000_000, Created: 1, Updated: 2, Unchanged: 999_997, Deleted: 5}
	with := func(change func(r *importer.Report)) *importer.Report {
		r := base
		change(&r)
		return &r
	}
	tests := []struct {
		name    string
		report  *importer.Report
		rejects string
		want    []string
		none    []string
	}{
		{
			"plain", &base, "",
			[]string{"imported products (sync)", `"erp"`, "12.3s", "81,234 records/s", "1,000,000", "999,997"},
			[]string{"rejected:", "refused", "merged", "absent", "duplicates", "Run "},
		},
		{"dry run", with(func(r *importer.Report) { r.DryRun = true }), "", []string{"would have imported"}, nil},
		{"sections", with(func(r *importer.Report) {
			r.Prices = &importer.Counts{Read: 7, Updated: 7}
			r.Stock = &importer.Counts{}
		}), "", []string{"prices"}, []string{"stock"}},
		{"rejects", with(func(r *importer.Report) {
			r.Status, r.Rejected = "rejects", 12
			r.Rejects = map[catalog.Reason]int64{catalog.ReasonKey: 1, catalog.ReasonNoKey: 11}
			r.FirstRejects = []importer.Reject{{Feed: "f.jsonl", Line: 3, Offset: 40, Key: "A", Reason: catalog.ReasonKey, Path: "sku", Detail: "is empty"}}
		}), "out.jsonl", []string{"11 key_missing, 1 key_invalid", "f.jsonl:3 (byte 40): A: key_invalid: sku is empty", "11 more", "out.jsonl"}, nil},
		{"rejects without a file", with(func(r *importer.Report) { r.Status, r.Rejected = "rejects", 1 }), "", []string{"--rejects FILE"}, nil},
		{"refused", with(func(r *importer.Report) {
			r.Status, r.Refused = "refused", []importer.Refusal{{Guard: "max_delete", What: "too many would go", Option: "max-delete"}}
		}), "", []string{"in part", "refused: too many would go"}, nil},
		{"interrupted", with(func(r *importer.Report) { r.Status = "interrupted" }), "", []string{"interrupted", "Run the same command again"}, nil},
		{"feeds", with(func(r *importer.Report) {
			r.Feeds = []importer.FeedReport{{Name: "a.csv", Format: "csv", Compression: "gzip", Bytes: 2048, Read: 10}, {Name: "b.csv", Truncated: true}}
		}), "", []string{"a.csv", "csv.gzip", "2.0 KiB", "b.csv ends too early"}, nil},
		{"warnings", with(func(r *importer.Report) { r.Warnings = map[string]int64{"sku_long": 3} }), "", []string{"warning: sku_long: 3"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := printReport(&b, tt.report, tt.rejects); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(b.String(), want) {
					t.Errorf("no %q in\n%s", want, &b)
				}
			}
			for _, none := range tt.none {
				if strings.Contains(b.String(), none) {
					t.Errorf("%q in\n%s", none, &b)
				}
			}
		})
	}
}

func TestProgressLine(t *testing.T) {
	s := importer.Progress{Phase: "importing", Done: 50, Total: 200, Records: 1_234_567, Rejected: 3, PerSecond: 80_000, ETA: 65 * time.Second}
	line := progressLine(s, 200)
	for _, want := range []string{"importing", "25%", "[======      ", "1,234,567", "80,000/s", "3 rejected", "1m05s left"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %q in %q", want, line)
		}
	}
	for _, width := range []int{0, 1, 40} {
		if n := len([]rune(progressLine(s, width))); n != width {
			t.Errorf("%d columns of %d", n, width)
		}
	}
	if line := progressLine(importer.Progress{Phase: "reading", Done: 1 << 62, Total: 1}, 80); !strings.Contains(line, "100%") {
		t.Errorf("more than all: %q", line)
	}
	if line := progressLine(importer.Progress{Phase: "reading", Elapsed: 3 * time.Second}, 80); strings.Contains(line, "%") {
		t.Errorf("a share of the unknown: %q", line)
	}
}

// TestProgressInLogs checks that a log gets a line every few seconds only.
func TestProgressInLogs(t *testing.T) {
	var b bytes.Buffer
	now := time.Unix(0, 0)
	p := &progress{w: &b, log: slog.New(slog.NewJSONHandler(&b, nil)), now: func() time.Time { return now }, logged: now}
	for range 24 {
		now = now.Add(time.Second)
		p.show(importer.Progress{Phase: "importing", Records: 7})
	}
	p.finish()
	if n := strings.Count(b.String(), "\n"); n != 4 || strings.Contains(b.String(), "\r") {
		t.Errorf("%d lines in 24 seconds:\n%s", n, &b)
	}
	var none *progress
	none.show(importer.Progress{})
	none.finish()
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 3 << 40: "3.0 TiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		850 * time.Millisecond: "850ms", 12345 * time.Millisecond: "12.3s", 245 * time.Second: "4m05s", 2*time.Hour + 7*time.Minute: "2h07m",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%d) = %s, want %s", d, got, want)
		}
	}
}

func TestOverlaid(t *testing.T) {
	const doc = `{"sku":"a","name":{"default":"N","de":"D"},"brand":"B","attributes":{"x":1,"y":"<2>"},"n":1.50,"stores":{"fr":{"name":"F","attributes":{"x":9,"z":3},"extra":true}}}`
	for view, want := range map[string]string{
		"fr": `{"sku":"a","name":"F","brand":"B","attributes":{"x":9,"y":"<2>","z":3},"n":1.50,"extra":true}`,
		"de": `{"sku":"a","name":"D","brand":"B","attributes":{"x":1,"y":"<2>"},"n":1.50}`,
		"xx": `{"sku":"a","name":"N","brand":"B","attributes":{"x":1,"y":"<2>"},"n":1.50}`,
	} {
		got, err := overlaid([]byte(doc), view)
		if got := strings.ReplaceAll(string(got), "\n", ""); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", view, got, err, want)
		}
	}
}
