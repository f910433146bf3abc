package ledgertest

import (
	"fmt"

	"chargeback/billing/explain"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/extract/record"
	"chargeback/transform/money"
)

// dearer is company's book with a price of sonnet that was learned later.
func dearer() Book {
	b := company()
	b.Text = `prices:
  - {provider: bedrock, model: sonnet, from: 2026-01-01T00:00:00Z, learned: 2026-11-01T00:00:00Z, usd_per_million: {input: "6", cache_read: "0.3", output: "15"}, source: later}
markups:
  - {cost_center: CC-1001, percent: "10", from: 2026-01-01T00:00:00Z}
`
	return b
}

// rerate prices days again by another book.
func (b *books) rerate(r report.Rerating, book Book) ([]report.Rerated, error) {
	seen, err := b.ledger.Records.SeenOn(b.ctx, r.Days)
	b.must(err)
	refs, err := book.Resolve(seen)
	b.must(err)
	return report.Rerate(b.ctx, b.ledger.Records, r, refs)
}

// Goal: what-if gives what the night would give, and leaves nothing behind.
// Method: price a day as it is and by another book; then make the day by that
// book and compare; all tables must be as they were in between.
func testRerate(b *books) {
	rows := night()
	rows.Usage = append(rows.Usage, Usage{RequestID: "etl", At: "2026-10-05 13:00:00", Caller: "arn:etl", Tokens: record.Tokens{InputUncached: 5_000, Output: 1_000, InputAudio: 500}})
	b.stage(rows)
	b.replace("2026-10-05", "2026-10-06")
	facts, entries, payers := b.facts(), b.count("rate_entries"), b.count("payers")
	rerate := func(book Book) (before, after money.USD) {
		b.Helper()
		got, err := b.rerate(report.Rerating{Days: records.Days{First: Day("2026-10-05"), Last: Day("2026-10-06")}, RateVersion: "other", CacheReads: -1}, book)
		b.must(err)
		for _, r := range got {
			before, after = before.Add(r.Before), after.Add(r.After)
		}
		return before, after
	}
	charged := b.one("select {total_usd(total_cost_usd)} from {record_facts} where usage_date >= date '2026-01-01'", nil).(money.USD)
	before, after := rerate(company())
	b.equal("as it is", [2]string{charged.String(), charged.String()}, [2]string{before.String(), after.String()})
	before, after = rerate(dearer())
	b.equal("as it was", charged.String(), before.String())
	b.equal("records", facts, b.facts())
	b.equal("rate entries", entries, b.count("rate_entries"))
	b.equal("payers", payers, b.count("payers"))

	build := b.build("2026-10-05", "2026-10-06")
	build.RateVersion = "other"
	b.must(Make(b.ctx, b.ledger, build, dearer()))
	made := b.one("select {total_usd(total_cost_usd)} from {record_facts} where usage_date >= date '2026-01-01'", nil).(money.USD)
	b.equal("by the other book", made.String(), after.String())
	if made.Cmp(charged) <= 0 {
		b.Errorf("a dearer book and a markup make %s of %s", made, charged)
	}
}

// Goal: a price that is learned after the close is found, and corrects the
// closed month once; each record's arithmetic adds up to what it cost.
// Method: close a month, price its days by a later book, explain every record.
func testRestated(b *books) {
	b.stage(night())
	b.replace("2026-10-05", "2026-10-06")
	october := Day("2026-10-01").Month()
	anew := func(book Book) string {
		b.Helper()
		used, err := b.ledger.Records.RatesUsed(b.ctx)
		b.must(err)
		refs, err := book.Resolve(used.Seen)
		b.must(err)
		return fmt.Sprint(used.Anew(refs))
	}
	b.equal("days of closed months, before there are any", "[]", anew(dearer()))
	b.must(b.closeWith(october.Prev(), "hash"))
	b.must(b.closeWith(october, "hash"))
	b.equal("days by the same book", "[]", anew(company()))
	b.equal("days by the later book", "[2026-10-05 2026-10-06]", anew(dearer()))
	for range 2 {
		build := b.build("2026-10-05", "2026-10-06")
		build.RateVersion = "later"
		b.must(Make(b.ctx, b.ledger, build, dearer()))
	}
	corrections := each[int64](b, "select correction from {record_facts} where usage_date >= date '2026-01-01' order by 1", nil)
	b.equal("corrections", "[-1 -1 0 0 1 1]", fmt.Sprint(corrections))
	explained := 0
	for _, id := range each[int64](b, "select distinct record_id from {record_facts} where usage_date >= date '2026-01-01'", nil) {
		all := b.explained(fmt.Sprint(id), id)
		for _, x := range all {
			_, err := explain.Of(x.Priced)
			b.must(err)
			explained++
		}
	}
	b.equal("explained", 6, explained)
	line, err := report.ExplainLine(b.ctx, b.ledger, report.DocumentLine{Month: october, CostCenter: "00420", Model: "sonnet"})
	b.must(err)
	for _, g := range line {
		_, err := explain.Of(g)
		b.must(err)
	}
}
