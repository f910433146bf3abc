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
	for name, value := range map[string]string{"billing_zone": zone.String(), "start": start} {
		if err := l.pin(ctx, name, value); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// pin stores a fact on first use and refuses another value afterwards.
func (l *Ledger) pin(ctx context.Context, name, value string) error {
	known := ""
	err := l.engine.Query(ctx, "select value from meta where name = @name", Args{"name": name}, func(r Row) error {
		known = r.Text(0)
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("read ledger's %s: %w", name, err)
	case known == value:
		return nil
	case known == "":
		return l.engine.Insert(ctx, metaTable, [][]any{{name, value}})
	}
	return fmt.Errorf("%s: company.%s was %s when this ledger was begun and is %s now; set it back, or begin a new ledger", l.engine, name, known, value)
}

// Close releases the engine.
func (l *Ledger) Close() error { return l.engine.Close() }

// SizeBytes is the size of the books on disk.
func (l *Ledger) SizeBytes(ctx context.Context) (int64, error) { return l.engine.SizeBytes(ctx) }

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
