package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestShareKill kills, at random moments of an import that goes through the
// socket of the process that has the store, that process or the import. The
// same import again must end in the store of one that nobody killed.
// CATALOG_TEST_SHARE_KILLS says how often; CATALOG_TEST_SEED repeats a run.
func TestShareKill(t *testing.T) {
	k, kills := newKiller(t, "CATALOG_TEST_SHARE_KILLS", 2)
	dir := k.dir
	k.run(t, 0, "generate", "--records", "3000", "-o", "feed.jsonl")
	args := []string{"import", "--no-index", "--source", "erp", "--batch-bytes", "300000", "feed.jsonl"}
	span := k.timed(t, "whole", args)
	want := contents(t, filepath.Join(dir, "whole"))

	for i := range kills {
		store := "shared" + strconv.Itoa(i)
		args := append(args, "--store", "pebble:./"+store)
		holder := k.hold(t, store)
		client, output := k.command(t.Context(), args...)
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(k.rng.Int64N(int64(span)))
		time.Sleep(after)
		if killsHolder := i%2 == 1; killsHolder {
			holder.kill(t)
			// Who used the store takes it over, or says that it could not.
			err := client.Wait()
			if status := client.ProcessState.ExitCode(); status != statusOK && status != statusFailed {
				t.Errorf("the holder was killed after %v: status %d (%v)\n%s", after, status, err, output)
			}
			k.run(t, 0, args...)
		} else {
			if err := client.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = client.Wait()
			k.run(t, 0, args...)
			holder.end(t)
		}
		if got := contents(t, filepath.Join(dir, store)); got != want {
			t.Errorf("round %d, killed after %v: the store ends as\n%+v, want\n%+v", i, after, got, want)
		}
	}
}

// storeHolder is a process that has a store and does nothing with it.
type storeHolder struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	output *bytes.Buffer
}

// hold starts a process that has a store, and shares it.
func (k *killer) hold(t *testing.T, store string) *storeHolder {
	t.Helper()
	cmd, output := k.command(t.Context(), "import", "--no-index", "--store", "pebble:./"+store, "-")
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(k.dir, store, socketName)
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := os.Lstat(socket); err == nil {
			return &storeHolder{cmd, stdin, output}
		}
		if time.Now().After(end) {
			t.Fatalf("the holder does not listen: %s", output)
		}
	}
}

func (h *storeHolder) kill(t *testing.T) {
	t.Helper()
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = h.cmd.Wait()
}

func (h *storeHolder) end(t *testing.T) {
	t.Helper()
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = h.cmd.Wait()
	if got := h.cmd.ProcessState.ExitCode(); got != statusInterrupted {
		t.Errorf("the holder ends with %d: %s", got, h.output)
	}
}
