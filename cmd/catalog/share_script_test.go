package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// background is a program that a script began and has not ended.
type background struct {
	cmd    *exec.Cmd
	output bytes.Buffer
	cancel context.CancelFunc
}

type backgroundKey struct{}

// scriptBegin starts catalog and lets it run: begin NAME catalog argument….
func scriptBegin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || args[1] != "catalog" {
		ts.Fatalf("usage: begin NAME catalog argument…")
	}
	all, _ := ts.Value(backgroundKey{}).(map[string]*background)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	b := &background{cmd: exec.CommandContext(ctx, program(ts), args[2:]...), cancel: cancel}
	b.cmd.Dir, b.cmd.Stdout, b.cmd.Stderr = ts.Getenv("WORK"), &b.output, &b.output
	b.cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "TMPDIR=" + ts.Getenv("TMPDIR"), "GOCOVERDIR=" + ts.Getenv("GOCOVERDIR")}
	ts.Check(b.cmd.Start())
	all[args[0]] = b
	ts.Defer(func() { // of a script that fails
		cancel()
		if b.cmd.ProcessState == nil {
			_ = b.cmd.Wait()
		}
	})
}

// scriptEnd ends what begin started, and shows its output: end NAME TERM|KILL.
func scriptEnd(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	all, _ := ts.Value(backgroundKey{}).(map[string]*background)
	if neg || len(args) != 2 || all[args[0]] == nil || signals[args[1]] == 0 {
		ts.Fatalf("usage: end NAME TERM|KILL")
	}
	b := all[args[0]]
	delete(all, args[0])
	ts.Check(b.cmd.Process.Signal(signals[args[1]]))
	err := b.cmd.Wait()
	b.cancel()
	ts.Logf("%s", b.output.Bytes())
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if got := b.cmd.ProcessState.ExitCode(); args[1] == "TERM" && got != 0 && got != statusInterrupted {
		ts.Fatalf("the exit status is %d", got)
	}
}

// scriptWaitFor waits until a file is there: wait-for FILE.
func scriptWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: wait-for FILE")
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Lstat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s does not appear", args[0])
}
