package jobs_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chargeback/billing/invoice"
	"chargeback/transform/money"
)

// sharedLines are an agent's parts of shared costs on a month's documents.
func (b *books) sharedLines(t *testing.T, m, agent string) (lines []string) {
	t.Helper()
	issued, err := b.Ledger.Months.Issued(t.Context(), month(m))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range issued {
		var d invoice.Document
		if err := json.Unmarshal([]byte(row.Document), &d); err != nil {
			t.Fatal(err)
		}
		for _, l := range slices.Concat(d.Shared.Lines, d.Adjustments.Lines) {
			if l.AgentID == agent && l.SharedName != "" {
				lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s, %s (%s) of %s: %s %s", d.Party.Code, l.SharedName, l.Method, l.Ratio, l.Whole, l.Exact.Total, l.AdjustsInvoice)))
			}
		}
	}
	return lines
}

// Goal: what a background agent does without a user is borne, where its policy
// says so, by those who used it in the months before, by cost; nobody used it:
// by its owner; a correction: by the weights of the month that it corrects,
// whatever the directory says by then. The documents still add up to the records
// and the shared costs.
// Method: two cost centres use the agent in October, two to one; close October,
// November, then December with a late request of November and another policy.
func TestBackgroundByUse(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.edit("directory.yaml", "kind: background, owner: CC-1001", "kind: background, owner: CC-1001, policy: proportional, policy_months: 2")
	c.ordinary(firstDay, "2026-11-02")
	for i, user := range []string{"user001", "user003", "user001"} {
		c.log(request{id: fmt.Sprintf("asked-%d", i), at: local(date("2026-10-30"), fmt.Sprintf("1%d:00:00", i)), provider: "openai", email: user + "@example.com", agent: "nightly-job", in: 3000, out: 500})
	}
	b := open(t, c.dir, wiring{})
	tied := func(m string) {
		t.Helper()
		documents, err := b.DocumentsTotal(t.Context(), month(m))
		if err != nil {
			t.Fatal(err)
		}
		records := query[money.USD](t, b, "select {total_usd(total_cost_usd)} from {cost_items} where billing_month = '"+m+"'")
		equal(t, "documents of "+m, records.Add(money.MustParse("10.00")), documents)
	}
	b.nights(t, firstDay, lateDay)
	b.closing(t, october)
	equal(t, "before anybody used it", []string{
		"CC-1001 Background agent Nightly Job, by cost of use from 2026-08 to 2026-09: nobody used it, so its owner pays () of 0.0804: 0.00",
	}, b.sharedLines(t, october, "nightly-job"))
	tied(october)

	b.ran(t, "done", nightsOf("2026-11-04", "2026-12-03")...)
	b.closing(t, "2026-11")
	const use = "by cost of use from 2026-09 to 2026-10"
	equal(t, "by use", []string{
		"00420 Background agent Nightly Job, " + use + " (0.0202 of 0.0303) of 0.0402: 0.0268",
		"CC-1001 Background agent Nightly Job, among those who used it, " + use + " () of 0.0402: -0.0402",
		"CC-5001 Background agent Nightly Job, " + use + " (0.0101 of 0.0303) of 0.0402: 0.0134",
	}, b.sharedLines(t, "2026-11", "nightly-job"))
	tied("2026-11")

	c.log(request{id: "late-job", at: local(date("2026-11-02"), "03:30:00"), provider: "openai", agent: "nightly-job", in: 3000, out: 500})
	c.log(request{id: "more", at: local(date("2026-12-01"), "03:30:00"), provider: "openai", agent: "nightly-job", in: 3000, out: 500})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	c.edit("directory.yaml", "policy: proportional, policy_months: 2", "policy: owner")
	b = open(t, c.dir, wiring{})
	b.nights(t, "2026-11-02", "2026-11-02")
	b.ran(t, "done", nightsOf("2026-12-04", "2027-01-02")...)
	b.nights(t, "2026-12-01", "2026-12-01")
	b.nights(t, "2027-01-03", "2027-01-03")
	b.closing(t, "2026-12")
	equal(t, "a correction", []string{
		"00420 Background agent Nightly Job, correction of 2026-11, " + use + " (0.0202 of 0.0303) of 0.0101: 0.006733333333 CB-2026-11-00420-r0",
		"CC-1001 Background agent Nightly Job, correction of 2026-11, among those who used it, " + use + " () of 0.0101: -0.0101 CB-2026-11-CC1001-r0",
		"CC-5001 Background agent Nightly Job, correction of 2026-11, " + use + " (0.0101 of 0.0303) of 0.0101: 0.003366666667 SB-2026-11-CC5001-r0",
	}, b.sharedLines(t, "2026-12", "nightly-job"))
	tied("2026-12")
}
