package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestImportsAtOnce runs several imports beside each other, without a server:
// whichever has store and index, each ends well, and the index has all.
func TestImportsAtOnce(t *testing.T) {
	dir := t.TempDir()
	k := &killer{program: programCopy(t, dir), dir: dir}
	const several = 4
	var work sync.WaitGroup
	for i := range several {
		name := string(rune('a' + i))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat(`{"sku":"`+name+`","name":"Lamp"}`+"\n", 50)), 0o600); err != nil {
			t.Fatal(err)
		}
		work.Go(func() {
			cmd, output := k.command(t.Context(), "import", "--format", "jsonl", name)
			if err := cmd.Run(); err != nil {
				t.Errorf("import %s: %v\n%s", name, err, output)
			}
		})
	}
	work.Wait()
	status, output := k.status(t, "search", "lamp", "--json")
	if status != 0 || strings.Count(output, `"sku"`) != several {
		t.Errorf("%d: %s", status, output)
	}
	k.run(t, 0, "verify", "--no-progress")
}
