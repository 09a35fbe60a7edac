package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"catalog/catalog/packing"
	"catalog/importer/internal/gunzip"
)

const (
	// zstdWindow is the largest window that is read: what "zstd --long" makes.
	zstdWindow = 128 << 20
	// A feed that gives more than bombRatio times its size, after bombFrom
	// bytes, is no feed: JSON and CSV compress to a hundredth at most, and one
	// record that is far too long is still to be told from a bomb.
	bombRatio = 400
	bombFrom  = 640 << 20
)

// magics are the beginnings of compressed and other files that are told apart.
var magics = []struct {
	magic string
	name  string
	ok    bool // name is a compression that is read
}{
	{"\x1f\x8b\x08", Gzip, true},
	{"\x28\xb5\x2f\xfd", Zstd, true},
	{"BZh", "bzip2", false},
	{"\xfd7zXZ\x00", "xz", false},
	{"PK\x03\x04", "zip", false},
	{"7z\xbc\xaf\x27\x1c", "7-Zip", false},
	{"\x04\x22\x4d\x18", "lz4", false},
	{"\x1f\x9d", "compress", false},
	{"Rar!", "rar", false},
}

// compressionOf recognises a compression by a feed's first bytes.
func compressionOf(head []byte) (string, error) {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			if !m.ok {
				return "", fmt.Errorf("%w: it is packed with %s: unpack it, or pack it with gzip or zstd", ErrFormat, m.name)
			}
			return m.name, nil
		}
	}
	if len(head) >= 4 && head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18" {
		return Zstd, nil // a skippable frame, as parallel compressors write first
	}
	return None, nil
}

// unpacked is a source decompressed. Whatever its compression finds wrong is
// ErrTruncated; an error of the source itself stays what it is.
type unpacked struct {
	src   *source
	r     io.Reader
	zr    *packing.ZstdReader
	n     int64 // bytes given
	limit int64 // bytes above which the ratio is absurd; bombFrom, except in tests
}

// unpack starts decompressing src.
func unpack(src *source, compression string) (*unpacked, error) {
	u := &unpacked{src: src, r: src, limit: bombFrom}
	var err error
	switch compression {
	case Gzip:
		u.r, err = gunzip.NewReader(src)
	case Zstd:
		u.zr, err = packing.NewZstdReader(src, zstdWindow)
		u.r = u.zr
	}
	if err != nil {
		return nil, u.blame(err)
	}
	return u, nil
}

func (u *unpacked) Read(p []byte) (int, error) {
	if u.r == u.src {
		return u.src.Read(p)
	}
	n, err := u.r.Read(p)
	u.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, u.blame(err)
	}
	if u.n > u.limit && u.n > bombRatio*u.src.n {
		return n, fmt.Errorf("%w: %d bytes became more than %d (%w)", ErrBomb, u.src.n, u.n, ErrTruncated)
	}
	return n, err
}

// blame says whose fault err is.
func (u *unpacked) blame(err error) error {
	if u.src.err != nil {
		return u.src.err
	}
	if cerr := u.src.unchanged(); cerr != nil {
		return cerr
	}
	switch {
	case errors.Is(err, packing.ErrWindow):
		return fmt.Errorf("%w: its zstd window is larger than %d MiB (%w)", ErrFormat, zstdWindow>>20, ErrTruncated)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the compressed data ends too early", ErrTruncated)
	}
	return fmt.Errorf("%w: the compressed data is damaged: %v", ErrTruncated, err)
}

// Close frees the decompressor, not the source.
func (u *unpacked) Close() {
	if u.zr != nil {
		u.zr.Close()
	}
}
