package pebblestore

import (
	"crypto/rand"
	"encoding/binary"

	"catalog/catalog"
)

// state is what every commit writes beside its data: the figures that describe
// the store as a whole. A published state never changes.
type state struct {
	epoch   string
	tail    catalog.Seq // of the newest change
	trimmed catalog.Seq // up to here the log is gone; Seqs have no gaps
	token   uint64      // of the last acquisition of any lease
	counts  [catalog.KindAttribute + 1]int64
	owned   []int64 // product heads by source id
}

func newState() *state {
	return &state{epoch: rand.Text()[:16]}
}

// clone returns a copy that may be changed.
func (s *state) clone() *state {
	c := *s
	c.owned = append([]int64(nil), s.owned...)
	return &c
}

// own counts a product head to a source, or off it.
func (s *state) own(id uint32, n int64) {
	for len(s.owned) <= int(id) {
		s.owned = append(s.owned, 0)
	}
	s.owned[id] += n
}

func (s *state) append(b []byte) []byte {
	b = appendString(b, s.epoch)
	b = binary.AppendUvarint(b, uint64(s.tail))
	b = binary.AppendUvarint(b, uint64(s.trimmed))
	b = binary.AppendUvarint(b, s.token)
	b = binary.AppendUvarint(b, uint64(len(s.counts)-1))
	for _, n := range s.counts[1:] {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendUvarint(b, uint64(len(s.owned)))
	for _, n := range s.owned {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

func parseState(v []byte) (*state, error) {
	s := &state{}
	epoch, v, err := cutString(v)
	if err != nil {
		return nil, err
	}
	s.epoch = string(epoch)
	var kinds, tail, trimmed, owned uint64
	for _, p := range []*uint64{&tail, &trimmed, &s.token, &kinds} {
		if *p, v, err = cutUvarint(v); err != nil {
			return nil, err
		}
	}
	s.tail, s.trimmed = catalog.Seq(tail), catalog.Seq(trimmed)
	if kinds != uint64(len(s.counts)-1) || trimmed > tail || s.epoch == "" {
		return nil, corrupt("the state")
	}
	for k := range s.counts[1:] {
		var n uint64
		if n, v, err = cutUvarint(v); err != nil {
			return nil, err
		}
		s.counts[k+1] = int64(n)
	}
	if owned, v, err = cutUvarint(v); err != nil {
		return nil, err
	}
	for ; owned > 0; owned-- {
		var n uint64
		if n, v, err = cutUvarint(v); err != nil {
			return nil, err
		}
		s.owned = append(s.owned, int64(n))
	}
	return s, nil
}
