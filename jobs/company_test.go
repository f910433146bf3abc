package jobs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chargeback/transform/civil"
)

// The books of the small company begin so late in a month that its close takes
// seven nights, not thirty-four.
const (
	firstDay  = "2026-10-28"
	lastDay   = "2026-10-31"
	lateDay   = "2026-11-03" // last night that October waits for
	october   = "2026-10"
	ownModel  = "example.small-v1:0"
	account   = "123456789012"
	bedrockAt = "data/bedrock/AWSLogs/" + account + "/BedrockModelInvocationLogs/eu-central-1/"
)

const companyYAML = `
company: {name: Example Corp, billing_zone: Europe/Berlin, start: 2026-10-28}
warehouse: {engine: duckdb, path: ledger.duckdb}
sources:
  - {name: bedrock, format: bedrock, url: "file:data/bedrock", silent_after_days: 0}
  - {name: gateway, format: litellm, url: "file:data/litellm", silent_after_days: 0}
  - {name: people, format: people, url: "file:people.csv"}
prices: prices.yaml
usage_from: {bedrock: provider, openai: gateway}
late_days: 3
close_day: 5
budgets:
  - {name: support, department: Support, amount_usd: "0.02"}
  - {name: product, cost_center: "CC-1001", amount_usd: "0.05"}
shared_costs:
  - {name: Gateway hosting, amount_usd: "10.00", split: proportional}
invoices:
  issuer: {name: AI Platform, cost_center: CC-9000, contact: ai-platform@example.com, approver: Head of AI Platform}
  recovery_account: "690100"
  expense_account: "613500"
unallocated_limit_usd: "0.01"
`

const companyIssuer = `  - {code: CC-9000, name: AI Platform, department: Platform, mode: showback, owner: ai-platform@example.com, company_code: "1000"}
`

const companyDirectory = `
cost_centers:
  - {code: "00420", name: Customer Support, department: Support, mode: chargeback, owner: support-lead@example.com, company_code: "1000"}
  - {code: CC-1001, name: Product, department: Engineering, mode: chargeback, owner: product-lead@example.com, company_code: "1000"}
  - {code: CC-5001, name: People Team, department: People, mode: showback, owner: people-lead@example.com, company_code: "1000"}
` + companyIssuer + `agents:
  - {id: helper, name: Helper, kind: shared}
  - {id: nightly-job, name: Nightly Job, kind: background, owner: CC-1001}
`

const companyPrices = `
prices:
  - {provider: bedrock, model: "example.small-v1:0", from: 2026-01-01T00:00:00Z, usd_per_million: {input: "1.00", output: "5.00"}, source: test}
  - {provider: openai, model: other-small, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "2.00", cache_read: "0.20", output: "8.00"}, source: test}
fees:
  - {from: 2026-01-01T00:00:00Z, infra_per_request_usd: "0.0001", infra_per_cache_hit_usd: "0.00002", tools: {web_search: "0.01", "*": "0.001"}}
`

const companyPeople = `email,department,cost_center,valid_from,valid_to
user001@example.com,Support,00420,2026-01-01,
user002@example.com,Engineering,CC-1001,2026-01-01,
user003@example.com,People,CC-5001,2026-01-01,
`

// company is the folder of the small company: its settings and its logs.
type company struct {
	t      testing.TB
	dir    string
	writes *int
}

func newCompany(t testing.TB) company {
	t.Helper()
	c := company{t: t, dir: t.TempDir(), writes: new(int)}
	for _, file := range [][2]string{{"chargeback.yaml", companyYAML}, {"directory.yaml", companyDirectory}, {"prices.yaml", companyPrices}, {"people.csv", companyPeople}} {
		c.put(file[0], []byte(file[1]))
	}
	for _, folder := range []string{"data/bedrock", "data/litellm"} {
		if err := os.MkdirAll(filepath.Join(c.dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// put writes a file with a time of change that no write before it had, as if
// each write were a minute after the last.
func (c company) put(key string, content []byte) string {
	c.t.Helper()
	*c.writes++
	c.putAt(key, content, time.Date(2026, 11, 20, 0, *c.writes, 0, 0, time.UTC))
	return key
}

func (c company) putAt(key string, content []byte, changed time.Time) {
	c.t.Helper()
	path := filepath.Join(c.dir, filepath.FromSlash(key))
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644), os.Chtimes(path, changed, changed))
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c company) remove(key string) {
	c.t.Helper()
	if err := os.Remove(filepath.Join(c.dir, filepath.FromSlash(key))); err != nil {
		c.t.Fatal(err)
	}
}

// get reads a file with its time of change.
func (c company) get(key string) ([]byte, time.Time) {
	c.t.Helper()
	path := filepath.Join(c.dir, filepath.FromSlash(key))
	content, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		c.t.Fatal(err)
	}
	return content, info.ModTime()
}

// edit replaces text of a settings file, which must be there once.
func (c company) edit(key, old, text string) {
	c.t.Helper()
	content, _ := c.get(key)
	if strings.Count(string(content), old) != 1 {
		c.t.Fatalf("%s holds %q %d times", key, old, strings.Count(string(content), old))
	}
	c.put(key, []byte(strings.Replace(string(content), old, text, 1)))
}

// append adds lines to a settings file.
func (c company) append(key, text string) {
	c.t.Helper()
	content, _ := c.get(key)
	c.put(key, append(content, text...))
}

// usage is one record of the provider. Its time is RFC 3339.
type usage struct {
	id, at, model string
	ref           string // call id in its metadata
	in, out       int
}

func (u usage) line() []byte {
	if u.model == "" {
		u.model = ownModel
	}
	rec := map[string]any{
		"timestamp": u.at, "accountId": account, "region": "eu-central-1", "requestId": u.id, "operation": "Converse", "modelId": u.model,
		"input":    map[string]any{"inputContentType": "application/json", "inputTokenCount": u.in},
		"output":   map[string]any{"outputContentType": "application/json", "outputTokenCount": u.out},
		"identity": map[string]any{"arn": "arn:aws:sts::" + account + ":assumed-role/gateway/1"}, "schemaType": "ModelInvocationLog", "schemaVersion": "1.0",
	}
	if u.ref != "" {
		rec["requestMetadata"] = map[string]any{"litellm_call_id": u.ref}
	}
	return append(jsonOf(rec), '\n')
}

// request is one record of the gateway.
type request struct {
	id, at   string
	usageID  string // the provider's request id in a header
	provider string // "" is bedrock
	email    string
	agent    string
	tools    []string
	in, out  int
	failed   bool
	cacheHit bool
}

// key is where the gateway puts the record: by the time of its start.
func (r request) key() string {
	at := instant(r.at)
	return fmt.Sprintf("data/litellm/%s/time-%s-000000_%s.json", at.Format(time.DateOnly), at.Format("15-04-05"), r.id)
}

func (r request) json() []byte {
	status, model, headers := "success", "bedrock/"+ownModel, map[string]any{}
	if r.failed {
		status = "failure"
	}
	if r.provider == "" {
		r.provider = "bedrock"
	}
	if r.provider != "bedrock" {
		model = "other-small"
	}
	if r.usageID != "" {
		headers["llm_provider-x-amzn-requestid"] = r.usageID
	}
	logs := map[string]any{"agent_id": r.agent}
	if len(r.tools) > 0 {
		logs["tool_calls"] = r.tools
	}
	seconds := fmt.Sprintf("%d.000000", instant(r.at).Unix())
	return jsonOf(map[string]any{
		"id": "chatcmpl-" + r.id, "litellm_call_id": r.id, "call_type": "acompletion", "cache_hit": r.cacheHit, "status": status,
		"custom_llm_provider": r.provider, "startTime": json.Number(seconds), "endTime": json.Number(seconds), "model": model,
		"prompt_tokens": r.in, "completion_tokens": r.out, "total_tokens": r.in + r.out,
		"metadata":      map[string]any{"user_api_key_user_email": r.email, "spend_logs_metadata": logs},
		"hidden_params": map[string]any{"additional_headers": headers},
	})
}

func jsonOf(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // the tests' own values always encode
	}
	return text
}

func instant(s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err) // a test's own constant
	}
	return at.UTC()
}

func zip(content []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(content); err != nil {
		panic(err) // a bytes.Buffer takes every write
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// usageKey is where the provider puts an object that it delivers at an instant.
func usageKey(delivered, name string) string {
	return bedrockAt + instant(delivered).Format("2006/01/02/15/") + name + ".json.gz"
}

// deliver writes an object of the provider.
func (c company) deliver(key string, records ...usage) string {
	c.t.Helper()
	return c.put(key, zip(usageLines(records...)))
}

func usageLines(records ...usage) (text []byte) {
	for _, u := range records {
		text = append(text, u.line()...)
	}
	return text
}

// log writes records of the gateway, an object each.
func (c company) log(records ...request) {
	c.t.Helper()
	for _, r := range records {
		c.put(r.key(), r.json())
	}
}

// call writes one call on both sides, delivered a minute after its start.
func (c company) call(id, at, email string, in, out int) string {
	c.t.Helper()
	c.log(request{id: id, at: at, usageID: "u-" + id, email: email, agent: "helper", in: in, out: out})
	return c.deliver(usageKey(instant(at).Add(time.Minute).Format(time.RFC3339), id), usage{id: "u-" + id, at: at, in: in, out: out})
}

// ordinary writes the traffic of the days from first to last: every person
// asks by day, near both ends of the day, and an answer comes from the cache.
func (c company) ordinary(first, last string) {
	c.t.Helper()
	for d := date(first); !date(last).Before(d); d = d.AddDays(1) {
		for i, at := range []string{"00:00:05", "09:30:00", "14:45:00", "23:58:30"} {
			c.call(fmt.Sprintf("%s-%d", d, i), local(d, at), fmt.Sprintf("user00%d@example.com", i%3+1), 1000*(i+1), 200+d.Day)
		}
		c.log(
			request{id: d.String() + "-hit", at: local(d, "10:00:00"), email: "user001@example.com", agent: "helper", in: 1000, out: 100, cacheHit: true},
			request{id: d.String() + "-job", at: local(d, "02:30:00"), provider: "openai", agent: "nightly-job", in: 3000, out: 500, tools: []string{"web_search"}},
			request{id: d.String() + "-no", at: local(d, "11:00:00"), email: "user002@example.com", agent: "helper", failed: true},
		)
	}
}

// local is a local time of day as RFC 3339 in UTC.
func local(d civil.Date, clock string) string {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err) // config embeds the zones
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05", d.String()+" "+clock, zone)
	if err != nil {
		panic(err) // a test's own constant
	}
	return at.UTC().Format(time.RFC3339)
}
