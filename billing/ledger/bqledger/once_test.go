package bqledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/bqledger"
	"chargeback/billing/ledger/bqledger/bqtest"
	"chargeback/billing/ledger/ledgertest"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// fault is what happens to one start of a job.
type fault string

const (
	none       fault = "none"
	notSent    fault = "the request is lost"
	answerLost fault = "the answer is lost"
	serviceOut fault = "503 after it was taken"
	quotaSaid  fault = "403 rateLimitExceeded"
	tooMany    fault = "429"
	jobFailed  fault = "taken, and DONE with quotaExceeded"
	conflict   fault = "taken, and aborted by another transaction"
	wrong      fault = "taken, and DONE with invalidQuery"

	lookupLost fault = "the question is lost"
	lookupBusy fault = "the question gets 429"
)

// faulty is a transport that lets starts of jobs go wrong, in turn.
type faulty struct {
	next http.RoundTripper

	mu      sync.Mutex
	faults  []fault
	lookups []fault           // of questions about jobs
	ids     []string          // of the jobs that were asked for
	taken   map[string]bool   // the ids under which a job runs or has ended
	ended   map[string]string // what jobs that were never run say when they are asked
}

func (f *faulty) plan(faults ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.lookups, f.ids = faults, nil, nil
}

// asked answers a question about a job.
func (f *faulty) asked(r *http.Request, id string) (*http.Response, error) {
	f.mu.Lock()
	now, ended := none, f.ended[id]
	if len(f.lookups) > 0 {
		now, f.lookups = f.lookups[0], f.lookups[1:]
	}
	f.mu.Unlock()
	switch {
	case now == lookupLost:
		return nil, errors.New("connection reset by peer")
	case now == lookupBusy:
		return answer(http.StatusTooManyRequests, `{"error": {"code": 429, "message": "slow down"}}`), nil
	case ended != "":
		return answer(http.StatusOK, ended), nil
	}
	return f.next.RoundTrip(r)
}

// RoundTrip implements http.RoundTripper.
func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, id, ok := strings.Cut(r.URL.Path, "/projects/demo/jobs/"); ok && r.Method == http.MethodGet {
		return f.asked(r, id)
	}
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/jobs") {
		return f.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, rest, _ := strings.Cut(string(body), `"jobId":"`)
	id, _, _ := strings.Cut(rest, `"`)
	f.mu.Lock()
	now := none
	if len(f.faults) > 0 {
		now, f.faults = f.faults[0], f.faults[1:]
	}
	f.ids = append(f.ids, id)
	again := f.taken[id]
	f.taken[id] = again || !slices.Contains([]fault{notSent, quotaSaid, tooMany}, now)
	f.mu.Unlock()
	// As the service does it: an id is taken once.
	pass := func() (*http.Response, error) {
		if again {
			return answer(http.StatusConflict, `{"error": {"code": 409, "message": "Already Exists: Job", "errors": [{"reason": "duplicate"}]}}`), nil
		}
		return f.next.RoundTrip(r)
	}
	if again && slices.Contains([]fault{jobFailed, conflict, wrong}, now) {
		return pass()
	}
	// As the service does it: the job runs when it is answered, and has failed
	// when it is asked.
	failed := func(reason, message string) *http.Response {
		job := `{"kind": "bigquery#job", "jobReference": {"projectId": "demo", "jobId": %q, "location": "US"}, "configuration": {"query": {"query": "x"}}, "status": {"state": %s}}`
		f.mu.Lock()
		defer f.mu.Unlock()
		f.ended[id] = fmt.Sprintf(job, id, fmt.Sprintf(`"DONE", "errorResult": {"reason": %q, "message": %q}`, reason, message))
		return answer(http.StatusOK, fmt.Sprintf(job, id, `"RUNNING"`))
	}
	switch now {
	case notSent:
		return nil, errors.New("connection reset by peer")
	case answerLost, serviceOut:
		taken, err := pass()
		if err != nil {
			return nil, err
		}
		_ = taken.Body.Close()
		if now == serviceOut {
			return answer(http.StatusServiceUnavailable, `{"error": {"code": 503, "message": "try later", "errors": [{"reason": "backendError"}]}}`), nil
		}
		return nil, errors.New("connection reset by peer")
	case quotaSaid:
		return answer(http.StatusForbidden, `{"error": {"code": 403, "message": "slow down", "errors": [{"reason": "rateLimitExceeded"}]}}`), nil
	case tooMany:
		return answer(http.StatusTooManyRequests, `{"error": {"code": 429, "message": "slow down", "errors": [{"reason": "rateLimitExceeded"}]}}`), nil
	case jobFailed:
		return failed("quotaExceeded", "Quota exceeded: too many table update operations for this table"), nil
	case conflict:
		return failed("invalidQuery", "Transaction is aborted due to concurrent update against table demo:books.fences"), nil
	case wrong:
		return failed("invalidQuery", "Unrecognized name: x"), nil
	}
	return pass()
}

func answer(code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

var words = ledger.Table{Name: "words", Columns: []ledger.Column{{Name: "id", Type: ledger.Int}}}

// Goal: never a doubled and never a lost row, whatever becomes of requests and
// answers.
// Method: insert numbered rows, as statements, in transactions and by loads,
// while random starts of jobs go wrong; then each number stands there once. A
// fault that does not pass is told, and leaves nothing.
func TestOnce(t *testing.T) {
	endpoint := bqtest.Start(t, os.Getenv(bqtest.Program))
	faults := &faulty{next: http.DefaultTransport, ended: map[string]string{}, taken: map[string]bool{}}
	s := open(t, options(endpoint, faults))
	defer func() { _ = s.Close() }()
	if err := s.Migrate(t.Context(), []ledger.Table{words}); err != nil {
		t.Fatal(err)
	}
	schema, _ := ledger.LoadSchema(words)
	next, want := int64(0), int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		plan := rapid.SliceOfN(rapid.SampledFrom([]fault{none, notSent, answerLost, serviceOut, quotaSaid, tooMany, jobFailed, conflict}), 0, 3).Draw(rt, "faults")
		rows := [][]any{{next}, {next + 1}}
		next += 2
		faults.plan(plan...)
		faults.lookups = rapid.SliceOfN(rapid.SampledFrom([]fault{none, lookupLost, lookupBusy}), 0, 2).Draw(rt, "lookups")
		var err error
		switch rapid.IntRange(0, 2).Draw(rt, "way") {
		case 0:
			err = s.Insert(t.Context(), words, rows)
		case 1:
			err = s.Transact(t.Context(), func() error {
				return errors.Join(s.Insert(t.Context(), words, rows[:1]), s.Insert(t.Context(), words, rows[1:]))
			})
		case 2:
			var batches <-chan *record.Batch
			if batches, err = ledger.Pack(words, schema, rows); err == nil {
				_, err = s.Load(t.Context(), schema, batches, func(*record.Batch) {})
			}
		}
		if err != nil {
			rt.Fatalf("after %v: %v", plan, err)
		}
		want += 2
		faults.plan()
		if n, once := counted(rt, s); n != want || once != want {
			rt.Fatalf("after %v: %d rows and %d numbers, want %d of each", plan, n, once, want)
		}
	})
	for _, way := range []func() error{
		func() error { return s.Insert(t.Context(), words, [][]any{{next}}) },
		func() error {
			return s.Transact(t.Context(), func() error { return s.Insert(t.Context(), words, [][]any{{next}}) })
		},
	} {
		faults.plan(wrong)
		if err := way(); err == nil || !strings.Contains(err.Error(), "Unrecognized name") {
			t.Errorf("a wrong statement ended with %v", err)
		}
		if len(faults.ids) != 1 {
			t.Errorf("a wrong statement was sent %d times", len(faults.ids))
		}
	}
	faults.plan(jobFailed, answerLost)
	if err := s.Insert(t.Context(), words, [][]any{{next}}); err != nil {
		t.Fatal(err)
	}
	if ids := faults.ids; len(ids) < 2 || ids[0] == ids[1] || ids[0][:len(ids[0])-1] != ids[1][:len(ids[1])-1] {
		t.Errorf("jobs %v: a job that failed is begun anew under the next id", faults.ids)
	}
	// A file that was refused for now is sent again, also where an earlier answer was lost.
	batches, err := ledger.Pack(words, schema, [][]any{{next + 4}})
	if err != nil {
		t.Fatal(err)
	}
	faults.plan(notSent, tooMany)
	faults.lookups = []fault{lookupLost}
	want++
	if _, err := s.Load(t.Context(), schema, batches, func(*record.Batch) {}); err != nil {
		t.Fatal(err)
	}
	// A start that may have been taken keeps its id whatever comes after it.
	faults.plan(answerLost, quotaSaid, quotaSaid)
	faults.lookups = []fault{lookupLost, lookupBusy}
	want++
	if err := s.Insert(t.Context(), words, [][]any{{next + 2}}); err != nil {
		t.Fatal(err)
	}
	if len(slices.Compact(slices.Clone(faults.ids))) != 1 {
		t.Errorf("jobs %v: one id as long as it is not known that it was not taken", faults.ids)
	}
	faults.plan(slices.Repeat([]fault{conflict}, 20)...)
	want++
	if err := s.Insert(t.Context(), words, [][]any{{next + 3}}); err != nil {
		t.Errorf("a transaction that met others twenty times: %v", err)
	}
	faults.plan(jobFailed, jobFailed, jobFailed, jobFailed, jobFailed, jobFailed)
	if err := s.Insert(t.Context(), words, [][]any{{next + 1}}); err == nil || !strings.Contains(err.Error(), "Quota exceeded") {
		t.Errorf("a quota that stays exceeded ended with %v", err)
	}
	faults.plan()
	if n, once := counted(t, s); n != want+1 || once != want+1 {
		t.Errorf("%d rows and %d numbers at the end, want %d of each", n, once, want+1)
	}
}

// counted is how many rows words has, and how many different numbers.
func counted(t rapid.TB, s *bqledger.Store) (rows, once int64) {
	t.Helper()
	err := s.Query(context.Background(), "select count(*), count(distinct id) from words", nil, func(r ledger.Row) error {
		rows, once = r.Int(0), r.Int(1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows, once
}

// Goal: a runner that was frozen and wakes up can't write.
// Method: a second process takes the lease's next generation while the first is
// within a transaction; then whatever the first does is refused and changes
// nothing, and the second works.
func TestFence(t *testing.T) {
	endpoint := bqtest.Start(t, os.Getenv(bqtest.Program))
	under := func(generation int64) *bqledger.Store {
		o := options(endpoint, http.DefaultTransport)
		o.Fence = bqledger.Fence{Lease: "runner", Owner: fmt.Sprint("process ", generation), Generation: generation}
		s := open(t, o)
		t.Cleanup(func() { _ = s.Close() })
		if err := s.Migrate(t.Context(), []ledger.Table{words}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := under(1)
	insert := func(s *bqledger.Store, id int64) error { return s.Insert(t.Context(), words, [][]any{{id}}) }
	if err := insert(first, 1); err != nil {
		t.Fatal(err)
	}
	var second *bqledger.Store
	err := first.Transact(t.Context(), func() error {
		if err := insert(first, 2); err != nil {
			return err
		}
		second = under(2)
		return nil
	})
	for what, err := range map[string]error{
		"a transaction": err, "an insert": insert(first, 3), "a delete": first.Exec(t.Context(), "delete from words where true", nil),
	} {
		if !errors.Is(err, ledger.ErrFenced) || !strings.Contains(err.Error(), "process 2 took runner") {
			t.Errorf("%s of a process without its lease ended with %v", what, err)
		}
	}
	if err := insert(second, 4); err != nil {
		t.Fatal(err)
	}
	if n, once := counted(t, second); n != 2 || once != 2 {
		t.Errorf("%d rows of %d numbers, want 1 and 4", n, once)
	}
}

// interrupted is a transport that lets something else happen just before the
// first commit that says at is sent.
type interrupted struct {
	next   http.RoundTripper
	at     string
	before func()
}

// RoundTrip implements http.RoundTripper.
func (i *interrupted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && i.before != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte("begin transaction")) && bytes.Contains(body, []byte(i.at)) {
			before := i.before
			i.before = nil
			before()
		}
	}
	return i.next.RoundTrip(r)
}

// Goal: rows that another worker stages while days are made are in records: at
// once or by the next night.
// Method: it stages between the models and the commit; then nothing of that is
// kept, and made again it has them.
func TestStagedWhileDaysAreMade(t *testing.T) {
	endpoint := bqtest.Start(t, os.Getenv(bqtest.Program))
	meanwhile := &interrupted{next: http.DefaultTransport, at: "`record_facts` ("}
	o := options(endpoint, meanwhile)
	o.Fence = bqledger.Fence{Lease: "runner", Owner: "runner", Generation: 1}
	runner, err := ledger.Open(t.Context(), open(t, o), time.UTC, "2026-09-01")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close() })
	o = options(endpoint, http.DefaultTransport)
	o.Existing, o.Fence = true, bqledger.Fence{Lease: "shard-1-of-2", Owner: "worker", Generation: 1}
	worker, err := ledger.OpenExisting(t.Context(), open(t, o), time.UTC, "2026-09-01")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = worker.Close() })
	rows := func(id string) ledgertest.Rows {
		return ledgertest.Rows{Usage: []ledgertest.Usage{{RequestID: id, At: "2026-10-05 10:00:00", Object: id, Line: 1, Tokens: record.Tokens{InputUncached: 7}}}}
	}
	if err := rows("first").Stage(t.Context(), worker); err != nil {
		t.Fatal(err)
	}
	day := ledgertest.Day("2026-10-05")
	book := ledgertest.Book{}
	build := ledger.Build{Days: []ledger.Days{{First: day, Last: day}}, LateUntil: day, OpenMonth: day.Month(), RateVersion: "v1", RunDate: day, References: book.Resolve}
	meanwhile.before = func() {
		if err := rows("second").Stage(t.Context(), worker); err != nil {
			t.Error(err)
		}
	}
	for try, want := range []error{ledger.ErrChanged, nil} {
		err := runner.ReplaceDays(t.Context(), build, func() error { return nil })
		if !errors.Is(err, want) {
			t.Errorf("try %d ended with %v, want %v", try, err, want)
		}
	}
	err = runner.Query(t.Context(), "select count(*), count(distinct usage_object_id) from record_facts where usage_date >= @since", ledger.Args{"since": civil.Min}, func(r ledger.Row) error {
		if r.Int(0) != 2 || r.Int(1) != 2 {
			t.Errorf("%d records of %d objects, want 2 of 2", r.Int(0), r.Int(1))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Goal: two workers that read the same object at the same time count it once,
// and what they both find for the first time (models, callers) stands once.
// Method: the second stages it, and another one, between the first one's last
// look at the ledger and its commit.
func TestStagedTwice(t *testing.T) {
	endpoint := bqtest.Start(t, os.Getenv(bqtest.Program))
	meanwhile := &interrupted{next: http.DefaultTransport, at: "`objects` ("}
	worker := func(lease string, transport http.RoundTripper) *ledger.Ledger {
		o := options(endpoint, transport)
		o.Fence = bqledger.Fence{Lease: lease, Owner: lease, Generation: 1}
		l, err := ledger.Open(t.Context(), open(t, o), time.UTC, "2026-09-01")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	first, second := worker("shard-1-of-2", meanwhile), worker("shard-2-of-2", http.DefaultTransport)
	rows := func(object string) ledgertest.Rows {
		return ledgertest.Rows{Usage: []ledgertest.Usage{{RequestID: "u " + object, At: "2026-10-05 10:00:00", Object: object, Line: 1, Caller: "arn:etl", Tokens: record.Tokens{InputUncached: 7}}}}
	}
	stageMeanwhile := func(object string) func() {
		return func() {
			if err := rows(object).Stage(t.Context(), second); err != nil {
				t.Error(err)
			}
		}
	}
	meanwhile.before = stageMeanwhile("other.json")
	if err := rows("mine.json").Stage(t.Context(), first); err != nil {
		t.Errorf("an object that only this worker reads: %v", err)
	}
	for text, want := range map[string]int64{
		"select count(*) from usage where usage_date >= @since": 2, "select count(*) from objects": 2, "select count(*) from meters": 1, "select count(*) from callers": 1,
	} {
		err := second.Query(t.Context(), text, ledger.Args{"since": civil.Min}, func(r ledger.Row) error {
			if r.Int(0) != want {
				t.Errorf("%s gives %d, want %d", text, r.Int(0), want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	// The service takes back what a failing script did. The emulator does not, so
	// nothing is counted here.
	meanwhile.before = stageMeanwhile("same.json")
	if err := rows("same.json").Stage(t.Context(), first); !errors.Is(err, ledger.ErrChanged) {
		t.Errorf("an object that was read meanwhile: %v", err)
	}
}
