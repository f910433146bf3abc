// Package runs holds the attempts at windows: which nights, closes and documents were
// begun, how each ended, and what it told.
//
// It does not own when to run, or what a run does (jobs).
package runs

import (
	"context"
	_ "embed" // texts of selects
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

// Runs are the attempts at windows that a ledger has noted.
type Runs struct {
	w warehouse.Warehouse
	q warehouse.Querier
}

// New are those of a warehouse.
func New(w warehouse.Warehouse) *Runs { return &Runs{w, w} }

// States of a run.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
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

// Begin numbers a new attempt at a window and notes that it runs.
func (l *Runs) Begin(ctx context.Context, window string, now time.Time) (attempt int64, err error) {
	last, err := warehouse.One[int64](ctx, l.q, warehouse.Select{Name: "number attempts", Text: "select ifnull(max(attempt), 0) as attempt from {runs} where run_window = {@name}", Args: warehouse.Args{"name": window}})
	if err == nil {
		attempt = last + 1
		err = l.w.Apply(ctx, warehouse.Append{Table: runsTable.Name, Rows: [][]any{{window, attempt, Running, now, nil, nil}}})
	}
	if err != nil {
		return 0, fmt.Errorf("begin run %s: %w", window, err)
	}
	return attempt, nil
}

// Note notes windows that were done as parts of another one, each as an
// attempt.
func (l *Runs) Note(ctx context.Context, kind string, windows []string, now time.Time, summary any) ([]warehouse.Change, error) {
	text, err := json.Marshal(summary)
	if err != nil {
		return nil, fmt.Errorf("write summary of runs: %w", err)
	}
	attempts := map[string]int64{}
	err = warehouse.Each(ctx, l.q, warehouse.Select{
		Name: "read attempts", Text: "select run_window, max(attempt) as attempt from {runs} where run_window like {@pattern} group by run_window", Args: warehouse.Args{"pattern": kind + "/%"},
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
		rows = append(rows, []any{window, attempts[window] + 1, Done, now, now, string(text)})
	}
	return []warehouse.Change{warehouse.Append{Table: runsTable.Name, Rows: rows}}, nil
}

// End is how an attempt ended that began at a time. It is applied with what the run
// did, so that a run is done exactly where its effect is there.
//
// It is a row of its own beside the one that Begin wrote: many workers may append to a
// table at once, and only one may update it. Of an attempt's rows the one whose state
// comes first in the alphabet counts: done before failed before running. (Earlier
// versions updated the row of Begin.)
func End(window string, attempt int64, state string, began, now time.Time, summary any) (warehouse.Change, error) {
	text, err := json.Marshal(summary)
	if err != nil {
		return nil, fmt.Errorf("write summary of run %s: %w", window, err)
	}
	return warehouse.Append{Table: runsTable.Name, Rows: [][]any{{window, attempt, state, began, now, string(text)}}}, nil
}

// End notes how an attempt ended that has nothing else to keep.
func (l *Runs) End(ctx context.Context, window string, attempt int64, state string, began, now time.Time, summary any) error {
	end, err := End(window, attempt, state, began, now, summary)
	if err != nil {
		return err
	}
	return l.w.Apply(ctx, end)
}

// SummaryMost is how many entries of a list a summary holds: summaries stand in the
// texts of statements, whose length engines limit.
const SummaryMost = 100

// Problem is a problem that an attempt has found.
type Problem struct{ Kind, Source, Object, What string }

// KeepProblems keeps those problems of an attempt that its summary does not hold: all
// behind the first SummaryMost.
func KeepProblems(window string, attempt int64, problems []Problem) []warehouse.Change {
	if len(problems) <= SummaryMost {
		return nil
	}
	rows := make([][]any, 0, len(problems)-SummaryMost)
	for i, p := range problems[SummaryMost:] {
		rows = append(rows, []any{window, attempt, int64(SummaryMost + i + 1), p.Kind, p.Source, p.Object, p.What})
	}
	return []warehouse.Change{warehouse.Append{Table: runProblemsTable.Name, Rows: rows}}
}

// Problems reads what KeepProblems has kept of an attempt, in order.
func (l *Runs) Problems(ctx context.Context, window string, attempt int64) ([]Problem, error) {
	return warehouse.All[Problem](ctx, l.q, warehouse.Select{
		Name: "problems of " + window, Args: warehouse.Args{"window": window, "attempt": attempt},
		Text: "select kind, source, object, what from {run_problems} where run_window = {@window} and attempt = {@attempt} order by position",
	})
}

// FailAfter notes that runs which began after now, by a clock that was ahead,
// count for nothing: what they have marked as done was not over.
func (l *Runs) FailAfter(ctx context.Context, now time.Time) error {
	err := l.w.Apply(ctx, warehouse.Update{
		Table: runsTable.Name, Set: warehouse.Args{"state": Failed, "started_at": now, "finished_at": now, "summary": `{"error":"it began ahead of time, by a clock that was wrong"}`},
		Where: "started_at > {@began}", Args: warehouse.Args{"began": now},
	})
	if err != nil {
		return fmt.Errorf("note runs that began ahead of time: %w", err)
	}
	return nil
}

// WindowsDone returns the windows of a kind (nightly, monthly) that were
// finished, in order.
func (l *Runs) WindowsDone(ctx context.Context, kind string) (map[string]bool, error) {
	windows, err := warehouse.All[string](ctx, l.q, warehouse.Select{
		Name: "read finished windows", Text: "select distinct run_window from {runs} where state = 'done' and run_window like {@pattern} order by run_window", Args: warehouse.Args{"pattern": kind + "/%"},
	})
	done := map[string]bool{}
	for _, w := range windows {
		done[w] = true
	}
	return done, err
}

// Last returns the newest attempts, newest first.
func (l *Runs) Last(ctx context.Context, limit int) ([]Run, error) {
	return warehouse.All[Run](ctx, l.q, warehouse.Select{
		Name: "read runs", Args: warehouse.Args{"limit": limit},
		Text: "select run_window, attempt, state, started_at, finished_at, summary from {runs} where true qualify row_number() over (partition by run_window, attempt order by state) = 1 order by started_at desc, run_window desc, attempt desc limit {@limit}",
	})
}

// SourceNight is what a night and its shards read of a source.
type SourceNight struct {
	Source           string
	Night            civil.Date
	Staged, Rejected int64
}

//go:embed source_nights.sql
var sourceNightsText string

// SourceNights lists what the nights from first to last read of each source, as far
// as it was not replaced since, by source and night.
func (l *Runs) SourceNights(ctx context.Context, first, last civil.Date) (nights []SourceNight, err error) {
	err = warehouse.Each(ctx, l.q, warehouse.Select{Name: "what nights read of sources", Text: sourceNightsText, Args: nightArgs(first, last)}, func(r struct {
		Source, Night    string
		Staged, Rejected int64
	}) error {
		night, err := civil.ParseDate(r.Night)
		nights = append(nights, SourceNight{r.Source, night, r.Staged, r.Rejected})
		return err
	})
	return nights, err
}

// Arrival is a night that read records of a source.
type Arrival struct {
	Source string
	Night  civil.Date
}

//go:embed source_arrivals.sql
var sourceArrivalsText string

// SourceArrivals lists the nights from first to last that read records of a source,
// also of objects that were replaced since, by source and night.
func (l *Runs) SourceArrivals(ctx context.Context, first, last civil.Date) (arrivals []Arrival, err error) {
	err = warehouse.Each(ctx, l.q, warehouse.Select{Name: "when sources delivered", Text: sourceArrivalsText, Args: nightArgs(first, last)}, func(r struct{ Source, Run string }) error {
		arrivals = append(arrivals, Arrival{r.Source, NightOf(r.Run)})
		return nil
	})
	return arrivals, err
}

// nightArgs bound the windows of nights and of their shards.
func nightArgs(first, last civil.Date) warehouse.Args {
	return warehouse.Args{
		"first_night": "nightly/" + first.String(), "last_night": "nightly/" + last.String(),
		"first_shard": shardKind + first.String(), "last_shard": shardKind + last.String() + "/~",
	}
}

//go:embed nights_with.sql
var nightsWithText string

// NightsWith lists the nights from first to last that were run as parts of another
// one, and that one.
func (l *Runs) NightsWith(ctx context.Context, first, last civil.Date) (map[civil.Date]civil.Date, error) {
	with := map[civil.Date]civil.Date{}
	args := nightArgs(first, last)
	args["with"] = `{"with":%`
	err := l.summaries(ctx, warehouse.Select{Name: "which nights were run together", Text: nightsWithText, Args: args}, func(window string, summary []byte) error {
		var of struct {
			With string `json:"with"`
		}
		err := json.Unmarshal(summary, &of)
		with[NightOf(window)] = NightOf(of.With)
		return err
	})
	return with, err
}

// summaries reads windows with their summaries.
func (l *Runs) summaries(ctx context.Context, s warehouse.Select, yield func(window string, summary []byte) error) error {
	return warehouse.Each(ctx, l.q, s, func(r struct{ RunWindow, Summary string }) error {
		if err := yield(r.RunWindow, []byte(r.Summary)); err != nil {
			return fmt.Errorf("summary of %s: %w", r.RunWindow, err)
		}
		return nil
	})
}

// shardKind is what windows of a night's shards begin with.
const shardKind = "shard/"

// NightOf is the night of a window, or of a shard's; the zero date where it is of
// neither.
func NightOf(window string) civil.Date {
	for _, kind := range []string{"nightly/", shardKind} {
		if rest, is := strings.CutPrefix(window, kind); is {
			text, _, _ := strings.Cut(rest, "/")
			if day, err := civil.ParseDate(text); err == nil {
				return day
			}
		}
	}
	return civil.Date{}
}

// FailedRun is a window whose newest attempt failed.
type FailedRun struct{ Window, Reason string }

//go:embed failed_runs.sql
var failedRunsText string

// FailedRuns lists the nightly and monthly windows, and those of documents, whose
// newest attempt failed since a time.
func (l *Runs) FailedRuns(ctx context.Context, since time.Time) (failed []FailedRun, err error) {
	err = l.summaries(ctx, warehouse.Select{Name: "runs that failed", Text: failedRunsText, Args: warehouse.Args{"since": since}}, func(window string, summary []byte) error {
		var of struct {
			Error string `json:"error"`
		}
		err := json.Unmarshal(summary, &of)
		failed = append(failed, FailedRun{window, of.Error})
		return err
	})
	return failed, err
}
