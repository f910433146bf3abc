package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"chargeback/extract/store/s3store"
)

// The environment's names of a server to fill and read; .ci/servers sets them.
const (
	s3Endpoint = "CHARGEBACK_TEST_S3_ENDPOINT"
	s3Bucket   = "CHARGEBACK_TEST_S3_BUCKET"
	s3Region   = "CHARGEBACK_TEST_S3_REGION"
	s3KeyID    = "CHARGEBACK_TEST_S3_ACCESS_KEY_ID"
	s3Secret   = "CHARGEBACK_TEST_S3_SECRET_ACCESS_KEY"
)

// smallSettings is the config of a night over small objects: url of their source,
// further settings of it.
const smallSettings = `company: {name: Example Corp, billing_zone: UTC, start: 2026-10-15}
warehouse: {engine: duckdb, path: ` + ledgerFile + `}
sources:
  - {name: gateway, format: litellm, url: %q%s}
  - {name: people, format: people, url: "file:people.csv"}
directory: directory.yaml
prices: prices.yaml
late_days: 3
close_day: 5
`

// smallCommand measures a night over objects of one record, from a folder and from
// a server whose answers come late.
func smallCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("small", flag.ContinueOnError)
	objects := flags.Int("objects", 10000, "objects of one record")
	delay := flags.Duration("delay", 25*time.Millisecond, "by how much each answer of the server comes late")
	runs := flags.Int("runs", 3, "runs of each, in turn")
	built := flags.String("chargeback", "", "built program, or several with commas between; default: build ./cmd/chargeback")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 0 || *objects < 1 || *runs < 1 || *delay < 0 {
		return errors.New("small takes no folder, and at least one object and run")
	}
	dir, err := os.MkdirTemp("", "chargeback-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binaries := strings.Split(*built, ",")
	if *built == "" && os.Getenv(s3Endpoint) != "" {
		binaries = []string{filepath.Join(dir, "chargeback")}
		if _, err := execute(exec.CommandContext(ctx, "go", "build", "-o", binaries[0], "./cmd/chargeback")); err != nil {
			return fmt.Errorf("build ./cmd/chargeback, from the module's root: %w", err)
		}
	}
	return measureSmall(ctx, os.Stdout, dir, binaries, small{Objects: *objects, Delay: *delay, Runs: *runs})
}

// small is what is measured.
type small struct {
	Objects int
	Delay   time.Duration
	Runs    int
}

// place is where the objects lie, and what was measured of it.
type place struct {
	what     string
	dir      string // of the settings and the ledger
	distant  *delayed
	measured []measurement
}

func measureSmall(ctx context.Context, w io.Writer, dir string, binaries []string, s small) (err error) {
	endpoint, err := url.Parse(os.Getenv(s3Endpoint))
	if err != nil {
		return fmt.Errorf("%s: %w", s3Endpoint, err)
	}
	if endpoint.Host == "" {
		fmt.Fprintf(w, "small objects: left out, %s names no server; .ci/servers starts one\n", s3Endpoint)
		return nil
	}
	texts := smallObjects(s.Objects)
	bucket := cmp.Or(os.Getenv(s3Bucket), "chargeback-test")
	if err := fillServer(ctx, endpoint.String(), bucket, texts); err != nil {
		return fmt.Errorf("fill the server: %w", err)
	}
	proxy, err := newDelayed(ctx, endpoint.Host, s.Delay)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, proxy.Close()) }()
	near, far := filepath.Join(dir, "folder"), filepath.Join(dir, "server")
	server := fmt.Sprintf(", s3: {region: %s, endpoint: %q, path_style: true, access_key_id_env: %s, secret_access_key_env: %s}",
		cmp.Or(os.Getenv(s3Region), "us-east-1"), "http://"+proxy.address(), s3KeyID, s3Secret)
	err = errors.Join(
		writeSmall(near, "file:objects", ""),
		writeSmall(far, "s3://"+bucket+"/"+smallPrefix(s.Objects), server),
		fillFolder(filepath.Join(near, "objects"), texts),
	)
	if err != nil {
		return err
	}
	for _, binary := range binaries {
		places := []*place{{what: "from a folder", dir: near}, {what: fmt.Sprintf("from a server, %s late", s.Delay), dir: far, distant: proxy}}
		if err := measurePlaces(ctx, w, binary, s, places); err != nil {
			return err
		}
	}
	return nil
}

// measurePlaces runs a night over each place in turn, and prints what each took.
func measurePlaces(ctx context.Context, w io.Writer, binary string, s small, places []*place) error {
	for range s.Runs {
		for _, p := range places {
			m, err := measureProgram(ctx, binary, p.dir)
			if err != nil {
				return err
			}
			p.measured = append(p.measured, m)
		}
	}
	fmt.Fprintf(w, "%d objects of one record, median of %d nights each\n", s.Objects, s.Runs)
	for _, p := range places {
		wall := medianWall(p.measured)
		fmt.Fprintf(w, "  %-28s %6.2f s, %.0f objects/s, processor time %.1f s, peak %d MB", p.what, wall.Seconds(),
			float64(s.Objects)/wall.Seconds(), medianProcessor(p.measured).Seconds(), maxPeak(p.measured)>>20)
		if p.distant != nil {
			answers, most := p.distant.counted()
			if answers < s.Objects {
				return fmt.Errorf("the server answered %d times, of %d objects", answers, s.Objects)
			}
			fmt.Fprintf(w, ", %d fetches at once", most)
		}
		fmt.Fprintln(w)
	}
	return sameTotals(places[0].measured, places[1].measured)
}

// writeSmall writes what a night over the objects at url needs beside them.
func writeSmall(dir, url, more string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return errors.Join(writeConfig(dir), os.WriteFile(filepath.Join(dir, configFile), []byte(fmt.Sprintf(smallSettings, url, more)), 0o644))
}

// smallObject is what a gateway writes for each request.
type smallObject struct {
	key  string
	text []byte
}

// smallObjects makes n of them, always the same.
func smallObjects(n int) []smallObject {
	random := rand.New(rand.NewPCG(0, 7))
	made := make([]smallObject, n)
	for i := range made {
		p := drawPair(random)
		made[i] = smallObject{key: p.at.Format("2006-01-02/time-15-04-05-") + fmt.Sprintf("%06d_chatcmpl-%d.json", p.at.Nanosecond()/1000, i), text: p.appendRequest(nil)}
	}
	return made
}

func fillFolder(dir string, objects []smallObject) error {
	for _, o := range objects {
		name := filepath.Join(dir, filepath.FromSlash(o.key))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, o.text, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

func smallPrefix(objects int) string { return fmt.Sprintf("bench/small-%d", objects) }

// fillServer writes the objects that are not there yet.
func fillServer(ctx context.Context, endpoint, bucket string, objects []smallObject) (err error) {
	options := s3store.Options{
		Bucket: bucket, Prefix: smallPrefix(len(objects)), Region: cmp.Or(os.Getenv(s3Region), "us-east-1"), Endpoint: endpoint, PathStyle: true,
		AccessKeyID: os.Getenv(s3KeyID), SecretAccessKey: os.Getenv(s3Secret),
	}
	if err := makeBucket(ctx, options); err != nil {
		return err
	}
	store, err := s3store.New(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, o := range objects {
		group.Go(func() error { return store.Create(ctx, o.key, "application/json", o.text) })
	}
	return group.Wait()
}

func makeBucket(ctx context.Context, options s3store.Options) error {
	client := s3.New(s3.Options{
		Region: options.Region, BaseEndpoint: aws.String(options.Endpoint), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(options.AccessKeyID, options.SecretAccessKey, ""),
	})
	_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &options.Bucket})
	if api := smithy.APIError(nil); errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "BucketAlready") {
		return nil
	}
	return err
}
