package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"chargeback/cmd/chargeback/app"
	"chargeback/cmd/chargeback/demo"
	"chargeback/transform/civil"
)

// The variables that name a real S3 server; make test starts one.
const (
	testEndpoint = "CHARGEBACK_TEST_S3_ENDPOINT"
	testRegion   = "CHARGEBACK_TEST_S3_REGION"
	testKeyID    = "CHARGEBACK_TEST_S3_ACCESS_KEY_ID"
	testSecret   = "CHARGEBACK_TEST_S3_SECRET_ACCESS_KEY"
)

// Goal: where the logs lie changes nothing that anybody owes or gets.
// Method: run the demo's whole month once from folders and once from a real S3
// server, and compare the ledgers' hashes and every byte of the documents.
func TestDemoMonthFromS3(t *testing.T) {
	if os.Getenv(testEndpoint) == "" {
		t.Skipf("left out: %s names no server; make test starts one", testEndpoint)
	}
	folders, bucket := filepath.Join(t.TempDir(), "files"), filepath.Join(t.TempDir(), "s3")
	for _, dir := range []string{folders, bucket} {
		if _, err := demo.Write(dir, demo.Options{Month: demoMonth}); err != nil {
			t.Fatal(err)
		}
	}
	name := fmt.Sprintf("chargeback-demo-%d", time.Now().UnixNano())
	upload(t, bucket, name)
	want := demoLedger(t, folders)
	got := demoLedger(t, bucket)
	if got != want {
		t.Errorf("ledger from S3 has hash %s, from folders %s", got, want)
	}
	t.Logf("ledger from folders %s\nledger from S3      %s", want, got)
	documents := invoices(t, folders)
	if diff := gocmp.Diff(documents, invoices(t, bucket)); diff != "" {
		t.Errorf("documents (-folders +S3)\n%s", diff)
	}
	if diff := gocmp.Diff(documents, delivered(t, name, "finance/"+demoMonth+"/")); diff != "" {
		t.Errorf("documents (-folder +delivered)\n%s", diff)
	}
	testDoctor(t, filepath.Join(bucket, configFile))
}

// testDoctor asks the doctor about a demo on S3, with the right keys and with a
// wrong secret.
func testDoctor(t *testing.T, path string) {
	t.Helper()
	ask := func(secret string) (code int, said string) {
		var out bytes.Buffer
		later := scriptClock.AddDate(0, 0, 7) // than the demo's last run
		w := world{out: &out, err: &out, now: func() time.Time { return later }, columns: 100, getenv: func(name string) string {
			if name == testSecret {
				return secret
			}
			return os.Getenv(name)
		}}
		return exitCode(t.Context(), doctor(t.Context(), w, path, false)), out.String()
	}
	if code, said := ask(os.Getenv(testSecret)); code != exitOK || strings.Count(said, "ok: source: ") != 3 || !strings.Contains(said, "/finance can be written") {
		t.Errorf("with the right secret: exit code %d\n%s", code, said)
	}
	if code, said := ask("wrong"); code != exitLook || strings.Count(said, "FAIL: source: ") != 3 || !strings.Contains(said, "the secret access key does not belong to the access key id") {
		t.Errorf("with a wrong secret: exit code %d\n%s", code, said)
	}
}

// delivered are the objects below a prefix by the rest of their keys.
func delivered(t *testing.T, bucket, prefix string) map[string]string {
	t.Helper()
	found := map[string]string{}
	client := s3Client()
	page, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range page.Contents {
		answer, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		found[strings.TrimPrefix(*o.Key, prefix)] = string(content)
	}
	return found
}

func s3Client() *s3.Client {
	return s3.New(s3.Options{
		Region: cmp.Or(os.Getenv(testRegion), "us-east-1"), BaseEndpoint: aws.String(os.Getenv(testEndpoint)), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv(testKeyID), os.Getenv(testSecret), ""),
	})
}

// upload moves a demo's logs and people into a new bucket and makes its settings
// name them there.
func upload(t *testing.T, dir, bucket string) {
	t.Helper()
	ctx := t.Context()
	client := s3Client()
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	putting, ctx := errgroup.WithContext(ctx)
	putting.SetLimit(8 * runtime.NumCPU())
	put := func(path, key string) error {
		putting.Go(func() error {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(content)})
			return err
		})
		return nil
	}
	data := filepath.Join(dir, "data")
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		key, err := filepath.Rel(data, path)
		if err != nil {
			return err
		}
		return put(path, filepath.ToSlash(key))
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = put(filepath.Join(dir, "people.csv"), "people.csv")
	if err := putting.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(data); err != nil { // what is not there can't be read by mistake
		t.Fatal(err)
	}
	path := filepath.Join(dir, configFile)
	settings, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for local, key := range map[string]string{"file:data/bedrock": "bedrock", "file:data/litellm": "litellm", "file:people.csv": "people.csv"} {
		place := fmt.Sprintf("url: s3://%s/%s\n    s3: {endpoint: %q, region: us-east-1, path_style: true, access_key_id_env: %s, secret_access_key_env: %s}", bucket, key, os.Getenv(testEndpoint), testKeyID, testSecret)
		if !bytes.Contains(settings, []byte("url: "+local)) {
			t.Fatalf("the demo's settings have no source %s", local)
		}
		settings = bytes.Replace(settings, []byte("url: "+local), []byte(place), 1)
	}
	settings = bytes.Replace(settings, []byte("\ninvoices:\n"), fmt.Appendf(nil, "\ninvoices:\n  deliver_to:\n    url: s3://%s/finance\n    s3: {endpoint: %q, region: us-east-1, path_style: true, access_key_id_env: %s, secret_access_key_env: %s}\n", bucket, os.Getenv(testEndpoint), testKeyID, testSecret), 1)
	if err := os.WriteFile(path, settings, 0o600); err != nil {
		t.Fatal(err)
	}
}

// demoLedger runs a demo's month and returns the hash of its ledger.
func demoLedger(t *testing.T, dir string) (hash string) {
	t.Helper()
	var out, alerts bytes.Buffer
	w := world{out: &out, err: &alerts, now: func() time.Time { return scriptClock }, getenv: os.Getenv, columns: 100, program: "chargeback"}
	path := filepath.Join(dir, configFile)
	err := withBooks(t.Context(), w, path, app.AsOwner, func(ctx context.Context, a *books) (err error) {
		if err = demoMonthOf(ctx, w, a, path); err != nil {
			return err
		}
		hash, err = a.Ledger.Months.Hash(ctx, civil.Min, civil.Max, "")
		return err
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return hash
}

// invoices are the files of the month by name.
func invoices(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	folder := filepath.Join(dir, "invoices", demoMonth)
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = strings.Clone(string(content))
	}
	if len(found) < 3 {
		t.Fatalf("%d files in %s", len(found), folder)
	}
	return found
}
