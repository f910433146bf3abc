package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"chargeback/cmd/chargeback/app"
	"chargeback/transform/civil"
)

// overrides is what somebody says by hand, so that a run goes on where it would stop.
type overrides struct {
	emptyNights  bool // the nights that are due and find no object really are empty
	clockIsRight bool // and was ahead when the ledger's last run began
	newLedger    bool // the ledger begins anew beside documents of another one
	named        bool // the days are named one by one
}

func (g *overrides) flags(c *cobra.Command) {
	all := c.PersistentFlags()
	all.BoolVar(&g.emptyNights, "allow-empty-nights", false, "run more nights without any object than empty_nights_max: they really are empty")
	all.BoolVar(&g.clockIsRight, "clock-is-right", false, "the clock was ahead when the last run began: what was run ahead of time counts as not run")
	all.BoolVar(&g.newLedger, "new-ledger", false, "begin a new ledger beside documents that another one has issued")
}

// books is an open set of books, and what somebody says by hand of the run.
type books struct {
	*app.App
	overrides overrides
}

// guarded does a run's work unless the clock can't be right, or the ledger is new
// beside documents that were issued. Days that are named are run beside such
// documents, which is told; but nothing falls due by itself, and no month is closed.
func guarded(w world, g overrides, do func(context.Context, *books) error) func(context.Context, *books) error {
	return func(ctx context.Context, a *books) error {
		if err := a.CheckClock(ctx, w.now(), g.clockIsRight); err != nil {
			return err
		}
		a.overrides = g
		beside := a.CheckNew(ctx, g.newLedger)
		if beside == nil {
			return do(ctx, a)
		}
		if !g.named {
			return beside
		}
		w.warn("%v", beside)
		return errors.Join(do(ctx, a), &exitError{exitLook, errors.New("the ledger is new beside documents of another one; see above")})
	}
}

// checkEmpty stops before nights that can't all be empty.
func (a *books) checkEmpty(ctx context.Context, now time.Time, nights []civil.Date) error {
	if a.overrides.emptyNights {
		return nil
	}
	return a.CheckEmpty(ctx, now, nights)
}
