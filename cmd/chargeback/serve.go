package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/spf13/cobra"
)

func serveCommand(w world, f *flags) *cobra.Command {
	schedule := ""
	c := &cobra.Command{
		Use: "serve", Short: "Stay, and run what falls due", Args: cobra.NoArgs,
		Long: `Wakes by a cron schedule (in UTC) and runs every window that is due. The schedule
only wakes it: what is due comes from the ledger, so a wake-up that was missed, or
came twice, changes nothing. Between two wake-ups the ledger is free for other
commands.`,
		Example: "  chargeback serve\n  chargeback serve --wake \"17 * * * *\"",
		RunE: func(c *cobra.Command, _ []string) error {
			return serve(c.Context(), w, f.config, schedule)
		},
	}
	c.Flags().StringVar(&schedule, "wake", "17 * * * *", "cron schedule in UTC: minute hour day month weekday")
	return c
}

func serve(ctx context.Context, w world, path, schedule string) error {
	log := slog.New(slog.NewTextHandler(w.err, nil))
	if _, err := readSettings(path); err != nil {
		return err
	}
	wake := func() {
		if err := runDue(ctx, w, path); err != nil && ctx.Err() == nil {
			log.Error("run", "error", err.Error())
		}
	}
	timer := cron.New(cron.WithLocation(time.UTC), cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	if _, err := timer.AddFunc(schedule, wake); err != nil {
		return usage("--wake %q: %w", schedule, err)
	}
	log.Info("serving", "wake", schedule)
	wake()
	timer.Start()
	<-ctx.Done()
	<-timer.Stop().Done() // a run in progress sees ctx too and stops cleanly
	log.Info("stopped")
	return nil
}

// runDue runs what is due, on books that are open only meanwhile.
func runDue(ctx context.Context, w world, path string) (err error) {
	a, err := open(ctx, w, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	nights := dueNights(ctx, w, a)
	if nights != nil && !isLook(nights) {
		return fmt.Errorf("nights: %w", nights)
	}
	return errors.Join(nights, dueMonths(ctx, w, a))
}
