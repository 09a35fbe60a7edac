package feed

import (
	"context"
	"errors"
	"io"
)

// text is a feed's content as UTF-8 without byte order mark.
type text struct {
	ctx  context.Context
	src  *source
	un   *unpacked
	r    io.Reader
	skip int64 // bytes of the byte order mark before r
}

// openText opens the feed for one pass. Compression and Encoding are known.
func (in *Input) openText(ctx context.Context) (*text, error) {
	src, err := in.open()
	if err != nil {
		return nil, err
	}
	un, err := unpack(src, in.Compression)
	if err != nil {
		src.Close()
		return nil, err
	}
	t := &text{ctx: ctx, src: src, un: un}
	head := make([]byte, 3)
	n, err := io.ReadFull(un, head)
	head = head[:n]
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		t.Close()
		return nil, err
	}
	_, skip, err := encodingOf(in.Encoding, head)
	if err != nil {
		t.Close()
		return nil, err
	}
	var r io.Reader = un
	if rest := head[skip:]; len(rest) > 0 {
		r = &prefixed{head: rest, r: un}
	}
	t.r = decoded(r, in.Encoding)
	if in.Encoding == utf8Name {
		t.skip = int64(skip)
	}
	return t, nil
}

// Read reads on, until the context is done.
func (t *text) Read(p []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, context.Cause(t.ctx)
	}
	return t.r.Read(p)
}

// Close closes the source.
func (t *text) Close() error {
	t.un.Close()
	return t.src.Close()
}

// prefixed gives some bytes before the rest of a reader.
type prefixed struct {
	head []byte
	r    io.Reader
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	return p.r.Read(b)
}
