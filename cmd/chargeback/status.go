package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"chargeback/billing/report"
	"chargeback/transform/civil"
)

const lastRuns = 8

func statusCommand(w world, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say where the books stand", Args: cobra.NoArgs,
		Long: "Prints the latest runs, what is due, where budgets stand, messages that wait, and\nobjects that could not be read or are gone from their source.",
		RunE: withBooks(w, f, func(ctx context.Context, a *app) error { return status(ctx, w, a) }),
	}
}

func status(ctx context.Context, w world, a *app) error {
	size, err := a.Ledger.SizeBytes(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.out, "ledger     %s, %s\n", a.Ledger, megabytes(size))
	fmt.Fprintf(w.out, "rate book  %s\n", a.rates.Version())
	if err := statusDue(ctx, w, a); err != nil {
		return err
	}
	runs, err := a.Ledger.LastRuns(ctx, lastRuns)
	if err != nil {
		return err
	}
	fmt.Fprintln(w.out, "\nlatest runs")
	for _, r := range runs {
		fmt.Fprintf(w.out, "  %-20s attempt %d  %-8s %s\n", r.Window, r.Attempt, r.State, r.Started.UTC().Format(time.RFC3339))
	}
	if err := statusBudgets(ctx, w, a); err != nil {
		return err
	}
	if err := statusMessages(ctx, w, a); err != nil {
		return err
	}
	objects, err := report.Objects(ctx, a.Ledger)
	if err != nil {
		return err
	}
	if len(objects.Rows) == 0 {
		return nil
	}
	fmt.Fprintln(w.out)
	return report.Table(w.out, objects, w.columns)
}

func statusDue(ctx context.Context, w world, a *app) error {
	nights, err := a.DueNights(ctx, w.now())
	if err != nil {
		return err
	}
	months, err := a.DueMonths(ctx, w.now())
	if err != nil {
		return err
	}
	switch {
	case len(nights) > 0:
		fmt.Fprintf(w.out, "due        %s from %s, %s; `chargeback run` does them\n", count(len(nights), "night", "nights"), nights[0], count(len(months), "month", "months"))
	case len(months) > 0:
		fmt.Fprintf(w.out, "due        %s from %s; `chargeback run` closes them\n", count(len(months), "month", "months"), months[0])
	default:
		fmt.Fprintln(w.out, "due        nothing")
	}
	return nil
}

func statusBudgets(ctx context.Context, w world, a *app) error {
	month, err := a.monthOf(ctx, w, "")
	if err != nil || len(a.Budgets) == 0 {
		return err
	}
	rows, err := a.BudgetStatus(ctx, month)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.out, "\nbudgets of %s\n", month)
	for _, r := range rows {
		fmt.Fprintf(w.out, "  %-28s %12s of %12s USD  %4d %%\n", r.Budget, r.Spent.Cents(), r.Amount.Cents(), r.Percent)
	}
	return nil
}

func statusMessages(ctx context.Context, w world, a *app) error {
	waiting, err := a.Ledger.Outgoing(ctx)
	if err != nil || len(waiting) == 0 {
		return err
	}
	fmt.Fprintln(w.out, "\nmessages that wait")
	for _, m := range waiting {
		fmt.Fprintf(w.out, "  %s to %s, %s after %s\n", m.ID, m.Channel, m.State, count(m.Attempts, "attempt", "attempts"))
	}
	return nil
}

func megabytes(size int64) string {
	return fmt.Sprintf("%d.%d MB", size/1_000_000, size%1_000_000/100_000)
}

// monthOf reads a --month flag; without one it is the month of the newest
// finished night, or this month in new books.
func (a *app) monthOf(ctx context.Context, w world, name string) (civil.Month, error) {
	if name != "" {
		month, err := civil.ParseMonth(name)
		if err != nil {
			return month, usage("--month: %w", err)
		}
		return month, nil
	}
	runs, err := a.Ledger.NewestRecordDay(ctx)
	if err != nil {
		return civil.Month{}, err
	}
	if runs.IsZero() {
		return civil.DateOf(w.now(), a.Zone).Month(), nil
	}
	return runs.Month(), nil
}
