package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// outFile is a file that appears under its name only when it is whole: it is
// written beside it and renamed by commit. "-" is standard output.
type outFile struct {
	*bufio.Writer
	path string
	file *os.File // nil for standard output
}

// create starts an outFile.
func (a *app) create(path string) (*outFile, error) {
	if path == "-" {
		return &outFile{Writer: bufio.NewWriterSize(a.stdout, 1<<16), path: path}, nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		// A device or a pipe cannot be renamed over: write straight to it.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &outFile{Writer: bufio.NewWriterSize(f, 1<<16), path: "", file: f}, nil
	}
	f, err := createBeside(path)
	if err != nil {
		return nil, err
	}
	return &outFile{Writer: bufio.NewWriterSize(f, 1<<16), path: path, file: f}, nil
}

// createBeside makes a new file beside path, with the permissions that the
// user's umask leaves, which those of os.CreateTemp are not.
func createBeside(path string) (*os.File, error) {
	for {
		name := fmt.Sprintf(".%s.%08x.tmp", filepath.Base(path), rand.Uint32())
		f, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if !errors.Is(err, os.ErrExist) {
			return f, err
		}
	}
}

// commit makes what was written durable and visible.
func (o *outFile) commit() error {
	err := o.Flush()
	if o.file == nil {
		return err
	}
	if o.path == "" {
		return errors.Join(err, o.file.Close())
	}
	if err == nil {
		err = o.file.Sync()
	}
	err = errors.Join(err, o.file.Close())
	if err == nil {
		err = os.Rename(o.file.Name(), o.path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(o.file.Name()))
	}
	o.file = nil
	return err
}

// discard drops what was written; after commit it does nothing.
func (o *outFile) discard() {
	if o.file == nil {
		return
	}
	o.file.Close()
	if o.path != "" {
		os.Remove(o.file.Name())
	}
	o.file = nil
}

// writeAtomic writes a whole file, or standard output for "-".
func (a *app) writeAtomic(path string, data []byte) error {
	out, err := a.create(path)
	if err != nil {
		return err
	}
	defer out.discard()
	if _, err := out.Write(data); err != nil {
		return err
	}
	return out.commit()
}

// printer writes text for people and keeps the first error, so that a long
// report needs one check.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}
