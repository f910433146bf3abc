package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes the report as one object: report, title, month (where it has
// one), rows, total and notes. Rows and total are objects by column name;
// amounts are exact decimal text, and null is a value that is not known. Total
// has the columns that add up. A row takes one line.
func JSON(w io.Writer, r Report) error {
	out := jsonWriter{}
	head := []field{{"report", r.Name}, {"title", r.Title}}
	if r.Month != "" {
		head = append(head, field{"month", r.Month})
	}
	out.text("{\n")
	for _, f := range head {
		out.text("  ")
		out.member(f)
		out.text(",\n")
	}
	out.list("rows", len(r.Rows), func(i int) { out.object(r.fields(r.Rows[i], true)) })
	out.text(",\n  \"total\": ")
	out.object(r.fields(r.Total, false))
	out.text(",\n")
	out.list("notes", len(r.Notes), func(i int) { out.value(r.Notes[i]) })
	out.text("\n}\n")
	if out.err == nil {
		_, out.err = w.Write(out.b.Bytes())
	}
	if out.err != nil {
		return fmt.Errorf("write report %s as JSON: %w", r.Name, out.err)
	}
	return nil
}

// field is one member of an object, in the order of the columns.
type field struct {
	name  string
	value any
}

func (r *Report) fields(row []any, nulls bool) []field {
	fields := make([]field, 0, len(row))
	for i, v := range row {
		if v != nil || nulls {
			fields = append(fields, field{r.Columns[i].Name, v})
		}
	}
	return fields
}

// jsonWriter keeps the first error.
type jsonWriter struct {
	b   bytes.Buffer
	err error
}

func (j *jsonWriter) text(s string) { j.b.WriteString(s) }

func (j *jsonWriter) value(v any) {
	encoder := json.NewEncoder(&j.b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil && j.err == nil {
		j.err = err
	}
	j.b.Truncate(max(0, j.b.Len()-1)) // the encoder ends every value with a line break
}

func (j *jsonWriter) member(f field) {
	j.value(f.name)
	j.text(": ")
	j.value(f.value)
}

func (j *jsonWriter) object(fields []field) {
	j.text("{")
	for i, f := range fields {
		if i > 0 {
			j.text(", ")
		}
		j.member(f)
	}
	j.text("}")
}

func (j *jsonWriter) list(name string, n int, item func(int)) {
	j.text("  ")
	j.value(name)
	j.text(": [")
	for i := range n {
		if i > 0 {
			j.text(",")
		}
		j.text("\n    ")
		item(i)
	}
	if n > 0 {
		j.text("\n  ")
	}
	j.text("]")
}
