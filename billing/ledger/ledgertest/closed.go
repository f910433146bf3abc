package ledgertest

import (
	"fmt"
	"slices"
	"strings"

	"chargeback/billing/report"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

// unwritten leaves a ledger as one of before closed months were written down, but for
// its layout.
func unwritten() []warehouse.Change {
	return []warehouse.Change{
		warehouse.Delete{Table: "closed_rates", Where: "true"},
		warehouse.Delete{Table: "closed_payers", Where: "true"},
		warehouse.Delete{Table: "id_days", Where: "part between {@first} and {@last}", Args: warehouse.Args{"first": civil.Min, "last": civil.Max}},
		warehouse.Delete{Table: "meta", Where: "name = 'closed_months'"},
	}
}

// written is what was written down of closed months.
func (b *books) written() []string {
	b.Helper()
	return append(b.all("closed_rates"), b.all("closed_payers")...)
}

// ids are the days on which ids occur in closed months, each once.
func (b *books) ids() []string { b.Helper(); return slices.Compact(b.all("id_days")) }

// writtenHolds fails where what was written down of closed months is not what their
// records say, or lacks an id of a day whose records are made.
func (b *books) writtenHolds() {
	b.Helper()
	if b.Failed() || b.ledger == nil {
		return
	}
	written, ids := b.written(), b.ids()
	b.must(b.engine.Apply(b.ctx, unwritten()...))
	b.begin()
	b.equal("closed months, by all their records, and as they were written down", b.written(), written)
	dirty := b.dirty("2026-12-31")
	for _, id := range b.ids() {
		changed := slices.ContainsFunc(dirty, func(day string) bool { return strings.Contains(id, day) })
		if _, known := slices.BinarySearch(ids, id); !known && !changed {
			b.Errorf("an id of a closed month was not written down: %s", id)
		}
	}
}

// closedMonths is what was written down of two closed months, the second with a
// correction of the first.
func (b *books) closedMonths() filling {
	b.Helper()
	b.twoMonths()
	b.must(b.close(september.Next()))
	if written, ids := b.written(), b.ids(); len(written) < 4 || len(ids) < 7 {
		b.Fatalf("of closed months is written down %v and %v, want some of each record", written, ids)
	}
	return filling{
		what: "closed months", mark: "closed_months", steps: 3, // one for each month, and the mark
		take: func() { b.must(b.engine.Apply(b.ctx, unwritten()...)) },
		read: func() any { return [][]string{b.written(), b.ids()} },
	}
}

// Goal: a ledger whose months were closed by a version that wrote nothing down of them
// gets that from whoever may write when it is opened, and is not read before.
func testClosedFilled(b *books) { b.isFilled(b.closedMonths()) }

// Goal: what closed months say is written down whole or not at all.
func testClosedCutOff(b *books) { b.isFilledWhole(b.closedMonths()) }

// Goal: explain finds what an id names, in closed and in open months, by the days that
// were written down, and also what came after the close.
// Method: every id and number of records of two months, and of none; the rows have each
// some of the ids that there are, and lack others.
func testDaysOf(b *books) {
	b.stage(Rows{
		Usage: []Usage{
			{RequestID: "u1", At: "2026-09-29 10:00:00"}, {RequestID: "u2", ResponseID: "answer-2", ClientRef: "ref-2", At: "2026-09-30 10:00:00"},
			{Key: "k5", ResponseID: "answer-5", At: "2026-09-29 12:00:00"},
		},
		Requests: []Request{{ID: "r1", RequestID: "u1", At: "2026-09-29 10:00:00"}, {ID: "r2", ResponseID: "answer-2", ClientRef: "ref-2", At: "2026-09-30 10:00:00"}},
		Object:   "first.json",
	})
	b.replace("2026-09-29", "2026-09-30")
	b.must(b.close(september))
	b.stage(Rows{Usage: []Usage{{RequestID: "u3", At: "2026-09-30 11:00:00"}, {RequestID: "u4", At: "2026-10-02 10:00:00"}}, Object: "second.json"})
	b.replace("2026-09-30", "2026-10-02")
	for id, want := range map[string]string{
		"u1": "2026-09-29", "r1": "2026-09-29", "answer-5": "2026-09-29", "u2": "2026-09-30", "answer-2": "2026-09-30", "ref-2": "2026-09-30", "r2": "2026-09-30",
		"u3": "2026-09-30", "u4": "2026-10-02", "u5": "", "": "",
	} {
		days, err := report.DaysOf(b.ctx, b.ledger, id, -1)
		b.must(err)
		got := strings.Trim(fmt.Sprint(days), "[]")
		b.equal("days of "+id, want, got)
		b.equal("records of "+id, want != "", len(b.explained(id, -1)) == 1)
	}
	records := each[struct {
		RecordID  int64
		UsageDate civil.Date
	}](b, "select record_id, usage_date from {record_facts} where usage_date between date '2026-09-01' and date '2026-10-31'", nil)
	b.equal("records", 5, len(records))
	for _, r := range records {
		days, err := report.DaysOf(b.ctx, b.ledger, fmt.Sprint(r.RecordID), r.RecordID)
		b.must(err)
		b.equal("days of a record", []civil.Date{r.UsageDate}, days)
		b.equal("record", 1, len(b.explained(fmt.Sprint(r.RecordID), r.RecordID)))
	}
}
