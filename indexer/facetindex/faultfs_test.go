package facetindex

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"sync"

	"catalog/indexer/facetindex/internal/disk"
)

var errCrash = errors.New("the machine has crashed")

// faultFS is a disk that can crash: after so many operations all fail, and
// what was not synced is lost, or kept in part.
type faultFS struct {
	mu      sync.Mutex
	files   map[string]*faultFile
	durable map[string]*faultFile // names as of the last Sync
	left    int                   // operations until the crash; below 0: none
	ops     int
}

type faultFile struct {
	fs     *faultFS
	data   []byte
	synced int
}

func newFaultFS(left int) *faultFS {
	return &faultFS{files: map[string]*faultFile{}, durable: map[string]*faultFile{}, left: left}
}

// step counts an operation. The caller holds mu.
func (d *faultFS) step() error {
	d.ops++
	if d.left == 0 {
		return errCrash
	}
	d.left--
	return nil
}

// crashed returns the disk as it is found after the crash.
func (d *faultFS) crashed(r *rand.Rand) *faultFS {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := newFaultFS(-1)
	names := map[string]bool{}
	for n := range d.files {
		names[n] = true
	}
	for n := range d.durable {
		names[n] = true
	}
	for n := range names {
		from := d.durable
		if r.IntN(2) == 0 { // names that were not synced may be there or not
			from = d.files
		}
		if f := from[n]; f != nil {
			keep := f.synced + r.IntN(len(f.data)-f.synced+1)
			c := &faultFile{fs: out, data: append([]byte(nil), f.data[:keep]...), synced: keep}
			if keep > f.synced && r.IntN(3) == 0 { // and may be garbage
				c.data[f.synced+r.IntN(keep-f.synced)] ^= 0x55
			}
			out.files[n], out.durable[n] = c, c
		}
	}
	return out
}

func (d *faultFS) Create(name string) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return nil, err
	}
	f := &faultFile{fs: d}
	d.files[name] = f
	return f, nil
}

func (d *faultFS) Append(name string) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return nil, err
	}
	if f := d.files[name]; f != nil {
		return f, nil
	}
	return nil, fs.ErrNotExist
}

func (d *faultFS) Map(name string) (disk.Mapping, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return nil, err
	}
	if f := d.files[name]; f != nil {
		return disk.Memory(append([]byte(nil), f.data...)), nil
	}
	return nil, fs.ErrNotExist
}

func (d *faultFS) Truncate(name string, size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	f := d.files[name]
	for int64(len(f.data)) < size {
		f.data = append(f.data, 0)
	}
	f.data = f.data[:size]
	f.synced = min(f.synced, int(size))
	return nil
}

func (d *faultFS) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	d.files[to] = d.files[from]
	delete(d.files, from)
	return nil
}

func (d *faultFS) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	if d.files[name] == nil {
		return fs.ErrNotExist
	}
	delete(d.files, name)
	return nil
}

func (d *faultFS) List() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for n := range d.files {
		names = append(names, n)
	}
	return names, d.step()
}

func (d *faultFS) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	clear(d.durable)
	for n, f := range d.files {
		d.durable[n] = f
	}
	return nil
}

func (f *faultFile) Write(b []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.step(); err != nil {
		return 0, err
	}
	f.data = append(f.data, b...)
	return len(b), nil
}

func (f *faultFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.step(); err != nil {
		return err
	}
	f.synced = len(f.data)
	return nil
}

func (f *faultFile) Close() error { return nil }
