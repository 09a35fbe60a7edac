//go:build race

package feed

// slowdown is what the race detector makes of time and memory.
const slowdown = 8
