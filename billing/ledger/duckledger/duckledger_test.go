package duckledger_test

import (
	"path/filepath"
	"strings"
	"testing"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/duckledger"
	"chargeback/billing/ledger/ledgertest"
)

func TestSuite(t *testing.T) {
	dir := t.TempDir()
	ledgertest.Run(t, func(t *testing.T) ledger.Engine {
		name := strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())
		s, err := duckledger.Open(t.Context(), duckledger.Options{Path: filepath.Join(dir, name+".duckdb")})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
