package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
)

var (
	errTooLarge = errors.New("gateway: body is larger than what is read")
	errEncoding = errors.New("gateway: body has an unknown compression")
)

// readBody reads r's body, at most limit bytes of it, and returns a request to
// pass on in r's place, whose body is still whole. plain is the body without
// its compression; it is nil with any error, and the request can be passed on
// all the same. What reading it takes is counted in mem.
func readBody(r *http.Request, limit int64, mem *share) (out *http.Request, plain []byte, err error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return r, nil, nil
	}
	if r.ContentLength > limit {
		return r, nil, errTooLarge
	}
	raw, err := io.ReadAll(mem.reader(io.LimitReader(r.Body, limit+1)))
	out = r.WithContext(r.Context()) // whose Trailer is complete by now
	out.Header = r.Header.Clone()
	out.Header.Del("Expect") // the client has sent it: there is nothing to wait for
	if err != nil || int64(len(raw)) > limit {
		rest := io.Reader(r.Body)
		if err == nil {
			err = errTooLarge
		} else if !errors.Is(err, errMemory) {
			rest = failing{err}
		}
		out.Body = body{io.MultiReader(bytes.NewReader(raw), rest), r.Body}
		return out, nil, err
	}
	setBody(out, raw)
	plain, err = decode(raw, r.Header.Get("Content-Encoding"), limit)
	if err == nil && !mem.take(int64(len(plain))*parseFactor) {
		return out, nil, errMemory
	}
	return out, plain, err
}

// setBody gives r a body in memory, which can be sent again on another
// connection. ContentLength is left alone: what came in chunks goes in chunks.
func setBody(r *http.Request, b []byte) {
	r.Body = io.NopCloser(bytes.NewReader(b))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// replaceBody gives r another body than it came with. r's headers are its own.
func replaceBody(r *http.Request, b []byte) {
	setBody(r, b)
	if r.ContentLength >= 0 {
		r.ContentLength = int64(len(b))
	}
	for _, h := range []string{"Content-Encoding", "Content-Length", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest"} {
		r.Header.Del(h)
	}
}

// body reads what is left of a body and closes the whole.
type body struct {
	io.Reader
	io.Closer
}

// failing is a reader that fails as an earlier one did.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// decode undoes a compression, up to limit bytes.
func decode(raw []byte, encoding string, limit int64) ([]byte, error) {
	var z io.Reader
	var err error
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return raw, nil
	case "gzip", "x-gzip":
		z, err = gzip.NewReader(bytes.NewReader(raw))
	case "deflate":
		z, err = zlib.NewReader(bytes.NewReader(raw))
	default:
		return nil, errEncoding
	}
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(plain)) > limit {
		return nil, errTooLarge
	}
	return plain, nil
}
