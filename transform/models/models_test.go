package models_test

import (
	"slices"
	"strings"
	"testing"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/models"
)

// Goal: models run in the order of their numbers, each fed only by what comes
// before it, and each says what it promises.
// Method: read all texts and headers; a header names the tables and models that the
// markers of its text do.
func TestAll(t *testing.T) {
	all, err := models.All()
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]bool{}
	for _, m := range all {
		header, _, _ := strings.Cut(m.Text, "\n-- Kept as: ")
		for _, part := range []string{"-- One row is ", "\n-- Promises: ", "\n-- Fed by: "} {
			if !strings.Contains(header, part) {
				t.Errorf("%s: its header lacks %q", m.Name, part)
			}
		}
		named := warehouse.Named(m.Text)
		for _, later := range all {
			if !before[later.Name] && slices.Contains(named, later.Name) {
				t.Errorf("%s reads %s, which comes later", m.Name, later.Name)
			}
		}
		if fed, read := fedBy(t, header), slices.Sorted(slices.Values(named)); !slices.Equal(fed, read) {
			t.Errorf("%s is fed by %v, its header says, and reads %v", m.Name, fed, read)
		}
		if before[m.Name] {
			t.Errorf("%s occurs twice", m.Name)
		}
		if strings.Contains(m.Text, "-- Empty unless: ") != (m.Unless != "") || m.Unless != "" && (!m.AsTable || len(m.Columns) == 0 || m.Unless[0] != '@' && !before[m.Unless]) {
			t.Errorf("%s is empty unless %q, a table of columns %v", m.Name, m.Unless, m.Columns)
		}
		before[m.Name] = true
	}
	if len(all) == 0 {
		t.Error("there are no models")
	}
}

// fedBy are the names that a header says feed the model.
func fedBy(t *testing.T, header string) []string {
	t.Helper()
	_, text, _ := strings.Cut(header, "-- Fed by: ")
	text = strings.TrimSuffix(strings.ReplaceAll(text, "\n--", ""), ".")
	text, chained := strings.CutSuffix(text, ", and what decides who pays (see payers_of)")
	names := strings.Split(text, ", ")
	if chained {
		chain, err := models.PayersOf(names[0])
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, warehouse.Named(chain)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ofNoCharge are columns of requests that decide neither who pays nor how much:
// where two rows of an attempt differ in these alone they are no conflict.
var ofNoCharge = map[string]bool{
	"agent_request_key": true, "provider_request_key": true, "response_key": true, "client_ref_key": true, "trace_key": true, "end_user": true,
	"started_at": true, "ended_at": true, "reported_pico_usd": true, "completeness": true, "record_key": true, "request_date": true,
}

// Goal: rows that differ in what decides a charge are told apart.
func TestDedupeComparesAllColumns(t *testing.T) {
	all, err := models.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		schema := map[string]*record.Schema{"usage_repeats": record.UsageSchema, "request_repeats": record.RequestSchema}[m.Name]
		if schema == nil {
			continue
		}
		_, compared, _ := strings.Cut(m.Text, "select distinct\n")
		compared, _, _ = strings.Cut(compared, "  from ")
		var want strings.Builder
		if m.Name == "request_repeats" {
			want.WriteString("    record_key,\n    request_date,\n    attempt,\n")
		}
		for i, c := range schema.Columns {
			text := i > 0 && schema.Columns[i-1].Type == record.ID // its key says the same
			if c.Name != "object_id" && c.Name != "line" && !text && (m.Name == "usage_repeats" || !ofNoCharge[c.Name]) {
				want.WriteString("    " + c.Name + ",\n")
			}
		}
		if compared != strings.TrimSuffix(want.String(), ",\n")+"\n" {
			t.Errorf("%s compares\n%s, want\n%s", m.Name, compared, want.String())
		}
	}
}

// Goal: a ruling's id tells its states, as the texts that take it apart rely on.
// Method: every ruling, its last digit by the number that texts have for its words.
func TestRulings(t *testing.T) {
	states, seen := models.States(), map[int64]bool{}
	words := map[string]string{
		"none": "by_nobody", "explicit cost centre": "by_cost_center", "user": "by_user", "agent owner": "by_agent", "key owner": "by_key",
		"team owner": "by_team", "project owner": "by_project", "caller owner": "by_caller",
	}
	for _, r := range models.Rulings() {
		if seen[r.ID] {
			t.Errorf("two rulings have the id %d", r.ID)
		}
		seen[r.ID] = true
		if payer := r.ID % int64(states["states"].(int)); payer != int64(states[words[r.Attribution]].(int)) || payer >= int64(states["by_last"].(int)) {
			t.Errorf("ruling %d says who pays by %d, which is not %s", r.ID, payer, r.Attribution)
		}
	}
	if len(seen) == 0 {
		t.Error("there are no rulings")
	}
}
