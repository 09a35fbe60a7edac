package facetindex

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex/internal/disk"
)

// Options change how an index works. The zero value of each is its default.
type Options struct {
	FlushAfter   time.Duration // changes are durable after at most this long; 5 s
	FlushDocs    int           // or when so many documents wait; 20,000
	JournalBytes int64         // live data is rewritten when the journal is longer; 16 MiB
	Workers      int           // goroutines that share a search that is alone, or a build; one per thread of Go's
	OnError      func(error)   // told of errors in the background; they are tried again

	disk    disk.FS       // for tests
	manual  bool          // nothing runs in the background
	rest    time.Duration // restAfter
	later   int           // laterBytes
	liveLog int           // maxLiveLog
}

func (o *Options) defaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.Workers <= 0 {
		d.Workers = runtime.GOMAXPROCS(0)
	}
	if d.FlushAfter <= 0 {
		d.FlushAfter = 5 * time.Second
	}
	if d.FlushDocs <= 0 {
		d.FlushDocs = 20_000
	}
	if d.JournalBytes <= 0 {
		d.JournalBytes = 16 << 20
	}
	if d.rest <= 0 {
		d.rest = restAfter
		if d.manual {
			d.rest = math.MaxInt64
		}
	}
	if d.liveLog <= 0 {
		d.liveLog = maxLiveLog
	}
	if d.later <= 0 {
		d.later = laterBytes
	}
	if d.OnError == nil {
		d.OnError = func(error) {}
	}
	return d
}

// Index is an index in a directory. It is safe for concurrent use.
type Index struct {
	dir     string
	opts    Options
	disk    disk.FS
	release func() error // of the lock

	maint sync.Mutex // flushes, merges and publications take turns
	mu    sync.Mutex // the writer's state, below

	parts       []*part
	cursor      catalog.Cursor // of what is visible
	durable     catalog.Cursor
	fingerprint string
	journal     *journal
	journalSeq  uint64
	journalAt   catalog.Cursor // the last clean cursor in the journal, if any
	sealed      int64          // so long the journal is as the manifest knows
	nextFile    uint64
	stale       []string // files of an index that could not be opened
	changes     uint64   // batches of documents applied
	flushed     uint64   // of them, durable
	waiting     time.Time
	applied     time.Time        // documents changed last, or the index was opened
	liveLog     []indexer.LiveOp // since the merge that runs began
	merging     bool
	built       bool
	builds      map[*builder]bool

	snapMu sync.Mutex // readers' state, below
	snap   *snapshot
	closed bool
	broken error

	searches atomic.Int32 // that run now

	wake chan struct{}
	stop chan struct{}
	done sync.WaitGroup
}

var _ indexer.FamilyIndex = (*Index)(nil)

// Open opens the index in a directory, which it makes if need be. It fails
// with an error that is ErrLocked while another process has it open. An index
// that is damaged or of another format is opened so that it can be built anew:
// until then its methods return that error.
func Open(ctx context.Context, dir string, opts *Options) (*Index, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x := &Index{dir: dir, opts: opts.defaults(), wake: make(chan struct{}, 1), stop: make(chan struct{}), builds: map[*builder]bool{}, applied: time.Now()}
	x.disk = x.opts.disk
	if x.disk == nil {
		d, err := disk.OS(dir)
		if err != nil {
			return nil, fmt.Errorf("facetindex: opening %q: %w", dir, err)
		}
		x.disk = d
		if x.release, err = disk.Lock(filepath.Join(dir, lockName)); err != nil {
			return nil, fmt.Errorf("facetindex: opening %q: %w", dir, err)
		}
	}
	if err := x.load(); err != nil {
		if !errors.Is(err, indexer.ErrCorrupt) && !errors.Is(err, indexer.ErrFormat) {
			return nil, errors.Join(fmt.Errorf("facetindex: opening %q: %w", dir, err), x.unlock())
		}
		x.broken = fmt.Errorf("facetindex: %q: %w", dir, err)
	}
	if !x.opts.manual {
		x.done.Go(x.background)
		x.done.Go(x.verifyLater)
	}
	return x, nil
}

const lockName = "LOCK"

// ErrLocked is the error of Open while another process has the directory.
var ErrLocked = disk.ErrLocked

func (x *Index) unlock() error {
	if x.release == nil {
		return nil
	}
	return x.release()
}

// load reads what the manifest names.
func (x *Index) load() error {
	m, err := readManifest(x.disk)
	if err != nil {
		x.numberFiles()
		return err
	}
	if m == nil {
		x.nextFile = 1
		return x.clean(nil)
	}
	x.nextFile = m.NextFile
	if err := x.clean(m); err != nil {
		return err
	}
	var parts []*part
	fail := func(err error) error {
		for _, p := range parts {
			err = errors.Join(err, p.drop())
		}
		x.numberFiles()
		return err
	}
	for _, s := range m.Segments {
		p, err := openPart(x.disk, s.File, s.Live, x.opts.later)
		if err != nil {
			return fail(err)
		}
		parts = append(parts, p)
		p.liveSeq = s.LiveSeq
		if p.dead, err = decodeDead(s.Dead, p.seg.Docs); err != nil {
			return fail(err)
		}
		p.marked = p.dead.Count()
	}
	x.parts, x.fingerprint, x.built = parts, m.Fingerprint, true
	x.cursor, x.durable, x.journalSeq = m.Cursor, m.Cursor, m.JournalSeq
	if err := x.replay(m); err != nil {
		x.parts, x.built = nil, false
		return fail(err)
	}
	return x.publish()
}

// numberFiles makes sure that no new file has the name of one that is there,
// and notes those that are there: they go when another index takes the place.
func (x *Index) numberFiles() {
	names, err := x.disk.List()
	if err != nil {
		return
	}
	for _, name := range names {
		if n, ok := fileNumber(name); ok {
			x.nextFile = max(x.nextFile, n+1)
			x.stale = append(x.stale, name)
		}
	}
	x.nextFile = max(x.nextFile, 1)
}

// fileNumber returns the number in the name of a file of the index.
func fileNumber(name string) (uint64, bool) {
	stem, ext, ok := strings.Cut(name, ".")
	if !ok || ext != "seg" && ext != "live" && ext != "log" {
		return 0, false
	}
	n, err := strconv.ParseUint(stem, 10, 64)
	return n, err == nil
}

// newFile returns a name that no file has. The caller holds x.mu.
func (x *Index) newFile(ext string) string {
	n := x.nextFile
	x.nextFile++
	return fmt.Sprintf("%06d.%s", n, ext)
}

// clean removes files that the manifest does not name.
func (x *Index) clean(m *manifest) error {
	named := map[string]bool{}
	if m != nil {
		named[m.Journal] = true
		for _, s := range m.Segments {
			named[s.File], named[s.Live] = true, true
		}
	}
	names, err := x.disk.List()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, ok := fileNumber(name); ok && !named[name] || name == manifestName+".tmp" {
			if err := x.disk.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// replay applies the journal.
func (x *Index) replay(m *manifest) error {
	b, err := x.disk.Map(m.Journal)
	if err != nil {
		return fmt.Errorf("%w: %w", indexer.ErrCorrupt, err)
	}
	list, ends, err := readJournal(m.Journal, b.Bytes(), m.JournalLen)
	old := err == nil && len(b.Bytes()) >= journalHead && versionOf(b.Bytes()) < journalVersion
	if err = errors.Join(err, b.Close()); err != nil {
		return err
	}
	// Records behind the last that is clean are of a state of which the
	// documents are lost: they will be applied again.
	last, size := -1, int64(journalHead)
	for i, r := range list {
		if r.seq <= m.JournalSeq || r.clean {
			last, size = i, ends[i]
		}
	}
	for _, r := range list[:last+1] {
		for _, p := range x.parts {
			if r.seq > p.liveSeq {
				p.applyLive(r.ops)
			}
		}
		x.journalSeq = max(x.journalSeq, r.seq)
		if r.seq > m.JournalSeq && r.clean && !r.at.IsZero() {
			x.cursor, x.durable = r.at, r.at
		}
	}
	if err := x.disk.Truncate(m.Journal, size); err != nil {
		return err
	}
	f, err := x.disk.Append(m.Journal)
	if err != nil {
		return err
	}
	x.journal = &journal{name: m.Journal, file: f, size: size, dirty: true, old: old}
	x.sealed = m.JournalLen
	if size == int64(journalHead) && len(list) == 0 {
		return x.restartJournal()
	}
	return nil
}

// restartJournal begins a journal anew whose head may not be complete.
func (x *Index) restartJournal() error {
	if err := x.journal.file.Close(); err != nil {
		return err
	}
	j, err := createJournal(x.disk, x.journal.name)
	if err != nil {
		return err
	}
	x.journal = j
	return nil
}

// Close makes everything durable and closes the index. Searches that run are
// waited for by nobody: what they use goes with the last of them.
func (x *Index) Close() error {
	x.snapMu.Lock()
	if x.closed {
		x.snapMu.Unlock()
		return nil
	}
	x.closed = true
	x.snapMu.Unlock()
	close(x.stop)
	x.done.Wait()
	x.maint.Lock()
	defer x.maint.Unlock()
	var err error
	for _, b := range x.openBuilds() {
		err = errors.Join(err, b.abort())
	}
	if x.built && x.broken == nil {
		err = errors.Join(err, x.flush(true), x.seal())
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.journal != nil {
		err = errors.Join(err, x.journal.file.Close())
		x.journal = nil
	}
	x.snapMu.Lock()
	old := x.snap
	x.snap = nil
	x.snapMu.Unlock()
	if old != nil {
		err = errors.Join(err, old.drop())
	}
	for _, p := range x.parts {
		err = errors.Join(err, p.drop())
	}
	x.parts = nil
	return errors.Join(err, x.unlock())
}

func (x *Index) openBuilds() []*builder {
	x.mu.Lock()
	defer x.mu.Unlock()
	var list []*builder
	for b := range x.builds {
		list = append(list, b)
	}
	return list
}

// state returns why the index cannot be used, if it cannot.
func (x *Index) state() error {
	x.snapMu.Lock()
	defer x.snapMu.Unlock()
	switch {
	case x.closed:
		return indexer.ErrClosed
	case x.broken != nil:
		return x.broken
	case x.snap == nil:
		return indexer.ErrNoIndex
	}
	return nil
}
