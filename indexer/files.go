package indexer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Files are the files that people keep settings in. Load reads them again when
// they change, so that neither a server nor a follower needs a restart. It is
// safe for concurrent use.
type Files struct {
	Settings  string // JSON, or what ToJSON makes JSON of; "": none
	Synonyms  string // text, a line each, beside those of Settings; # starts a comment
	StopWords string // text, a word a line

	// ToJSON turns the settings file into JSON; nil takes it as it is.
	ToJSON func([]byte) ([]byte, error)

	mu     sync.Mutex
	stamps [3]stamp
	last   *Settings
	err    error
	looked time.Time
}

// stamp tells whether a file changed.
type stamp struct {
	mod  time.Time
	size int64
}

// lookEvery bounds how often the files are looked at.
const lookEvery = 500 * time.Millisecond

// maxSettings bounds a file, in bytes.
const maxSettings = 64 << 20

// Load returns the settings as the files have them: the same pointer for as
// long as they do not change. While a file is not there or makes no sense the
// error says so, and the caller may go on with what it had.
func (f *Files) Load() (*Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if (f.last != nil || f.err != nil) && now.Sub(f.looked) < lookEvery {
		return f.last, f.err
	}
	f.looked = now
	var stamps [3]stamp
	for i, name := range [...]string{f.Settings, f.Synonyms, f.StopWords} {
		if name == "" {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			f.last, f.err = nil, fmt.Errorf("indexer: settings: %w", err)
			return nil, f.err
		}
		stamps[i] = stamp{info.ModTime(), info.Size()}
	}
	if f.last != nil && stamps == f.stamps || f.err != nil && stamps == f.stamps && !errors.Is(f.err, fs.ErrNotExist) {
		return f.last, f.err
	}
	f.stamps = stamps
	f.last, f.err = f.read()
	return f.last, f.err
}

func (f *Files) read() (*Settings, error) {
	doc, err := readFile(f.Settings)
	if err != nil {
		return nil, err
	}
	if f.ToJSON != nil && doc != nil {
		if doc, err = f.ToJSON(doc); err != nil {
			return nil, fmt.Errorf("indexer: settings %s: %w: %w", f.Settings, ErrSettings, err)
		}
	}
	s, err := ParseSettings(doc)
	if err != nil {
		return nil, err
	}
	synonyms, err := readFile(f.Synonyms)
	if err != nil {
		return nil, err
	}
	stops, err := readFile(f.StopWords)
	if err != nil {
		return nil, err
	}
	s.Synonyms = append(s.Synonyms, lines(synonyms)...)
	s.StopWords = append(s.StopWords, lines(stops)...)
	return s, s.check()
}

func readFile(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxSettings {
		return nil, fmt.Errorf("indexer: settings: %s has %d bytes, more than %d: %w", name, info.Size(), maxSettings, ErrSettings)
	}
	doc, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("indexer: settings: %w", err)
	}
	return doc, nil
}
