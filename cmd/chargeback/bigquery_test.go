package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocmp "github.com/google/go-cmp/cmp"

	"chargeback/billing/records"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/cmd/chargeback/app"
	"chargeback/cmd/chargeback/demo"
	"chargeback/transform/civil"
)

// toBigQuery makes a demo's settings keep their ledger at a BigQuery server,
// with the lease in a bucket.
func toBigQuery(t *testing.T, dir, bucket, endpoint, dataset string) {
	t.Helper()
	path := filepath.Join(dir, configFile)
	settings, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(settings), "\nwarehouse:\n")
	_, rest, ends := strings.Cut(rest, "\nsources:\n")
	if !found || !ends {
		t.Fatal("the demo's settings have no warehouse before their sources")
	}
	place := strings.TrimSuffix(endpoint, "/bigquery/v2/")
	warehouse := fmt.Sprintf("\nwarehouse: {engine: bigquery, project: demo, dataset: %s, location: EU, endpoint: %q, lease: {url: \"s3://%s/state\", s3: {endpoint: %q, region: us-east-1, path_style: true, access_key_id_env: %s, secret_access_key_env: %s}}}\n\nsources:\n",
		dataset, place, bucket, os.Getenv(testEndpoint), testKeyID, testSecret)
	if err := os.WriteFile(path, []byte(head+warehouse+rest), 0o600); err != nil {
		t.Fatal(err)
	}
}

// strict is the address of an emulator behind a server that refuses what BigQuery
// refuses, and answers at once that a job runs.
func strict(t *testing.T) string {
	t.Helper()
	service := bqtest.NewStrict(http.DefaultTransport)
	service.Location = "EU" // as toBigQuery has it
	return bqtest.Serve(t, bqtest.Start(t, os.Getenv(bqtest.Program)), service)
}

// Goal: where the ledger lies changes nothing that anybody owes or gets.
// Method: the demo's whole month, all that is special in it and a tenth of the
// rest, once from folders into DuckDB, night by night, and once from a real S3
// server into the BigQuery emulator, week by week. The ledgers' hashes and every
// byte of the documents must be equal. (The emulator joins by comparing every
// pair of rows, at 2 microseconds each: the demo's 5,400 by 6,600 rows would
// take it half an hour, where the service takes seconds.)
func TestDemoMonthOnBigQuery(t *testing.T) {
	if os.Getenv(testEndpoint) == "" {
		t.Skipf("left out: %s names no server; make test starts one", testEndpoint)
	}
	endpoint := strict(t)
	folders, bucket := filepath.Join(t.TempDir(), "files"), filepath.Join(t.TempDir(), "bigquery")
	for _, dir := range []string{folders, bucket} {
		if _, err := demo.Write(dir, demo.Options{Month: demoMonth, Every: 40}); err != nil {
			t.Fatal(err)
		}
	}
	name := fmt.Sprintf("chargeback-bigquery-%d", time.Now().UnixNano())
	upload(t, bucket, name)
	toBigQuery(t, bucket, name, endpoint, "books")
	want := demoLedger(t, folders)

	var out, alerts bytes.Buffer
	w := world{out: &out, err: &alerts, now: func() time.Time { return scriptClock }, getenv: os.Getenv, columns: 100, program: "chargeback"}
	got := ""
	err := withBooks(t.Context(), w, filepath.Join(bucket, configFile), app.AsOwner, func(ctx context.Context, a *books) error {
		month := civil.Month{Year: 2026, Month: time.October}
		last := month.LastDay().AddDays(a.LateDays)
		start := time.Now()
		for first := month.FirstDay(); !last.Before(first); first = first.AddDays(7) {
			week := records.Days{First: first, Last: first.AddDays(6)}
			if last.Before(week.Last) {
				week.Last = last
			}
			if _, err := a.Nights(ctx, week, morning(a, week.Last)); err != nil {
				return err
			}
			if _, err := a.Deliver(ctx); err != nil {
				return err
			}
			t.Logf("nights to %s after %s", week.Last, time.Since(start))
		}
		if _, err := a.Monthly(ctx, month, morning(a, last.AddDays(1))); err != nil {
			return err
		}
		t.Logf("month took %s", time.Since(start))
		var err error
		got, err = a.Ledger.Months.Hash(ctx, civil.Min, civil.Max, "")
		return err
	})
	if err != nil {
		t.Fatalf("%.3000v\n%s", err, out.String())
	}
	t.Logf("ledger in DuckDB   %s\nledger in BigQuery %s", want, got)
	if got != want {
		t.Errorf("ledger in BigQuery has hash %s, in DuckDB %s", got, want)
	}
	testDoctorOnBigQuery(t, filepath.Join(bucket, configFile))
	documents := invoices(t, folders)
	if diff := gocmp.Diff(documents, invoices(t, bucket)); diff != "" {
		t.Errorf("documents (-DuckDB +BigQuery)\n%.3000s", diff)
	}
	if diff := gocmp.Diff(documents, delivered(t, name, "finance/"+demoMonth+"/")); diff != "" {
		t.Errorf("documents (-folder +delivered)\n%.3000s", diff)
	}
}

// testDoctorOnBigQuery asks the doctor and status about a ledger in BigQuery.
func testDoctorOnBigQuery(t *testing.T, path string) {
	t.Helper()
	var out bytes.Buffer
	later := scriptClock.AddDate(0, 0, 3) // than the last run, and no night is overdue
	w := world{out: &out, err: &out, now: func() time.Time { return later }, getenv: os.Getenv, columns: 100}
	err := doctor(t.Context(), w, path, false)
	for _, want := range []string{"ok: ledger: BigQuery demo.books", "ok: lease: s3://", "runner.json is free and can be written", "ok: source: bedrock", "finance can be written"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the doctor does not say %q", want)
		}
	}
	if err != nil {
		t.Errorf("the doctor ends with %v:\n%s", err, out.String())
	}
	out.Reset()
	a, err := openToRead(t.Context(), w, path)
	if err == nil {
		err = errors.Join(status(t.Context(), w, a, false), a.Close())
	}
	if err != nil || !strings.Contains(out.String(), "ledger     bigquery demo.books") || !strings.Contains(out.String(), "nightly/2026-11-03  done") {
		t.Errorf("status: %v\n%s", err, out.String())
	}
	t.Logf("status:\n%s", out.String())
}

// Goal: four workers that share nothing but the sources and the ledger make the
// ledger that one makes, also where one of them is killed and its part run again.
// Method: processes of this program over the first nights of the demo, on a real
// S3 server and the BigQuery emulator. The one that is killed dies with its lease
// taken, so whoever runs its part again comes when that has run out.
func TestShards(t *testing.T) {
	if os.Getenv(testEndpoint) == "" {
		t.Skipf("left out: %s names no server; make test starts one", testEndpoint)
	}
	if _, err := os.Stat(os.Getenv(bqtest.Program)); err != nil {
		t.Skipf("left out: %s names no BigQuery emulator; make test builds one", bqtest.Program)
	}
	dir := filepath.Join(t.TempDir(), "demo")
	if _, err := demo.Write(dir, demo.Options{Month: demoMonth, Every: 40}); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("chargeback-shards-%d", time.Now().UnixNano())
	upload(t, dir, name)
	plain, err := os.ReadFile(filepath.Join(dir, configFile))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, configFile)
	ledgerOf := func(dataset string, nights func(run func(program string, args ...string) *exec.Cmd)) string {
		t.Helper()
		if err := os.WriteFile(path, plain, 0o600); err != nil {
			t.Fatal(err)
		}
		toBigQuery(t, dir, name, strict(t), dataset)
		nights(func(program string, args ...string) *exec.Cmd {
			return exec.Command(program, append([]string{"--config", path}, args...)...)
		})
		w := world{out: io.Discard, err: io.Discard, now: func() time.Time { return scriptClock }, getenv: os.Getenv}
		a, err := openToRead(t.Context(), w, path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = a.Close() }()
		hash, err := a.Ledger.Months.Hash(t.Context(), civil.Min, civil.Max, "")
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	const night = "2026-10-02" // and what late_days before it has
	finish := func(c *exec.Cmd, want ...int) string {
		said, err := c.CombinedOutput()
		if !slices.Contains(want, c.ProcessState.ExitCode()) {
			t.Errorf("%v: %v\n%s", c.Args, err, said)
		}
		return string(said)
	}

	one := ledgerOf("one", func(run func(string, ...string) *exec.Cmd) {
		finish(run("chargeback", "run", "nightly", "--date", night), exitOK, exitLook)
		const amount = `at most about [1-9][0-9,]* bytes, less than 0\.01 USD`
		for _, ask := range []struct {
			args []string
			want string
		}{
			{[]string{"run", "nightly", "--estimate", "--date", night}, "nightly/" + night + `: recomputes .* from [0-9,]+ rows; reads ` + amount},
			{[]string{"reprice", "--dry-run"}, "This reads " + amount + "; without --dry-run, " + amount},
		} {
			said := finish(run("chargeback", ask.args...), exitOK)
			if !regexp.MustCompile(ask.want).MatchString(said) {
				t.Errorf("%v says nothing like %q:\n%s", ask.args, ask.want, said)
			}
		}
	})
	parts := []string{"1/4", "2/4", "3/4", "4/4"}
	four := ledgerOf("four", func(run func(string, ...string) *exec.Cmd) {
		var workers sync.WaitGroup
		for _, part := range parts {
			workers.Go(func() {
				finish(run("chargeback", "run", "nightly", "--date", night, "--shard", part), exitOK, exitLook)
			})
		}
		workers.Wait()
	})
	if four != one {
		t.Errorf("four workers made %s, one made %s", four, one)
	}
	killed := ledgerOf("killed", func(run func(string, ...string) *exec.Cmd) {
		victim := run("chargeback", "run", "nightly", "--date", night, "--shard", "2/4")
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		waitForLease(t, name, "state/lease/demo.killed/shard-2-of-4.json")
		_ = victim.Process.Kill()
		_ = victim.Wait()
		for _, part := range []string{"1/4", "3/4", "4/4"} {
			said := finish(run("chargeback-later", "run", "nightly", "--date", night, "--shard", part), exitOK, exitLook)
			if !strings.Contains(said, "other parts are not there yet") {
				t.Errorf("shard %s without 2/4 said:\n%s", part, said)
			}
		}
		held := finish(run("chargeback", "run", "nightly", "--date", night, "--shard", "2/4"), exitInUse)
		if !strings.Contains(held, fmt.Sprintf("is held by process %d", victim.Process.Pid)) {
			t.Errorf("while its lease lasts:\n%s", held)
		}
		finish(run("chargeback-later", "run", "nightly", "--date", night, "--shard", "2/4"), exitOK, exitLook)
	})
	if killed != one {
		t.Errorf("with a worker killed and run again %s, one made %s", killed, one)
	}
	t.Logf("one worker    %s\nfour workers  %s\none was killed %s", one, four, killed)
}

// waitForLease waits until a process has taken a lease.
func waitForLease(t *testing.T, bucket, key string) {
	t.Helper()
	for range 1200 {
		answer, err := s3Client().GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		if err == nil {
			content, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if err == nil && bytes.Contains(content, []byte(`"owner":"process`)) {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nobody took %s", key)
}
