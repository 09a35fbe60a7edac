// Command catalog keeps a product catalog of any size in a key-value store:
// it imports feeds, tells what is in them and in the store, and exports it
// again. This package holds no logic of its own: each command turns its flags
// into options, opens the store, calls one function of a package and turns
// the answer into text and an exit status.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"catalog/importer"
	"catalog/importer/inspect"
	"catalog/indexer"
)

// The exit statuses; exitHelp documents them.
const (
	statusOK          = 0
	statusFailed      = 1
	statusUsage       = 2
	statusRejects     = 3
	statusRefused     = 4
	statusInterrupted = 130
)

const exitHelp = `EXIT STATUS
  0    success
  1    failed: what could not be done is said on standard error; after an
       import that failed, run the same command again
  2    usage: a flag, a setting or the feed's shape makes no sense
  3    success, but some records were rejected
  4    refused: a guard held back deletes or prices, the rest was done
  130  interrupted by SIGINT or SIGTERM; run the same command again
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the default action is back: a second one kills.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], system{
		stdin:  os.Stdin,
		stdout: os.Stdout,
		stderr: os.Stderr,
		lookup: os.LookupEnv,
		yield:  stepBack,
	}))
}

// system is what the program sees of the machine, so that tests can stand in
// for it.
type system struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	lookup func(name string) (string, bool) // of an environment variable
	yield  func()                           // lets other processes go first; nil does nothing
}

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, sys system) int {
	root := newRootCommand(&app{system: sys})
	root.SetArgs(args)
	root.SetIn(sys.stdin)
	root.SetOut(sys.stdout)
	root.SetErr(sys.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	// The cause of the context says which signal it was.
	if err != nil && ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))) {
		err = errInterrupted
	}
	status := exitStatus(err)
	explain(sys.stderr, cmd, status, err)
	return status
}

// errRejects ends a command whose work is done but for rejected records.
var errRejects = errors.New("some records were rejected")

// errInterrupted ends a command that a signal stopped.
var errInterrupted = errors.New("interrupted")

// usageError is a command line, setting or combination that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// exitStatus is the one place that decides on the exit status.
func exitStatus(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, errInterrupted):
		return statusInterrupted
	case errors.As(err, &usage), errors.Is(err, importer.ErrUsage), errors.Is(err, inspect.ErrShape), errors.Is(err, indexer.ErrSettings):
		return statusUsage
	case errors.Is(err, importer.ErrTooManyRejects):
		return statusFailed
	case errors.Is(err, importer.ErrRefused):
		return statusRefused
	case errors.Is(err, errRejects):
		return statusRejects
	}
	return statusFailed
}

// reported marks an error that the command has already told the user about.
type reported struct{ error }

func (e reported) Unwrap() error { return e.error }

// explain says on standard error why the command ended as it did.
func explain(w io.Writer, cmd *cobra.Command, status int, err error) {
	var told reported
	if err == nil || errors.As(err, &told) {
		return
	}
	text := strings.TrimPrefix(err.Error(), importer.ErrUsage.Error()+": ")
	fmt.Fprintf(w, "catalog: %s\n", text)
	if status == statusUsage {
		fmt.Fprintf(w, "See '%s --help'.\n", cmd.CommandPath())
	}
}
