package runs

import (
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

var (
	runsTable = warehouse.Table{Name: "runs", About: "Attempts at windows: a row as each begins, and another one as it ends; earlier versions wrote one row for both", Columns: []record.Column{
		{Name: "run_window", Type: record.Text, About: "nightly/2026-10-31 or monthly/2026-10"},
		{Name: "attempt", Type: record.Int, About: "from 1"},
		{Name: "state", Type: record.Text, About: "running, done or failed"},
		{Name: "started_at", Type: record.Time, About: ""},
		{Name: "finished_at", Type: record.Time, Nullable: true, About: ""},
		{Name: "summary", Type: record.Text, Nullable: true, About: "JSON"},
	}}
	runProblemsTable = warehouse.Table{Name: "run_problems", About: "Problems that attempts have found, behind the first ones, which stand in their summaries", Columns: []record.Column{
		{Name: "run_window", Type: record.Text, About: "of the attempt"},
		{Name: "attempt", Type: record.Int, About: ""},
		{Name: "position", Type: record.Int, About: "among the attempt's problems, from 1"},
		{Name: "kind", Type: record.Text, About: "one word a kind"},
		{Name: "source", Type: record.Text, About: ""},
		{Name: "object", Type: record.Text, About: ""},
		{Name: "what", Type: record.Text, About: "in words"},
	}}
)

// Tables are those of runs.
func Tables() []warehouse.Table { return []warehouse.Table{runsTable, runProblemsTable} }
