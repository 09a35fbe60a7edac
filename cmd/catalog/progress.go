package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"catalog/importer"
)

// logEvery is the time between two lines of progress in a log.
const logEvery = 5 * time.Second

// progress shows how far an import is: on a terminal as a line that is drawn
// over and over, else as a line in the log every few seconds. It is used from
// one goroutine at a time.
type progress struct {
	w      io.Writer
	width  int // of the terminal; 0: none
	log    *slog.Logger
	logged time.Time
	drawn  bool
	now    func() time.Time
}

// newProgress returns the progress to show, or nil when none is wanted.
func (a *app) newProgress(hide bool) *progress {
	if hide || a.global.quiet {
		return nil
	}
	return &progress{w: a.stderr, width: terminalWidth(a.stderr), log: a.log, now: time.Now, logged: time.Now()}
}

// show takes the newest state.
func (p *progress) show(s importer.Progress) {
	if p == nil || s.Phase == "done" {
		return
	}
	if p.width > 0 {
		fmt.Fprint(p.w, "\r\x1b[K"+progressLine(s, p.width-1))
		p.drawn = true
		return
	}
	if now := p.now(); now.Sub(p.logged) >= logEvery {
		p.logged = now
		p.log.Info("import", "phase", s.Phase, "feed", s.Feed, "records", s.Records, "rejected", s.Rejected,
			"per_second", int64(s.PerSecond), "percent", percent(s.Done, s.Total), "eta_seconds", int64(s.ETA.Seconds()))
	}
}

// finish takes the line away.
func (p *progress) finish() {
	if p != nil && p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// progressLine writes s into at most width columns.
func progressLine(s importer.Progress, width int) string {
	text := fmt.Sprintf("%s records  %s/s", count(s.Records), count(int64(s.PerSecond)))
	if s.Rejected > 0 {
		text += fmt.Sprintf("  %s rejected", count(s.Rejected))
	}
	if s.ETA >= time.Second {
		text += "  " + clock(s.ETA) + " left"
	} else {
		text += "  " + clock(s.Elapsed)
	}
	head := fmt.Sprintf("%-9s ", s.Phase)
	if s.Total > 0 {
		const cells = 24
		done := int(percent(s.Done, s.Total) * cells / 100)
		head += fmt.Sprintf("[%s%s] %3d%%  ", strings.Repeat("=", done), strings.Repeat(" ", cells-done), percent(s.Done, s.Total))
	}
	line := []rune(head + text)
	if len(line) > width {
		line = line[:max(width, 0)]
	}
	return string(line)
}

// percent returns done of total in whole percent; 0 when total is unknown.
func percent(done, total int64) int64 {
	if total <= 0 {
		return 0
	}
	return int64(float64(min(max(done, 0), total)) / float64(total) * 100)
}
