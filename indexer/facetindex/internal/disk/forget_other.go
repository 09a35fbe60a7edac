//go:build unix && !linux

package disk

// Forget implements Mapping.
func (m mapped) Forget() {}
