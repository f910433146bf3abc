package months

import (
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

var (
	monthsTable = warehouse.Table{Name: "months", About: "Closed months", Columns: []record.Column{
		{Name: "month", Type: record.Text, About: ""},
		{Name: "first_day", Type: record.Date, About: ""},
		{Name: "state", Type: record.Text, About: "closed"},
		{Name: "closed_at", Type: record.Time, About: ""},
		{Name: "content_hash", Type: record.Text, About: "of the month's cost records"},
		{Name: "summary", Type: record.Text, About: "JSON: gates and waivers"},
	}}
	invoicesTable = warehouse.Table{Name: "invoices", About: "Documents issued", Columns: []record.Column{
		{Name: "number", Type: record.Text, About: ""},
		{Name: "month", Type: record.Text, About: ""},
		{Name: "cost_center", Type: record.Text, About: ""},
		{Name: "total_cents", Type: record.Int, About: ""},
		{Name: "content_hash", Type: record.Text, About: ""},
		{Name: "document", Type: record.Text, About: "JSON: all that the document shows"},
	}}
	filesTable = warehouse.Table{Name: "document_files", About: "Files of closed months, as they were first written", Columns: []record.Column{
		{Name: "month", Type: record.Text, About: ""},
		{Name: "folder", Type: record.Text, About: "that they were written to"},
		{Name: "name", Type: record.Text, About: ""},
		{Name: "sha256", Type: record.Text, About: "of their bytes, in hex"},
	}}
)

// Tables are those of months.
func Tables() []warehouse.Table { return []warehouse.Table{monthsTable, invoicesTable, filesTable} }
