package warehouse

import (
	"fmt"
	"strings"

	"chargeback/extract/record"
)

// Layout is all that a ledger is made of.
type Layout struct {
	Version int // grows with every change of a table; from 1
	Tables  []Table
	Views   []View
}

// Table is one table of the ledger.
type Table struct {
	Name      string
	About     string
	Columns   []record.Column
	Partition string   // date column by which days are read and replaced, "" where the table is small
	Cluster   []string // at most 4
}

// View is a stored select for people and their tools. What they may build upon is
// described column by column.
type View struct {
	Name    string
	About   string
	Text    string
	Columns []record.Column // names and descriptions, in the text's order; nil where it is for this program alone
}

// StagedTable is the ledger's table of a staged schema.
func StagedTable(s *record.Schema, partition string, cluster ...string) Table {
	return Table{Name: s.Table, About: s.About, Columns: s.Columns, Partition: partition, Cluster: cluster}
}

// Schema is the table as something that batches are made of.
func (t Table) Schema() *record.Schema {
	return &record.Schema{Table: t.Name, About: t.About, Columns: t.Columns}
}

// ColumnNames are the names in order, for explicit column lists.
func (t Table) ColumnNames() string { return ColumnNames(t.Columns) }

// ColumnNames are names of columns in order, for explicit column lists.
func ColumnNames(columns []record.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// Newer is ErrNewer where a ledger, which name names, was brought to a later version
// of the layout; nil where it was not.
func (l Layout) Newer(name string, version int64) error {
	if version <= int64(l.Version) {
		return nil
	}
	return fmt.Errorf("%s: %w (layout %d, and this version of chargeback knows those up to %d); run that version, or restore the backup of before it", name, ErrNewer, version, l.Version)
}

// Table returns the table of a name.
func (l Layout) Table(name string) (Table, bool) {
	for _, t := range l.Tables {
		if t.Name == name {
			return t, true
		}
	}
	return Table{}, false
}
