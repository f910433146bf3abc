package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chargeback/billing/report"
	"chargeback/billing/warehouse"
	"chargeback/cmd/chargeback/app"
	"chargeback/transform/money"
)

// Goal: the ledger holds what is said of it on every day, and reports read all of it.
func TestFillYear(t *testing.T) {
	y, dir := year{months: 2, requests: 100, sums: 40, users: 10}, t.TempDir()
	total, err := y.fill(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	books, err := app.OpenLedger(t.Context(), filepath.Join(dir, configFile), app.ToRead, app.Options{Getenv: func(string) string { return "" }, Err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer books.Close()
	var cost money.USD
	var requests int64
	for _, month := range y.all() {
		for _, read := range []func() (report.Report, error){
			func() (report.Report, error) { return report.Departments(t.Context(), books.Ledger, month) },
			func() (report.Report, error) { return report.Users(t.Context(), books.Ledger, month, "", 0) },
		} {
			r, err := read()
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range r.Columns {
				switch {
				case c.Name == "requests":
					requests += r.Total[i].(int64)
				case c.Name == "llm_cost_usd" && r.Name == "departments":
					cost = cost.Add(r.Total[i].(money.USD))
				}
			}
		}
	}
	const days = 31 + 28
	if total.Sign() <= 0 || !cost.Equal(total) || requests != 2*100*days {
		t.Errorf("reports have %d requests of %s USD, want %d of %s USD", requests, cost.Fixed(), 2*100*days, total.Fixed())
	}
	for table, want := range map[string]int{"daily_costs": y.sums, "daily_users": y.users, "charged_days": 1} {
		rows, err := warehouse.One[int64](t.Context(), books.Ledger, warehouse.Select{Text: "select count(*) as n from {" + table + "} where usage_date >= {@first}", Args: warehouse.Args{"first": yearStart}})
		if err != nil || rows != int64(want*days) {
			t.Errorf("%s has %d rows (%v), want %d", table, rows, err, want*days)
		}
	}
}

// Goal: reports run in processes of their own, and totals decide.
// Method: this test binary stands in for the program and prints the same report of every
// month.
func TestMeasureReports(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	total := money.MustParse("3")
	for _, row := range []struct{ name, report, err string }{
		{name: "same total", report: `{"rows":[{"llm_cost_usd":"1"},{"llm_cost_usd":"0.5"}]}`},
		{name: "a pico-dollar more a month", report: `{"rows":[{"llm_cost_usd":"1.500000000001"}]}`, err: "the difference is 0.000000000002 USD"},
		{name: "no report", report: "", err: "read report"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(childReport, row.report)
			var out strings.Builder
			err := year{months: 2}.measure(t.Context(), &out, t.TempDir(), self, 2, total)
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Fatalf("got error %v, want one with %q", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"departments --month 2026-02", "agents --agent agent-7 --days 365", "the slowest report takes", "departments of 2 months, one after another"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("output lacks %q:\n%s", want, out.String())
				}
			}
		})
	}
	if err := reportCommand(t.Context(), []string{"-sums", "0"}); err == nil {
		t.Error("a year of no sums was accepted")
	}
}
