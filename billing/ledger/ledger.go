// Package ledger opens the books: the durable record of what each cost centre owes, in
// parts over one warehouse.
//
// It owns: the layout that all parts of the books have together, how a ledger is made,
// brought up to date and opened, and what never changes under it.
// It does not own its parts: what was read (manifest), cost records (records), months
// and documents (months), runs (runs), messages (outbox).
package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/manifest"
	"chargeback/billing/meta"
	"chargeback/billing/months"
	"chargeback/billing/outbox"
	"chargeback/billing/records"
	"chargeback/billing/runs"
	"chargeback/billing/warehouse"
)

// Ledger is the parts of the books over one warehouse. It is used by one goroutine at
// a time.
type Ledger struct {
	w       warehouse.Warehouse
	Records *records.Records
	Months  *months.Months
	Runs    *runs.Runs
}

// After is the ledger as it will be when days that were made are kept.
func (l *Ledger) After(m *records.Made) *Ledger {
	after := *l
	after.Records = l.Records.After(m)
	after.Months = months.New(after.Records)
	return &after
}

// Query runs a select of the books as they are, or, of a ledger that After gave, as
// they will be; see warehouse.Querier.
func (l *Ledger) Query(ctx context.Context, s warehouse.Select, yield func(warehouse.Row) error) error {
	return l.Records.Query(ctx, s, yield)
}

// layoutVersion grows with every change of a table.
const layoutVersion = 4

// Layout is every table of the books, and their views.
func Layout() warehouse.Layout {
	tables := slices.Concat(manifest.Tables(), records.Tables(), runs.Tables(), months.Tables(), outbox.Tables(), []warehouse.Table{meta.Table})
	return warehouse.Layout{Version: layoutVersion, Tables: tables, Views: records.Views()}
}

// Open brings the warehouse to the ledger's layout and checks that the books were
// kept by the same clock: a ledger's billing zone and first day never change.
func Open(ctx context.Context, w warehouse.Warehouse, zone *time.Location, start string) (*Ledger, error) {
	l, err := opened(ctx, w)
	if err != nil {
		return nil, err
	}
	if err := l.Records.MakeRulings(ctx); err != nil {
		return nil, err
	}
	for _, p := range pins(zone, start) {
		if err := l.pin(ctx, p[0], p[1]); err != nil {
			return nil, err
		}
	}
	marks, err := manifest.FillKeys(ctx, w)
	if err != nil {
		return nil, err
	}
	if err := l.Records.FillDaily(ctx, marks); err != nil {
		return nil, err
	}
	if err := l.Records.FillClosed(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

func opened(ctx context.Context, w warehouse.Warehouse) (*Ledger, error) {
	if err := w.Migrate(ctx, Layout()); err != nil {
		return nil, err
	}
	r, err := records.New(w)
	if err != nil {
		return nil, err
	}
	return &Ledger{w: w, Records: r, Months: months.New(r), Runs: runs.New(w)}, nil
}

// OpenExisting is Open for a process that is not the one that may make a
// ledger: it writes nothing, and returns ErrNone where the ledger is not made
// whole yet. The warehouse must be one that makes nothing either.
func OpenExisting(ctx context.Context, w warehouse.Warehouse, zone *time.Location, start string) (*Ledger, error) {
	l, err := opened(ctx, w)
	if err != nil {
		return nil, err
	}
	rulings, err := warehouse.One[int64](ctx, w, warehouse.Select{Name: "read rulings", Text: "select count(*) as n from {rulings}"})
	if err != nil {
		return nil, err
	}
	if rulings == 0 {
		return nil, fmt.Errorf("open ledger %s: %w", w, warehouse.ErrNone)
	}
	for _, p := range pins(zone, start) {
		known, err := meta.Get(ctx, l.w, p[0])
		if err == nil && known == "" {
			err = fmt.Errorf("open ledger %s: %w", w, warehouse.ErrNone)
		}
		if err == nil && known != p[1] {
			err = l.otherPin(p[0], known, p[1])
		}
		if err != nil {
			return nil, err
		}
	}
	keyed, err := manifest.HasKeys(ctx, l.w)
	if err == nil && !keyed {
		err = fmt.Errorf("open ledger %s: %w (its rows have no keys); bring it up to date with \"chargeback run\"", w, warehouse.ErrOutdated)
	}
	if err != nil {
		return nil, err
	}
	for _, mark := range [][2]string{{records.DailyMark, "its daily sums are not whole"}, {records.ClosedMark, "not all that is asked of its closed months is written down"}} {
		whole, err := meta.Get(ctx, l.w, mark[0])
		if err == nil && whole == "" {
			err = fmt.Errorf("open ledger %s: %w (%s); bring it up to date with \"chargeback run\"", w, warehouse.ErrOutdated, mark[1])
		}
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// pins are the facts that never change under a ledger: name and value.
func pins(zone *time.Location, start string) [][2]string {
	return [][2]string{{"billing_zone", zone.String()}, {meta.Start, start}}
}

func (l *Ledger) otherPin(name, known, value string) error {
	return fmt.Errorf("%s: company.%s was %s when this ledger was begun and is %s now; set it back, or begin a new ledger", l.w, name, known, value)
}

// pin keeps a fact on first use and refuses another value afterwards.
func (l *Ledger) pin(ctx context.Context, name, value string) error {
	known, err := meta.Pin(ctx, l.w, name, value)
	if err == nil && known != value {
		err = l.otherPin(name, known, value)
	}
	return err
}

// Close releases the warehouse.
func (l *Ledger) Close() error { return l.w.Close() }

// SizeBytes is the size of the books on disk, 0 where the warehouse doesn't tell.
func (l *Ledger) SizeBytes(ctx context.Context) (int64, error) {
	if s, tells := l.w.(warehouse.Statistics); tells {
		return s.SizeBytes(ctx)
	}
	return 0, nil
}

// BytesBilled is how many bytes statements were billed for so far, where they are.
func (l *Ledger) BytesBilled(ctx context.Context) (int64, error) {
	if s, tells := l.w.(warehouse.Statistics); tells {
		return s.BytesBilled(ctx)
	}
	return 0, nil
}

// String names the warehouse.
func (l *Ledger) String() string { return l.w.String() }

// Apply makes changes, all or none; see warehouse.Warehouse.
func (l *Ledger) Apply(ctx context.Context, changes ...warehouse.Change) error {
	return l.w.Apply(ctx, changes...)
}

// Inputs returns the fingerprint of the prices, people and settings that the
// books were last made with, "" in a new ledger.
func (l *Ledger) Inputs(ctx context.Context) (string, error) { return meta.Get(ctx, l.w, "inputs") }

// SetInputs keeps a new fingerprint, with the days that were made by it.
func SetInputs(fingerprint string) []warehouse.Change { return meta.Set("inputs", fingerprint) }

// BudgetsMark returns by which budgets the spend of the books was last looked at,
// "" where nobody has kept it.
func (l *Ledger) BudgetsMark(ctx context.Context) (string, error) {
	return meta.Get(ctx, l.w, "budgets")
}

// SetBudgetsMark keeps another mark, with the alerts that the budgets call for.
func SetBudgetsMark(mark string) []warehouse.Change { return meta.Set("budgets", mark) }

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
