package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestStepBack runs itself once more, which steps back and tells how far each
// of its threads is.
func TestStepBack(t *testing.T) {
	const child = "CATALOG_TEST_STEP_BACK"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestStepBack$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	stepBack()
	threads, err := filepath.Glob("/proc/self/task/*/stat")
	if err != nil || len(threads) == 0 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), ") ")               // the name may have spaces
		if f := strings.Fields(rest); f[16] != strconv.Itoa(nice) { // nice, see proc(5)
			t.Errorf("%s: nice %s", path, f[16])
		}
	}
}
