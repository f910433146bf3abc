package ledger

import (
	"context"
	"crypto/sha256"
	_ "embed" // texts of selects
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"chargeback/billing/manifest"
	"chargeback/billing/meta"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/models"
)

// What nights ask of closed months, which never change, is written down when they
// close: by which rates they charged, whom their records stand with, and on which days
// an id occurs. Nothing asks their records for it.

var (
	//go:embed closed_rates.sql
	closedRatesText string
	//go:embed closed_payers.sql
	closedPayersText string
	//go:embed id_days.sql
	idDaysText string
	//go:embed days_named.sql
	daysNamedText string
)

// closedMark is the fact that all closed months have been written down so.
const closedMark = "closed_months"

// noteClosed writes down what is asked of a month once it is closed, in the place of
// what is there of it.
func (l *Ledger) noteClosed(ctx context.Context, month civil.Month) ([]warehouse.Change, error) {
	args, err := l.monthArgs(ctx, month)
	if err != nil {
		return nil, err
	}
	maps.Copy(args, models.States())
	args["id_days"] = Days{First: month.FirstDay(), Last: month.LastDay()}.All()
	var changes []warehouse.Change
	for _, t := range []struct{ table, text string }{{closedRatesTable.Name, closedRatesText}, {closedPayersTable.Name, closedPayersText}, {idDaysTable.Name, idDaysText}} {
		work := "new_" + t.table
		if err := l.w.Compute(ctx, work, warehouse.Select{Name: t.table + " of " + month.String(), Text: t.text, Args: args}); err != nil {
			return nil, err
		}
		if t.table != idDaysTable.Name { // ids that stand there twice do no harm
			changes = append(changes, warehouse.Delete{Table: t.table, Where: "billing_month = {@month}", Args: Args{"month": month.FirstDay()}})
		}
		changes = append(changes, warehouse.Append{Table: t.table, From: work})
	}
	return changes, nil
}

// fillClosed writes down the closed months of a ledger in which that was not done when
// they closed, and marks it as done with the last one. Where it is cut off it begins again.
func (l *Ledger) fillClosed(ctx context.Context) error {
	whole, err := meta.Get(ctx, l.w, closedMark)
	if err != nil || whole != "" {
		return err
	}
	closed, err := l.ClosedMonths(ctx)
	if err != nil {
		return err
	}
	for _, month := range slices.SortedFunc(maps.Keys(closed), civil.Month.Compare) {
		changes, err := l.noteClosed(ctx, month)
		if err == nil {
			err = l.w.Apply(ctx, changes...)
		}
		if err != nil {
			return fmt.Errorf("write down the closed month %s: %w", month, err)
		}
	}
	return l.w.Apply(ctx, meta.Set(closedMark, "whole")...)
}

// noteLateIDs writes down the ids of those days of closed months, among some that are
// made, of which rows have come since.
func (l *Ledger) noteLateIDs(ctx context.Context, days, closed []civil.Date) ([]warehouse.Change, error) {
	dirty, err := warehouse.All[civil.Date](ctx, l.w, warehouse.Select{Name: "changed days", Text: "select distinct day from {" + manifest.DirtyDaysTable.Name + "}"})
	if err != nil {
		return nil, err
	}
	late := slices.DeleteFunc(eachOnce(dirty), func(d civil.Date) bool {
		return !slices.Contains(days, d) || !slices.Contains(closed, d.Month().FirstDay())
	})
	if len(late) == 0 {
		return nil, nil
	}
	work := "new_" + idDaysTable.Name
	err = l.w.Compute(ctx, work, warehouse.Select{
		Name: "ids of days of closed months", Text: idDaysText, Args: Args{"id_days": late},
		Views: map[string]string{factsTable.Name: "select record_id, usage_date from {new_facts}"},
	})
	return []warehouse.Change{warehouse.Append{Table: idDaysTable.Name, From: work}}, err
}

// idPart is where id_days.sql puts the name of an id: its key, or the digits of a number.
func idPart(name string) (part civil.Date, hash int64) {
	sum := sha256.Sum256([]byte(name))
	n := int64(binary.BigEndian.Uint32(sum[:4])) % 1000
	return civil.Date{Year: 1970, Mon: 1, Day: 1}.AddDays(int(n)), int64(binary.BigEndian.Uint32(sum[4:8]))
}

// DaysOf are the days on which an id occurs, as the provider, the agent platform or the
// caller has it, or of which the record of a number is: of closed months by what was
// written down of them, of others by their rows. Some may have nothing of it.
func (l *Ledger) DaysOf(ctx context.Context, id string, number int64) ([]civil.Date, error) {
	key, _ := record.KeyOf([]byte(id))
	part, hash := idPart(key.String())
	numberPart, numberHash := idPart(fmt.Sprint(number))
	days, err := warehouse.All[civil.Date](ctx, l.q, warehouse.Select{
		Name: "days of closed months with " + id,
		Text: "select distinct day from {id_days} where part in ({@part}, {@number_part}) and (part = {@part} and id_hash = {@hash} or part = {@number_part} and id_hash = {@number_hash})",
		Args: Args{"part": part, "hash": hash, "number_part": numberPart, "number_hash": numberHash},
	})
	if err != nil {
		return nil, err
	}
	open, err := l.openDays(ctx)
	if err != nil || len(open) == 0 {
		return eachOnce(days), err
	}
	more, err := warehouse.All[civil.Date](ctx, l.q, warehouse.Select{Name: "days with " + id, Text: daysNamedText, Args: Args{"days": open, "key": key, "number": number}})
	return eachOnce(append(days, more...)), err
}

// openDays are the days from the first of the ledger to the newest that a night was run
// for, or that has a record, whose months are not closed.
func (l *Ledger) openDays(ctx context.Context) ([]civil.Date, error) {
	closed, err := l.ClosedMonths(ctx)
	if err != nil {
		return nil, err
	}
	begun, err := meta.Get(ctx, l.w, startFact)
	if err != nil {
		return nil, err
	}
	first, err := civil.ParseDate(begun)
	if err != nil {
		return nil, fmt.Errorf("read the first day of the ledger: %w", err)
	}
	last, err := l.NewestRecordDay(ctx)
	if err != nil {
		return nil, err
	}
	newest, err := warehouse.One[*string](ctx, l.q, warehouse.Select{Name: "newest night", Text: "select max(run_window) as newest from {runs} where run_window like 'nightly/%'"})
	if err != nil {
		return nil, err
	}
	if newest != nil {
		if night := nightOf(*newest); last.Before(night) {
			last = night
		}
	}
	days := Days{First: first.AddDays(-matchReach), Last: last.AddDays(matchReach)}
	return slices.DeleteFunc(days.All(), func(d civil.Date) bool {
		_, is := closed[d.Month()]
		return is
	}), nil
}
