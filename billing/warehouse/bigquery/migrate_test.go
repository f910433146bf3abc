package bigquery_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/extract/record"
)

// Goal: tables are made as the service wants them, never expire, and grow.
// Method: look at what is sent: the emulator takes partitions, clusters and a
// wider schema, and does nothing with them.
func TestTablesAsTheyAreSent(t *testing.T) {
	clustered := facts
	clustered.Cluster = []string{"id"}
	books := warehouse.Layout{Version: 1, Tables: []warehouse.Table{clustered, numbers}}
	dataset := facing{http.DefaultTransport, map[string]string{"books": `{"location": "US", "defaultPartitionExpirationMs": "86400000"}`, "scratch": ""}}
	sent := &recorder{next: dataset}
	o := options(endpointOf(t), sent)
	o.WorkDataset = "scratch"
	s := open(t, o)
	if err := s.Migrate(t.Context(), books); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{
		{"POST", "/datasets/books/tables ", `"tableId":"facts"`, `"requirePartitionFilter":true`, `"timePartitioning":{"field":"day"`, `"clustering":{"fields":["id"]}`, `"labels":{"component":"chargeback"}`,
			`"description":"what things cost"`, `"name":"total","precision":"38","scale":"12","type":"BIGNUMERIC"`, `"mode":"REQUIRED","name":"day","type":"DATE"`},
		{"PATCH", "/datasets/books/tables/facts ", `"expirationTime":null`, `"expirationMs":null`},
		{"PATCH", "/datasets/books/tables/numbers ", `"expirationTime":null`},
		{"POST", "/projects/demo/datasets ", `"datasetId":"scratch"`, `"maxTimeTravelHours":"48"`, `"defaultTableExpirationMs":"172800000"`},
		{"insert into `demo`.`books`.`layout` (version) select 1"},
	} {
		if found := sent.with(want...); len(found) != 1 {
			t.Errorf("sent %d times: %q", len(found), want)
		}
	}
	if last := sent.sent[len(sent.sent)-1]; !strings.Contains(last, "`layout` (version)") && !strings.Contains(last, "GET") {
		t.Errorf("the version is not written last, but %s", last)
	}
	dataset.meta["books"], dataset.meta["scratch"] = `{"location": "US"}`, `{"location": "US"}`
	sent.sent = nil
	if err := s.Migrate(t.Context(), books); err != nil {
		t.Fatal(err)
	}
	if len(sent.with("PATCH"))+len(sent.with("POST", "/tables")) > 0 {
		t.Errorf("a ledger that is as it should be is changed: %q", sent.sent)
	}
	wider := numbers
	wider.Columns = append(wider.Columns[:1:1], record.Column{Name: "note", Type: record.Text}, record.Column{Name: "seen", Type: record.Time, Nullable: true})
	clustered.Cluster = []string{"day", "id"}
	if err := s.Migrate(t.Context(), warehouse.Layout{Version: 2, Tables: []warehouse.Table{clustered, wider}}); err != nil {
		t.Fatal(err)
	}
	patch := sent.with("PATCH", "/tables/numbers")
	again := sent.with("PATCH", "/tables/facts", `{"clustering":{"fields":["day","id"]}}`)
	if len(patch) != 1 || len(again) != 1 || len(sent.with("PATCH")) != 2 {
		t.Fatalf("sent %q", sent.with("PATCH"))
	}
	_, body, _ := strings.Cut(patch[0], " {")
	var change struct {
		Schema struct{ Fields []map[string]any }
	}
	if err := json.Unmarshal([]byte("{"+body), &change); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range change.Schema.Fields {
		mode, _ := f["mode"].(string)
		name, _ := f["name"].(string)
		got = append(got, strings.TrimSpace(mode+" "+name))
	}
	if diff := cmp.Diff([]string{"REQUIRED id", "note", "seen"}, got); diff != "" {
		t.Errorf("columns as they are sent (-want +got)\n%s", diff)
	}
	narrower := numbers
	narrower.Columns = []record.Column{{Name: "id", Type: record.Text}}
	if err := s.Migrate(t.Context(), warehouse.Layout{Version: 3, Tables: []warehouse.Table{clustered, narrower}}); err == nil || !strings.Contains(err.Error(), "column id is INTEGER in the ledger") {
		t.Errorf("a column of another type: %v", err)
	}
}

// Goal: views are described column by column, and made again when their text or
// their words change, and only then.
func TestViewsAsTheyAreSent(t *testing.T) {
	sent := &recorder{next: http.DefaultTransport}
	s := open(t, options(endpointOf(t), sent))
	view := warehouse.View{Name: "sums", About: "what days cost", Text: "select f.day, {total_usd(f.total)} as total from {facts} as f group by f.day",
		Columns: []record.Column{{Name: "day", Type: record.Date, About: "in the billing zone"}, {Name: "total", Type: record.USD, About: "of all that was charged"}}}
	books := warehouse.Layout{Version: 1, Tables: []warehouse.Table{facts}, Views: []warehouse.View{view}}
	for _, step := range []struct {
		name   string
		change func()
		posts  int
		texts  int
		words  int
	}{
		{"new", func() {}, 1, 1, 1},
		{"as before", func() {}, 0, 0, 0},
		{"other words", func() { books.Views[0].Columns[0].About = "UTC" }, 0, 1, 1},
		{"another text", func() { books.Views[0].Text += ", f.id" }, 0, 1, 1},
	} {
		step.change()
		sent.sent = nil
		if err := s.Migrate(t.Context(), books); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		posts, texts, words := sent.with("POST", `"tableId":"sums"`), sent.with(`"view":{"query":"select f.day, ifnull(sum(f.total)`), sent.with("PATCH", "/tables/sums", `"description":"`+books.Views[0].Columns[0].About+`"`, "(text ")
		if len(posts) != step.posts || len(texts) != step.texts || len(words) != step.words {
			t.Errorf("%s: %d made, %d texts, %d words; sent %.2000q", step.name, len(posts), len(texts), len(words), sent.with("sums"))
		}
	}
}

// Goal: a process that may make nothing is told what is missing: a ledger, its
// present version, or the process's own.
func TestExisting(t *testing.T) {
	endpoint, strict := endpointOf(t), bqtest.NewStrict(http.DefaultTransport)
	existing := func(version int) error {
		o := options(endpoint, strict)
		o.Existing = true
		l := layout
		l.Version = version
		return open(t, o).Migrate(t.Context(), l)
	}
	if err := existing(1); !errors.Is(err, warehouse.ErrNone) {
		t.Errorf("no ledger: %v", err)
	}
	// A process that was killed leaves a part of the tables and no version.
	l := layout
	l.Tables = l.Tables[:1]
	l.Version = 0
	if err := open(t, options(endpoint, strict)).Migrate(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if err := existing(1); !errors.Is(err, warehouse.ErrOutdated) {
		t.Errorf("a part of a ledger: %v", err)
	}
	migrated(t, open(t, options(endpoint, strict)))
	for version, want := range map[int]error{1: nil, 2: warehouse.ErrOutdated, 0: warehouse.ErrNewer} {
		if err := existing(version); !errors.Is(err, want) {
			t.Errorf("a program of version %d: %v, want %v", version, err, want)
		}
	}
	l.Version = 0
	if err := open(t, options(endpoint, strict)).Migrate(t.Context(), l); !errors.Is(err, warehouse.ErrNewer) {
		t.Errorf("an owner of an earlier version: %v", err)
	}
}
