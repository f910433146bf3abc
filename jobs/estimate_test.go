package jobs_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// billing is a warehouse that bills a million bytes for each stored table that a
// statement reads. What it estimates it checks: that the text can be run where work
// tables are without rows.
type billing struct {
	warehouse.Warehouse
	computed []string // work tables that were made with rows
}

const million = 1_000_000

func (b *billing) Compute(ctx context.Context, name string, s warehouse.Select) error {
	b.computed = append(b.computed, name)
	return b.Warehouse.Compute(ctx, name, s)
}

func (b *billing) Estimate(ctx context.Context, s warehouse.Select) (int64, error) {
	s.Text = "select count(*) as rows_read from (\n" + s.Text + "\n) as all_rows"
	return million, b.Query(ctx, s, func(warehouse.Row) error { return nil })
}

func (b *billing) EstimateCompute(ctx context.Context, name string, s warehouse.Select) (int64, error) {
	s.Text = "select * from (\n" + s.Text + "\n) as all_rows limit 0"
	return million, b.Warehouse.Compute(ctx, name, s)
}

func (b *billing) WorkColumns(ctx context.Context, name string) (columns []record.Column, err error) {
	err = b.Query(ctx, warehouse.Select{
		Text: "select column_name from duckdb_columns() where table_name = {@name} and database_name in ('temp', 'chargeback_work')", Args: warehouse.Args{"name": name},
	}, func(r warehouse.Row) error {
		columns = append(columns, record.Column{Name: r.Values[0].(string), Type: record.Int})
		return nil
	})
	if len(columns) == 0 && err == nil {
		err = fmt.Errorf("work table %s has no columns", name)
	}
	return columns, err
}

// Goal: what a night and pricing again would read is said without doing it.
// Method: a ledger of some nights over a warehouse that bills; each model of a night
// is a step of the estimate, nothing is computed, and the ledger stays as it is. Where
// nothing is billed there are days and rows and no steps.
func TestEstimate(t *testing.T) {
	t.Parallel()
	c := inputsCompany(t)
	bills := &billing{}
	b := open(t, c.dir, wiring{engine: func(e warehouse.Warehouse) warehouse.Warehouse {
		bills.Warehouse = e
		return bills
	}})
	nothing, err := b.EstimateReprice(t.Context())
	if err != nil || len(nothing.Parts) != 0 || nothing.Bytes() != 0 {
		t.Errorf("pricing an empty ledger again: %+v, %v", nothing, err)
	}
	first, err := b.EstimateNights(t.Context(), records.Days{First: date(firstDay), Last: date(firstDay)})
	if err != nil || first.Parts[0].Rows != 0 || first.Bytes() == 0 {
		t.Errorf("the first night: %+v, %v", first, err)
	}
	b.nights(t, firstDay, lastDay)
	done := bills.computed
	if len(done) == 0 {
		t.Fatal("the nights have computed nothing")
	}
	bills.computed = nil
	before := b.state(t)

	night := records.Days{First: date(lastDay), Last: date(lastDay)}
	e, err := b.EstimateNights(t.Context(), night)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Days) != 1 || e.Days[0].Last != date(lastDay) || e.Parts[0].Rows == 0 || !e.Parts[0].Billed {
		t.Errorf("the night recomputes %v of %d rows, billed: %t", e.Days, e.Parts[0].Rows, e.Parts[0].Billed)
	}
	var steps []string
	for _, s := range e.Parts[0].Steps {
		steps = append(steps, s.Step)
		if s.Bytes < million {
			t.Errorf("step %s reads %d bytes", s.Step, s.Bytes)
		}
	}
	for _, name := range done {
		if strings.HasPrefix(name, "new_") || strings.HasPrefix(name, "ref_") || strings.HasPrefix(name, "near_") || name == "moved_rows" {
			continue // told by what it is
		}
		if !slices.Contains(steps, "model "+name) {
			t.Errorf("model %s, which a night computes, is no step of %v", name, steps)
		}
	}
	for _, want := range []string{"what occurs: models", "rows that share ids", "rows of usage that are read", "control totals", "records that are replaced", "records that replace them"} {
		if !slices.Contains(steps, want) {
			t.Errorf("%s is no step of %v", want, steps)
		}
	}
	if e.Bytes() <= int64(len(steps))*million {
		t.Errorf("%d steps read %d bytes: nothing of work tables", len(steps), e.Bytes())
	}
	again, err := b.EstimateReprice(t.Context())
	if err != nil || again.Bytes() == 0 || again.Parts[0].Rows == 0 {
		t.Errorf("pricing again: %+v, %v", again, err)
	}
	if len(bills.computed) != 0 {
		t.Errorf("the estimates have computed %v", bills.computed)
	}
	same(t, before, b.state(t))

	free := open(t, c.dir, wiring{ledger: t.TempDir() + "/other.duckdb"})
	free.nights(t, firstDay, lastDay)
	e, err = free.EstimateNights(t.Context(), night)
	if err != nil || e.Parts[0].Billed || len(e.Parts[0].Steps) != 0 || e.Parts[0].Rows == 0 || len(e.Days) == 0 {
		t.Errorf("where nothing is billed: %+v, %v", e, err)
	}
}
