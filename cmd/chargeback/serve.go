package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/spf13/cobra"

	"chargeback/cmd/chargeback/app"
	"chargeback/config"
)

const serveHelp = `Stays, wakes by a cron schedule in UTC, and runs every window that is due.
The schedule only wakes it: what is due comes from the ledger, so a wake-up
that was missed, or came twice, changes nothing. Settings are read again at
every wake-up, and between two of them the ledger is free for other
commands. SIGTERM or Ctrl-C stops it in order, with exit code 0. Settings and
secrets that are wrong when it begins end it at once; later ones are told at
each wake-up until they are mended.`

const wakeDefault = "17 * * * *"

func serveCommand(w world, f *flags) *cobra.Command {
	wake := ""
	c := &cobra.Command{
		Use: "serve", Short: "Stay, and run what falls due", Long: serveHelp, Args: noArgs,
		Example: "  chargeback serve\n  chargeback serve --wake \"0 3 * * *\"",
		RunE: func(c *cobra.Command, _ []string) error {
			return serve(c.Context(), w, f.config, wake)
		},
	}
	c.Flags().StringVar(&wake, "wake", wakeDefault, "cron `SCHEDULE` in UTC: minute hour day month weekday")
	return c
}

func serve(ctx context.Context, w world, path, schedule string) error {
	log := w.service()
	wake := func() {
		w := w.newRun()
		err := withBooks(ctx, w, path, app.AsOwner, delivering(w, guarded(w, overrides{}, func(ctx context.Context, a *books) error { return dueAll(ctx, w, a) })))
		w.log.ended(exitCode(ctx, err), err)
		if err != nil && ctx.Err() == nil && !w.log.machines() {
			log.Error("run", "error", err.Error(), "exit_code", exitCode(ctx, err))
		}
	}
	if err := checkWake(schedule, w.now()); err != nil {
		return err
	}
	timer := cron.New(cron.WithLocation(time.UTC), cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	if _, err := timer.AddFunc(schedule, wake); err != nil {
		return err
	}
	if _, err := app.ReadSettings(path, config.SecretsAreThere(w.getenv)); err != nil {
		return err
	}
	log.Info("serving", "wake", schedule)
	wake()
	timer.Start()
	<-ctx.Done()
	<-timer.Stop().Done() // a run in progress sees ctx too and stops in order
	log.Info("stopped")
	return nil
}

// service is what serve says between runs: a line each, with a time.
func (w world) service() *slog.Logger {
	if w.log.machines() {
		return slog.New(slog.NewJSONHandler(w.log.out, nil)).With("run_id", w.log.id)
	}
	return slog.New(slog.NewTextHandler(w.err, nil))
}

// wakeGapMax is how long serve may sleep.
const wakeGapMax = 366 * 24 * time.Hour

// checkWake refuses a schedule that can't be read, and one that never wakes, such as
// on a 30 February, or only once in years.
func checkWake(schedule string, now time.Time) error {
	times, err := cron.ParseStandard(schedule)
	if err != nil {
		return usage("--wake %q is not a cron schedule: %s; write five fields, such as %q", schedule, strings.TrimSpace(err.Error()), wakeDefault)
	}
	from := now.UTC()
	for range 2 { // the first wake-up may be near and the second one years away
		next := times.Next(from)
		switch {
		case next.IsZero():
			return usage("--wake %q never comes; write days that there are, such as %q", schedule, wakeDefault)
		case next.Sub(from) > wakeGapMax:
			return usage("--wake %q sleeps from %s to %s; write one that comes each day or more often, such as %q", schedule, from.Format(time.DateOnly), next.UTC().Format(time.DateOnly), wakeDefault)
		}
		from = next.UTC()
	}
	return nil
}
