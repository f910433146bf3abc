package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"chargeback/jobs"
	"chargeback/transform/civil"
)

const runHelp = `Runs every window that is due and was not finished: nights first, then months,
oldest first. The ledger says what was finished, so a run that was killed, or a
machine that was off, is caught up by running again.

Running a window again is safe: the same inputs give the same ledger, the same
PDF bytes and no second message.`

func runCommand(w world, f *flags) *cobra.Command {
	all := &cobra.Command{
		Use: "run", Short: "Run all windows that are due", Long: runHelp, Args: cobra.NoArgs,
		RunE: withBooks(w, f, func(ctx context.Context, a *app) error {
			if err := dueNights(ctx, w, a); err != nil && !isLook(err) {
				return err
			} else if monthly := dueMonths(ctx, w, a); monthly != nil {
				return errors.Join(err, monthly)
			} else {
				return err
			}
		}),
	}
	all.AddCommand(nightlyCommand(w, f), monthlyCommand(w, f))
	return all
}

func nightlyCommand(w world, f *flags) *cobra.Command {
	date := ""
	c := &cobra.Command{
		Use: "nightly", Short: "Take in a day's logs and make its cost records", Args: cobra.NoArgs,
		Long: `Reads each new object once, makes the cost records of the day and of the trailing
late_days anew, and sends the alerts that they call for. Without --date it runs
every night that is due, oldest first.`,
		Example: "  chargeback run nightly\n  chargeback run nightly --date 2026-10-31",
		RunE: withBooks(w, f, func(ctx context.Context, a *app) error {
			if date == "" {
				return dueNights(ctx, w, a)
			}
			day, err := civil.ParseDate(date)
			if err != nil {
				return usage("--date: %w", err)
			}
			return night(ctx, w, a, day)
		}),
	}
	c.Flags().StringVar(&date, "date", "", "business day, such as 2026-10-31")
	return c
}

func monthlyCommand(w world, f *flags) *cobra.Command {
	name := ""
	c := &cobra.Command{
		Use: "monthly", Short: "Close a month and write its invoices", Args: cobra.NoArgs,
		Long: `Checks the gates of the month, closes it, and writes one PDF and CSV per cost
centre and the journal that books them. A closed month never changes: running it
again writes the same bytes. Without --month it closes every month that is due.`,
		Example: "  chargeback run monthly --month 2026-10",
		RunE: withBooks(w, f, func(ctx context.Context, a *app) error {
			if name == "" {
				return dueMonths(ctx, w, a)
			}
			month, err := civil.ParseMonth(name)
			if err != nil {
				return usage("--month: %w", err)
			}
			return closeMonth(ctx, w, a, month)
		}),
	}
	c.Flags().StringVar(&name, "month", "", "month, such as 2026-10")
	return c
}

// withBooks opens the books for the time of one command.
func withBooks(w world, f *flags, do func(context.Context, *app) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, _ []string) (err error) {
		a, err := open(c.Context(), w, f.config)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		return do(c.Context(), a)
	}
}

func dueNights(ctx context.Context, w world, a *app) error {
	due, err := a.DueNights(ctx, w.now())
	if err != nil {
		return err
	}
	if len(due) == 0 {
		fmt.Fprintln(w.out, "No night is due.")
	}
	var look error
	for _, day := range due {
		if err := night(ctx, w, a, day); isLook(err) {
			look = err
		} else if err != nil {
			return err
		}
	}
	return look
}

func dueMonths(ctx context.Context, w world, a *app) error {
	due, err := a.DueMonths(ctx, w.now())
	if err != nil {
		return err
	}
	if len(due) == 0 {
		fmt.Fprintln(w.out, "No month is due.")
	}
	for _, month := range due {
		if err := closeMonth(ctx, w, a, month); err != nil {
			return err
		}
	}
	return nil
}

func isLook(err error) bool {
	var coded *exitError
	return errors.As(err, &coded) && coded.code == exitLook
}

func night(ctx context.Context, w world, a *app, day civil.Date) error {
	s, err := a.Nightly(ctx, day, w.now())
	if err != nil {
		return err
	}
	printNight(w.out, s)
	if len(s.Problems) > 0 {
		return &exitError{exitLook, fmt.Errorf("%s is done, but %s; see above", s.Window, count(len(s.Problems), "thing needs a look", "things need a look"))}
	}
	return nil
}

func printNight(out io.Writer, s jobs.NightlySummary) {
	var read, known int
	var staged, rejected, early int64
	for _, src := range s.Sources {
		read, known = read+src.Read, known+src.Known
		staged, rejected, early = staged+src.Staged, rejected+src.Rejected, early+src.BeforeStart
	}
	line := fmt.Sprintf("%s: %s read (%d known), %s staged", s.Window, count(read, "object", "objects"), known, count(int(staged), "record", "records"))
	if rejected > 0 {
		line += fmt.Sprintf(", %d rejected", rejected)
	}
	if early > 0 {
		line += fmt.Sprintf(", %d before company.start", early)
	}
	line += "; days " + strings.Join(s.Days, ", ")
	if len(s.Alerts) > 0 {
		line += "; " + count(len(s.Alerts), "alert", "alerts")
	}
	fmt.Fprintln(out, line)
	for _, p := range s.Problems {
		fmt.Fprintf(out, "  ! %s %s: %s\n", p.Source, p.Object, p.What)
	}
	for _, p := range s.Sent.Failed {
		fmt.Fprintf(out, "  ! message %s to %s failed: %s\n", p.ID, p.Channel, p.Reason)
	}
	for _, p := range append(s.Sent.Waiting, s.Sent.Unsure...) {
		fmt.Fprintf(out, "  ! message %s to %s waits for the next run: %s\n", p.ID, p.Channel, p.Reason)
	}
}

func closeMonth(ctx context.Context, w world, a *app, month civil.Month) error {
	s, err := a.Monthly(ctx, month, w.now())
	if err != nil {
		return err
	}
	printMonth(w.out, s)
	return nil
}

func printMonth(out io.Writer, s jobs.MonthlySummary) {
	state := "closed"
	if s.Already {
		state = "was closed before; its documents are the same"
	}
	fmt.Fprintf(out, "%s: %s, content %.12s\n", s.Window, state, s.Hash)
	for _, path := range s.Restored {
		fmt.Fprintf(out, "  restored %s\n", path)
	}
	for _, waiver := range s.Waived {
		fmt.Fprintf(out, "  gate %s waived by %s: %s\n", waiver.Gate, waiver.By, waiver.Reason)
	}
	for _, d := range s.Documents {
		fmt.Fprintf(out, "  %-12s %14s USD  %s\n", d.CostCenter, d.Total, d.PDF)
	}
	if s.Journal != "" {
		fmt.Fprintf(out, "  journal                          %s\n", s.Journal)
	}
}

// count writes a number with the right form of its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
