package bqtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/billing/warehouse/billed"
	"chargeback/transform/civil"
)

const base = "http://service/bigquery/v2/projects/demo"

type service struct {
	t      testing.TB
	strict *bqtest.Strict
	mu     sync.Mutex
	jobs   int
}

func newService(t testing.TB) *service {
	s := &service{t: t, strict: bqtest.NewStrict(&bqtest.Idle{})}
	s.post("/datasets/books/tables", `{"tableReference":{"tableId":"facts"},"schema":{"fields":[{"name":"day","type":"DATE"},{"name":"id","type":"INTEGER"},{"name":"note","type":"STRING"},{"name":"total","type":"BIGNUMERIC"}]},"timePartitioning":{"field":"day"},"requirePartitionFilter":true}`)
	s.post("/datasets/books/tables", `{"tableReference":{"tableId":"small"},"schema":{"fields":[{"name":"id","type":"INTEGER"},{"name":"day","type":"DATE"}]}}`)
	s.post("/datasets/books/tables", `{"tableReference":{"tableId":"seen"},"view":{"query":"select f.day as day, f.note as note from `+"`demo`.`books`.`facts`"+` as f"}}`)
	s.strict.Declare("facts", billed.Size{Rows: 1000, First: date("2026-10-01"), Last: date("2026-10-31")})
	s.strict.Declare("small", billed.Size{Rows: 10})
	return s
}

func date(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func (s *service) post(path, content string) (int, string) {
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, base+path, strings.NewReader(content))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do(request)
}

func (s *service) get(path string) (int, string) {
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, base+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do(request)
}

func (s *service) do(request *http.Request) (int, string) {
	response, err := s.strict.RoundTrip(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

type request struct {
	location, label, limit string
	dry                    bool
}

var usual = request{"US", "r", "", false}

// run sends a job and gives what became of it: "" where it did what it should.
func (s *service) run(text string, of request) string {
	s.mu.Lock()
	s.jobs++
	id := fmt.Sprintf("j%d", s.jobs)
	s.mu.Unlock()
	text = strings.NewReplacer("{", "`demo`.`books`.`", "}", "`").Replace(text)
	job := map[string]any{
		"jobReference": map[string]any{"projectId": "demo", "jobId": id, "location": of.location},
		"configuration": map[string]any{
			"dryRun": of.dry, "labels": map[string]string{"run": of.label}, "query": map[string]any{"query": text, "maximumBytesBilled": of.limit},
		},
	}
	content, _ := json.Marshal(job)
	code, answer := s.post("/jobs", string(content))
	if code != http.StatusOK {
		return fmt.Sprint(code, " ", answer)
	}
	for range 1000 {
		code, answer = s.get("/jobs/" + id)
		if code != http.StatusOK || strings.Contains(answer, `"DONE"`) {
			break
		}
	}
	if code != http.StatusOK || strings.Contains(answer, "errorResult") {
		return fmt.Sprint(code, " ", answer)
	}
	return ""
}

// Goal: each refusal of the service, once where it must not speak and once where
// it must.
func TestRefusals(t *testing.T) {
	long := func(n int) string { return "select " + strings.Repeat("1", n-7) }
	for _, tt := range []struct {
		name, right, wrong string
		ofRight, ofWrong   request // usual where there is none
		want               string
	}{
		{name: "labels", right: "select 1", wrong: "select 1", ofWrong: request{"US", "", "", false}, want: "no label"},
		{name: "location", right: "select 1", wrong: "select 1", ofRight: request{"us", "r", "", false}, ofWrong: request{"EU", "r", "", false}, want: "404"},
		{name: "length", right: long(1_024_000), wrong: long(1_024_001), want: "The query is too large"},
		{name: "days", right: "select id from {facts} where day >= date '2026-10-01'", wrong: "select id from {facts}", want: "without a filter over column(s) 'day'"},
		{name: "days of another select", right: "select id from {facts} as f where f.day = date '2026-10-01' and id in (select id from {small})", wrong: "select id from {facts} where id in (select id from {small} where day = date '2026-10-01')", want: "without a filter"},
		{name: "days of another table", right: "select f.id from {facts} as f join {small} as s on s.id = f.id where f.day = date '2026-10-01'", wrong: "select f.id from {facts} as f join {small} as s on s.id = f.id where s.day = date '2026-10-01'", want: "without a filter"},
		{name: "days that are no constants", right: "select f.id from {facts} as f where f.day between date '2026-10-01' and date_add(date '2026-10-01', interval 3 day)", wrong: "select f.id from {facts} as f, {small} as s where f.day between s.day and s.day", want: "without a filter"},
		{name: "days in quotes", right: "select id from {facts} where day in (date '2026-10-01', date '2026-10-03')", wrong: `select id from {facts} where note = 'it\'s day = date \'2026-10-01\''`, want: "without a filter"},
		{name: "a part of a union", right: "select id from {facts} where day = date '2026-10-01' union all select id from {facts} where day = date '2026-10-02'", wrong: "select id from {facts} where day = date '2026-10-01' union all select id from {facts}", want: "without a filter"},
		{name: "a view", right: "select note from {seen} where day = date '2026-10-01'", wrong: "select note from {seen}", want: "without a filter"},
		{name: "a change", right: "delete from {facts} where day = date '2026-10-01'", wrong: "delete from {facts} where id = 3", want: "without a filter"},
		{name: "one statement of a script", right: "begin transaction; insert into {facts} (id) select 1; commit transaction;", wrong: "begin transaction; insert into {facts} (id) select 1; update {facts} set id = 2 where true; commit transaction;", want: "without a filter"},
		{name: "limit", right: "select id, note from {facts} where day = date '2026-10-01'", ofRight: request{"US", "r", "34000", false}, wrong: "select id, note from {facts} where day = date '2026-10-01'", ofWrong: request{"US", "r", "33999", false}, want: "Query exceeded limit for bytes billed: 33999. 34000 or higher"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ofRight == (request{}) {
				tt.ofRight = usual
			}
			if tt.ofWrong == (request{}) {
				tt.ofWrong = usual
			}
			s := newService(t)
			if got := s.run(tt.right, tt.ofRight); got != "" || len(s.strict.Refused()) > 0 {
				t.Errorf("right: %s", got)
			}
			if got := s.run(tt.wrong, tt.ofWrong); !strings.Contains(got, tt.want) || len(s.strict.Refused()) != 1 {
				t.Errorf("wrong: %q, want %q", got, tt.want)
			}
		})
	}
}

// Goal: what may change a table at once, and what may wait for it.
// Method: jobs of a minute each in time that passes by itself.
func TestContention(t *testing.T) {
	update := "update {small} set id = 2 where true"
	script := func(table string) string {
		return "begin transaction;\nupdate {" + table + "} set id = 2 where true;\ninsert into {facts} (id) select 1;\ncommit transaction;"
	}
	for _, tt := range []struct {
		name  string
		texts func(n int) string
		jobs  int
		want  int // refusals
		says  string
	}{
		{"two change and twenty wait", func(int) string { return update }, 22, 0, ""},
		{"one too many waits", func(int) string { return update }, 23, 1, "Too many DML statements outstanding"},
		{"appends don't wait", func(int) string { return "insert into {small} (id) select 1" }, 100, 0, ""},
		{"scripts on tables of their own", func(n int) string { return script(fmt.Sprintf("own_%d", n)) }, 100, 0, ""},
		{"two scripts on one table", func(int) string { return script("small") }, 2, 1, "due to concurrent update"},
		{"a script meets a statement", func(n int) string {
			if n == 0 {
				return script("small")
			}
			return update
		}, 2, 0, ""}, // the statement waits
		{"a statement meets a script", func(n int) string {
			if n == 1 {
				return script("small")
			}
			return update
		}, 2, 1, "due to concurrent update"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(t)
				s.strict.Takes = func(string) time.Duration { return time.Minute }
				var all sync.WaitGroup
				for n := range tt.jobs {
					all.Go(func() { s.run(tt.texts(n), usual) })
					synctest.Wait()
				}
				all.Wait()
				refused := s.strict.Refused()
				if len(refused) != tt.want || tt.want > 0 && !strings.Contains(refused[0], tt.says) {
					t.Errorf("refused: %q, want %d", refused, tt.want)
				}
			})
		})
	}
}

// Goal: an answer has a bound.
func TestResponse(t *testing.T) {
	s := newService(t)
	if why := s.run("select 1", usual); why != "" {
		t.Fatal(why)
	}
	_, whole := s.get("/queries/j1")
	s = newService(t)
	s.run("select 1", usual)
	s.strict.ResponseMax = int64(len(whole))
	if code, answer := s.get("/queries/j1"); code != http.StatusOK {
		t.Errorf("an answer as long as the bound: %d %s", code, answer)
	}
	s.run("select 1", usual)
	s.strict.ResponseMax--
	if code, answer := s.get("/queries/j2"); code != http.StatusForbidden || !strings.Contains(answer, "responseTooLarge") {
		t.Errorf("an answer longer than the bound: %d %s", code, answer)
	}
}

// Goal: what is let pass is written down with the days and bytes that it reads.
func TestStatements(t *testing.T) {
	for _, tt := range []struct {
		text  string
		kind  string
		reads string // table first last bytes, each
		bytes int64
	}{
		{"select id from {facts} where day between date '2026-10-30' and date '2026-11-05'", "select", "facts 2026-10-30 2026-11-05 32000", 2 * 1000 * 16},
		{"select * from {facts} where day = date '2026-10-01'", "select", "facts 2026-10-01 2026-10-01 66000", 66_000},
		{"delete from {facts} where (day = date '2026-10-03' and id = 1) or (day = date '2026-10-02' and id = 2)", "delete", "facts 2026-10-02 2026-10-03 132000", 132_000},
		{"select count(*) as n from {facts} where day >= date '0001-01-01'", "select", "facts none none 248000", 31 * 8000},
		{"insert into {facts} (id) select id from {small}", "insert", "small none none 80", 80},
		{"delete from {facts} where day = date '2026-10-01'", "delete", "facts 2026-10-01 2026-10-01 66000", 66_000},
		{"create or replace table {work_r_3_fresh} options(labels = [('run', 'r')]) as select id, total from {facts} as f where f.day = date '2026-10-01'", "create", "facts 2026-10-01 2026-10-01 48000", 48_000},
		{"with a as (select id, day from {facts} where day = date '2026-10-01') select a.id from a join {small} as s on s.id = a.id", "select", "facts 2026-10-01 2026-10-01 16000 small none none 80", 16_080},
		{"select note from {seen} as v where v.day = date '2026-10-02'", "select", "facts 2026-10-02 2026-10-02 26000", 26_000},
		{"select id from {work_r_3_fresh}", "select", "fresh none none 0", 0},
	} {
		s := newService(t)
		if why := s.run(tt.text, usual); why != "" {
			t.Errorf("%s: %s", tt.text, why)
			continue
		}
		all := s.strict.Statements()
		if len(all) != 1 {
			t.Errorf("%s: %d statements", tt.text, len(all))
			continue
		}
		got := all[0]
		var reads []string
		for _, r := range got.Reads {
			days := []string{"none", "none"}
			for i, d := range []civil.Date{r.First, r.Last} {
				if d != (civil.Date{}) {
					days[i] = d.String()
				}
			}
			reads = append(reads, fmt.Sprint(r.Table, " ", days[0], " ", days[1], " ", r.Bytes))
			if r.Bounded() != (r.Partition == "" || days[0] != "none" && days[1] != "none") {
				t.Errorf("%s: bounded %v", tt.text, r.Bounded())
			}
		}
		if got.Kind != tt.kind || got.Bytes != tt.bytes || strings.Join(reads, " ") != tt.reads || got.Run != "r" {
			t.Errorf("%s:\n got %s %d %s\nwant %s %d %s", tt.text, got.Kind, got.Bytes, reads, tt.kind, tt.bytes, tt.reads)
		}
	}
}

// Goal: a dry run says what a query would be billed for, and is no statement that
// ran; several errors of one statement come through as they are.
func TestAnswers(t *testing.T) {
	s := newService(t)
	_, answer := s.post("/jobs", `{"jobReference":{"jobId":"dry"},"configuration":{"dryRun":true,"labels":{"run":"r"},"query":{"query":"select id from `+"`demo`.`books`.`facts`"+` where day = date '2026-10-01'"}}}`)
	if !strings.Contains(answer, `"totalBytesProcessed":"16000"`) || !strings.Contains(answer, `"schema"`) || len(s.strict.Statements()) != 0 {
		t.Errorf("a dry run answered %s and left %d statements", answer, len(s.strict.Statements()))
	}
	errors := `[{"message":"Unrecognized name: x","reason":"invalidQuery"},{"message":"and another one","reason":"notFound"}]`
	s.strict.Next = wrong(`{"status":{"state":"DONE","errorResult":{"message":"Unrecognized name: x","reason":"jobInternalError"},"errors":` + errors + `}}`)
	if got := s.run("select x", usual); !strings.Contains(got, errors) || !strings.Contains(got, `"errorResult":{"message":"Unrecognized name: x","reason":"invalidQuery"}`) || len(s.strict.Refused()) > 0 {
		t.Errorf("errors of one statement: %s", got)
	}
}

// wrong is a server that answers everything with one text.
type wrong string

func (w wrong) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(w)))}, nil
}
