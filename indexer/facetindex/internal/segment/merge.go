package segment

import "bytes"

// merger walks through several sources of strings at once. For each different
// string it tells which sources have it and under what number.
type merger struct {
	all  []keys
	heap []int // sources, the one with the least string first

	key  []byte
	from []mergeHit
}

// mergeHit is a source that has the string at hand.
type mergeHit struct{ src, index int }

func newMerger(list []keys) *merger {
	m := &merger{all: list}
	for i, k := range list {
		if k != nil && k.Valid() {
			m.push(i)
		}
	}
	return m
}

// next moves to the next string; false at the end. The sources in from stay
// at it until the call after, so that more can be read of them.
func (m *merger) next() bool {
	for _, h := range m.from {
		k := m.all[h.src]
		if k.Next(); k.Valid() {
			m.push(h.src)
		}
	}
	m.from = m.from[:0]
	if len(m.heap) == 0 {
		return false
	}
	m.key = append(m.key[:0], m.all[m.heap[0]].Key()...)
	for len(m.heap) > 0 && bytes.Equal(m.all[m.heap[0]].Key(), m.key) {
		src := m.pop()
		m.from = append(m.from, mergeHit{src, m.all[src].Index()})
	}
	return true
}

func (m *merger) less(a, b int) bool { return bytes.Compare(m.all[a].Key(), m.all[b].Key()) < 0 }

func (m *merger) push(src int) {
	m.heap = append(m.heap, src)
	for i := len(m.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !m.less(m.heap[i], m.heap[up]) {
			break
		}
		m.heap[i], m.heap[up] = m.heap[up], m.heap[i]
		i = up
	}
}

func (m *merger) pop() int {
	top, n := m.heap[0], len(m.heap)-1
	m.heap[0] = m.heap[n]
	m.heap = m.heap[:n]
	for i := 0; ; {
		c := 2*i + 1
		if c >= n {
			return top
		}
		if c+1 < n && m.less(m.heap[c+1], m.heap[c]) {
			c++
		}
		if !m.less(m.heap[c], m.heap[i]) {
			return top
		}
		m.heap[i], m.heap[c] = m.heap[c], m.heap[i]
		i = c
	}
}
