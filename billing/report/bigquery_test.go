package report_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/option"

	"chargeback/billing/report"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/bigquery/bqtest"
)

// Goal: the same ledger gives the same reports in BigQuery.
// Method: the example and a month of control totals in an emulator, behind a server that
// refuses what BigQuery refuses, and in DuckDB; each report as JSON.
func TestBigQuery(t *testing.T) {
	engine, err := bigquery.Open(t.Context(), bigquery.Options{
		Project: "demo", Dataset: "books", Run: "test", MaxBytesBilled: 1 << 40, Clock: time.Now,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Client: []option.ClientOption{
			option.WithEndpoint(bqtest.Start(t, os.Getenv(bqtest.Program))), option.WithHTTPClient(&http.Client{Transport: bqtest.NewStrict(http.DefaultTransport)}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	both := []*books{openBooks(t), booksOn(t, engine)}
	for _, b := range both {
		b.fillExample(t)
		b.fillTotals(t)
	}
	for name, read := range map[string]func(*books) (report.Report, error){
		"departments":  func(b *books) (report.Report, error) { return report.Departments(t.Context(), b, october) },
		"cost-centers": func(b *books) (report.Report, error) { return report.CostCenters(t.Context(), b, october) },
		"agents":       func(b *books) (report.Report, error) { return report.Agents(t.Context(), b, october) },
		"agent-daily": func(b *books) (report.Report, error) {
			return report.AgentDaily(t.Context(), b, "support-bot", october.LastDay(), 31)
		},
		"users":      func(b *books) (report.Report, error) { return report.Users(t.Context(), b, october, "", 0) },
		"users of":   func(b *books) (report.Report, error) { return report.Users(t.Context(), b, october, "Support", 0) },
		"savings":    func(b *books) (report.Report, error) { return report.Savings(t.Context(), b, october) },
		"matches":    func(b *books) (report.Report, error) { return report.Matches(t.Context(), b, october) },
		"held":       func(b *books) (report.Report, error) { return report.Held(t.Context(), b, october) },
		"rejects":    func(b *books) (report.Report, error) { return report.Rejects(t.Context(), b, october, report.Page{}) },
		"objects":    func(b *books) (report.Report, error) { return report.Objects(t.Context(), b) },
		"conflicts":  func(b *books) (report.Report, error) { return report.Conflicts(t.Context(), b, october, report.Page{}) },
		"reasons":    func(b *books) (report.Report, error) { return report.Reasons(t.Context(), b, october) },
		"everything": func(b *books) (report.Report, error) { return report.Everything(t.Context(), b, october) },
		"totals": func(b *books) (report.Report, error) {
			return report.Totals(t.Context(), b, october, report.TotalsByDefault(), resolve)
		},
		"totals by principal": func(b *books) (report.Report, error) {
			return report.Totals(t.Context(), b, october, report.TotalsGroups(), resolve)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var texts [2]strings.Builder
			for i, b := range both {
				r, err := read(b)
				must(t, r, err)
				if len(r.Rows) == 0 {
					t.Error("no rows")
				}
				if err := report.JSON(&texts[i], r); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(texts[0].String(), texts[1].String()); diff != "" {
				t.Errorf("in BigQuery it differs (-DuckDB +BigQuery):\n%s", diff)
			}
		})
	}
}
