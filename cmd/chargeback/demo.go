package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chargeback/billing/report"
	"chargeback/cmd/chargeback/app"
	"chargeback/cmd/chargeback/demo"
	"chargeback/jobs"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

const (
	demoMonth  = "2026-10"
	demoFolder = "chargeback-demo"
)

const demoHelp = `Makes a small company's month of logs in a folder of its own, in the shapes
and key layouts in which AWS Bedrock and LiteLLM write them, with the
mishaps that real logs have. Then it runs every night of the month and the
month's close by the same code as production, and prints who spent what.

The folder keeps settings with which you can go on by hand.`

func demoCommand(w world, f *flags) *cobra.Command {
	dir := ""
	c := &cobra.Command{
		Use: "demo", Short: "Make a small company's month and run it", Long: demoHelp, Args: noArgs,
		Example: "  chargeback demo\n  chargeback demo --dir /tmp/try",
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("config") {
				return usage("demo makes settings of its own; leave --config out, or run \"chargeback run --config %s\"", f.config)
			}
			return runDemo(c.Context(), w, dir)
		},
	}
	c.Flags().StringVar(&dir, "dir", demoFolder, "`FOLDER` to make; one that is not the demo's own is refused")
	return c
}

func runDemo(ctx context.Context, w world, dir string) error {
	if dir == "" {
		return usage("--dir names no folder; name one, or leave it out for %s", demoFolder)
	}
	w.progress("writing the logs")
	made, err := demo.Write(dir, demo.Options{Month: demoMonth})
	w.progress("")
	if errors.Is(err, demo.ErrForeignFolder) {
		return usage("%w", err)
	}
	if err != nil {
		return err
	}
	w.item("%s holds %s of logs: %d Bedrock and %d LiteLLM objects of %s.", dir, count(made.Days, "day", "days"), made.Bedrock.Objects, made.LiteLLM.Objects, made.Month)
	for _, kept := range made.Kept {
		fmt.Fprintf(w.out, "Your version of a file is kept beside it as %s.\n", kept)
	}
	silent := w
	silent.err = io.Discard // the alerts are listed at the end
	path := filepath.Join(dir, configFile)
	return withBooks(ctx, silent, path, app.AsOwner, func(ctx context.Context, a *books) error { return demoMonthOf(ctx, w, a, path) })
}

// demoMonthOf runs the month's nights and its close, and prints what came of it.
func demoMonthOf(ctx context.Context, w world, a *books, path string) error {
	month, err := civil.ParseMonth(demoMonth)
	if err != nil {
		return err
	}
	problems, err := demoNights(ctx, w, a, month)
	if err != nil {
		return err
	}
	closed, err := a.Monthly(ctx, month, morning(a, month.LastDay().AddDays(a.LateDays+1)))
	if err != nil {
		return err
	}
	if err := demoResult(ctx, w, a, month, problems); err != nil {
		return err
	}
	fmt.Fprintln(w.out)
	printMonth(w, closed)
	if err := demoTie(ctx, w, a, month, closed.Totals); err != nil {
		return err
	}
	fmt.Fprintf(w.out, `
Go on by hand:
  %[1]s status --config %[2]s
  %[1]s report agents --config %[2]s
  %[1]s run nightly --date %[3]s-15 --config %[2]s   # changes nothing: try it
`, w.program, path, month)
	return nil
}

// progress overwrites the terminal's last line, where there is a terminal.
func (w world) progress(what string) {
	if w.live && !w.log.machines() {
		fmt.Fprintf(w.err, "\r\x1b[K%s", what)
	}
}

// morning is the hour after a business day at which its night would run.
func morning(a *books, day civil.Date) time.Time {
	return day.AddDays(1).Start(a.Zone).Add(4 * time.Hour)
}

// latest adds what a night told to what earlier nights told: what was told of the
// same matter before is what it came to in the end.
func latest(problems, told []jobs.Problem) []jobs.Problem {
	for _, p := range told {
		same := func(o jobs.Problem) bool { return o.Source == p.Source && o.Object == p.Object }
		problems = append(slices.DeleteFunc(problems, same), p)
	}
	return problems
}

// demoNights runs every night of the month and those in which late records
// still come. It returns what needed a look in the course of it.
func demoNights(ctx context.Context, w world, a *books, month civil.Month) (problems []jobs.Problem, err error) {
	defer w.progress("")
	first, last := month.FirstDay(), month.LastDay().AddDays(a.LateDays)
	nights, staged, rejected := last.DaysSince(first)+1, int64(0), int64(0)
	for n := range nights {
		w.progress(fmt.Sprintf("night %d of %d", n+1, nights))
		day := first.AddDays(n)
		s, err := a.Nightly(ctx, day, morning(a, day))
		if err != nil {
			return nil, err
		}
		if _, err := a.Deliver(ctx); err != nil {
			return nil, err
		}
		problems = latest(problems, s.Problems)
		for _, src := range s.Sources {
			staged, rejected = staged+src.Staged, rejected+src.Rejected
		}
	}
	w.progress("")
	fmt.Fprintf(w.out, "%s ran: %s taken in, %d rejected.\n", count(nights, "night", "nights"), count(int(staged), "new record", "new records"), rejected)
	return problems, nil
}

// demoResult prints who spent what, the alerts, and what was held and why.
func demoResult(ctx context.Context, w world, a *books, month civil.Month, problems []jobs.Problem) error {
	for _, read := range []func() (report.Report, error){
		func() (report.Report, error) { return report.Departments(ctx, a.Ledger, month) },
		func() (report.Report, error) { return alerts(ctx, a, month) },
		func() (report.Report, error) { return report.Held(ctx, a.Ledger, month) },
		func() (report.Report, error) {
			return report.Rejects(ctx, a.Ledger, month, report.Page{Limit: rejectsShown})
		},
	} {
		r, err := read()
		if err != nil {
			return err
		}
		fmt.Fprintln(w.out)
		if err := render(w, r, formatTable); err != nil {
			return err
		}
	}
	printProblems(w, problems)
	return nil
}

// alerts lists the messages about budgets that were ever raised.
func alerts(ctx context.Context, a *books, month civil.Month) (report.Report, error) {
	r := report.Report{Name: "alerts", Title: "Budget alerts, as they were raised", Month: month.String(), Columns: []report.Column{
		{Name: "day", Title: "Day"},
		{Name: "budget", Title: "Budget"},
		{Name: "crossed", Title: "Crossed"},
		{Name: "spent_usd", Title: "Spent", Kind: report.USD},
		{Name: "amount_usd", Title: "Of", Kind: report.USD},
		{Name: "channel", Title: "Channel", Rank: 1},
	}}
	messages, err := (jobs.Outbox{Messages: a.Outbox}).All(ctx)
	for _, m := range messages {
		r.Rows = append(r.Rows, []any{m.Alert.AsOf, m.Alert.Budget, list(m.Alert.Crossed) + " %", m.Alert.Spent, m.Alert.Amount, m.Channel})
	}
	return r, err
}

func list(numbers []int) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ", ")
}

// demoTie shows that the same money is in every view: what the ledger's documents
// add up to now is what the close has added up from records and shared costs.
func demoTie(ctx context.Context, w world, a *books, month civil.Month, t *jobs.Totals) error {
	documents, err := a.DocumentsTotal(ctx, month)
	if err != nil {
		return err
	}
	if made := money.Sum(t.Records, t.Shared, t.TrueUps); !documents.Equal(made) {
		return fmt.Errorf("cost records and shared costs are %s USD, documents are %s USD; report this as a bug", made, documents)
	}
	fmt.Fprintln(w.out, "They tie to the last digit.")
	return nil
}
