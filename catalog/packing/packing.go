// Package packing packs bytes and unpacks them: the project's one door to its
// compression library, github.com/klauspost/compress, whose zstd is the one that
// is written in Go, and whose gzip is twice as fast as the standard library's.
// Functions are safe for concurrent use; a reader or writer belongs to one
// goroutine.
package packing

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// ErrWindow means that unpacking would take more memory than is allowed.
var ErrWindow = errors.New("the zstd window is too large")

// NewGzipWriter returns a writer that packs by gzip (RFC 1952) into w. Its Close
// ends the data and leaves w open.
func NewGzipWriter(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

// NewZstdWriter is NewGzipWriter by zstd (RFC 8878).
func NewZstdWriter(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
}

// ZstdReader unpacks zstd (RFC 8878), one frame after the other.
type ZstdReader struct{ d *zstd.Decoder }

// NewZstdReader returns a reader of what r holds. Data that asks for a window of
// more than so many bytes is ErrWindow.
func NewZstdReader(r io.Reader, maxWindow uint64) (*ZstdReader, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, tooLarge(err)
	}
	return &ZstdReader{d}, nil
}

// Read implements io.Reader.
func (z *ZstdReader) Read(p []byte) (int, error) {
	n, err := z.d.Read(p)
	return n, tooLarge(err)
}

// Close frees memory; it leaves what is read from open.
func (z *ZstdReader) Close() { z.d.Close() }

func tooLarge(err error) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return fmt.Errorf("%w: %w", ErrWindow, err)
	}
	return err
}

// quick packs what is sent at once: as fast as it goes, with a window that a
// page fits into.
var quick = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true))
	if err != nil { // the options are constants
		panic(err)
	}
	return e
})

// AppendZstd appends src as one frame of zstd to dst.
func AppendZstd(dst, src []byte) []byte { return quick().EncodeAll(src, dst) }
