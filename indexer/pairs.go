package indexer

import (
	"strings"
	"sync"
)

// docID is a hash of SKU and view: two documents of one are told apart by
// nothing, which happens once in 2^64/n^2 stores.
type docID uint64

func idOf(h *Digester, sku, view string) docID { return docID(h.Strings(0, sku, view)) }

// sums is a Digest in less memory.
type sums [NumParts]uint32

func short(d *Digest) sums {
	var s sums
	for i, n := range d.Parts {
		s[i] = uint32(n) ^ uint32(n>>32)
	}
	return s
}

// side is who brings a document: the store or the index.
type side uint8

const (
	sideStore side = iota
	sideIndex
)

// pairs compares the documents of both sides, in whatever order they come.
// Safe for concurrent use.
type pairs struct {
	h      *Digester
	shards [1 << pairBits]pairShard

	mu     sync.Mutex
	differ map[string]bool // SKUs of documents that are on both sides and differ
}

// pairBits is the logarithm of how many shards there are.
const pairBits = 5

// pairShard has documents that one side has brought so far.
type pairShard struct {
	mu   sync.Mutex
	open [2]map[docID]sums // by side
}

func newPairs(h *Digester) *pairs {
	p := &pairs{h: h, differ: map[string]bool{}}
	for i := range p.shards {
		p.shards[i].open = [2]map[docID]sums{{}, {}}
	}
	return p
}

// put takes a document of a side.
func (p *pairs) put(d *Digest, from side) {
	id, own := idOf(p.h, d.SKU, d.View), short(d)
	s := &p.shards[id>>(64-pairBits)]
	s.mu.Lock()
	other, met := s.open[1-from][id]
	twice := false
	if met {
		delete(s.open[1-from], id)
	} else {
		_, twice = s.open[from][id]
		s.open[from][id] = own
	}
	s.mu.Unlock()
	if met && other != own || twice {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.differ[strings.Clone(d.SKU)] = true
	}
}

// alone returns the documents that are on one side only.
func (p *pairs) alone() (missing, surplus map[docID]bool) {
	list := [2]map[docID]bool{{}, {}}
	for i := range p.shards {
		for from, open := range p.shards[i].open {
			for id := range open {
				list[from][id] = true
			}
		}
	}
	return list[sideStore], list[sideIndex]
}
