package ledgertest

import (
	"fmt"

	"chargeback/billing/explain"
	"chargeback/billing/ledger"
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
		got, err := b.ledger.Rerate(b.ctx, ledger.Rerating{
			Days: ledger.Days{First: Day("2026-10-05"), Last: Day("2026-10-06")}, RateVersion: "other", References: book.Resolve, CacheReads: -1,
		})
		b.must(err)
		for _, r := range got {
			before, after = before.Add(r.Before), after.Add(r.After)
		}
		return before, after
	}
	charged := b.one("select total_usd(total_cost_usd) from record_facts where usage_date >= date '2026-01-01'", nil).(money.USD)
	before, after := rerate(company())
	b.equal("as it is", [2]string{charged.String(), charged.String()}, [2]string{before.String(), after.String()})
	before, after = rerate(dearer())
	b.equal("as it was", charged.String(), before.String())
	b.equal("records", facts, b.facts())
	b.equal("rate entries", entries, b.count("rate_entries"))
	b.equal("payers", payers, b.count("payers"))

	build := b.build("2026-10-05", "2026-10-06")
	build.RateVersion, build.References = "other", dearer().Resolve
	b.must(b.ledger.ReplaceDays(b.ctx, build, nothing))
	made := b.one("select total_usd(total_cost_usd) from record_facts where usage_date >= date '2026-01-01'", nil).(money.USD)
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
	anew, err := b.ledger.PricedAnew(b.ctx, dearer().Resolve)
	b.must(err)
	b.equal("days of closed months, before there are any", 0, len(anew))
	b.must(b.ledger.CloseMonth(b.ctx, october.Prev(), At("2026-11-05 00:00:00"), "hash", "", nil, nothing))
	b.must(b.ledger.CloseMonth(b.ctx, october, At("2026-11-05 00:00:00"), "hash", "", nil, nothing))
	anew, err = b.ledger.PricedAnew(b.ctx, company().Resolve)
	b.must(err)
	b.equal("days by the same book", 0, len(anew))
	anew, err = b.ledger.PricedAnew(b.ctx, dearer().Resolve)
	b.must(err)
	b.equal("days by the later book", "[2026-10-05 2026-10-06]", fmt.Sprint(anew))
	for range 2 {
		build := b.build("2026-10-05", "2026-10-06")
		build.RateVersion, build.References = "later", dearer().Resolve
		b.must(b.ledger.ReplaceDays(b.ctx, build, nothing))
	}
	var corrections []int64
	for _, r := range b.rows("select correction from record_facts where usage_date >= date '2026-01-01' order by 1", nil) {
		corrections = append(corrections, r.Int(0))
	}
	b.equal("corrections", "[-1 -1 0 0 1 1]", fmt.Sprint(corrections))
	explained := 0
	for _, r := range b.rows("select distinct record_id from record_facts where usage_date >= date '2026-01-01'", nil) {
		all, err := b.ledger.Explain(b.ctx, fmt.Sprint(r.Int(0)), r.Int(0))
		b.must(err)
		for _, x := range all {
			_, err := explain.Of(x.Priced)
			b.must(err)
			explained++
		}
	}
	b.equal("explained", 6, explained)
	line, err := b.ledger.ExplainLine(b.ctx, ledger.DocumentLine{Month: october, CostCenter: "00420", Model: "sonnet"})
	b.must(err)
	for _, g := range line {
		_, err := explain.Of(g)
		b.must(err)
	}
}
