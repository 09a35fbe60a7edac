package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"catalog/catalog"
)

const spoolTell = 200 * time.Millisecond // between two calls of Options.Spooled

// fetchStream copies the input's stream to a spool. It tries again where that
// may help.
func (in *Input) fetchStream(ctx context.Context) error {
	for try := 0; ; try++ {
		err := in.spoolOnce(ctx)
		var again *transientError
		if err == nil || !errors.As(err, &again) || try+1 == fetchTries {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

func (in *Input) spoolOnce(ctx context.Context) error {
	r, err := in.stream(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	f, n, err := spoolTo(ctx, in.opts.TempDir, r, func(n int64) {
		if in.opts.Spooled != nil {
			in.opts.Spooled(in.Name, n)
		}
	})
	if err != nil {
		return err
	}
	in.spool, in.Size = f, n
	return nil
}

// spoolTo copies r to a new file in dir that has no name, so that nothing is
// left of it whatever happens to the process.
func spoolTo(ctx context.Context, dir string, r io.Reader, tell func(int64)) (*os.File, int64, error) {
	f, err := os.CreateTemp(dir, "catalog-spool-*")
	if err != nil {
		return nil, 0, spoolError(dir, err)
	}
	n, err := int64(0), os.Remove(f.Name())
	buf := make([]byte, chunkSize)
	told := time.Now()
	for err == nil {
		var k int
		if err = ctx.Err(); err != nil {
			err = context.Cause(ctx)
			break
		}
		if k, err = r.Read(buf); k > 0 {
			if _, werr := f.Write(buf[:k]); werr != nil {
				err = spoolError(dir, werr)
				break
			}
			n += int64(k)
		}
		if time.Since(told) > spoolTell {
			tell(n)
			told = time.Now()
		}
	}
	if !errors.Is(err, io.EOF) || errors.Is(err, ErrTruncated) {
		f.Close()
		return nil, 0, err
	}
	tell(n)
	return f, n, nil
}

// spoolError says where a stream could not be spooled.
func spoolError(dir string, err error) error {
	if dir == "" {
		dir = os.TempDir()
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = catalog.ErrFull
	}
	return fmt.Errorf("spool to %s: %w", dir, pathless(err))
}

// openPipe opens a named pipe or device. Opening a pipe waits for somebody to
// write to it, so a done context is made to look like one.
func openPipe(ctx context.Context, name string) (io.ReadCloser, error) {
	stop := context.AfterFunc(ctx, func() {
		if w, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			w.Close()
		}
	})
	f, err := os.Open(name)
	stop()
	if err != nil {
		return nil, pathless(err)
	}
	if err := ctx.Err(); err != nil {
		f.Close()
		return nil, context.Cause(ctx)
	}
	return interruptible(ctx, f), nil
}

// openStdin makes standard input a stream that a done context interrupts where
// the system can do so: a pipe is opened a second time, for that.
func openStdin(ctx context.Context, r io.Reader) (io.ReadCloser, error) {
	f, ok := r.(*os.File)
	if !ok {
		return io.NopCloser(r), nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil, pathless(err)
	}
	if info.Mode()&os.ModeNamedPipe != 0 {
		if again, err := os.Open(fmt.Sprintf("/dev/fd/%d", f.Fd())); err == nil {
			return interruptible(ctx, again), nil
		}
	}
	return io.NopCloser(f), nil
}

// interruptible makes reading from f fail once the context is done.
func interruptible(ctx context.Context, f *os.File) io.ReadCloser {
	stop := context.AfterFunc(ctx, func() {
		_ = f.SetReadDeadline(time.Unix(1, 0)) // a device that has none is read to its end
	})
	return &interruptibleFile{f: f, ctx: ctx, stop: stop}
}

type interruptibleFile struct {
	f    *os.File
	ctx  context.Context
	stop func() bool
}

func (i *interruptibleFile) Read(p []byte) (int, error) {
	n, err := i.f.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.Cause(i.ctx)
	}
	return n, err
}

func (i *interruptibleFile) Close() error {
	i.stop()
	return i.f.Close()
}
