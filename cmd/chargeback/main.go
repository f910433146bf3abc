// Command chargeback works out what every AI request cost and who owes it.
//
// It owns: the command line, the clock, what is printed, and exit codes (root.go
// tells users what they mean).
// It does not own: the wiring (cmd/chargeback/app), or any rule of the books (jobs,
// extract, transform, billing).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"chargeback/billing/warehouse"
	"chargeback/cmd/chargeback/app"
	"chargeback/jobs"
	"chargeback/transform/strictyaml"
)

// Exit codes; rootHelp explains them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitLook   = 3
	exitGates  = 4
	exitInUse  = 11
	exitSignal = 130
)

// world is what a command may see of the machine.
type world struct {
	out, err io.Writer
	now      func() time.Time
	getenv   func(string) string
	columns  int    // width of tables
	wrap     int    // width at which other lines are broken; 0 where nobody watches
	live     bool   // err is a terminal that a line can be overwritten on
	program  string // how the user calls this program
	pid      int    // of this process
	log      *runLog
	wait     *time.Duration // --wait; nil waits for nobody

	engine app.EngineDecorator // what a test puts around the warehouse; nil leaves it as it is
}

// exitError carries an exit code with an error.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// options is what a command hands to the books.
func (w world) options() app.Options {
	o := app.Options{Now: w.now, Getenv: w.getenv, Err: w.err, Columns: w.columns, Sleep: sleep, Engine: w.engine}
	if w.wait != nil {
		o.Wait = *w.wait
	}
	return o
}

// sleep waits for a time, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func main() {
	shareProcessors()
	os.Exit(chargeback(time.Now))
}

// shareProcessors lets twice as many goroutines run as there are processors:
// the decoders keep all of them busy, and DuckDB's threads, which call into Go
// for each batch, would wait until one of them pauses.
func shareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
}

// chargeback runs the command line of the process by the given clock and
// returns its exit code. A first SIGINT or SIGTERM stops it in order, a second
// one at once.
func chargeback(now func() time.Time) int {
	syscall.Umask(0o077) // what the ledger's engine makes, too, is for this user alone
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	w := world{
		out: os.Stdout, err: os.Stderr, now: now, getenv: os.Getenv,
		columns: columnsWide, live: isTerminal(os.Stderr), program: program(os.Args[0]), pid: os.Getpid(),
	}
	if width := columns(os.Getenv); width > 0 {
		w.columns, w.wrap = width, width
	}
	return run(ctx, w, os.Args[1:])
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, w world, args []string) int {
	w.log = newLog(formatText, w.err, w.now, w.pid)
	w.err = w.log
	if asksForJSON(args) { // also where what stands before it is wrong
		w.log.format = formatJSON
	}
	printed := &watched{Writer: w.out}
	w.out = printed
	root := rootCommand(w)
	root.SetArgs(args)
	root.SetOut(w.out)
	root.SetErr(w.err)
	c, err := root.ExecuteContextC(ctx)
	code := exitCode(ctx, err)
	if err != nil && printsObject(c) && !printed.any {
		err = errors.Join(err, writeJSON(w, failed{code, withoutSecrets(err)}))
	}
	w.log.ended(code, err)
	switch {
	case code == exitOK || w.log.machines():
	case code == exitSignal:
		fmt.Fprintf(w.err, "chargeback: stopped by a signal, nothing is half done: %s; run the same again\n", withoutSecrets(err))
	default:
		fmt.Fprintf(w.err, "chargeback: %s\n", withoutSecrets(err))
	}
	return code
}

// failed is what a command that prints one JSON object prints where it fails before
// it has any.
type failed struct {
	ExitCode int    `json:"exit_code"`
	Error    string `json:"error"`
}

// printsObject says whether a command was asked for one JSON object.
func printsObject(c *cobra.Command) bool {
	format := c.Flags().Lookup("format")
	return c.Annotations[oneObject] != "" && format.Value.String() == formatJSON
}

// oneObject marks commands whose JSON is one object with the exit code.
const oneObject = "prints one object"

// watched knows whether anything was written.
type watched struct {
	io.Writer
	any bool
}

func (w *watched) Write(text []byte) (int, error) {
	w.any = true
	return w.Writer.Write(text)
}

// withoutSecrets is an error as people may see it. Servers and libraries put addresses into
// their errors, with whatever stands in them.
func withoutSecrets(err error) string { return strictyaml.HideSecrets(err.Error()) }

// exitCode is the code of an error; of several joined ones, of that which most
// stands in the way.
func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	found := map[int]bool{}
	eachError(err, func(err error) { found[oneCode(err)] = true })
	for _, code := range []int{exitInUse, exitUsage, exitFailed, exitGates, exitLook} {
		if found[code] && code == exitFailed && ctx.Err() != nil {
			return exitSignal
		}
		if found[code] {
			return code
		}
	}
	return exitFailed
}

func oneCode(err error) int {
	var coded *exitError
	var settings *app.Mistake
	switch {
	case errors.Is(err, warehouse.ErrLocked), errors.Is(err, jobs.ErrHeld), errors.Is(err, warehouse.ErrFenced), errors.Is(err, jobs.ErrLeaseLost):
		return exitInUse
	case errors.Is(err, jobs.ErrGates):
		return exitGates
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &settings):
		return exitUsage
	}
	return exitFailed
}

// eachError calls visit with each error of a join.
func eachError(err error, visit func(error)) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		visit(err)
		return
	}
	for _, part := range joined.Unwrap() {
		eachError(part, visit)
	}
}
