package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"
)

const (
	account = "123456789012"
	region  = "us-east-1"
	people  = 50000
	// writers is how many files are written at once; more only cost memory,
	// because compression is what takes the time.
	writers = 2
)

// day is the UTC day that all generated requests lie in.
var day = time.Date(2026, time.October, 15, 0, 0, 0, 0, time.UTC)

// shape is how much data a folder holds.
type shape struct {
	Pairs int // requests; each gives one usage line and one gateway line
	Files int // files a side
}

func genCommand(args []string) error {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	pairs := flags.Int("n", 2000000, "requests; each gives one Bedrock and one LiteLLM line")
	files := flags.Int("files", 16, "files a side")
	out := flags.String("out", "", "folder to write to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || flags.NArg() > 0 {
		return errors.New("gen takes flags only; name the folder with -out DIR")
	}
	return generate(*out, shape{Pairs: *pairs, Files: *files})
}

// generate writes the day, people and config below dir. Logs that an earlier
// call wrote whole in the same shape are kept; config is always written anew.
// The same shape always gives the same lines.
func generate(dir string, s shape) error {
	if s.Pairs < 1 || s.Files < 1 || s.Files > 1000 || s.Files > s.Pairs {
		return fmt.Errorf("generate %d pairs in %d files: need at least one pair a file and 1 to 1000 files", s.Pairs, s.Files)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeConfig(dir); err != nil {
		return err
	}
	done, want := filepath.Join(dir, "complete"), fmt.Sprintf("%d pairs, %d files\n", s.Pairs, s.Files)
	if got, err := os.ReadFile(done); err == nil && string(got) == want {
		return nil
	}
	if err := removeLogs(dir); err != nil {
		return err
	}
	if err := writeLogs(dir, s); err != nil {
		return err
	}
	return os.WriteFile(done, []byte(want), 0o644)
}

// removeLogs clears what another shape or a stopped call left behind, so that
// no stray file is counted.
func removeLogs(dir string) error {
	return errors.Join(
		os.RemoveAll(filepath.Join(dir, "complete")),
		os.RemoveAll(filepath.Join(dir, "bedrock")),
		os.RemoveAll(filepath.Join(dir, "litellm")),
	)
}

func writeLogs(dir string, s shape) error {
	usageDir := filepath.Join(dir, "bedrock", "AWSLogs", account, "BedrockModelInvocationLogs", region, day.Format("2006/01/02"), "00")
	requestDir := filepath.Join(dir, "litellm", day.Format("2006-01-02"))
	if err := errors.Join(os.MkdirAll(usageDir, 0o755), os.MkdirAll(requestDir, 0o755)); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(writers)
	for file := range s.Files {
		pairs := s.Pairs / s.Files
		if file < s.Pairs%s.Files {
			pairs++
		}
		usagePath := filepath.Join(usageDir, fmt.Sprintf("%sT0000%02d000Z_%016x.json.gz", day.Format("20060102"), file, file))
		requestPath := filepath.Join(requestDir, fmt.Sprintf("part-%03d.jsonl.gz", file))
		group.Go(func() error { return writeFilePair(usagePath, requestPath, uint64(file), pairs) })
	}
	return group.Wait()
}

// writeFilePair writes pairs requests to one file a side; seed alone decides
// what they are.
func writeFilePair(usagePath, requestPath string, seed uint64, pairs int) (err error) {
	usage, err := createGzip(usagePath)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, usage.Close()) }()
	requests, err := createGzip(requestPath)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, requests.Close()) }()
	random := rand.New(rand.NewPCG(seed, 7))
	var line []byte
	for range pairs {
		p := drawPair(random)
		line = p.appendUsage(line[:0])
		if _, err := usage.Write(line); err != nil {
			return err
		}
		line = p.appendRequest(line[:0])
		if _, err := requests.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// gzipFile is a buffered gzip file; Close reports what any layer failed at.
type gzipFile struct {
	*bufio.Writer
	closers []io.Closer
}

func createGzip(path string) (*gzipFile, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	z := gzip.NewWriter(file)
	return &gzipFile{bufio.NewWriterSize(z, 1<<20), []io.Closer{z, file}}, nil
}

func (f *gzipFile) Close() error {
	err := f.Flush()
	for _, c := range f.closers {
		err = errors.Join(err, c.Close())
	}
	return err
}

// writePeople writes 50,000 people over 200 cost centres and 40 departments.
func writePeople(path string) error {
	b := []byte("email,department,cost_center,valid_from,valid_to\n")
	for i := range people {
		b = appendEmail(b, i)
		b = append(b, ",Department "...)
		b = strconv.AppendInt(b, int64(i%departments), 10)
		b = append(b, ",CC-"...)
		b = appendPadded(b, i%costCenters, 4)
		b = append(b, ",2026-01-01,\n"...)
	}
	return os.WriteFile(path, b, 0o644)
}
