package placeholder

import (
	"fmt"
	"os"
)

// processName tells people which process holds a lease or lock.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}
