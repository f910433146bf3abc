package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"chargeback/templates"
	"chargeback/transform/money"
)

// CSV writes the report's rows with a header of column names. Amounts are
// exact, text cells can not act as formulas, and a value that is not known is
// empty. Total and notes are left out, so that a column can be added up.
func CSV(w io.Writer, r Report) error {
	rows := make([][]string, 1, 1+len(r.Rows))
	for _, c := range r.Columns {
		rows[0] = append(rows[0], c.Name)
	}
	for _, row := range r.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = csvCell(r.Columns[i].Kind, v)
		}
		rows = append(rows, cells)
	}
	if err := csv.NewWriter(w).WriteAll(rows); err != nil {
		return fmt.Errorf("write report %s as CSV: %w", r.Name, err)
	}
	return nil
}

func csvCell(kind Kind, v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case money.USD:
		return v.String()
	case string:
		if kind == Text {
			return templates.CSVText(v)
		}
		return v
	}
	return ""
}
