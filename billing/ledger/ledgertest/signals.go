package ledgertest

import (
	"time"

	"chargeback/billing/months"
	"chargeback/billing/records"
	"chargeback/billing/runs"
	"chargeback/transform/civil"
)

// Goal: what a night, status and a close ask of the books beside the records.
// Method: a delivery, two nights that were run with a third, one that failed, and a
// month that was closed with two documents.
func testTold(b *books) {
	b.stage(night())
	b.replace("2026-10-05", "2026-10-06")
	first, last := Day("2026-10-01"), Day("2026-10-31")

	days, err := b.ledger.Records.SourceDays(b.ctx, first, last)
	b.must(err)
	b.equal("days of sources", []records.SourceDay{
		{Source: "requests", Night: first, Day: Day("2026-10-05")}, {Source: "usage", Night: first, Day: Day("2026-10-05")}, {Source: "usage", Night: first, Day: Day("2026-10-06")},
	}, days)
	nights, err := b.ledger.Runs.SourceNights(b.ctx, first, last)
	b.must(err)
	b.equal("nights of sources", []runs.SourceNight{{Source: "people", Night: first, Staged: 1}, {Source: "requests", Night: first, Staged: 1}, {Source: "usage", Night: first, Staged: 2}}, nights)
	arrivals, err := b.ledger.Runs.SourceArrivals(b.ctx, first, last)
	b.must(err)
	b.equal("arrivals", []runs.Arrival{{Source: "people", Night: first}, {Source: "requests", Night: first}, {Source: "usage", Night: first}}, arrivals)
	records, err := b.ledger.Months.SourceRecords(b.ctx, october)
	b.must(err)
	b.equal("records of sources", []months.SourceRecords{{Source: "people", Kind: "people", Records: 1}, {Source: "requests", Kind: "requests", Records: 1}, {Source: "usage", Kind: "usage", Records: 2}}, records)
	none, err := b.ledger.Runs.SourceNights(b.ctx, last, last)
	b.must(err)
	b.equal("nights in which nothing came", []runs.SourceNight(nil), none)
	prices, err := b.ledger.Records.PricesUsed(b.ctx)
	b.must(err)
	if len(prices) == 0 {
		b.Error("no price was used")
	}

	at := At("2026-11-01 04:00:00")
	noted, err := b.ledger.Runs.Note(b.ctx, "nightly", []string{"nightly/2026-10-02", "nightly/2026-10-03"}, at, map[string]string{"with": "nightly/2026-10-04"})
	b.must(err)
	b.must(b.ledger.Apply(b.ctx, noted...))
	attempt, err := b.ledger.Runs.Begin(b.ctx, "nightly/2026-10-05", at)
	b.must(err)
	b.must(b.ledger.Runs.End(b.ctx, "nightly/2026-10-05", attempt, runs.Failed, at, at, map[string]string{"error": "it's broken"}))
	with, err := b.ledger.Runs.NightsWith(b.ctx, first, last)
	b.must(err)
	b.equal("nights that were run together", map[civil.Date]civil.Date{Day("2026-10-02"): Day("2026-10-04"), Day("2026-10-03"): Day("2026-10-04")}, with)
	failed, err := b.ledger.Runs.FailedRuns(b.ctx, at.Add(-time.Hour))
	b.must(err)
	b.equal("failed runs", []runs.FailedRun{{Window: "nightly/2026-10-05", Reason: "it's broken"}}, failed)
	failed, err = b.ledger.Runs.FailedRuns(b.ctx, at.Add(time.Hour))
	b.must(err)
	b.equal("failed runs of later", []runs.FailedRun(nil), failed)

	document := func(number, center string) months.Issued {
		return months.Issued{Number: number, Month: "2026-10", CostCenter: center, Total: 1, ContentHash: "h", Document: "{}"}
	}
	issued := []months.Issued{document("INV-1", "00420"), document("INV-2", "CC-1001")}
	b.must(b.closeWith(october, "hash", issued...))
	found, err := b.ledger.Months.Issued(b.ctx, october)
	b.must(err)
	b.equal("documents", issued, found)
	numbers, err := b.ledger.Months.Numbers(b.ctx, october, october)
	b.must(err)
	b.equal("numbers", map[string]map[string][]string{"2026-10": {"00420": {"INV-1"}, "CC-1001": {"INV-2"}}}, numbers)
	var closing map[string]int
	b.must(b.ledger.Months.Closing(b.ctx, october.Next(), &closing))
	b.equal("the close of an open month", map[string]int(nil), closing)
	b.must(b.ledger.Months.Closing(b.ctx, october, &closing))
	b.equal("the close", map[string]int{"documents": 2}, closing)
}
