package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// closeSettings is the config of the measured closes: two short months, so that
// the nights before them cost little.
const closeSettings = `company: {name: Example Corp, billing_zone: UTC, start: 2026-08-30}
warehouse: {engine: duckdb, path: ` + ledgerFile + `, memory_limit: 200MB}
sources:
  - name: gateway
    format: mapped
    url: file:data
    side: agent
    silent_after_days: 0
    mapped:
      fields: {agent_request_id: [/id], started_at: [/at], model: [/model], user_email: [/user], agent_id: [/agent], input_tokens: [/in], output_tokens: [/out]}
      constants: {provider: openai}
  - {name: people, format: people, url: "file:people.csv"}
directory: directory.yaml
prices: prices.yaml
late_days: 1
close_day: 3
corrections_limit_usd: "1000000.00"
shared_costs:
  - {name: Hosting, amount_usd: "10000.00", split: proportional}
invoices:
  issuer: {name: AI Platform, cost_center: CC-9999}
  recovery_account: "690100"
  expense_account: "613500"
`

const closePrices = `prices:
  - {provider: openai, model: m1, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "1.00", output: "1.00"}, source: bench}
fees:
  - {from: 2026-01-01T00:00:00Z, infra_per_request_usd: "0.0001", infra_per_cache_hit_usd: "0"}
`

// The closed months: of the second each cost centre's document corrects the first.
const (
	closedMonth    = "2026-08"
	correctedMonth = "2026-09"
)

// closeCommand measures the close of a month of many cost centres, that of the
// next in which each has a correction, and both once more.
func closeCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("close", flag.ContinueOnError)
	centers := flags.Int("centers", 3000, "cost centres, an invoice each")
	built := flags.String("chargeback", "", "built program; default: build ./cmd/chargeback")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 0 || *centers < 1 || *centers > 9000 {
		return errors.New("close takes no folder, and 1 to 9000 cost centres")
	}
	dir, err := os.MkdirTemp("", "chargeback-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := *built
	if binary == "" {
		binary = filepath.Join(dir, "chargeback")
		if _, err := execute(exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/chargeback")); err != nil {
			return fmt.Errorf("build ./cmd/chargeback, from the module's root: %w", err)
		}
	}
	return measureCloses(ctx, os.Stdout, dir, binary, *centers)
}

func measureCloses(ctx context.Context, w io.Writer, dir, binary string, centers int) error {
	if err := writeCompany(dir, centers); err != nil {
		return err
	}
	run := func(args ...string) (process, error) {
		return execute(exec.CommandContext(ctx, binary, append(args, "--config", filepath.Join(dir, configFile))...))
	}
	closed := map[string]process{}
	fmt.Fprintf(w, "%d cost centres\n", centers)
	for _, step := range []struct {
		what, month string
		args        []string
		late        bool
	}{
		{args: []string{"run", "nightly", "--from", "2026-08-30", "--to", "2026-09-01"}},
		{what: "close without corrections", month: closedMonth},
		{what: "the same month again", month: closedMonth},
		{args: []string{"run", "nightly", "--date", "2026-09-01"}, late: true},
		{args: []string{"run", "nightly", "--from", "2026-09-02", "--to", "2026-10-01"}},
		{what: "close with a correction each", month: correctedMonth},
		{what: "the same month again", month: correctedMonth},
	} {
		if step.late {
			if err := writeUse(dir, "2026-08-31", "late", centers); err != nil {
				return err
			}
		}
		if step.month == "" {
			if _, err := run(step.args...); err != nil {
				return err
			}
			continue
		}
		ran, err := run("run", "monthly", "--month", step.month)
		if err != nil {
			return err
		}
		if _, again := closed[step.month]; !again {
			closed[step.month] = ran
		}
		fmt.Fprintf(w, "  %-30s %6.1f s, processor time %5.1f s, peak %d MB\n", step.what, ran.wall.Seconds(), ran.processor.Seconds(), ran.peakBytes/1e6)
	}
	without, with := closed[closedMonth], closed[correctedMonth]
	fmt.Fprintf(w, "the close with corrections takes %.2f times the time of that without, %.2f times its processor time\n",
		with.wall.Seconds()/without.wall.Seconds(), with.processor.Seconds()/without.processor.Seconds())
	return errors.Join(checkClose(dir, closedMonth, centers, 0), checkClose(dir, correctedMonth, centers, centers))
}

// checkClose makes sure that a closed month has so many documents, and that so many of
// them correct an earlier month.
func checkClose(dir, month string, documents, corrections int) error {
	files, err := filepath.Glob(filepath.Join(dir, "invoices", month, "CB-*.csv"))
	if err != nil {
		return err
	}
	corrected := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if strings.Contains(string(text), ",line,adjustment,") {
			corrected++
		}
	}
	if len(files) != documents || corrected != corrections {
		return fmt.Errorf("%s has %d documents, of which %d correct an earlier month; want %d and %d", month, len(files), corrected, documents, corrections)
	}
	return nil
}

// writeCompany writes the settings of a company and its use of two months.
func writeCompany(dir string, centers int) error {
	var directory, people strings.Builder
	directory.WriteString("cost_centers:\n  - {code: CC-9999, name: AI Platform, department: Platform, company_code: \"1000\"}\n")
	people.WriteString("email,department,cost_center,valid_from,valid_to\n")
	for i := range centers {
		fmt.Fprintf(&directory, "  - {code: CC-%d, name: Team %d, department: D%d, company_code: \"1000\"}\n", i+1, i+1, i%departments)
		fmt.Fprintf(&people, "u%d@example.com,D%d,CC-%d,2026-01-01,\n", i+1, i%departments, i+1)
	}
	var failed []error
	for name, text := range map[string]string{configFile: closeSettings, "prices.yaml": closePrices, "directory.yaml": directory.String(), "people.csv": people.String()} {
		failed = append(failed, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	failed = append(failed, writeUse(dir, "2026-08-31", "used", centers), writeUse(dir, "2026-09-10", "used", centers))
	return errors.Join(failed...)
}

// writeUse writes an object of a day in which everybody asks once.
func writeUse(dir, day, name string, centers int) error {
	folder := filepath.Join(dir, "data", filepath.FromSlash(strings.ReplaceAll(day, "-", "/")))
	var lines strings.Builder
	for i := range centers {
		fmt.Fprintf(&lines, `{"id":"%s-%s-%d","at":"%sT10:00:00Z","model":"m1","user":"u%d@example.com","agent":"bot","in":%d,"out":0}`+"\n", day, name, i, day, i+1, 1_000_000+i)
	}
	return errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, name+".jsonl"), []byte(lines.String()), 0o644))
}
