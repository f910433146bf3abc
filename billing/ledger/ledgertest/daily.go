package ledgertest

import (
	"context"
	"errors"
	"time"

	"chargeback/billing/ledger"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

// SumDays makes the daily sums of cost records that were written by hand, by opening
// the ledger as one of before there were any.
func SumDays(ctx context.Context, w warehouse.Warehouse, zone *time.Location, start string) error {
	if err := w.Apply(ctx, unsummed()...); err != nil {
		return err
	}
	_, err := ledger.Open(ctx, w, zone, start)
	return err
}

// unsummed leaves a ledger as one of before there were daily sums, but for its layout.
func unsummed() []warehouse.Change {
	return []warehouse.Change{
		warehouse.Delete{Table: "daily_costs", Where: "usage_date between {@first} and {@last}", Args: warehouse.Args{"first": civil.Min, "last": civil.Max}},
		warehouse.Delete{Table: "daily_users", Where: "usage_date between {@first} and {@last}", Args: warehouse.Args{"first": civil.Min, "last": civil.Max}},
		warehouse.Delete{Table: "charged_days", Where: "true"},
		warehouse.Delete{Table: "meta", Where: "name = 'daily_costs'"},
	}
}

// daily and charged are all rows of the daily sums and of the days that months charge.
func (b *books) daily() []string {
	b.Helper()
	return append(b.all("daily_costs"), b.all("daily_users")...)
}
func (b *books) charged() []string { b.Helper(); return b.all("charged_days") }

// explained are the records that an id names.
func (b *books) explained(id string, number int64) []report.Explained {
	b.Helper()
	days, err := report.DaysOf(b.ctx, b.ledger, id, number)
	b.must(err)
	all, err := report.Explain(b.ctx, b.ledger, id, number, days)
	b.must(err)
	return all
}

// sumsHold fails where the daily sums are not those of the records as they stand,
// whatever a test has done to these.
func (b *books) sumsHold() {
	b.Helper()
	if b.Failed() || b.ledger == nil {
		return
	}
	b.begin()
	daily, charged := b.daily(), b.charged()
	b.must(SumDays(b.ctx, b.engine, time.UTC, "2026-09-01"))
	b.equal("daily sums made of all records, and as nights left them", b.daily(), daily)
	b.equal("days that months charge, by all records, and as nights left them", b.charged(), charged)
}

// tampered is a warehouse in which the new daily sums come out wrong.
type tampered struct {
	warehouse.Warehouse
	name string // of their work table
	text string // that takes their place
}

func (w *tampered) Compute(ctx context.Context, name string, s warehouse.Select) error {
	if err := w.Warehouse.Compute(ctx, name, s); err != nil || name != w.name {
		return err
	}
	return w.Warehouse.Compute(ctx, name, warehouse.Select{Name: "daily sums that are none", Text: w.text})
}

// Goal: daily sums that don't add up to the records keep a night from being kept.
// Method: none at all, one row of another amount, and then the right ones.
func testDailyNotTied(b *books) {
	b.begin()
	b.stage(night())
	whole := b.engine
	wrong := &tampered{Warehouse: whole}
	b.engine = wrong
	b.begin()
	before := b.state()
	build := b.build("2026-10-05", "2026-10-06")
	for _, fault := range []struct{ what, name, text string }{
		{"no row", "new_daily", "select " + b.table("daily_costs").ColumnNames() + " from {new_daily} where false"},
		{"a row that is off", "new_daily_users", "select " + b.withAmount("daily_users", "total_cost_usd", "if(usage_date = date '2026-10-05', total_cost_usd + {usd(1)}, total_cost_usd)") + " from {new_daily_users}"},
	} {
		wrong.name, wrong.text = fault.name, fault.text
		if err := Make(b.ctx, b.ledger, build, company()); !errors.Is(err, records.ErrNotTied) {
			b.Errorf("%s: ended with %v, want ErrNotTied", fault.what, err)
		}
		b.equal("the ledger after "+fault.what, before, b.state())
	}
	wrong.name = ""
	b.must(Make(b.ctx, b.ledger, build, company()))
	if len(b.daily()) == 0 {
		b.Errorf("the night made no daily sums")
	}
	b.engine = whole
}

// withAmount are the columns of a table, one of them as something else.
func (b *books) withAmount(table, name, as string) (list string) {
	b.Helper()
	for i, c := range b.table(table).Columns {
		if i > 0 {
			list += ", "
		}
		if c.Name == name {
			list += as + " as "
		}
		list += c.Name
	}
	return list
}

// summed are the daily sums of nights before and after a close.
func (b *books) summed() filling {
	b.Helper()
	b.twoMonths()
	if daily, charged := b.daily(), b.charged(); len(daily) < 4 || len(charged) < 4 {
		b.Fatalf("the nights made daily sums %v of days %v, want some of each record", daily, charged)
	}
	return filling{
		what: "daily sums", mark: "daily_costs", steps: 2, // one for each month
		take: func() { b.must(b.engine.Apply(b.ctx, unsummed()...)) },
		read: func() any { return [][]string{b.daily(), b.charged()} },
	}
}

// Goal: a ledger that has records and no daily sums gets them from whoever may write
// when it is opened, and is not read before.
func testDailyFilled(b *books) { b.isFilled(b.summed()) }

// Goal: daily sums are filled in whole or not at all.
func testDailyCutOff(b *books) { b.isFilledWhole(b.summed()) }
