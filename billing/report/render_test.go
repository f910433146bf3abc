package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
	"pgregory.net/rapid"

	"chargeback/billing/report"
	"chargeback/transform/money"
)

// drawReport is any report: hostile names, unknown values, long lists.
func drawReport(t *rapid.T) report.Report {
	name := rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "a\nb", "\x1b[31mred", "部門" + strings.Repeat("長", 30), strings.Repeat("word ", 30), strings.Repeat("x", 200), "\u202eabc", "a/b/" + strings.Repeat("path/", 20)}),
	)
	r := report.Report{Name: "any", Title: name.Draw(t, "title"), Month: rapid.SampledFrom([]string{"", "2026-10"}).Draw(t, "month")}
	kinds := []report.Kind{report.Text, report.Count, report.USD, report.Percent, report.Average, report.Number}
	columns := rapid.IntRange(0, 10).Draw(t, "columns")
	for i := range columns + 1 {
		c := report.Column{Name: fmt.Sprintf("column_%d", i), Title: rapid.SampledFrom([]string{"Name", "Input tokens", "Prompt cache saved"}).Draw(t, "title")}
		if i > 0 {
			c.Kind, c.Rank = rapid.SampledFrom(kinds).Draw(t, "kind"), rapid.IntRange(1, 9).Draw(t, "rank")
		}
		c.Wrap = c.Kind == report.Text && rapid.Bool().Draw(t, "wrap")
		r.Columns = append(r.Columns, c)
		r.Total = append(r.Total, nil)
	}
	draw := func(c report.Column) any {
		if rapid.IntRange(0, 5).Draw(t, "unknown") == 0 {
			return nil
		}
		switch c.Kind {
		case report.Count, report.Number:
			return rapid.Int64().Draw(t, "count")
		case report.USD:
			return money.FromPico(rapid.Int64().Draw(t, "pico"))
		case report.Percent, report.Average:
			return rapid.SampledFrom([]string{"12.34", "-0.50", "100.00"}).Draw(t, "decimals")
		}
		return name.Draw(t, "name")
	}
	for range rapid.IntRange(0, 4).Draw(t, "rows") {
		var row []any
		for _, c := range r.Columns {
			row = append(row, draw(c))
		}
		r.Rows = append(r.Rows, row)
	}
	for i, c := range r.Columns {
		if c.Kind == report.Count || c.Kind == report.USD {
			r.Total[i] = draw(c)
		}
	}
	r.Notes = rapid.SliceOfN(name, 0, 3).Draw(t, "notes")
	return r
}

// Goal: no name can break the table: every line fits, none hides anything.
// Method: any report at any width from 60 columns up.
func TestTableFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, width := drawReport(t), rapid.IntRange(60, 200).Draw(t, "width")
		var out strings.Builder
		if err := report.Table(&out, r, width); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(out.String(), "\n") {
			if got := text.StringWidthWithoutEscSequences(line); got > width {
				t.Fatalf("a line of %d columns, want at most %d: %q\n%s", got, width, line, out.String())
			}
			if strings.ContainsFunc(line, unicode.IsControl) || strings.TrimRight(line, " ") != line {
				t.Fatalf("control characters or trailing spaces in %q", line)
			}
		}
	})
}

// Goal: without a limit nothing is shortened or left out.
// Method: any report; every column's title and the notes about width.
func TestTableWithoutLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReport(t)
		r.Title, r.Notes = "Title", nil
		var out strings.Builder
		if err := report.Table(&out, r, 0); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "Left out") || strings.Contains(out.String(), "shortened") {
			t.Fatalf("something is missing:\n%s", out.String())
		}
	})
}

// Goal: what JSON carries is what the report holds.
// Method: any report, decoded by the standard library.
func TestJSONDecodesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReport(t)
		var out bytes.Buffer
		if err := report.JSON(&out, r); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Report, Title, Month string
			Rows                 []map[string]any
			Total                map[string]any
			Notes                []string
		}
		decoder := json.NewDecoder(&out)
		decoder.UseNumber()
		if err := decoder.Decode(&got); err != nil || decoder.More() {
			t.Fatal(err, decoder.More())
		}
		if got.Report != r.Name || got.Title != valid(r.Title) || got.Month != r.Month {
			t.Fatalf("head is %q %q %q", got.Report, got.Title, got.Month)
		}
		want := []map[string]any{}
		for _, row := range r.Rows {
			want = append(want, members(r, row, true))
		}
		if diff := cmp.Diff(want, got.Rows); diff != "" {
			t.Fatalf("rows differ (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(members(r, r.Total, false), got.Total); diff != "" {
			t.Fatalf("total differs (-want +got):\n%s", diff)
		}
		if got.Notes == nil || len(got.Notes) != len(r.Notes) {
			t.Fatalf("notes %q", got.Notes)
		}
	})
}

func members(r report.Report, row []any, nulls bool) map[string]any {
	all := map[string]any{}
	for i, v := range row {
		switch v := v.(type) {
		case nil:
			if nulls {
				all[r.Columns[i].Name] = nil
			}
		case int64:
			all[r.Columns[i].Name] = json.Number(strconv.FormatInt(v, 10))
		case string:
			all[r.Columns[i].Name] = valid(v)
		default:
			all[r.Columns[i].Name] = fmt.Sprint(v)
		}
	}
	return all
}

func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

// Goal: numbers arrive exactly in a spreadsheet, and no text runs there.
// Method: any report, read back by the standard library.
func TestCSVReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReport(t)
		var out bytes.Buffer
		if err := report.CSV(&out, r); err != nil {
			t.Fatal(err)
		}
		if len(r.Columns) == 1 {
			return // the standard library skips a line with one empty cell
		}
		lines, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != len(r.Rows)+1 {
			t.Fatalf("%d lines for %d rows", len(lines), len(r.Rows))
		}
		for i, row := range r.Rows {
			for j, v := range row {
				checkCSVCell(t, r.Columns[j], v, lines[i+1][j])
			}
		}
	})
}

func checkCSVCell(t *rapid.T, c report.Column, v any, got string) {
	t.Helper()
	switch {
	case v == nil:
		if got != "" {
			t.Fatalf("%s: %q for no value", c.Name, got)
		}
	case c.Kind != report.Text:
		if got != fmt.Sprint(v) {
			t.Fatalf("%s: %q, want %v", c.Name, got, v)
		}
	case strings.ContainsFunc(got, unicode.IsControl) || got != "" && strings.Contains("=+-@", got[:1]):
		t.Fatalf("%s: %q can act as a formula", c.Name, got)
	}
}

func TestCSVNeutralisesFormulas(t *testing.T) {
	for _, tt := range []struct {
		name string
		cell any
		kind report.Kind
		want string
	}{
		{"a command", "=cmd|' /C calc'!A0", report.Text, `'=cmd|' /C calc'!A0`},
		{"a sum", "@SUM(A1)", report.Text, "'@SUM(A1)"},
		{"a model that begins with a minus", "-model", report.Text, "'-model"},
		{"a code with zeros in front", "00420", report.Text, "00420"},
		{"an amount below zero stays a number", money.MustParse("-0.000000000001"), report.USD, "-0.000000000001"},
		{"a share below zero stays a number", "-1.50", report.Percent, "-1.50"},
		{"an unknown amount", nil, report.USD, `""`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			r := report.Report{Name: "any", Columns: []report.Column{{Name: "value", Kind: tt.kind}}, Rows: [][]any{{tt.cell}}}
			if err := report.CSV(&out, r); err != nil {
				t.Fatal(err)
			}
			if want := "value\n" + tt.want + "\n"; out.String() != want && tt.cell != nil {
				t.Errorf("CSV %q, want %q", out.String(), want)
			}
			if tt.cell == nil && strings.Trim(out.String(), "\"\n") != "value" {
				t.Errorf("CSV %q, want an empty cell", out.String())
			}
		})
	}
}

func TestTableCells(t *testing.T) {
	for _, tt := range []struct {
		name   string
		column report.Column
		value  any
		want   string
	}{
		{"thousands", report.Column{Kind: report.Count}, int64(1234567), "1,234,567"},
		{"three digits", report.Column{Kind: report.Count}, int64(-123), "-123"},
		{"four digits below zero", report.Column{Kind: report.Count}, int64(-1234), "-1,234"},
		{"a line is not grouped", report.Column{Kind: report.Number}, int64(12345), "12345"},
		{"half a cent goes up", report.Column{Kind: report.USD}, money.MustParse("1234.005"), "1,234.01"},
		{"just below half a cent", report.Column{Kind: report.USD}, money.MustParse("0.004999999999"), "0.00"},
		{"an amount below zero", report.Column{Kind: report.USD}, money.MustParse("-1234567.895"), "-1,234,567.90"},
		{"no value", report.Column{Kind: report.USD}, nil, "-"},
		{"no value with a name", report.Column{None: "no user"}, nil, "no user"},
		{"an escape sequence", report.Column{}, "\x1b[31mred\x07", "[31mred"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			tt.column.Title = "Value"
			r := report.Report{Title: "Title", Columns: []report.Column{tt.column}, Rows: [][]any{{tt.value}}}
			if err := report.Table(&out, r, 80); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(out.String(), "\n")
			if got := strings.TrimSpace(lines[4]); got != tt.want {
				t.Errorf("cell %q, want %q in\n%s", got, tt.want, out.String())
			}
		})
	}
}

// Goal: columns go in the order of their rank, and the note says which.
// Method: one report at widths that fit fewer and fewer columns.
func TestTableLeavesOutByRank(t *testing.T) {
	r := report.Report{Title: "Title"}
	var row []any
	for i, rank := range []int{0, 2, 3, 1, 3} {
		r.Columns = append(r.Columns, report.Column{Title: fmt.Sprintf("Column%d", i), Rank: rank})
		row = append(row, strings.Repeat("x", 10))
	}
	r.Rows = [][]any{row}
	for _, tt := range []struct {
		name  string
		width int
		note  string
	}{
		{"all fit", 60, ""},
		{"of two with the same rank the right one goes first", 59, "Left out for want of width: Column4."},
		{"then the other", 47, "Left out for want of width: Column4, Column2."},
		{"then the next rank", 35, "Left out for want of width: Column4, Column2, Column1."},
		{"rank 0 stays", 12, "Left out for want of width: Column4, Column2, Column1, Column3."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			if err := report.Table(&out, r, tt.width); err != nil {
				t.Fatal(err)
			}
			_, notes, _ := strings.Cut(strings.ReplaceAll(out.String(), "\n", " "), "x  ")
			if got := strings.TrimSpace(notes[strings.LastIndex(notes, "x")+1:]); got != tt.note {
				t.Errorf("notes %q, want %q in\n%s", got, tt.note, out.String())
			}
		})
	}
}

// Goal: a wide column that goes makes room for a narrow one that went before.
// Method: a wide column that is more important than a narrow one.
func TestTableTakesBackWhatFits(t *testing.T) {
	wide := strings.Repeat("x", 30)
	r := report.Report{Title: "Title", Columns: []report.Column{{Title: "Key"}, {Title: "Narrow", Rank: 2}, {Title: "Wide", Rank: 1, Kind: report.Average}}, Rows: [][]any{{"a", "b", wide}}}
	for _, tt := range []struct {
		name  string
		width int
		want  string
	}{
		{"all fit", 60, "Key  Narrow                            Wide"},
		{"the narrow one goes", 40, "Key                            Wide"},
		{"the wide one goes and the narrow one comes back", 34, "Key  Narrow"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			if err := report.Table(&out, r, tt.width); err != nil {
				t.Fatal(err)
			}
			if got := strings.Split(out.String(), "\n")[2]; got != tt.want {
				t.Errorf("header %q, want %q in\n%s", got, tt.want, out.String())
			}
		})
	}
}

// fullDisk fails every write.
type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	r := report.Report{Name: "any", Columns: []report.Column{{Name: "a", Title: "A"}}, Rows: [][]any{{"x"}}}
	for name, write := range map[string]func() error{
		"table": func() error { return report.Table(fullDisk{}, r, 80) },
		"JSON":  func() error { return report.JSON(fullDisk{}, r) },
		"CSV":   func() error { return report.CSV(fullDisk{}, r) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := write(); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "any") {
				t.Errorf("error %v, want one that names the report and the cause", err)
			}
		})
	}
}
