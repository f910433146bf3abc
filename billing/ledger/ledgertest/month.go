package ledgertest

import (
	"errors"
	"fmt"
	"time"

	"chargeback/billing/months"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Months in which the suite keeps books.
var (
	september = civil.Month{Year: 2026, Month: time.September}
	october   = september.Next()
	november  = october.Next()
)

// close closes a month by its records' hash and one document.
func (b *books) close(month civil.Month) error {
	b.Helper()
	document := months.Issued{Number: "CB-" + month.String() + "-00420-r0", Month: month.String(), CostCenter: "00420", Total: 12_345, ContentHash: "abc", Document: `{"note":"it's one"}`}
	return b.closeWith(month, b.hash(month.String()), document)
}

// closeWith closes a month by a hash and documents.
func (b *books) closeWith(month civil.Month, hash string, documents ...months.Issued) error {
	b.Helper()
	changes, err := b.ledger.Months.Close(b.ctx, month, At("2026-11-05 04:00:00"), hash, map[string]int{"documents": len(documents)}, documents)
	if err != nil {
		return err
	}
	return b.ledger.Apply(b.ctx, changes...)
}

// opened drops what months behind a closed one charge.
func (b *books) opened(closed civil.Month) {
	b.Helper()
	var changes []warehouse.Change
	for _, table := range []string{"record_facts", "daily_costs", "daily_users", "charged_days", "closed_rates", "closed_payers"} {
		changes = append(changes, warehouse.Delete{
			Table: table, Where: "billing_month > {@first} and usage_date >= {@since}", Args: records.Args{"since": civil.Min, "first": closed.FirstDay()},
		})
	}
	b.must(b.engine.Apply(b.ctx, changes...))
}

// records are the cost records of a month in words: id, correction, corrected
// month, day, pricing and total.
func (b *books) records(month civil.Month) (found []string) {
	b.Helper()
	for _, r := range each[struct {
		ID         string
		Correction int64
		Adjusts    string     `column:"adjusts_month,null"`
		Day        civil.Date `column:"usage_date"`
		Pricing    string
		Total      money.USD `column:"total_cost_usd,null"`
	}](b, `
select coalesce(provider_request_id, agent_request_id, '') as id, correction, adjusts_month, usage_date, pricing, total_cost_usd
from {cost_records}
where billing_month = {@month} and billing_month_date = {@first_day} and usage_date >= {@since}
order by coalesce(provider_request_id, agent_request_id, ''), correction`, records.Args{"month": month, "first_day": month.FirstDay(), "since": civil.Min}) {
		found = append(found, fmt.Sprintf("%s %+d %s %s %s %s", r.ID, r.Correction, r.Adjusts, r.Day, r.Pricing, r.Total))
	}
	return found
}

func testCloseMonth(b *books) {
	b.begin()
	b.stage(night())
	b.replace("2026-10-05", "2026-10-06")
	kept := []string{"months", "invoices", "document_files"}
	files := []months.File{{Folder: "/a/it's one", Name: "1.csv", SHA256: "b0"}, {Folder: "/a/it's one", Name: "2.pdf", SHA256: "a0"}}
	document := months.Issued{Number: "n", Month: "2026-10"}
	b.eachCall(func() error {
		changes, err := b.ledger.Months.Close(b.ctx, october, At("2026-11-05 04:00:00"), "h", nil, []months.Issued{document})
		if err != nil {
			return err
		}
		return b.ledger.Apply(b.ctx, append(changes, months.NoteFiles(october, files[:1]))...)
	}, func(what string) {
		b.Helper()
		for _, table := range kept {
			b.equal(table+" after "+what, int64(0), b.count(table))
		}
	}, func(what string) {
		b.Helper()
		for _, table := range kept {
			b.equal(table+" after "+what, int64(1), b.count(table))
			b.must(b.engine.Apply(b.ctx, warehouse.Delete{Table: table, Where: "true"}))
		}
	})
	for _, table := range kept {
		b.must(b.engine.Apply(b.ctx, warehouse.Delete{Table: table, Where: "true"}))
	}

	twice, err := b.ledger.Months.Close(b.ctx, october, At("2026-11-05 04:00:00"), "another process's", nil, []months.Issued{document})
	b.must(err)
	b.must(b.close(october))
	if err := b.ledger.Apply(b.ctx, twice...); !errors.Is(err, months.ErrClosed) {
		b.Errorf("a close that began before another one closed the month ended with %v, want ErrClosed", err)
	}
	b.reopen()
	b.begin()
	for range 2 {
		if err := b.close(october); !errors.Is(err, months.ErrClosed) {
			b.Errorf("second close ended with %v, want ErrClosed", err)
		}
	}
	b.must(b.close(november))
	closed, err := b.ledger.Months.Closed(b.ctx)
	b.must(err)
	b.equal("closed months", map[civil.Month]string{october: b.hash("2026-10"), november: b.hash("2026-11")}, closed)
	issued, err := b.ledger.Months.Issued(b.ctx, october)
	b.must(err)
	b.equal("documents", []months.Issued{{Number: "CB-2026-10-00420-r0", Month: "2026-10", CostCenter: "00420", Total: money.Cents(12_345), ContentHash: "abc", Document: `{"note":"it's one"}`}}, issued)
	summary := map[string]int{}
	b.must(b.ledger.Months.Closing(b.ctx, october, &summary))
	b.must(b.ledger.Months.Closing(b.ctx, november.Next(), &summary)) // open
	b.equal("summary", map[string]int{"documents": 1}, summary)
	b.must(b.ledger.Apply(b.ctx, months.NoteFiles(october, files), months.NoteFiles(november, nil)))
	noted, err := b.ledger.Months.Files(b.ctx, october)
	b.must(err)
	b.equal("files", files, noted)
	b.equal("state", []row{{"closed", Day("2026-10-01"), At("2026-11-05 04:00:00"), `{"documents":1}`}}, b.rows("select state, first_day, closed_at, summary from {months} where month = '2026-10'", nil))
}

// Goal: what comes after a month's close leaves its records as they were and
// is charged in the open month, once.
// Method: late usage, a late request of usage that was charged alone, a late
// duplicate and a changed price; the night runs again and again.
func testClosedMonth(b *books) {
	b.stage(Rows{Usage: []Usage{{RequestID: "u1", At: "2026-09-10 10:00:00", Tokens: record.Tokens{InputUncached: 1_000}}, {RequestID: "u2", At: "2026-09-11 10:00:00", Model: "new-model", Tokens: record.Tokens{Output: 1_000}}}})
	b.replace("2026-09-01", "2026-09-30")
	b.must(b.close(september))
	facts := b.facts()
	b.equal("September", []string{"u1 +0  2026-09-10 priced 0.0031", "u2 +0  2026-09-11 unpriced 0.00"}, b.records(september))

	b.stage(Rows{
		Usage: []Usage{
			{RequestID: "u1", At: "2026-09-10 10:00:00", Tokens: record.Tokens{InputUncached: 1_000}}, // again
			{RequestID: "u3", At: "2026-09-10 11:00:00", Tokens: record.Tokens{InputUncached: 10_000}},
			{RequestID: "u4", At: "2026-09-10 11:00:00", Failed: true},
			{RequestID: "u5", At: "2026-10-01 11:00:00", Tokens: record.Tokens{InputUncached: 500}},
		},
		Requests: []Request{{ID: "r1", RequestID: "u1", At: "2026-09-10 10:00:00", AgentID: "support-bot"}, {ID: "r6", At: "2026-09-12 10:00:00", Failed: true}},
		Object:   "late.json",
	})
	dearer := company()
	dearer.Prices[0].Input *= 2
	dearer.Prices = append(dearer.Prices, dearer.Prices[0])
	dearer.Prices[1].Key = "bedrock/new-model"
	want := []string{
		"u1 -1 2026-09 2026-09-10 priced -0.0031", // costs something else now
		"u1 +1 2026-09 2026-09-10 priced 0.0061",
		"u2 +1 2026-09 2026-09-11 priced 0.0151", // has a price now
		"u3 +1 2026-09 2026-09-10 priced 0.0601",
		"u5 +0  2026-10-01 priced 0.0031",
	}
	hash := ""
	for run, days := range [][]string{{"2026-09-01", "2026-10-02"}, {"2026-09-10", "2026-09-10", "2026-09-11", "2026-09-30"}} {
		for i := 0; i < len(days); i += 2 {
			build := b.build(days[i], days[i+1])
			build.RateVersion = "book-2"
			b.must(Make(b.ctx, b.ledger, build, dearer))
		}
		b.equal(fmt.Sprint("October after run ", run), want, b.records(october))
		if hash == "" {
			hash = b.hash("")
		}
		b.equal(fmt.Sprint("hash after run ", run), hash, b.hash(""))
	}
	b.opened(september)
	b.equal("records of September", facts, b.facts())
}

// estimated stages requests without usage in September, prices them from their
// own tokens and closes the month.
func (b *books) estimated(requests ...Request) {
	b.Helper()
	b.stage(Rows{Requests: requests})
	b.replace("2026-09-01", "2026-09-30")
	b.must(b.close(september))
}

var million = record.Tokens{InputUncached: 1_000_000}

// Goal: usage that comes after the close of an estimate takes the estimate's
// place: a charge and a reversal in the open month.
// Method: one estimate with usage of another amount, one with a billed retry,
// one whose usage is an error, one without; runs again and again.
func testLateUsage(b *books) {
	b.estimated(
		Request{ID: "r1", RequestID: "u1", At: "2026-09-10 10:00:00", Tokens: million},
		Request{ID: "r2", ClientRef: "ref2", At: "2026-09-11 10:00:00", Tokens: million},
		Request{ID: "r3", RequestID: "u3", At: "2026-09-12 10:00:00", Tokens: million},
		Request{ID: "r4", RequestID: "u4", At: "2026-09-13 10:00:00", Tokens: million},
	)
	facts := b.facts()
	b.stage(Rows{Usage: []Usage{
		{RequestID: "u1", At: "2026-09-10 10:00:01", Tokens: record.Tokens{InputUncached: 2_000_000}},
		{RequestID: "u2", ClientRef: "ref2", At: "2026-09-11 10:00:01", Tokens: million},
		{RequestID: "u2 again", ClientRef: "ref2", At: "2026-09-11 10:00:02", Tokens: million},
		{RequestID: "u3", At: "2026-09-12 10:00:01", Failed: true},
	}})
	want := []string{
		"r2 -1 2026-09 2026-09-11 estimated -3.0001",
		"u1 -1 2026-09 2026-09-10 estimated -3.0001",
		"u1 +1 2026-09 2026-09-10 priced 6.0001",
		"u2 +1 2026-09 2026-09-11 priced 3.0001",
		"u2 again +1 2026-09 2026-09-11 priced 3.00",
		"u3 -1 2026-09 2026-09-12 estimated -3.0001",
	}
	for _, last := range []string{"2026-09-30", "2026-10-20"} {
		b.replace("2026-09-01", last)
		b.equal("October", want, b.records(october))
	}
	for _, day := range []string{"2026-09-13", "2026-09-12", "2026-09-11", "2026-09-10"} {
		b.replace(day, day)
	}
	b.equal("October, days one by one", want, b.records(october))
	b.opened(september)
	b.equal("records of September", facts, b.facts())
}

// Goal: an estimate is taken back also where its usage lies in another window,
// on the next day or in the next month.
// Method: usage a second after midnight, windows of one day in both orders.
func testLateAcrossMidnight(b *books) {
	b.estimated(
		Request{ID: "r1", RequestID: "u1", At: "2026-09-10 23:59:59", Tokens: million},
		Request{ID: "r2", RequestID: "u2", At: "2026-09-30 23:59:59", Tokens: million},
	)
	b.stage(Rows{Usage: []Usage{{RequestID: "u1", At: "2026-09-11 00:00:01", Tokens: million}, {RequestID: "u2", At: "2026-10-01 00:00:01", Tokens: million}}})
	want := []string{
		"u1 -1 2026-09 2026-09-10 estimated -3.0001",
		"u1 +1 2026-09 2026-09-11 priced 3.0001",
		"u2 -1 2026-09 2026-09-30 estimated -3.0001",
		"u2 +0  2026-10-01 priced 3.0001",
	}
	for _, d := range []string{"2026-09-10", "2026-09-11", "2026-10-01", "2026-09-30"} {
		b.replace(d, d)
	}
	b.equal("windows of one day", want, b.records(october))
	b.replace("2026-09-01", "2026-10-02")
	b.equal("one window", want, b.records(october))
}

// Goal: late usage that fits two estimates is charged once, and both estimates
// are taken back.
// Method: two requests with one id.
func testLateAmbiguous(b *books) {
	b.estimated(
		Request{ID: "r1", RequestID: "u1", At: "2026-09-10 10:00:00", Tokens: million},
		Request{ID: "r2", RequestID: "u1", At: "2026-09-10 10:00:05", Tokens: million},
	)
	b.stage(Rows{Usage: []Usage{{RequestID: "u1", At: "2026-09-10 10:00:01", Tokens: million}}})
	for range 2 {
		b.replace("2026-09-10", "2026-09-10")
		b.equal("October", []string{
			"u1 -1 2026-09 2026-09-10 estimated -3.0001",
			"u1 -1 2026-09 2026-09-10 estimated -3.0001",
			"u1 +1 2026-09 2026-09-10 priced 3.0001",
		}, b.records(october))
	}
}

// Goal: an adjustment that was itself billed stays, and is taken back by the
// same rule.
// Method: a late request is estimated in October; its usage comes in November,
// when October is closed too, in an object that was rewritten meanwhile.
func testLaterMonths(b *books) {
	b.estimated(Request{ID: "r0", At: "2026-09-01 10:00:00", Tokens: million})
	late := Rows{Requests: []Request{{ID: "r1", RequestID: "u1", At: "2026-09-10 10:00:00", Tokens: million}}, Object: "late.json"}
	b.stage(late)
	b.replace("2026-09-01", "2026-10-10")
	estimate := []string{"u1 +1 2026-09 2026-09-10 estimated 3.0001"}
	b.equal("October", estimate, b.records(october))
	b.must(b.close(october))
	hash, facts := b.hash("2026-10"), b.facts()

	late.ETag, late.Replaced = "v2", []int64{ObjectID("requests", "late.json", "v1")}
	b.stage(late)
	b.stage(Rows{Usage: []Usage{{RequestID: "u1", At: "2026-09-10 10:00:01", Tokens: record.Tokens{InputUncached: 500_000}}}})
	want := []string{" -2 2026-09 2026-09-10 estimated -3.0001", "u1 +1 2026-09 2026-09-10 priced 1.5001"} // the estimate's object is gone, and with it the id
	for range 2 {
		b.replace("2026-09-01", "2026-11-10")
		b.equal("hash of October", hash, b.hash("2026-10"))
		b.equal("November", want, b.records(november))
	}
	b.must(b.close(november))
	b.replace("2026-09-01", "2026-12-10")
	b.equal("November stays", want, b.records(november))
	b.equal("December", []string(nil), b.records(november.Next()))
	b.opened(october)
	b.equal("records of September and October", facts, b.facts())
}

// Goal: what a closed month has charged and no object holds any more is given
// back in the open month, once; if it comes back it is charged again.
// Method: an object is written anew without one of its rows, and with it; a
// request whose object is written anew as another one; the next month closes in
// between.
func testGone(b *books) {
	two := []Usage{{RequestID: "u1", At: "2026-09-10 10:00:00", Tokens: million}, {RequestID: "u2", At: "2026-09-10 11:00:00", Tokens: million}}
	b.stage(Rows{Usage: two})
	b.stage(Rows{Requests: []Request{{ID: "r3", At: "2026-09-12 10:00:00", Tokens: million}}, Object: "requests.json"})
	b.replace("2026-09-01", "2026-09-30")
	b.must(b.close(september))
	facts := b.facts()
	write := func(usage []Usage, version, before string) {
		b.Helper()
		b.stage(Rows{Usage: usage, ETag: version, Replaced: []int64{ObjectID("usage", "", before)}})
		b.replace("2026-09-01", "2026-10-20")
	}
	write(two[:1], "v2", "v1")
	b.replace("2026-09-01", "2026-10-20")
	b.equal("October without the row", []string{" -1 2026-09 2026-09-10 priced -3.0001"}, b.records(october))
	write(two, "v3", "v2")
	b.equal("October with the row", 0, len(b.records(october)))
	b.equal("records of September", facts, b.facts())

	write(two[:1], "v4", "v3")
	b.stage(Rows{Requests: []Request{{ID: "r4", At: "2026-09-12 10:00:00", Tokens: million}}, Object: "requests.json", ETag: "v2", Replaced: []int64{ObjectID("requests", "requests.json", "v1")}})
	b.replace("2026-09-01", "2026-10-31")
	b.equal("October without the row, and another request", 3, len(b.records(october)))
	b.must(b.close(october))
	write(two[:1], "v5", "v4")
	november := october.Next()
	b.equal("November, nothing changed", 0, len(b.records(november)))
	write(two, "v6", "v5")
	b.equal("November with the row", 1, len(b.records(november)))
	b.equal("what stands of all", []row{{int64(3)}}, b.rows("select sum(if(correction < 0, -1, 1)) from {record_facts} where usage_date >= {@since}", records.Args{"since": civil.Min}))
}
