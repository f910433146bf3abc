package warehouse_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

var dialect = warehouse.Dialect{
	Table: func(name string) (string, error) {
		if name == "nowhere" {
			return "", errors.New("there is no table nowhere")
		}
		return "`" + name + "`", nil
	},
	Literal: func(v any) (string, error) {
		return warehouse.Literal(v, func(s string) string { return "'" + s + "'" })
	},
	Functions: map[string]string{"usd": "amount($)", "total_usd": "sum($)"},
}

// Goal: markers are filled in, each by what it stands for, and what can't be filled
// in is refused by name; values are never read again.
func TestFill(t *testing.T) {
	day := civil.Date{Year: 2026, Mon: 10, Day: 31}
	for _, tt := range []struct {
		name, text string
		args       warehouse.Args
		views      map[string]string
		want       string
	}{
		{"nothing", "select 1", nil, nil, "select 1"},
		{"a table", "select * from {facts} as f", nil, nil, "select * from `facts` as f"},
		{"values", "{@a}, {@b}, {@c}", warehouse.Args{"a": "{b}", "b": 2, "c": day}, nil, "'{b}', 2, date '2026-10-31'"},
		{"days", "in ({@days})", warehouse.Args{"days": []civil.Date{day, day.AddDays(1)}}, nil, "in (date '2026-10-31', date '2026-11-01')"},
		{"a function", "{total_usd({usd(if(x, y, {@n}))})}", warehouse.Args{"n": nil}, nil, "sum(amount(if(x, y, null)))"},
		{"a view over itself", "from {facts} as f", nil, map[string]string{"facts": "select * from {facts} where {other}", "other": "x = 1"}, "from (\nselect * from `facts` where (\nx = 1\n)\n) as f"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := dialect.Fill(warehouse.Select{Text: tt.text, Args: tt.args, Views: tt.views})
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	for text, want := range map[string]string{
		"{facts":         "not closed",
		"{@none}":        "marker {@none} has no value",
		"{@odd}":         "a []string has no literal",
		"{@days}":        "an empty list of days",
		"{sum(x)}":       "names no function",
		"{usd(x}":        "names no function",
		"from {nowhere}": "there is no table nowhere",
		"{usd({@none})}": "marker {@none} has no value",
	} {
		_, err := dialect.Fill(warehouse.Select{Name: "a test", Text: text, Args: warehouse.Args{"odd": []string{"x"}, "days": []civil.Date{}}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "a test: ") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// Goal: in the form for engines that read long texts slowly each view stands once,
// before those that read it, and one that names itself reads what lies beneath.
func TestFillOnce(t *testing.T) {
	views := map[string]string{
		"facts": "select * from {facts} where {@n} = n", "items": "select * from {facts} as f join {names} as m", "unread": "select {@none}",
	}
	for text, want := range map[string]string{
		"select 1 from {names}": "select 1 from `names`",
		"select 1 from {items} as a join {items} as b join {facts} as c": "with facts as (\nselect * from `facts` where 7 = n\n),\nitems as (\nselect * from facts as f join `names` as m\n)\n" +
			"select * from (\nselect 1 from items as a join items as b join facts as c\n)",
	} {
		got, err := dialect.FillOnce(warehouse.Select{Text: text, Args: warehouse.Args{"n": 7}, Views: views})
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"from {unread}", "from {nowhere}", "where {@none}"} {
		if _, err := dialect.FillOnce(warehouse.Select{Name: "a test", Text: text, Views: views}); err == nil || !strings.HasPrefix(err.Error(), "a test: ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestNamed(t *testing.T) {
	got := warehouse.Named("select {usd({f(x)})} from {a} join {b} where {@c} in (select 1 from {a}) {total_usd(if({d}, 1, 2))}")
	if diff := cmp.Diff([]string{"a", "b", "d"}, got); diff != "" {
		t.Error(diff)
	}
}

// table answers every select with the same rows.
type table struct {
	columns []string
	rows    [][]any
}

func (q table) Query(_ context.Context, _ warehouse.Select, yield func(warehouse.Row) error) error {
	for _, r := range q.rows {
		if err := yield(warehouse.Row{Columns: q.columns, Values: r}); err != nil {
			return err
		}
	}
	return nil
}

type state string

type center struct{ Department, CostCenter string }

type line struct {
	center
	Kind    state
	Month   civil.Month
	ETag    string `column:"etag"`
	Calls   int64
	Held    *int64
	Reason  string `column:",null"`
	Total   money.USD
	Day     civil.Date `column:"usage_date,null"`
	At      time.Time
	IsFirst bool
	Derived int `column:"-"`
}

var (
	lineColumns = []string{"at", "department", "cost_center", "kind", "month", "etag", "calls", "held", "reason", "total", "usage_date", "is_first"}
	at          = time.Date(2026, 10, 31, 12, 0, 0, 0, time.UTC)
)

func lineValues() []any {
	return []any{at, "Sales", "00420", "open", "2026-10", "e", int64(3), nil, nil, money.MustParse("1.5"), nil, true}
}

// Goal: rows are read by their columns' names into typed values, and whatever
// does not fit is an error that names the select and the column.
// Method: one good row; then each value of it is made wrong, each column goes, and
// one comes that nobody asked for.
func TestRows(t *testing.T) {
	s := warehouse.Select{Name: "lines"}
	got, err := warehouse.All[line](t.Context(), table{lineColumns, [][]any{lineValues()}}, s)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	want := line{center: center{"Sales", "00420"}, Kind: "open", Month: civil.Date{Year: 2026, Mon: 10, Day: 1}.Month(), ETag: "e", Calls: 3, Total: money.MustParse("1.5"), At: at, IsFirst: true}
	if fmt.Sprint(got[0]) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got[0], want)
	}
	for i, name := range lineColumns {
		for _, wrong := range []any{nil, int64(1) << 40, "x", money.MustParse("2"), at, civil.Date{Year: 2026, Mon: 1, Day: 1}, true} {
			row := lineValues()
			if fmt.Sprintf("%T", row[i]) == fmt.Sprintf("%T", wrong) && name != "month" || row[i] == nil && wrong == nil ||
				name == "held" && fmt.Sprintf("%T", wrong) == "int64" || name == "reason" && wrong == "x" || name == "usage_date" && fmt.Sprintf("%T", wrong) == "civil.Date" {
				continue
			}
			row[i] = wrong
			_, err := warehouse.All[line](t.Context(), table{lineColumns, [][]any{row}}, s)
			if err == nil || !strings.Contains(err.Error(), name) && name != "month" || !strings.HasPrefix(err.Error(), "lines: ") {
				t.Errorf("%s of type %T: %v", name, wrong, err)
			}
		}
		short := append(append([]string(nil), lineColumns[:i]...), lineColumns[i+1:]...)
		values := append(append([]any(nil), lineValues()[:i]...), lineValues()[i+1:]...)
		if _, err := warehouse.All[line](t.Context(), table{short, [][]any{values}}, s); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without column %s: %v", name, err)
		}
	}
	if _, err := warehouse.All[line](t.Context(), table{append([]string{"more"}, lineColumns...), [][]any{append([]any{"x"}, lineValues()...)}}, s); err == nil || !strings.Contains(err.Error(), "more") {
		t.Errorf("with another column: %v", err)
	}
}

// Goal: a select of one value, of one row, of none and of too many.
func TestOne(t *testing.T) {
	of := func(rows ...[]any) table { return table{[]string{"n"}, rows} }
	s := warehouse.Select{Text: "select n from {t}"}
	if n, err := warehouse.One[int64](t.Context(), of([]any{int64(7)}), s); n != 7 || err != nil {
		t.Error(n, err)
	}
	if _, err := warehouse.One[int64](t.Context(), of(), s); err == nil || !strings.Contains(err.Error(), "no row") {
		t.Error(err)
	}
	if _, found, err := warehouse.Maybe[int64](t.Context(), of(), s); found || err != nil {
		t.Error(found, err)
	}
	if _, err := warehouse.One[int64](t.Context(), of([]any{int64(1)}, []any{int64(2)}), s); err == nil || !strings.Contains(err.Error(), "more than one row") {
		t.Error(err)
	}
	if _, err := warehouse.One[int64](t.Context(), of([]any{nil}), s); err == nil || !strings.Contains(err.Error(), "null") {
		t.Error(err)
	}
	if _, err := warehouse.One[int8](t.Context(), of([]any{int64(300)}), s); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Error(err)
	}
}
