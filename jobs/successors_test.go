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
		{"no successor", "to: 2026-10-30,", "gate directory: payers that the directory does not know, or not on those days: CC-1001 has ended (to: 2026-10-30), has no successor and is charged for 2026-10-30; name a successor", "2026-10-29 CC-1001\n2026-10-30 CC-1001\n"},
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
			equal(t, "who pays", tt.want, strings.Join(b.lines(t, "select usage_date, cost_center from cost_records order by all"), ""))
			_, err := b.Monthly(t.Context(), month(october), b.due(october))
			if tt.refused == "" && err != nil || tt.refused != "" && (!errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), tt.refused)) {
				t.Errorf("close: %v, want %q", err, tt.refused)
			}
		})
	}
}
