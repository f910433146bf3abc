package report

import (
	"context"
	_ "embed" // texts of selects
	"fmt"
	"maps"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

var (
	//go:embed not_charged.sql
	notChargedText string
	//go:embed reasons.sql
	reasonsText string
	//go:embed everything.sql
	everythingText string
)

// Reasons counts what was not charged by kind, source and reason, what happens
// most first; the zero month is all months. Objects are of all months.
func Reasons(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{Name: "reasons", Title: "What was not charged, by reason", Month: month.String(), Columns: []Column{
		{Name: "kind", Title: "Kind"},
		{Name: "source", Title: "Source", Rank: 2},
		{Name: "reason", Title: "Why", Wrap: true, Null: true},
		{Name: "count", Title: "Count", Kind: Count},
		{Name: "objects", Title: "Objects", Kind: Number, Rank: 1},
	}}
	known, err := notCharged(ctx, q, month)
	if err != nil {
		return r, fmt.Errorf("read report %s: %w", r.Name, err)
	}
	err = r.read(ctx, known, warehouse.Select{Text: reasonsText})
	return r, err
}

// Everything lists all that was not charged, a row each, with where it lies and
// why; the zero month is all months. Objects are of all months.
func Everything(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{Name: "not-charged", Title: "What was not charged", Month: month.String(), Columns: []Column{
		{Name: "kind", Title: "Kind"},
		{Name: "source", Title: "Source"},
		{Name: "reason", Title: "Why", Wrap: true, Null: true},
		{Name: "object", Title: "Object", Wrap: true},
		{Name: "line", Title: "Line", Kind: Number, Null: true},
		{Name: "usage_date", Title: "Day", Null: true},
		{Name: "provider", Title: "Provider", Null: true},
		{Name: "model", Title: "Model", Null: true},
		{Name: "input_tokens", Title: "Input tokens", Kind: Count, Null: true},
		{Name: "output_tokens", Title: "Output tokens", Kind: Count, Null: true},
	}}
	known, err := notCharged(ctx, q, month)
	if err != nil {
		return r, fmt.Errorf("read report %s: %w", r.Name, err)
	}
	err = r.read(ctx, known, warehouse.Select{Text: everythingText})
	return r, err
}

// notCharged is what selects of {not_charged} read. What months charge is bounded by
// its days; the zero month is all months.
func notCharged(ctx context.Context, q Querier, month civil.Month) (Querier, error) {
	args := problemArgs(month, Page{})
	first, _ := args["first_day"].(civil.Date)
	last, _ := args["last_day"].(civil.Date)
	days, err := records.ChargedDays(ctx, q, first, last)
	if err != nil {
		return nil, err
	}
	maps.Copy(args, days.Args())
	return warehouse.With(q, map[string]string{"not_charged": notChargedText, "delivered_objects": deliveredObjects, "conflict_rows": conflictRows()}, args), nil
}
