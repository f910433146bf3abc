package jobs_test

import (
	"errors"
	"strings"
	"testing"

	"chargeback/jobs"
)

// Goal: what a cost centre that has ended would pay is paid by its successor from
// the first day on, also where its people still name the old one; without a
// successor, or before it begins, the month doesn't close.
func TestEndedCostCentre(t *testing.T) {
	t.Parallel()
	const product = "code: CC-1001, name: Product,"
	for _, tt := range []struct{ name, dates, refused, want string }{
		{"a successor", "to: 2026-10-30, successor: \"00420\",", "", "2026-10-29 CC-1001\n2026-10-30 00420\n"},
		{"no successor", "to: 2026-10-30,", "gate directory: payers that the directory does not know, or not on those days: CC-1001 has ended (to: 2026-10-30) without a successor that is in force, and is charged for 2026-10-30; name a successor", "2026-10-29 CC-1001\n2026-10-30 CC-1001\n"},
		{"not begun", "from: 2026-10-30,", "CC-1001 begins on 2026-10-30 and is charged for 2026-10-29; correct its from", "2026-10-29 CC-1001\n2026-10-30 CC-1001\n"},
		{"ended after all of it", "to: 2026-10-31,", "", "2026-10-29 CC-1001\n2026-10-30 CC-1001\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCompany(t)
			c.edit("directory.yaml", product, product+" "+tt.dates)
			c.edit("chargeback.yaml", "shared_costs:\n  - {name: Gateway hosting, amount_usd: \"10.00\", split: proportional}\n", "")
			c.call("before", "2026-10-29T22:59:59Z", "user002@example.com", 1000, 10)
			c.call("after", "2026-10-29T23:00:01Z", "user002@example.com", 1000, 10)
			b := open(t, c.dir, wiring{})
			b.nights(t, firstDay, lateDay)
			equal(t, "who pays", tt.want, strings.Join(b.lines(t, "select usage_date, cost_center from {cost_records} order by all"), ""))
			_, err := b.Monthly(t.Context(), month(october), b.due(october))
			if tt.refused == "" && err != nil || tt.refused != "" && (!errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), tt.refused)) {
				t.Errorf("close: %v, want %q", err, tt.refused)
			}
		})
	}
}

// Goal: the issuer's cost centre, which also bears what nobody else does, hands over to
// its successor like any other; without one that is in force the close says so.
func TestIssuerThatHasEnded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, centers, want string }{
		{"with a successor", "  - {code: CC-9000, name: Old, department: Platform, to: 2026-10-01, successor: CC-9001, company_code: \"1000\"}\n  - {code: CC-9001, name: New, department: Platform, company_code: \"1000\"}\n", ""},
		{"without one", "  - {code: CC-9000, name: Old, department: Platform, to: 2026-10-01, company_code: \"1000\"}\n", "the issuer's cost centre CC-9000 is not in force"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.edit("directory.yaml", companyIssuer, tt.centers)
			c.call("one", "2026-10-29T10:00:00Z", "user001@example.com", 10_000, 10_000)
			b := open(t, c.dir, wiring{})
			b.nights(t, firstDay, lateDay)
			s, err := b.Monthly(t.Context(), month(october), b.due(october))
			if tt.want != "" {
				if !errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("close ended with %v, want %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows(t, s.Journal) {
				if row["credit"] != "" && row["cost_center"] != "CC-9001" {
					t.Errorf("credited: %v", row)
				}
			}
		})
	}
}
