package bqledger_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/bqledger/bqtest"
)

// recorder is a transport that keeps what was sent about tables.
type recorder struct {
	mu   sync.Mutex
	sent map[string]string // by method and table
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	if _, table, ok := strings.Cut(request.URL.Path, "/tables"); ok && request.Body != nil {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		if table == "" {
			var t struct{ TableReference struct{ TableID string } }
			if err := json.Unmarshal(body, &t); err != nil {
				return nil, err
			}
			table = "/" + t.TableReference.TableID
		}
		r.mu.Lock()
		r.sent[request.Method+" "+table] = string(body)
		r.mu.Unlock()
	}
	return http.DefaultTransport.RoundTrip(request)
}

// Goal: tables are made as the service wants them, and grow.
// Method: look at what is sent: the emulator takes partitions, clusters and a
// wider schema, and does nothing with them.
func TestTablesAsTheyAreSent(t *testing.T) {
	sent := &recorder{sent: map[string]string{}}
	s := open(t, options(bqtest.Start(t, os.Getenv(bqtest.Program)), sent))
	defer func() { _ = s.Close() }()
	if err := s.Migrate(t.Context(), ledger.Tables()); err != nil {
		t.Fatal(err)
	}
	facts := sent.sent["POST /record_facts"]
	for _, want := range []string{
		`"requirePartitionFilter":true`, `"timePartitioning":{"field":"usage_date"`, `"clustering":{"fields":["billing_month","payer_id","task_id","meter_id"]}`,
		`"labels":{"component":"chargeback"}`, `"description":"What each request cost and who owes it`, `"name":"total_cost_usd","precision":"38","scale":"12","type":"BIGNUMERIC"`,
		`"description":"in the billing zone","mode":"REQUIRED","name":"usage_date","type":"DATE"`,
	} {
		if !strings.Contains(facts, want) {
			t.Errorf("record_facts is made without %s:\n%s", want, facts)
		}
	}
	for name := range sent.sent {
		if !strings.HasPrefix(name, "POST ") {
			t.Errorf("a new ledger is changed by %s", name)
		}
	}
	sent.sent = map[string]string{}
	wider := words
	wider.Columns = append(wider.Columns[:1:1], ledger.Column{Name: "note", Type: ledger.Text}, ledger.Column{Name: "seen", Type: ledger.Timestamp, Nullable: true})
	for range 2 {
		if err := s.Migrate(t.Context(), []ledger.Table{words}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Migrate(t.Context(), []ledger.Table{wider}); err != nil {
		t.Fatal(err)
	}
	var change struct {
		Schema struct{ Fields []map[string]any }
	}
	if err := json.Unmarshal([]byte(sent.sent["PATCH /words"]), &change); err != nil {
		t.Fatalf("%v in %q", err, sent.sent)
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
}
