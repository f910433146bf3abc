// Package s3store is an store.Store over Amazon S3 and servers that speak
// its protocol.
//
// It owns: signing and credentials, paging, what is tried again and how often,
// going on with a body whose connection broke, creating an object that is not
// there yet, replacing one whose last version was seen, and errors that say what
// to do without ever showing a secret.
// It does not own: which objects are data, what is delivered, or what a slot
// says (jobs).
//
// Needed rights: to read, s3:ListBucket on the bucket and s3:GetObject on its
// objects; to create, s3:PutObject and s3:GetObject; for a slot, all three.
package s3store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"chargeback/extract/store"
)

// Options name a bucket and how to reach it.
type Options struct {
	Bucket string
	// Prefix is the folder in the bucket that the store shows, "" for all of it.
	Prefix string
	// Region of the bucket; "" takes AWS_REGION or the AWS config file.
	Region string
	// Endpoint is the base URL of a server other than Amazon's.
	Endpoint string
	// PathStyle puts the bucket into the path, not the host name. Most servers
	// other than Amazon's need it.
	PathStyle bool
	// AccessKeyID and SecretAccessKey belong together. Both "" takes the AWS
	// default chain: environment, config files, container or instance role.
	AccessKeyID, SecretAccessKey, SessionToken string
	// Sleep waits between two tries; nil waits by the clock. For tests.
	Sleep func(ctx context.Context, wait time.Duration) error
}

// Store is a prefix of a bucket as an store.Store. Close it when it is no
// longer read.
type Store struct {
	bucket string
	root   string // "" or ends in "/"
	client *s3.Client
	http   *http.Client
	tries  tries
	lists  tries // of listings, which are together patient for so long
	keys   *keys
}

var _ store.Store = (*Store)(nil)

// New checks the options and finds credentials' source and region. It asks
// nothing of the server.
func New(ctx context.Context, options Options) (*Store, error) {
	return newStore(ctx, options, nil)
}

// newStore is New by a client of the test's own; nil makes one.
func newStore(ctx context.Context, options Options, client *http.Client) (*Store, error) {
	root := strings.TrimSuffix(options.Prefix, "/")
	if root != "" {
		root += "/"
	}
	s := &Store{bucket: options.Bucket, root: root}
	if err := check(options); err != nil {
		return nil, fmt.Errorf("open %s: %w", s, err)
	}
	loaded, err := load(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", s, err)
	}
	if s.http = client; client == nil {
		s.http = newHTTPClient(loaded)
	}
	loaded.HTTPClient = s.http
	s.keys = &keys{source: loaded.Credentials}
	s.tries = newTries(options.Sleep)
	s.lists = s.tries
	s.lists.silence = &silence{}
	s.client = s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.Credentials = s.keys
		o.UsePathStyle = options.PathStyle
		// The trailers of the other setting are known to few servers but Amazon's.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.Retryer = aws.NopRetryer{} // tries does it, with a wait that a test can replace
		if options.Endpoint != "" {
			o.BaseEndpoint = aws.String(options.Endpoint)
		}
	})
	return s, nil
}

func check(options Options) error {
	switch {
	case options.Bucket == "":
		return errors.New("the bucket has no name; write s3://bucket/prefix")
	case (options.AccessKeyID == "") != (options.SecretAccessKey == ""):
		return errors.New("only one of access key id and secret access key is set; set both, or neither for the AWS default chain")
	case options.AccessKeyID == "" && options.SessionToken != "":
		return errors.New("a session token is set without keys; set all three, or none for the AWS default chain")
	case options.Endpoint == "":
		return nil
	}
	endpoint, err := url.Parse(options.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.User != nil || (endpoint.Scheme != "http" && endpoint.Scheme != "https") {
		return errors.New("the endpoint is not a plain URL; write http://host:port or https://host, without user and password")
	}
	return nil
}

// load reads the AWS environment and config files as the AWS tools do, with the
// certificates that AWS_CA_BUNDLE or ca_bundle names: it wants a client of the
// SDK's own to put these into.
func load(ctx context.Context, options Options) (aws.Config, error) {
	settings := []func(*config.LoadOptions) error{config.WithHTTPClient(awshttp.NewBuildableClient()), config.WithLogger(logging.Nop{})}
	if options.Region != "" {
		settings = append(settings, config.WithRegion(options.Region))
	}
	if options.AccessKeyID != "" {
		settings = append(settings, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(
			options.AccessKeyID, options.SecretAccessKey, options.SessionToken)))
	}
	loaded, err := config.LoadDefaultConfig(ctx, settings...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("read the AWS environment and config files: %w; correct them, or unset AWS_PROFILE", err)
	}
	if loaded.Region == "" && options.Endpoint == "" {
		return aws.Config{}, errors.New("no region; set the source's s3 region, or AWS_REGION")
	}
	if loaded.Region == "" {
		loaded.Region = "us-east-1" // what servers other than Amazon's expect
	}
	return loaded, nil
}

// idleMax is how many connections are kept for the next request: more than the
// listings and readers of a store make, since what is closed is opened again.
const idleMax = 2048

// newHTTPClient follows no redirect: S3's mean another region, and that is an error
// to show.
func newHTTPClient(loaded aws.Config) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if sdk, ok := loaded.HTTPClient.(*awshttp.BuildableClient); ok {
		transport = sdk.GetTransport()
	}
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, idleMax
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close lets go of idle connections.
func (s *Store) Close() error {
	s.http.CloseIdleConnections()
	return nil
}

// String is s3://bucket/prefix.
func (s *Store) String() string {
	return store.Location{Scheme: store.SchemeS3, Bucket: s.bucket, Prefix: strings.TrimSuffix(s.root, "/")}.String()
}

func (s *Store) url(key string) string { return "s3://" + s.bucket + "/" + s.root + key }
