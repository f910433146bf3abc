package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

// changed is what a night up to a day would compute: the build, before it is narrowed
// and after.
func (b *books) changed(last string, waiting ...civil.Date) (all, narrowed records.Build) {
	b.Helper()
	changed, err := b.manifest.ChangedDays(b.ctx)
	b.must(err)
	all = b.build("2026-10-01", last)
	whole := records.Reach(changed.Gone)
	all.Days = slices.DeleteFunc(slices.Concat(whole, records.Reach(changed.Added), waiting), func(d civil.Date) bool { return Day(last).Before(d) })
	slices.SortFunc(all.Days, civil.Date.Compare)
	all.Days = slices.Compact(all.Days)
	narrowed, err = b.ledger.Records.Narrow(b.ctx, all, records.Changed{Whole: whole, Added: changed.Added, Waiting: waiting, Notes: changed.Notes})
	b.must(err)
	return all, narrowed
}

// Goal: a night computes the records that may come out otherwise and leaves the books
// that computing every day leaves.
// Method: a late delivery for one day, with the other half of a call whose usage lies
// beyond midnight, beside days and records that nothing of it concerns. (Random worlds
// are in the tests of the models.)
func testNarrow(b *books) {
	first := Rows{
		Usage: []Usage{
			{RequestID: "u1", At: "2026-10-05 10:00:00"}, {RequestID: "u2", At: "2026-10-06 00:00:01"}, {RequestID: "u3", At: "2026-10-06 12:00:00"},
			{RequestID: "u4", At: "2026-10-08 12:00:00"},
		},
		Requests: []Request{
			{ID: "r1", RequestID: "u1", At: "2026-10-05 10:00:00"}, {ID: "r3", RequestID: "u3", At: "2026-10-06 12:00:00"}, {ID: "r4", RequestID: "u4", At: "2026-10-08 12:00:00"},
			{ID: "waits", At: "2026-10-04 21:30:00"},
		},
	}
	b.stage(first)
	_, narrowed := b.changed("2026-10-10")
	b.equal("parts of new days", 0, narrowed.Parts())
	b.equal("new days", "[2026-10-04 2026-10-05 2026-10-06 2026-10-08]", fmt.Sprint(narrowed.Days))
	b.must(Make(b.ctx, b.ledger, narrowed, company()))
	_, narrowed = b.changed("2026-10-10")
	b.equal("days when nothing has changed", 0, len(narrowed.Days))

	b.stage(Rows{Object: "late.json", Requests: []Request{{ID: "r2", RequestID: "u2", At: "2026-10-05 23:59:59"}}, Usage: []Usage{{RequestID: "u5", At: "2026-10-05 00:05:00"}}})
	all, narrowed := b.changed("2026-10-10")
	b.equal("days", "[2026-10-05 2026-10-06]", fmt.Sprint(narrowed.Days))
	b.equal("parts", 2, narrowed.Parts())
	b.must(Make(b.ctx, b.ledger, narrowed, company()))
	b.equal("the half beyond midnight", []row{{"u2", "r2"}}, b.rows("select provider_request_id, agent_request_id from {cost_records} where usage_date >= {@since} and provider_request_id = 'u2'", records.Args{"since": civil.Min}))
	b.asComputed("after late rows", all)
}

// Goal: a night whose work was narrowed loses nothing that another process has staged
// since, and one computes whole days where rows are gone.
// Method: a delivery between the two; then an object without one of its rows.
func testNarrowMeanwhile(b *books) {
	first := night()
	b.stage(first)
	b.replace("2026-10-05", "2026-10-06")
	b.stage(Rows{Object: "later.json", Requests: []Request{{ID: "r6", At: "2026-10-06 12:00:00"}}})
	_, narrowed := b.changed("2026-10-10")
	b.equal("parts", 1, narrowed.Parts())
	made := b.computed(narrowed)
	b.stage(Rows{Object: "meanwhile.json", Requests: []Request{{ID: "r7", At: "2026-10-06 12:00:00"}}})
	_, other := b.changed("2026-10-10")
	if err := b.ledger.Apply(b.ctx, made.Changes()...); !errors.Is(err, warehouse.ErrChanged) {
		b.Errorf("a night beside which rows were staged since it was narrowed ended with %v, want ErrChanged", err)
	}
	b.must(Make(b.ctx, b.ledger, other, company()))

	again := first
	again.ETag, again.Usage, again.People = "v2", first.Usage[1:], nil
	again.Replaced = []int64{ObjectID("usage", "first.json", "")}
	b.stage(again)
	all, narrowed := b.changed("2026-10-10")
	b.equal("parts where rows are gone", 0, narrowed.Parts())
	b.must(Make(b.ctx, b.ledger, narrowed, company()))
	b.asComputed("without a row", all)
}

// computed are the records of a build, not yet kept.
func (b *books) computed(build records.Build) *records.Made {
	b.Helper()
	seen, err := b.ledger.Records.Seen(b.ctx, build)
	b.must(err)
	refs, err := company().Resolve(seen)
	b.must(err)
	made, err := b.ledger.Records.Compute(b.ctx, build, refs)
	b.must(err)
	return made
}

// asComputed says that computing days changes nothing.
func (b *books) asComputed(when string, build records.Build) {
	b.Helper()
	before := b.state()
	b.must(Make(context.Background(), b.ledger, build, company()))
	b.equal("the ledger "+when, b.state(), before)
	if len(before.Facts) == 0 {
		b.Errorf("%s: no record to compare", when)
	}
}
