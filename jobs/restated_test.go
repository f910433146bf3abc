package jobs_test

import (
	"testing"

	"chargeback/billing/runs"
	"chargeback/jobs"
)

// Goal: a price that is learned after a month was closed re-rates open months
// and becomes a correction of the closed one, each time it changes, and what
// stands adds up to what new books make by the last price.
// Method: close October; learn a dearer price of three of its days; close
// November; learn another. Compare sums per day with books that begin with all
// prices. All nights again change nothing.
func TestRestatedPrice(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.edit("chargeback.yaml", `unallocated_limit_usd: "0.01"`, `unallocated_limit_usd: "9.00"`)
	c.ordinary(firstDay, "2026-11-02")
	own := wiring{}
	b := open(t, c.dir, own)
	b.nights(t, firstDay, lateDay)
	b.closing(t, october)
	closed, files := b.monthHash(t, october), filesOf(t, b.Month.Dir)
	const calls = "2026-10-29-0"
	first := "2026-10-29 2026-10 0 matched priced 0.002245\n"
	equal(t, "as closed", []string{first}, b.call(t, calls))
	learn := func(on, usd, learned string) {
		t.Helper()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		c.append("prices.yaml", `---
prices:
  - {provider: bedrock, model: "example.small-v1:0", from: 2026-10-28T22:00:00Z, to: 2026-11-01T23:00:00Z, learned: `+learned+`, usd_per_million: {input: "`+usd+`", output: "5.00"}, source: test}
`)
		b = open(t, c.dir, own)
		b.night(t, date(on))
	}
	perDay := func(b *books) []string {
		return b.lines(t, "select usage_date, {total_usd(total_cost_usd)}, sum(if(correction < 0, -1, 1)) from {cost_items} where total_cost_usd is not null group by usage_date order by 1")
	}
	compare := func(what string) {
		t.Helper()
		fresh := open(t, c.dir, wiring{ledger: t.TempDir() + "/ledger.duckdb"})
		fresh.nights(t, firstDay, "2026-11-06")
		equal(t, what, perDay(fresh), perDay(b))
		if err := fresh.Close(); err != nil {
			t.Fatal(err)
		}
	}

	learn("2026-11-04", "1.50", "2026-11-04T00:00:00Z")
	second := []string{first, "2026-10-29 2026-11 -1 matched priced -0.002245\n", "2026-10-29 2026-11 1 matched priced 0.002745\n"}
	equal(t, "learned once", second, b.call(t, calls))
	equal(t, "a day of the open month", []string{"2026-11-01 2026-11 0 matched priced 0.002605\n"}, b.call(t, "2026-11-01-0"))
	equal(t, "a day that the price doesn't reach", []string{"2026-10-28 2026-10 0 matched priced 0.00224\n"}, b.call(t, "2026-10-28-0"))
	compare("sums by the second price")
	before := b.state(t)
	for _, day := range []string{"2026-10-29", "2026-11-04", "2026-10-31"} {
		b.night(t, date(day))
	}
	same(t, before, b.state(t))

	b.ran(t, runs.Done, nightsOf("2026-11-05", "2026-12-03")...)
	b.closing(t, "2026-11")
	learn("2026-12-04", "0.50", "2026-12-04T00:00:00Z")
	equal(t, "learned twice", append(second, "2026-10-29 2026-12 -2 matched priced -0.002745\n", "2026-10-29 2026-12 2 matched priced 0.001745\n"), b.call(t, calls))
	compare("sums by the third price")
	equal(t, "October", closed, b.monthHash(t, october))
	equal(t, "its documents", files, filesOf(t, b.Month.Dir)[:len(files)])
}

// nightsOf names the windows of days.
func nightsOf(first, last string) (windows []string) {
	for d := date(first); !date(last).Before(d); d = d.AddDays(1) {
		windows = append(windows, jobs.NightlyWindow(d))
	}
	return windows
}
