package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/cmd/chargeback/app"
	"chargeback/config"
	"chargeback/jobs"
	"chargeback/transform/civil"
)

// shardNights takes in a worker's part of one night, or of all that are due, and
// makes the cost records of those whose parts are all there.
func shardNights(ctx context.Context, w world, path, part string, day civil.Date, g overrides) error {
	shard, err := jobs.ParseShard(part)
	if err != nil {
		return usage("--shard: %w", err)
	}
	s, err := app.ReadSettings(path)
	if err != nil {
		return err
	}
	if s.Config.Warehouse.Engine != config.EngineBigQuery {
		return usage("--shard: the ledger is in DuckDB, which one process at a time may open; run without --shard, or see warehouse.engine")
	}
	if err := ensureLedger(ctx, w, path); err != nil {
		return err
	}
	var whole []civil.Date // nights of which all parts are there
	var look error
	g.named = !day.IsZero()
	err = withBooks(ctx, w, path, app.Access(fmt.Sprintf("shard-%d-of-%d", shard.Index, shard.Count)), guarded(w, g, func(ctx context.Context, a *books) error {
		due, err := a.DueNights(ctx, w.now())
		if !day.IsZero() {
			due, err = []civil.Date{day}, a.over(w, "--date", day.String(), day, day)
		}
		if err == nil {
			err = a.checkEmpty(ctx, w.now(), due)
		}
		if err != nil {
			return err
		}
		if len(due) == 0 {
			w.item("No night is due.")
		}
		for _, day := range due {
			s, all, err := a.StageShard(ctx, day, shard, w.now())
			if err != nil {
				return err
			}
			printNight(w, s)
			if n := len(s.Problems); n > 0 {
				look = &exitError{exitLook, fmt.Errorf("%s is done, but %s; see above", s.Window, count(n, "thing needs a look", "things need a look"))}
			}
			if !all {
				w.item("%s: other parts are not there yet; the worker that finishes last makes the cost records", jobs.NightlyWindow(day))
				continue
			}
			whole = append(whole, day)
		}
		return nil
	}))
	if isLook(err) {
		look, err = errors.Join(look, err), nil
	}
	if err != nil || len(whole) == 0 {
		return errors.Join(err, look)
	}
	return errors.Join(makeNights(ctx, w, path, whole), look)
}

// makeNights makes the cost records of nights whose parts are all there. Where
// another process has the ledger it waits: either that one makes them, or it
// does when the ledger is free.
func makeNights(ctx context.Context, w world, path string, whole []civil.Date) (look error) {
	for deadline := time.NewTimer(othersMax); ; {
		left := whole
		err := withBooks(ctx, w, path, app.AsOwner, delivering(w, func(ctx context.Context, a *books) (err error) {
			if left, err = nightsToMake(ctx, w, a, whole); err != nil {
				return err
			}
			for _, day := range left {
				if err := night(ctx, w, a, day); isLook(err) {
					look = errors.Join(look, err)
				} else if err != nil {
					return err
				}
			}
			return nil
		}))
		held, waits := errors.AsType[*jobs.HeldError](err)
		if !waits {
			return errors.Join(err, look)
		}
		a, err := openToRead(ctx, w, path)
		if err == nil {
			left, err = nightsToMake(ctx, w, a, whole)
			err = errors.Join(err, a.Close())
		}
		if err != nil || len(left) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return held
		case <-time.After(othersPause):
		}
	}
}

// othersMax is how long a worker waits for another process that has the ledger,
// othersPause how often it looks.
const (
	othersMax   = 30 * time.Minute
	othersPause = 5 * time.Second
)

// nightsToMake are those of some nights that nobody has finished, and the newest one
// where it is due again: for changed prices, people, settings or sources.
func nightsToMake(ctx context.Context, w world, a *books, nights []civil.Date) ([]civil.Date, error) {
	left, err := nightsLeft(ctx, a, nights)
	if err != nil {
		return nil, err
	}
	due, err := a.DueNights(ctx, w.now())
	return slices.DeleteFunc(slices.Clone(nights), func(d civil.Date) bool { return !slices.Contains(left, d) && !slices.Contains(due, d) }), err
}

// nightsLeft are the nights that nobody has finished.
func nightsLeft(ctx context.Context, a *books, nights []civil.Date) (left []civil.Date, err error) {
	for _, day := range nights {
		done, err := a.NightDone(ctx, day)
		if err != nil {
			return nil, err
		}
		if !done {
			left = append(left, day)
		}
	}
	return left, nil
}

// ensureLedger makes the ledger where there is none yet, and brings one of an earlier
// version to this one's: one worker does, the others wait for it.
func ensureLedger(ctx context.Context, w world, path string) error {
	return ensured(ctx, func() error {
		a, err := openToRead(ctx, w, path) // which brings an earlier one up to date, as its runner
		if err == nil {
			err = a.Close()
		}
		return err
	}, func() error {
		return withBooks(ctx, w, path, app.AsOwner, func(context.Context, *books) error { return nil })
	})
}

// ensured opens a ledger, made by make where there is none, and waits for who is at
// it for as long as a lease holds whose process has died.
func ensured(ctx context.Context, open, make func() error) error {
	for deadline := time.NewTimer(app.LeaseTTL); ; {
		err := open()
		if errors.Is(err, warehouse.ErrNone) {
			err = make()
		}
		if err == nil || !errors.Is(err, jobs.ErrHeld) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return err
		case <-time.After(time.Second):
		}
	}
}
