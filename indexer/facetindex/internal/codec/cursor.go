package codec

// Cursor reads a column at numbers that rise, as a rule.
type Cursor struct {
	col   *Column
	chunk ColumnChunk
	at    int // number of the chunk; -1: none yet
	pos   int // in a sparse chunk: what is before is less than what was asked for last
}

// Cursor returns a Cursor of the column.
func (c *Column) Cursor() Cursor { return Cursor{col: c, at: -1} }

// Get returns the code of a number; 0 when it has none.
func (r *Cursor) Get(id uint32) uint32 {
	r.seek(id)
	id &= ChunkMask
	k := &r.chunk
	if k.dense {
		return k.Get(id)
	}
	if r.pos < k.count && k.id(r.pos) == id {
		return k.code(r.pos)
	}
	return 0
}

// Any reports whether any number from one and below another has a code. It may
// say so of those of a chunk that is dense even if none has.
func (r *Cursor) Any(from, to uint32) bool {
	for from < to {
		r.seek(from)
		end := min(to, (from>>ChunkBits+1)<<ChunkBits)
		k := &r.chunk
		if k.dense || r.pos < k.count && k.id(r.pos) <= (end-1)&ChunkMask {
			return true
		}
		from = end
	}
	return false
}

// seek moves to a number.
func (r *Cursor) seek(id uint32) {
	if c := int(id >> ChunkBits); c != r.at {
		r.at, r.pos, r.chunk = c, 0, ColumnChunk{}
		if r.col.size > 0 {
			r.chunk = r.col.Chunk(c)
		}
	}
	k := &r.chunk
	if k.dense || k.count == 0 {
		return
	}
	id &= ChunkMask
	// Mostly it is the next, or the one after that.
	p := r.pos
	if p > 0 && k.id(p-1) >= id {
		r.pos = k.find(id)
		return
	}
	for range 4 {
		if p >= k.count || k.id(p) >= id {
			r.pos = p
			return
		}
		p++
	}
	r.pos = k.from(p, id)
}
