package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"chargeback/billing/notify"
	"chargeback/billing/report"
	"chargeback/cmd/chargeback/demo"
	"chargeback/jobs"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

const demoMonth = "2026-10"

const demoHelp = `Makes a small company's month of logs in a folder of its own, in the shapes and
key layouts in which AWS Bedrock and LiteLLM write them, with the mishaps that
real logs have. Then runs every night of the month and its close by the same
code as production, and prints who spent what.

The folder keeps a config with which you can go on by hand.`

func demoCommand(w world) *cobra.Command {
	dir := ""
	c := &cobra.Command{
		Use: "demo", Short: "Make a small company's month and run it", Long: demoHelp, Args: cobra.NoArgs,
		Example: "  chargeback demo\n  chargeback demo --dir /tmp/try",
		RunE:    func(c *cobra.Command, _ []string) error { return runDemo(c.Context(), w, dir) },
	}
	c.Flags().StringVar(&dir, "dir", demoFolder, "folder to make; one that is not the demo's own is refused")
	return c
}

func runDemo(ctx context.Context, w world, dir string) (err error) {
	made, err := demo.Write(dir, demo.Options{Month: demoMonth})
	if err != nil {
		if errors.Is(err, demo.ErrForeignFolder) {
			return &exitError{exitUsage, err}
		}
		return err
	}
	fmt.Fprintf(w.out, "%s holds %s of logs: %d Bedrock and %d LiteLLM objects of %s.\n", dir, count(made.Days, "day", "days"), made.Bedrock.Objects, made.LiteLLM.Objects, made.Month)
	for _, kept := range made.Kept {
		fmt.Fprintf(w.out, "Your version of %s is kept beside it as %s.bak.\n", kept, kept)
	}
	path := filepath.Join(dir, configFile)
	silent := w
	silent.err = discard{} // the alerts are listed below
	a, err := open(ctx, silent, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	month, err := civil.ParseMonth(demoMonth)
	if err != nil {
		return err
	}
	held, err := demoNights(ctx, w, a, month)
	if err != nil {
		return err
	}
	closed, err := a.Monthly(ctx, month, morning(a, month.LastDay().AddDays(a.LateDays+1)))
	if err != nil {
		return err
	}
	return demoResult(ctx, w, a, month, held, closed, path)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// morning is the hour after a business day at which its night would run.
func morning(a *app, day civil.Date) time.Time {
	return day.AddDays(1).Start(a.Zone).Add(4 * time.Hour)
}

// demoNights runs every night of the month and those in which late records
// still come. It returns what was held in the course of it.
func demoNights(ctx context.Context, w world, a *app, month civil.Month) (problems []jobs.Problem, err error) {
	last := month.LastDay().AddDays(a.LateDays)
	nights, rejected, staged := 0, int64(0), int64(0)
	for day := month.FirstDay(); !last.Before(day); day = day.AddDays(1) {
		s, err := a.Nightly(ctx, day, morning(a, day))
		if err != nil {
			return nil, err
		}
		nights++
		problems = append(problems, s.Problems...)
		for _, src := range s.Sources {
			staged, rejected = staged+src.Staged, rejected+src.Rejected
		}
	}
	fmt.Fprintf(w.out, "%s ran: %s taken in, %d rejected.\n", count(nights, "night", "nights"), count(int(staged), "new record", "new records"), rejected)
	return problems, nil
}

func demoResult(ctx context.Context, w world, a *app, month civil.Month, problems []jobs.Problem, closed jobs.MonthlySummary, path string) error {
	departments, err := report.Departments(ctx, a.Ledger, month)
	if err != nil {
		return err
	}
	fmt.Fprintln(w.out)
	if err := report.Table(w.out, departments, w.columns); err != nil {
		return err
	}
	if err := demoAlerts(ctx, w, a); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "\nHeld, rejected and waived\n")
	for _, p := range problems {
		fmt.Fprintf(w.out, "  ! %s %s: %s\n", p.Source, p.Object, p.What)
	}
	held, err := report.Held(ctx, a.Ledger, month)
	if err != nil {
		return err
	}
	if err := report.Table(w.out, held, w.columns); err != nil {
		return err
	}
	rejects, err := report.Rejects(ctx, a.Ledger, month, report.Page{Limit: rejectsShown})
	if err != nil {
		return err
	}
	if err := report.Table(w.out, rejects, w.columns); err != nil {
		return err
	}
	fmt.Fprintln(w.out)
	printMonth(w.out, closed)
	if err := demoTie(ctx, w, a, month, closed); err != nil {
		return err
	}
	fmt.Fprintf(w.out, `
Go on by hand:
  chargeback status --config %[1]s
  chargeback report agents --month %[2]s --config %[1]s
  chargeback run nightly --date %[2]s-15 --config %[1]s     changes nothing: try it
`, path, month)
	return nil
}

func demoAlerts(ctx context.Context, w world, a *app) error {
	messages, err := (jobs.Outbox{Ledger: a.Ledger}).All(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.out, "\nAlerts, as raised (to the console: no Slack token is configured)\n")
	for _, m := range messages {
		v := notify.View(m)
		fmt.Fprintf(w.out, "  %s  %-22s %s %% of %s USD crossed, %s USD spent (%d %%), to %s\n",
			m.Alert.AsOf, m.Alert.Budget, list(m.Alert.Crossed), v.Amount, v.Spent, m.Alert.Percent, m.Channel)
	}
	return nil
}

func list(numbers []int) string {
	s := ""
	for i, n := range numbers {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprint(n)
	}
	return s
}

// demoTie shows that the same money is in every view.
func demoTie(ctx context.Context, w world, a *app, month civil.Month, closed jobs.MonthlySummary) error {
	spend, err := a.Ledger.Spend(ctx, month)
	if err != nil {
		return err
	}
	var records, unallocated, shared money.USD
	for _, s := range spend {
		records = records.Add(s.Actual)
		if s.CostCenter == jobs.Unallocated {
			unallocated = s.Actual
		}
	}
	for _, c := range a.Month.SharedCosts {
		if c.Covers(month) {
			shared = shared.Add(c.Amount)
		}
	}
	documents, err := a.DocumentsTotal(ctx, month)
	if err != nil {
		return err
	}
	verdict := "they tie to the last digit"
	if !documents.Equal(records.Add(shared)) {
		verdict = "THEY DON'T TIE"
	}
	fmt.Fprintf(w.out, "\nCost records %s USD (of which nobody's: %s) + shared costs %s USD\n= documents  %s USD: %s.\n", records, unallocated, shared, documents, verdict)
	return nil
}
