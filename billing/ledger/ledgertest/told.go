package ledgertest

import (
	"fmt"
	"strings"

	"chargeback/billing/explain"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// written is a day on which the prompt cache was written to: of u1 the match
// says for how long, of u2 and r3 nobody. Of r3's region there is no log.
func written() Rows {
	unknown := record.Tokens{CacheWriteUnknown: 1_000}
	return Rows{
		Usage: []Usage{{RequestID: "u1", At: "2026-10-05 10:00:00", Region: "eu-central-1", Tokens: unknown}, {RequestID: "u2", At: "2026-10-05 11:00:00", Region: "eu-central-1", Tokens: unknown, Tier: "flex"}},
		Requests: []Request{
			{ID: "r1", RequestID: "u1", At: "2026-10-05 10:00:00", Tokens: record.Tokens{CacheWrite5m: 400, CacheWrite1h: 600}},
			{ID: "r3", At: "2026-10-05 12:00:00", Region: "us-east-1", Tokens: unknown},
			{ID: "r4", At: "2026-10-05 13:00:00", Provider: "openai", Model: "new", Reported: 12_345_678_901, Unmetered: true},
			{ID: "r5", At: "2026-10-05 14:00:00", Provider: "openai", Model: "image", Unmetered: true},
			{ID: "r6", At: "2026-10-05 15:00:00", Provider: "openai", Model: "other", Unmetered: true},
		},
	}
}

// writers is company with settings and prices for written.
func writers(ttls map[string]string) Book {
	book := company()
	book.TTLs, book.TakeReported = ttls, []string{"openai/new"}
	book.Text = "prices: [{provider: openai, model: image, from: 2026-01-01T00:00:00Z, usd_per_request: \"0.04\", source: made up}]\n"
	return book
}

func (b *books) write(ttls map[string]string) {
	b.Helper()
	b.must(Make(b.ctx, b.ledger, b.build("2026-10-05", "2026-10-05"), writers(ttls)))
}

// flagged shows the records that stand, in the order of their start.
func (b *books) flagged() string {
	b.Helper()
	var lines []string
	for _, r := range each[struct {
		Cost       *money.USD `column:"llm_cost_usd"`
		Pricing    string
		Flags      string `column:",null"`
		Correction int64
	}](b, "select llm_cost_usd, pricing, flags, correction from {cost_items} where usage_date >= {@since} order by started_at, correction", records.Args{"since": civil.Min}) {
		amount := "-"
		if r.Cost != nil {
			amount = r.Cost.String()
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%d %s %s %s", r.Correction, amount, r.Pricing, r.Flags), " "))
	}
	return strings.Join(lines, "\n")
}

func testToldElsewhere(b *books) {
	b.stage(written())
	const rest = "\n0 0.012345678901 estimated reported_cost\n0 0.04 priced\n0 - unpriced missing:model"
	b.write(nil)
	b.equal("records without settings",
		"0 0.0051 priced ttl:matched\n0 0.00375 priced ttl:unknown,tier:flex\n0 0.00375 estimated ttl:unknown"+rest, b.flagged())
	b.write(map[string]string{"usage": "1h", "bedrock/sonnet": "5m"})
	b.equal("records with settings",
		"0 0.0051 priced ttl:matched\n0 0.006 priced ttl:1h,tier:flex\n0 0.00375 estimated ttl:5m"+rest, b.flagged())
	b.write(map[string]string{"requests": "1h"})
	b.equal("records with a setting of the requests' source",
		"0 0.0051 priced ttl:matched\n0 0.00375 priced ttl:unknown,tier:flex\n0 0.006 estimated ttl:1h"+rest, b.flagged())
	for _, id := range []string{"u1", "u2", "r3", "r4", "r5"} {
		all := b.explained(id, -1)
		b.equal("records of "+id, 1, len(all))
		_, err := explain.Of(all[0].Priced)
		b.must(err)
	}
	rows, err := b.rerate(report.Rerating{Days: records.Days{First: Day("2026-10-05"), Last: Day("2026-10-05")}, RateVersion: "book-1", CacheReads: -1}, writers(nil))
	b.must(err)
	for _, r := range rows {
		b.equal("the same prices again, of "+r.Model, r.Before.String(), r.After.String())
	}
	b.equal("models priced again", 4, len(rows))
}

func testWrittenAnew(b *books) {
	hour := map[string]string{"usage": "1h"}
	anew := func(ttls map[string]string) string {
		found, err := b.ledger.Records.CacheWrites(b.ctx)
		b.must(err)
		refs, err := writers(ttls).Resolve(found.Seen)
		b.must(err)
		return fmt.Sprint(found.Anew(refs))
	}
	rows := written()
	rows.Requests = rows.Requests[:1]
	b.stage(rows)
	b.write(nil)
	b.equal("days of closed months, before there are any", "[]", anew(hour))
	october := Day("2026-10-01").Month()
	b.must(b.closeWith(october.Prev(), "hash"))
	b.must(b.closeWith(october, "hash"))
	b.equal("days by the same settings", "[]", anew(nil))
	b.equal("days by a setting that changes no amount", "[]", anew(map[string]string{"usage": "5m"}))
	b.equal("days by an hour", "[2026-10-05]", anew(hour))
	for range 2 {
		b.write(hour)
		b.equal("records after the close",
			"0 0.0051 priced ttl:matched\n-1 -0.00375 priced ttl:unknown,tier:flex\n0 0.00375 priced ttl:unknown,tier:flex\n1 0.006 priced ttl:1h,tier:flex", b.flagged())
	}
	b.must(b.closeWith(october.Next(), "hash"))
	b.equal("days by an hour, once that is charged", "[]", anew(hour))
	b.equal("days without the setting", "[2026-10-05]", anew(nil))
}

func testConflicts(b *books) {
	at := "2026-10-05 10:00:00"
	b.stage(Rows{
		Usage: []Usage{{RequestID: "u1", At: at, Tokens: record.Tokens{Output: 100}}, {RequestID: "u1", At: at, Tokens: record.Tokens{Output: 140, Searches: 1}, Model: "haiku"}},
		Requests: []Request{
			{ID: "r1", At: at, User: "one@example.com"}, {ID: "r1", At: at, User: "two@example.com"}, {ID: "r1", At: at, User: "two@example.com", ToolCalls: 3, CacheHit: true},
		},
	})
	b.replace("2026-10-05", "2026-10-05")
	_, err := b.ledger.Runs.Begin(b.ctx, "nightly/2026-10-05", At("2026-10-06 04:00:00"))
	b.must(err)
	show := func(id string) string {
		days, err := report.DaysOf(b.ctx, b.ledger, id, -1)
		b.must(err)
		all, err := report.ConflictsOf(b.ctx, b.ledger.Records, id, days)
		b.must(err)
		var lines []string
		for _, c := range all {
			lines = append(lines, fmt.Sprintf("%s %s %d %s: %s", c.Kind, c.CallID, c.Line, c.Day, c.Differs))
		}
		return strings.Join(lines, "\n")
	}
	const usage, request = "2026-10-05: model, output tokens (100 and 140), searches (0 and 1)", "2026-10-05: user id, cache hit, tool calls (0 and 3)"
	b.equal("conflicts of usage", "usage u1 1 "+usage+"\nusage u1 2 "+usage, show("u1"))
	b.equal("conflicts of requests", "request r1 1 "+request+"\nrequest r1 2 "+request+"\nrequest r1 3 "+request, show("r1"))
	b.equal("conflicts of nobody", "", show("r2"))
}
