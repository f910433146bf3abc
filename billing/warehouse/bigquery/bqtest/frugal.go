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

// frugal is a transport to the emulator that spares it what it doesn't get back: its
// memory ends at 2 GB, of which 11 MB stay of each job that is a select, whose rows
// it keeps in a dataset of their own, and 17 MB of each table that is dropped. So
// selects of jobs are asked for without a job, and their answers kept here; and work
// tables that are dropped are shown no more and stay.
type frugal struct {
	next http.RoundTripper

	mu      sync.Mutex
	answers map[string]answer // to the selects, by the ids of their jobs
	gone    map[string]bool   // paths of tables
}

// answer is what a select gave.
type answer struct {
	job  []byte         // that is done, as it is shown
	rows map[string]any // with their columns
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
		s.mu.Lock()
		of, is := s.answers[path[at+1:]]
		s.mu.Unlock()
		switch {
		case is && strings.HasSuffix(path[:at], "/jobs"):
			return answered(r, http.StatusOK, of.job), nil
		case is && strings.HasSuffix(path[:at], "/queries"):
			rows := maps.Clone(of.rows)
			if r.URL.Query().Get("maxResults") == "0" {
				delete(rows, "rows")
			}
			return answered(r, http.StatusOK, encoded(rows)), nil
		}
	}
	return s.next.RoundTrip(r)
}

// insert takes a job. A select is answered by what the emulator has for selects
// without one, and shown as a job that is done.
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
	content = encoded(all)
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	if request.Configuration.DryRun {
		return s.next.RoundTrip(r)
	}
	if texts := billed.Split(q.Query); len(texts) != 1 || !selecting.MatchString(texts[0]) {
		return s.next.RoundTrip(r)
	}
	ask := r.Clone(r.Context())
	ask.URL.Path, ask.URL.RawQuery = base+"/queries", ""
	content = encoded(map[string]any{"query": q.Query, "useLegacySql": false, "formatOptions": map[string]any{"useInt64Timestamp": true}})
	ask.Body, ask.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	response, err := s.next.RoundTrip(ask)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var told map[string]any
	if err := json.NewDecoder(response.Body).Decode(&told); err != nil {
		return nil, err
	}
	j := &job{id: request.JobReference.JobID, location: request.JobReference.Location, sent: request}
	if why, is := told["error"].(map[string]any); is {
		return answered(r, http.StatusOK, j.failed(failure{"jobInternalError", fmt.Sprint(why["message"])})), nil
	}
	told["jobReference"] = request.JobReference
	done := j.state(map[string]any{"state": "DONE"}, map[string]any{"query": map[string]any{"statementType": "SELECT"}})
	s.mu.Lock()
	s.answers[j.id] = answer{done, told}
	s.mu.Unlock()
	return answered(r, http.StatusOK, done), nil
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
