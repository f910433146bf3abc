package ledger_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chargeback/billing/ledger"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/duckdb"
	"chargeback/extract/record"
)

// undescribed are the columns of a ledger's view that it says nothing of, and those
// that it describes elsewhere than they stand.
func undescribed(ctx context.Context, path string, v warehouse.View) (names []string, err error) {
	w, err := duckdb.Open(ctx, duckdb.Options{Path: path, Threads: 1})
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Close() }()
	layout := ledger.Layout()
	i := slices.IndexFunc(layout.Views, func(of warehouse.View) bool { return of.Name == v.Name })
	layout.Views[i] = v
	if err := w.Migrate(ctx, layout); err != nil {
		return nil, err
	}
	place := 0
	err = warehouse.Each(ctx, w, warehouse.Select{
		Text: "select column_name, ifnull(comment, '-') as said from duckdb_columns() where table_name = {@view} order by column_index", Args: warehouse.Args{"view": v.Name},
	}, func(c struct{ ColumnName, Said string }) error {
		if c.Said == "-" || c.Said == "" || place >= len(v.Columns) || v.Columns[place].Name != c.ColumnName {
			names = append(names, c.ColumnName)
		}
		place++
		return nil
	})
	if place < len(v.Columns) {
		names = append(names, "columns that there are not")
	}
	return names, err
}

// Goal: each column of the views that people may build upon is described in the ledger,
// in the order in which the view has them.
// Method: what DuckDB's catalogue tells of each; then once without a description of one
// column, and once with one that is not among them.
func TestViewsAreDescribed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "views.duckdb")
	var described []string
	for _, v := range ledger.Layout().Views {
		if len(v.Columns) == 0 {
			continue
		}
		described = append(described, v.Name)
		names, err := undescribed(t.Context(), path, v)
		if err != nil || len(names) > 0 {
			t.Errorf("%s: nothing is said of %q, error %v", v.Name, names, err)
		}
		silent := v
		silent.Columns = slices.Clone(v.Columns)
		silent.Columns[3].About = ""
		if names, err := undescribed(t.Context(), path, silent); err != nil || !slices.Equal(names, []string{v.Columns[3].Name}) {
			t.Errorf("%s without words for one column: %q, error %v", v.Name, names, err)
		}
		short := v
		short.Columns = v.Columns[:len(v.Columns)-1]
		if names, err := undescribed(t.Context(), path, short); err != nil || !slices.Equal(names, []string{v.Columns[len(v.Columns)-1].Name}) {
			t.Errorf("%s without its last column: %q, error %v", v.Name, names, err)
		}
		other := v
		other.Columns = slices.Clone(v.Columns)
		other.Columns[0] = record.Column{Name: "nothing", Type: record.Text, About: "there is none"}
		if _, err := undescribed(t.Context(), path, other); err == nil || !strings.Contains(err.Error(), "nothing") {
			t.Errorf("%s with a column that there is not: error %v", v.Name, err)
		}
	}
	if want := []string{"cost_items", "cost_records", "daily_items"}; !slices.Equal(described, want) {
		t.Errorf("described are %q, want %q", described, want)
	}
}
