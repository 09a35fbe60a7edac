package pebblestore

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// loadQuiet is how long after a bulk Apply compactions still wait for the next.
const loadQuiet = 2 * time.Second

// scheduler is Pebble's scheduler of compactions. While an import loads it
// holds them back, unless level 0 has become very deep: the processor's time
// belongs to the import, and what it loads next would be compacted again.
type scheduler struct {
	db     pebble.DBForCompaction
	broken <-chan struct{} // closed when there is nothing left to schedule
	stop   chan struct{}
	poke   chan struct{}
	done   chan struct{}

	mu      sync.Mutex
	running int
	closed  bool
	loads   int       // bulk Applies under way, and holds
	until   time.Time // when the last load's quiet time ends
	forced  int       // Compact calls under way
}

func newScheduler(broken <-chan struct{}) *scheduler {
	return &scheduler{broken: broken, until: time.Now().Add(loadQuiet), stop: make(chan struct{}), poke: make(chan struct{}, 1), done: make(chan struct{})}
}

// Register implements pebble.CompactionScheduler.
func (s *scheduler) Register(_ int, db pebble.DBForCompaction) {
	s.db = db
	go s.run()
}

// Unregister implements pebble.CompactionScheduler.
func (s *scheduler) Unregister() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	close(s.stop)
	<-s.done
}

// TrySchedule implements pebble.CompactionScheduler.
func (s *scheduler) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	if !s.take() {
		return false, nil
	}
	return true, s
}

// UpdateGetAllowedWithoutPermission implements pebble.CompactionScheduler.
func (s *scheduler) UpdateGetAllowedWithoutPermission() { s.wake() }

// Started implements pebble.CompactionGrantHandle.
func (s *scheduler) Started() {}

// MeasureCPU implements pebble.CompactionGrantHandle.
func (s *scheduler) MeasureCPU(pebble.CompactionGoroutineKind) {}

// CumulativeStats implements pebble.CompactionGrantHandle.
func (s *scheduler) CumulativeStats(pebble.CompactionGrantHandleStats) {}

// Done implements pebble.CompactionGrantHandle.
func (s *scheduler) Done() {
	s.give()
	s.wake()
}

// take claims room for one compaction.
func (s *scheduler) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	allowed := s.db.GetAllowedWithoutPermission()
	if s.forced == 0 && (s.loads > 0 || time.Now().Before(s.until)) {
		allowed--
	}
	if s.closed || s.running >= allowed {
		return false
	}
	s.running++
	return true
}

func (s *scheduler) give() {
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
}

func (s *scheduler) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// run offers room to compactions that were turned down before.
func (s *scheduler) run() {
	defer close(s.done)
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-s.broken:
			return
		case <-tick.C:
		case <-s.poke:
		}
		for s.take() {
			if waiting, _ := s.db.GetWaitingCompaction(); !waiting || !s.db.Schedule(s) {
				s.give()
				break
			}
		}
	}
}

// beginLoad says that a bulk Apply starts, endLoad that it is through.
func (s *scheduler) beginLoad() {
	s.mu.Lock()
	s.loads++
	s.mu.Unlock()
}

func (s *scheduler) endLoad() {
	s.mu.Lock()
	s.loads--
	s.until = time.Now().Add(loadQuiet)
	s.mu.Unlock()
}

// force lets compactions run whatever is loading, until unforce.
func (s *scheduler) force() {
	s.mu.Lock()
	s.forced++
	s.mu.Unlock()
	s.wake()
}

func (s *scheduler) unforce() {
	s.mu.Lock()
	s.forced--
	s.mu.Unlock()
}
