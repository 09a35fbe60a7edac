package gunzip

import "unsafe"

// block reads the header of a block.
func (z *Reader) block() error {
	head, err := z.take(3)
	if err != nil {
		return err
	}
	z.last = head&1 != 0
	switch head >> 1 {
	case 0:
		return z.storedHeader()
	case 1:
		z.codes.useFixed()
	case 2:
		z.codes.fixed = false
		if err := z.readCodes(); err != nil {
			return err
		}
	default:
		return ErrCorrupt
	}
	z.state = inCodes
	return nil
}

func (z *Reader) storedHeader() error {
	z.align()
	v, err := z.take(32)
	if err != nil {
		return err
	}
	if v&0xffff != ^v>>16 {
		return ErrCorrupt
	}
	z.stored = int(v & 0xffff)
	z.state = inStored
	return nil
}

// copyStored copies of a stored block what there is room for.
func (z *Reader) copyStored() error {
	z.unread()
	for z.stored > 0 && z.to < windowSize+outSize {
		if z.pos == z.end && !z.fill() {
			return z.ended()
		}
		n := copy(z.out[z.to:windowSize+outSize], z.in[z.pos:min(z.pos+z.stored, z.end)])
		z.pos += n
		z.to += n
		z.stored -= n
	}
	if z.stored == 0 {
		z.state = atHeader
	}
	return nil
}

// readCodes reads the codes of a block and makes tables of them.
func (z *Reader) readCodes() error {
	v, err := z.take(14)
	if err != nil {
		return err
	}
	lits, dists, orders := int(v&31)+257, int(v>>5&31)+1, int(v>>10)+4
	if lits > litSyms-2 || dists > distSyms-2 {
		return ErrCorrupt
	}
	var of [len(lengthOrder)]uint8
	for _, sym := range lengthOrder[:orders] {
		v, err := z.take(3)
		if err != nil {
			return err
		}
		of[sym] = uint8(v)
	}
	const lengthBits = 7
	// The table for literals is free until it is built.
	table := z.codes.lit[:1<<lengthBits]
	if !build(table, lengthBits, of[:], plainEntry) {
		return ErrCorrupt
	}
	lengths := z.codes.lengths[:lits+dists]
	for i := 0; i < len(lengths); {
		e, err := z.symbol(table, lengthBits)
		if err != nil {
			return err
		}
		sym := e >> entryValue
		if sym < 16 {
			lengths[i] = uint8(sym)
			i++
			continue
		}
		value, extra, least := uint8(0), uint(3), 3
		switch sym {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			value, extra = lengths[i-1], 2
		case 18:
			extra, least = 7, 11
		}
		v, err := z.take(extra)
		if err != nil {
			return err
		}
		n := least + int(v)
		if i+n > len(lengths) {
			return ErrCorrupt
		}
		for ; n > 0; n-- {
			lengths[i] = value
			i++
		}
	}
	if !build(z.codes.lit[:], litBits, lengths[:lits], litEntry) || !build(z.codes.dist[:], distBits, lengths[lits:], distEntry) {
		return ErrCorrupt
	}
	return nil
}

// symbol reads one symbol with care for the end of the input, and drops its
// bits, but not the extra ones, which it has made sure are there.
func (z *Reader) symbol(table []uint32, first uint) (entry uint32, err error) {
	for {
		e := table[z.bits&(1<<first-1)]
		if e&entryLong != 0 {
			e = table[e>>entryValue+uint32(z.bits>>first)&(1<<(e&entryDrop)-1)]
		}
		// Of bits that are not there yet the code may be a longer one.
		if drop := uint(e & entryDrop); e != entryNoCode && drop <= z.n {
			code := uint(e >> entryCode & entryCodes)
			z.bits >>= code
			z.n -= code
			return e, nil
		}
		if e == entryNoCode && z.n >= maxBits {
			return 0, ErrCorrupt
		}
		if err := z.need(z.n + 8); err != nil {
			return 0, err
		}
	}
}

// extra reads the extra bits of an entry that symbol returned.
func (z *Reader) extra(e uint32) uint {
	n := uint(e&entryDrop) - uint(e>>entryCode&entryCodes)
	v := uint(z.bits & (1<<n - 1))
	z.bits >>= n
	z.n -= n
	return uint(e>>entryValue) + v
}

// decode decompresses until the block ends or out is full.
func (z *Reader) decode() error {
	for z.to < windowSize+outSize && z.state == inCodes {
		if z.end-z.pos >= spare || z.err == nil && z.fill() && z.end-z.pos >= spare {
			if err := z.fast(); err != nil {
				return err
			}
			continue
		}
		if z.err == nil {
			continue // the source gives little at a time
		}
		if err := z.step(); err != nil {
			return err
		}
	}
	return nil
}

// step decompresses one symbol with care for the end of the input.
func (z *Reader) step() error {
	e, err := z.symbol(z.codes.lit[:], litBits)
	if err != nil {
		return err
	}
	switch {
	case e&entryLit != 0:
		z.out[z.to] = byte(e >> entryValue)
		z.to++
		return nil
	case e&entryEnd != 0:
		z.state = atHeader
		return nil
	}
	length := int(z.extra(e))
	if e, err = z.symbol(z.codes.dist[:], distBits); err != nil {
		return err
	}
	dist := int(z.extra(e))
	if dist > z.to-z.start {
		return ErrCorrupt
	}
	for range length {
		z.out[z.to] = z.out[z.to-dist]
		z.to++
	}
	return nil
}

// fast decompresses while there is input and room enough not to look at either
// more than once for several symbols. A round looks at no more than spare bytes
// of input and writes no more than slack bytes of output, and a match begins
// behind start: what is loaded and stored without a look at bounds is inside.
func (z *Reader) fast() error {
	in, out := z.in[:z.end], z.out
	lit, dist := &z.codes.lit, &z.codes.dist
	pos, to, bits, n := z.pos, z.to, z.bits, z.n
	inp, outp := unsafe.Pointer(unsafe.SliceData(in)), unsafe.Pointer(unsafe.SliceData(out))
	limit, start := len(in)-spare, z.start
	// Of n only the lowest six bits count: an entry is taken off as it is, the
	// bits it drops being its lowest six.
	var err error
loop:
	for pos <= limit && to < windowSize+outSize {
		// Bits that are taken in a second time are the same.
		bits |= load(inp, pos) << (n & 63)
		pos += int(^n>>3) & 7
		n |= 56

		e := lit[bits&(1<<litBits-1)]
		if e&entryLit != 0 {
			bits >>= e & entryDrop
			n -= uint(e)
			storeByte(outp, to, byte(e>>entryValue))
			to++
			e = lit[bits&(1<<litBits-1)]
			if e&entryLit != 0 {
				bits >>= e & entryDrop
				n -= uint(e)
				storeByte(outp, to, byte(e>>entryValue))
				to++
				e = lit[bits&(1<<litBits-1)]
				if e&entryLit != 0 {
					bits >>= e & entryDrop
					n -= uint(e)
					storeByte(outp, to, byte(e>>entryValue))
					to++
					continue
				}
			}
		}
		if e&entryLong != 0 {
			e = lit[(uint64(e>>entryValue)+bits>>litBits&(1<<(e&entryDrop)-1))&(litTable-1)]
		}
		was := bits
		bits >>= e & entryDrop
		n -= uint(e)
		switch {
		case e&entryMatch != 0:
		case e&entryLit != 0:
			storeByte(outp, to, byte(e>>entryValue))
			to++
			continue
		case e&entryEnd != 0:
			z.state = atHeader
			break loop
		default:
			err = ErrCorrupt
			break loop
		}
		length := int(e>>entryValue) + int(was&(1<<(e&entryDrop)-1)>>(e>>entryCode&entryCodes))

		bits |= load(inp, pos) << (n & 63)
		pos += int(^n>>3) & 7
		n |= 56
		e = dist[bits&(1<<distBits-1)]
		if e&entryLong != 0 {
			e = dist[(uint64(e>>entryValue)+bits>>distBits&(1<<(e&entryDrop)-1))&(distTable-1)]
		}
		if e == entryNoCode {
			err = ErrCorrupt
			break
		}
		was = bits
		bits >>= e & entryDrop
		n -= uint(e)
		back := int(e>>entryValue) + int(was&(1<<(e&entryDrop)-1)>>(e>>entryCode&entryCodes))
		if back > to-start {
			err = ErrCorrupt
			break
		}
		src, end := to-back, to+length
		if back >= 8 {
			// Most matches are short: two steps that nothing depends on, then a loop.
			store(outp, to, load(outp, src))
			store(outp, to+8, load(outp, src+8))
			to, src = to+16, src+16
		} else {
			// What repeats every few bytes also does at a multiple of them.
			again := back * ((back + 7) / back)
			for stop := min(end, src+again); to < stop; to++ {
				out[to] = out[src]
				src++
			}
			src = to - again
		}
		for ; to < end; to += 8 {
			store(outp, to, load(outp, src))
			src += 8
		}
		to = end
	}
	z.pos, z.to, z.n = pos, to, n&63
	z.bits = bits & (1<<z.n - 1)
	return err
}
