package ledgertest

import (
	"time"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
)

// Goal: what a night, status and a close ask of the books beside the records.
// Method: a delivery, two nights that were run with a third, one that failed, and a
// month that was closed with two documents.
func testTold(b *books) {
	b.stage(night())
	b.replace("2026-10-05", "2026-10-06")
	first, last := Day("2026-10-01"), Day("2026-10-31")

	days, err := b.ledger.SourceDays(b.ctx, first, last)
	b.must(err)
	b.equal("days of sources", []ledger.SourceDay{
		{Source: "requests", Night: first, Day: Day("2026-10-05")}, {Source: "usage", Night: first, Day: Day("2026-10-05")}, {Source: "usage", Night: first, Day: Day("2026-10-06")},
	}, days)
	nights, err := b.ledger.SourceNights(b.ctx, first, last)
	b.must(err)
	b.equal("nights of sources", []ledger.SourceNight{{Source: "people", Night: first, Staged: 1}, {Source: "requests", Night: first, Staged: 1}, {Source: "usage", Night: first, Staged: 2}}, nights)
	arrivals, err := b.ledger.SourceArrivals(b.ctx, first, last)
	b.must(err)
	b.equal("arrivals", []ledger.SourceDay{{Source: "people", Night: first}, {Source: "requests", Night: first}, {Source: "usage", Night: first}}, arrivals)
	records, err := b.ledger.SourceRecords(b.ctx, october)
	b.must(err)
	b.equal("records of sources", []ledger.SourceRecords{{Source: "people", Kind: "people", Records: 1}, {Source: "requests", Kind: "requests", Records: 1}, {Source: "usage", Kind: "usage", Records: 2}}, records)
	none, err := b.ledger.SourceNights(b.ctx, last, last)
	b.must(err)
	b.equal("nights in which nothing came", []ledger.SourceNight(nil), none)
	prices, err := b.ledger.PricesUsed(b.ctx)
	b.must(err)
	if len(prices) == 0 {
		b.Error("no price was used")
	}

	at := At("2026-11-01 04:00:00")
	runs, err := b.ledger.NoteRuns(b.ctx, "nightly", []string{"nightly/2026-10-02", "nightly/2026-10-03"}, at, map[string]string{"with": "nightly/2026-10-04"})
	b.must(err)
	b.must(b.ledger.Apply(b.ctx, runs...))
	attempt, err := b.ledger.BeginRun(b.ctx, "nightly/2026-10-05", at)
	b.must(err)
	b.must(b.ledger.EndRun(b.ctx, "nightly/2026-10-05", attempt, ledger.RunFailed, at, map[string]string{"error": "it's broken"}))
	with, err := b.ledger.NightsWith(b.ctx, first, last)
	b.must(err)
	b.equal("nights that were run together", map[civil.Date]civil.Date{Day("2026-10-02"): Day("2026-10-04"), Day("2026-10-03"): Day("2026-10-04")}, with)
	failed, err := b.ledger.FailedRuns(b.ctx, at.Add(-time.Hour))
	b.must(err)
	b.equal("failed runs", []ledger.FailedRun{{Window: "nightly/2026-10-05", Reason: "it's broken"}}, failed)
	failed, err = b.ledger.FailedRuns(b.ctx, at.Add(time.Hour))
	b.must(err)
	b.equal("failed runs of later", []ledger.FailedRun(nil), failed)

	document := func(number, center string) ledger.Issued {
		return ledger.Issued{Number: number, Month: "2026-10", CostCenter: center, Total: 1, ContentHash: "h", Document: "{}"}
	}
	issued := []ledger.Issued{document("INV-1", "00420"), document("INV-2", "CC-1001")}
	b.must(b.closeWith(october, "hash", issued...))
	found, err := b.ledger.Issued(b.ctx, october)
	b.must(err)
	b.equal("documents", issued, found)
	numbers, err := b.ledger.Numbers(b.ctx, october, october)
	b.must(err)
	b.equal("numbers", map[string]map[string][]string{"2026-10": {"00420": {"INV-1"}, "CC-1001": {"INV-2"}}}, numbers)
	var closing map[string]int
	b.must(b.ledger.Closing(b.ctx, october.Next(), &closing))
	b.equal("the close of an open month", map[string]int(nil), closing)
	b.must(b.ledger.Closing(b.ctx, october, &closing))
	b.equal("the close", map[string]int{"documents": 2}, closing)
}
