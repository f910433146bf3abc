package bqtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"chargeback/billing/warehouse/billed"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// What the service takes and no more.
const (
	textMax       = 1_024_000 // characters of a query
	runningMax    = 2         // statements that change a table at once
	queuedMax     = 20        // and that wait for it
	responseMax   = 10 << 30  // bytes of an answer
	answerTimeout = 20 * time.Second
)

// begins finds a script that is a transaction.
var begins = regexp.MustCompile(`(?i)^\s*begin transaction`)

// Strict is a transport that refuses what the service refuses and the emulator
// does not: a read of a partitioned table without constants that say which days, a
// job without labels or in another location, a text that is too long, a statement for
// which too many wait already, a script that changes what another one is changing,
// an answer that is too large, and a query that would be billed for more than its
// limit. A script that fails leaves nothing. It writes down every statement that it
// lets pass, with what the service would bill for it by a model: logical sizes of the
// columns that the text names, days pruned by constants, and no credit for clusters.
//
// It takes the names of columns from the text as a whole, so it bills a little more
// than the service does; a column that a view names counts as read.
type Strict struct {
	Next http.RoundTripper
	// Location is where the datasets lie; "" = US.
	Location string
	// ResponseMax is how many bytes an answer has at most; 0 = 10 GiB.
	ResponseMax int64
	// Takes is how long a job takes besides the time of Next; nil = no longer.
	Takes func(text string) time.Duration
	// Count asks Next for the rows of tables that were not declared. Without it they
	// have none.
	Count bool

	mu         sync.Mutex
	turn       sync.Cond
	tables     map[string]*table // by dataset.table
	sizes      map[string]billed.Size
	statements []billed.Statement
	jobs       map[string]*job
	cancelled  []string
	refusals   []string
}

// NewStrict returns a Strict before another transport.
func NewStrict(next http.RoundTripper) *Strict {
	s := &Strict{Next: next, tables: map[string]*table{}, sizes: map[string]billed.Size{}, jobs: map[string]*job{}}
	s.turn.L = &s.mu
	return s
}

// Declare says how large a table is taken to be, by its name in texts.
func (s *Strict) Declare(table string, size billed.Size) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sizes[table] = size
}

// Statements are all that were let pass so far, in the order of their ends.
func (s *Strict) Statements() []billed.Statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.statements)
}

// Forget empties Statements.
func (s *Strict) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statements = nil
}

// Cancelled are the ids of the jobs that were to be cancelled.
func (s *Strict) Cancelled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.cancelled)
}

// Refused are the messages with which jobs were refused so far.
func (s *Strict) Refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refusals)
}

func (s *Strict) refuse(r *http.Request, code int, f failure) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = append(s.refusals, f.message)
	return refused(r, code, f), nil
}

func (s *Strict) fail(j *job, f failure) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = append(s.refusals, f.message)
	return j.failed(f)
}

// job is a query job.
type job struct {
	id, location string
	sent         sent
	texts        []string // its statements
	done         chan struct{}
	answer       []byte // when it is done
	read         int64  // bytes of rows that were given
	stopped      chan struct{}
}

// sent is what a request for a job says.
type sent struct {
	JobReference struct{ ProjectID, JobID, Location string }

	Configuration struct {
		DryRun bool
		Labels map[string]string
		Query  *struct {
			Query              string
			MaximumBytesBilled string
		}
	}
}

// failure is why something is refused.
type failure struct{ reason, message string }

func (s *Strict) location() string {
	if s.Location == "" {
		return "US"
	}
	return s.Location
}

// RoundTrip implements http.RoundTripper.
func (s *Strict) RoundTrip(r *http.Request) (*http.Response, error) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	_, id, ofJob := strings.Cut(path, "/jobs/")
	_, query, ofQuery := strings.Cut(path, "/queries/")
	switch {
	case strings.HasPrefix(path, "/upload/"):
		return s.Next.RoundTrip(r)
	case r.Method == http.MethodPost && strings.HasSuffix(path, "/jobs"):
		return s.insert(r)
	case r.Method == http.MethodPost && strings.HasSuffix(path, "/queries"):
		return refused(r, http.StatusBadRequest, failure{"invalid", "the driver gives every job an id"}), nil
	case r.Method == http.MethodPost && ofJob && strings.HasSuffix(id, "/cancel"):
		return s.cancel(r, strings.TrimSuffix(id, "/cancel"))
	case r.Method == http.MethodGet && ofJob:
		return s.asked(r, id)
	case r.Method == http.MethodGet && ofQuery:
		return s.rows(r, query)
	case r.Method == http.MethodPost && strings.HasSuffix(path, "/tables"), r.Method == http.MethodPatch && strings.Contains(path, "/tables/"):
		return s.learn(r)
	}
	return s.Next.RoundTrip(r)
}

// body reads the body of a request, which keeps it.
func body(r *http.Request) ([]byte, error) {
	all, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(all))
	return all, err
}

// jobOf reads a request for a job, which keeps its body.
func jobOf(r *http.Request) (content []byte, request sent, err error) {
	if content, err = body(r); err == nil {
		err = json.Unmarshal(content, &request)
	}
	return content, request, err
}

func answered(r *http.Request, code int, content []byte) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(content)), ContentLength: int64(len(content)), Request: r}
}

func encoded(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // only maps and texts
	}
	return text
}

func refused(r *http.Request, code int, f failure) *http.Response {
	return answered(r, code, encoded(map[string]any{"error": map[string]any{"code": code, "message": f.message, "errors": []any{map[string]any{"reason": f.reason, "message": f.message}}}}))
}

// insert takes a job, and answers that it runs.
func (s *Strict) insert(r *http.Request) (*http.Response, error) {
	content, request, err := jobOf(r)
	if err != nil {
		return nil, err
	}
	location := request.JobReference.Location
	if location == "" {
		location = s.location()
	}
	switch {
	case request.Configuration.Labels["run"] == "":
		return s.refuse(r, http.StatusBadRequest, failure{"invalid", "the job has no label that names its run"})
	case !strings.EqualFold(location, s.location()):
		return s.refuse(r, http.StatusNotFound, failure{"notFound", "Not found: Dataset was not found in location " + location})
	case request.Configuration.Query == nil: // a load
		return s.Next.RoundTrip(r)
	}
	text := request.Configuration.Query.Query
	j := &job{id: request.JobReference.JobID, location: location, sent: request, texts: billed.Split(text), done: make(chan struct{}), stopped: make(chan struct{})}
	if len([]rune(text)) > textMax {
		return s.refuse(r, http.StatusBadRequest, failure{"invalid", "The query is too large. The maximum standard SQL query length is 1024.00K characters, including comments and white space characters."})
	}
	for _, part := range j.texts {
		if why := s.unfiltered(r, part); why != "" {
			return s.refuse(r, http.StatusBadRequest, failure{"invalidQuery", why})
		}
	}
	if request.Configuration.DryRun {
		return s.dry(r, j)
	}
	s.mu.Lock()
	_, taken := s.jobs[j.id]
	if !taken {
		s.jobs[j.id] = j
	}
	s.mu.Unlock()
	if taken {
		return s.refuse(r, http.StatusConflict, failure{"duplicate", "Already Exists: Job demo:" + location + "." + j.id})
	}
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.Body = io.NopCloser(bytes.NewReader(content))
	go s.run(again, j)
	return answered(r, http.StatusOK, j.state(map[string]any{"state": "RUNNING"}, nil)), nil
}

// state is a job as the service shows it.
func (j *job) state(status, statistics map[string]any) []byte {
	return encoded(map[string]any{
		"kind": "bigquery#job", "id": j.id, "jobReference": map[string]any{"projectId": j.sent.JobReference.ProjectID, "jobId": j.id, "location": j.location},
		"configuration": map[string]any{"jobType": "QUERY", "labels": j.sent.Configuration.Labels, "query": map[string]any{"query": j.sent.Configuration.Query.Query}},
		"status":        status, "statistics": statistics,
	})
}

func (j *job) failed(f failure) []byte {
	why := map[string]any{"reason": f.reason, "message": f.message}
	return j.state(map[string]any{"state": "DONE", "errorResult": why, "errors": []any{why}}, nil)
}

// run takes a job to its end.
func (s *Strict) run(r *http.Request, j *job) {
	answer := s.ran(r, j)
	s.mu.Lock()
	j.answer = answer
	s.mu.Unlock()
	close(j.done)
}

func (s *Strict) ran(r *http.Request, j *job) []byte {
	billed := s.model(r, j)
	total := int64(0)
	for _, b := range billed {
		total += b.Bytes
	}
	if most := j.sent.Configuration.Query.MaximumBytesBilled; most != "" {
		var limit int64
		if _, err := fmt.Sscan(most, &limit); err == nil && limit > 0 && total > limit {
			return s.fail(j, failure{"bytesBilledLimitExceeded", fmt.Sprintf("Query exceeded limit for bytes billed: %d. %d or higher required.", limit, total)})
		}
	}
	leave, why := s.enter(j)
	if why != nil {
		return s.fail(j, *why)
	}
	defer leave()
	if s.Takes != nil && !slept(j, s.Takes(j.sent.Configuration.Query.Query)) {
		return j.failed(failure{"stopped", "Job execution was cancelled: User requested cancellation"})
	}
	if begins.MatchString(j.texts[0]) {
		if answer, failed := s.forward(r, j, true, total); failed { // so that nothing of it stays
			return answer
		}
	}
	answer, failed := s.forward(r, j, false, total)
	if !failed {
		s.mu.Lock()
		s.statements = append(s.statements, billed...)
		s.mu.Unlock()
	}
	return answer
}

// slept waits, unless the job is cancelled meanwhile.
func slept(j *job, d time.Duration) bool {
	select {
	case <-j.stopped:
		return false
	case <-time.After(d):
		return true
	}
}

// enter waits for the tables that a job changes, as the service does, and says
// where that can't be.
func (s *Strict) enter(j *job) (leave func(), why *failure) {
	targets := map[string]bool{}
	for _, text := range j.texts {
		if name := billed.Mutates(text); name != "" {
			targets[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(targets))
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(names) == 0:
		return func() {}, nil
	case begins.MatchString(j.texts[0]):
		for _, name := range names {
			if t := s.table(name); t.script != "" || t.running > 0 {
				return nil, &failure{"invalidQuery", "Transaction is aborted due to concurrent update against table demo:" + name + ". Transaction ID: " + j.id}
			}
		}
		for _, name := range names {
			s.table(name).script = j.id
		}
	default:
		t := s.table(names[0])
		if t.running+t.waiting >= runningMax+queuedMax {
			return nil, &failure{"resourcesExceeded", fmt.Sprintf("Resources exceeded during query execution: Too many DML statements outstanding against table demo:%s, limit is %d.", names[0], queuedMax)}
		}
		t.waiting++
		for t.script != "" || t.running >= runningMax {
			s.turn.Wait()
		}
		t.waiting--
		t.running++
	}
	return func() { s.left(j, names) }, nil
}

func (s *Strict) left(j *job, names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if t := s.table(name); t.script == j.id {
			t.script = ""
		} else {
			t.running--
		}
	}
	s.turn.Broadcast()
}

// table is what is known of a table; the caller holds mu.
func (s *Strict) table(name string) *table {
	if s.tables[name] == nil {
		s.tables[name] = &table{}
	}
	return s.tables[name]
}

// forward lets Next run a job. What the emulator says of a wrong statement is said
// in the service's words.
func (s *Strict) forward(r *http.Request, j *job, dry bool, total int64) (answer []byte, failed bool) {
	lost := func(err error) ([]byte, bool) {
		return j.failed(failure{"backendError", "the emulator gave no answer: " + err.Error()}), true
	}
	content, err := body(r)
	if err != nil {
		return lost(err)
	}
	request := r.Clone(r.Context())
	if dry {
		var all map[string]any
		if err := json.Unmarshal(content, &all); err != nil {
			return lost(err)
		}
		if configuration, is := all["configuration"].(map[string]any); is {
			configuration["dryRun"] = true
		}
		content = encoded(all)
	}
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	response, err := s.Next.RoundTrip(request)
	if err != nil {
		return lost(err)
	}
	defer func() { _ = response.Body.Close() }()
	given, err := io.ReadAll(response.Body)
	if err != nil {
		return lost(err)
	}
	var all map[string]any
	if err := json.Unmarshal(given, &all); err != nil || response.StatusCode != http.StatusOK {
		return lost(fmt.Errorf("%s %.500s", response.Status, given))
	}
	status, _ := all["status"].(map[string]any)
	if errored, is := status["errorResult"].(map[string]any); is {
		plain(errored)
		list, _ := status["errors"].([]any)
		for _, e := range list {
			if e, is := e.(map[string]any); is {
				plain(e)
			}
		}
		failed = true
	}
	statistics, _ := all["statistics"].(map[string]any)
	if statistics == nil {
		statistics = map[string]any{}
	}
	statistics["totalBytesProcessed"] = fmt.Sprint(total)
	of, _ := statistics["query"].(map[string]any)
	if of == nil {
		of = map[string]any{}
	}
	of["totalBytesBilled"], of["totalBytesProcessed"] = fmt.Sprint(total), fmt.Sprint(total)
	statistics["query"] = of
	return j.state(status, statistics), failed
}

// plain gives an error of the emulator the service's reason: the emulator has one
// for all.
func plain(e map[string]any) {
	if e["reason"] == "jobInternalError" {
		e["reason"] = "invalidQuery"
	}
}

// asked answers a question for a job, when it is done or after a while.
func (s *Strict) asked(r *http.Request, id string) (*http.Response, error) {
	s.mu.Lock()
	j := s.jobs[id]
	s.mu.Unlock()
	if j == nil {
		return s.Next.RoundTrip(r)
	}
	if at := r.URL.Query().Get("location"); at != "" && !strings.EqualFold(at, j.location) {
		return refused(r, http.StatusNotFound, failure{"notFound", "Not found: Job demo:" + id}), nil
	}
	select {
	case <-j.done:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(answerTimeout):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.answer == nil {
		return answered(r, http.StatusOK, j.state(map[string]any{"state": "RUNNING"}, nil)), nil
	}
	return answered(r, http.StatusOK, j.answer), nil
}

func (s *Strict) cancel(r *http.Request, id string) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancelled = append(s.cancelled, id)
	if j := s.jobs[id]; j != nil && !slices.Contains(s.cancelled[:len(s.cancelled)-1], id) {
		close(j.stopped)
	}
	return answered(r, http.StatusOK, []byte(`{"kind": "bigquery#jobCancelResponse"}`)), nil
}

// rows gives rows of a job that is done, as many as one answer may have.
func (s *Strict) rows(r *http.Request, id string) (*http.Response, error) {
	response, err := s.Next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	most := s.ResponseMax
	if most == 0 {
		most = responseMax
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.jobs[id]; j != nil && r.URL.Query().Get("maxResults") != "0" {
		if j.read += int64(len(content)); j.read > most {
			f := failure{"responseTooLarge", "Response too large to return. Consider specifying a destination table in your job configuration."}
			s.refusals = append(s.refusals, f.message)
			return refused(r, http.StatusForbidden, f), nil
		}
	}
	return answered(r, response.StatusCode, content), nil
}

// learn notes what a table that is made or changed looks like.
func (s *Strict) learn(r *http.Request) (*http.Response, error) {
	content, err := body(r)
	if err != nil {
		return nil, err
	}
	_, after, _ := strings.Cut(r.URL.Path, "/datasets/")
	dataset, name, _ := strings.Cut(after, "/tables")
	var m shape
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, err
	}
	name = strings.TrimPrefix(name, "/")
	if name == "" {
		name = m.TableReference.TableID
	}
	response, err := s.Next.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusOK {
		s.mu.Lock()
		m.into(s.table(dataset + "." + name))
		s.mu.Unlock()
	}
	return response, err
}

// shape is a table as requests and answers show it.
type shape struct {
	TableReference         struct{ TableID string }
	Schema                 struct{ Fields []struct{ Name, Type string } }
	TimePartitioning       struct{ Field string }
	RequirePartitionFilter bool
	View                   struct{ Query string }
	NumRows                string
}

func (m shape) into(t *table) {
	if len(m.Schema.Fields) > 0 {
		t.Columns, t.known = nil, true
		for _, f := range m.Schema.Fields {
			t.Columns = append(t.Columns, record.Column{Name: f.Name, Type: fieldTypes[f.Type]})
		}
	}
	if m.TimePartitioning.Field != "" {
		t.Partition, t.Required = m.TimePartitioning.Field, m.RequirePartitionFilter
	}
	if m.View.Query != "" {
		t.View = m.View.Query
	}
}

// dry answers what a query would be billed for. Next says whether it is right, and
// its columns.
func (s *Strict) dry(r *http.Request, j *job) (*http.Response, error) {
	total := int64(0)
	for _, b := range s.model(r, j) {
		total += b.Bytes
	}
	content, failed := s.forward(r, j, true, total)
	if failed {
		var all struct {
			Status struct {
				ErrorResult struct{ Reason, Message string }
			}
		}
		_ = json.Unmarshal(content, &all) // it is ours
		return refused(r, http.StatusBadRequest, failure{all.Status.ErrorResult.Reason, all.Status.ErrorResult.Message}), nil
	}
	columns, err := s.columns(r, j.texts[0])
	if err != nil || columns == nil {
		return answered(r, http.StatusOK, content), err
	}
	var all map[string]any
	if err := json.Unmarshal(content, &all); err != nil {
		return nil, err
	}
	if statistics, is := all["statistics"].(map[string]any); is {
		if of, is := statistics["query"].(map[string]any); is {
			of["schema"] = columns
		}
	}
	return answered(r, http.StatusOK, encoded(all)), nil
}

// ask asks Next for the rows of a select.
func (s *Strict) ask(r *http.Request, text string) (map[string]any, error) {
	base, _, _ := strings.Cut(r.URL.Path, "/jobs")
	base, _, _ = strings.Cut(base, "/queries")
	request := r.Clone(context.WithoutCancel(r.Context()))
	request.Method, request.URL.Path, request.URL.RawQuery = http.MethodPost, base+"/queries", ""
	content := encoded(map[string]any{"query": text, "useLegacySql": false, "location": s.location()})
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	response, err := s.Next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var all map[string]any
	err = json.NewDecoder(response.Body).Decode(&all)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("ask the emulator: %v", all)
	}
	return all, err
}

// columns are those of a select; nil of other statements.
func (s *Strict) columns(r *http.Request, text string) (any, error) {
	if kind, _ := billed.KindOf(text); kind != "select" {
		return nil, nil
	}
	all, err := s.ask(r, "select * from (\n"+text+"\n) limit 0")
	if err != nil {
		return nil, err
	}
	return all["schema"], nil
}

// model is what each statement of a job reads.
func (s *Strict) model(r *http.Request, j *job) (all []billed.Statement) {
	run := j.sent.Configuration.Labels["run"]
	for _, text := range j.texts {
		if b, reads := s.books(r, run).Statement(text); reads {
			b.Run = run
			all = append(all, b)
		}
	}
	return all
}

// books are what statements of a run are held against.
func (s *Strict) books(r *http.Request, run string) billed.Books {
	return billed.Books{
		Table: func(name string) billed.Table { return s.known(r, name).Table },
		Called: func(name string) (string, bool) {
			_, name, _ = strings.Cut(name, ".")
			rest, work := strings.CutPrefix(name, "work_"+run+"_")
			if work {
				_, name, _ = strings.Cut(rest, "_")
			}
			return name, work
		},
		Sizes: s.declared(),
	}
}

func (s *Strict) declared() map[string]billed.Size {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.sizes)
}

// table is what is known of a table.
type table struct {
	billed.Table      // its columns are texts, dates and so on as fieldTypes say
	known        bool // columns were learnt

	running, waiting int    // single statements that change its rows
	script           string // job that changes its rows in a transaction
}

// fieldTypes are the types of columns by the service's names.
var fieldTypes = map[string]record.Type{
	"STRING": record.Text, "INTEGER": record.Int, "INT64": record.Int, "BOOLEAN": record.Bool, "BOOL": record.Bool,
	"TIMESTAMP": record.Time, "DATE": record.Date, "BIGNUMERIC": record.USD, "NUMERIC": record.USD,
	"BYTES": record.ID,
}

// known is a copy of what is known of a table. What this server has not seen made
// is asked for.
func (s *Strict) known(r *http.Request, name string) table {
	s.mu.Lock()
	t := *s.table(name)
	s.mu.Unlock()
	if !t.known && t.View == "" {
		base, _, _ := strings.Cut(r.URL.Path, "/jobs")
		dataset, id, _ := strings.Cut(name, ".")
		request := r.Clone(context.WithoutCancel(r.Context()))
		request.Method, request.URL.Path, request.URL.RawQuery, request.Body, request.ContentLength = http.MethodGet, base+"/datasets/"+dataset+"/tables/"+id, "", nil, 0
		var m shape
		if response, err := s.Next.RoundTrip(request); err == nil {
			_ = json.NewDecoder(response.Body).Decode(&m) // what it isn't stays unknown
			_ = response.Body.Close()
		}
		m.into(&t)
		s.mu.Lock()
		m.into(s.table(name))
		s.mu.Unlock()
	}
	if s.Count && t.View == "" {
		t.Size = s.counted(r, name, t.Partition)
	}
	return t
}

// counted is how large a table is, by its rows. Its days are taken to be alike.
func (s *Strict) counted(r *http.Request, name, partition string) (size billed.Size) {
	dataset, id, _ := strings.Cut(name, ".")
	_, after, _ := strings.Cut(r.URL.Path, "/projects/")
	project, _, _ := strings.Cut(after, "/")
	first, last := "''", "''"
	if partition != "" {
		first, last = "ifnull(cast(min("+partition+") as string), '')", "ifnull(cast(max("+partition+") as string), '')"
	}
	all, err := s.ask(r, "select count(*), "+first+", "+last+" from `"+project+"`.`"+dataset+"`.`"+id+"`")
	if err != nil {
		return size
	}
	var texts []string
	rows, _ := all["rows"].([]any)
	for _, row := range rows {
		cells, _ := row.(map[string]any)["f"].([]any)
		for _, cell := range cells {
			text, _ := cell.(map[string]any)["v"].(string)
			texts = append(texts, text)
		}
	}
	if len(texts) != 3 {
		return size
	}
	_, _ = fmt.Sscan(texts[0], &size.Rows) // 0 where it is none
	if partition != "" && texts[1] != "" {
		size.First, _ = civil.ParseDate(texts[1])
		size.Last, _ = civil.ParseDate(texts[2])
		size.Rows = max(1, size.Rows/int64(size.Last.DaysSince(size.First)+1))
	}
	return size
}

// unfiltered says which partitioned table a statement reads without constants
// about its days; "" where it reads none so.
func (s *Strict) unfiltered(r *http.Request, text string) string {
	read, is := s.books(r, "").Unfiltered(text)
	if !is {
		return ""
	}
	return "Cannot query over table '" + read.Table + "' without a filter over column(s) '" + read.Partition + "' that can be used for partition elimination"
}
