package main

import (
	"os"
	"strconv"
	"syscall"
)

// nice is how far this process steps back: of a processor that a server wants,
// too, it gets a quarter.
const nice = 5

// stepBack makes the system prefer other processes to this one, as nice(1) does:
// for all of its threads, whose children are as they are. That it cannot is no
// reason not to go on.
func stepBack() {
	for range 2 { // a thread may be begun by one that has not stepped back yet
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return
		}
		for _, t := range threads {
			if id, err := strconv.Atoi(t.Name()); err == nil {
				_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, nice) // it may have ended
			}
		}
	}
}
