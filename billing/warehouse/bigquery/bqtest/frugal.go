package bqtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"chargeback/billing/warehouse/billed"
)

// frugal is a transport to the emulator that spares it what it doesn't get back, and
// what it looks through again at each request: its memory ends at 2 GB, of which 11 MB
// stay of each job that is a select, whose rows it keeps in a dataset of their own, and
// 17 MB of each table that is dropped; and each request reads all jobs that there are,
// comparing each id with the list of all, so that a few hundred jobs take more than
// what they do. So selects of jobs are asked for as if on trial, which gives their rows
// and makes no job, the jobs of scripts are deleted there when they are done, several at
// once, and the answers of all are kept here; and work tables that are dropped are shown
// no more and stay.
type frugal struct {
	next http.RoundTripper

	mu   sync.Mutex
	jobs map[string]*kept // by their ids
	done []string         // ids of jobs that the emulator has and need not
	gone map[string]bool  // paths of tables
}

// doneMax is how many jobs that are done the emulator keeps. A request that deletes
// them takes about as long as one that reads so many.
const doneMax = 12

// kept is a query job and what it gave.
type kept struct {
	done chan struct{}
	job  []byte         // as it is shown; nil = the emulator did not take it
	rows map[string]any // with their columns; nil = it is no select
}

func newFrugal(next http.RoundTripper) *frugal {
	return &frugal{next: next, jobs: map[string]*kept{}, gone: map[string]bool{}}
}

// workTable begins the names of tables that no other one ever has again.
const workTable = "work_"

// comments are lines of a text that are none of its SQL. The emulator takes an
// apostrophe in one for a quote, and then adds a space behind each semicolon that
// stands in quotes.
var comments = regexp.MustCompile(`(?m)^[ \t]*--.*$`)

var selecting = regexp.MustCompile(`^(?i)[\s(]*(select|with)\b`)

// RoundTrip implements http.RoundTripper.
func (s *frugal) RoundTrip(r *http.Request) (*http.Response, error) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	if base, is := strings.CutSuffix(path, "/jobs"); is && r.Method == http.MethodPost && !strings.HasPrefix(path, "/upload/") {
		return s.insert(r, base)
	}
	at := strings.LastIndexByte(path, '/')
	if strings.HasSuffix(path[:max(at, 0)], "/tables") && strings.HasPrefix(path[at+1:], workTable) {
		switch code := s.dropped(r.Method, path); code {
		case http.StatusNoContent:
			return answered(r, code, nil), nil
		case http.StatusNotFound:
			return refused(r, code, failure{"notFound", "Not found: Table " + path[at+1:]}), nil
		}
	}
	if strings.HasSuffix(path, "/tables") && r.Method == http.MethodGet {
		return s.list(r, path)
	}
	if r.Method == http.MethodGet {
		of := s.known(r, path[at+1:])
		switch {
		case of != nil && strings.HasSuffix(path[:at], "/jobs"):
			return answered(r, http.StatusOK, of.job), nil
		case of != nil && of.rows != nil && strings.HasSuffix(path[:at], "/queries"):
			rows := maps.Clone(of.rows)
			if r.URL.Query().Get("maxResults") == "0" {
				delete(rows, "rows")
			}
			return answered(r, http.StatusOK, encoded(rows)), nil
		case strings.HasSuffix(path[:max(at, 0)], "/jobs"):
			return s.asked(r, path[:at], path[at+1:])
		}
	}
	return s.next.RoundTrip(r)
}

// asked gives a job that only the emulator knows: of a file that was sent.
func (s *frugal) asked(r *http.Request, base, id string) (*http.Response, error) {
	refusal, shown, err := s.sent(r)
	if shown == nil {
		return refusal, err
	}
	var of struct{ Status struct{ State string } }
	if err := json.Unmarshal(shown, &of); err == nil && of.Status.State == "DONE" {
		of := &kept{done: make(chan struct{}), job: shown}
		close(of.done)
		s.mu.Lock()
		s.jobs[id] = of
		s.mu.Unlock()
		s.forget(r, strings.TrimSuffix(base, "/jobs"), id)
	}
	return answered(r, http.StatusOK, shown), nil
}

// known gives the job with an id when it is done, nil where none has it here.
func (s *frugal) known(r *http.Request, id string) *kept {
	s.mu.Lock()
	of := s.jobs[id]
	s.mu.Unlock()
	if of == nil {
		return nil
	}
	select {
	case <-of.done:
	case <-r.Context().Done():
	}
	if s.mu.Lock(); of.job == nil {
		of = nil
	}
	s.mu.Unlock()
	return of
}

// insert takes a job, and keeps how it ended.
func (s *frugal) insert(r *http.Request, base string) (*http.Response, error) {
	content, request, err := jobOf(r)
	if err != nil {
		return nil, err
	}
	q := request.Configuration.Query
	if q == nil {
		return s.next.RoundTrip(r)
	}
	q.Query = comments.ReplaceAllString(q.Query, "")
	var all map[string]any
	if err := json.Unmarshal(content, &all); err != nil {
		return nil, err
	}
	configuration, _ := all["configuration"].(map[string]any)
	if of, is := configuration["query"].(map[string]any); is {
		of["query"] = q.Query
	}
	r = with(r, r.URL.Path, all)
	if request.Configuration.DryRun {
		return s.next.RoundTrip(r)
	}
	id, of := request.JobReference.JobID, &kept{done: make(chan struct{})}
	s.mu.Lock()
	_, taken := s.jobs[id]
	if !taken {
		s.jobs[id] = of
	}
	s.mu.Unlock()
	if taken {
		return refused(r, http.StatusConflict, failure{"duplicate", "Already Exists: Job " + id}), nil
	}
	var response *http.Response
	var job []byte
	if texts := billed.Split(q.Query); len(texts) == 1 && selecting.MatchString(texts[0]) {
		job, of.rows, err = s.selected(r, base, request)
	} else if response, job, err = s.sent(r); job != nil {
		s.forget(r, base, id)
	}
	s.mu.Lock()
	if of.job = job; job == nil {
		delete(s.jobs, id)
	}
	s.mu.Unlock()
	close(of.done)
	if job != nil {
		response = answered(r, http.StatusOK, job)
	}
	return response, err
}

// selected asks for the rows of a select, and shows it as a job.
func (s *frugal) selected(r *http.Request, base string, request sent) (shown []byte, rows map[string]any, err error) {
	response, err := s.next.RoundTrip(with(r, base+"/queries", map[string]any{"query": request.Configuration.Query.Query, "useLegacySql": false, "dryRun": true, "formatOptions": map[string]any{"useInt64Timestamp": true}}))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&rows); err != nil {
		return nil, nil, err
	}
	j := &job{id: request.JobReference.JobID, location: request.JobReference.Location, sent: request}
	if why, is := rows["error"].(map[string]any); is {
		return j.failed(failure{"jobInternalError", fmt.Sprint(why["message"])}), nil, nil
	}
	rows["jobReference"] = request.JobReference
	return j.state(map[string]any{"state": "DONE"}, map[string]any{"query": map[string]any{"statementType": "SELECT"}}), rows, nil
}

// sent asks for a job and gives it as it is shown, or the answer that there is none.
func (s *frugal) sent(r *http.Request) (refusal *http.Response, shown []byte, err error) {
	response, err := s.next.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	shown, err = io.ReadAll(response.Body)
	return nil, shown, err
}

// forget deletes jobs that are done from the emulator, where they have become many.
// Where that fails they stay.
func (s *frugal) forget(r *http.Request, base, id string) {
	s.mu.Lock()
	s.done = append(s.done, id)
	all := s.done
	if len(all) < doneMax {
		all = nil
	} else {
		s.done = nil
	}
	s.mu.Unlock()
	if all == nil {
		return
	}
	response, err := s.next.RoundTrip(with(r, base+"/queries", map[string]any{"query": "delete from jobs where id in ('" + strings.Join(all, "', '") + "')", "useLegacySql": false}))
	if err != nil {
		return
	}
	defer func() { _ = response.Body.Close() }()
	var own sent // job, which is the next to be deleted
	if err := json.NewDecoder(response.Body).Decode(&own); err == nil && own.JobReference.JobID != "" {
		s.mu.Lock()
		s.done = append(s.done, own.JobReference.JobID)
		s.mu.Unlock()
	}
}

// with is a request with another path and body.
func with(r *http.Request, path string, says map[string]any) *http.Request {
	content := encoded(says)
	r = r.Clone(r.Context())
	if path != r.URL.Path {
		r.Method, r.URL.Path, r.URL.RawQuery = http.MethodPost, path, ""
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	return r
}

// dropped notes that a work table is to be dropped, and says how a request for one
// that was is answered; 0 = as the emulator does.
func (s *frugal) dropped(method, path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch was := s.gone[path]; {
	case was:
		return http.StatusNotFound
	case method == http.MethodDelete:
		s.gone[path] = true
		return http.StatusNoContent
	}
	return 0
}

// list gives the tables of a dataset but those that were dropped.
func (s *frugal) list(r *http.Request, path string) (*http.Response, error) {
	response, err := s.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var all map[string]any
	if err := json.NewDecoder(response.Body).Decode(&all); err != nil {
		return nil, err
	}
	tables, _ := all["tables"].([]any)
	s.mu.Lock()
	defer s.mu.Unlock()
	all["tables"] = slices.DeleteFunc(tables, func(t any) bool {
		table, _ := t.(map[string]any)
		of, _ := table["tableReference"].(map[string]any)
		return s.gone[fmt.Sprint(path, "/", of["tableId"])]
	})
	return answered(r, response.StatusCode, encoded(all)), nil
}
