// Package app opens a set of books as the settings say: the one wiring, which
// the command line and the tests of jobs share.
//
// It owns: reading the settings with the files that they name, and what only
// somebody can check who holds all of them; which driver serves the ledger, a
// source, a message and a delivery; which decoder reads a source's format; the
// lease of a process that writes.
// It does not own: the command line, what is printed, exit codes
// (cmd/chargeback), or any rule of the books (jobs, extract, transform, billing).
package app

import (
	"context"
	"errors"
	"io"
	"time"

	"chargeback/billing/notify"
	"chargeback/config"
	"chargeback/extract/store"
	"chargeback/jobs"
)

// Options is what the outside gives.
type Options struct {
	Now     func() time.Time
	Getenv  func(string) string
	Err     io.Writer                                  // gets alerts where Slack is not set up, and that the ledger is waited for
	Columns int                                        // width of alerts there
	Wait    time.Duration                              // how long to wait for a ledger that another process holds
	Sleep   func(context.Context, time.Duration) error // before a message is tried again

	// What a test puts in the place of what the settings name, or around it; nil
	// leaves it as it is.
	Adjust func(*config.Config)          // changes settings that were read and found right
	Engine EngineDecorator               // of the warehouse
	Store  func(store.Store) store.Store // of each source, in the order of the settings
	Sender notify.Sender                 // of messages
}

// App is an open set of books.
type App struct {
	Settings Settings
	*jobs.Books
	options Options
	running context.Context // ends when the lease is lost; nil where there is none
	closers []func() error
}

// New has the settings, and opens nothing yet: for who looks at one part alone.
func New(s Settings, o Options) *App { return &App{Settings: s, options: o} }

// Close releases the ledger and the sources.
func (a *App) Close() error {
	var problems []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		problems = append(problems, a.closers[i]())
	}
	a.closers = nil
	return errors.Join(problems...)
}

// Open opens the books for runs: the ledger, which is made where there is none,
// the sources and the messenger.
func Open(ctx context.Context, path string, want Access, o Options) (*App, error) {
	s, err := ReadSettings(path, CheckOutlines, CheckLedgerPlace, config.SecretsAreThere(o.Getenv))
	if err != nil {
		return nil, err
	}
	if o.Adjust != nil {
		o.Adjust(s.Config)
	}
	a := New(s, o)
	sender, err := a.newSender()
	if err != nil {
		return nil, err
	}
	sources, err := a.OpenSources(ctx)
	if err == nil {
		err = a.openLedger(ctx, want) // last: it makes a file, or takes a lease
	}
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	if a.Month.Delivery, err = a.OpenDelivery(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.Courier, a.Sources = notify.NewCourier(sender, notify.Clock{Now: time.Now, Wait: o.Sleep}), sources
	return a, nil
}

// OpenLedger opens the ledger alone, for commands that only tell what is in it:
// they work where the sources can't be reached.
func OpenLedger(ctx context.Context, path string, want Access, o Options) (*App, error) {
	s, err := ReadSettings(path)
	if err != nil {
		return nil, err
	}
	if o.Adjust != nil {
		o.Adjust(s.Config)
	}
	a := New(s, o)
	if err := a.openCurrent(ctx, want); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// During runs do for as long as the ledger may be written.
func (a *App) During(ctx context.Context, do func(context.Context) error) error {
	if a.running == nil {
		return do(ctx)
	}
	err := do(a.running)
	if lost := context.Cause(a.running); err != nil && errors.Is(lost, jobs.ErrLeaseLost) {
		return errors.Join(lost, err)
	}
	return err
}
