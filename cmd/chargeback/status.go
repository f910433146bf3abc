package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"chargeback/billing/ledger"
	"chargeback/billing/report"
	"chargeback/config"
	"chargeback/transform/civil"
)

const statusHelp = `Says where the books stand: what is due, the latest runs, how far budgets
are spent, messages that were not delivered, and objects that can't be read
or are gone from their source.`

const lastRuns = 8

func statusCommand(w world, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say where the books stand", Args: noArgs, Long: statusHelp,
		RunE: toRead(w, f, func(ctx context.Context, a *app) error { return status(ctx, w, a) }),
	}
}

func status(ctx context.Context, w world, a *app) error {
	size, err := a.Ledger.SizeBytes(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.out, "ledger     %s, %s\n", a.Ledger, megabytes(size))
	fmt.Fprintf(w.out, "rate book  %s\n", a.rates.Version())
	for _, part := range []func(context.Context, world, *app) error{statusDue, statusRuns, statusBudgets, statusMessages} {
		if err := part(ctx, w, a); err != nil {
			return err
		}
	}
	objects, err := report.Objects(ctx, a.Ledger)
	if err != nil || len(objects.Rows) == 0 {
		return err
	}
	fmt.Fprintln(w.out)
	return render(w, objects, formatTable)
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
	due := "nothing"
	switch {
	case len(nights) > 0 && len(months) > 0:
		due = fmt.Sprintf("%s from %s and %s from %s", count(len(nights), "night", "nights"), nights[0], count(len(months), "month", "months"), months[0])
	case len(nights) > 0:
		due = fmt.Sprintf("%s from %s", count(len(nights), "night", "nights"), nights[0])
	case len(months) > 0:
		due = fmt.Sprintf("%s from %s", count(len(months), "month", "months"), months[0])
	}
	if due != "nothing" {
		due += "; do it with \"chargeback run\""
	}
	fmt.Fprintf(w.out, "due        %s\n", due)
	return nil
}

func statusRuns(ctx context.Context, w world, a *app) error {
	runs, err := a.Ledger.LastRuns(ctx, lastRuns)
	if err != nil || len(runs) == 0 {
		return err
	}
	fmt.Fprintln(w.out, "\nlatest runs")
	for _, r := range runs {
		state := r.State
		if state == ledger.RunRunning && a.config.Warehouse.Engine == config.EngineDuckDB {
			state = "cut off" // this process has the ledger, so that one is gone
		}
		line := fmt.Sprintf("  %-18s  %-7s  %s  attempt %d", r.Window, state, r.Started.UTC().Format("2006-01-02 15:04Z"), r.Attempt)
		if read := bytesProcessed(r); read > 0 {
			line += fmt.Sprintf("  %s processed", megabytes(read))
		}
		fmt.Fprintln(w.out, line)
		if reason := failure(r); reason != "" {
			fmt.Fprintf(w.out, "    %s\n", reason)
		}
	}
	return nil
}

// bytesProcessed is what a run's queries have read, where that is billed.
func bytesProcessed(r ledger.Run) int64 {
	var summary struct {
		BytesProcessed int64 `json:"bytes_processed"`
	}
	if json.Unmarshal([]byte(r.Summary), &summary) != nil {
		return 0 // no summary yet
	}
	return summary.BytesProcessed
}

// failure is why a run failed.
func failure(r ledger.Run) string {
	var summary struct {
		Error string `json:"error"`
	}
	if r.State != ledger.RunFailed || json.Unmarshal([]byte(r.Summary), &summary) != nil {
		return ""
	}
	if summary.Error == context.Canceled.Error() {
		return "stopped by a signal"
	}
	return summary.Error
}

func statusBudgets(ctx context.Context, w world, a *app) error {
	month, err := a.monthOr(ctx, w, civil.Month{})
	if err != nil || len(a.Budgets) == 0 {
		return err
	}
	rows, err := a.BudgetStatus(ctx, month)
	if err != nil {
		return err
	}
	names, amounts := 0, 0
	for _, r := range rows {
		names, amounts = max(names, len([]rune(r.Budget))), max(amounts, len(r.Amount.Cents().String()), len(r.Spent.Cents().String()))
	}
	fmt.Fprintf(w.out, "\nbudgets of %s\n", month)
	for _, r := range rows {
		fmt.Fprintf(w.out, "  %-*s  %*s of %*s USD  %3d %%\n", names, r.Budget, amounts, r.Spent.Cents(), amounts, r.Amount.Cents(), r.Percent)
	}
	return nil
}

func statusMessages(ctx context.Context, w world, a *app) error {
	messages, err := a.Undelivered(ctx)
	if err != nil || len(messages) == 0 {
		return err
	}
	fmt.Fprintln(w.out, "\nmessages that were not delivered; the next run tries again")
	for _, m := range messages {
		fmt.Fprintf(w.out, "  %s to %s: %s\n", m.ID, m.Channel, count(m.Attempts, "attempt", "attempts"))
		if m.Reason != "" {
			fmt.Fprintf(w.out, "    %s\n", m.Reason)
		}
	}
	return nil
}

func megabytes(size int64) string {
	return fmt.Sprintf("%d.%d MB", size/1_000_000, size%1_000_000/100_000)
}
