package importer

import (
	"sync"
	"time"
)

// progress tells the caller a few times a second how far the import is. Its
// methods are safe for concurrent use.
type progress struct {
	mu      sync.Mutex
	now     Progress
	call    func(Progress)
	acc     *account
	bytes   int64 // of all inputs
	history []sample
	stop    chan struct{}
	done    chan struct{}
	started time.Time // of the phase
	ended   bool
}

type sample struct {
	at      time.Time
	records int64
}

const progressEvery = 250 * time.Millisecond

func (p *progress) begin(call func(Progress), acc *account) {
	p.call, p.acc = call, acc
	if call == nil {
		return
	}
	p.stop, p.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(p.done)
		t := time.NewTicker(progressEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				call(p.snapshot(time.Now()))
			case <-p.stop:
				p.phase("done", 0)
				call(p.snapshot(time.Now()))
				return
			}
		}
	}()
}

// end stops the calls; it returns after the last one.
func (p *progress) end() {
	p.mu.Lock()
	ended := p.ended
	p.ended = true
	p.mu.Unlock()
	if p.call == nil || ended {
		return
	}
	close(p.stop)
	<-p.done
}

// phase starts a phase of so many bytes or records; 0 if that is not known.
func (p *progress) phase(name string, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Phase, p.now.Done, p.now.Total, p.now.Records = name, 0, total, 0
	p.started, p.history = time.Now(), p.history[:0]
}

// at notes how much of the phase is done.
func (p *progress) at(name string, done int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Feed, p.now.Done = name, done
}

// advance adds to what is done and to the records of the phase.
func (p *progress) advance(done, records int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Done += done
	p.now.Records += records
}

func (p *progress) records(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Records += n
}

// snapshot works out the rate over the last seconds and the time left.
func (p *progress) snapshot(at time.Time) Progress {
	_, rejected := p.acc.read()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now
	now.Rejected = rejected
	now.Elapsed = p.acc.elapsed()
	p.history = append(p.history, sample{at, now.Records})
	for len(p.history) > 1 && at.Sub(p.history[0].at) > 4*time.Second {
		p.history = p.history[1:]
	}
	if first := p.history[0]; at.After(first.at) {
		now.PerSecond = float64(now.Records-first.records) / at.Sub(first.at).Seconds()
	}
	if spent := at.Sub(p.started); now.Total > 0 && now.Done > 0 && now.Done <= now.Total && spent > time.Second {
		now.ETA = time.Duration(float64(spent) / float64(now.Done) * float64(now.Total-now.Done))
	}
	return now
}
