//go:build !unix

package disk

import "os"

func mapFile(path string) (Mapping, error) {
	b, err := os.ReadFile(path)
	return memory(b), err
}

// Lock takes a lock file for this process; the result gives it up. Where the
// system knows no such lock, the file alone is it.
func Lock(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if os.IsExist(err) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, err
	}
	return func() error {
		if err := f.Close(); err != nil {
			return err
		}
		return os.Remove(path)
	}, nil
}
