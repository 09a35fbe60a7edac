package main

import (
	"fmt"
	"time"
)

// ticker shows the progress of what only counts: export and generate. Its zero
// value, and nil, show nothing.
type ticker struct {
	a      *app
	what   string
	width  int
	start  time.Time
	shown  time.Time
	drawn  bool
	hidden bool
}

func (a *app) newTicker(what string, hide bool) *ticker {
	now := time.Now()
	return &ticker{a: a, what: what, width: terminalWidth(a.stderr), start: now, shown: now, hidden: hide || a.global.quiet}
}

// show takes the newest count; total is 0 if unknown.
func (t *ticker) show(done, total int64) {
	now := time.Now()
	every := logEvery
	if t.width > 0 {
		every = 200 * time.Millisecond
	}
	if t.hidden || now.Sub(t.shown) < every {
		return
	}
	t.shown = now
	rate := int64(float64(done) / max(now.Sub(t.start).Seconds(), 1e-3))
	if t.width == 0 {
		t.a.log.Info("progress", "of", t.what, "records", done, "per_second", rate, "percent", percent(done, total))
		return
	}
	line := fmt.Sprintf("%s  %s records  %s/s  %s", t.what, count(done), count(rate), clock(t.since()))
	if total > 0 {
		line = fmt.Sprintf("%s  %3d%%", line, percent(done, total))
	}
	fmt.Fprintf(t.a.stderr, "\r\x1b[K%.*s", t.width-1, line)
	t.drawn = true
}

// finish takes the line away.
func (t *ticker) finish() {
	if t.drawn {
		fmt.Fprint(t.a.stderr, "\r\x1b[K")
	}
}

func (t *ticker) since() time.Duration { return time.Since(t.start) }
