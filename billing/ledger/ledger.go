// Package ledger holds the durable record of what each cost centre owes.
//
// It owns: the shape of a cost record, the manifest of what was read, the rule
// that a day is replaced whole or not at all, the rule that a closed month
// never changes, and the outbox.
// It does not own: prices (transform/rates), the SQL models
// (transform/models), rendering (billing/invoice), or when to run (jobs).
package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chargeback/transform/models"
)

// Ledger is the rules of the books over one engine. It is used by one
// goroutine at a time.
type Ledger struct {
	engine Engine
	models []models.Model
}

// Open migrates the engine's tables and checks that the books were kept by the
// same clock: a ledger's billing zone and first day never change.
func Open(ctx context.Context, engine Engine, zone *time.Location, start string) (*Ledger, error) {
	if err := engine.Migrate(ctx, Tables()); err != nil {
		return nil, err
	}
	all, err := models.All()
	if err != nil {
		return nil, err
	}
	l := &Ledger{engine: engine, models: all}
	if err := l.makeRulings(ctx); err != nil {
		return nil, err
	}
	for _, p := range pins(zone, start) {
		if err := l.pin(ctx, p[0], p[1]); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// OpenExisting is Open for a process that is not the one that may make a
// ledger: it writes nothing, and returns ErrNone where the ledger is not made
// whole yet. The engine must be one that makes nothing either.
func OpenExisting(ctx context.Context, engine Engine, zone *time.Location, start string) (*Ledger, error) {
	if err := engine.Migrate(ctx, Tables()); err != nil {
		return nil, err
	}
	all, err := models.All()
	if err != nil {
		return nil, err
	}
	l := &Ledger{engine: engine, models: all}
	row, err := l.one(ctx, "select count(*) from rulings", nil)
	if err != nil {
		return nil, fmt.Errorf("read rulings: %w", err)
	}
	if row.Int(0) == 0 {
		return nil, fmt.Errorf("open ledger %s: %w", engine, ErrNone)
	}
	for _, p := range pins(zone, start) {
		known, err := l.pinned(ctx, p[0])
		if err == nil && known == "" {
			err = fmt.Errorf("open ledger %s: %w", engine, ErrNone)
		}
		if err == nil && known != p[1] {
			err = l.otherPin(p[0], known, p[1])
		}
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// pins are the facts that never change under a ledger: name and value.
func pins(zone *time.Location, start string) [][2]string {
	return [][2]string{{"billing_zone", zone.String()}, {"start", start}}
}

func (l *Ledger) pinned(ctx context.Context, name string) (known string, err error) {
	err = l.engine.Query(ctx, "select value from meta where name = @name", Args{"name": name}, func(r Row) error {
		known = r.Text(0)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read ledger's %s: %w", name, err)
	}
	return known, nil
}

func (l *Ledger) otherPin(name, known, value string) error {
	return fmt.Errorf("%s: company.%s was %s when this ledger was begun and is %s now; set it back, or begin a new ledger", l.engine, name, known, value)
}

// pin stores a fact on first use and refuses another value afterwards.
func (l *Ledger) pin(ctx context.Context, name, value string) error {
	known, err := l.pinned(ctx, name)
	switch {
	case err != nil:
		return err
	case known == value:
		return nil
	case known == "":
		return l.engine.Insert(ctx, metaTable, [][]any{{name, value}})
	}
	return l.otherPin(name, known, value)
}

// Close releases the engine.
func (l *Ledger) Close() error { return l.engine.Close() }

// SizeBytes is the size of the books on disk.
func (l *Ledger) SizeBytes(ctx context.Context) (int64, error) { return l.engine.SizeBytes(ctx) }

// Processed is how many bytes queries have read so far, where they are billed.
func (l *Ledger) Processed(ctx context.Context) (int64, error) { return l.engine.Processed(ctx) }

// String names the engine.
func (l *Ledger) String() string { return l.engine.String() }

// one reads a single row; it returns nil where there is none.
func (l *Ledger) one(ctx context.Context, text string, args Args) (row Row, err error) {
	err = l.engine.Query(ctx, text, args, func(r Row) error {
		if row != nil {
			return errors.New("more than one row")
		}
		row = r
		return nil
	})
	return row, err
}

// Query runs a report's select; see Engine.Query.
func (l *Ledger) Query(ctx context.Context, text string, args Args, yield func(Row) error) error {
	return l.engine.Query(ctx, text, args, yield)
}

// Inputs returns the fingerprint of the prices, people and settings that the
// books were last made with, "" in a new ledger.
func (l *Ledger) Inputs(ctx context.Context) (string, error) {
	row, err := l.one(ctx, "select value from meta where name = 'inputs'", nil)
	if err != nil || row == nil {
		return "", err
	}
	return row.Text(0), nil
}

// SetInputs keeps a new fingerprint; it belongs inside the transaction of the
// days that were made with it.
func (l *Ledger) SetInputs(ctx context.Context, fingerprint string) error {
	if err := l.engine.Exec(ctx, "delete from meta where name = 'inputs'", nil); err != nil {
		return err
	}
	return l.engine.Insert(ctx, metaTable, [][]any{{"inputs", fingerprint}})
}

// BudgetsMark returns by which budgets the spend of the books was last looked at,
// "" where nobody has kept it.
func (l *Ledger) BudgetsMark(ctx context.Context) (string, error) { return l.pinned(ctx, "budgets") }

// SetBudgetsMark keeps another mark; it belongs inside the transaction of the
// alerts that the budgets call for.
func (l *Ledger) SetBudgetsMark(ctx context.Context, mark string) error {
	if err := l.engine.Exec(ctx, "delete from meta where name = 'budgets'", nil); err != nil {
		return err
	}
	return l.engine.Insert(ctx, metaTable, [][]any{{"budgets", mark}})
}

// Transact runs do so that all of it takes effect or none.
func (l *Ledger) Transact(ctx context.Context, do func() error) error {
	return l.engine.Transact(ctx, do)
}
