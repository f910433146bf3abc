package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"chargeback/billing/meta"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

// States of a run.
const (
	RunRunning = "running"
	RunDone    = "done"
	RunFailed  = "failed"
)

// Run is one attempt at a window.
type Run struct {
	Window   string `column:"run_window"`
	Attempt  int64
	State    string
	Started  time.Time `column:"started_at"`
	Finished time.Time `column:"finished_at,null"` // zero while it runs
	Summary  string    `column:",null"`            // JSON; empty while it runs
}

// BeginRun numbers a new attempt at a window and notes that it runs.
func (l *Ledger) BeginRun(ctx context.Context, window string, now time.Time) (attempt int64, err error) {
	last, err := warehouse.One[int64](ctx, l.w, warehouse.Select{Name: "number attempts", Text: "select ifnull(max(attempt), 0) as attempt from {runs} where run_window = {@name}", Args: Args{"name": window}})
	if err == nil {
		attempt = last + 1
		err = l.w.Apply(ctx, warehouse.Append{Table: runsTable.Name, Rows: [][]any{{window, attempt, RunRunning, now, nil, nil}}})
	}
	if err != nil {
		return 0, fmt.Errorf("begin run %s: %w", window, err)
	}
	return attempt, nil
}

// NoteRuns notes windows that were done as parts of another one, each as an
// attempt.
func (l *Ledger) NoteRuns(ctx context.Context, kind string, windows []string, now time.Time, summary any) ([]warehouse.Change, error) {
	text, err := json.Marshal(summary)
	if err != nil {
		return nil, fmt.Errorf("write summary of runs: %w", err)
	}
	attempts := map[string]int64{}
	err = warehouse.Each(ctx, l.w, warehouse.Select{
		Name: "read attempts", Text: "select run_window, max(attempt) as attempt from {runs} where run_window like {@pattern} group by run_window", Args: Args{"pattern": kind + "/%"},
	}, func(r struct {
		RunWindow string
		Attempt   int64
	}) error {
		attempts[r.RunWindow] = r.Attempt
		return nil
	})
	if err != nil {
		return nil, err
	}
	rows := make([][]any, 0, len(windows))
	for _, window := range windows {
		rows = append(rows, []any{window, attempts[window] + 1, RunDone, now, now, string(text)})
	}
	return []warehouse.Change{warehouse.Append{Table: runsTable.Name, Rows: rows}}, nil
}

// EndRun is how an attempt ended. It is applied with what the run did, so that a run
// is done exactly where its effect is there.
func EndRun(window string, attempt int64, state string, now time.Time, summary any) (warehouse.Change, error) {
	text, err := json.Marshal(summary)
	if err != nil {
		return nil, fmt.Errorf("write summary of run %s: %w", window, err)
	}
	return warehouse.Key(runsTable.Name, Args{"run_window": window, "attempt": attempt}, Args{"state": state, "finished_at": now, "summary": string(text)}), nil
}

// EndRun notes how an attempt ended that has nothing else to keep.
func (l *Ledger) EndRun(ctx context.Context, window string, attempt int64, state string, now time.Time, summary any) error {
	end, err := EndRun(window, attempt, state, now, summary)
	if err != nil {
		return err
	}
	return l.w.Apply(ctx, end)
}

// SummaryMost is how many entries of a list a summary holds: summaries stand in the
// texts of statements, whose length engines limit.
const SummaryMost = 100

// RunProblem is a problem that an attempt has found.
type RunProblem struct{ Kind, Source, Object, What string }

// KeepProblems keeps those problems of an attempt that its summary does not hold: all
// behind the first SummaryMost.
func KeepProblems(window string, attempt int64, problems []RunProblem) []warehouse.Change {
	if len(problems) <= SummaryMost {
		return nil
	}
	rows := make([][]any, 0, len(problems)-SummaryMost)
	for i, p := range problems[SummaryMost:] {
		rows = append(rows, []any{window, attempt, int64(SummaryMost + i + 1), p.Kind, p.Source, p.Object, p.What})
	}
	return []warehouse.Change{warehouse.Append{Table: runProblemsTable.Name, Rows: rows}}
}

// RunProblems reads what KeepProblems has kept of an attempt, in order.
func (l *Ledger) RunProblems(ctx context.Context, window string, attempt int64) ([]RunProblem, error) {
	return warehouse.All[RunProblem](ctx, l.q, warehouse.Select{
		Name: "problems of " + window, Args: Args{"window": window, "attempt": attempt},
		Text: "select kind, source, object, what from {run_problems} where run_window = {@window} and attempt = {@attempt} order by position",
	})
}

// FailRunsAfter notes that runs which began after now, by a clock that was ahead,
// count for nothing: what they have marked as done was not over.
func (l *Ledger) FailRunsAfter(ctx context.Context, now time.Time) error {
	err := l.w.Apply(ctx, warehouse.Update{
		Table: runsTable.Name, Set: Args{"state": RunFailed, "started_at": now, "finished_at": now, "summary": `{"error":"it began ahead of time, by a clock that was wrong"}`},
		Where: "started_at > {@began}", Args: Args{"began": now},
	})
	if err != nil {
		return fmt.Errorf("note runs that began ahead of time: %w", err)
	}
	return nil
}

// meantNewFact says that a ledger is meant to begin beside documents of another one.
const meantNewFact = "new beside documents"

// MeantNew says whether somebody has said that this ledger is meant to begin beside
// documents that others have issued.
func (l *Ledger) MeantNew(ctx context.Context) (bool, error) {
	said, err := meta.Get(ctx, l.w, meantNewFact)
	return said != "", err
}

// SetMeantNew keeps that somebody has said so.
func (l *Ledger) SetMeantNew(ctx context.Context) error {
	return l.pin(ctx, meantNewFact, "yes")
}

// WindowsDone returns the windows of a kind (nightly, monthly) that were
// finished, in order.
func (l *Ledger) WindowsDone(ctx context.Context, kind string) (map[string]bool, error) {
	windows, err := warehouse.All[string](ctx, l.w, warehouse.Select{
		Name: "read finished windows", Text: "select distinct run_window from {runs} where state = 'done' and run_window like {@pattern} order by run_window", Args: Args{"pattern": kind + "/%"},
	})
	done := map[string]bool{}
	for _, w := range windows {
		done[w] = true
	}
	return done, err
}

// LastRuns returns the newest attempts, newest first.
func (l *Ledger) LastRuns(ctx context.Context, limit int) ([]Run, error) {
	return warehouse.All[Run](ctx, l.w, warehouse.Select{
		Name: "read runs", Text: "select run_window, attempt, state, started_at, finished_at, summary from {runs} order by started_at desc, run_window desc, attempt desc limit {@limit}", Args: Args{"limit": limit},
	})
}

// ClosedMonths returns the closed months with the content hash of each.
func (l *Ledger) ClosedMonths(ctx context.Context) (map[civil.Month]string, error) {
	closed := map[civil.Month]string{}
	err := warehouse.Each(ctx, l.q, warehouse.Select{Name: "read closed months", Text: "select month, content_hash from {months} where state = 'closed'"}, func(r struct {
		Month       civil.Month
		ContentHash string
	}) error {
		closed[r.Month] = r.ContentHash
		return nil
	})
	return closed, err
}
