package bigquery_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/api/option"

	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/billing/warehouse/warehousetest"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// A statement takes the emulator a tenth of a second.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("rapid.checks", "10"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var runs atomic.Int64

// options are those of a dataset at a test server.
func options(endpoint string, transport http.RoundTripper) bigquery.Options {
	return bigquery.Options{
		Project: "demo", Dataset: "books", Run: fmt.Sprintf("test_%d", runs.Add(1)), MaxBytesBilled: 1 << 40, Clock: time.Now,
		Sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Client: []option.ClientOption{option.WithEndpoint(endpoint), option.WithHTTPClient(&http.Client{Transport: transport})},
	}
}

func open(t testing.TB, o bigquery.Options) *bigquery.Store {
	t.Helper()
	s, err := bigquery.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// emulated is a Store at an emulator behind the strict server.
func emulated(t testing.TB) *bigquery.Store {
	return open(t, options(endpointOf(t), bqtest.NewStrict(http.DefaultTransport)))
}

const nowhere = "http://service/bigquery/v2/"

// idle is a Store at a service that takes everything and does nothing, and says
// that the layout has version 1.
func idle() *bqtest.Idle {
	return &bqtest.Idle{Number: func(text string) int64 {
		if strings.Contains(text, "version") {
			return 1
		}
		return 0
	}}
}

var (
	facts = warehouse.Table{Name: "facts", About: "what things cost", Partition: "day", Columns: []record.Column{
		{Name: "day", Type: record.Date}, {Name: "id", Type: record.Int}, {Name: "note", Type: record.Text, Nullable: true},
		{Name: "total", Type: record.USD, Nullable: true}, {Name: "seen", Type: record.Time, Nullable: true},
	}}
	numbers = warehouse.Table{Name: "numbers", Columns: []record.Column{{Name: "id", Type: record.Int}}}
	layout  = warehouse.Layout{Version: 1, Tables: []warehouse.Table{facts, numbers}}
	day     = civil.Date{Year: 2026, Mon: 10, Day: 31}
)

func migrated(t testing.TB, s *bigquery.Store) *bigquery.Store {
	t.Helper()
	if err := s.Migrate(t.Context(), layout); err != nil {
		t.Fatal(err)
	}
	return s
}

func endpointOf(t testing.TB) string { return bqtest.Start(t, os.Getenv(bqtest.Program)) }

// Goal: the engine keeps the port's contract, as every other one does, at a service
// that refuses what BigQuery refuses.
func TestSuite(t *testing.T) {
	var mu sync.Mutex
	services := map[string]*bqtest.Strict{}
	endpoints := map[string]string{}
	warehousetest.Run(t, func(t *testing.T) warehouse.Warehouse {
		mu.Lock()
		defer mu.Unlock()
		if endpoints[t.Name()] == "" {
			endpoints[t.Name()], services[t.Name()] = endpointOf(t), bqtest.NewStrict(http.DefaultTransport)
		}
		return open(t, options(endpoints[t.Name()], services[t.Name()]))
	}, // the emulator ignores a wider schema, keeps the columns that a view had first, and has no sizes
		"columns and tables are added", "a migration that was killed begins again", "views are made again", "size and compact")
}
