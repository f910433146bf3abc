package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"chargeback/transform/money"
)

// childReport makes this test binary stand in for the measured program; its
// value is the report that it prints.
const childReport = "BENCH_TEST_CHILD_REPORT"

// childAsks is how often the stand-in asks the server of its settings.
const childAsks = "BENCH_TEST_CHILD_ASKS"

func TestMain(m *testing.M) {
	if report, ok := os.LookupEnv(childReport); ok {
		os.Exit(child(report, os.Args[1:]))
	}
	if corrected, ok := os.LookupEnv(childClose); ok {
		if err := childMonth(corrected, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(childLater) != "" {
		if err := childNight(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child does what the verbs under measurement do, in little.
func child(report string, args []string) int {
	var err error
	switch config := args[len(args)-1]; args[0] {
	case "run":
		ledger := filepath.Join(filepath.Dir(config), ledgerFile)
		if _, stale := os.Stat(ledger); stale == nil {
			err = errors.New("the ledger is not fresh")
		} else {
			err = os.WriteFile(ledger, make([]byte, 1200), 0o644)
		}
		if asks, is := os.LookupEnv(childAsks); is && err == nil {
			n, _ := strconv.Atoi(asks)
			err = askAll(config, n)
		}
	case "report":
		_, err = os.Stdout.WriteString(report)
	default:
		err = dispatch(context.Background(), args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Goal: both sides run in processes of their own, each time into a fresh
// ledger, and totals decide.
// Method: this test binary stands in for the program and prints a right, a
// wrong and no report.
func TestAlternate(t *testing.T) {
	dir, s := t.TempDir(), shape{Pairs: 12, Files: 1}
	if err := generate(dir, s); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	total := pricedAgain(s)
	for _, row := range []struct{ name, report, err string }{
		{name: "same total", report: fmt.Sprintf(`{"rows":[{"llm_cost_usd":%q}]}`, total)},
		{name: "a pico-dollar more", report: fmt.Sprintf(`{"rows":[{"llm_cost_usd":%q}]}`, total.Add(money.FromPico(1))), err: "the difference is 0.000000000001 USD"},
		{name: "no report", report: "", err: "read report"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(childReport, row.report)
			var out strings.Builder
			err := alternate(t.Context(), &out, dir, t.TempDir(), self, 2)
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Fatalf("got error %v, want one with %q", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"run 2 of 2", "12 usage and 12 request lines", "100.0", total.Fixed()} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("output lacks %q:\n%s", want, out.String())
				}
			}
		})
	}
}

func TestSumReport(t *testing.T) {
	for _, row := range []struct{ name, report, want, err string }{
		{name: "exact to the last digit", report: `{"rows":[{"department":"A","llm_cost_usd":"0.000000000001"},{"llm_cost_usd":"19585.29888878"}]}`, want: "19585.298888780001"},
		{name: "no rows", report: `{"rows":[]}`, err: "no rows"},
		{name: "row without the column", report: `{"rows":[{"llm_cost_usd":"1"},{"total_cost_usd":"2"}]}`, err: "rows[1]"},
		{name: "not JSON", report: `department  cost`, err: "read report"},
		{name: "amount too fine", report: `{"rows":[{"llm_cost_usd":"0.0000000000001"}]}`, err: "12 decimal places"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := sumReport([]byte(row.report))
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Fatalf("got error %v, want one with %q", err, row.err)
				}
				return
			}
			if err != nil || got.Fixed() != row.want {
				t.Fatalf("got %s, %v; want %s", got.Fixed(), err, row.want)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	run := func(seconds, peakMB int64, total string) measurement {
		return measurement{Wall: time.Duration(seconds) * time.Second, PeakBytes: peakMB * 1e6, LedgerBytes: 300, LLMCostUSD: money.MustParse(total)}
	}
	counts := scriptResult{Usage: 10, Requests: 10, Records: 10}
	script := []measurement{run(4, 90, "1.5"), run(2, 100, "1.5"), run(3, 95, "1.50")}
	var out strings.Builder
	if err := compare(&out, counts, script, []measurement{run(9, 50, "1.5"), run(6, 70, "1.5"), run(3, 60, "1.5")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"median of 3", "3.00", "100 MB", "70 MB", "30.0", "1.500000000000", "2.00 times"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("comparison lacks %q:\n%s", want, out.String())
		}
	}
	err := compare(&out, counts, script, []measurement{run(3, 1, "1.5"), run(3, 1, "1.499999999999"), run(3, 1, "1.5")})
	if err == nil || !strings.Contains(err.Error(), "run 2") || !strings.Contains(err.Error(), "-0.000000000001") {
		t.Errorf("a total that differs in the last digit passed: %v", err)
	}
}

func TestExecute(t *testing.T) {
	ran, err := execute(exec.CommandContext(t.Context(), "go", "env", "GOARCH"))
	if err != nil || len(ran.stdout) == 0 || ran.wall <= 0 || ran.peakBytes <= 0 {
		t.Errorf("go env: %q, %v, %d bytes, %v", ran.stdout, ran.wall, ran.peakBytes, err)
	}
	if _, err := execute(exec.CommandContext(t.Context(), "go", "no-such-verb")); err == nil || !strings.Contains(err.Error(), "no-such-verb") {
		t.Errorf("a failing command gave %v, want what it printed", err)
	}
}

func TestDispatchRefuses(t *testing.T) {
	for name, args := range map[string][]string{
		"no verb":            {},
		"unknown verb":       {"draw"},
		"gen without folder": {"gen"},
		"script without DB":  {"script", "dir"},
		"run without folder": {"run"},
		"run of no runs":     {"run", "-runs", "0", "dir"},
		"small with folder":  {"small", "dir"},
		"small of nothing":   {"small", "-objects", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := dispatch(context.Background(), args); err == nil {
				t.Error("was accepted")
			}
		})
	}
}
