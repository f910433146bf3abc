package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"chargeback/templates"
	"chargeback/transform/money"
)

const noteCents = "USD, rounded to cents; --format json has all digits."

// Table writes the report for a terminal of width columns, 0 for no limit.
// Amounts are rounded once, each cell from its own exact amount. Where the
// width does not do, names are shortened to a third of it, then columns are
// left out by Column.Rank, the highest first and from right to left, but for
// those that still fit beside what is left; a note names them. Below some 50
// columns lines may be longer than width.
func Table(w io.Writer, r Report, width int) error {
	v := newView(r)
	v.fit(width)
	var b strings.Builder
	paragraph(&b, heading(r), width)
	if len(r.Rows) == 0 {
		paragraph(&b, "Nothing to report.", width)
	} else {
		b.WriteString("\n" + v.render() + "\n\n")
	}
	for _, note := range append(r.Notes[:len(r.Notes):len(r.Notes)], v.notes()...) {
		paragraph(&b, note, width)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report %s as a table: %w", r.Name, err)
	}
	return nil
}

func heading(r Report) string {
	if r.Month == "" {
		return r.Title
	}
	return r.Title + ", " + r.Month
}

func paragraph(b *strings.Builder, s string, width int) {
	for _, line := range wrap(templates.CleanLine(s), width) {
		b.WriteString(line + "\n")
	}
}

// cell is what a table shows for a value.
func cell(c Column, v any) string {
	switch v := v.(type) {
	case int64:
		if c.Kind == Number {
			return strconv.FormatInt(v, 10)
		}
		return grouped(v)
	case money.USD:
		return groupedCents(v.Cents())
	case string:
		return templates.CleanLine(v)
	}
	if c.None != "" {
		return c.None
	}
	return "-"
}

// grouped prints a whole number with a comma between thousands.
func grouped(n int64) string { return commas(strconv.FormatInt(n, 10)) }

func groupedCents(c money.Cents) string {
	whole, fraction, _ := strings.Cut(c.String(), ".")
	return commas(whole) + "." + fraction
}

func commas(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// render draws the columns, which fit by now, without outer lines.
func (v *view) render() string {
	out := table.NewWriter()
	out.SetStyle(style())
	out.SuppressTrailingSpaces()
	var configs []table.ColumnConfig
	for i, c := range v.columns {
		align := text.AlignLeft
		if c.Kind != Text {
			align = text.AlignRight
		}
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align, AlignFooter: align, VAlignHeader: text.VAlignBottom})
	}
	out.SetColumnConfigs(configs)
	out.AppendHeader(v.row(func(c viewColumn) string { return strings.Join(wrap(c.Title, c.width), "\n") }))
	for i := range v.rows {
		out.AppendRow(v.row(func(c viewColumn) string { return c.fitted(c.cells[i]) }))
	}
	if v.hasTotal {
		out.AppendFooter(v.row(func(c viewColumn) string { return c.total }))
	}
	return out.Render()
}

func (v *view) row(show func(viewColumn) string) table.Row {
	row := make(table.Row, len(v.columns))
	for i, c := range v.columns {
		row[i] = show(c)
	}
	return row
}

func style() table.Style {
	s := table.StyleLight
	s.Options.DrawBorder, s.Options.SeparateColumns = false, false
	s.Format = table.FormatOptions{Footer: text.FormatDefault, Header: text.FormatDefault, Row: text.FormatDefault}
	s.Box.PaddingLeft, s.Box.PaddingRight = "", gap
	return s
}
