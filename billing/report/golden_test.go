package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/report"
	"chargeback/transform/money"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

// everyReport reads all reports of the example.
func everyReport(t *testing.T) []report.Report {
	t.Helper()
	b := openBooks(t)
	b.fillExample(t)
	ctx := t.Context()
	page := report.Page{Limit: 1}
	var all []report.Report
	add := func(r report.Report, err error) { all = append(all, must(t, r, err)) }
	add(report.Departments(ctx, b, october))
	add(report.CostCenters(ctx, b, october))
	add(report.Agents(ctx, b, october))
	add(report.AgentDaily(ctx, b, "support-bot", october.LastDay(), 31))
	add(report.Users(ctx, b, october, "", 2))
	add(report.Savings(ctx, b, october))
	add(report.Matches(ctx, b, october))
	add(report.Shared(october, false, []report.SharedPart{
		{Name: "Hosting", CostCenter: "CC-1001", Split: "proportional", Share: "30.00 of 40.00", Amount: money.MustParse("75.00")},
		{Name: "Hosting", CostCenter: "00420", Split: "proportional", Share: "10.00 of 40.00", Amount: money.MustParse("25.00")},
		{Name: "Hosting", CostCenter: "00420", AdjustsMonth: "2026-09", Split: "even", Share: "1 of 3", Amount: money.MustParse("-0.333333333333")},
	}, []string{"Hosting of 2026-09: amount changed from 2.00 to 1.00 USD after the close; -1.00 USD trued up"}), nil)
	add(report.Held(ctx, b, october))
	add(report.Rejects(ctx, b, october, report.Page{}))
	add(report.Objects(ctx, b))
	add(report.Conflicts(ctx, b, october, page))
	return all
}

// Goal: what people and programs see is known, and changes only on purpose.
// Method: every report of one small month against files, at three widths.
func TestGolden(t *testing.T) {
	for _, r := range everyReport(t) {
		goldenReport(t, r)
	}
}

func goldenReport(t *testing.T, r report.Report) {
	t.Run(r.Name, func(t *testing.T) {
		var tables, asJSON, asCSV bytes.Buffer
		for _, width := range []int{60, 100, 160} {
			fmt.Fprintf(&tables, "%s %d\n", strings.Repeat("=", width-len(fmt.Sprint(width))-1), width)
			if err := report.Table(&tables, r, width); err != nil {
				t.Fatal(err)
			}
		}
		if err := report.JSON(&asJSON, r); err != nil {
			t.Fatal(err)
		}
		if err := report.CSV(&asCSV, r); err != nil {
			t.Fatal(err)
		}
		golden(t, r.Name+".txt", tables.Bytes())
		golden(t, r.Name+".json", asJSON.Bytes())
		golden(t, r.Name+".csv", asCSV.Bytes())
	})
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); if that is wanted, run with -update and read the diff:\n%s", path, diff)
	}
}
