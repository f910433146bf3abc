package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"chargeback/billing/invoice"
	"chargeback/billing/ledger"
	"chargeback/billing/months"
	"chargeback/billing/records"
	"chargeback/billing/runs"
	"chargeback/billing/warehouse"
	"chargeback/jobs"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// countedReads is a warehouse that counts the selects that read a table.
type countedReads struct {
	warehouse.Warehouse
	table string
	times *int
}

func (c countedReads) Query(ctx context.Context, s warehouse.Select, yield func(warehouse.Row) error) error {
	if strings.Contains(s.Text, "{"+c.table+"}") {
		*c.times++
	}
	return c.Warehouse.Query(ctx, s, yield)
}

// correctedCenters is a company whose closed October has an invoice and a statement of
// each of many cost centres, and a correction of each that November charges.
func correctedCenters(t *testing.T, centers int, times *int) *books {
	t.Helper()
	b := open(t, newCompany(t).dir, wiring{engine: func(w warehouse.Warehouse) warehouse.Warehouse { return countedReads{w, "invoices", times} }})
	var issued []months.Issued
	facts, payers := [][]any{}, [][]any{}
	day := civil.Date{Year: 2026, Mon: time.October, Day: 30}
	cost := money.MustParse("0.5")
	for n := range centers {
		code, id := fmt.Sprintf("CC-%05d", n), int64(n+1)
		invoiced := invoice.Document{Number: invoice.Number(october, code, 0)}
		invoiced.Direct.Lines = make([]invoice.Line, 1)
		for _, d := range []invoice.Document{{Number: invoice.StatementNumber(october, code, 0)}, invoiced} {
			text, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			issued = append(issued, months.Issued{Number: d.Number, Month: october, CostCenter: code, Document: string(text)})
		}
		payers = append(payers, []any{id, "Engineering", code})
		facts = append(facts, fact(t, records.Args{
			"record_id": id, "correction": int64(1), "usage_date": day, "billing_month": month("2026-11").FirstDay(), "meter_id": int64(1), "payer_id": id,
			"ruling_id": int64(0), "run_date": day, "started_at": day.Start(time.UTC), "total_cost_usd": cost, "llm_cost_usd": cost,
		}))
	}
	closing, err := b.Ledger.Months.Close(t.Context(), month(october), time.Unix(0, 0), "hash", jobs.MonthlySummary{}, issued)
	if err != nil {
		t.Fatal(err)
	}
	closing = append(closing, warehouse.Append{Table: "record_facts", Rows: facts}, warehouse.Append{Table: "payers", Rows: payers},
		warehouse.Append{Table: "meters", Rows: [][]any{{int64(1), "bedrock", nil, nil, ownModel, nil, nil, nil, nil}}})
	if err := b.Ledger.Apply(t.Context(), closing...); err != nil {
		t.Fatal(err)
	}
	return b
}

// fact is a cost record with nothing but what set names: 0, or null.
func fact(t *testing.T, set records.Args) (row []any) {
	t.Helper()
	of, _ := ledger.Layout().Table("record_facts")
	for _, c := range of.Columns {
		v := set[c.Name]
		if v == nil && !c.Nullable {
			v = int64(0)
			if c.Type == records.Bool {
				v = false
			}
		}
		row = append(row, v)
	}
	return row
}

// Goal: what a close reads of documents that are corrected does not grow with cost
// centres: each month's documents are read once.
// Method: count the selects for few and many cost centres with two documents each.
func TestCorrectedDocumentsAreReadOnce(t *testing.T) {
	t.Parallel()
	read := map[int]int{}
	for _, centers := range []int{2, 40} {
		times := 0
		b := correctedCenters(t, centers, &times)
		before := times
		if _, _, _, err := b.SharedParts(t.Context(), month("2026-11")); err != nil {
			t.Fatal(err)
		}
		read[centers] = times - before
	}
	if read[2] == 0 || read[2] != read[40] {
		t.Errorf("documents of 2 cost centres were read %d times, of 40 %d times", read[2], read[40])
	}
}

// Goal: a closed month whose records are no longer those of its close is told, and its
// files are written as they were issued.
func TestChangedClosedMonth(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]warehouse.Change{
		"nothing changed":      nil,
		"one record is dearer": warehouse.Update{Table: "record_facts", Set: records.Args{"llm_cost_usd": money.MustParse("1")}, Where: "record_id = (select min(record_id) from {record_facts} where correction = 0)"},
		"no record is left":    warehouse.Delete{Table: "record_facts", Where: "true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, b := closable(t)
			b.closing(t, october)
			if change != nil {
				if err := b.Ledger.Apply(t.Context(), change); err != nil {
					t.Fatal(err)
				}
			}
			var told []string
			for _, p := range b.closing(t, october).Problems {
				told = append(told, p.Kind)
			}
			var want []string
			if change != nil {
				want = []string{jobs.KindChangedMonth}
			}
			equal(t, "problems of a close that was done before", want, told)
		})
	}
}

// Goal: a run of very many problems ends, with the first of them and their count in its
// summary and all others in a table.
// Method: so many objects of a source that can't be read.
func TestManyProblems(t *testing.T) {
	t.Parallel()
	const objects = 105
	c := newCompany(t)
	c.ordinary(firstDay, firstDay)
	for n := range objects {
		c.put(usageKey("2026-10-28T12:00:00Z", fmt.Sprint(n)), zip([]byte("cut off"))[:12])
	}
	b := open(t, c.dir, wiring{})
	s := b.night(t, date(firstDay))
	last, err := b.Ledger.Runs.Last(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var kept jobs.NightlySummary
	if err := json.Unmarshal([]byte(last[0].Summary), &kept); err != nil {
		t.Fatal(err)
	}
	rest, err := b.Ledger.Runs.Problems(t.Context(), s.Window, s.Attempt)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Problems) < objects {
		t.Fatalf("the night told %d problems, want at least %d: %v", len(s.Problems), objects, s.Problems)
	}
	equal(t, "count", len(s.Problems), kept.ProblemCount)
	all := kept.Problems
	for _, p := range rest {
		all = append(all, jobs.Problem(p))
	}
	equal(t, "in the summary", runs.SummaryMost, len(kept.Problems))
	equal(t, "problems", s.Problems, all)
}
