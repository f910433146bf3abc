package jobs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/report"
)

// Goal: a night says when too little of a source's usage found its request, and
// the report says which sources met by which key.
// Method: 120 calls of which the gateway logs only some with the provider's id.
func TestMatchAlarm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		matched int // of 120
		setting string
		want    string // of the problem; "" for none
	}{
		{"too few", 60, "", "only 50.00% of its 120 records found their request, which is below match_alarm_percent (90)"},
		{"just too few", 107, "", "only 89.16% of its 120 records"},
		{"enough", 108, "", ""},
		{"a lower bar", 60, "match_alarm_percent: 50\n", ""},
		{"off", 0, "match_alarm_percent: 0\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCompany(t)
			c.edit("chargeback.yaml", `unallocated_limit_usd: "0.01"`, `unallocated_limit_usd: "9.00"`)
			c.append("chargeback.yaml", tt.setting)
			var records []usage
			for i := range 120 {
				id, at := fmt.Sprintf("call-%03d", i), fmt.Sprintf("2026-10-28T09:%02d:%02dZ", i/60, i%60)
				records = append(records, usage{id: "u-" + id, at: at, in: 10, out: 10})
				r := request{id: id, at: at, email: "user001@example.com", agent: "helper", in: 10, out: 10}
				if i < tt.matched {
					r.usageID = "u-" + id
				}
				c.log(r)
			}
			c.deliver(usageKey("2026-10-28T10:00:00Z", "all"), records...)
			b := open(t, c.dir, wiring{})
			var told []string
			for _, p := range b.night(t, date("2026-10-28")).Problems {
				told = append(told, p.Source+" "+p.Object+" "+p.What)
			}
			if all := strings.Join(told, "\n"); (tt.want == "") != (all == "") || !strings.Contains(all, tt.want) || tt.want != "" && !strings.HasPrefix(all, "bedrock 2026-10-22..2026-10-28 ") {
				t.Errorf("problems %q, want %q", all, tt.want)
			}
			r, err := report.Matches(t.Context(), b.Ledger, month("2026-10"))
			if err != nil {
				t.Fatal(err)
			}
			records60 := [][]any{
				{"bedrock", "gateway", int64(60), int64(60), int64(0), int64(0), int64(0), int64(0), "50.00"},
				{"bedrock", nil, int64(60), int64(0), int64(0), int64(0), int64(0), int64(0), "50.00"},
				{nil, "gateway", int64(60), int64(0), int64(0), int64(0), int64(0), int64(0), nil},
			}
			if diff := cmp.Diff(records60, r.Rows); tt.matched == 60 && diff != "" {
				t.Errorf("report (-want +got)\n%s", diff)
			}
		})
	}
}
