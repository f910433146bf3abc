package ledgertest

import (
	"fmt"
	"slices"

	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// handedOver is company's book by which other cost centres own what they owned, and
// by which the one that gets it has ended with October.
func handedOver() Book {
	b := company()
	b.Owners = []records.Owner{{Kind: "caller", Value: "arn:etl", CostCenter: "00420", From: civil.Min, To: civil.Max}}
	next := records.CostCenter{Code: "00430", Department: "Support"}
	b.CostCenters = append(slices.Clone(b.CostCenters), next)
	b.Successors = []records.Successor{{Code: "00420", Payer: next, From: Day("2026-11-01"), To: civil.Max}}
	return b
}

// Goal: what is learned of owners after a close is found, can be looked at, and
// becomes a pair of corrections with its reason, once; a successor bears its half.
// Method: close a month, give what a caller owns to another cost centre.
func testMoved(b *books) {
	b.stage(night())
	b.replace("2026-10-05", "2026-10-06")
	anew := func(book Book) string {
		b.Helper()
		seen, any, err := b.ledger.Records.Attributed(b.ctx)
		b.must(err)
		if !any {
			return "no month is closed"
		}
		refs, err := book.Resolve(seen)
		b.must(err)
		days, err := b.ledger.Records.AttributedAnew(b.ctx, refs)
		b.must(err)
		return fmt.Sprint(days)
	}
	b.equal("days of closed months, before there are any", "no month is closed", anew(handedOver()))
	b.must(b.close(september))
	b.must(b.close(october))
	b.equal("days by the same book", "[]", anew(company()))
	b.equal("days by the later book", "[2026-10-06]", anew(handedOver()))

	build := b.build("2026-10-05", "2026-10-06")
	facts, hash := b.facts(), b.hash("2026-10")
	seen, err := b.ledger.Records.Seen(b.ctx, build)
	b.must(err)
	refs, err := handedOver().Resolve(seen)
	b.must(err)
	would, err := b.ledger.Months.CorrectionsBy(b.ctx, build, refs)
	b.must(err)
	b.equal("records after a look", facts, b.facts())
	b.must(Make(b.ctx, b.ledger, build, handedOver()))
	b.equal("hash of October", hash, b.hash("2026-10"))
	is, err := b.ledger.Months.Corrections(b.ctx, november)
	b.must(err)
	b.equal("corrections that would come, and that came", would, is)
	words := func() (all []string) {
		for _, c := range is {
			all = append(all, fmt.Sprintf("%s %s borne by %s: %s and %s, %d, %s, other %q", c.Month, c.CostCenter, c.Bearer, c.Reversed, c.Charged, c.Records, c.Reason, c.Counterpart))
		}
		return all
	}
	b.equal("corrections", []string{
		`2026-10 00420 borne by 00430: 0.00 and 0.0061, 1, belongs to another cost centre by what is known today, other "CC-1001"`,
		`2026-10 CC-1001 borne by CC-1001: -0.0061 and 0.00, 1, belongs to another cost centre by what is known today, other "00420"`,
	}, words())
	numbers, err := b.ledger.Months.Numbers(b.ctx, september, october)
	b.must(err)
	b.equal("numbers", "map[2026-09:map[00420:[CB-2026-09-00420-r0]] 2026-10:map[00420:[CB-2026-10-00420-r0]]]", fmt.Sprint(numbers))

	b.replace("2026-10-05", "2026-10-06") // by the first book again
	is, err = b.ledger.Months.Corrections(b.ctx, november)
	b.must(err)
	b.equal("corrections when the first book is back", []string(nil), words())
}

// Goal: the rows of an object that is gone for good go, what a closed month charged
// for them is reversed, and it counts again when it is back.
func testDeleted(b *books) {
	two := Rows{Requests: []Request{{ID: "r1", At: "2026-09-10 10:00:00", Tokens: million}, {ID: "r2", At: "2026-09-11 10:00:00", Tokens: million, Object: "second.json"}}}
	b.stage(two)
	b.replace("2026-09-01", "2026-09-30")
	b.must(b.close(september))
	second := ObjectID("requests", "second.json", "")
	b.must(b.manifest.MarkMissing(b.ctx, []int64{second}, Day("2026-10-02"), nil))
	missing, err := b.manifest.Missing(b.ctx, "requests", Day("2026-10-01"))
	b.must(err)
	b.equal("missing the night before", 0, len(missing))
	missing, err = b.manifest.Missing(b.ctx, "requests", Day("2026-10-02"))
	b.must(err)
	b.equal("missing", []manifest.Object{{ID: second, Source: "requests", Key: "second.json", ETag: "v1", State: manifest.ObjectMissing, Staged: 1, MissingSince: Day("2026-10-02")}}, missing)

	b.must(b.manifest.Delete(b.ctx, record.RequestSchema, []int64{second}, "controller: test traffic"))
	b.equal("objects", []string{"first.json v1 read"}, b.objects("requests"))
	b.equal("rows", int64(1), b.count("requests"))
	b.equal("days to make", []string{"2026-09-11"}, b.dirty("2026-09-30"))
	b.replace("2026-09-01", "2026-09-30")
	b.equal("October without it", []string{" -1 2026-09 2026-09-11 estimated -3.0001"}, b.records(october))
	b.stage(Rows{Requests: two.Requests[1:]})
	b.replace("2026-09-01", "2026-09-30")
	b.equal("October with it again", 0, len(b.records(october)))
	b.equal("objects with it again", []string{"first.json v1 read", "second.json v1 read"}, b.objects("requests"))
}
