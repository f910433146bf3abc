// Command chargeback works out what every AI request cost and who owes it.
//
// It owns: the command line, the clock, the wiring of everything below, what
// is printed, and exit codes.
// It does not own: any rule of the books (jobs, extract, transform, billing).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"chargeback/billing/ledger"
	"chargeback/jobs"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2  // the command line or a file of settings is wrong
	exitLook    = 3  // done, but objects can't be read or are gone
	exitGates   = 4  // a month can't be closed yet
	exitInUse   = 11 // another process has the ledger
	exitSignal  = 130
	configFile  = "chargeback.yaml"
	demoFolder  = "chargeback-demo"
	columnsWide = 120
)

// world is what a command may see of the machine.
type world struct {
	out, err io.Writer
	now      func() time.Time
	getenv   func(string) string
	columns  int
}

// exitError carries an exit code with an error.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	w := world{out: os.Stdout, err: os.Stderr, now: time.Now, getenv: os.Getenv, columns: columns()}
	code := run(ctx, w, os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, w world, args []string) int {
	root := rootCommand(w)
	root.SetArgs(args)
	root.SetOut(w.out)
	root.SetErr(w.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(w.err, "chargeback: %v\n", err)
	var coded *exitError
	switch {
	case errors.As(err, &coded):
		return coded.code
	case errors.Is(err, ledger.ErrLocked):
		return exitInUse
	case errors.Is(err, jobs.ErrGates):
		return exitGates
	case ctx.Err() != nil:
		return exitSignal
	}
	return exitFailed
}
