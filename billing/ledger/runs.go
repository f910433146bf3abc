package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

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
	Window   string
	Attempt  int64
	State    string
	Started  time.Time
	Finished time.Time
	Summary  string // JSON
}

// BeginRun numbers a new attempt at a window and notes that it runs.
func (l *Ledger) BeginRun(ctx context.Context, window string, now time.Time) (attempt int64, err error) {
	err = l.engine.Transact(ctx, func() error {
		row, err := l.one(ctx, "select ifnull(max(attempt), 0) from runs where run_window = @name", Args{"name": window})
		if err != nil {
			return err
		}
		attempt = row.Int(0) + 1
		return l.engine.Insert(ctx, runsTable, [][]any{{window, attempt, RunRunning, now, nil, nil}})
	})
	if err != nil {
		return 0, fmt.Errorf("begin run %s: %w", window, err)
	}
	return attempt, nil
}

// NoteRuns notes windows that were done as parts of another one, each as an
// attempt. It belongs inside the transaction of that.
func (l *Ledger) NoteRuns(ctx context.Context, kind string, windows []string, now time.Time, summary any) error {
	text, err := json.Marshal(summary)
	if err != nil {
		return fmt.Errorf("write summary of runs: %w", err)
	}
	attempts := map[string]int64{}
	err = l.engine.Query(ctx, "select run_window, max(attempt) from runs where run_window like @pattern group by run_window", Args{"pattern": kind + "/%"}, func(r Row) error {
		attempts[r.Text(0)] = r.Int(1)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read attempts: %w", err)
	}
	rows := make([][]any, 0, len(windows))
	for _, window := range windows {
		rows = append(rows, []any{window, attempts[window] + 1, RunDone, now, now, string(text)})
	}
	return l.engine.Insert(ctx, runsTable, rows)
}

// EndRun notes how an attempt ended. It belongs inside the transaction of what
// the run did, so that a run is done exactly where its effect is there.
func (l *Ledger) EndRun(ctx context.Context, window string, attempt int64, state string, now time.Time, summary any) error {
	text, err := json.Marshal(summary)
	if err != nil {
		return fmt.Errorf("write summary of run %s: %w", window, err)
	}
	return l.engine.Exec(ctx, "update runs set state = @state, finished_at = @finished, summary = @summary where run_window = @name and attempt = @attempt",
		Args{"state": state, "finished": now, "summary": string(text), "name": window, "attempt": attempt})
}

// FailRunsAfter notes that runs which began after now, by a clock that was ahead,
// count for nothing: what they have marked as done was not over.
func (l *Ledger) FailRunsAfter(ctx context.Context, now time.Time) error {
	err := l.engine.Transact(ctx, func() error {
		return l.engine.Exec(ctx, "update runs set state = 'failed', started_at = @began, finished_at = @began, summary = @summary where started_at > @began",
			Args{"began": now, "summary": `{"error":"it began ahead of time, by a clock that was wrong"}`})
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
	said, err := l.pinned(ctx, meantNewFact)
	return said != "", err
}

// SetMeantNew keeps that somebody has said so.
func (l *Ledger) SetMeantNew(ctx context.Context) error {
	return l.pin(ctx, meantNewFact, "yes")
}

// WindowsDone returns the windows of a kind (nightly, monthly) that were
// finished, in order.
func (l *Ledger) WindowsDone(ctx context.Context, kind string) (map[string]bool, error) {
	done := map[string]bool{}
	err := l.engine.Query(ctx, "select distinct run_window from runs where state = 'done' and run_window like @pattern", Args{"pattern": kind + "/%"}, func(r Row) error {
		done[r.Text(0)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read finished windows: %w", err)
	}
	return done, nil
}

// LastRuns returns the newest attempts, newest first.
func (l *Ledger) LastRuns(ctx context.Context, limit int) (runs []Run, err error) {
	err = l.engine.Query(ctx, "select run_window, attempt, state, started_at, finished_at, summary from runs order by started_at desc, run_window desc, attempt desc limit @limit",
		Args{"limit": limit}, func(r Row) error {
			runs = append(runs, Run{r.Text(0), r.Int(1), r.Text(2), r.Time(3), r.Time(4), r.Text(5)})
			return nil
		})
	return runs, err
}

// ClosedMonths returns the closed months with the content hash of each.
func (l *Ledger) ClosedMonths(ctx context.Context) (map[civil.Month]string, error) {
	closed := map[civil.Month]string{}
	err := l.engine.Query(ctx, "select month, content_hash from months where state = 'closed'", nil, func(r Row) error {
		m, err := civil.ParseMonth(r.Text(0))
		closed[m] = r.Text(1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read closed months: %w", err)
	}
	return closed, nil
}

// NewestRecordDay is the last business day with a cost record; the zero date
// in new books.
func (l *Ledger) NewestRecordDay(ctx context.Context) (civil.Date, error) {
	row, err := l.one(ctx, "select max(usage_date) from record_facts where usage_date >= @since", Args{"since": civil.Min})
	if err != nil {
		return civil.Date{}, fmt.Errorf("read newest day: %w", err)
	}
	return row.Date(0), nil
}

// PendingDays returns those of some days on which requests wait for their usage.
func (l *Ledger) PendingDays(ctx context.Context, days Days) (pending []civil.Date, err error) {
	err = l.engine.Query(ctx, `
select distinct f.usage_date
from record_facts as f
inner join rulings as r on r.ruling_id = f.ruling_id
where f.usage_date between @first_day and @last_day and r.pricing = 'pending'
order by 1`, Args{"first_day": days.First, "last_day": days.Last}, func(r Row) error {
		pending = append(pending, r.Date(0))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read days with pending requests: %w", err)
	}
	return pending, nil
}
