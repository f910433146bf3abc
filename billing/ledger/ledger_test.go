package ledger_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
// Apply's guards find. Stories that run no select and no change that another test
// doesn't run there too are left to make soak.
func TestBigQuery(t *testing.T) {
	without := []string{"days are replaced whole or not at all", "daily sums are filled whole or not at all", "keys are filled in whole or not at all", "closed months are written down whole or not at all"}
	if os.Getenv("CHARGEBACK_TEST_SOAK") == "" {
		without = append(without, "the hash doesn't depend on order", "adjustments of adjustments", "late usage of an estimate", "late usage across midnight", "late usage of two estimates")
	}
	type server struct {
		endpoint string
		strict   *bqtest.Strict
		runs     int
	}
	var mu sync.Mutex
	servers := map[string]*server{} // by test
	serverOf := func(t *testing.T) *server {
		mu.Lock()
		defer mu.Unlock()
		if servers[t.Name()] == nil {
			servers[t.Name()] = &server{}
		}
		return servers[t.Name()]
	}
	ledgertest.Run(t, func(t *testing.T) warehouse.Warehouse {
		s := serverOf(t)
		if s.endpoint == "" {
			s.endpoint, s.strict = bqtest.Start(t, os.Getenv(bqtest.Program)), bqtest.NewStrict(http.DefaultTransport)
		}
		s.runs++
		w, err := bigquery.Open(t.Context(), bigquery.Options{
			Project: "demo", Dataset: "books", Run: fmt.Sprintf("test_%d", s.runs), MaxBytesBilled: 1 << 40, Clock: time.Now,
			Sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
			Client: []option.ClientOption{option.WithEndpoint(s.endpoint), option.WithHTTPClient(&http.Client{Transport: s.strict})},
		})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}, without...)
}
