package report_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/report"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

func TestRefusedArguments(t *testing.T) {
	ctx := t.Context()
	for _, tt := range []struct {
		name string
		read func() (report.Report, error)
		want string
	}{
		{"no agent", func() (report.Report, error) { return report.AgentDaily(ctx, broken{}, "", october.LastDay(), 7) }, "no agent"},
		{"no days", func() (report.Report, error) { return report.AgentDaily(ctx, broken{}, "bot", october.LastDay(), 0) }, "0 days; ask for 1 or more"},
		{"limit below zero", func() (report.Report, error) {
			return report.Rejects(ctx, broken{}, october, report.Page{Limit: -1})
		}, "limit -1"},
		{"offset below zero", func() (report.Report, error) {
			return report.Conflicts(ctx, broken{}, october, report.Page{Offset: -5})
		}, "offset -5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tt.read(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

var errGone = errors.New("ledger is gone")

// broken is a ledger that can't be read.
type broken struct{}

func (broken) Query(_ context.Context, s warehouse.Select, _ func(warehouse.Row) error) error {
	return s.Failed(errGone)
}

func TestReadErrors(t *testing.T) {
	ctx := t.Context()
	for name, read := range map[string]func() (report.Report, error){
		"departments":  func() (report.Report, error) { return report.Departments(ctx, broken{}, october) },
		"cost-centers": func() (report.Report, error) { return report.CostCenters(ctx, broken{}, october) },
		"agents":       func() (report.Report, error) { return report.Agents(ctx, broken{}, october) },
		"agent-daily":  func() (report.Report, error) { return report.AgentDaily(ctx, broken{}, "bot", october.LastDay(), 1) },
		"users":        func() (report.Report, error) { return report.Users(ctx, broken{}, october, "", 1) },
		"savings":      func() (report.Report, error) { return report.Savings(ctx, broken{}, october) },
		"matches":      func() (report.Report, error) { return report.Matches(ctx, broken{}, october) },
		"held":         func() (report.Report, error) { return report.Held(ctx, broken{}, october) },
		"rejects":      func() (report.Report, error) { return report.Rejects(ctx, broken{}, october, report.Page{}) },
		"objects":      func() (report.Report, error) { return report.Objects(ctx, broken{}) },
		"conflicts":    func() (report.Report, error) { return report.Conflicts(ctx, broken{}, october, report.Page{}) },
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := read(); !errors.Is(err, errGone) || !strings.Contains(err.Error(), "report "+name) {
				t.Errorf("error %v, want one that names the report and the cause", err)
			}
		})
	}
}

// Goal: a month in which nothing happened reads as that.
// Method: a new ledger.
func TestEmptyMonth(t *testing.T) {
	r, err := report.CostCenters(t.Context(), openBooks(t), october)
	must(t, r, err)
	var table, asJSON strings.Builder
	if err := errors.Join(report.Table(&table, r, 60), report.JSON(&asJSON, r)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("Cost by cost centre, 2026-10\nNothing to report.\n", table.String()); diff != "" {
		t.Errorf("table differs (-want +got):\n%s", diff)
	}
	want := `{
  "report": "cost-centers",
  "title": "Cost by cost centre",
  "month": "2026-10",
  "rows": [],
  "total": {"requests": 0, "input_tokens": 0, "output_tokens": 0, "llm_cost_usd": "0.00", "infra_cost_usd": "0.00", "tool_cost_usd": "0.00", "total_cost_usd": "0.00", "held": 0},
  "notes": []
}
`
	if diff := cmp.Diff(want, asJSON.String()); diff != "" {
		t.Errorf("JSON differs (-want +got):\n%s", diff)
	}
}

// Goal: pages of a list meet without a gap or a repeat, and say where they lie.
// Method: the example's two conflicts, by page and month.
func TestPages(t *testing.T) {
	b := openBooks(t)
	b.fillExample(t)
	november := civil.Month{Year: 2026, Month: time.November}
	for _, tt := range []struct {
		name  string
		month civil.Month
		page  report.Page
		lines []any
		note  string
	}{
		{"all", october, report.Page{}, []any{int64(7), int64(8)}, ""},
		{"first page", october, report.Page{Limit: 1}, []any{int64(7)}, "Rows 1 to 1 of 2."},
		{"last page", october, report.Page{Limit: 1, Offset: 1}, []any{int64(8)}, "Rows 2 to 2 of 2."},
		{"a page that is not full", october, report.Page{Limit: 10, Offset: 1}, []any{int64(8)}, "Rows 2 to 2 of 2."},
		{"beyond the end", october, report.Page{Limit: 10, Offset: 2}, nil, "The list has 2 rows; offset 2 is beyond its end."},
		{"another month", november, report.Page{}, []any{int64(1)}, ""},
		{"a month without any", november.Next(), report.Page{Limit: 5}, nil, ""},
		{"all months", civil.Month{}, report.Page{}, []any{int64(7), int64(8), int64(1)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := report.Conflicts(t.Context(), b, tt.month, tt.page)
			must(t, r, err)
			var lines []any
			for _, row := range r.Rows {
				lines = append(lines, row[2])
			}
			if diff := cmp.Diff(tt.lines, lines); diff != "" {
				t.Errorf("lines differ (-want +got):\n%s", diff)
			}
			want := []string{tt.note}
			if tt.note == "" {
				want = nil
			}
			if len(tt.lines) > 0 {
				want = append(want, report.ConflictAdvice)
			}
			if diff := cmp.Diff(want, r.Notes); diff != "" {
				t.Errorf("notes differ (-want +got):\n%s", diff)
			}
		})
	}
}

// Goal: a reject shows in the month of its object, and in no month where the
// object was replaced.
// Method: the example's rejects by month, and an object without a day.
func TestRejectsByMonth(t *testing.T) {
	b := openBooks(t)
	b.fillExample(t)
	b.insert(t, "objects", values{"object_id": int64(9), "source": "people", "object_key": "people.csv", "state": "read", "day": nil})
	b.insert(t, "rejects", values{"object_id": int64(9), "line": int64(4), "reason": "valid_from: missing"})
	for _, tt := range []struct {
		name  string
		month civil.Month
		want  int
	}{
		{"the month of delivery, and what has no day", october, 3},
		{"another month: only what has no day", october.Next(), 1},
		{"all months", civil.Month{}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := report.Rejects(t.Context(), b, tt.month, report.Page{})
			if must(t, r, err); len(r.Rows) != tt.want {
				t.Errorf("%d rejects, want %d: %v", len(r.Rows), tt.want, r.Rows)
			}
		})
	}
}

// Goal: a department's users are those of that department only, however a name
// is spelt that came from a command line.
// Method: names that match, that don't, and one that would end a SQL text.
func TestUsersOfADepartment(t *testing.T) {
	b := openBooks(t)
	b.fillExample(t)
	for _, tt := range []struct {
		department string
		want       int
	}{
		{"Support", 2},
		{"support", 0},
		{"UNALLOCATED", 1},
		{"' or ''='", 0},
	} {
		t.Run(tt.department, func(t *testing.T) {
			if r := everyUser(t, b, tt.department, 0); len(r.Rows) != tt.want {
				t.Errorf("%d users, want %d: %v", len(r.Rows), tt.want, r.Rows)
			}
		})
	}
}
