package main

import (
	"fmt"
	"time"
)

// byteTicker shows the progress of what moves bytes, on a terminal only.
type byteTicker struct{ *ticker }

func (a *app) newByteTicker(what string, hide bool) byteTicker {
	return byteTicker{a.newTicker(what, hide)}
}

// show takes the newest state.
func (t byteTicker) show(done, total int64) {
	now := time.Now()
	if t.hidden || t.width == 0 || now.Sub(t.shown) < 200*time.Millisecond {
		return
	}
	t.shown = now
	line := fmt.Sprintf("%s  %3d%%  %s  %s", t.what, percent(done, total), size(done), clock(t.since()))
	fmt.Fprintf(t.a.stderr, "\r\x1b[K%.*s", t.width-1, line)
	t.drawn = true
}
