package bigquery_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/api/option"

	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/extract/record"
)

// bucket is as much of Google Cloud Storage as loads use: objects are uploaded
// in one request, read, and removed.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	did     []string
	deny    bool
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := func(after string) string {
		_, name, _ := strings.Cut(r.URL.Path, after)
		return name
	}
	switch {
	case r.Method == http.MethodPost && b.deny:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"error": {"code": 403, "message": "no storage.objects.create", "errors": [{"reason": "forbidden"}]}}`))
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/b/staging/o"):
		_, boundary, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		parts := multipart.NewReader(r.Body, boundary["boundary"])
		about, _ := parts.NextPart()
		meta, _ := io.ReadAll(about)
		media, _ := parts.NextPart()
		content, _ := io.ReadAll(media)
		_, rest, _ := bytes.Cut(meta, []byte(`"name":"`))
		object, _, _ := bytes.Cut(rest, []byte(`"`))
		b.objects[string(object)] = content
		b.did = append(b.did, "put "+string(object))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(append([]byte(`{"bucket":"staging","name":"`), object...), []byte(`"}`)...))
	case r.Method == http.MethodDelete:
		delete(b.objects, name("/o/"))
		b.did = append(b.did, "remove "+name("/o/"))
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/b/staging"):
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"name": "staging", "location": "EU"}`))
	case r.Method == http.MethodGet:
		for object, content := range b.objects {
			if strings.HasSuffix(r.URL.Path, object) {
				b.did = append(b.did, "read "+object)
				_, _ = w.Write(content)
				return
			}
		}
		http.NotFound(w, r)
	default:
		http.NotFound(w, r)
	}
}

// inBatches loads numbers from a channel of batches of n rows.
func inBatches(t testing.TB, s *bigquery.Store, batches, n int) error {
	t.Helper()
	all := make(chan *record.Batch, batches)
	for i := range batches {
		b := record.NewBatch(numbers.Schema())
		for j := range n {
			b.Cols[0].Ints = append(b.Cols[0].Ints, int64(i*n+j))
			b.Rows++
		}
		all <- b
	}
	close(all)
	back := 0
	loaded, err := s.Load(t.Context(), numbers.Schema(), all, func(*record.Batch) { back++ })
	if back != batches {
		t.Errorf("%d of %d batches were given back", back, batches)
	}
	if err != nil {
		return err
	}
	if loaded.Rows != int64(batches*n) {
		t.Errorf("%d rows were loaded, want %d", loaded.Rows, batches*n)
	}
	return s.Apply(t.Context(), loaded)
}

// Goal: a large load goes through the bucket, in files of bounded size and one
// job, and leaves nothing there; a small one does not.
// Method: the emulator reads from a bucket of the test's; the rows must be there
// once, and the objects must have come, been read and gone.
func TestStaging(t *testing.T) {
	b := &bucket{objects: map[string][]byte{}}
	server := httptest.NewServer(b)
	defer server.Close()
	o := options(bqtest.Start(t, os.Getenv(bqtest.Program), "STORAGE_EMULATOR_HOST="+strings.TrimPrefix(server.URL, "http://")), bqtest.NewStrict(http.DefaultTransport))
	o.Staging, o.StagedBytes, o.FileBytes = "gs://staging/chargeback", 1, 1
	o.StorageClient = []option.ClientOption{option.WithEndpoint(server.URL + "/storage/v1/"), option.WithoutAuthentication()}
	s := migrated(t, open(t, o))
	if err := s.CheckStaging(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.did = nil
	if err := inBatches(t, s, 3, 100); err != nil {
		t.Fatal(err)
	}
	if n, once := counted(t, s); n != 300 || once != 300 {
		t.Errorf("%d rows of %d numbers, want 300", n, once)
	}
	var want []string
	for _, did := range []string{"put", "read", "remove"} {
		for i := range 3 {
			want = append(want, fmt.Sprintf("%s chargeback/work_%s_1_numbers-%d.parquet", did, o.Run, i+1))
		}
	}
	slices.Sort(b.did)
	if b.did = slices.Compact(b.did); !slices.Equal(b.did, want) || len(b.objects) > 0 {
		t.Errorf("in the bucket: %q, and %d objects are left", b.did, len(b.objects))
	}
	b.deny = true
	if err := inBatches(t, s, 3, 100); err == nil || !strings.Contains(err.Error(), "see config/deploy/README.md for the roles") {
		t.Errorf("a bucket that may not be written: %v", err)
	}
	if n, _ := counted(t, s); n != 300 {
		t.Errorf("%d rows after a load that failed, want 300", n)
	}
	o.Run += "b"
	o.StagedBytes, o.FileBytes = 1<<20, 1<<20
	if err := inBatches(t, migrated(t, open(t, o)), 1, 100); err != nil {
		t.Errorf("a small load needs the bucket: %v", err)
	}
}

// Goal: without a bucket each file of a load is sent with a job of its own, and counts
// once whatever becomes of its answer; one that is missing or there twice is told.
func TestFiles(t *testing.T) {
	faults := &faulty{next: bqtest.NewStrict(http.DefaultTransport), ended: map[string]string{}, taken: map[string]bool{}}
	o := options(endpointOf(t), faults)
	o.FileBytes = 1
	s := migrated(t, open(t, o))
	faults.plan(none, answerLost, none, serviceOut, none)
	if err := inBatches(t, s, 4, 100); err != nil {
		t.Fatal(err)
	}
	if n, once := counted(t, s); n != 400 || once != 400 {
		t.Errorf("%d rows of %d numbers, want 400", n, once)
	}
	faults.plan(none, jobFailed, jobFailed, jobFailed, jobFailed, jobFailed, jobFailed)
	if err := inBatches(t, s, 4, 100); err == nil || !strings.Contains(err.Error(), "Quota exceeded") {
		t.Errorf("a file that can't be loaded: %v", err)
	}
	o.Run += "b"
	forgets := &forgetful{next: http.DefaultTransport}
	o.Client[1] = option.WithHTTPClient(&http.Client{Transport: forgets})
	s = migrated(t, open(t, o))
	forgets.on = true
	if err := inBatches(t, s, 3, 100); err == nil || !strings.Contains(err.Error(), "has 200 rows after 300 were loaded") {
		t.Errorf("a file that was said to be loaded and was not: %v", err)
	}
	if n, _ := counted(t, s); n != 400 {
		t.Errorf("%d rows after loads that failed, want 400", n)
	}
}

// forgetful is a transport that forgets the second file and says that it is loaded.
type forgetful struct {
	next http.RoundTripper
	on   bool
	n    int
}

// RoundTrip implements http.RoundTripper.
func (f *forgetful) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.on && strings.HasPrefix(r.URL.Path, "/upload/") {
		if f.n++; f.n == 2 {
			_, _ = io.Copy(io.Discard, r.Body)
			return answer(http.StatusOK, `{"kind": "bigquery#job", "jobReference": {"projectId": "demo", "jobId": "x", "location": "US"}, "configuration": {"jobType": "LOAD", "load": {"destinationTable": {"projectId": "demo", "datasetId": "books", "tableId": "x"}}}, "status": {"state": "DONE"}}`), nil
		}
	}
	return f.next.RoundTrip(r)
}

// Goal: what Discard takes back, or a failing Load, is in no table.
func TestDiscard(t *testing.T) {
	s := migrated(t, emulated(t))
	l, err := loaded(t.Context(), s, [][]any{{1}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), warehouse.Append{Table: "numbers", Rows: [][]any{{2}}}); err == nil || !strings.Contains(err.Error(), "not among the changes") {
		t.Errorf("an Apply without what was loaded: %v", err)
	}
	if err := s.Apply(t.Context(), l); err == nil || !strings.Contains(err.Error(), "not any more") {
		t.Errorf("what a failing Apply took back: %v", err)
	}
	if n, _ := counted(t, s); n != 0 {
		t.Errorf("%d rows, want none", n)
	}
}
