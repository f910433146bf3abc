package records

import (
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// Args are the arguments of a select.
type Args = warehouse.Args

// Types of the ledger's columns.
const (
	Text      = record.Text
	Int       = record.Int
	Bool      = record.Bool
	Timestamp = record.Time
	Date      = record.Date
	USD       = record.USD
	Sum       = record.Sum
)

// Column is one column of a ledger table.
type Column = record.Column

// Table is one table of the ledger.
type Table = warehouse.Table

// Days is a run of business dates, both ends inclusive.
type Days = warehouse.Days

func nullText(s string) any { return warehouse.OrNull(s) }
