package s3store

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"chargeback/extract/store"
)

func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want a text with %q", err, want)
	}
}

// wantNoSecret looks at the error and at everything it wraps.
func wantNoSecret(t *testing.T, err error, secrets ...string) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, secret := range secrets {
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, secret) {
				t.Errorf("the error shows a secret: %s", text)
			}
		}
	}
}

func answer(status int, code, message string, header ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		refuse(w, status, code, message)
		return true
	}
}

// TestAnswersAreExplained has the server answer every request with one error,
// which also repeats the secrets, and reads what the operator is told.
func TestAnswersAreExplained(t *testing.T) {
	const echo = "your key was " + fakeSecret + " and " + fakeToken + " is the token"
	tests := []struct {
		name       string
		fault      func(http.ResponseWriter, *http.Request) bool
		list, open string
		openIs     error
		tries      int
	}{
		{"wrong secret", answer(403, "SignatureDoesNotMatch", echo),
			"the secret access key does not belong to the access key id; correct secret_access_key_env", "does not belong", nil, 1},
		{"unknown access key", answer(403, "InvalidAccessKeyId", echo), "does not know the access key id; correct access_key_id_env", "does not know", nil, 1},
		{"access denied", answer(403, "AccessDenied", echo),
			`allow this user or role s3:ListBucket on bucket "example-logs" (AccessDenied)`, `allow this user or role s3:GetObject on the objects of bucket "example-logs"`, nil, 1},
		{"403 with a code of the server's own", answer(403, "Nope"+fakeSecret, echo), "s3:ListBucket", "s3:GetObject", nil, 1},
		{"expired token", answer(400, "ExpiredToken", echo), "fetch new temporary credentials", "fetch new temporary credentials", nil, 1},
		{"clock", answer(403, "RequestTimeTooSkewed", echo), "set the clock", "set the clock", nil, 1},
		{"no such bucket", answer(404, "NoSuchBucket", echo), `there is no bucket "example-logs"; correct`, `there is no bucket "example-logs"; correct`, nil, 1},
		{"unknown access key, as versitygw says it", answer(404, "XAdminUserNotFound", echo), "does not know the access key id", "does not know", nil, 1},
		{"no such key", answer(404, "NoSuchKey", echo), "list again", "list again", store.ErrNotFound, 1},
		{"404 of something else", answer(404, "PageMissing", echo), "the server answers 404 PageMissing", "the server answers 404 PageMissing", nil, 1},
		{"not this version", answer(412, "PreconditionFailed", echo), "list again", "list again", store.ErrChanged, 1},
		{"archived", answer(403, "InvalidObjectState", echo), "restore it", "restore it from its storage class", nil, 1},
		{"redirect to another region", answer(301, "PermanentRedirect", echo, "X-Amz-Bucket-Region", "us-west-2"),
			"set the source's s3 region to us-west-2", "set the source's s3 region to us-west-2", nil, 1},
		{"redirect with an address", answer(307, "TemporaryRedirect", echo, "Location", "http://192.0.2.1/"), "is in another region", "is in another region", nil, 1},
		{"signed for another region", answer(400, "AuthorizationHeaderMalformed", "the region 'eu-central-1' is wrong; expecting 'ap-south-1'"),
			"set the source's s3 region to ap-south-1", "set the source's s3 region to ap-south-1", nil, 1},
		{"region that is no region", answer(301, "PermanentRedirect", "expecting '"+fakeSecret+"'", "X-Amz-Bucket-Region", fakeSecret),
			"set the source's s3 region to the bucket's", "set the source's s3 region to the bucket's", nil, 1},
		{"slow down", answer(503, "SlowDown", echo), "asks to slow down, 5 times; run with fewer workers", "slow down", nil, triesMax},
		{"too many requests", answer(429, "TooManyRequests", echo), "slow down", "slow down", nil, triesMax},
		{"server error", answer(500, "InternalError", echo), "the server answers 500 InternalError", "(request REQ-1)", nil, triesMax},
		{"bad request", answer(400, "InvalidThing", echo), `the server answers 400 InvalidThing "your key was (secret) and (secret) is the token"`, "400", nil, 1},
		{"not S3 at all", func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "<html>"+echo, http.StatusBadGateway)
			return true
		}, "the server answers 502 without code", "502", nil, triesMax},
		{"connection dropped", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) },
			"no usable answer, 5 times: ", "check the endpoint, path_style and the network", nil, triesMax},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake()
			bucket := f.serve(t, "logs")
			object := f.put(t, bucket, "a.json", []byte("x"))
			f.setFault(test.fault)

			_, _, err := bucket.Level(t.Context(), "")
			wantText(t, err, test.list)
			wantText(t, err, "list s3://example-logs/logs/: ")
			wantNoSecret(t, err, fakeSecret, fakeToken)
			if waits := f.waited(); len(waits) != test.tries-1 {
				t.Errorf("waits %v, want %d tries", waits, test.tries)
			}

			_, err = bucket.Open(t.Context(), object)
			wantText(t, err, test.open)
			wantText(t, err, "open s3://example-logs/logs/a.json: ")
			wantNoSecret(t, err, fakeSecret, fakeToken)
			for _, known := range []error{store.ErrNotFound, store.ErrChanged} {
				if errors.Is(err, known) != (known == test.openIs) {
					t.Errorf("error %v: is %v is %t", err, known, errors.Is(err, known))
				}
			}
		})
	}
}

// TestPassingFaults has the server fail a few times, then answer.
func TestPassingFaults(t *testing.T) {
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"slow down":          answer(503, "SlowDown", "Please reduce your request rate."),
		"internal error":     answer(500, "InternalError", "We encountered an internal error."),
		"request timeout":    answer(400, "RequestTimeout", "Your socket connection was not read from."),
		"connection dropped": func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) },
		"listing cut short": func(w http.ResponseWriter, r *http.Request) bool {
			_, _ = io.WriteString(w, "<ListBucketResult><Contents><Key>logs/a.js")
			return !isGet(r) || answer(503, "SlowDown", "")(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			bucket := f.serve(t, "logs")
			object := f.put(t, bucket, "a.json", []byte("content"))
			left := 0
			f.setFault(func(w http.ResponseWriter, r *http.Request) bool {
				f.mu.Lock()
				left--
				failing := left >= 0
				f.mu.Unlock()
				return failing && fault(w, r)
			})
			left = triesMax - 1
			objects, _, err := bucket.Level(t.Context(), "")
			if err != nil || len(objects) != 1 {
				t.Errorf("Level gave %v and error %v", objects, err)
			}
			left = 2
			if name == "listing cut short" {
				left = 0
			}
			if got, err := readObject(t, bucket, object); err != nil || string(got) != "content" {
				t.Errorf("read %q and error %v", got, err)
			}
		})
	}
}

// TestOddListings has the server break the protocol in a listing.
func TestOddListings(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"more pages, no token", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "does not say where they begin"},
		{"the same page for ever", "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken></ListBucketResult>", "does not say where they begin"},
		{"key outside the prefix", "<ListBucketResult><Contents><Key>other/a.json</Key></Contents></ListBucketResult>", "a key outside the prefix"},
		{"folder outside the prefix", "<ListBucketResult><CommonPrefixes><Prefix>other/</Prefix></CommonPrefixes></ListBucketResult>", "a key outside the prefix"},
		{"broken encoding", "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>logs/%zz</Key></Contents></ListBucketResult>", "whose encoding is broken"},
		{"a web page", "<!DOCTYPE html><html><body><p>Welcome<br></body></html>", "no usable answer, 5 times"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake()
			bucket := f.serve(t, "logs")
			f.setFault(func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = io.WriteString(w, test.body)
				return true
			})
			_, _, err := bucket.Level(t.Context(), "")
			wantText(t, err, test.want)
			wantText(t, bucket.All(t.Context(), "", func(store.Object) error { return nil }), test.want)
		})
	}
}

func TestFolderMarkers(t *testing.T) {
	f := newFake()
	bucket := f.serve(t, "logs")
	for _, key := range []string{"logs/", "logs/day/", "logs/day/a.json"} {
		under{f, ""}.Put(t, key, nil)
	}
	var keys []string
	err := bucket.All(t.Context(), "", func(o store.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if err != nil || strings.Join(keys, " ") != "day/ day/a.json" {
		t.Errorf("All gave %q and error %v; want the folder's marker and its object", keys, err)
	}
}

func TestNewRefusesOptions(t *testing.T) {
	right := Options{Bucket: "example-logs", Region: "eu-central-1"}
	tests := []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no bucket", func(o *Options) { o.Bucket = "" }, "the bucket has no name"},
		{"key without secret", func(o *Options) { o.AccessKeyID = fakeKeyID }, "set both, or neither"},
		{"secret without key", func(o *Options) { o.SecretAccessKey = fakeSecret }, "set both, or neither"},
		{"token without keys", func(o *Options) { o.SessionToken = fakeToken }, "set all three, or none"},
		{"no region", func(o *Options) { o.Region = "" }, "set the source's s3 region, or AWS_REGION"},
		{"endpoint without scheme", func(o *Options) { o.Endpoint = "localhost:9000" }, "write http://host:port"},
		{"endpoint with a password", func(o *Options) { o.Endpoint = "https://user:" + fakeSecret + "@s3.example.com" }, "without user and password"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			options := right
			test.change(&options)
			_, err := New(t.Context(), options)
			wantText(t, err, test.want)
			wantText(t, err, "open s3://"+options.Bucket+": ")
			wantNoSecret(t, err, fakeSecret, fakeToken)
		})
	}
}

func TestRegionOfOtherServers(t *testing.T) {
	f := newFake()
	f.plain = true
	bucket := f.serve(t, "")
	if got := bucket.client.Options().Region; got != "eu-central-1" {
		t.Errorf("region %q, want the one that is set", got)
	}
	options := f.options()
	options.Region, options.Endpoint = "", "http://127.0.0.1:1"
	if got := openStore(t, options).client.Options().Region; got != "us-east-1" {
		t.Errorf("region %q for an endpoint without a region, want us-east-1", got)
	}
}

func TestNoCredentials(t *testing.T) {
	f := newFake()
	options := f.options()
	options.AccessKeyID, options.SecretAccessKey, options.SessionToken = "", "", ""
	options.Endpoint = "http://127.0.0.1:1"
	_, _, err := openStore(t, options).Level(t.Context(), "")
	wantText(t, err, "no AWS credentials: ")
	wantText(t, err, "set the source's access_key_id_env and secret_access_key_env, AWS_PROFILE, or give this machine a role")
	if waits := f.waited(); len(waits) != 0 {
		t.Errorf("waited %v for credentials that do not exist", waits)
	}
}

func TestNobodyListens(t *testing.T) {
	f := newFake()
	options := f.options()
	options.Endpoint = "http://127.0.0.1:1"
	_, _, err := openStore(t, options).Level(t.Context(), "")
	wantText(t, err, "connection refused; check the endpoint, path_style and the network")
	wantNoSecret(t, err, fakeSecret, fakeToken)
}
