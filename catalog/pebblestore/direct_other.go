//go:build !linux

package pebblestore

import "github.com/cockroachdb/pebble/v2/vfs"

// setDirect can do it on Linux alone.
func setDirect(vfs.File, bool) bool { return false }
