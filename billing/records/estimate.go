package records

import (
	"context"
	"fmt"

	"chargeback/billing/manifest"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

// Estimate is what a computation would read.
type Estimate struct {
	Rows  int64 // staged rows of the days that decide it, or records that are priced again
	Steps []warehouse.Estimated
	// Billed says that the warehouse bills by what is read; else there are no steps.
	Billed bool
}

// Bytes is the sum of the steps.
func (e Estimate) Bytes() (sum int64) {
	for _, s := range e.Steps {
		sum += s.Bytes
	}
	return sum
}

// Estimate is what making days would read: resolving what occurs, Compute, and the
// change of the records, as if every record of the days came out otherwise. Rows that are not staged yet are not in it. It leaves only
// work tables without rows; refs need not hold what occurs.
func (l *Records) Estimate(ctx context.Context, b Build, refs References) (e Estimate, err error) {
	if len(b.Days) == 0 {
		return e, nil
	}
	days := Reach(b.Days)
	type counts struct{ UsageRows, RequestRows int64 }
	staged, err := warehouse.One[counts](ctx, l.q, warehouse.Select{Name: "count staged rows", Text: `
select
  (select count(*) from {usage} where usage_date in ({@scan_days})) as usage_rows,
  (select count(*) from {requests} where request_date in ({@scan_days})) as request_rows`, Args: Args{"scan_days": days}})
	if err != nil {
		return e, err
	}
	rows := map[string]int64{manifest.UsageTable.Name: staged.UsageRows, manifest.RequestsTable.Name: staged.RequestRows}
	return l.EstimateOn(ctx, days, rows, func(plan *warehouse.Plan) error {
		if err := planNear(ctx, plan, b); err != nil {
			return err
		}
		p, args, within, err := l.recordsOf(ctx, &Made{b: b}, refs)
		if err != nil {
			return err
		}
		for _, name := range []string{"several_platforms", "writes_untold", "costs_reported"} {
			args[name] = true // at the most
		}
		if err := planned(ctx, plan, args, [2]string{"what models are needed for", occasions}); err != nil {
			return err
		}
		if err := p.Estimate(ctx, plan, madeTables...); err != nil {
			return err
		}
		if !within {
			if err := planned(ctx, plan, args, [2]string{"control totals", controlTotals}); err != nil {
				return err
			}
		}
		if err := plan.Query(ctx, p.Select(dailyTie, dailyTieText)); err != nil {
			return err
		}
		return planned(ctx, plan, args,
			[2]string{"records that are replaced", "select " + factsTable.ColumnNames() + " from {record_facts} where usage_date in ({@days})"},
			[2]string{"records that replace them", "select " + factsTable.ColumnNames() + " from {new_facts}"},
			[2]string{"daily sums that are replaced", "select " + dailyTable.ColumnNames() + " from {daily_costs} where usage_date in ({@days})"},
			[2]string{"daily sums that replace them", "select " + dailyTable.ColumnNames() + " from {new_daily}"},
			[2]string{"daily sums of users that are replaced", "select " + dailyUsersTable.ColumnNames() + " from {daily_users} where usage_date in ({@days})"},
			[2]string{"daily sums of users that replace them", "select " + dailyUsersTable.ColumnNames() + " from {new_daily_users}"},
			[2]string{"repeats that are replaced", "select " + repeatsTable.ColumnNames() + " from {repeats} where usage_date in ({@days})"},
			[2]string{"repeats that replace them", "select " + repeatsTable.ColumnNames() + " from {new_repeats}"},
		)
	})
}

// EstimateOn is the estimate of a plan that begins with what occurs on some days.
// rows are those of the tables that decide the size of work tables.
func (l *Records) EstimateOn(ctx context.Context, days []civil.Date, rows map[string]int64, plan func(*warehouse.Plan) error) (e Estimate, err error) {
	for _, n := range rows {
		e.Rows += n
	}
	engine, bills := l.w.(warehouse.Estimator)
	if !bills {
		return e, nil
	}
	e.Billed = true
	p := warehouse.NewPlan(engine, rows)
	scan := Args{"scan_days": days}
	err = planned(ctx, p, scan, [2]string{"what occurs: models", metersSeen})
	if err == nil {
		err = p.Query(ctx, warehouse.Select{Name: "what occurs: names", Text: namesSeen, Views: stagedNames, Args: scan})
	}
	if err == nil {
		err = plan(p)
	}
	if err != nil {
		return e, fmt.Errorf("estimate: %w", err)
	}
	e.Steps = p.Steps
	return e, nil
}

// planned adds selects to a plan, each with what it is for.
func planned(ctx context.Context, plan *warehouse.Plan, args Args, selects ...[2]string) error {
	for _, s := range selects {
		if err := plan.Query(ctx, warehouse.Select{Name: s[0], Text: s[1], Args: args}); err != nil {
			return err
		}
	}
	return nil
}
