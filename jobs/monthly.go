package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/invoice"
	"chargeback/billing/months"
	"chargeback/billing/records"
	"chargeback/billing/runs"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// ErrGates says that a month can't be closed yet; the message names each gate.
var ErrGates = errors.New("month can't be closed")

// Unallocated is the cost centre of what no rule could attribute.
const Unallocated = "UNALLOCATED"

// MonthlyWindow names the window of a month.
func MonthlyWindow(month civil.Month) string { return MonthlyKind + "/" + month.String() }

// MonthlySummary is what the close of a month did.
type MonthlySummary struct {
	Window    string         `json:"window"`
	Attempt   int64          `json:"attempt,omitempty"`
	Already   bool           `json:"-"` // was closed before; documents were written again from the ledger
	Documents []DocumentPath `json:"documents"`
	Journal   string         `json:"journal,omitempty"`
	Waived    []Waiver       `json:"waived,omitempty"`
	// Sources is what came of each source of data.
	Sources []invoice.SourceNote `json:"sources,omitempty"`
	// Background is how background agents' cost was divided among who used them.
	Background []Background `json:"background,omitempty"`
	// Shared is what was charged for the shared costs of this month and of all
	// before it, for the next close to compare with the settings.
	Shared      []SharedMonth `json:"shared,omitempty"`
	SharedCosts money.USD     `json:"-"`                   // amounts of the month's own
	TrueUps     money.USD     `json:"-"`                   // and what those of closed months have changed by
	IssueDate   civil.Date    `json:"issue_date,omitzero"` // day of the close in the billing zone
	Totals      *Totals       `json:"totals,omitempty"`    // nil: closed by a version that kept none
	Unused      []string      `json:"unused,omitempty"`    // cost centres of the month without a document
	Told        []string      `json:"told,omitempty"`      // what a person should know of how it was closed
	Restored    []string      `json:"-"`                   // files that were missing or had other bytes
	Delivered   string        `json:"-"`                   // where they went besides the folder, "" for nowhere
	Exact       money.USD     `json:"total_usd"`
	Hash        string        `json:"content_hash"`
	// BytesProcessed is what the close's queries have read; see NightlySummary.
	BytesProcessed int64 `json:"bytes_processed,omitempty"`
	// Late is the night that was made again for what was found in the month's
	// folders; without a window where there was nothing. Problems are of the look.
	Late     NightlySummary `json:"-"`
	Problems []Problem      `json:"-"`
}

// DocumentPath is one document and where it lies.
type DocumentPath struct {
	Number     string      `json:"number"`
	CostCenter string      `json:"cost_center"`
	Mode       string      `json:"mode"`
	Total      money.Cents `json:"total_cents"`
	PDF        string      `json:"pdf"`
	CSV        string      `json:"csv"`
}

// Monthly closes a month and writes its documents. It returns ErrGates, and
// keeps nothing, where a gate fails that nobody has waived. A month that is
// closed already gets the same files again, from what the ledger has issued.
func (b *Books) Monthly(ctx context.Context, month civil.Month, now time.Time) (MonthlySummary, error) {
	s := MonthlySummary{Window: MonthlyWindow(month)}
	closed, err := b.Ledger.Months.Closed(ctx)
	if err != nil {
		return s, err
	}
	if hash := closed[month]; hash != "" {
		if err := b.Ledger.Months.Closing(ctx, month, &s); err != nil {
			return s, err
		}
		s.Already, s.Hash = true, hash
		if err := b.checkClosed(ctx, month, &s); err != nil {
			return s, err
		}
	} else if err := b.close(ctx, month, closed, now, &s); err != nil {
		return s, fmt.Errorf("%s: %w", s.Window, err)
	}
	files, err := b.deliverDocuments(ctx, month, &s)
	if err != nil {
		return s, fmt.Errorf("%s: the month is closed, but its files are not written: %w; the next run writes them", s.Window, err)
	}
	return s, b.delivered(context.WithoutCancel(ctx), month, now, s, files) // it takes no time, and all is done but this
}

// checkClosed tells of a closed month whose cost records are not those of its close.
func (b *Books) checkClosed(ctx context.Context, month civil.Month, s *MonthlySummary) error {
	same, err := b.Ledger.Months.Unchanged(ctx, month, s.Hash)
	if err == nil && !same {
		s.Problems = append(s.Problems, Problem{Kind: KindChangedMonth, Source: "ledger", Object: month.String(), What: "the cost records are not those that the month was closed with: their hash is another one. " +
			"Its documents are written as they were issued; restore the ledger from a backup of before the change, or find out what else has written into it"})
	}
	return err
}

// DocumentsKind is the first part of the name of the window in which a closed
// month's files are written. It is a window of its own, because a run can end
// between the close, which never comes again, and the last file.
const DocumentsKind = "documents"

// delivered notes once that all files of a month are written, and which bytes
// each has.
func (b *Books) delivered(ctx context.Context, month civil.Month, now time.Time, s MonthlySummary, files []months.File) error {
	window := DocumentsKind + "/" + month.String()
	done, err := b.Ledger.Runs.WindowsDone(ctx, DocumentsKind)
	if err != nil || done[window] && len(files) == 0 {
		return err
	}
	attempt, err := b.Ledger.Runs.Begin(ctx, window, now)
	if err != nil {
		return err
	}
	end, err := runs.End(window, attempt, runs.Done, now, now, map[string]int{"documents": len(s.Documents)})
	if err != nil {
		return err
	}
	return b.Ledger.Apply(ctx, months.NoteFiles(month, files), end)
}

// inTurn checks that a month is the next to close: what comes late for a closed
// month is charged in the first open one, which must be after it.
func (b *Books) inTurn(month civil.Month, closed map[civil.Month]string) error {
	first := b.Start.Month()
	if month.Before(first) {
		return fmt.Errorf("company.start is %s; nothing before it is accounted for", b.Start)
	}
	for m := first; m.Before(month); m = m.Next() {
		if closed[m] == "" {
			return fmt.Errorf("%w: %s is still open; close it first", ErrGates, m)
		}
	}
	return nil
}

func (b *Books) close(ctx context.Context, month civil.Month, closed map[civil.Month]string, now time.Time, s *MonthlySummary) error {
	before := b.processed(ctx)
	if err := b.inTurn(month, closed); err != nil {
		return err
	}
	if err := b.nightsDone(ctx, month); err != nil {
		return err
	}
	switch changed, err := b.changedSettings(ctx); {
	case err != nil:
		return err
	case changed:
		return fmt.Errorf("%w: prices, people or settings have changed since the last night, which would close it by the old ones; run `chargeback run nightly` first", ErrGates)
	}
	if err := b.lookAgain(ctx, month, now, s); err != nil {
		return err
	}
	var err error
	if s.Waived, s.Sources, err = b.gates(ctx, month); err != nil {
		return err
	}
	if s.Hash, err = b.Ledger.Months.MonthHash(ctx, month); err != nil {
		return err
	}
	s.IssueDate = civil.DateOf(now, b.Zone)
	documents, err := b.documents(ctx, month, s)
	if err != nil {
		return err
	}
	s.Problems = append(s.Problems, unshown(month, documents)...)
	if err := b.total(ctx, month, documents, s); err != nil {
		return err
	}
	if err := b.checkFree(ctx, month, documents, s); err != nil {
		return err
	}
	issued := make([]months.Issued, 0, len(documents))
	for _, d := range documents {
		text, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("keep document %s: %w", d.Number, err)
		}
		issued = append(issued, months.Issued{Number: d.Number, Month: month.String(), CostCenter: d.Party.Code, Total: d.Total.Cents.Total, ContentHash: d.ContentHash, Document: string(text)})
		s.Exact = s.Exact.Add(d.Total.Exact.Total)
	}
	if s.Attempt, err = b.Ledger.Runs.Begin(ctx, s.Window, now); err != nil {
		return err
	}
	s.BytesProcessed = max(0, b.processed(ctx)-before)
	run := *s
	run.Shared, run.Background = nil, nil // they grow, and stand in the month's summary, as these do whole
	run.Unused, run.Told = run.Unused[:min(len(run.Unused), runs.SummaryMost)], run.Told[:min(len(run.Told), runs.SummaryMost)]
	closing, err := b.Ledger.Months.Close(ctx, month, now, s.Hash, s, issued)
	if err != nil {
		return err
	}
	end, err := runs.End(s.Window, s.Attempt, runs.Done, now, now, run)
	if err != nil {
		return err
	}
	return b.Ledger.Apply(ctx, append(closing, end)...)
}

// lookAgain takes in what has come for the month since its nights looked for it,
// however late: all delivery days from its first up to the newest night are
// listed, and those of the closed month before it, of which what came or was
// rewritten becomes corrections in this one. Where anything was there, or a run was
// cut off behind it, the newest night is made again with it.
func (b *Books) lookAgain(ctx context.Context, month civil.Month, now time.Time, s *MonthlySummary) error {
	latest, err := b.latestDone(ctx)
	if err != nil {
		return err
	}
	marks, err := b.Manifest.SourceMarks(ctx)
	if err != nil {
		return err
	}
	for _, source := range b.Sources {
		at := look{nights: records.Days{First: latest, Last: latest}, since: b.firstOf(month.Prev())}
		if missed := marks[source.Name].Missed; !missed.IsZero() && missed.Before(at.since) {
			at.since = missed
		}
		_, problems, err := b.takeOver(ctx, source, at, s.Window)
		if unread, is := unreadOf(err); is {
			problems = []Problem{unread.problem()} // and a gate stops the close
		} else if err != nil {
			return err
		}
		s.Problems = append(s.Problems, problems...)
	}
	came, err := b.Manifest.ChangedDays(ctx)
	if err != nil {
		return err
	}
	changed, err := b.inputsChanged(ctx) // by a people file
	if err != nil || !changed.any() && len(came.Days(latest.AddDays(1))) == 0 {
		return err
	}
	s.Late, err = b.Nightly(ctx, latest, now)
	s.Problems = slices.DeleteFunc(s.Problems, func(p Problem) bool { return slices.Contains(s.Late.Problems, p) })
	return err
}

// nightsDone checks that every night of the month was run, and the nights
// after it in which late records may still have come.
func (b *Books) nightsDone(ctx context.Context, month civil.Month) error {
	done, err := b.Ledger.Runs.WindowsDone(ctx, NightlyKind)
	if err != nil {
		return err
	}
	var missing []string
	first := month.FirstDay()
	if first.Before(b.Start) {
		first = b.Start
	}
	last := month.LastDay().AddDays(b.LateDays)
	for d := first; !last.Before(d); d = d.AddDays(1) {
		if !done[NightlyWindow(d)] {
			missing = append(missing, d.String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if len(missing) == 1 {
		return fmt.Errorf("%w: the night of %s was not run; run `chargeback run nightly` first", ErrGates, missing[0])
	}
	return fmt.Errorf("%w: %d nights up to %s were not run, first %s; run `chargeback run nightly` first", ErrGates, len(missing), last, missing[0])
}
