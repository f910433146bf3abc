package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// lateMinutes is how much of a day's beginning is delivered with the next day's
// objects.
const lateMinutes = 10

// laterCommand measures a night in a ledger that holds earlier days of the same
// size, where each day's first minutes came with the next one's objects.
func laterCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("later", flag.ContinueOnError)
	pairs := flags.Int("n", 500000, "requests a day; each gives one Bedrock and one LiteLLM line")
	days := flags.Int("days", 7, "days that the ledger holds before the measured one")
	built := flags.String("chargeback", "", "built program; default: build ./cmd/chargeback")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 0 || *pairs < 1 || *days < 1 || *days > 15 {
		return errors.New("later takes no folder, at least one request a day and 1 to 15 days")
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
	if err := writeConfig(dir); err != nil {
		return err
	}
	return measureLater(ctx, os.Stdout, dir, binary, *pairs, *days)
}

// measureLater runs a night for each day and compares the last with the first.
func measureLater(ctx context.Context, w io.Writer, dir, binary string, pairs, days int) error {
	var first process
	for n := range days + 1 {
		at := day.AddDate(0, 0, n)
		if err := writeDay(dir, at, uint64(n), pairs); err != nil {
			return err
		}
		ran, err := execute(exec.CommandContext(ctx, binary, "run", "nightly", "--date", at.Format("2006-01-02"), "--config", filepath.Join(dir, configFile)))
		if err != nil {
			return err
		}
		if n == 0 {
			first = ran
		}
		if n == 0 || n == days {
			fmt.Fprintf(w, "night of %s, %d earlier days of %d requests: %.2f s, processor time %.2f s, peak %d MB\n",
				at.Format("2006-01-02"), n, pairs, ran.wall.Seconds(), ran.processor.Seconds(), ran.peakBytes/1e6)
		}
		if n == days {
			fmt.Fprintf(w, "the later night takes %.2f times the first one's time, %.2f times its processor time\n",
				ran.wall.Seconds()/first.wall.Seconds(), ran.processor.Seconds()/first.processor.Seconds())
		}
	}
	size, err := fileSize(filepath.Join(dir, ledgerFile))
	fmt.Fprintf(w, "ledger: %.1f bytes a request\n", float64(size)/float64(pairs*(days+1)))
	return err
}

// writeDay writes a day's requests to one file a side in the day's folder, and those
// of its first minutes to the next day's.
func writeDay(dir string, at time.Time, seed uint64, pairs int) (err error) {
	next := at.AddDate(0, 0, 1)
	var sides [4]*gzipFile
	for i, path := range []string{usageFile(dir, at, "day"), requestFile(dir, at, "day"), usageFile(dir, next, "late"), requestFile(dir, next, "late")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		file, err := createGzip(path)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		sides[i] = file
	}
	random := rand.New(rand.NewPCG(seed, 11))
	shift := at.Sub(day)
	var line []byte
	for range pairs {
		p := drawPair(random)
		to := sides[:2]
		if p.at.Sub(day) < lateMinutes*time.Minute {
			to = sides[2:]
		}
		p.at = p.at.Add(shift)
		line = p.appendUsage(line[:0])
		_, errUsage := to[0].Write(line)
		line = p.appendRequest(line[:0])
		_, errRequest := to[1].Write(line)
		if err := errors.Join(errUsage, errRequest); err != nil {
			return err
		}
	}
	return nil
}

func usageFile(dir string, at time.Time, name string) string {
	return filepath.Join(dir, "bedrock", "AWSLogs", account, "BedrockModelInvocationLogs", region, at.Format("2006/01/02"), "00", at.Format("20060102")+"T000000000Z_"+name+".json.gz")
}

func requestFile(dir string, at time.Time, name string) string {
	return filepath.Join(dir, "litellm", at.Format("2006-01-02"), name+".jsonl.gz")
}
