package bqtest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// asked notes what comes through and answers as the emulator does.
type asked []string

func (a *asked) RoundTrip(r *http.Request) (*http.Response, error) {
	said := ""
	if r.Body != nil {
		content, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		said = " " + string(content)
	}
	*a = append(*a, r.Method+" "+r.URL.Path+said)
	switch {
	case strings.Contains(said, "nope"):
		return answered(r, http.StatusBadRequest, []byte(`{"error": {"message": "Unrecognized name: nope"}}`)), nil
	case strings.HasSuffix(r.URL.Path, "/queries"):
		return answered(r, http.StatusOK, []byte(`{"jobReference": {"jobId": "theirs"}, "rows": [{"f": [{"v": "1"}]}], "totalRows": "1"}`)), nil
	case strings.HasSuffix(r.URL.Path, "/tables"):
		return answered(r, http.StatusOK, []byte(`{"tables": [{"tableReference": {"tableId": "work_1"}}, {"tableReference": {"tableId": "facts"}}]}`)), nil
	}
	if strings.HasSuffix(r.URL.Path, "/jobs/sent") {
		return answered(r, http.StatusOK, []byte(`{"status": {"state": "DONE"}}`)), nil
	}
	return answered(r, http.StatusOK, []byte("{}")), nil
}

// Goal: selects make no job of the emulator's and are computed once, jobs that are
// done are known and deleted there several at once, dropped work tables stay there and
// are seen no more, comments don't come to it, and all else comes as it is.
func TestFrugal(t *testing.T) {
	var came asked
	s := newFrugal(&came)
	do := func(method, path, content string) (code int, says string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/v2/projects/demo"+path, strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		response, err := s.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(all)
	}
	job := func(id, text string) string {
		return `{"jobReference": {"jobId": "` + id + `"}, "configuration": {"labels": {"run": "r"}, "query": {"query": "` + text + `"}}}`
	}
	for _, tt := range []struct {
		method, path, content string
		code                  int
		says                  string // a part of the answer
		comes                 string // to the emulator; "" = nothing does
	}{
		{"POST", "/jobs", job("a", `-- it's one\nselect 'a; b'`), 200, `"state":"DONE"`, `POST /v2/projects/demo/queries {"dryRun":true,"formatOptions":{"useInt64Timestamp":true},"query":"\nselect 'a; b'","useLegacySql":false}`},
		{"GET", "/jobs/a", "", 200, `"jobId":"a"`, ""},
		{"GET", "/queries/a", "", 200, `"rows":[{"f":[{"v":"1"}]}]`, ""},
		{"GET", "/queries/b", "", 200, "{}", "GET /v2/projects/demo/queries/b "},
		{"POST", "/jobs", job("c", "select nope"), 200, `"errorResult":{"message":"Unrecognized name: nope"`, `POST /v2/projects/demo/queries {"dryRun":true,"formatOptions":{"useInt64Timestamp":true},"query":"select nope","useLegacySql":false}`},
		{"POST", "/jobs", job("d", `-- it's one\ncreate table t as select 1`), 200, "{}", `POST /v2/projects/demo/jobs {"configuration":{"labels":{"run":"r"},"query":{"query":"\ncreate table t as select 1"}},"jobReference":{"jobId":"d"}}`},
		{"POST", "/jobs", job("d", `create table t as select 1`), 409, "Already Exists: Job d", ""},
		{"GET", "/jobs/d", "", 200, "{}", ""},
		{"GET", "/jobs/c", "", 200, "Unrecognized name: nope", ""},
		{"GET", "/jobs/sent", "", 200, "DONE", "GET /v2/projects/demo/jobs/sent "},
		{"GET", "/jobs/sent", "", 200, "DONE", ""},
		{"GET", "/jobs/b", "", 200, "{}", "GET /v2/projects/demo/jobs/b "},
		{"GET", "/datasets/books/tables", "", 200, "work_1", "GET /v2/projects/demo/datasets/books/tables "},
		{"DELETE", "/datasets/books/tables/work_1", "", 204, "", ""},
		{"GET", "/datasets/books/tables/work_1", "", 404, "Not found", ""},
		{"DELETE", "/datasets/books/tables/work_1", "", 404, "Not found", ""},
		{"GET", "/datasets/books/tables", "", 200, `{"tables":[{"tableReference":{"tableId":"facts"}}]}`, "GET /v2/projects/demo/datasets/books/tables "},
		{"DELETE", "/datasets/books/tables/facts", "", 200, "{}", "DELETE /v2/projects/demo/datasets/books/tables/facts "},
	} {
		came = nil
		code, says := do(tt.method, tt.path, tt.content)
		if code != tt.code || !strings.Contains(says, tt.says) || strings.Join(came, "\n") != tt.comes {
			t.Errorf("%s %s %s: %d %s, and there came %q; want %d %s and %q", tt.method, tt.path, tt.content, code, says, came, tt.code, tt.says, tt.comes)
		}
	}
	there := []string{"d", "sent"} // jobs that the emulator still has
	for n := range 2 * doneMax {
		id, deletes := fmt.Sprint("s", n), ""
		if there = append(there, id); len(there) == doneMax {
			deletes = `POST /v2/projects/demo/queries {"query":"delete from jobs where id in ('` + strings.Join(there, "', '") + `')","useLegacySql":false}`
			there = []string{"theirs"}
		}
		came = nil
		do("POST", "/jobs", job(id, "create table t as select 1"))
		if got := strings.Join(came[1:], "\n"); got != deletes {
			t.Errorf("behind job %s there came %q, want %q", id, got, deletes)
		}
	}
	if _, says := do("GET", "/queries/a?maxResults=0", ""); strings.Contains(says, "rows\":") {
		t.Errorf("asked for no rows, it gives %s", says)
	}
}
