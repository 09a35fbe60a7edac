package placeholder

import (
	"sync"
	"time"
)

// maxClients is how many clients limiter remembers; beyond that it forgets
// those that have all of their minute left.
const maxClients = 100_000

// limiter caps new placeholders per minute, in all and per client: each has a
// bucket that holds a minute's worth and fills evenly. A cap of 0 is none.
type limiter struct {
	total, each int

	mu      sync.Mutex
	all     bucket
	clients map[string]*bucket
	forgot  time.Time // when full buckets were last dropped
}

// bucket holds tokens, as they were at a time.
type bucket struct {
	tokens float64
	at     time.Time
}

// refill brings the bucket up to now and returns its tokens.
func (b *bucket) refill(now time.Time, perMinute int) float64 {
	if b.at.IsZero() {
		b.tokens = float64(perMinute)
	} else if d := now.Sub(b.at); d > 0 {
		b.tokens = min(float64(perMinute), b.tokens+d.Minutes()*float64(perMinute))
	}
	b.at = now
	return b.tokens
}

func newLimiter(total, each int) *limiter {
	return &limiter{total: total, each: each, clients: map[string]*bucket{}}
}

// take takes one token of the first of clients that has one. ok is false when
// none has, or all of them together had enough.
func (l *limiter) take(now time.Time, clients []string) (who string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total > 0 && l.all.refill(now, l.total) < 1 {
		return "", false
	}
	if l.each > 0 {
		var b *bucket
		for _, c := range clients {
			if b = l.client(c, now); b.refill(now, l.each) >= 1 {
				who, ok = c, true
				break
			}
		}
		if !ok {
			return "", false
		}
		b.tokens--
	}
	if l.total > 0 {
		l.all.tokens--
	}
	return who, true
}

// giveBack returns a token that was not needed.
func (l *limiter) giveBack(who string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.tokens++
	if b := l.clients[who]; b != nil && l.each > 0 {
		b.tokens++
	}
}

// client returns a client's bucket.
func (l *limiter) client(name string, now time.Time) *bucket {
	if b := l.clients[name]; b != nil {
		return b
	}
	if len(l.clients) >= maxClients {
		l.forget(now)
	}
	if len(l.clients) >= maxClients {
		// So many busy clients at once are one attacker: they share one.
		name = ""
		if b := l.clients[name]; b != nil {
			return b
		}
	}
	b := &bucket{}
	l.clients[name] = b
	return b
}

// forget drops clients whose buckets are full again. It looks at all of them,
// so it does so now and then only.
func (l *limiter) forget(now time.Time) {
	if d := now.Sub(l.forgot); d >= 0 && d < 10*time.Second {
		return
	}
	l.forgot = now
	for c, b := range l.clients {
		if b.refill(now, l.each) >= float64(l.each) {
			delete(l.clients, c)
		}
	}
}
