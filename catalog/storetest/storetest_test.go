package storetest_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/storetest"
)

// TestRun keeps the suite itself right, its part about durability included: a
// store in memory that is never really closed survives every Reopen.
func TestRun(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open:   func(testing.TB) catalog.Store { return memstore.New() },
		Reopen: func(_ testing.TB, s catalog.Store) catalog.Store { return s },
	})
}

// faultVariable names the fault that TestFaulty, run by TestFaultsAreFound,
// puts into the store.
const faultVariable = "STORETEST_FAULT"

// TestFaulty runs the suite on a faulty store, when asked to by name.
func TestFaulty(t *testing.T) {
	f, ok := faults[os.Getenv(faultVariable)]
	if !ok {
		return
	}
	h := storetest.Harness{Open: func(testing.TB) catalog.Store { return f.wrap(memstore.New()) }}
	if f.reopen != nil {
		h.Reopen = func(_ testing.TB, s catalog.Store) catalog.Store { return f.reopen(s) }
	}
	storetest.Run(t, h)
}

// TestFaultsAreFound puts one fault after the other into a store that keeps
// the contract, and expects the subtest that is about it to fail.
func TestFaultsAreFound(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			pattern := "^TestFaulty$/^" + strings.ReplaceAll(f.found, "/", "$/^") + "$"
			cmd := exec.CommandContext(t.Context(), exe, "-test.run="+pattern, "-test.v", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), faultVariable+"="+name)
			out, err := cmd.CombinedOutput()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || !strings.Contains(string(out), "--- FAIL: TestFaulty/"+f.found) {
				t.Errorf("%s does not find it: %v\n%s", f.found, err, out)
			}
		})
	}
}
