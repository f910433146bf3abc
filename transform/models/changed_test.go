package models_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/transform/civil"
)

// Goal: computing what has changed alone leaves the ledger that computing all days
// leaves, row by row, and computes fewer days where it can.
// Method: random worlds whose rows come in several deliveries, with days that no longer
// wait for usage between them, and rows of days that are not due yet; after each the
// narrowed build, then all days again, whose rows must be those that were there.
func TestOnlyWhatChanged(t *testing.T) {
	whole := openBooks(t)
	computed, days, parts := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		b := *whole
		b.TB = t
		o, staged := drawRows(t)
		o.book.UsageFrom = rapid.SampledFrom([][]string{nil, {"bedrock"}, {"bedrock"}}).Draw(t, "usage from")
		b.clear()
		b.stage(ledgertest.Rows{People: staged.People})
		first, last := ledgertest.Day(firstDay), ledgertest.Day(lastDay)
		waited := civil.Date{}
		deliveries := rapid.IntRange(2, 4).Draw(t, "deliveries")
		for n := range deliveries {
			b.stage(delivered(t, &staged, n, n == deliveries-1))
			due := last
			if n < deliveries-1 {
				due = first.AddDays(rapid.IntRange(2, last.DaysSince(first)).Draw(t, "due"))
			}
			until := first.AddDays(rapid.IntRange(0, 3).Draw(t, "late until"))
			if until.Before(waited) {
				until = waited
			}
			made := b.narrowly(o.book, due, waited, until)
			waited = until
			got := b.books()
			all := records.Build{Days: records.Days{First: first, Last: due}.All(), LateUntil: until, Fingerprint: true, OpenMonth: first.Month(), RateVersion: "book-1", RunDate: last}
			b.must(ledgertest.Make(context.Background(), b.ledger, all, o.book))
			if diff := cmp.Diff(b.books(), got); diff != "" {
				t.Fatalf("delivery %d, up to %s, waiting until %s, computed %s (-all days +what changed):\n%s", n, due, until, made.Days, diff)
			}
			computed, days = computed+len(made.Days), days+len(all.Days)
			parts += made.Parts()
		}
	})
	if computed == 0 || computed >= days || parts == 0 {
		t.Errorf("%d of %d days were computed, %d of them in part", computed, days, parts)
	}
}

// delivered takes rows of a random kind of object out of what is to come, or all.
func delivered(t *rapid.T, left *ledgertest.Rows, n int, all bool) (now ledgertest.Rows) {
	comes := func() bool { return all || rapid.IntRange(0, 1).Draw(t, "comes") == 0 }
	object := func(name string) string { return fmt.Sprint(name, "-", n) }
	left.Usage = slices.DeleteFunc(slices.Clone(left.Usage), func(u usage) bool {
		if !comes() {
			return false
		}
		u.Object = object(u.Object)
		now.Usage = append(now.Usage, u)
		return true
	})
	left.Requests = slices.DeleteFunc(slices.Clone(left.Requests), func(r request) bool {
		if !comes() {
			return false
		}
		r.Object = object(r.Object)
		now.Requests = append(now.Requests, r)
		return true
	})
	return now
}

// narrowly makes what has changed up to a day.
func (b *books) narrowly(book ledgertest.Book, due, waited, until civil.Date) records.Build {
	b.Helper()
	ctx := context.Background()
	changed, err := b.manifest.ChangedDays(ctx)
	b.must(err)
	waiting, err := b.ledger.Records.PendingDays(ctx, records.Days{First: ledgertest.Day(firstDay), Last: until})
	b.must(err)
	concerned := slices.DeleteFunc(records.Reach(append(changed.Days(due.AddDays(3)), waiting...)), func(d civil.Date) bool { return due.Before(d) || d.Before(ledgertest.Day(firstDay)) })
	build, err := b.ledger.Records.Narrow(ctx, records.Build{
		Days: concerned, LateUntil: until, Fingerprint: true, OpenMonth: ledgertest.Day(firstDay).Month(), RateVersion: "book-1", RunDate: due,
	}, records.Changed{Added: changed.Added, Waiting: waiting, Notes: changed.Notes})
	b.must(err)
	if len(build.Days) > 0 {
		b.must(ledgertest.Make(ctx, b.ledger, build, book))
	}
	return build
}

// books are the rows that a night makes, but for the night that made them.
func (b *books) books() map[string][]string {
	b.Helper()
	all := map[string][]string{}
	for name, text := range map[string]string{
		"record_facts": "select to_json(f) as j from (select * exclude (run_date) from {record_facts}) as f",
		"repeats":      "select to_json(f) as j from {repeats} as f",
		"daily_costs":  "select to_json(f) as j from {daily_costs} as f",
		"daily_users":  "select to_json(f) as j from {daily_users} as f",
		"charged_days": "select to_json(f) as j from {charged_days} as f",
	} {
		each(b, "select cast(j as varchar) as text from ("+text+")", nil, func(line string) { all[name] = append(all[name], line) })
		slices.Sort(all[name])
	}
	return all
}
