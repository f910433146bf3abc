// Package meta keeps the few facts of a ledger that stand alone: a name and a
// value each.
//
// It owns: the table, and the rule that a pinned fact never changes.
// It does not own: which facts there are, or what they mean (manifest, records,
// months, ledger).
package meta

import (
	"context"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// Start is the fact that names the first day which a ledger accounts for.
const Start = "start"

// Table is where the facts stand.
var Table = warehouse.Table{Name: "meta", About: "Facts that must not change under a ledger, and by what it was last made", Columns: []record.Column{
	{Name: "name", Type: record.Text},
	{Name: "value", Type: record.Text},
}}

// Get returns the fact of a name, "" where there is none.
func Get(ctx context.Context, q warehouse.Querier, name string) (string, error) {
	value, _, err := warehouse.Maybe[string](ctx, q, warehouse.Select{
		Name: "read ledger's " + name, Text: "select value from {meta} where name = {@name}", Args: warehouse.Args{"name": name},
	})
	return value, err
}

// All returns every fact by its name.
func All(ctx context.Context, q warehouse.Querier) (map[string]string, error) {
	found := map[string]string{}
	err := warehouse.Each(ctx, q, warehouse.Select{Name: "read ledger's facts", Text: "select name, value from {meta}"}, func(f struct{ Name, Value string }) error {
		found[f.Name] = f.Value
		return nil
	})
	return found, err
}

// Set keeps a fact under a name, in place of an earlier one; "" keeps none.
func Set(name, value string) []warehouse.Change {
	if value == "" {
		return []warehouse.Change{warehouse.Delete{Table: Table.Name, Where: "name = {@name}", Args: warehouse.Args{"name": name}}}
	}
	return warehouse.Put(Table, []string{"name"}, []any{name, value})
}

// Pin keeps a fact that has no value yet, and returns the one that holds: another
// one where it was kept before.
func Pin(ctx context.Context, w warehouse.Warehouse, name, value string) (holds string, err error) {
	known, err := Get(ctx, w, name)
	if err != nil || known != "" {
		return known, err
	}
	return value, w.Apply(ctx, warehouse.Append{Table: Table.Name, Rows: [][]any{{name, value}}})
}
