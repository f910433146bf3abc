package jobs_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"chargeback/billing/meta"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Goal: where another price changes nothing but amounts, records are priced again as
// they stand: the books are those of a night that computes all days, and no staged row of
// such a day is read.
// Method: calls of several people with tools, cache hits and failures, some at a markup,
// on nine days; a price that begins within the second of them. Two
// ledgers run the same nights; one forgets before the last what its days were computed
// by, the other one loses the staged rows of the priced days that the night does not
// make in part.
func TestRepricedAsTheyStand(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	first, last := date(firstDay), date(firstDay).AddDays(9)
	pricedCompany(c, first, last)
	own, all := wiring{ledger: filepath.Join(t.TempDir(), "own.duckdb")}, wiring{ledger: filepath.Join(t.TempDir(), "all.duckdb")}
	for _, run := range []wiring{own, all} {
		b := open(t, c.dir, run)
		for day := first; day.Before(last); day = day.AddDays(1) {
			b.night(t, day)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	otherPrice(c, first.AddDays(1))
	var books [2]state
	for n, run := range []wiring{own, all} {
		b := open(t, c.dir, run)
		change := meta.Set("inputs", "of nobody")
		if n == 0 {
			lost := warehouse.Args{"first": first, "last": last.AddDays(-4)}
			change = []warehouse.Change{
				warehouse.Delete{Table: "usage", Where: "usage_date between {@first} and {@last}", Args: lost},
				warehouse.Delete{Table: "requests", Where: "request_date between {@first} and {@last}", Args: lost},
			}
		}
		if err := b.Ledger.Apply(t.Context(), change...); err != nil {
			t.Fatal(err)
		}
		before := b.rowsMade(t)
		s := b.night(t, last)
		books[n] = b.rowsMade(t)
		if fmt.Sprint(before["daily_users"]) == fmt.Sprint(books[n]["daily_users"][:len(before["daily_users"])]) {
			t.Error("the price changed nothing")
		}
		t.Log("made", s.Days)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	same(t, books[1], books[0])
	b := open(t, c.dir, own)
	defer b.Close()
	if s := b.night(t, last); len(s.Days) > 0 {
		t.Errorf("the same night again has computed %v", s.Days)
	}
}

// pricedCompany gives a company calls on the days of several people, with tools, a cache
// hit and a failure, and a markup on one of its cost centres.
func pricedCompany(c company, first, last civil.Date) {
	c.edit("prices.yaml", "fees:", "markups:\n  - {cost_center: CC-1001, percent: \"10\", from: 2026-01-01T00:00:00Z, source: test}\nfees:")
	w := &changing{company: c, usages: map[string][]usage{}}
	for day := first; day.Before(last.AddDays(1)); day = day.AddDays(1) {
		for i := range 12 {
			id := fmt.Sprint(day, "-", i)
			at := instant(local(day, "08:00:00")).Add(time.Duration(i) * time.Hour).Format(time.RFC3339)
			q := request{id: id, at: at, usageID: "u-" + id, agent: []string{"helper", "nightly-job"}[i%2], email: fmt.Sprintf("user00%d@example.com", i%5), in: 100 * i, out: 1 + i}
			u := usage{id: "u-" + id, at: at, in: q.in, out: q.out}
			switch i {
			case 3:
				q.cacheHit = true
			case 4:
				q.tools = []string{"search"}
			case 5:
				q.failed = true
			}
			w.log(q)
			if i != 3 && i != 5 {
				w.deliver(usageKey(at, u.id), u)
			}
		}
	}
}

// otherPrice is another price of the company's own model from within a day on.
func otherPrice(c company, day civil.Date) {
	c.edit("prices.yaml", "markups:", fmt.Sprintf("  - {provider: bedrock, model: %q, from: %sT10:00:00Z, usd_per_million: {input: \"3.00\", output: \"10.00\"}, source: test}\nmarkups:", ownModel, day))
}

// Goal: records that differ from their daily sums stop no night: where they can't be
// priced again as they stand they are computed from their rows.
// Method: an amount of a record, and of the daily sums, is changed by hand before a night
// with another price; the books are those of a night that computes all days.
func TestRecordsThatDifferArePricedFromRows(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	first, last := date(firstDay), date(firstDay).AddDays(3)
	pricedCompany(c, first, last)
	var ledgers [3]*books
	var wirings [3]wiring
	for n := range ledgers {
		wirings[n] = wiring{ledger: filepath.Join(t.TempDir(), "ledger.duckdb")}
		ledgers[n] = open(t, c.dir, wirings[n])
		for day := first; day.Before(last); day = day.AddDays(1) {
			ledgers[n].night(t, day)
		}
	}
	otherPrice(c, first)
	one := warehouse.Args{"llm_cost_usd": money.MustParse("1"), "total_cost_usd": money.MustParse("1")}
	want := state(nil)
	for n, changes := range [][]warehouse.Change{
		meta.Set("inputs", "of nobody"),
		{warehouse.Update{Table: "record_facts", Set: one, Where: "usage_date = {@day} and llm_cost_usd > 0", Args: warehouse.Args{"day": first.AddDays(1)}}},
		{warehouse.Update{Table: "daily_costs", Set: one, Where: "usage_date = {@day} and llm_cost_usd > 0", Args: warehouse.Args{"day": first.AddDays(1)}}},
	} {
		if err := ledgers[n].Ledger.Apply(t.Context(), changes...); err != nil {
			t.Fatal(err)
		}
		ledgers[n] = ledgers[n].again(t, c.dir, wirings[n]) // with the price
		ledgers[n].night(t, last)
		if n == 0 {
			want = ledgers[n].rowsMade(t)
			continue
		}
		same(t, want, ledgers[n].rowsMade(t))
	}
}
