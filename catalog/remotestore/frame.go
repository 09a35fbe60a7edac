package remotestore

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"catalog/catalog"
)

// preface begins each stream; its last byte is the version of all that follows.
const preface = "catst\x01"

// The types of frame.
const (
	frameCall  = 'c'
	frameWrite = 'w'
	frameItem  = 'i'
	frameTick  = 't'
	frameError = 'x'
	frameEnd   = 'e'
)

const (
	// maxFrame is how long a payload may be: the largest record with as many
	// refs as could be made of it.
	maxFrame = 4 * catalog.MaxBody
	// frameStep is how much memory a payload takes before any of it was read.
	frameStep = 64 << 10
	// bufferSize is how much is read or written at a time.
	bufferSize = 64 << 10
)

var (
	errFrame   = errors.New("malformed frame")
	errPreface = fmt.Errorf("%w: no stream of this version", errFrame)
)

// frameReader reads a stream of frames. It never takes more memory for a
// payload than twice what arrived of it, whatever its length says.
type frameReader struct {
	r     *bufio.Reader
	begun bool
	buf   []byte // of next
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, bufferSize)}
}

// header reads what stands before a payload. The end of what is read from is
// io.ErrUnexpectedEOF: only a frame ends a stream.
func (f *frameReader) header() (typ byte, n int, err error) {
	if !f.begun {
		var b [len(preface)]byte
		if _, err := io.ReadFull(f.r, b[:]); err != nil {
			return 0, 0, cutOff(err)
		}
		if string(b[:]) != preface {
			return 0, 0, errPreface
		}
		f.begun = true
	}
	if typ, err = f.r.ReadByte(); err != nil {
		return 0, 0, cutOff(err)
	}
	length, err := f.uvarint()
	if err != nil {
		return 0, 0, cutOff(err)
	}
	if length > maxFrame {
		return 0, 0, fmt.Errorf("%w: %d bytes", errFrame, length)
	}
	return typ, int(length), nil
}

// uvarint reads a length.
func (f *frameReader) uvarint() (v uint64, err error) {
	for shift := 0; shift < 35; shift += 7 {
		c, err := f.r.ReadByte()
		if err != nil {
			return 0, err
		}
		if v |= uint64(c&0x7f) << shift; c < 0x80 {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%w: a length that never ends", errFrame)
}

// payload appends n bytes to dst.
func (f *frameReader) payload(dst []byte, n int) ([]byte, error) {
	for n > 0 {
		step := min(n, max(frameStep, len(dst)))
		have := len(dst)
		if cap(dst)-have < step {
			grown := make([]byte, have, have+step)
			copy(grown, dst)
			dst = grown
		}
		dst = dst[:have+step]
		if _, err := io.ReadFull(f.r, dst[have:]); err != nil {
			return dst[:have], cutOff(err)
		}
		n -= step
	}
	return dst, nil
}

// next reads a frame whose payload is valid until the next call.
func (f *frameReader) next() (typ byte, payload []byte, err error) {
	typ, n, err := f.header()
	if err != nil {
		return 0, nil, err
	}
	if cap(f.buf) > 1<<20 && n < 1<<16 {
		f.buf = nil // one giant record must not stay in memory for ever
	}
	f.buf, err = f.payload(f.buf[:0], n)
	return typ, f.buf, err
}

// cutOff makes an end that comes too early an error.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// buffers are the readers and writers of streams that have ended.
type buffers struct{ readers, writers sync.Pool }

func (b *buffers) reader(r io.Reader) *frameReader {
	f, ok := b.readers.Get().(*frameReader)
	if !ok {
		return newFrameReader(r)
	}
	f.r.Reset(r)
	return f
}

// doneReading takes a reader back whose frames nobody looks at any more.
func (b *buffers) doneReading(f *frameReader) {
	f.r.Reset(nil)
	f.begun = false
	if cap(f.buf) > 1<<20 {
		f.buf = nil
	}
	b.readers.Put(f)
}

func (b *buffers) writer(w io.Writer) *frameWriter {
	f, ok := b.writers.Get().(*frameWriter)
	if !ok {
		return newFrameWriter(w)
	}
	f.w.Reset(w)
	return f
}

func (b *buffers) doneWriting(f *frameWriter) {
	f.w.Reset(nil)
	f.begun = false
	b.writers.Put(f)
}

// appendFrameHeader appends what stands before a payload of n bytes.
func appendFrameHeader(b []byte, typ byte, n int) []byte {
	return binary.AppendUvarint(append(b, typ), uint64(n))
}

// appendFrame appends a whole frame.
func appendFrame(b []byte, typ byte, payload []byte) []byte {
	return append(appendFrameHeader(b, typ, len(payload)), payload...)
}

// frameWriter writes a stream of frames.
type frameWriter struct {
	w     *bufio.Writer
	begun bool
	head  []byte
}

func newFrameWriter(w io.Writer) *frameWriter {
	return &frameWriter{w: bufio.NewWriterSize(w, bufferSize)}
}

// frame writes a frame whose payload is head and body.
func (f *frameWriter) frame(typ byte, head, body []byte) error {
	f.head = f.head[:0]
	if !f.begun {
		f.begun = true
		f.head = append(f.head, preface...)
	}
	f.head = appendFrameHeader(f.head, typ, len(head)+len(body))
	if _, err := f.w.Write(f.head); err != nil {
		return err
	}
	if _, err := f.w.Write(head); err != nil {
		return err
	}
	_, err := f.w.Write(body)
	return err
}
