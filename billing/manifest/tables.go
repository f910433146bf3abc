package manifest

import (
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// The tables of staged rows.
var (
	UsageTable    = warehouse.StagedTable(record.UsageSchema, "usage_date", "meter_id")
	RequestsTable = warehouse.StagedTable(record.RequestSchema, "request_date", "task_id")
	PeopleTable   = warehouse.StagedTable(record.PeopleSchema, "")
	TotalsTable   = warehouse.StagedTable(record.TotalSchema, "bucket_date")
)

// DirtyDaysTable has the days of which the cost records no longer follow from what is
// staged: a row is added each time that something of a day changes.
var DirtyDaysTable = warehouse.Table{Name: "dirty_days", About: "Business dates whose staged rows changed since their cost records were made", Columns: []record.Column{
	{Name: "day", Type: record.Date},
	{Name: "only_added", Type: record.Bool, Nullable: true, About: "rows came and none went; null: rows are gone, or a version wrote it that kept nothing of it"},
}}

var objectsTable = warehouse.Table{Name: "objects", About: "The manifest: every version of every object that was read", Cluster: []string{"source", "day", "object_key"}, Columns: []record.Column{
	{Name: "object_id", Type: record.Int, About: "hash of source, key and etag"},
	{Name: "source", Type: record.Text, About: "name of the source in the config"},
	{Name: "format", Type: record.Text},
	{Name: "object_key", Type: record.Text, About: "relative to the source's prefix"},
	{Name: "etag", Type: record.Text},
	{Name: "size_bytes", Type: record.Int},
	{Name: "day", Type: record.Date, Nullable: true, About: "delivery day in the key; null where it has none"},
	{Name: "state", Type: record.Text, About: "read, failed, missing (gone from the source), deleted (gone for good: its rows are no longer kept), replaced (rewritten) or earlier (a snapshot that a later one follows)"},
	{Name: "rows_staged", Type: record.Int},
	{Name: "rows_rejected", Type: record.Int},
	{Name: "rows_before_start", Type: record.Int, About: "older than company.start"},
	{Name: "error", Type: record.Text, Nullable: true, About: "why it failed, or who says that it is gone for good"},
	{Name: "run", Type: record.Text, About: "window that read it"},
	{Name: "rows_ignored", Type: record.Int, Nullable: true, About: "of no concern by the format's rules; null: none"},
	{Name: "modified_at", Type: record.Time, Nullable: true, About: "when this version was written"},
	{Name: "reading", Type: record.Text, Nullable: true, About: "table of its rows and fingerprint of the settings that it was read by; null: by a version that kept none"},
	{Name: "missing_since", Type: record.Date, Nullable: true, About: "of a missing one: night that did not find it; null: it is there and can't be read any more, or a version wrote it that kept no day"},
	{Name: "first_row_day", Type: record.Date, Nullable: true, About: "business date of its first staged row, where rows have one; null: it has none, or a version wrote it that kept no days"},
	{Name: "last_row_day", Type: record.Date, Nullable: true, About: "business date of its last staged row"},
}}

var rejectsTable = warehouse.Table{Name: "rejects", About: "Records that could not be taken in; never their content", Columns: []record.Column{
	{Name: "object_id", Type: record.Int},
	{Name: "line", Type: record.Int, About: "line on which the record starts"},
	{Name: "reason", Type: record.Text},
}}

// Tables are the tables that the manifest owns: staged rows with the tables that they
// point into, objects, rejects and changed days.
func Tables() []warehouse.Table {
	tables := []warehouse.Table{UsageTable, RequestsTable, PeopleTable, TotalsTable, objectsTable, rejectsTable, DirtyDaysTable}
	for _, schema := range record.DimensionSchemas {
		tables = append(tables, warehouse.StagedTable(schema, ""))
	}
	return tables
}
