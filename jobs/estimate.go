package jobs

import (
	"context"

	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/transform/civil"
)

// Estimate is what a night, or pricing again, would recompute and read.
type Estimate struct {
	Days  []records.Days
	Parts []records.Estimate
}

// Bytes is what all of it would read.
func (e Estimate) Bytes() (sum int64) {
	for _, p := range e.Parts {
		sum += p.Bytes()
	}
	return sum
}

// EstimateNights says what Nights would recompute of what is staged, and what the
// warehouse would bill for it, without doing it, at the most: as if rows came for each
// of the nights' days and the trailing ones, and concerned every record. New objects, which only reading
// them tells, and what alerts read are not in it.
func (b *Books) EstimateNights(ctx context.Context, nights records.Days) (e Estimate, err error) {
	if err := b.accountedFor(NightlyWindow(nights.First), nights.First); err != nil {
		return e, err
	}
	plan, err := b.plan(ctx, nights)
	if err != nil {
		return e, err
	}
	build := plan.build
	build.Days = civil.EachOnce(append(build.Days, b.lookedAt(nights)...)) // of which rows will come
	e.Days = runsOf(build.Days)
	refs, err := b.references(ctx, records.Seen{}) // what occurs is not read for it
	if err != nil {
		return e, err
	}
	part, err := b.Ledger.Records.Estimate(ctx, build, refs)
	e.Parts = []records.Estimate{part}
	return e, err
}

// EstimateReprice is EstimateNights for Reprice.
func (b *Books) EstimateReprice(ctx context.Context) (e Estimate, err error) {
	latest, err := b.latestDone(ctx)
	if err != nil || latest.IsZero() {
		return e, err
	}
	plan, err := b.plan(ctx, records.Days{First: latest, Last: latest})
	if err != nil {
		return e, err
	}
	build := plan.build
	refs, err := b.references(ctx, records.Seen{})
	if err != nil {
		return e, err
	}
	add := func(part records.Estimate, err error) error {
		e.Parts = append(e.Parts, part)
		return err
	}
	if first := b.firstOf(build.OpenMonth); !latest.Before(first) {
		days := records.Days{First: first, Last: latest}
		e.Days = append(e.Days, days)
		if err := add(report.EstimateRerate(ctx, b.Ledger.Records, b.rerating(days), refs)); err != nil {
			return e, err
		}
	}
	build.Days = before(build.OpenMonth.FirstDay(), build.Days)
	e.Days = runsOf(append(build.Days, allOf(e.Days)...))
	return e, add(b.Ledger.Records.Estimate(ctx, build, refs))
}

// allOf are the days of runs.
func allOf(runs []records.Days) (days []civil.Date) {
	for _, r := range runs {
		days = append(days, r.All()...)
	}
	return days
}
