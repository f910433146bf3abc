package s3store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"chargeback/extract/store"
	"chargeback/extract/store/storetest"
)

// TestMain hides the AWS settings of whoever runs the tests.
func TestMain(m *testing.M) {
	for _, setting := range os.Environ() {
		if name, _, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "AWS_") {
			_ = os.Unsetenv(name)
		}
	}
	_ = os.Setenv("AWS_CONFIG_FILE", os.DevNull)
	_ = os.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	_ = os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	goleak.VerifyTestMain(m)
}

// server is something that speaks S3.
type server struct {
	name string
	open func(t *testing.T) (store.Store, storetest.Writer)
}

// servers are the fake and, where CHARGEBACK_TEST_S3_ENDPOINT names one, a real
// server: CHARGEBACK_TEST_S3_ACCESS_KEY_ID and _SECRET_ACCESS_KEY may create the
// bucket _BUCKET (default chargeback-test) there, and empty it.
func servers() []server {
	found := []server{
		{"fake", func(t *testing.T) (store.Store, storetest.Writer) {
			f := newFake()
			return f.serve(t, "logs/prod"), under{f, "logs/prod/"}
		}},
		{"fake, whole bucket", func(t *testing.T) (store.Store, storetest.Writer) {
			f := newFake()
			f.pageKeys = 100
			return f.serve(t, ""), under{f, ""}
		}},
		{"fake that does not encode keys", func(t *testing.T) (store.Store, storetest.Writer) {
			f := newFake()
			f.plain, f.pageKeys = true, 100
			return f.serve(t, "logs/100% + more"), under{f, "logs/100% + more/"}
		}},
	}
	for _, options := range realServers() {
		prefixes := new(atomic.Int64)
		found = append(found, server{"real server", func(t *testing.T) (store.Store, storetest.Writer) {
			options := options
			options.Prefix = fmt.Sprintf("conformance/%d", prefixes.Add(1))
			return openStore(t, options), newRealWriter(t, options)
		}})
	}
	return found
}

// realServers is the real server to test with, if the environment names one.
func realServers() []Options {
	options := Options{
		Endpoint:        os.Getenv("CHARGEBACK_TEST_S3_ENDPOINT"),
		Bucket:          cmp.Or(os.Getenv("CHARGEBACK_TEST_S3_BUCKET"), "chargeback-test"),
		Region:          os.Getenv("CHARGEBACK_TEST_S3_REGION"),
		AccessKeyID:     os.Getenv("CHARGEBACK_TEST_S3_ACCESS_KEY_ID"),
		SecretAccessKey: os.Getenv("CHARGEBACK_TEST_S3_SECRET_ACCESS_KEY"),
		PathStyle:       true,
	}
	if options.Endpoint == "" {
		return nil
	}
	return []Options{options}
}

// Goal: a bundle of certificates in the environment, which companies with a
// proxy of their own set, is used and not in the way.
func TestCertificatesOfTheEnvironment(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	options := Options{Bucket: "logs", Endpoint: server.URL, Region: "us-east-1", AccessKeyID: "id", SecretAccessKey: "secret", PathStyle: true, Sleep: func(context.Context, time.Duration) error { return nil }}
	for name, trusted := range map[string]bool{"": false, bundle: true} {
		t.Setenv("AWS_CA_BUNDLE", name)
		bucket := openStore(t, options)
		_, err := bucket.Open(t.Context(), store.Object{Key: "a.json", ETag: "x"})
		if err == nil || strings.Contains(err.Error(), "certificate") == trusted {
			t.Errorf("with bundle %q: %v", name, err)
		}
	}
}

func TestConformance(t *testing.T) {
	for _, server := range servers() {
		t.Run(server.name, func(t *testing.T) { storetest.Run(t, server.open) })
	}
	if len(realServers()) == 0 {
		t.Run("real server", func(t *testing.T) {
			t.Skip("left out: CHARGEBACK_TEST_S3_ENDPOINT names no server; make test starts one")
		})
	}
}

// realWriter writes below a prefix of a real server.
type realWriter struct {
	client *s3.Client
	bucket string
	prefix string
}

// newRealWriter makes the bucket if need be and empties the prefix.
func newRealWriter(t *testing.T, options Options) realWriter {
	t.Helper()
	client := newHTTPClient(aws.Config{})
	t.Cleanup(client.CloseIdleConnections)
	w := realWriter{bucket: options.Bucket, prefix: options.Prefix + "/", client: s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(options.Endpoint), UsePathStyle: true, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(options.AccessKeyID, options.SecretAccessKey, ""),
	})}
	_, err := w.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &w.bucket})
	if api := smithy.APIError(nil); errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "BucketAlready") {
		err = nil
	}
	if err != nil {
		t.Fatal(err)
	}
	pages := s3.NewListObjectsV2Paginator(w.client, &s3.ListObjectsV2Input{Bucket: &w.bucket, Prefix: &w.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			w.Remove(t, strings.TrimPrefix(*object.Key, w.prefix))
		}
	}
	return w
}

func (w realWriter) Put(t *testing.T, key string, body []byte) {
	_, err := w.client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &w.bucket, Key: aws.String(w.prefix + key), Body: bytes.NewReader(body),
	})
	if err != nil {
		t.Errorf("put %q: %v", key, err)
	}
}

func (w realWriter) Remove(t *testing.T, key string) {
	_, err := w.client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &w.bucket, Key: aws.String(w.prefix + key)})
	if err != nil {
		t.Errorf("remove %q: %v", key, err)
	}
}

// TestRealServerRefuses gives each real server wrong options and reads the
// advice. The fake's answers are in errors_test.go.
func TestRealServerRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"wrong secret", func(o *Options) { o.SecretAccessKey = "wrong-secret" }, "the secret access key does not belong to the access key id"},
		{"unknown key", func(o *Options) { o.AccessKeyID = "UNKNOWNKEY" }, "the server does not know the access key id"},
		{"no such bucket", func(o *Options) { o.Bucket = "chargeback-nowhere" }, `there is no bucket "chargeback-nowhere"`},
		{"wrong region", func(o *Options) { o.Region = "eu-west-3" }, "is in another region"},
	}
	for _, right := range realServers() {
		newRealWriter(t, right)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				options := right
				test.change(&options)
				_, _, err := openStore(t, options).Level(t.Context(), "")
				wantText(t, err, test.want)
				wantNoSecret(t, err, options.SecretAccessKey)
			})
		}
	}
}
