package bqledger_test

import (
	"bytes"
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

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/bqledger/bqtest"
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

// Goal: a large load goes through the bucket and leaves nothing there.
// Method: the emulator reads from a bucket of the test's; the rows must be there
// once, and the object must have come, been read and gone.
func TestStaging(t *testing.T) {
	b := &bucket{objects: map[string][]byte{}}
	server := httptest.NewServer(b)
	defer server.Close()
	o := options(bqtest.Start(t, os.Getenv(bqtest.Program), "STORAGE_EMULATOR_HOST="+strings.TrimPrefix(server.URL, "http://")), http.DefaultTransport)
	o.Staging, o.StagedBytes = "gs://staging/chargeback", 1
	o.StorageClient = []option.ClientOption{option.WithEndpoint(server.URL + "/storage/v1/"), option.WithoutAuthentication()}
	s := open(t, o)
	defer func() { _ = s.Close() }()
	if err := s.Migrate(t.Context(), []ledger.Table{words}); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckStaging(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.did = nil
	rows := make([][]any, 1_000)
	for i := range rows {
		rows[i] = []any{int64(i)}
	}
	if err := s.Insert(t.Context(), words, rows); err != nil {
		t.Fatal(err)
	}
	if n, once := counted(t, s); n != 1_000 || once != 1_000 {
		t.Errorf("%d rows of %d numbers, want 1000", n, once)
	}
	object := "chargeback/work_" + o.Run + "_1.parquet"
	if b.did = slices.Compact(b.did); !slices.Equal(b.did, []string{"put " + object, "read " + object, "remove " + object}) || len(b.objects) > 0 {
		t.Errorf("in the bucket: %q, and %d objects are left", b.did, len(b.objects))
	}
	b.deny = true
	if err := s.Insert(t.Context(), words, rows); err == nil || !strings.Contains(err.Error(), "see the README for the roles") {
		t.Errorf("a bucket that may not be written: %v", err)
	}
	if n, _ := counted(t, s); n != 1_000 {
		t.Errorf("%d rows after a load that failed, want 1000", n)
	}
}
