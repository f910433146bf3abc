package records

import (
	"context"
	_ "embed" // texts of selects
	"fmt"
	"maps"
	"slices"

	"chargeback/billing/manifest"
	"chargeback/billing/meta"
	"chargeback/billing/warehouse"
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
)

// ClosedMark is the fact that all closed months have been written down so.
const ClosedMark = "closed_months"

// NoteClosed writes down what is asked of a month once it is closed, in the place of
// what is there of it.
func (l *Records) NoteClosed(ctx context.Context, month civil.Month) ([]warehouse.Change, error) {
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

// FillClosed writes down the closed months of a ledger in which that was not done when
// they closed, and marks it as done with the last one. Where it is cut off it begins again.
func (l *Records) FillClosed(ctx context.Context) error {
	whole, err := meta.Get(ctx, l.w, ClosedMark)
	if err != nil || whole != "" {
		return err
	}
	closed, err := ClosedMonths(ctx, l.q)
	if err != nil {
		return err
	}
	for _, month := range slices.SortedFunc(maps.Keys(closed), civil.Month.Compare) {
		changes, err := l.NoteClosed(ctx, month)
		if err == nil {
			err = l.w.Apply(ctx, changes...)
		}
		if err != nil {
			return fmt.Errorf("write down the closed month %s: %w", month, err)
		}
	}
	return l.w.Apply(ctx, meta.Set(ClosedMark, "whole")...)
}

// noteLateIDs writes down the ids of those days of closed months, among some that are
// made, of which rows have come since.
func (l *Records) noteLateIDs(ctx context.Context, days, closed []civil.Date) ([]warehouse.Change, error) {
	dirty, err := warehouse.All[civil.Date](ctx, l.w, warehouse.Select{Name: "changed days", Text: "select distinct day from {" + manifest.DirtyDaysTable.Name + "}"})
	if err != nil {
		return nil, err
	}
	late := slices.DeleteFunc(civil.EachOnce(dirty), func(d civil.Date) bool {
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

// ClosedMonths returns the closed months with the content hash of each.
func ClosedMonths(ctx context.Context, q warehouse.Querier) (map[civil.Month]string, error) {
	closed := map[civil.Month]string{}
	err := warehouse.Each(ctx, q, warehouse.Select{Name: "read closed months", Text: "select month, content_hash from {months} where state = 'closed'"}, func(r struct {
		Month       civil.Month
		ContentHash string
	}) error {
		closed[r.Month] = r.ContentHash
		return nil
	})
	return closed, err
}
