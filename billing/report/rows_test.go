package report_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/report"
	"chargeback/billing/warehouse"
)

// answer is what one select has given.
type answer struct {
	named   string
	columns []string
	rows    [][]any
}

// listening keeps the answers of a ledger.
type listening struct {
	warehouse.Querier
	heard *[]answer
}

func (l listening) Query(ctx context.Context, s warehouse.Select, yield func(warehouse.Row) error) error {
	a := answer{named: s.Name}
	err := l.Querier.Query(ctx, s, func(r warehouse.Row) error {
		a.columns = slices.Clone(r.Columns)
		a.rows = append(a.rows, slices.Clone(r.Values))
		return yield(r)
	})
	*l.heard = append(*l.heard, a)
	return err
}

// telling gives answers again, in their order.
type telling struct{ left *[]answer }

func (q telling) Query(_ context.Context, _ warehouse.Select, yield func(warehouse.Row) error) error {
	a := (*q.left)[0]
	*q.left = (*q.left)[1:]
	for _, values := range a.rows {
		if err := yield(warehouse.Row{Columns: a.columns, Values: values}); err != nil {
			return err
		}
	}
	return nil
}

// without is an answer that lacks a column.
func (a answer) without(column int) answer {
	a.columns = slices.Delete(slices.Clone(a.columns), column, column+1)
	rows := make([][]any, len(a.rows))
	for i, values := range a.rows {
		rows[i] = slices.Delete(slices.Clone(values), column, column+1)
	}
	a.rows = rows
	return a
}

// with is an answer with another value in the last row.
func (a answer) with(column int, v any) answer {
	a.rows = slices.Clone(a.rows)
	last := len(a.rows) - 1
	a.rows[last] = slices.Clone(a.rows[last])
	a.rows[last][column] = v
	return a
}

// Goal: what a report reads it reads by name and type: a column that is missing, a value
// of another type, and null where a figure must be known, is an error that names the
// select, and never 0 or "".
// Method: each report hears the answers of a ledger that has something for each of its
// selects; then once more for every column of every answer, without it, and with another
// value in the last row: a time, which no column has, and null. Which columns may be null
// is written down here.
func TestRowsByName(t *testing.T) {
	b := openBooks(t)
	b.fillExample(t)
	b.fillTotals(t)
	b.record(t, cost("Support", "00420", "support-bot", "user001@example.com", sonnet46, 3, values{"rate_id": int64(7), "flags": "forecast"}))
	b.insert(t, "repeats", values{"kind": "request", "object_id": int64(1), "line": int64(99), "usage_date": october.FirstDay(), "verdict": "copy"})
	nulls := map[string]bool{}
	for name, read := range map[string]func(report.Querier) error{
		"departments":  func(q report.Querier) error { _, err := report.Departments(t.Context(), q, october); return err },
		"cost-centers": func(q report.Querier) error { _, err := report.CostCenters(t.Context(), q, october); return err },
		"agents":       func(q report.Querier) error { _, err := report.Agents(t.Context(), q, october); return err },
		"agent-daily": func(q report.Querier) error {
			_, err := report.AgentDaily(t.Context(), q, "support-bot", october.LastDay(), 31)
			return err
		},
		"users": func(q report.Querier) error {
			_, err := report.Users(t.Context(), q, october, "Support", 0)
			return err
		},
		"savings": func(q report.Querier) error { _, err := report.Savings(t.Context(), q, october); return err },
		"matches": func(q report.Querier) error { _, err := report.Matches(t.Context(), q, october); return err },
		"held":    func(q report.Querier) error { _, err := report.Held(t.Context(), q, october); return err },
		"rejects": func(q report.Querier) error {
			_, err := report.Rejects(t.Context(), q, october, report.Page{})
			return err
		},
		"objects": func(q report.Querier) error { _, err := report.Objects(t.Context(), q); return err },
		"conflicts": func(q report.Querier) error {
			_, err := report.Conflicts(t.Context(), q, october, report.Page{})
			return err
		},
		"reasons":     func(q report.Querier) error { _, err := report.Reasons(t.Context(), q, october); return err },
		"not-charged": func(q report.Querier) error { _, err := report.Everything(t.Context(), q, october); return err },
		"totals": func(q report.Querier) error {
			_, err := report.Totals(t.Context(), q, october, report.TotalsGroups(), resolve)
			return err
		},
		"bills": func(q report.Querier) error {
			_, err := report.ReadBills(t.Context(), q, october.FirstDay(), october.LastDay(), []string{"aws-bill"}, resolve)
			return err
		},
		"match rates": func(q report.Querier) error {
			_, err := report.MatchRates(t.Context(), q, october.FirstDay(), october.LastDay())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var heard []answer
			if err := read(listening{b, &heard}); err != nil || len(heard) == 0 {
				t.Fatal(len(heard), err)
			}
			for i, a := range heard {
				if a.named == "" || len(a.rows) == 0 {
					t.Errorf("select %d, %q, has no name or no rows", i, a.named)
					continue
				}
				// tell makes the report hear another answer to this select.
				tell := func(other answer) error {
					answers := slices.Clone(heard)
					answers[i] = other
					return read(telling{&answers})
				}
				if err := tell(a); err != nil {
					t.Fatalf("%s, as it was: %v", a.named, err)
				}
				for c, column := range a.columns {
					if err := tell(a.without(c)); err == nil || !strings.Contains(err.Error(), a.named) || !strings.Contains(err.Error(), column) && len(a.columns) > 1 {
						t.Errorf("%s without column %s: %v", a.named, column, err)
					}
					if err := tell(a.with(c, time.Time{})); err == nil || !strings.Contains(err.Error(), a.named) || !strings.Contains(err.Error(), column) {
						t.Errorf("%s with another type of column %s: %v", a.named, column, err)
					}
					if err := tell(a.with(c, nil)); err == nil {
						nulls[a.named+": "+column] = true
					} else if !strings.Contains(err.Error(), a.named) || !strings.Contains(err.Error(), column) {
						t.Errorf("%s with null in column %s: %v", a.named, column, err)
					}
				}
			}
		})
	}
	if diff := cmp.Diff(nullColumns, slices.Sorted(maps.Keys(nulls))); diff != "" {
		t.Errorf("columns that may be null (-want +got):\n%s", diff)
	}
}

// nullColumns are the columns that may be null in what reports read.
var nullColumns = []string{
	"read match rates: request_source",
	"read match rates: usage_source",
	"read report agents: agent_id",
	"read report conflicts: call_id",
	"read report conflicts: differs",
	"read report held: reason",
	"read report not-charged: input_tokens",
	"read report not-charged: line",
	"read report not-charged: model",
	"read report not-charged: output_tokens",
	"read report not-charged: provider",
	"read report not-charged: reason",
	"read report not-charged: usage_date",
	"read report objects: day",
	"read report objects: reason",
	"read report reasons: reason",
	"read report users: user_id",
	"what is flagged: terms",
	"what was reported: amount_sum",
	"what was reported: quantity_sum",
}
