package warehouse_test

import (
	"context"
	"errors"
	"testing"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// priced is an engine in which each statement reads 100 bytes of stored tables, and
// each work table has a number and a text.
type priced struct{ fails error }

func (p priced) Estimate(context.Context, warehouse.Select) (int64, error) { return 100, p.fails }

func (p priced) EstimateCompute(context.Context, string, warehouse.Select) (int64, error) {
	return 100, p.fails
}

func (p priced) WorkColumns(context.Context, string) ([]record.Column, error) {
	return []record.Column{{Name: "id", Type: record.Int}, {Name: "word", Type: record.Text}}, nil
}

// Goal: work tables, which are without rows, are reckoned by the rows that they are
// made of and the columns that are read of them.
func TestPlan(t *testing.T) {
	ctx := t.Context()
	p := warehouse.NewPlan(priced{}, map[string]int64{"usage": 10, "requests": 5})
	if p.Bytes() != 0 || len(p.Steps) != 0 {
		t.Errorf("a plan of nothing reads %d bytes", p.Bytes())
	}
	add := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	views := map[string]string{"both": "select id from {one} union all select id from {requests}"}
	add(p.Compute(ctx, "one", warehouse.Select{Name: "one", Text: "select id, word from {usage}"}))                           // 10 rows
	add(p.Compute(ctx, "two", warehouse.Select{Name: "two", Text: "select id from {both}", Views: views}))                    // 15 rows, reads 10 ids
	add(p.Compute(ctx, "three", warehouse.Select{Name: "three", Text: "select t.id, o.word from {two} as t, {one} as o"}))    // at most 15 rows
	add(p.Compute(ctx, "one", warehouse.Select{Name: "one again", Text: "select id from {one} union all select 1 from {x}"})) // reads itself as it was
	add(p.Query(ctx, warehouse.Select{Name: "sum", Text: "select count(*) * 2 as n from {three}"}))
	add(p.Query(ctx, warehouse.Select{Name: "all", Text: "select t.* from {three} as t"}))
	add(p.Query(ctx, warehouse.Select{Name: "small", Text: "select id from {payers}"}))
	want := []warehouse.Estimated{
		{"one", 100}, {"two", 100 + 10*8}, {"three", 100 + 15*(8+22) + 10*(8+22)}, {"one again", 100 + 10*8}, {"sum", 100}, {"all", 100 + 15*(8+22)}, {"small", 100},
	}
	if len(p.Steps) != len(want) {
		t.Fatalf("steps %v, want %v", p.Steps, want)
	}
	var sum int64
	for i, w := range want {
		sum += w.Bytes
		if p.Steps[i] != w {
			t.Errorf("step %v, want %v", p.Steps[i], w)
		}
	}
	if p.Bytes() != sum {
		t.Errorf("in all %d bytes, want %d", p.Bytes(), sum)
	}
	fails := errors.New("no such table")
	p = warehouse.NewPlan(priced{fails}, nil)
	if err := errors.Join(p.Query(ctx, warehouse.Select{Text: "select 1"})); !errors.Is(err, fails) {
		t.Errorf("a select that can't be run: %v", err)
	}
	if err := p.Compute(ctx, "one", warehouse.Select{Text: "select 1"}); !errors.Is(err, fails) || len(p.Steps) != 0 {
		t.Errorf("a work table that can't be made: %v", err)
	}
}
