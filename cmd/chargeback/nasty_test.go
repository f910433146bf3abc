package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// nasty is one kind of trouble that real inputs have, with what becomes of it.
// Each kind has a person of its own, NAME@example.com, and a folder NAME in each
// source that it needs, so that a report by user and the lists of rejects tell.
type nasty struct {
	name, rule string
	files      map[string]string // below data
	counted    string            // of the person: requests, input tokens, output tokens, LLM cost, held; "" where nothing is
	rejects    []string          // kind, source, line and reason of what was not charged
}

// served is a line of the gateway's log, 1,000 tokens in and 100 out at
// 2026-10-31 08:00 UTC, with some members set otherwise. nil takes one away. It
// went to a region that Bedrock's log doesn't cover, so that its own counts are
// charged where no usage has its id.
func served(name, id string, set map[string]any) string {
	line := map[string]any{
		"id": "chatcmpl-" + id, "litellm_call_id": id, "status": "success", "custom_llm_provider": "bedrock", "model": "bedrock/amazon.nova-pro-v1:0",
		"startTime": 1793433600.0, "prompt_tokens": 1000, "completion_tokens": 100, "messages": []any{}, "api_base": "https://bedrock-runtime.eu-west-1.amazonaws.com",
		"metadata": map[string]any{"user_api_key_user_email": name + "@example.com"},
	}
	maps.Copy(line, set)
	maps.DeleteFunc(line, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(line)
	if err != nil {
		panic(err) // of the test's own values
	}
	return string(text)
}

// metered is a line of Bedrock's log.
func metered(id string, set map[string]any) string {
	line := map[string]any{
		"schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-10-31T08:00:01Z", "accountId": "111122223333", "region": "us-east-1",
		"requestId": id, "operation": "Converse", "modelId": "amazon.nova-pro-v1:0",
		"input": map[string]any{"inputTokenCount": 2000}, "output": map[string]any{"outputTokenCount": 300},
	}
	maps.Copy(line, set)
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// zipped is a gzip file with a member for each part.
func zipped(parts ...string) string {
	var file bytes.Buffer
	for _, part := range parts {
		w := gzip.NewWriter(&file)
		_, _ = w.Write([]byte(part)) // to memory
		_ = w.Close()
	}
	return file.String()
}

func header(id string) map[string]any {
	return map[string]any{"hidden_params": map[string]any{"additional_headers": map[string]any{"llm_provider-x-amzn-requestid": id}}}
}

func nastyInputs() []nasty {
	pretty := func(line string) string {
		var out bytes.Buffer
		_ = json.Indent(&out, []byte(line), "", "  ")
		return out.String()
	}
	span := func(id, kind, operation string) string {
		return `{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"` + id + `","kind":` + kind + `,"name":"x","startTimeUnixNano":"1793433600000000000","endTimeUnixNano":"1793433601000000000","attributes":[` +
			`{"key":"gen_ai.operation.name","value":{"stringValue":"` + operation + `"}},{"key":"gen_ai.provider.name","value":{"stringValue":"aws.bedrock"}},{"key":"gen_ai.request.model","value":{"stringValue":"amazon.nova-pro-v1:0"}},` +
			`{"key":"server.address","value":{"stringValue":"bedrock-runtime.eu-west-1.amazonaws.com"}},{"key":"user.email","value":{"stringValue":"triple@example.com"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1000"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"100"}}]}`
	}
	const first, again = "2026-10-31/first.json", "2026-10-31/again.json"
	at := func(source, name, file string) string { return source + "/" + name + "/" + file }
	lite := func(name string, files ...string) map[string]string { // file, text, file, text
		all := map[string]string{}
		for pair := range slices.Chunk(files, 2) {
			all[at("litellm", name, pair[0])] = pair[1]
		}
		return all
	}
	with := func(all map[string]string, more map[string]string) map[string]string {
		maps.Copy(all, more)
		return all
	}
	return []nasty{
		{"packed", "what is packed is told by content, not by name; a gzip may have several members",
			lite("packed", "members.json", zipped(served("packed", "p1", nil)+"\n", served("packed", "p2", nil)), "plain.json.gz", served("packed", "p3", nil)),
			"3,3000,300,0.00336,0", nil},
		{"framed", "lines with CRLF, without a last one, with blank ones; pretty, in an array, concatenated; behind a BOM; U+2028 in a string",
			lite("framed",
				"crlf.json", served("framed", "f1", nil)+"\r\n\r\n"+served("framed", "f2", nil),
				"pretty.json", pretty(served("framed", "f3", nil)),
				"array.json", "["+served("framed", "f4", nil)+",\n"+served("framed", "f5", nil)+"]",
				"concatenated.json", served("framed", "f6", nil)+served("framed", "f7", nil),
				"bom.json", "\ufeff"+served("framed", "f8", nil)+"\n",
				"separator.json", strings.Replace(served("framed", "f9", nil), `"messages":[]`, `"messages":["a`+"\u2028"+`b"]`, 1)),
			"9,9000,900,0.01008,0", nil},
		{"broken", "a broken line, or a last one that is cut, costs itself alone and is named with its place",
			lite("broken",
				"cut.json", served("broken", "b1", nil)+"\n"+served("broken", "b2", nil)[:90],
				"middle.json", served("broken", "b3", nil)+"\n{\"id\": oops}\n"+served("broken", "b4", nil)),
			"3,3000,300,0.00336,0",
			[]string{"record gateway cut.json 2 ends inside a JSON value", "record gateway middle.json 2 broken JSON at byte 7: expected a value"}},
		{"no-data", "what lies beside the data is passed over",
			map[string]string{
				"bedrock/no-data/data/0f_input.json.gz": zipped(`{"messages":[]}`), "bedrock/no-data/amazon-bedrock-logs-permission-check": "x",
				"bedrock/no-data/manifests/m.json": `{"a":1}`, "litellm/no-data/_SUCCESS": "", "litellm/no-data/DEPRECATION_NOTICE.txt": "This path moves.", "litellm/no-data/audit_logs/a.json": `{"id":"1","action":"created"}`,
			}, "", nil},
		{"long", "lines of any length",
			lite("long", first, served("long", "l1", map[string]any{"messages": strings.Repeat("many words ", 7_000)})+"\n"+served("long", "l2", map[string]any{"messages": strings.Repeat("many words ", 300_000)})),
			"2,2000,200,0.00224,0", nil},
		{"binary", "an encoding that isn't read fails the object and is named",
			map[string]string{"spans/binary/proto.json": "\x0a\x9f\x01\x0a\x1d\x0a\x1b\x0a\x0cservice.name\x12\x0b\x0a\x09something"},
			"", []string{"object spans proto.json  object: is OTLP in its binary encoding; set the exporter's marshaler to otlp_json (awss3) or its format to json (file), and deliver it again"}},
		{"copied", "the same content under two names counts once", lite("copied", first, served("copied", "c1", nil), again, served("copied", "c1", nil)), "1,1000,100,0.00112,0", nil},
		{"dated", "seconds with fractions, text with and without a zone; the folder's date does not count; the billing zone decides the month, and what is of the next one waits for the log of its provider",
			lite("dated",
				"2026-10-30/a.json", served("dated", "d1", map[string]any{"startTime": 1793433600.25})+"\n"+served("dated", "d2", map[string]any{"startTime": "2026-10-31T10:00:00.1234567+02:00"}),
				"2026-11-01/b.json", served("dated", "d3", map[string]any{"startTime": "2026-11-01 03:30:00"})+"\n"+served("dated", "d4", map[string]any{"startTime": "2026-11-01T04:30:00Z"})),
			"3,3000,300,0.00336,0", []string{"held gateway b.json 2 no usage yet; it may still come"}},
		{"twice", "exact repeats count once; of a partial and a final version the final one counts",
			lite("twice", first, served("twice", "t1", map[string]any{"prompt_tokens": 0, "completion_tokens": 0})+"\n"+served("twice", "t1", nil)+"\n"+served("twice", "t2", nil), again, served("twice", "t2", nil)),
			"2,2000,200,0.00224,0", nil},
		{"retried", "attempts that the provider billed under ids of their own are all charged to the one request",
			with(lite("retried", first, served("retried", "r-call-1", nil)), map[string]string{at("bedrock", "retried", first): metered("aaaaaaaa-0000-4000-8000-000000000001", map[string]any{"requestMetadata": map[string]any{"litellm_call_id": "r-call-1"}}) + "\n" +
				metered("aaaaaaaa-0000-4000-8000-000000000002", map[string]any{"requestMetadata": map[string]any{"litellm_call_id": "r-call-1"}})}),
			"2,4000,600,0.00512,0", nil},
		{"given-up", "a client that gave up is charged what the provider served; a stream that looks free by its log, too",
			with(lite("given-up", first, served("given-up", "g1", merged(header("aaaaaaaa-0000-4000-8000-000000000003"), map[string]any{"status": "failure", "prompt_tokens": 0, "completion_tokens": 0}))+"\n"+
				served("given-up", "g2", merged(header("aaaaaaaa-0000-4000-8000-000000000004"), map[string]any{"prompt_tokens": 0, "completion_tokens": 0}))),
				map[string]string{at("bedrock", "given-up", first): metered("aaaaaaaa-0000-4000-8000-000000000003", nil) + "\n" + metered("aaaaaaaa-0000-4000-8000-000000000004", nil)}),
			"2,4000,600,0.00512,0", nil},
		{"cached", "a hit of the gateway's cache is a request of its own that costs no tokens, though its id is the first one's with a suffix",
			lite("cached", first, served("cached", "h1", nil)+"\n"+served("cached", "h2", map[string]any{"id": "chatcmpl-h1_cache_hit1793433600.1", "cache_hit": true})),
			"2,2000,200,0.00112,0", nil},
		{"triple", "a request told by its span, its agent's span and metrics counts once",
			map[string]string{at("spans", "triple", first): `{"resourceSpans":[{"scopeSpans":[{"spans":[` + span("eee19b7ec3c1b171", "3", "chat") + "," + span("eee19b7ec3c1b172", "1", "invoke_agent") + `]}]}]}` + "\n" +
				`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"gen_ai.client.token.usage","histogram":{"dataPoints":[{"count":"1","sum":1000}]}}]}]}]}`},
			"1,1000,100,0.00112,0", nil},
		{"nameless", "words that stand for no id match nothing; ids match in any case",
			with(lite("nameless", first, served("nameless", "n1", header("NA"))+"\n"+served("nameless", "n2", header("00000000-0000-0000-0000-000000000000"))+"\n"+served("nameless", "n3", header("AAAAAAAA-0000-4000-8000-00000000000F"))),
				map[string]string{at("bedrock", "nameless", first): metered("aaaaaaaa-0000-4000-8000-00000000000f", nil)}),
			"3,4000,500,0.0048,0", nil},
		{"inclusive", "a gateway's prompt holds what the cache gave; it is priced as such",
			lite("inclusive", first, served("inclusive", "i1", map[string]any{"response": map[string]any{"usage": map[string]any{"prompt_tokens_details": map[string]any{"cached_tokens": 400}}}})),
			"1,1000,100,0.00088,0", nil},
		{"odd-counts", "counts as text and 3.0 are counts, null is none; below zero, with a fraction or too large is a reject by its field",
			lite("odd-counts", first, served("odd-counts", "o1", map[string]any{"prompt_tokens": "1000", "completion_tokens": "3.0"})+"\n"+
				served("odd-counts", "o2", map[string]any{"prompt_tokens": -1})+"\n"+served("odd-counts", "o3", map[string]any{"prompt_tokens": 1.5})+"\n"+
				strings.Replace(served("odd-counts", "o4", nil), `"prompt_tokens":1000`, `"prompt_tokens":9223372036854775808`, 1)),
			"1,1000,3,0.0008096,0",
			[]string{"record gateway first.json 2 prompt_tokens: is negative", "record gateway first.json 3 prompt_tokens: is not a whole number", "record gateway first.json 4 prompt_tokens: is larger than 100,000,000"}},
		{"unpriced", "a model without a price is held with its tokens, and never free",
			lite("unpriced", first, served("unpriced", "u1", map[string]any{"model": "bedrock/arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/x1"})+"\n"+served("unpriced", "u2", nil)),
			"2,2000,200,0.00112,1", []string{"held gateway first.json 1 the model is not in the rate book"}},
		{"repriced", "each request has the price of its own time",
			lite("repriced", first, served("repriced", "q1", map[string]any{"model": "bedrock/amazon.nova-lite-v1:0", "startTime": "2026-10-31T11:59:59.999Z"})+"\n"+served("repriced", "q2", map[string]any{"model": "bedrock/amazon.nova-lite-v1:0", "startTime": "2026-10-31T12:00:00Z"})),
			"2,2000,200,0.0034,0", nil},
		{"Case.Variant", "addresses are the same in any case and with blanks around them", lite("Case.Variant", first, served("CASE.variant", "v1", map[string]any{"metadata": map[string]any{"user_api_key_user_email": " CASE.Variant@Example.COM "}})), "1,1000,100,0.00112,0", nil},
	}
}

func merged(all ...map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

// Goal: each kind of trouble that real inputs have comes out as stated, in one
// company that has them all, in one night.
func TestNastyInputs(t *testing.T) {
	dir := t.TempDir()
	cases := nastyInputs()
	people := "email,department,cost_center,valid_from,valid_to\n"
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range cases {
		people += c.name + "@example.com,Support,00420,2026-01-01,\n"
		for name, text := range c.files {
			write(filepath.Join("data", name), text)
		}
	}
	write("people.csv", people)
	write("directory.yaml", "cost_centers:\n  - {code: \"00420\", name: Customer Support, department: Support}\n  - {code: CC-9000, name: AI Platform, department: Platform}\n")
	write("prices.yaml", `prices:
  - {provider: bedrock, model: "amazon.nova-pro-v1:0", from: 2026-01-01T00:00:00Z, usd_per_million: {input: "0.80", output: "3.20", cache_read: "0.20"}, source: made up for a test}
  - {provider: bedrock, model: "amazon.nova-lite-v1:0", from: 2026-01-01T00:00:00Z, to: 2026-10-31T12:00:00Z, usd_per_million: {input: "1", output: "2"}, source: made up for a test}
  - {provider: bedrock, model: "amazon.nova-lite-v1:0", from: 2026-10-31T12:00:00Z, usd_per_million: {input: "2", output: "2"}, source: made up for a test}
`)
	write("chargeback.yaml", `company: {name: Example Corp, billing_zone: America/New_York, start: 2026-10-30}
warehouse: {path: ledger.duckdb, memory_limit: 200MB}
sources:
  - {name: gateway, format: litellm, url: "file:data/litellm"}
  - {name: bedrock, format: bedrock, url: "file:data/bedrock"}
  - {name: spans, format: otlp, url: "file:data/spans"}
  - {name: people, format: people, url: "file:people.csv"}
directory: directory.yaml
prices: prices.yaml
late_days: 1
close_day: 2
`)
	chargeback := func(args ...string) string {
		t.Helper()
		var out, told bytes.Buffer
		w := world{out: &out, err: &told, now: func() time.Time { return scriptClock }, getenv: func(string) string { return "" }, columns: 200, program: "chargeback"}
		code := run(context.Background(), w, append([]string{"--config", filepath.Join(dir, "chargeback.yaml")}, args...))
		if code != exitOK && code != exitLook {
			t.Fatalf("chargeback %s exits with %d: %s%s", strings.Join(args, " "), code, &out, &told)
		}
		return out.String()
	}
	chargeback("run", "nightly")
	chargeback("rejects", "--export", filepath.Join(dir, "rejects.csv"))
	text, err := os.ReadFile(filepath.Join(dir, "rejects.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rejects, users := rowsOf(t, string(text)), rowsOf(t, chargeback("report", "users", "--month", "2026-10", "--limit", "0", "--format", "csv"))
	named := 0
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			for _, u := range users {
				if u["user_id"] == strings.ToLower(c.name)+"@example.com" {
					named++
					got = strings.Join([]string{u["requests"], u["input_tokens"], u["output_tokens"], u["llm_cost_usd"], u["held"]}, ",")
				}
			}
			if got != c.counted {
				t.Errorf("counts %q, want %q: %s", got, c.counted, c.rule)
			}
			var refused []string
			for _, r := range rejects {
				if folder, _, _ := strings.Cut(r["object"], "/"); folder == c.name {
					refused = append(refused, strings.Join([]string{r["kind"], r["source"], filepath.Base(r["object"]), r["line"], r["reason"]}, " "))
				}
			}
			if !slices.Equal(refused, c.rejects) {
				t.Errorf("not charged:\n%s\nwant:\n%s\n%s", strings.Join(refused, "\n"), strings.Join(c.rejects, "\n"), c.rule)
			}
		})
	}
	if named != len(users) {
		t.Errorf("%d of %d people are of a case", named, len(users))
	}
}

func rowsOf(t *testing.T, text string) []map[string]string {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatalf("%v in %s", err, text)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}
