package program_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/program"
	"chargeback/billing/warehouse"
	"chargeback/transform/models"
)

var errFull = errors.New("disk is full")

// engine writes down what is computed and dropped.
type engine struct {
	warehouse.Warehouse
	steps []string
	fails string // table that can't be computed
}

func (e *engine) Compute(_ context.Context, name string, s warehouse.Select) error {
	if name == e.fails {
		return errFull
	}
	var reads []string
	for _, n := range warehouse.Named(s.Text) {
		if view, is := s.Views[n]; is {
			n += "=" + view
		}
		reads = append(reads, n)
	}
	e.steps = append(e.steps, fmt.Sprintf("compute %s of %s", name, strings.Join(reads, ", ")))
	return nil
}

func (e *engine) Drop(_ context.Context, names ...string) error {
	if slices.Sort(names); len(names) > 0 {
		e.steps = append(e.steps, "drop "+strings.Join(names, ", "))
	}
	return nil
}

// Goal: only what results stand upon is computed, in order, and each table goes with
// its last reader; a view means what it meant where a table was added.
// Method: tables that read each other through views, one that nobody reads, and a view
// that is added again behind its first reader.
func TestRun(t *testing.T) {
	e := &engine{}
	p := program.New(e, nil, map[string]string{"given": "select 1"}, nil)
	p.Table("a", "a", "select * from {given}")
	p.View("b", "select * from {a}")
	p.Table("unread", "unread", "select * from {a}")
	p.Table("c", "c", "select * from {b}")
	p.Table("d", "d", "select * from {c}")
	p.View("b", "select * from {d}")
	p.Table("e", "e", "select * from {b}, {c}")
	if err := p.Run(t.Context(), "d", "e"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"compute a of given=select 1", "compute c of b=select * from {a}", "drop a", "compute d of c", "compute e of b=select * from {d}, c", "drop c",
	}
	if diff := cmp.Diff(want, e.steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestRunFails(t *testing.T) {
	e := &engine{fails: "b"}
	p := program.New(e, nil, nil, nil)
	p.Table("a", "rows that count", "select 1")
	p.Table("b", "rows by day", "select * from {a}")
	p.Table("c", "c", "select * from {b}")
	if err := p.Run(t.Context(), "c"); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "rows by day") {
		t.Errorf("error %v, want one that names the table and the cause", err)
	}
	if diff := cmp.Diff([]string{"compute a of "}, e.steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// Goal: models are added in their own order, each as it is kept, and one that is not
// there is refused.
func TestModels(t *testing.T) {
	all := []models.Model{{Name: "first", Text: "select 1", AsTable: true}, {Name: "second", Text: "select * from {first}"}, {Name: "third", Text: "select * from {second}", AsTable: true}}
	e := &engine{}
	p := program.New(e, all, nil, nil)
	if err := p.Add("third", "second", "first"); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context(), "third"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"compute first of ", "compute third of second=select * from {first}", "drop first"}, e.steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if err := p.Add("first", "fourth"); err == nil || !strings.Contains(err.Error(), "fourth") {
		t.Errorf("error %v, want one that names the model that is not there", err)
	}
}
