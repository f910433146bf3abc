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
	"crypto/sha256"
	"encoding/hex"
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

// PeopleHash is the SHA-256, in hex, of what the people table says, whatever
// files said it and in which order.
func (l *Ledger) PeopleHash(ctx context.Context) (string, error) {
	sum := sha256.New()
	err := l.engine.Query(ctx, `
select distinct
  concat(email, chr(31), department, chr(31), cost_center, chr(31), cast(valid_from as string), chr(31), cast(valid_to as string)) as person
from people
order by person`, nil, func(r Row) error {
		fmt.Fprintf(sum, "%s\n", r.Text(0))
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("hash people: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// PeopleProblem is a row of a people file that can't be believed.
type PeopleProblem struct{ Source, Key, What string }

// PeopleProblems lists rows of one person that start on the same day and
// differ: neither is believed, so the person's requests go on down the chain.
func (l *Ledger) PeopleProblems(ctx context.Context) (problems []PeopleProblem, err error) {
	err = l.engine.Query(ctx, `
with starts as (
  select email, valid_from
  from people
  group by email, valid_from
  having count(distinct concat(department, '|', cost_center, '|', cast(valid_to as string))) > 1
)
select o.source, o.object_key, p.line, p.valid_from
from starts as s
inner join people as p on p.email = s.email and p.valid_from = s.valid_from
inner join objects as o on o.object_id = p.object_id
order by 1, 2, 3`, nil, func(r Row) error {
		problems = append(problems, PeopleProblem{r.Text(0), r.Text(1), fmt.Sprintf("line %d: valid_from: the same person has another row that starts on %s and differs; neither counts until one of them goes", r.Int(2), r.Date(3))})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("check people: %w", err)
	}
	return problems, nil
}

// PeopleCenter is a department and cost centre in a row of a people file; Line
// is the first line that has them.
type PeopleCenter struct {
	CostCenter
	Source, Key string
	Line        int64
}

// PeopleCenters lists the departments and cost centres that people belong to.
func (l *Ledger) PeopleCenters(ctx context.Context) (centers []PeopleCenter, err error) {
	err = l.engine.Query(ctx, `
select p.cost_center, p.department, o.source, o.object_key, min(p.line)
from people as p
inner join objects as o on o.object_id = p.object_id
group by p.cost_center, p.department, o.source, o.object_key
order by 3, 4, 5`, nil, func(r Row) error {
		centers = append(centers, PeopleCenter{CostCenter{Code: r.Text(0), Department: r.Text(1)}, r.Text(2), r.Text(3), r.Int(4)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read people's cost centres: %w", err)
	}
	return centers, nil
}

// Transact runs do so that all of it takes effect or none.
func (l *Ledger) Transact(ctx context.Context, do func() error) error {
	return l.engine.Transact(ctx, do)
}
