package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"chargeback/billing/report"
	"chargeback/billing/runs"
	"chargeback/config"
	"chargeback/jobs"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

const statusHelp = `Says where the books stand: what is due, which problems need attention, the
latest runs, how far budgets are spent, messages that were not delivered, and
objects that can't be read or are gone from their source.

Problems are what nightly runs tell too: sources that fell silent, nights whose
records were mostly rejected, models without a price, more unallocated than
unallocated_limit_usd, corrections of closed months above corrections_limit_usd,
prices of the past that were edited, runs that failed, and messages that nobody
got; and more than two nights that are due, since nothing seems to run them. It
exits with 3 where there are any. A night or two, and a month, that are due are no
problem: the next run does them.

With --format json it prints one object, also where it fails: then with exit_code
and error alone.`

const (
	lastRuns      = 8
	problemsShown = 100
)

func statusCommand(w world, f *flags) *cobra.Command {
	format := formatText
	c := &cobra.Command{
		Use: "status", Short: "Say where the books stand", Args: noArgs, Long: statusHelp,
		Example:     "  chargeback status\n  chargeback status --format json",
		Annotations: map[string]string{oneObject: "yes"},
	}
	c.Flags().Var(value[string]{&format, parseTextOrJSON, "FORMAT"}, "format", "text or json")
	c.RunE = toRead(w, f, func(ctx context.Context, a *books) error { return status(ctx, w, a, format == formatJSON) })
	return c
}

// statusReport is where the books stand, as machines read it. Its keys are
// documented in README.md here.
type statusReport struct {
	Ledger    string          `json:"ledger"`
	SizeBytes int64           `json:"size_bytes"`
	RateBook  string          `json:"rate_book"` // its version
	Due       dueReport       `json:"due"`
	Problems  []jobs.Problem  `json:"problems"`
	Runs      []runReport     `json:"runs"` // the latest first
	Budgets   []budgetReport  `json:"budgets"`
	Messages  []messageReport `json:"messages"` // that were not delivered
	ExitCode  int             `json:"exit_code"`
}

type dueReport struct {
	Nights []civil.Date  `json:"nights"`
	Months []civil.Month `json:"months"`
}

type runReport struct {
	Window     string     `json:"window"`
	Attempt    int64      `json:"attempt"`
	State      string     `json:"state"`
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Reason     string     `json:"reason,omitempty"` // why it failed
	Processed  int64      `json:"bytes_processed,omitempty"`
}

type budgetReport struct {
	Budget  string      `json:"budget"`
	Month   civil.Month `json:"month"`
	Amount  money.USD   `json:"amount_usd"`
	Spent   money.USD   `json:"spent_usd"`
	Percent int64       `json:"percent"`
}

type messageReport struct {
	ID       string `json:"id"`
	Channel  string `json:"channel"`
	State    string `json:"state"`
	Attempts int    `json:"attempts"`
	Reason   string `json:"reason,omitempty"` // why the last attempt failed
}

func status(ctx context.Context, w world, a *books, asJSON bool) error {
	var s statusReport
	for _, part := range []func(context.Context, world, *books) error{s.readLedger, s.readDue, s.readProblems, s.readRuns, s.readBudgets, s.readMessages} {
		if err := part(ctx, w, a); err != nil {
			return err
		}
	}
	var problems error
	if n := len(s.Problems); n > 0 {
		s.ExitCode = exitLook
		problems = &exitError{exitLook, errors.New(count(n, "problem needs attention; see above", "problems need attention; see above"))}
	}
	if asJSON {
		return errors.Join(writeJSON(w, s), problems)
	}
	fmt.Fprintf(w.out, "ledger     %s, %s\n", s.Ledger, megabytes(s.SizeBytes))
	fmt.Fprintf(w.out, "rate book  %s\n", s.RateBook)
	for _, part := range []func(world){s.printDue, s.printProblems, s.printRuns, s.printBudgets, s.printMessages} {
		part(w)
	}
	objects, err := report.Objects(ctx, a.Ledger)
	if err != nil {
		return err
	}
	if len(objects.Rows) > 0 {
		fmt.Fprintln(w.out)
		if err := render(w, objects, formatTable); err != nil {
			return err
		}
	}
	return problems
}

// writeJSON prints one object, indented.
func writeJSON(w world, v any) error {
	e := json.NewEncoder(w.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (s *statusReport) readLedger(ctx context.Context, _ world, a *books) (err error) {
	s.Ledger, s.RateBook = a.Ledger.String(), a.Rates.Version()
	s.SizeBytes, err = a.Ledger.SizeBytes(ctx)
	return err
}

func (s *statusReport) readDue(ctx context.Context, w world, a *books) (err error) {
	nights, err := a.DueNights(ctx, w.now())
	if err != nil {
		return err
	}
	months, err := a.DueMonths(ctx, w.now())
	s.Due = dueReport{Nights: append([]civil.Date{}, nights...), Months: append([]civil.Month{}, months...)}
	return err
}

func (s *statusReport) printDue(w world) {
	nights, months := s.Due.Nights, s.Due.Months
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
}

func (s *statusReport) readProblems(ctx context.Context, w world, a *books) (err error) {
	problems, err := a.Signals(ctx, w.now())
	s.Problems = append(append([]jobs.Problem{}, jobs.Overdue(s.Due.Nights)...), problems...)
	return err
}

// printProblems prints what no other part of the page shows.
func (s *statusReport) printProblems(w world) {
	shown := slices.DeleteFunc(slices.Clone(s.Problems), func(p jobs.Problem) bool {
		return p.Kind == jobs.KindFailedObject || p.Kind == jobs.KindMissingObject || p.Kind == jobs.KindUndelivered
	})
	if len(shown) > 0 {
		fmt.Fprintln(w.out, "\nneeds attention")
		for _, p := range shown[:min(len(shown), problemsShown)] {
			w.item("  ! %s %s: %s", p.Source, p.Object, p.What)
		}
		if more := len(shown) - problemsShown; more > 0 {
			w.item("  ! and %s; \"chargeback status --format json\" lists all", count(more, "more problem", "more problems"))
		}
	}
}

func (s *statusReport) readRuns(ctx context.Context, _ world, a *books) error {
	last, err := a.Ledger.Runs.Last(ctx, lastRuns)
	s.Runs = []runReport{}
	for _, r := range last {
		read := runReport{Window: r.Window, Attempt: r.Attempt, State: r.State, StartedAt: r.Started.UTC(), Reason: failure(r), Processed: bytesProcessed(r)}
		if !r.Finished.IsZero() {
			finished := r.Finished.UTC()
			read.FinishedAt = &finished
		}
		if r.State == runs.Running && a.Settings.Config.Warehouse.Engine == config.EngineDuckDB {
			read.State = "cut off" // this process has the ledger, so that one is gone
		}
		s.Runs = append(s.Runs, read)
	}
	return err
}

func (s *statusReport) printRuns(w world) {
	if len(s.Runs) == 0 {
		return
	}
	fmt.Fprintln(w.out, "\nlatest runs")
	for _, r := range s.Runs {
		line := fmt.Sprintf("  %-18s  %-7s  %s  attempt %d", r.Window, r.State, r.StartedAt.Format("2006-01-02 15:04Z"), r.Attempt)
		if r.Processed > 0 {
			line += fmt.Sprintf("  %s processed", megabytes(r.Processed))
		}
		fmt.Fprintln(w.out, line)
		if r.Reason != "" {
			w.item("    %s", r.Reason)
		}
	}
}

// bytesProcessed is what a run's queries have read, where that is billed.
func bytesProcessed(r runs.Run) int64 {
	var summary struct {
		BytesProcessed int64 `json:"bytes_processed"`
	}
	if json.Unmarshal([]byte(r.Summary), &summary) != nil {
		return 0 // no summary yet
	}
	return summary.BytesProcessed
}

// failure is why a run failed.
func failure(r runs.Run) string {
	var summary struct {
		Error string `json:"error"`
	}
	if r.State != runs.Failed || json.Unmarshal([]byte(r.Summary), &summary) != nil {
		return ""
	}
	if summary.Error == context.Canceled.Error() {
		return "stopped by a signal"
	}
	return summary.Error
}

func (s *statusReport) readBudgets(ctx context.Context, w world, a *books) error {
	s.Budgets = []budgetReport{}
	month, err := a.monthOr(ctx, w, civil.Month{})
	if err != nil || len(a.Budgets) == 0 {
		return err
	}
	rows, err := a.BudgetStatus(ctx, month)
	for _, r := range rows {
		s.Budgets = append(s.Budgets, budgetReport{Budget: r.Budget, Month: month, Amount: r.Amount, Spent: r.Spent, Percent: r.Percent})
	}
	return err
}

func (s *statusReport) printBudgets(w world) {
	if len(s.Budgets) == 0 {
		return
	}
	names, amounts := 0, 0
	for _, r := range s.Budgets {
		names, amounts = max(names, len([]rune(r.Budget))), max(amounts, len(r.Amount.Cents().String()), len(r.Spent.Cents().String()))
	}
	fmt.Fprintf(w.out, "\nbudgets of %s\n", s.Budgets[0].Month)
	for _, r := range s.Budgets {
		fmt.Fprintf(w.out, "  %-*s  %*s of %*s USD  %3d%%\n", names, r.Budget, amounts, r.Spent.Cents(), amounts, r.Amount.Cents(), r.Percent)
	}
}

func (s *statusReport) readMessages(ctx context.Context, _ world, a *books) error {
	messages, err := a.Undelivered(ctx)
	s.Messages = []messageReport{}
	for _, m := range messages {
		s.Messages = append(s.Messages, messageReport{ID: m.ID, Channel: m.Channel, State: string(m.State), Attempts: m.Attempts, Reason: m.Reason})
	}
	return err
}

func (s *statusReport) printMessages(w world) {
	if len(s.Messages) > 0 {
		fmt.Fprintln(w.out, "\nmessages that were not delivered; \"chargeback alerts list\" says what becomes of each")
	}
	for _, m := range s.Messages {
		w.item("  %s to %s: %s", m.ID, m.Channel, count(m.Attempts, "attempt", "attempts"))
		if m.Reason != "" {
			w.item("    %s", m.Reason)
		}
	}
}

func megabytes(size int64) string {
	return fmt.Sprintf("%d.%d MB", size/1_000_000, size%1_000_000/100_000)
}
