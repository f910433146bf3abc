package ledgertest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/money"
)

// otherPrice is company's book with another price of sonnet.
func otherPrice() Book {
	b := company()
	b.Prices[0].Input *= 2
	return b
}

// repriced is a build of days on which all models cost something else, as a night
// narrows it.
func (b *books) repriced(all records.Build, book Book) records.Build {
	b.Helper()
	seen, err := b.ledger.Records.SeenOn(b.ctx, records.Days{First: all.Days[0], Last: all.Days[len(all.Days)-1]})
	b.must(err)
	changed, terms := records.Changed{Plain: records.Plain{}}, []records.Term(nil)
	for _, day := range all.Days {
		span := [2]time.Time{day.Start(time.UTC), day.AddDays(1).Start(time.UTC)}
		refs, err := book.Resolve(records.Seen{Span: span, Meters: seen.Meters})
		b.must(err)
		changed.Plain.Add(day, refs)
		terms = append(terms, records.TermsOf(day, span, refs, "")...)
		for _, m := range seen.Meters {
			changed.Repriced = changed.Repriced.With(day, m.ID)
		}
	}
	kept, err := b.ledger.Records.SetTerms(b.ctx, all, terms)
	b.must(err)
	b.must(b.ledger.Apply(b.ctx, kept...))
	narrowed, err := b.ledger.Records.Narrow(b.ctx, all, changed)
	b.must(err)
	return narrowed
}

// Goal: where another price changes amounts alone, records are priced again as they
// stand, into the books that computing their days leaves; where it may change more, the
// days are computed; and where records are not those of the daily sums nothing is kept.
// Method: a day of metered calls, one of which failed, and one with a request that
// counts for itself; then a record that was changed by hand, and none at all.
func testRepriced(b *books) {
	b.stage(Rows{
		Usage: []Usage{
			{RequestID: "u1", At: "2026-10-05 10:00:00", Tokens: record.Tokens{InputUncached: 1000, CacheRead: 10, Output: 5}}, {RequestID: "u2", At: "2026-10-05 11:00:00", Tokens: record.Tokens{InputUncached: 7, Output: 1}},
			{RequestID: "u3", At: "2026-10-05 12:00:00", Failed: true}, {RequestID: "u4", At: "2026-10-09 12:00:00", Tokens: record.Tokens{InputUncached: 9, Output: 1}},
		},
		Requests: []Request{
			{ID: "r1", RequestID: "u1", At: "2026-10-05 10:00:00", User: "ann@example.com"}, {ID: "r2", RequestID: "u2", At: "2026-10-05 11:00:00", User: "bob@example.com"},
			{ID: "alone", At: "2026-10-09 15:00:00", Tokens: record.Tokens{InputUncached: 3, Output: 1}},
		},
	})
	b.replace("2026-10-05", "2026-10-09")
	all := b.build("2026-10-05", "2026-10-09")
	before := b.state()
	narrowed := b.repriced(all, otherPrice())
	b.equal("days that are computed from their rows", "[2026-10-09]", fmt.Sprint(narrowed.Days))
	b.equal("days with records at another price", "[2026-10-05 2026-10-09]", fmt.Sprint(narrowed.Computed()))
	b.must(Make(b.ctx, b.ledger, narrowed, otherPrice()))
	priced := b.state()
	b.must(Make(b.ctx, b.ledger, all, otherPrice()))
	b.equal("the ledger at another price", b.state(), priced)
	if fmt.Sprint(before.Facts) == fmt.Sprint(priced.Facts) || len(priced.Facts) == 0 {
		b.Errorf("another price has changed nothing: %v", priced.Facts)
	}

	for what, change := range map[string]warehouse.Change{
		"cost records and their daily sums differ: in number, tokens or amount":               warehouse.Update{Table: "record_facts", Set: records.Args{"llm_cost_usd": money.MustParse("1")}, Where: "usage_date = date '2026-10-05' and llm_cost_usd > 0"},
		"cost records and their daily sums differ: there are no records where there are sums": warehouse.Delete{Table: "record_facts", Where: "usage_date = date '2026-10-05'"},
	} {
		b.must(b.ledger.Apply(b.ctx, change))
		if err := Make(b.ctx, b.ledger, b.repriced(b.build("2026-10-05", "2026-10-05"), company()), company()); !errors.Is(err, records.ErrOtherRecords) || !errors.Is(err, records.ErrNotTied) || !strings.Contains(err.Error(), what) {
			b.Errorf("records at another price end with %v, want one that says that %s", err, what)
		}
		b.must(Make(b.ctx, b.ledger, all, otherPrice()))
	}
}
