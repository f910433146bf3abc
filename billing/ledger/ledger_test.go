package ledger_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/api/option"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/billing/warehouse/duckdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Goal: the ledger's rules hold in DuckDB.
func TestDuckDB(t *testing.T) {
	dir := t.TempDir()
	ledgertest.Run(t, func(t *testing.T) warehouse.Warehouse {
		name := strings.NewReplacer("/", "_", " ", "_", "'", "").Replace(t.Name())
		w, err := duckdb.Open(t.Context(), duckdb.Options{Path: filepath.Join(dir, name+".duckdb"), Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		return w
	})
}

// Goal: the ledger's rules hold in BigQuery.
// Method: an emulator, behind a server that refuses what BigQuery refuses. A night
// for each of its calls takes it half an hour; that they all come before one Apply is
// the ledger's, and that this is whole or nothing is the driver's own suite; so is what
// Apply's guards find.
func TestBigQuery(t *testing.T) {
	services := map[string]*bqtest.Strict{}
	endpoints := map[string]string{}
	runs := 0
	ledgertest.Run(t, func(t *testing.T) warehouse.Warehouse {
		if endpoints[t.Name()] == "" {
			endpoints[t.Name()], services[t.Name()] = bqtest.Start(t, os.Getenv(bqtest.Program)), bqtest.NewStrict(http.DefaultTransport)
		}
		runs++
		w, err := bigquery.Open(t.Context(), bigquery.Options{
			Project: "demo", Dataset: "books", Run: fmt.Sprintf("test_%d", runs), MaxBytesBilled: 1 << 40, Clock: time.Now,
			Sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
			Client: []option.ClientOption{option.WithEndpoint(endpoints[t.Name()]), option.WithHTTPClient(&http.Client{Transport: services[t.Name()]})},
		})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}, "days are replaced whole or not at all", "daily sums are filled whole or not at all", "keys are filled in whole or not at all", "closed months are written down whole or not at all")
}
