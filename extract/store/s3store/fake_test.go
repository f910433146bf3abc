package s3store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"chargeback/extract/store"
)

const (
	fakeBucket = "example-logs"
	fakeKeyID  = "EXAMPLEKEYID"
	fakeSecret = "example+secret/access=key"
	fakeToken  = "example-session-token"
)

// fake is a bucket behind the parts of the S3 protocol that the store uses. It
// checks no signatures; a real server does that, see stores_test.go.
type fake struct {
	mu       sync.Mutex
	objects  map[string][]byte
	pageKeys int
	plain    bool // answers keys as they are, whatever encoding was asked for
	fault    func(w http.ResponseWriter, r *http.Request) (answered bool)
	requests []*http.Request
	waits    []time.Duration
}

func newFake() *fake { return &fake{objects: map[string][]byte{}, pageKeys: 2} }

// serve starts the fake on 127.0.0.1 and opens a store on it that never sleeps.
func (f *fake) serve(t *testing.T, prefix string) *Store {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	options := f.options()
	options.Endpoint, options.Prefix = server.URL, prefix
	return openStore(t, options)
}

func (f *fake) options() Options {
	return Options{
		Bucket: fakeBucket, Region: "eu-central-1", PathStyle: true,
		AccessKeyID: fakeKeyID, SecretAccessKey: fakeSecret, SessionToken: fakeToken,
		Sleep: func(ctx context.Context, wait time.Duration) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.waits = append(f.waits, wait)
			return ctx.Err()
		},
	}
}

func openStore(t *testing.T, options Options) *Store {
	t.Helper()
	bucket, err := New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bucket.Close(); err != nil {
			t.Error(err)
		}
	})
	return bucket
}

func (f *fake) setFault(fault func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.requests = fault, nil
}

func (f *fake) waited() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.waits)
}

// under is a writer below a prefix of the fake.
type under struct {
	fake   *fake
	prefix string
}

func (u under) Put(_ *testing.T, key string, body []byte) {
	u.fake.mu.Lock()
	defer u.fake.mu.Unlock()
	u.fake.objects[u.prefix+key] = bytes.Clone(body)
}

func (u under) Remove(_ *testing.T, key string) {
	u.fake.mu.Lock()
	defer u.fake.mu.Unlock()
	delete(u.fake.objects, u.prefix+key)
}

func etagOf(body []byte) string {
	sum := md5.Sum(body)
	return hex.EncodeToString(sum[:])
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r)
	fault := f.fault
	f.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	key, ok := strings.CutPrefix(r.URL.Path, "/"+fakeBucket)
	if ok && r.Method == http.MethodPut {
		f.write(w, r, strings.TrimPrefix(key, "/"))
		return
	}
	if !ok || r.Method != http.MethodGet {
		refuse(w, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		return
	}
	if r.URL.Query().Get("list-type") == "2" {
		f.list(w, r.URL.Query())
		return
	}
	f.get(w, r, strings.TrimPrefix(key, "/"))
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Amz-Request-Id", "REQ-1")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}

type listedObject struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
}

type listResult struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	EncodingType          string   `xml:",omitempty"`
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	Contents              []listedObject
	CommonPrefixes        []struct{ Prefix string }
}

func (f *fake) list(w http.ResponseWriter, query url.Values) {
	f.mu.Lock()
	defer f.mu.Unlock()
	encode := func(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }
	result := listResult{EncodingType: query.Get("encoding-type")}
	if f.plain || result.EncodingType == "" {
		encode, result.EncodingType = func(key string) string { return key }, ""
	}
	prefix, delimiter, after := query.Get("prefix"), query.Get("delimiter"), cmp.Or(query.Get("continuation-token"), query.Get("start-after"))
	count, last := 0, ""
	for _, key := range slices.Sorted(maps.Keys(f.objects)) {
		name, folder := entryOf(key, prefix, delimiter)
		if name == "" || name == last || name <= after {
			continue
		}
		if count == f.pageKeys {
			result.IsTruncated, result.NextContinuationToken = true, last
			break
		}
		count, last = count+1, name
		if folder {
			result.CommonPrefixes = append(result.CommonPrefixes, struct{ Prefix string }{encode(name)})
			continue
		}
		body := f.objects[key]
		result.Contents = append(result.Contents, listedObject{
			Key: encode(key), LastModified: "2026-10-31T12:00:00.000Z", ETag: strconv.Quote(etagOf(body)), Size: len(body),
		})
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(result)
}

// entryOf is what a listing shows of a key: itself, or the folder it lies in.
func entryOf(key, prefix, delimiter string) (name string, folder bool) {
	rest, ok := strings.CutPrefix(key, prefix)
	if !ok {
		return "", false
	}
	if delimiter != "" {
		if before, _, deeper := strings.Cut(rest, delimiter); deeper {
			return prefix + before + delimiter, true
		}
	}
	return key, false
}

func (f *fake) get(w http.ResponseWriter, r *http.Request, key string) {
	f.mu.Lock()
	body, ok := f.objects[key]
	f.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	if want := r.Header.Get("If-Match"); want != "" && want != strconv.Quote(etagOf(body)) {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		return
	}
	sendPart(w, r, body)
}

// write stores what is not there yet, or replaces the version that is named.
func (f *fake) write(w http.ResponseWriter, r *http.Request, key string) {
	body, err := io.ReadAll(r.Body)
	match := r.Header.Get("If-Match")
	if err != nil || (r.Header.Get("If-None-Match") == "*") == (match != "") {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "a test may only create, or replace what it names")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	old, there := f.objects[key]
	switch {
	case match != "" && !there:
		refuse(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	case there && match != strconv.Quote(etagOf(old)):
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		return
	}
	f.objects[key] = body
	w.Header().Set("ETag", strconv.Quote(etagOf(body)))
}

// sendPart answers a GET with the range it asks for.
func sendPart(w http.ResponseWriter, r *http.Request, body []byte) {
	from, status := rangeStart(r), http.StatusOK
	if r.Header.Get("Range") != "" {
		status = http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
	}
	w.Header().Set("ETag", strconv.Quote(etagOf(body)))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)-from))
	w.WriteHeader(status)
	_, _ = w.Write(body[from:])
}

func rangeStart(r *http.Request) int {
	text := strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
	from, _ := strconv.Atoi(cmp.Or(text, "0"))
	return from
}

// breakBody sends a part of what was asked for, then drops the connection.
func breakBody(w http.ResponseWriter, r *http.Request, body []byte, sentBytes int) {
	from := rangeStart(r)
	sendHeader := httptest.NewRecorder()
	sendPart(sendHeader, r, body)
	maps.Copy(w.Header(), sendHeader.Header())
	w.WriteHeader(sendHeader.Code)
	_, _ = w.Write(body[from:min(len(body), from+sentBytes)])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func isGet(r *http.Request) bool { return r.URL.Query().Get("list-type") == "" }

func (f *fake) gets() (found []*http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.requests {
		if isGet(r) {
			found = append(found, r)
		}
	}
	return found
}

// put stores one object in the fake and lists it.
func (f *fake) put(t *testing.T, bucket *Store, key string, body []byte) store.Object {
	t.Helper()
	under{f, bucket.root}.Put(t, key, body)
	var found store.Object
	err := bucket.All(t.Context(), "", func(o store.Object) error {
		if o.Key == key {
			found = o
		}
		return nil
	})
	if err != nil || found.Key == "" {
		t.Fatalf("%q is not listed (error %v)", key, err)
	}
	return found
}
