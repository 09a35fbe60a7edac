// Package gunzip decompresses gzip, about twice as fast as packages that
// follow zlib's ways: a feed is unpacked on one processor while the others
// wait for it, so that its speed is that of an import's first pass.
//
// What makes it fast is that it looks at eight bytes of input at a time,
// decodes a symbol, however long, by one look into a table in nearly all
// cases, and copies eight bytes at a time out of the one buffer that is both
// its window and its output. As in the other packages, members that follow one
// another are one stream, and checksums and lengths are always compared.
package gunzip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Errors that say what is wrong with the data. One that ends too early is
// io.ErrUnexpectedEOF.
var (
	ErrHeader   = errors.New("gunzip: what follows is not gzip")
	ErrCorrupt  = errors.New("gunzip: the data is damaged")
	ErrChecksum = errors.New("gunzip: the checksum or length is wrong")
)

const (
	windowSize = 32 << 10 // how far back a match may reach
	outSize    = 256 << 10
	inSize     = 256 << 10
	// slack is how much a round of the fast loop may write at most, and a copy
	// of eight bytes at a time may write beyond that.
	slack = 3 + maxMatch + 24
	// spare is how much input a round of the fast loop may look at.
	spare = 24
)

// Reader decompresses a stream. It is for one goroutine.
type Reader struct {
	src io.Reader
	err error // of src, io.EOF at its end; met when the input is used up

	in       []byte
	pos, end int    // of what was read and not yet taken into bits
	bits     uint64 // the next bits, lowest first
	n        uint   // how many bits

	out   []byte
	from  int // up to where it was given to the caller
	to    int // up to where it is decompressed
	start int // of the member, as far as it is in out

	state  state
	last   bool // the block is the member's last
	stored int  // bytes that are left of a stored block
	fail   error

	crc  uint32
	size uint32 // of the member, modulo 2³²

	codes codes
}

// state is what comes next in the input.
type state uint8

const (
	atHeader state = iota // of a block
	inStored
	inCodes
	atTrailer // of a member
)

// NewReader returns a Reader of src, from which it takes more than it needs.
// The first member's header is read at once.
func NewReader(src io.Reader) (*Reader, error) {
	z := &Reader{src: src, in: make([]byte, inSize), out: make([]byte, windowSize+outSize+slack)}
	if err := z.header(); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return z, nil
}

// Read gives what is decompressed. An error comes after all that stands before
// it, and stays.
func (z *Reader) Read(p []byte) (int, error) {
	for z.from == z.to {
		if z.fail != nil {
			return 0, z.fail
		}
		if len(p) == 0 {
			return 0, nil
		}
		z.slide()
		z.fail = z.round()
		made := z.out[z.from:z.to]
		z.crc = crc32.Update(z.crc, crc32.IEEETable, made)
		z.size += uint32(len(made))
		if z.fail == nil && z.state == atTrailer {
			if z.fail = z.trailer(); z.fail == nil {
				z.fail = z.header()
			}
		}
	}
	n := copy(p, z.out[z.from:z.to])
	z.from += n
	return n, nil
}

// slide makes room in out. All that is in it was given to the caller.
func (z *Reader) slide() {
	if z.to < windowSize+outSize/2 {
		return
	}
	off := z.to - windowSize
	copy(z.out, z.out[off:z.to])
	z.start = max(z.start-off, 0)
	z.from, z.to = windowSize, windowSize
}

// round decompresses until out is full or the member ends.
func (z *Reader) round() error {
	for z.to < windowSize+outSize && z.state != atTrailer {
		var err error
		switch z.state {
		case atHeader:
			err = z.block()
		case inStored:
			err = z.copyStored()
		case inCodes:
			err = z.decode()
		}
		if err != nil {
			return err
		}
		if z.state == atHeader && z.last {
			z.state = atTrailer
		}
	}
	return nil
}

// fill reads more input. It reports false at the end of it, or when it cannot
// be read; z.err says which.
func (z *Reader) fill() bool {
	z.unread()
	copy(z.in, z.in[z.pos:z.end])
	z.end -= z.pos
	z.pos = 0
	for tries := 0; z.err == nil && tries < 100; tries++ {
		var n int
		n, z.err = z.src.Read(z.in[z.end:])
		z.end += n
		if n > 0 {
			return true
		}
	}
	if z.err == nil {
		z.err = io.ErrNoProgress
	}
	return false
}

// unread puts the whole bytes of bits back.
func (z *Reader) unread() {
	z.pos -= int(z.n >> 3)
	z.n &= 7
	z.bits &= 1<<z.n - 1
}

// ended is the error of input that ends where it must not.
func (z *Reader) ended() error {
	if errors.Is(z.err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return z.err
}

// need takes up to want bits in, from any place of the input, and returns an
// error if there are fewer.
func (z *Reader) need(want uint) error {
	for z.n < want {
		if z.pos == z.end && !z.fill() {
			return z.ended()
		}
		z.bits |= uint64(z.in[z.pos]) << z.n
		z.pos++
		z.n += 8
	}
	return nil
}

// take reads a number of n bits, 32 at most.
func (z *Reader) take(n uint) (uint32, error) {
	if err := z.need(n); err != nil {
		return 0, err
	}
	v := uint32(z.bits & (1<<n - 1))
	z.bits >>= n
	z.n -= n
	return v, nil
}

// align drops the bits up to the next byte.
func (z *Reader) align() {
	z.bits >>= z.n & 7
	z.n &^= 7
	z.unread()
}

// readByte reads a byte of an aligned input.
func (z *Reader) readByte() (byte, error) {
	if z.pos == z.end && !z.fill() {
		return 0, z.ended()
	}
	b := z.in[z.pos]
	z.pos++
	return b, nil
}

// trailer compares checksum and length of the member.
func (z *Reader) trailer() error {
	z.align()
	var b [8]byte
	for i := range b {
		var err error
		if b[i], err = z.readByte(); err != nil {
			return err
		}
	}
	if crc, size := binary.LittleEndian.Uint32(b[:]), binary.LittleEndian.Uint32(b[4:]); crc != z.crc || size != z.size {
		return ErrChecksum
	}
	return nil
}

// The flags of a member's header.
const (
	hasCRC = 1 << (iota + 1)
	hasExtra
	hasName
	hasComment
)

// header reads the header of a member; io.EOF if there is none.
func (z *Reader) header() error {
	if z.pos == z.end && !z.fill() {
		return z.err
	}
	sum := crc32.NewIEEE()
	var err error
	next := func() (b byte) {
		if err == nil {
			if b, err = z.readByte(); err == nil {
				sum.Write([]byte{b})
			}
		}
		return b
	}
	if next() != 0x1f || next() != 0x8b || next() != 8 {
		if err == nil {
			err = ErrHeader
		}
		return err
	}
	flags := next()
	for range 6 { // time, extra flags, system
		next()
	}
	if flags&hasExtra != 0 {
		for n := int(next()) | int(next())<<8; n > 0 && err == nil; n-- {
			next()
		}
	}
	for _, f := range []byte{hasName, hasComment} {
		for flags&f != 0 && next() != 0 && err == nil {
		}
	}
	if want := uint16(sum.Sum32()); flags&hasCRC != 0 && err == nil {
		if got := uint16(next()) | uint16(next())<<8; err == nil && got != want {
			return fmt.Errorf("%w: checksum of the header", ErrHeader)
		}
	}
	z.state, z.last = atHeader, false
	z.start, z.crc, z.size = z.to, 0, 0
	return err
}
