package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"chargeback/transform/money"
)

// measurement is one run of one side.
type measurement struct {
	Wall        time.Duration // start to end of the process
	Processor   time.Duration // of all cores
	PeakBytes   int64         // largest resident set
	LedgerBytes int64         // size of the database file afterwards
	LLMCostUSD  money.USD
}

func runCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	runs := flags.Int("runs", 3, "runs of each side, in turn")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 || *runs < 1 {
		return errors.New("run takes one data folder, made by gen, and at least one run")
	}
	dir, err := filepath.Abs(flags.Arg(0))
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "chargeback-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	binary := filepath.Join(scratch, "chargeback")
	if _, err := execute(exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/chargeback")); err != nil {
		return fmt.Errorf("build ./cmd/chargeback, from the module's root: %w", err)
	}
	return alternate(ctx, os.Stdout, dir, scratch, binary, *runs)
}

// alternate runs script and program in turn, so that both see the same
// machine, and prints the comparison.
func alternate(ctx context.Context, w io.Writer, dir, scratch, binary string, runs int) error {
	var script, program []measurement
	var counts scriptResult
	for i := range runs {
		one, result, err := measureScript(ctx, dir, filepath.Join(scratch, "script.duckdb"))
		if err != nil {
			return err
		}
		counts, script = result, append(script, one)
		two, err := measureProgram(ctx, binary, dir)
		if err != nil {
			return err
		}
		program = append(program, two)
		fmt.Fprintf(w, "run %d of %d: script %.2fs, chargeback %.2fs\n", i+1, runs, one.Wall.Seconds(), two.Wall.Seconds())
	}
	return compare(w, counts, script, program)
}

// measureScript runs this program's own verb `script` in a process of its own.
func measureScript(ctx context.Context, dir, database string) (measurement, scriptResult, error) {
	var result scriptResult
	self, err := os.Executable()
	if err != nil {
		return measurement{}, result, err
	}
	ran, err := execute(exec.CommandContext(ctx, self, "script", dir, database))
	if err != nil {
		return measurement{}, result, err
	}
	if err := json.Unmarshal(ran.stdout, &result); err != nil {
		return measurement{}, result, fmt.Errorf("read the script's result: %w", err)
	}
	m := measurement{Wall: ran.wall, PeakBytes: ran.peakBytes, LLMCostUSD: result.LLMCostUSD}
	m.LedgerBytes, err = fileSize(database)
	return m, result, err
}

// measureProgram runs one nightly window into a fresh ledger and reads the
// day's total back through the departments report.
func measureProgram(ctx context.Context, binary, dir string) (measurement, error) {
	config, ledger := filepath.Join(dir, configFile), filepath.Join(dir, ledgerFile)
	if err := errors.Join(removeDatabase(ledger), os.RemoveAll(filepath.Join(dir, "invoices"))); err != nil {
		return measurement{}, err
	}
	ran, err := execute(exec.CommandContext(ctx, binary, "run", "nightly", "--date", day.Format("2006-01-02"), "--config", config))
	if err != nil {
		return measurement{}, err
	}
	m := measurement{Wall: ran.wall, Processor: ran.processor, PeakBytes: ran.peakBytes}
	if m.LedgerBytes, err = fileSize(ledger); err != nil {
		return measurement{}, err
	}
	report, err := execute(exec.CommandContext(ctx, binary, "report", "departments", "--month", day.Format("2006-01"), "--format", "json", "--config", config))
	if err != nil {
		return measurement{}, err
	}
	m.LLMCostUSD, err = sumReport(report.stdout)
	return m, err
}

// sumReport adds up the LLM cost of a report's rows exactly.
func sumReport(report []byte) (money.USD, error) {
	var parsed struct {
		Rows []struct {
			LLMCostUSD *money.USD `json:"llm_cost_usd"`
		} `json:"rows"`
	}
	if err := json.Unmarshal(report, &parsed); err != nil {
		return money.USD{}, fmt.Errorf("read report: %w", err)
	}
	if len(parsed.Rows) == 0 {
		return money.USD{}, errors.New("read report: it has no rows")
	}
	var total money.USD
	for i, row := range parsed.Rows {
		if row.LLMCostUSD == nil {
			return money.USD{}, fmt.Errorf("read report: rows[%d] has no llm_cost_usd", i)
		}
		total = total.Add(*row.LLMCostUSD)
	}
	return total, nil
}

// process is a finished child.
type process struct {
	stdout    []byte
	wall      time.Duration
	processor time.Duration // of all cores
	peakBytes int64
}

// execute runs the command to its end. An error carries what it printed.
func execute(cmd *exec.Cmd) (process, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	ran := process{stdout: stdout.Bytes(), wall: time.Since(start)}
	if err != nil {
		return ran, fmt.Errorf("%s: %w\n%s%s", cmd, err, stderr.String(), stdout.String())
	}
	ran.peakBytes = peakBytes(cmd.ProcessState)
	ran.processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return ran, nil
}

// peakBytes is the largest resident set of a finished process. Linux counts
// it in KiB, macOS in bytes.
func peakBytes(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) * 1024
}

func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
