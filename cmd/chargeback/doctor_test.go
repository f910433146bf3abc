package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"chargeback/cmd/chargeback/app"
	"chargeback/config"
)

// Goal: what is set at Google's and loses or hides the ledger is told before a run.
// Method: a server that knows one dataset; the doctor asks of it what decides.
func TestDoctorLooksAtTheDataset(t *testing.T) {
	tests := []struct{ name, dataset, want string }{
		{"no dataset yet", "", "ok: dataset: books is not there yet; the first run makes it in EU"},
		{"all is well", `"location": "EU"`, "ok: dataset: books lies in EU, and nothing expires by its defaults"},
		{"another place", `"location": "US"`, "FAIL: dataset: the dataset lies in US and the settings say EU: jobs would not find it; set the location to US"},
		{"tables expire", `"location": "EU", "defaultTableExpirationMs": "5184000000"`, "FAIL: dataset: by the dataset's default, tables expire after 1440h"},
		{"partitions expire", `"location": "EU", "defaultPartitionExpirationMs": "5184000000"`, "FAIL: dataset: by the dataset's default, partitions expire after 1440h"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tt.dataset == "" || !strings.HasSuffix(r.URL.Path, "/projects/demo/datasets/books") {
					http.Error(w, `{"error": {"code": 404, "message": "Not found", "errors": [{"reason": "notFound"}]}}`, http.StatusNotFound)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"id": "demo:books", "datasetReference": {"projectId": "demo", "datasetId": "books"}, %s}`, tt.dataset)
			}))
			defer server.Close()
			var out bytes.Buffer
			w := world{out: &out, err: &out, now: func() time.Time { return scriptClock }, getenv: func(string) string { return "" }, columns: 100}
			c := &config.Config{Warehouse: config.Warehouse{Engine: config.EngineBigQuery, Project: "demo", Dataset: "books", Location: "EU", Endpoint: server.URL}}
			p := &patient{App: app.New(app.Settings{Config: c}, w.options()), config: c, w: w}
			p.checkFacts(t.Context())
			if !strings.HasPrefix(out.String(), tt.want) || strings.Count(out.String(), "\n") != 1 {
				t.Errorf("the doctor says %q, want %q", out.String(), tt.want)
			}
			if fails := strings.HasPrefix(tt.want, "FAIL"); fails != (p.wrong == 1) || p.checks != 1 {
				t.Errorf("%d of %d checks are wrong", p.wrong, p.checks)
			}
		})
	}
}
