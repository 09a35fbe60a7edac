package storefront

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"catalog/indexer"
)

// searches counts what is searched for, in bounded memory: of the texts beyond
// maxTexts the rarest are forgotten, and those that come instead start with
// their count, so that a frequent text is never missed (space-saving).
type searches struct {
	now func() time.Time

	mu          sync.Mutex
	total, zero int64
	top, none   counter
}

// Bounds of what is remembered.
const (
	maxTexts      = 1000
	maxTextLength = 100 // bytes; longer ones are no words of shoppers
)

func newSearches(now func() time.Time) *searches {
	return &searches{now: now, top: counter{}, none: counter{}}
}

// counter counts texts.
type counter map[string]*SearchCount

// SearchCount is how often a text was searched for.
type SearchCount struct {
	Text  string    `json:"q"`
	Count int64     `json:"count"`
	Last  time.Time `json:"last"`
}

// note counts a search.
func (s *searches) note(text string, hits int) {
	text = indexer.Fold(text)
	if len(text) > maxTextLength || text == "" {
		return
	}
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	s.top.add(text, now)
	if hits == 0 {
		s.zero++
		s.none.add(text, now)
	}
}

func (c counter) add(text string, now time.Time) {
	e := c[text]
	if e == nil {
		e = &SearchCount{Text: text}
		if len(c) >= maxTexts {
			e.Count = c.evict()
		}
		c[text] = e
	}
	e.Count++
	e.Last = now.UTC()
}

// evict forgets the rarest of some texts and returns its count. Maps are
// ranged over in random order, so a few stand for all.
func (c counter) evict() int64 {
	const sample = 32
	var least *SearchCount
	n := 0
	for _, e := range c {
		if least == nil || e.Count < least.Count || e.Count == least.Count && e.Last.Before(least.Last) {
			least = e
		}
		if n++; n == sample {
			break
		}
	}
	delete(c, least.Text)
	return least.Count
}

// list returns the most frequent texts.
func (c counter) list(n int) []SearchCount {
	out := make([]SearchCount, 0, len(c))
	for _, e := range c {
		out = append(out, *e)
	}
	slices.SortFunc(out, func(a, b SearchCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last), cmp.Compare(a.Text, b.Text))
	})
	return out[:min(n, len(out))]
}

// counts returns how many searches there were, and how many found nothing.
func (s *searches) counts() (total, zero int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total, s.zero
}

// searchReport is what the status tells of searches.
type searchReport struct {
	Total int64         `json:"total"`
	Zero  int64         `json:"zero"`
	Top   []SearchCount `json:"top,omitempty"`
	None  []SearchCount `json:"without_results,omitempty"`
}

func (s *searches) report(detailed bool) searchReport {
	const shown = 20
	s.mu.Lock()
	defer s.mu.Unlock()
	r := searchReport{Total: s.total, Zero: s.zero}
	if detailed {
		r.Top, r.None = s.top.list(shown), s.none.list(shown)
	}
	return r
}
