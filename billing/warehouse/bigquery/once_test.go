package bigquery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/extract/record"
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
	inScript   fault = "taken, and a statement of it met a rate limit"
	queueFull  fault = "taken, and the queue of the table was full"
	serialize  fault = "taken, and DONE with could not serialize"
	backend    fault = "taken, and DONE with an internal error"

	lookupLost   fault = "the question is lost"
	lookupBusy   fault = "the question gets 429"
	lookupUnseen fault = "the question gets 404"
)

// failures are the reasons and messages of jobs that failed.
var failures = map[fault][2]string{
	jobFailed: {"quotaExceeded", "Quota exceeded: too many table update operations for this table"},
	conflict:  {"invalidQuery", "Transaction is aborted due to concurrent update against table demo:books.fences_runner"},
	wrong:     {"invalidQuery", "Unrecognized name: x"},
	inScript:  {"invalidQuery", "Exceeded rate limits: too many table update operations for this table. For more information, see the manual at [5:1]"},
	queueFull: {"resourcesExceeded", "Resources exceeded during query execution: Too many DML statements outstanding against table demo:books.fences_runner, limit is 20."},
	serialize: {"invalidQuery", "Could not serialize access to table demo:books.numbers due to concurrent update"},
	backend:   {"jobInternalError", "The job encountered an internal error during execution and was unable to complete successfully. Retrying the job may solve the problem."},
}

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
	case now == lookupUnseen:
		return answer(http.StatusNotFound, `{"error": {"code": 404, "message": "Not found: Job"}}`), nil
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
	if again && failures[now] != [2]string{} {
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
	}
	if f := failures[now]; f != [2]string{} {
		return failed(f[0], f[1]), nil
	}
	return pass()
}

func answer(code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// loaded loads numbers.
func loaded(ctx context.Context, s *bigquery.Store, rows [][]any) (*warehouse.Loaded, error) {
	batches, err := warehouse.Pack(numbers, rows)
	if err != nil {
		return nil, err
	}
	return s.Load(ctx, numbers.Schema(), batches, func(*record.Batch) {})
}

// counted is how many rows numbers has, and how many different ones.
func counted(t rapid.TB, s *bigquery.Store) (rows, once int64) {
	t.Helper()
	type count struct{ Number, Once int64 }
	c, err := warehouse.One[count](context.Background(), s, warehouse.Select{Name: "count", Text: "select count(*) as number, count(distinct n.id) as once from {numbers} as n"})
	if err != nil {
		t.Fatal(err)
	}
	return c.Number, c.Once
}

// Goal: never a doubled and never a lost row, whatever becomes of requests and
// answers.
// Method: add numbered rows by each kind of change, while random starts of jobs and
// questions go wrong; then each number stands there once. A fault that does not
// pass is told, and leaves nothing.
func TestOnce(t *testing.T) {
	endpoint := endpointOf(t)
	faults := &faulty{next: bqtest.NewStrict(http.DefaultTransport), ended: map[string]string{}, taken: map[string]bool{}}
	o := options(endpoint, faults)
	o.Fence = bigquery.Fence{Lease: "runner", Owner: "test", Generation: 1}
	s := migrated(t, open(t, o))
	next, want := int64(0), int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		plan := rapid.SliceOfN(rapid.SampledFrom([]fault{none, notSent, answerLost, serviceOut, quotaSaid, tooMany, jobFailed, conflict, inScript, queueFull, serialize, backend}), 0, 3).Draw(rt, "faults")
		lookups := rapid.SliceOfN(rapid.SampledFrom([]fault{none, lookupLost, lookupBusy, lookupUnseen}), 0, 2).Draw(rt, "lookups")
		rows := [][]any{{next}, {next + 1}}
		next += 2
		faults.plan(plan...)
		faults.lookups = lookups
		var err error
		switch rapid.IntRange(0, 2).Draw(rt, "way") {
		case 0:
			err = s.Apply(t.Context(), warehouse.Append{Table: "numbers", Rows: rows[:1]}, warehouse.Append{Table: "numbers", Rows: rows[1:]})
		case 1:
			if err = s.Put(t.Context(), "fresh", numbers.Columns, rows); err == nil {
				err = s.Apply(t.Context(), warehouse.Append{Table: "numbers", From: "fresh"})
			}
		case 2:
			var l *warehouse.Loaded
			if l, err = loaded(t.Context(), s, rows); err == nil {
				err = s.Apply(t.Context(), l)
			}
		}
		if err != nil {
			rt.Fatalf("after %v: %v", plan, err)
		}
		want += 2
		if n, once := counted(rt, s); n != want || once != want { // while what is left of the plan goes wrong
			rt.Fatalf("after %v: %d rows and %d numbers, want %d of each", plan, n, once, want)
		}
		faults.plan()
	})
	add := func() error {
		next++
		return s.Apply(t.Context(), warehouse.Append{Table: "numbers", Rows: [][]any{{next}}})
	}
	for _, tt := range []struct {
		name    string
		faults  []fault
		lookups []fault
		want    string // of the error
		ids     int    // different ones
	}{
		{"a wrong statement", []fault{wrong}, nil, "Unrecognized name", 1},
		{"a job that failed is begun anew under the next id", []fault{jobFailed, answerLost}, nil, "", 2},
		{"a job that is unknown at first", nil, []fault{lookupUnseen, lookupUnseen}, "", 1},
		{"one id as long as it is not known that it was not taken", []fault{answerLost, quotaSaid, quotaSaid}, []fault{lookupLost, lookupBusy}, "", 1},
		{"one that met others twenty times", slices.Repeat([]fault{conflict, queueFull}, 10), nil, "", 21},
		{"a rate limit that stays exceeded", slices.Repeat([]fault{inScript}, 6), nil, "Exceeded rate limits", 6},
	} {
		faults.plan(tt.faults...)
		faults.lookups = tt.lookups
		err := add()
		if err == nil {
			want++
		}
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		slices.Sort(faults.ids)
		if ids := slices.Compact(faults.ids); len(ids) != tt.ids {
			t.Errorf("%s: jobs %q, want %d", tt.name, ids, tt.ids)
		}
	}
	faults.plan(backend, backend)
	if n, once := counted(t, s); n != want || once != want || len(faults.ids) != 3 {
		t.Errorf("%d rows and %d numbers at the end, want %d of each, and asked %d times", n, once, want, len(faults.ids))
	}
}

// Goal: a change that was made is not made again, though its job is said to have
// failed.
// Method: the service makes it and says so.
func TestMadeThoughFailed(t *testing.T) {
	endpoint := endpointOf(t)
	liar := &lying{next: bqtest.NewStrict(http.DefaultTransport)}
	o := options(endpoint, liar)
	o.Fence = bigquery.Fence{Lease: "runner", Owner: "test", Generation: 1}
	s := migrated(t, open(t, o))
	liar.lies = 1
	if err := s.Apply(t.Context(), warehouse.Append{Table: "numbers", Rows: [][]any{{1}}}); err != nil {
		t.Fatal(err)
	}
	if n, _ := counted(t, s); n != 1 || liar.lies != 0 {
		t.Errorf("%d rows, want 1; lies left: %d", n, liar.lies)
	}
}

// lying is a transport that says of jobs that are done that they failed.
type lying struct {
	next http.RoundTripper
	lies int
}

// RoundTrip implements http.RoundTripper.
func (l *lying) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(r)
	if err != nil || l.lies == 0 || !strings.Contains(r.URL.Path, "/jobs/") {
		return response, err
	}
	content, err := io.ReadAll(response.Body)
	if bytes.Contains(content, []byte(`"DONE"`)) {
		l.lies--
		content = bytes.Replace(content, []byte(`"state":"DONE"`), []byte(`"state":"DONE","errorResult":{"reason":"backendError","message":"the backend failed"}`), 1)
	}
	return answer(response.StatusCode, string(content)), err
}

// Goal: a process that has lost its lease and does not know it writes nothing.
func TestFence(t *testing.T) {
	endpoint := endpointOf(t)
	strict := bqtest.NewStrict(http.DefaultTransport)
	under := func(lease string, generation int64) *bigquery.Store {
		o := options(endpoint, strict)
		o.Fence = bigquery.Fence{Lease: lease, Owner: fmt.Sprint("process ", generation), Generation: generation}
		return migrated(t, open(t, o))
	}
	add := func(s *bigquery.Store, id int) error {
		return s.Apply(t.Context(), warehouse.Append{Table: "numbers", Rows: [][]any{{id}}})
	}
	first, other := under("runner", 1), under("shard-1-of-2", 1)
	if err := errors.Join(add(first, 1), add(other, 2)); err != nil {
		t.Fatal(err)
	}
	second := under("runner", 2)
	for what, err := range map[string]error{
		"an append": add(first, 3), "a delete": first.Apply(t.Context(), warehouse.Delete{Table: "numbers", Where: "true"}), "opening": first.Migrate(t.Context(), layout),
	} {
		if !errors.Is(err, warehouse.ErrFenced) || !strings.Contains(err.Error(), "process 2 took runner") {
			t.Errorf("%s of a process without its lease ended with %v", what, err)
		}
	}
	if err := errors.Join(add(second, 4), add(other, 5)); err != nil {
		t.Fatal(err)
	}
	if n, once := counted(t, second); n != 4 || once != 4 {
		t.Errorf("%d rows of %d numbers, want 1, 2, 4 and 5", n, once)
	}
}
