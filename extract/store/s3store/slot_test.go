package s3store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"chargeback/extract/store"
)

// writer is whoever can put and remove an object behind the slot's back.
type writer interface {
	Put(t *testing.T, key string, body []byte)
	Remove(t *testing.T, key string)
}

// onSlots runs a test on a slot of the fake and of the real server, if any.
func onSlots(t *testing.T, test func(t *testing.T, slot *Slot, behind writer)) {
	t.Run("fake", func(t *testing.T) {
		f := newFake()
		test(t, f.serve(t, "books").Slot("ledger.lease"), under{f, "books/"})
	})
	for _, options := range realServers() {
		t.Run("real server", func(t *testing.T) {
			options.Prefix = fmt.Sprintf("books/%p", t)
			behind := newRealWriter(t, options) // makes the bucket and empties the prefix
			test(t, openStore(t, options).Slot("ledger.lease"), behind)
		})
	}
	if len(realServers()) == 0 {
		t.Run("real server", func(t *testing.T) {
			t.Skip("left out: CHARGEBACK_TEST_S3_ENDPOINT names no server; make test starts one")
		})
	}
}

func mustWrite(t *testing.T, slot *Slot, content, etag string) string {
	t.Helper()
	written, err := slot.Write(t.Context(), []byte(content), etag)
	if err != nil || written == "" {
		t.Fatalf("write %q over %q: etag %q, error %v", content, etag, written, err)
	}
	return written
}

func wantSlot(t *testing.T, slot *Slot, content, etag string) {
	t.Helper()
	have, haveETag, err := slot.Read(t.Context())
	if string(have) != content || haveETag != etag || err != nil {
		t.Errorf("the slot holds %q, etag %q, error %v; want %q, etag %q", have, haveETag, err, content, etag)
	}
}

func wantReplaced(t *testing.T, slot *Slot, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrReplaced) {
		t.Fatalf("error %v, want ErrReplaced", err)
	}
	wantText(t, err, "write "+slot.String()+": somebody else has replaced the object since it was read; read it again")
}

// Goal: only who has seen the last version replaces it.
// Method: each way of having seen another, on the fake and on a real server.
func TestSlot(t *testing.T) {
	onSlots(t, func(t *testing.T, slot *Slot, behind writer) {
		wantSlot(t, slot, "", "")
		first := mustWrite(t, slot, "first", "")
		wantSlot(t, slot, "first", first)

		_, err := slot.Write(t.Context(), []byte("other"), "")
		wantReplaced(t, slot, err)
		wantSlot(t, slot, "first", first)

		second := mustWrite(t, slot, "second", first)
		_, err = slot.Write(t.Context(), []byte("other"), first)
		wantReplaced(t, slot, err)
		wantSlot(t, slot, "second", second)

		behind.Put(t, "ledger.lease", []byte("by somebody else"))
		_, err = slot.Write(t.Context(), []byte("third"), second)
		wantReplaced(t, slot, err)

		behind.Remove(t, "ledger.lease")
		_, err = slot.Write(t.Context(), []byte("third"), second)
		wantReplaced(t, slot, err)
		wantSlot(t, slot, "", "")
	})
}

// Goal: of many who saw the same version one wins, and knows it.
// Method: rounds of writers side by side, from nothing on.
func TestSlotRace(t *testing.T) {
	onSlots(t, func(t *testing.T, slot *Slot, _ writer) {
		const rounds, writers = 5, 8
		etag := ""
		for round := range rounds {
			etags, errs := make([]string, writers), make([]error, writers)
			var running sync.WaitGroup
			for i := range writers {
				running.Go(func() {
					etags[i], errs[i] = slot.Write(t.Context(), fmt.Appendf(nil, "round %d writer %d", round, i), etag)
				})
			}
			running.Wait()
			winner := -1
			for i, err := range errs {
				switch {
				case err == nil && winner >= 0:
					t.Fatalf("round %d: writers %d and %d both won", round, winner, i)
				case err == nil:
					winner = i
				case !errors.Is(err, store.ErrReplaced):
					t.Errorf("round %d: %v", round, err)
				}
			}
			if winner < 0 {
				t.Fatalf("round %d: nobody won", round)
			}
			etag = etags[winner]
			wantSlot(t, slot, fmt.Sprintf("round %d writer %d", round, winner), etag)
		}
	})
}

// lossy makes the fake answer writes in its own way, the given number of times.
func (f *fake) lossy(times int, answerWrite func(w http.ResponseWriter, r *http.Request, key string)) {
	f.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		f.mu.Lock()
		failing := r.Method == http.MethodPut && times > 0
		if failing {
			times--
		}
		f.mu.Unlock()
		if failing {
			answerWrite(w, r, strings.TrimPrefix(r.URL.Path, "/"+fakeBucket+"/"))
		}
		return failing
	})
}

// Goal: a write of which no answer came is neither lost nor done twice, and is
// never taken for another's.
// Method: the fake does the write, or does not, and then answers as a case says.
func TestSlotWhenAnswersAreLost(t *testing.T) {
	drop := func(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) }
	refuseWith := func(status int, code string) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, _ *http.Request, _ string) { refuse(w, status, code, "refused") }
	}
	tests := []struct {
		name    string
		done    bool   // the write is done, whatever is answered
		after   string // what somebody else then writes over it, "" for nothing
		times   int
		answer  func(http.ResponseWriter, *http.Request, string)
		want    string // of the error, "" where the write counts as done
		stays   string // what lies there in the end
		isOther bool   // the error says that somebody else wrote
	}{
		{name: "done, one answer lost", done: true, times: 1, answer: drop, stays: "mine"},
		{name: "done, then a server error", done: true, times: 1, answer: refuseWith(500, "InternalError"), stays: "mine"},
		{name: "done, all answers lost", done: true, times: triesMax, answer: drop, stays: "mine"},
		{name: "done, answered 409", done: true, times: 1, answer: refuseWith(409, "ConditionalRequestConflict"), stays: "mine"},
		{name: "done, answered without an etag", done: true, times: 1, answer: func(http.ResponseWriter, *http.Request, string) {}, stays: "mine"},
		{name: "done, answer lost, then replaced", done: true, after: "theirs", times: 1, answer: drop, want: "somebody else", isOther: true, stays: "theirs"},
		{name: "done, answered without an etag, then replaced", done: true, after: "theirs", times: 1, answer: func(http.ResponseWriter, *http.Request, string) {}, want: "somebody else", isOther: true, stays: "theirs"},
		{name: "not done, one request lost", times: 1, answer: drop, stays: "mine"},
		{name: "not done, all requests lost", times: triesMax, answer: drop, want: "no usable answer, 5 times", stays: "before"},
		{name: "not done, all requests lost, then replaced", after: "theirs", times: triesMax, answer: drop, want: "no usable answer, 5 times", stays: "theirs"},
		{name: "not done, 409", times: 1, answer: refuseWith(409, "ConditionalRequestConflict"), want: "somebody else", isOther: true, stays: "before"},
		{name: "not done, 412", times: 1, answer: refuseWith(412, "PreconditionFailed"), want: "somebody else", isOther: true, stays: "before"},
		{name: "not done, forbidden", times: 1, answer: refuseWith(403, "AccessDenied"), want: "allow this user or role s3:PutObject and s3:GetObject", stays: "before"},
		{name: "not done, no such bucket", times: 1, answer: refuseWith(404, "NoSuchBucket"), want: "there is no bucket", stays: "before"},
	}
	for _, before := range []string{"", "before"} {
		for _, test := range tests {
			t.Run(fmt.Sprintf("over %q: %s", before, test.name), func(t *testing.T) {
				f := newFake()
				slot := f.serve(t, "books").Slot("ledger.lease")
				etag := ""
				if before != "" {
					etag = mustWrite(t, slot, before, "")
				}
				f.lossy(test.times, func(w http.ResponseWriter, r *http.Request, key string) {
					if test.done {
						f.write(httptest.NewRecorder(), r, key)
					}
					if test.after != "" {
						under{f, "books/"}.Put(t, "ledger.lease", []byte(test.after))
					}
					test.answer(w, r, key)
				})
				written, err := slot.Write(t.Context(), []byte("mine"), etag)
				stays := strings.Replace(test.stays, "before", before, 1)
				content, last, readErr := slot.Read(t.Context())
				if string(content) != stays || readErr != nil {
					t.Errorf("the slot holds %q, error %v; want %q", content, readErr, stays)
				}
				if test.want == "" {
					if err != nil || written != last {
						t.Errorf("etag %q, error %v; want %q", written, err, last)
					}
					return
				}
				wantText(t, err, test.want)
				if errors.Is(err, store.ErrReplaced) != test.isOther || written != "" {
					t.Errorf("etag %q, error %v, is ErrReplaced %t", written, err, !test.isOther)
				}
				wantNoSecret(t, err, fakeSecret, fakeToken)
			})
		}
	}
}

// Goal: a write that was refused is not called another's before that was seen.
// Method: the answer to the write is lost, its repetition is refused, and then
// nothing can be read.
func TestSlotThatCannotLook(t *testing.T) {
	f := newFake()
	slot := f.serve(t, "books").Slot("ledger.lease")
	f.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "")
			return true
		}
		panic(http.ErrAbortHandler)
	})
	_, err := slot.Write(t.Context(), []byte("mine"), "")
	wantText(t, err, "no usable answer, 5 times")
	if errors.Is(err, store.ErrReplaced) {
		t.Errorf("%v says that somebody else wrote", err)
	}
}

func TestSlotReadFails(t *testing.T) {
	tests := []struct {
		name  string
		fault func(http.ResponseWriter, *http.Request) bool
		want  string
	}{
		{"forbidden", answer(403, "AccessDenied", "no"), "s3:ListBucket on the bucket: without it an object that is not there looks forbidden (AccessDenied)"},
		{"no such bucket", answer(404, "NoSuchBucket", "no"), "there is no bucket"},
		{"404 of something else", answer(404, "PageMissing", "no"), "the server answers 404 PageMissing"},
		{"too large", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("ETag", `"x"`)
			_, _ = w.Write(make([]byte, slotBytesMax+1))
			return true
		}, "the object is larger than 65536 bytes"},
		{"no etag", func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte("content"))
			return true
		}, "the object came without an etag"},
		{"cut off", func(w http.ResponseWriter, r *http.Request) bool {
			breakBody(w, r, []byte("content"), 3)
			return true
		}, "no usable answer, 5 times"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake()
			slot := f.serve(t, "books").Slot("ledger.lease")
			f.setFault(test.fault)
			content, etag, err := slot.Read(t.Context())
			wantText(t, err, "look up s3://example-logs/books/ledger.lease: ")
			wantText(t, err, test.want)
			if content != nil || etag != "" {
				t.Errorf("content %q and etag %q beside an error", content, etag)
			}
		})
	}
}

func TestSlotLimits(t *testing.T) {
	f := newFake()
	slot := f.serve(t, "books").Slot("ledger.lease")
	_, err := slot.Write(t.Context(), make([]byte, slotBytesMax+1), "")
	wantText(t, err, "65537 bytes are more than a slot's 65536")
	mustWrite(t, slot, strings.Repeat("x", slotBytesMax), "")

	cancelled, stop := context.WithCancel(t.Context())
	stop()
	if _, _, err := slot.Read(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("read: error %v, want context.Canceled", err)
	}
	if _, err := slot.Write(cancelled, []byte("x"), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("write: error %v, want context.Canceled", err)
	}
}
