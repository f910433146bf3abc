package s3store

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chargeback/extract/store"
)

// Goal: an object is created once, with the same bytes as often as one likes,
// and never with others.
// Method: the fake and, where there is one, a real server.
func TestCreate(t *testing.T) {
	stores := map[string]*Store{"fake": newFake().serve(t, "documents")}
	for _, options := range realServers() {
		options.Prefix = fmt.Sprintf("documents/%p", t)
		newRealWriter(t, options) // makes the bucket and empties the prefix
		stores["real server"] = openStore(t, options)
	}
	for name, bucket := range stores {
		t.Run(name, func(t *testing.T) {
			create := func(content string) error {
				return bucket.Create(t.Context(), "2026-10/CB-2026-10-00420-r0.pdf", "application/pdf", []byte(content))
			}
			for range 2 {
				if err := create("first"); err != nil {
					t.Fatal(err)
				}
			}
			for _, other := range []string{"other", "firs", "first and more", ""} {
				err := create(other)
				if !errors.Is(err, store.ErrTaken) || !strings.HasPrefix(err.Error(), "write s3://") || !strings.Contains(err.Error(), "CB-2026-10-00420-r0.pdf: other bytes lie there already") {
					t.Errorf("%q over other bytes: %v", other, err)
				}
			}
			var found []store.Object
			err := bucket.All(t.Context(), "", func(o store.Object) error { found = append(found, o); return nil })
			if err != nil || len(found) != 1 {
				t.Fatalf("%v, error %v", found, err)
			}
			if content, err := readObject(t, bucket, found[0]); string(content) != "first" || err != nil {
				t.Errorf("%q, error %v", content, err)
			}
		})
	}
}

// Goal: who may write and not list is told apart from every other refusal.
func TestKeys(t *testing.T) {
	f := newFake()
	bucket := f.serve(t, "documents")
	f.put(t, bucket, "2026-10/a.pdf", []byte("a"))
	f.put(t, bucket, "2026-11/b.pdf", []byte("b"))
	keys, err := bucket.Keys(t.Context(), "2026-10/")
	if err != nil || len(keys) != 1 || keys[0] != "2026-10/a.pdf" {
		t.Errorf("%q, error %v", keys, err)
	}
	for code, want := range map[string]bool{"AccessDenied": true, "InvalidAccessKeyId": false} {
		f.setFault(answer(http.StatusForbidden, code, "no"))
		if _, err := bucket.Keys(t.Context(), "2026-10/"); err == nil || errors.Is(err, store.ErrNoListing) != want {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// Goal: a lost answer neither doubles nor fails a document, and what is refused
// is explained.
func TestCreateWhenAnswersAreLost(t *testing.T) {
	f := newFake()
	bucket := f.serve(t, "documents")
	lost := 2
	f.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || lost == 0 {
			return false
		}
		lost--
		f.write(httptest.NewRecorder(), r, strings.TrimPrefix(r.URL.Path, "/"+fakeBucket+"/")) // it is written, and nobody hears of it
		panic(http.ErrAbortHandler)
	})
	if err := bucket.Create(t.Context(), "a.pdf", "application/pdf", []byte("first")); err != nil || lost != 0 {
		t.Errorf("error %v, %d answers left to lose", err, lost)
	}
	f.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		refuse(w, http.StatusForbidden, "AccessDenied", "Access Denied")
		return true
	})
	err := bucket.Create(t.Context(), "b.pdf", "application/pdf", []byte("second"))
	if err == nil || !strings.Contains(err.Error(), "write s3://example-logs/documents/b.pdf: access denied; allow this user or role s3:PutObject and s3:GetObject on the objects of bucket") {
		t.Errorf("refused: %v", err)
	}
}
