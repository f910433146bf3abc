package bigquery_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/api/option"

	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/billing/warehouse/billed"
	"chargeback/transform/civil"
)

// recorder is a transport that keeps the bodies that were sent.
type recorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	sent []string // method, path and body
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	r.mu.Lock()
	r.sent = append(r.sent, request.Method+" "+request.URL.Path+" "+string(body))
	r.mu.Unlock()
	return r.next.RoundTrip(request)
}

// with is what was sent that has all of these words.
func (r *recorder) with(words ...string) (found []string) {
	for _, sent := range r.sent {
		all := true
		for _, w := range words {
			all = all && strings.Contains(sent, w)
		}
		if all {
			found = append(found, sent)
		}
	}
	return found
}

var count = warehouse.Select{Name: "count of numbers", Text: "select count(*) as n from {numbers} as n"}

// Goal: a job that nobody waits for any more is cancelled, so that it is not paid
// for; a change that is under way is waited for, so that it is known.
func TestCancel(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(ctx context.Context, s *bigquery.Store) error
		kept bool
	}{
		"query":   {func(ctx context.Context, s *bigquery.Store) error { return s.Query(ctx, count, ignored) }, false},
		"compute": {func(ctx context.Context, s *bigquery.Store) error { return s.Compute(ctx, "fresh", count) }, false},
		"apply": {func(ctx context.Context, s *bigquery.Store) error {
			return s.Apply(ctx, warehouse.Append{Table: "numbers", Rows: [][]any{{1}}})
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				strict := bqtest.NewStrict(idle())
				o := options(nowhere, strict)
				o.Sleep = nil
				s := migrated(t, open(t, o))
				strict.Takes = func(string) time.Duration { return time.Hour }
				ctx, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				start := time.Now()
				err := tt.do(ctx, s)
				if tt.kept {
					if err != nil || len(strict.Cancelled()) > 0 || time.Since(start) < time.Hour {
						t.Errorf("ended with %v after %s, cancelled %q", err, time.Since(start), strict.Cancelled())
					}
					return
				}
				if !errors.Is(err, context.DeadlineExceeded) || len(strict.Cancelled()) != 1 || time.Since(start) > 2*time.Minute {
					t.Errorf("ended with %v after %s, cancelled %q", err, time.Since(start), strict.Cancelled())
				}
			})
		})
	}
}

func ignored(warehouse.Row) error { return nil }

// Goal: what is read out has a bound, and says so.
func TestBytesRead(t *testing.T) {
	o := options(nowhere, bqtest.NewStrict(idle()))
	o.MaxBytesRead = 8
	s := migrated(t, open(t, o))
	if err := s.Query(t.Context(), count, ignored); err != nil {
		t.Errorf("as many bytes as are let: %v", err)
	}
	o = options(nowhere, bqtest.NewStrict(idle()))
	o.MaxBytesRead = 7
	s = migrated(t, open(t, o))
	if err := s.Query(t.Context(), count, ignored); err == nil || !strings.Contains(err.Error(), "count of numbers: its rows have more than 7 bytes") {
		t.Errorf("more bytes than are let: %v", err)
	}
	strict := bqtest.NewStrict(idle())
	s = migrated(t, open(t, options(nowhere, strict)))
	strict.ResponseMax = 10
	if err := s.Query(t.Context(), count, ignored); err == nil || !strings.Contains(err.Error(), "too large to return") || !strings.Contains(err.Error(), "must be summed up") {
		t.Errorf("more bytes than the service gives: %v", err)
	}
}

// Goal: a text that the service would not take is not sent, and the change that
// makes it long is named; rows that make it long are loaded instead.
func TestLongText(t *testing.T) {
	sent := &recorder{next: bqtest.NewStrict(idle())}
	s := migrated(t, open(t, options(nowhere, sent)))
	sent.sent = nil
	long := strings.Repeat("x", 200_000)
	update := func(n int) warehouse.Update {
		return warehouse.Update{Table: "facts", Set: warehouse.Args{"note": long[:n]}, Where: "day = date '2026-10-31'"}
	}
	if err := s.Apply(t.Context(), update(200_000), update(200_000), update(200_000), update(200_000)); err != nil {
		t.Errorf("800,000 bytes: %v", err)
	}
	if len(sent.with("begin transaction")) != 1 {
		t.Errorf("sent: %.300q", sent.sent)
	}
	sent.sent = nil
	short := warehouse.Delete{Table: "numbers", Where: "true"}
	err := s.Apply(t.Context(), short, update(150_000), update(150_000), update(150_000), update(200_000), update(150_000), update(150_000))
	if err == nil || !strings.Contains(err.Error(), "the longest is update facts with 200") || len(sent.sent) > 0 {
		t.Errorf("950,000 bytes: %v, and sent %.300q", err, sent.sent)
	}
	rows := make([][]any, 5)
	for i := range rows {
		rows[i] = []any{day, i, long[:90_000], nil, nil}
	}
	if err := s.Apply(t.Context(), warehouse.Append{Table: "facts", Rows: rows}, warehouse.Append{Table: "numbers", Rows: [][]any{{1}}}); err != nil {
		t.Fatal(err)
	}
	if len(sent.with("/upload/")) != 1 || len(sent.with("begin transaction", "unnest")) != 1 {
		t.Errorf("rows of 450,000 bytes: sent %.600q", sent.sent)
	}
	if err := s.Compute(t.Context(), "fresh", warehouse.Select{Name: "fresh", Text: "select {@long} as x", Args: warehouse.Args{"long": strings.Repeat(long, 5)}}); err == nil || !strings.Contains(err.Error(), "no more than 900000") {
		t.Errorf("a select of a million bytes: %v", err)
	}
}

// Goal: jobs say whose they are, what they may cost and how long they may run, and
// tables on their way lie apart and expire.
func TestWhatIsSent(t *testing.T) {
	sent := &recorder{next: bqtest.NewStrict(idle())}
	o := options(nowhere, sent)
	o.WorkDataset, o.JobTimeout, o.Location = "scratch", 2*time.Hour, "US"
	o.Fence = bigquery.Fence{Lease: "shard-1-of-2", Owner: "me", Generation: 7}
	s := migrated(t, open(t, o))
	if err := s.Compute(t.Context(), "fresh", count); err != nil {
		t.Fatal(err)
	}
	if err := s.Compute(t.Context(), "fresh", warehouse.Select{Text: "select n from {fresh} as f"}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Put(t.Context(), "few", numbers.Columns, [][]any{{1}}), s.Put(t.Context(), "none", numbers.Columns, nil)); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), warehouse.Append{Table: "numbers", From: "few"}, warehouse.Guard{Count: count}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ids := `"jobId":"chargeback_` + o.Run + "_"
	for _, want := range [][]string{
		{ids + `2_fences_shard_1_of_2_`, "create table if not exists `demo`.`books`.`fences_shard_1_of_2`"},
		{ids + `3_fences_shard_1_of_2_`, `"query":"update ` + "`demo`.`books`.`fences_shard_1_of_2`", "generation \\u003e 7"},
		{"create or replace table `demo`.`scratch`.`work_" + o.Run + "_1_fresh`", "interval 24 hour", "labels = [('component', 'chargeback'), ('run', '" + o.Run + "')]"},
		{"create or replace table `demo`.`scratch`.`work_" + o.Run + "_2_fresh`", "from `demo`.`scratch`.`work_" + o.Run + "_1_fresh` as f"},
		{"DELETE", "/datasets/scratch/tables/work_" + o.Run + "_1_fresh "},
		{"DELETE", "/datasets/scratch/tables/work_" + o.Run + "_2_fresh "},
		{"begin transaction;\\nupdate `demo`.`books`.`fences_shard_1_of_2`", "insert into `demo`.`books`.`numbers` (id)\\nselect id from (select", "a guard refuses change 2 of 2", `"jobTimeoutMs":"7200000"`, `"labels":{"component":"chargeback","run":"` + o.Run + `"}`, `"maximumBytesBilled":"1099511627776"`, "_numbers_"},
	} {
		if found := sent.with(want...); len(found) != 1 {
			t.Errorf("sent %d times: %q\n%s", len(found), want, strings.Join(sent.with("create"), "\n"))
		}
	}
	if found := sent.with("_few"); len(found) > 0 {
		t.Errorf("a table was made for a few rows: %q", found)
	}
	if found := sent.with("jobs ", "jobId"); len(found) != len(sent.with("jobs ", ids)) || len(found) == 0 {
		t.Error("a job is not called after its run")
	}
}

// Goal: replaced days are bounded by constants and shards' tables are only added to.
func TestReplaced(t *testing.T) {
	sent := &recorder{next: bqtest.NewStrict(idle())}
	s := migrated(t, open(t, options(nowhere, sent)))
	if err := s.Put(t.Context(), "fresh", facts.Columns, [][]any{{day, 1, nil, nil, nil}}); err != nil {
		t.Fatal(err)
	}
	for days, want := range map[string]string{
		"31":    "day between date '2026-10-31' and date '2026-10-31'",
		"31,30": "day between date '2026-10-30' and date '2026-10-31'",
		"31,29": "day between date '2026-10-29' and date '2026-10-31' and day in (date '2026-10-29', date '2026-10-31')",
	} {
		sent.sent = nil
		change := warehouse.ReplaceDays{Table: "facts", From: "fresh"}
		for _, d := range strings.Split(days, ",") {
			parsed, err := civil.ParseDate("2026-10-" + d)
			if err != nil {
				t.Fatal(err)
			}
			change.Days = append(change.Days, parsed)
		}
		if err := s.Apply(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if len(sent.with("delete from `demo`.`books`.`facts` where "+want+";\\ninsert into", "_facts_202610")) != 1 {
			t.Errorf("days %s: %q", days, sent.sent)
		}
	}
}

// facing is a transport that answers questions for datasets.
type facing struct {
	next http.RoundTripper
	meta map[string]string
}

// RoundTrip implements http.RoundTripper.
func (f facing) RoundTrip(r *http.Request) (*http.Response, error) {
	for dataset, meta := range f.meta {
		if strings.HasSuffix(r.URL.Path, "/datasets/"+dataset) {
			if meta == "" {
				return answer(http.StatusNotFound, `{"error": {"code": 404, "message": "Not found: Dataset"}}`), nil
			}
			return answer(http.StatusOK, meta), nil
		}
	}
	return f.next.RoundTrip(r)
}

// Goal: each fact outside of the program that would break a run is told, and none
// where all is well.
func TestFacts(t *testing.T) {
	b := &bucket{objects: map[string][]byte{}}
	server := httptest.NewServer(b)
	defer server.Close()
	for _, tt := range []struct {
		name, location string
		meta           map[string]string
		bucket         bool
		want           []string
	}{
		{"nothing there", "EU", map[string]string{"books": "", "scratch": ""}, false, nil},
		{"all well", "EU", map[string]string{"books": `{"location": "eu"}`, "scratch": `{"location": "EU", "defaultTableExpirationMs": "172800000"}`}, true, nil},
		{"elsewhere", "US", map[string]string{"books": `{"location": "EU"}`, "scratch": `{"location": "US"}`}, true, []string{"the dataset lies in EU and the settings say US"}},
		{"work elsewhere", "EU", map[string]string{"books": `{"location": "EU"}`, "scratch": `{"location": "US"}`}, false, []string{"the dataset of work tables lies in US"}},
		{"bucket elsewhere", "asia-east1", map[string]string{"books": `{"location": "asia-east1"}`, "scratch": ""}, true, []string{"the staging bucket lies in EU"}},
		{"expiring", "EU", map[string]string{"books": `{"location": "EU", "defaultTableExpirationMs": "5184000000", "defaultPartitionExpirationMs": "86400000"}`, "scratch": ""}, true, []string{"tables expire after 1440h", "partitions expire after 24h"}},
	} {
		o := options(nowhere, facing{bqtest.NewStrict(idle()), tt.meta})
		o.Location, o.WorkDataset = tt.location, "scratch"
		if tt.bucket {
			o.Staging = "gs://staging/x"
			o.StorageClient = []option.ClientOption{option.WithEndpoint(server.URL + "/storage/v1/"), option.WithoutAuthentication()}
		}
		f, err := open(t, o).Facts(t.Context())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		problems := f.Problems()
		for i, want := range tt.want {
			if i >= len(problems) || !strings.Contains(problems[i], want) {
				t.Errorf("%s: %q, want %q", tt.name, problems, tt.want)
			}
		}
		if len(problems) != len(tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, problems, tt.want)
		}
	}
}

// Goal: what a run would read is known before it is paid for, also where a model
// reads what another one would make.
func TestEstimate(t *testing.T) {
	strict := bqtest.NewStrict(http.DefaultTransport)
	s := migrated(t, open(t, options(endpointOf(t), strict)))
	strict.Declare("facts", billed.Size{Rows: 1_000_000, First: day.AddDays(-29), Last: day})
	before, err := s.BytesBilled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read := warehouse.Select{Name: "facts of a day", Text: "select f.id, f.total from {facts} as f where f.day between {@day} and {@day}", Args: warehouse.Args{"day": day}}
	if n, err := s.Estimate(t.Context(), read); err != nil || n != 1_000_000*(8+32+8) {
		t.Errorf("a select of a day: %d, %v", n, err)
	}
	if n, err := s.EstimateCompute(t.Context(), "fresh", read); err != nil || n != 1_000_000*(8+32+8) {
		t.Errorf("a model of a day: %d, %v", n, err)
	}
	if n, err := s.EstimateCompute(t.Context(), "sums", warehouse.Select{Name: "sums", Text: "select {total_usd(f.total)} as total from {fresh} as f"}); err != nil || n != 0 {
		t.Errorf("a model of a model: %d, %v", n, err)
	}
	if n, err := s.Estimate(t.Context(), warehouse.Select{Name: "wrong", Text: "select nosuch from {sums} as s"}); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("a select that is wrong: %d, %v", n, err)
	}
	if after, err := s.BytesBilled(t.Context()); err != nil || after != before {
		t.Errorf("estimates were billed: %d bytes, %v", after-before, err)
	}
	if err := s.Query(t.Context(), read, ignored); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), warehouse.Delete{Table: "facts", Where: "day = date '2026-10-31'"}, warehouse.Append{Table: "numbers", Rows: [][]any{{1}}}); err != nil {
		t.Fatal(err)
	}
	if after, err := s.BytesBilled(t.Context()); err != nil || after-before != 1_000_000*(8+32+8)+1_000_000*(8+8+18+32+8) {
		t.Errorf("a select and a script were billed for %d bytes, %v", after-before, err)
	}
}

// Goal: tables whose sizes nobody declared are counted, also those that were computed.
func TestCounted(t *testing.T) {
	strict := bqtest.NewStrict(http.DefaultTransport)
	strict.Count = true
	s := migrated(t, open(t, options(endpointOf(t), strict)))
	rows := [][]any{{day, 1, "a", nil, nil}, {day, 2, "b", nil, nil}, {day.AddDays(1), 3, "c", nil, nil}, {day.AddDays(1), 4, "d", nil, nil}}
	if err := s.Apply(t.Context(), warehouse.Append{Table: "facts", Rows: rows}); err != nil {
		t.Fatal(err)
	}
	strict.Forget()
	if err := s.Compute(t.Context(), "fresh", warehouse.Select{Text: "select f.id, f.note from {facts} as f where f.day = date '2026-10-31'"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Query(t.Context(), warehouse.Select{Text: "select f.note from {fresh} as f"}, ignored); err != nil {
		t.Fatal(err)
	}
	all := strict.Statements()
	if len(all) != 2 || all[0].Bytes != 2*(8+18+8) || all[1].Bytes != 2*18 || !all[1].Reads[0].Work || all[1].Reads[0].Table != "fresh" {
		t.Errorf("statements: %+v", all)
	}
}
