package bqtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
)

// Idle is a service that takes everything and does nothing: tables that were made
// are there, jobs are done at once, and each select gives one row of one whole
// number. It shows what is asked of the service, and what many ask at once.
type Idle struct {
	// Number is what a select gives; nil = 0.
	Number func(text string) int64

	mu     sync.Mutex
	tables map[string]json.RawMessage // by path
	jobs   map[string]string          // text by id
}

// RoundTrip implements http.RoundTripper.
func (i *Idle) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.tables == nil {
		i.tables, i.jobs = map[string]json.RawMessage{}, map[string]string{}
	}
	var content []byte
	if r.Body != nil {
		all, err := body(r)
		if err != nil {
			return nil, err
		}
		content = all
	}
	path := strings.TrimSuffix(r.URL.Path, "/")
	_, job, ofJob := strings.Cut(path, "/jobs/")
	_, query, ofQuery := strings.Cut(path, "/queries/")
	switch {
	case strings.HasSuffix(path, "/jobs"):
		return i.insert(r, content)
	case ofJob:
		return answered(r, http.StatusOK, i.done(job)), nil
	case ofQuery, strings.HasSuffix(path, "/queries"):
		return answered(r, http.StatusOK, i.rows(query)), nil
	case strings.Contains(path, "/tables"):
		return i.table(r, path, content)
	}
	_, dataset, _ := strings.Cut(path, "/datasets/")
	return answered(r, http.StatusOK, encoded(map[string]any{"location": "US", "datasetReference": map[string]any{"projectId": "demo", "datasetId": dataset}})), nil
}

func (i *Idle) insert(r *http.Request, content []byte) (*http.Response, error) {
	var request sent
	_, after, _ := strings.Cut(string(content), "{") // a file comes in parts, the job first
	if err := json.NewDecoder(strings.NewReader("{" + after)).Decode(&request); err != nil {
		return nil, err
	}
	text := ""
	if q := request.Configuration.Query; q != nil {
		text = q.Query
	}
	i.jobs[request.JobReference.JobID] = text
	return answered(r, http.StatusOK, i.done(request.JobReference.JobID)), nil
}

func (i *Idle) done(id string) []byte {
	return encoded(map[string]any{
		"kind": "bigquery#job", "jobReference": map[string]any{"projectId": "demo", "jobId": id, "location": "US"},
		"configuration": map[string]any{"jobType": "QUERY", "query": map[string]any{"query": i.jobs[id]}}, "status": map[string]any{"state": "DONE"},
	})
}

func (i *Idle) rows(id string) []byte {
	number := int64(0)
	if i.Number != nil {
		number = i.Number(i.jobs[id])
	}
	text, _ := json.Marshal(number) // a whole number
	return encoded(map[string]any{
		"jobComplete": true, "totalRows": "1", "jobReference": map[string]any{"projectId": "demo", "jobId": id, "location": "US"},
		"schema": map[string]any{"fields": []any{map[string]any{"name": "n", "type": "INTEGER"}}},
		"rows":   []any{map[string]any{"f": []any{map[string]any{"v": string(text)}}}},
	})
}

func (i *Idle) table(r *http.Request, path string, content []byte) (*http.Response, error) {
	switch r.Method {
	case http.MethodPost:
		var m shape
		if err := json.Unmarshal(content, &m); err != nil {
			return nil, err
		}
		path += "/" + m.TableReference.TableID
		i.tables[path] = content
	case http.MethodDelete:
		delete(i.tables, path)
		return answered(r, http.StatusNoContent, nil), nil
	case http.MethodGet:
		if strings.HasSuffix(path, "/tables") {
			return answered(r, http.StatusOK, i.list(path)), nil
		}
	}
	if i.tables[path] == nil {
		return refused(r, http.StatusNotFound, failure{"notFound", "Not found: Table"}), nil
	}
	return answered(r, http.StatusOK, i.tables[path]), nil
}

func (i *Idle) list(path string) []byte {
	_, dataset, _ := strings.Cut(strings.TrimSuffix(path, "/tables"), "/datasets/")
	var tables []any
	for name := range i.tables {
		if id, is := strings.CutPrefix(name, path+"/"); is {
			tables = append(tables, map[string]any{"tableReference": map[string]any{"projectId": "demo", "datasetId": dataset, "tableId": id}})
		}
	}
	return encoded(map[string]any{"tables": tables})
}
