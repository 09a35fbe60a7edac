package mongostore

import (
	"log/slog"
	"time"
)

// Options says how to use a server. The zero value of each field works.
type Options struct {
	// Logger gets what happens in the background; nil discards it.
	Logger *slog.Logger
	// Existing makes Open fail with catalog.ErrNotFound where there is no store
	// yet, instead of making one.
	Existing bool
	// Timeout bounds each call of the server; 0 is 30 seconds.
	Timeout time.Duration
	// ConnectTimeout bounds how long Open looks for the server; 0 is 10 seconds.
	ConnectTimeout time.Duration
	// RetryFor is how long an operation goes on trying while the server is away:
	// killed, restarting, electing; 0 is a minute.
	RetryFor time.Duration
	// Patience is how long a writer waits for one before it in another process
	// that neither ends nor gives up, until it takes that one's place in the log
	// away, and of those behind that one, which had their time, each after a
	// fifth of it; 0 is 5 seconds. What is too short costs the other a repetition,
	// never a record.
	Patience time.Duration
	// Workers is how many parts of one Apply are under way at once; 0 is 4.
	Workers int
	// PartRecords and PartBytes bound a part, which is one transaction; 0 is
	// 1,000 records and 4 MiB.
	PartRecords, PartBytes int
}

func (o *Options) withDefaults() Options {
	var r Options
	if o != nil {
		r = *o
	}
	if r.Logger == nil {
		r.Logger = slog.New(slog.DiscardHandler)
	}
	durations := []struct {
		field *time.Duration
		or    time.Duration
	}{
		{&r.Timeout, 30 * time.Second},
		{&r.ConnectTimeout, 10 * time.Second},
		{&r.RetryFor, time.Minute},
		{&r.Patience, 5 * time.Second},
	}
	for _, d := range durations {
		if *d.field <= 0 {
			*d.field = d.or
		}
	}
	if r.Workers <= 0 {
		r.Workers = 4
	}
	if r.PartRecords <= 0 {
		r.PartRecords = 1000
	}
	r.PartRecords = min(r.PartRecords, maxSpan)
	if r.PartBytes <= 0 {
		r.PartBytes = 4 << 20
	}
	return r
}
