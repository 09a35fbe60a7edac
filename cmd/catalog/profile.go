package main

import (
	"fmt"
	"os"
	"runtime/pprof"
)

// startProfile writes where processor time goes to a file until the function
// returned is called. It is how a user shows us what is slow on a machine of
// theirs. (The profiles of an import make no faster program: built by them, it
// took as long, and building it twice as long.)
func startProfile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("--cpu-profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("--cpu-profile: %w", err)
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
