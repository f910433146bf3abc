package main

import (
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chargeback/transform/civil"
	"chargeback/transform/money"
)

const (
	costCenters = 200
	departments = 40 // a cost centre belongs to the department of its number modulo 40

	configFile = "chargeback.yaml"
	ledgerFile = "ledger.duckdb"
	// infraFeeUSD is charged on every request, by the rate book and by the script.
	infraFeeUSD = "0.0001"
)

// model is one priced model; prices are USD per million tokens.
type model struct{ id, input, cacheRead, output string }

// models are what the generated requests ask for, one quarter each.
var models = []model{
	{"anthropic.claude-sonnet-4-20250514-v1:0", "3.00", "0.30", "15.00"},
	{"us.anthropic.claude-haiku-4-5-20251001-v1:0", "1.10", "0.11", "5.50"},
	{"amazon.nova-pro-v1:0", "0.80", "0.20", "3.20"},
	{"meta.llama3-1-70b-instruct-v1:0", "0.72", "0.72", "0.72"},
}

// perToken turns a price per million tokens into the exact price of one.
func perToken(perMillion string) money.USD {
	pico := money.MustParse(perMillion).Pico()
	return money.FromPicoInt(pico.Quo(pico, big.NewInt(1000000)))
}

// settings is the config of the measured run, from a first day on. Dates are UTC so that the
// business day is the generated day.
const settings = `company:
  name: Example Corp
  billing_zone: UTC
  start: %s
warehouse:
  engine: duckdb
  path: ` + ledgerFile + `
  memory_limit: 1GB
sources:
  - {name: bedrock, format: bedrock, url: "file:bedrock"}
  - {name: gateway, format: litellm, url: "file:litellm"}
  - {name: people, format: people, url: "file:people.csv"}
directory: directory.yaml
prices: prices.yaml
usage_from: {bedrock: provider}
late_days: 3
close_day: 5
invoices:
  dir: invoices
  issuer: {name: "Example Corp - AI Platform", cost_center: "CC-0000", contact: ai-platform@example.com, approver: "Head of AI Platform"}
  recovery_account: "690100"
  expense_account: "613500"
  dispute_days: 20
`

// writeConfig writes people and the three YAML files that `chargeback run` reads.
func writeConfig(dir string) error { return writeConfigFrom(dir, civil.DateOf(day, time.UTC)) }

// writeConfigFrom is writeConfig for a company that is accounted for from a day on.
func writeConfigFrom(dir string, start civil.Date) error {
	return errors.Join(
		os.WriteFile(filepath.Join(dir, configFile), fmt.Appendf(nil, settings, start), 0o644),
		os.WriteFile(filepath.Join(dir, "directory.yaml"), directoryYAML(), 0o644),
		os.WriteFile(filepath.Join(dir, "prices.yaml"), pricesYAML(), 0o644),
		writePeople(filepath.Join(dir, "people.csv")),
	)
}

func directoryYAML() []byte {
	var b strings.Builder
	b.WriteString("cost_centers:\n")
	for i := range costCenters {
		fmt.Fprintf(&b, "  - {code: \"CC-%04d\", name: Cost centre %d, department: Department %d, mode: chargeback, owner: owner%03d@example.com, company_code: \"1000\"}\n",
			i, i, i%departments, i)
	}
	return []byte(b.String())
}

func pricesYAML() []byte {
	var b strings.Builder
	b.WriteString("prices:\n")
	for _, m := range models {
		fmt.Fprintf(&b, "  - provider: bedrock\n    model: %s\n    from: 2026-01-01T00:00:00Z\n", m.id)
		fmt.Fprintf(&b, "    usd_per_million: {input: %q, cache_read: %q, output: %q}\n", m.input, m.cacheRead, m.output)
		b.WriteString("    source: made up for the benchmark\n")
	}
	fmt.Fprintf(&b, "fees:\n  - from: 2026-01-01T00:00:00Z\n    infra_per_request_usd: %q\n", infraFeeUSD)
	return []byte(b.String())
}
