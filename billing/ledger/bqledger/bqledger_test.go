package bqledger_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"google.golang.org/api/option"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/bqledger"
	"chargeback/billing/ledger/bqledger/bqtest"
	"chargeback/billing/ledger/ledgertest"
)

// A statement takes the emulator a tenth of a second.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("rapid.checks", "10"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var runs int

// options are those of a dataset at a test server.
func options(endpoint string, transport http.RoundTripper) bqledger.Options {
	runs++
	return bqledger.Options{
		Project: "demo", Dataset: "books", Run: fmt.Sprintf("test_%d", runs), MaxBytesBilled: 1 << 40, Clock: time.Now,
		Sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Client: []option.ClientOption{option.WithEndpoint(endpoint), option.WithHTTPClient(&http.Client{Transport: transport})},
	}
}

func open(t testing.TB, o bqledger.Options) *bqledger.Store {
	t.Helper()
	s, err := bqledger.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuite(t *testing.T) {
	endpoints := map[string]string{}
	ledgertest.Run(t, func(t *testing.T) ledger.Engine {
		if endpoints[t.Name()] == "" {
			endpoints[t.Name()] = bqtest.Start(t, os.Getenv(bqtest.Program))
		}
		return open(t, options(endpoints[t.Name()], bqtest.Strict{Next: http.DefaultTransport}))
	}, "columns are added", "size and checkpoint") // the emulator ignores a wider schema and has no sizes
}
