package ledgertest

import (
	"fmt"
	"slices"

	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/transform/civil"
)

// counted sums the control totals that count.
func (b *books) counted() (quantity, pico int64) {
	b.Helper()
	sums := each[struct{ Quantity, Pico int64 }](b, "select ifnull(sum(quantity), 0) as quantity, ifnull(sum(amount_pico), 0) as pico from {totals_counted} where bucket_date >= {@since}", records.Args{"since": civil.Min})
	return sums[0].Quantity, sums[0].Pico
}

func (b *books) counts(what string, quantity, pico int64) {
	b.Helper()
	n, a := b.counted()
	b.equal(what, [2]int64{quantity, pico}, [2]int64{n, a})
}

// Goal: what several reports tell of one figure counts once, as the newest says
// it; what one report tells twice is two figures.
func testTotals(b *books) {
	page := Rows{Object: "page-1.json", Totals: []Total{
		{Day: "2026-10-05", Class: "output", Quantity: 100}, {Day: "2026-10-05", Class: "output", Quantity: 100, Project: "p"},
		{Day: "2026-10-05", Class: "output", Pico: 7}, {Day: "2026-10-06", Class: "output", Quantity: 1000},
	}}
	b.stage(page)
	b.counts("rows of one object", 1200, 7)
	b.stage(Rows{Object: "page-2.json", Totals: []Total{
		{Day: "2026-10-06", Class: "output", Quantity: 1100, Revision: "2026-11-01 00:00:01"},
		{Day: "2026-10-06", Class: "requests", Quantity: 5, Revision: "2026-11-01 00:00:01"},
		{Day: "2026-10-06", Class: "output", Quantity: 10, Revision: "2026-11-01 00:00:01"},
	}})
	b.counts("a newer page that overlaps", 1315, 7)
	b.stage(Rows{Object: "page-0.json", Totals: []Total{{Day: "2026-10-06", Class: "output", Quantity: 3, Revision: "2026-10-31 00:00:00"}}})
	b.counts("an older page that overlaps", 1315, 7)

	again := Rows{Object: "page-2.json", ETag: "v2", Replaced: []int64{ObjectID("totals", "page-2.json", "v1")}, Totals: []Total{{Day: "2026-10-06", Class: "output", Quantity: 1050, Revision: "2026-11-02 00:00:00"}}}
	b.stage(again)
	b.counts("a page that was written again", 1250, 7)
	b.equal("days to make anew", int64(0), b.count("dirty_days"))
}

// Goal: a month of a bill is what its newest delivery says, also where that is
// less, and never a mixture.
// Method: a delivery of fewer files takes the place of one of two; one that fails
// half-way changes nothing.
func testBilledMonth(b *books) {
	old := Rows{Totals: []Total{
		{Object: "a-1.parquet", Day: "2026-10-05", Class: "output", Quantity: 100, Pico: 900, Period: "2026-10", Revision: "2026-11-01 01:00:00"},
		{Object: "a-1.parquet", Day: "2026-10-05", Class: "output", Quantity: 100, Pico: 900, Period: "2026-10", Revision: "2026-11-01 01:00:00"},
		{Object: "a-2.parquet", Day: "2026-10-05", Class: "output", Quantity: 40, Pico: 300, Period: "2026-10", Revision: "2026-11-01 01:00:01"},
		{Object: "c-1.parquet", Day: "2026-09-30", Class: "output", Quantity: 1, Pico: 1, Period: "2026-09", Revision: "2026-10-10 00:00:00"},
	}}
	b.stage(old)
	b.counts("rows that are alike, in two files of one delivery", 241, 2101)
	next := Rows{
		Totals:   []Total{{Object: "b-1.parquet", Day: "2026-10-05", Class: "output", Quantity: 120, Pico: 1000, Period: "2026-10", Revision: "2026-11-02 00:00:00"}},
		Replaced: []int64{ObjectID("totals", "a-1.parquet", "v1"), ObjectID("totals", "a-2.parquet", "v1")},
	}
	b.refused("a delivery whose manifest can't be kept", next.totals().stage(b.ctx, b.manifest, func(s *manifest.Staging) {
		s.Objects = slices.Clone(s.Objects)
		s.Objects[0].Day = civil.Date{Year: 2026, Mon: 13, Day: 45}
	}))
	b.counts("a delivery that failed", 241, 2101)
	b.stage(next)
	b.counts("the delivery after", 121, 1001)
}

// Goal: what a bill tells stands beside what was charged, with what nobody was
// charged for; a source that is not asked for counts nothing.
func testBills(b *books) {
	b.stage(night())
	b.replace("2026-10-05", "2026-10-06")
	b.stage(Rows{Object: "bill.json", Totals: []Total{
		{Day: "2026-10-05", Provider: "bedrock", Model: "sonnet", Item: "usage", Pico: 4_500_000_000},
		{Day: "2026-10-06", Provider: "bedrock", Model: "opus", Item: "usage", Pico: 1_000_000_000},
	}})
	read := func(sources ...string) (all []string) {
		b.Helper()
		bills, err := report.ReadBills(b.ctx, b.ledger, Day("2026-10-01"), Day("2026-10-31"), sources, func(provider, _, model string) (string, bool) { return provider + "/" + model, true })
		b.must(err)
		for _, f := range bills.Figures {
			all = append(all, fmt.Sprintf("%s %s: %d told, %d here", f.Provider, f.Unit, f.Told, f.Has))
			for _, i := range f.Nobodys {
				all = append(all, fmt.Sprintf("nobody's: %s %d", i.Name, i.Told))
			}
		}
		return append(all, "charged "+bills.Charged["bedrock"].String())
	}
	b.equal("the bill", []string{"bedrock USD: 5500000000 told, 10500000000 here", "nobody's: opus 1000000000", "charged 0.0105"}, read("totals"))
	b.equal("no source", []string{"charged 0.0105"}, read())
}
