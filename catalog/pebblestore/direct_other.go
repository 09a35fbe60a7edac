//go:build !linux

package pebblestore

import "github.com/cockroachdb/pebble/v2/vfs"

func setDirect(vfs.File, bool) bool { return false }
