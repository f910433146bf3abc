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
)

// linearTimes is how many times the small day the large one is.
const linearTimes = 10

// linearCommand measures whether the first night of a day ten times as large takes ten
// times as long, in the same memory.
func linearCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("linear", flag.ContinueOnError)
	pairs := flags.Int("n", 2000000, "requests of the small day; the large one has ten times as many")
	built := flags.String("chargeback", "", "built program; default: build ./cmd/chargeback")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 0 || *pairs < 16 {
		return errors.New("linear takes no folder, and at least 16 requests")
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
	return measureLinear(ctx, os.Stdout, dir, binary, *pairs)
}

// measureLinear runs the first night of two days and compares them.
func measureLinear(ctx context.Context, w io.Writer, dir, binary string, pairs int) error {
	var nights [2]process
	for i, n := range []int{pairs, linearTimes * pairs} {
		of := filepath.Join(dir, fmt.Sprint(n))
		if err := generate(of, shape{Pairs: n, Files: 16}); err != nil {
			return err
		}
		ran, err := execute(exec.CommandContext(ctx, binary, "run", "nightly", "--date", day.Format("2006-01-02"), "--config", filepath.Join(of, configFile)))
		if err != nil {
			return err
		}
		nights[i] = ran
		size, err := fileSize(filepath.Join(of, ledgerFile))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "first night of %d requests: %.2f s, processor time %.2f s, peak %d MB, %.1f bytes of ledger a request\n",
			n, ran.wall.Seconds(), ran.processor.Seconds(), ran.peakBytes/1e6, float64(size)/float64(n))
		if err := os.RemoveAll(of); err != nil { // the large day has no room beside it
			return err
		}
	}
	fmt.Fprintf(w, "%d times as many requests take %.2f times the time, %.2f times the processor time and %.2f times the memory\n", linearTimes,
		nights[1].wall.Seconds()/nights[0].wall.Seconds(), nights[1].processor.Seconds()/nights[0].processor.Seconds(), float64(nights[1].peakBytes)/float64(nights[0].peakBytes))
	return nil
}
