package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"catalog/catalog/pebblestore"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"catalog": main})
}

// TestScripts plays the journeys of testdata with the real program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Values[backgroundKey{}] = map[string]*background{}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"status":    scriptStatus,
			"interrupt": scriptInterrupt,
			"hold":      scriptHold,
			"begin":     scriptBegin,
			"end":       scriptEnd,
			"wait-for":  scriptWaitFor,
			"lines":     scriptLines,
			"replace":   scriptReplace,
			"same":      scriptSame,
			"port":      scriptPort,
			"fetch":     scriptFetch,
		},
		RequireExplicitExec: false,
		RequireUniqueNames:  true,
	})
}

// scriptStatus runs a program that shall end with a status:
// status 3 catalog stats.
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N program [argument…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("the exit status is %d, want %d", got, want)
	}
}

// scriptInterrupt starts catalog with a feed on standard input that does not
// end, signals it once it reads and checks the status: interrupt INT FEED 130
// argument…. Its output goes to the files stdout and stderr.
func scriptInterrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: interrupt INT|TERM feed status argument…")
	}
	signal := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[args[0]]
	feed, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(feed) <= 1<<20 {
		ts.Fatalf("a feed of %d bytes may stay in the pipe unread", len(feed))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(ts), args[3:]...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.Getenv("WORK"), &stdout, &stderr
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "TMPDIR=" + ts.Getenv("TMPDIR"), "GOCOVERDIR=" + ts.Getenv("GOCOVERDIR")}
	stdin, err := cmd.StdinPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	_, err = stdin.Write(feed) // returns when nearly all of it was read
	ts.Check(err)
	ts.Check(cmd.Process.Signal(signal))
	err = cmd.Wait()
	ts.Check(os.WriteFile(ts.MkAbs("stdout"), stdout.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("stderr"), stderr.Bytes(), 0o600))
	ts.Logf("%s%s", stdout.Bytes(), stderr.Bytes())
	if got := fmt.Sprint(cmd.ProcessState.ExitCode()); got != args[2] {
		ts.Fatalf("the exit status is %s (%v), want %s", got, err, args[2])
	}
}

// program returns the path of the program under test.
func program(ts *testscript.TestScript) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, "catalog")
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	ts.Fatalf("catalog is not in PATH: %v", fs.ErrNotExist)
	return ""
}

// scriptHold opens the store in a folder until the script ends.
func scriptHold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hold DIR")
	}
	store, err := pebblestore.Open(context.Background(), ts.MkAbs(args[0]), nil)
	ts.Check(err)
	ts.Defer(func() { ts.Check(store.Close()) })
}

// scriptLines checks how many lines a file has: lines N FILE.
func scriptLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines N file")
	}
	if got := strings.Count(ts.ReadFile(args[1]), "\n"); fmt.Sprint(got) != args[0] {
		ts.Fatalf("%s has %d lines, want %s", args[1], got, args[0])
	}
}

// scriptReplace replaces text in a file: replace OLD NEW FILE.
func scriptReplace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace old new file")
	}
	text := ts.ReadFile(args[2])
	if !strings.Contains(text, args[0]) {
		ts.Fatalf("%s has no %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.ReplaceAll(text, args[0], args[1])), 0o600))
}

// scriptSame checks that two files, too large to be shown, are the same, and
// shows where they differ: same A B.
func scriptSame(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same file file")
	}
	a, b := strings.Split(ts.ReadFile(args[0]), "\n"), strings.Split(ts.ReadFile(args[1]), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			ts.Fatalf("line %d differs:\n%s: %.2000s\n%s: %.2000s", i+1, args[0], a[i], args[1], b[i])
		}
	}
	if len(a) != len(b) || len(a) < 2 {
		ts.Fatalf("%s has %d lines, %s has %d", args[0], len(a)-1, args[1], len(b)-1)
	}
}
