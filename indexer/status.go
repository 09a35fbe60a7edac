package indexer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"catalog/catalog"
)

// Status is what a follower tells of itself; it is kept in the store, so that
// other processes see it.
type Status struct {
	Name    string    `json:"name"`
	State   string    `json:"state"` // building, following, waiting, stopped
	Holder  string    `json:"holder,omitempty"`
	Cursor  string    `json:"cursor,omitempty"`
	Behind  int64     `json:"behind"`      // changes that are not in the index yet
	Lag     float64   `json:"lag_seconds"` // age of the oldest of them
	Built   int64     `json:"built,omitempty"`
	Dead    int       `json:"dead_letters,omitempty"`
	Error   string    `json:"error,omitempty"`
	Updated time.Time `json:"updated"`
}

// States of a follower.
const (
	StateBuilding  = "building"  // a new generation; the old one serves, if there is one
	StateFollowing = "following" // changes arrive
	StateWaiting   = "waiting"   // everything is in the index
	StateStopped   = "stopped"
)

func metaStatus(name string) string { return "index/" + name + "/status" }

// ReadStatus returns the last status of a follower, with how far it is behind
// now. catalog.ErrNotFound if there never was one.
func ReadStatus(ctx context.Context, s catalog.Store, name string) (Status, error) {
	b, err := s.Meta(ctx, metaStatus(name))
	if err != nil {
		return Status{}, fmt.Errorf("indexer: reading the status of %q: %w", name, err)
	}
	var st Status
	if err := json.Unmarshal(b, &st); err != nil {
		return Status{}, fmt.Errorf("indexer: reading the status of %q: %w", name, err)
	}
	tail, err := s.Tail(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("indexer: reading the tail: %w", err)
	}
	at, err := catalog.ParseCursor(st.Cursor)
	if err != nil || at.Epoch != tail.Epoch {
		st.Behind = int64(tail.Seq)
		return st, nil
	}
	st.Behind = max(0, int64(tail.Seq-at.Seq))
	if st.Behind > 0 {
		st.Lag += time.Since(st.Updated).Seconds()
	} else {
		st.Lag = 0
	}
	return st, nil
}

// lag estimates the age of the oldest change that is not in the index, from
// when the tail was seen to pass it.
type lag struct{ seen []sighting }

type sighting struct {
	seq catalog.Seq
	at  time.Time
}

// maxSightings bounds what lag remembers; older ones are thinned out.
const maxSightings = 1024

// tail notes where the tail is.
func (l *lag) tail(seq catalog.Seq, now time.Time) {
	if n := len(l.seen); n > 0 && l.seen[n-1].seq >= seq {
		return
	}
	if len(l.seen) >= maxSightings {
		n := 0
		for i := 0; i < len(l.seen); i += 2 {
			l.seen[n] = l.seen[i]
			n++
		}
		l.seen = l.seen[:n]
	}
	l.seen = append(l.seen, sighting{seq, now})
}

// since returns how long ago the tail first was beyond a Seq.
func (l *lag) since(at catalog.Seq, now time.Time) time.Duration {
	i := 0
	for i < len(l.seen) && l.seen[i].seq <= at {
		i++
	}
	if i > 0 && i == len(l.seen) {
		l.seen = l.seen[i-1:]
		return 0
	}
	if i == len(l.seen) {
		return 0
	}
	age := now.Sub(l.seen[i].at)
	l.seen = l.seen[i:]
	return age
}

// report keeps the status, at most once a second unless it is a new state.
func (r *runner) report(ctx context.Context, state string, at catalog.Cursor, cause error) {
	if r.quiet {
		return
	}
	now := r.opts.Now()
	r.statusMu.Lock()
	defer r.statusMu.Unlock()
	if r.building.Load() && state != StateStopped {
		state = StateBuilding
	}
	if state == r.status.State && cause == nil && now.Sub(r.status.Updated) < time.Second {
		return
	}
	tail, err := r.store.Tail(ctx)
	if err != nil {
		return // whoever needs the store will say so
	}
	r.lag.tail(tail.Seq, now)
	st := Status{Name: r.opts.Name, State: state, Holder: r.opts.Holder, Cursor: at.String(), Updated: now.UTC(), Built: r.built.Load()}
	if at.Epoch == tail.Epoch {
		st.Behind = max(0, int64(tail.Seq-at.Seq))
		st.Lag = r.lag.since(at.Seq, now).Seconds()
	} else {
		st.Behind = int64(tail.Seq)
	}
	if cause != nil {
		st.Error = cause.Error()
	}
	r.deadMu.Lock()
	st.Dead = len(r.dead)
	r.deadMu.Unlock()
	r.status = st
	if r.opts.Progress != nil {
		r.opts.Progress(st)
	}
	b, err := json.Marshal(st)
	if err == nil {
		err = r.store.SetMeta(ctx, metaStatus(r.opts.Name), b)
	}
	if err != nil && !errors.Is(err, catalog.ErrFenced) && ctx.Err() == nil {
		r.opts.Log.WarnContext(ctx, "the status cannot be kept", "cause", err)
	}
}
