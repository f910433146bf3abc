package decode

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/extract/record"
)

func TestStripCacheHit(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"a hit", "chatcmpl-1_cache_hit1793487580.85", "chatcmpl-1"},
		{"whole seconds", "msg_1_cache_hit1793487580", "msg_1"},
		{"no hit", "chatcmpl-1", "chatcmpl-1"},
		{"no number", "chatcmpl-1_cache_hit", "chatcmpl-1_cache_hit"},
		{"something else behind", "my_cache_hits", "my_cache_hits"},
		{"twice", "a_cache_hit1_cache_hit2.5", "a_cache_hit1"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(stripCacheHit([]byte(tt.in))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Goal: a response id is dropped only where the gateway made it of the call id.
func TestOwnResponseIDsAreDropped(t *testing.T) {
	tests := []struct{ name, id, callID, want string }{
		{"the call id", "c0ffee11", "c0ffee11", null},
		{"the call id behind a prefix", "chatcmpl-c0ffee11", "c0ffee11", null},
		{"a provider's id that happens to end alike", "msg_01c0ffee11", "c0ffee11", "msg_01c0ffee11"},
		{"a short call id of the client", "msg_011", "1", "msg_011"},
		{"a provider's id", "msg_01", "c0ffee11", "msg_01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := load(berlin(t), litellm(t), strings.NewReader(fmt.Sprintf(`{"id":%q,"litellm_call_id":%q,"status":"success","startTime":1793487580}`, tt.id, tt.callID)))
			if len(l.rows) != 1 || l.rows[0]["response_id"] != tt.want {
				t.Errorf("got %v, rejects %v", l.rows, l.rejects)
			}
		})
	}
}

// Goal: the list of known tool mixes stays small whatever gateways write.
func TestToolReaderRemembersLittle(t *testing.T) {
	var r toolReader
	for i := range 2 * mixesMax {
		v := value(t, fmt.Sprintf(`["tool_%d"]`, i))
		mix, err := r.read(v)
		if want := fmt.Sprintf("tool_%d:1", i); err != nil || string(mix.text) != want || mix.calls != 1 {
			t.Fatalf("got %q, %d, %v; want %q", mix.text, mix.calls, err, want)
		}
	}
	long := value(t, `["`+strings.Repeat(" ", mixBytesMax)+`"]`)
	if _, err := r.read(long); err == nil || len(r.known) != mixesMax {
		t.Errorf("error %v, %d remembered", err, len(r.known))
	}
}

func TestFormatsRefuseUnusablePaths(t *testing.T) {
	if _, err := NewBedrock(BedrockOptions{ClientRef: []string{""}}); err == nil {
		t.Error("bedrock: an empty metadata key is taken")
	}
	_, err := NewLiteLLM(RequestOptions{AgentID: []string{"metadata..agent"}})
	if err == nil || !strings.Contains(err.Error(), `path "metadata..agent": empty key`) {
		t.Errorf("litellm: got %v", err)
	}
	if _, err := NewPortkey(PortkeyOptions{Team: []string{""}}); err == nil {
		t.Error("portkey: an empty metadata key is taken")
	}
	if _, err := NewOpenRouter(OpenRouterOptions{Team: []string{"metadata."}}); err == nil {
		t.Error("openrouter: an empty key is taken")
	}
	if _, err := NewLangfuse(LangfuseOptions{Team: []string{"model_parameters.team"}}); err == nil || !strings.Contains(err.Error(), `path "model_parameters.team": is neither a column nor below metadata`) {
		t.Errorf("langfuse: got %v", err)
	}
}

// Goal: a path that the config names and the format reads itself is one field.
func TestPathsMayCoincide(t *testing.T) {
	f, err := NewLiteLLM(RequestOptions{CostCenter: []string{"metadata.user_api_key_team_id"}, ClientRef: []string{"trace_id"}})
	if err != nil {
		t.Fatal(err)
	}
	l := load(berlin(t), f, strings.NewReader(`{"id":"a","trace_id":"t","status":"success","startTime":1793487580,"metadata":{"user_api_key_team_id":"CC-1001"}}`))
	if len(l.rows) != 1 || l.rows[0]["cost_center"] != "CC-1001" || l.rows[0]["team"] != "CC-1001" || l.rows[0]["client_ref"] != "t" || l.rows[0]["trace_id"] != "t" {
		t.Errorf("got %v, rejects %v", l.rows, l.rejects)
	}
}

// Goal: metadata keys may hold dots, as they are keys and no paths.
func TestMetadataKeysWithDots(t *testing.T) {
	f, err := NewBedrock(BedrockOptions{CostCenter: []string{"cost.center"}})
	if err != nil {
		t.Fatal(err)
	}
	l := load(berlin(t), f, strings.NewReader(`{"schemaType":"ModelInvocationLog","requestId":"r","modelId":"m","requestMetadata":{"cost.center":"00420"},"timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":1}}`))
	if len(l.rows) != 1 || l.rows[0]["cost_center"] != "00420" {
		t.Errorf("got %v, rejects %v", l.rows, l.rejects)
	}
}

func bedrockLine(requestID, timestamp string) string {
	return fmt.Sprintf(`{"schemaType":"ModelInvocationLog","requestId":%q,"modelId":"m","timestamp":%q,"input":{"inputTokenCount":1},"output":{"outputTokenCount":1}}`, requestID, timestamp)
}

// Goal: every record of an object is counted once, as a row, a reject or older
// than the start, and the dates are those of the rows.
func TestSinkCounts(t *testing.T) {
	text := strings.Join([]string{
		bedrockLine("a", "2026-10-31T12:00:00Z"), bedrockLine("b", "2026-11-01T12:00:00Z"), bedrockLine("c", "2024-10-31T12:00:00Z"),
		"{}", bedrockLine("d", "2026-10-31T13:00:00Z"), bedrockLine("e", "2026-11-02T12:00:00Z"), "{",
	}, "\n")
	l := load(berlin(t), bedrock(t), strings.NewReader(text))
	slices.Sort(l.counts.Dates)
	want := Counts{Rows: 4, Rejected: 2, BeforeStart: 1, Dates: []int64{daysFromCivil(2026, 10, 31), daysFromCivil(2026, 11, 1), daysFromCivil(2026, 11, 2)}, First: daysFromCivil(2026, 10, 31), Last: daysFromCivil(2026, 11, 2)}
	if diff := cmp.Diff(want, l.counts); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(l.rows) != 4 || len(l.rejects) != 2 {
		t.Errorf("%d rows, rejects %v", len(l.rows), l.rejects)
	}
}

// Goal: object and line tell any two rows apart, and a row's line is where its
// record starts as far as lines can tell.
func TestRowsHaveLinesOfTheirOwn(t *testing.T) {
	line := func(id string) string { return bedrockLine(id, "2026-10-31T12:00:00Z") }
	tests := []struct {
		name, text string
		want       []string
	}{
		{"one a line", line("a") + "\n\n" + line("b") + "\n" + line("c"), []string{"1", "3", "4"}},
		{"all on one line", line("a") + line("b") + line("c"), []string{"1", "2", "3"}},
		{"array on one line", "[" + line("a") + "," + line("b") + "]", []string{"1", "2"}},
		{"two on the first line", line("a") + line("b") + "\n" + line("c") + "\n\n" + line("d"), []string{"1", "2", "3", "4"}},
		{"a reject takes none", line("a") + "{}" + line("b"), []string{"1", "2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, row := range load(berlin(t), bedrock(t), strings.NewReader(tt.text)).rows {
				got = append(got, row["line"])
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Goal: a column of JSON text is read whole also where the record is so long
// that it is squeezed.
func TestLongRecordsKeepTextColumns(t *testing.T) {
	filler := strings.Repeat("x", 20<<10)
	text := `{"messages":"` + strings.Repeat("Which form? ", 40<<10) + `","request_id":"a","startTime":1793487580,"metadata":"{\"note\":\"` + filler + `\",\"user_api_key_alias\":\"k\",\"usage_object\":{\"prompt_tokens_details\":{\"cached_tokens\":7}}}","prompt_tokens":10,"completion_tokens":1}`
	l := load(berlin(t), litellm(t), strings.NewReader(text))
	if len(l.rows) != 1 || l.rows[0]["key_alias"] != "k" || l.rows[0]["cache_read_tokens"] != "7" {
		t.Errorf("got %v, rejects %v, error %v", l.rows, l.rejects, l.err)
	}
}

// Goal: batches are handed on full, and what is left at the end; objects keep
// their own counts.
func TestSinkBatches(t *testing.T) {
	env := berlin(t)
	var sizes []int
	sink := NewSink(env, record.UsageSchema, func(b *record.Batch) *record.Batch {
		if b != nil {
			sizes = append(sizes, b.Rows)
		}
		return record.NewBatch(record.UsageSchema)
	})
	decoder := bedrock(t).Decoder(env)
	text := strings.Repeat(bedrockLine("a", "2026-10-31T12:00:00Z")+"\n", record.BatchRows+3)
	for object := range int64(2) {
		sink.Begin(Origin{ID: object})
		if err := decoder.Decode(strings.NewReader(text), sink); err != nil {
			t.Fatal(err)
		}
		if counts, _ := sink.End(); counts.Rows != record.BatchRows+3 || len(counts.Dates) != 1 {
			t.Errorf("object %d: %+v", object, counts)
		}
	}
	sink.Flush()
	sink.Flush() // nothing is left
	if diff := cmp.Diff([]int{record.BatchRows, record.BatchRows, 6}, sizes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Goal: a record has the same key wherever and however it was read, and
// nothing but its natural key is in it.
func TestRecordKey(t *testing.T) {
	first := bedrockLine("a", "2026-10-31T12:00:00Z")
	key := func(text string) string {
		l := load(berlin(t), bedrock(t), strings.NewReader(text))
		return l.rows[len(l.rows)-1]["record_key"]
	}
	for name, same := range map[string]string{
		"another line":  "\n\n" + first,
		"another count": strings.Replace(first, `"inputTokenCount":1`, `"inputTokenCount":2`, 1),
	} {
		if key(same) != key(first) {
			t.Errorf("%s must not change the key", name)
		}
	}
	if key(strings.Replace(first, `"requestId":"a"`, `"requestId":"b"`, 1)) == key(first) {
		t.Error("the request id must change the key")
	}
}

// Goal: a record is the same row whether Bedrock wrote it to S3 or CloudWatch
// brought it, its answer an object or text.
func TestBedrockThroughCloudWatchIsTheSame(t *testing.T) {
	body := `{"id":"msg_1","usage":{"cache_creation":{"ephemeral_1h_input_tokens":4}}}`
	record := func(body string) string {
		return `{"schemaType":"ModelInvocationLog","requestId":"r","accountId":"111122223333","region":"us-east-1","modelId":"m","timestamp":"2026-10-31T12:00:00Z","input":{"inputTokenCount":1,"cacheWriteInputTokenCount":9},"output":{"outputTokenCount":1,"outputBodyJson":` + body + `}}`
	}
	text := strconv.Quote(record(strconv.Quote(body)))
	want := load(berlin(t), bedrock(t), strings.NewReader(record(body))).rows
	for name, wrapped := range map[string]string{
		"an envelope":              `{"messageType":"DATA_MESSAGE","logEvents":[{"message":` + text + `}]}`,
		"an export":                "2026-10-31T12:00:01.000Z " + record(strconv.Quote(body)),
		"an answer of the API":     `{"events":[{"message":` + text + `}]}`,
		"a row of Logs Insights":   `{"@timestamp":"2026-10-31 12:00:00.000","@message":` + text + `}`,
		"a row whose text is read": `{"@message":` + record(body) + `}`,
		"a message":                `{"message":` + text + `}`,
	} {
		l := load(berlin(t), bedrock(t), strings.NewReader(wrapped))
		if diff := cmp.Diff(want, l.rows); diff != "" || len(l.rejects) > 0 {
			t.Errorf("%s: rejects %v (-want +got)\n%s", name, l.rejects, diff)
		}
	}
}

// Goal: what is written twice for one request has one key, whatever wrote it.
func TestRepeatedRequestsHaveOneKey(t *testing.T) {
	tests := []struct {
		name   string
		format Format
		text   string
		keys   int
	}{
		{"litellm, sync and async callback", litellm(t), `{"id":"a","litellm_call_id":"c","status":"success","startTime":1793487580}` + `{"id":"a","litellm_call_id":"c","status":"success","startTime":1793487580,"response_time":2}`, 1},
		{"litellm, S3 logger and spend log", litellm(t), `{"id":"a","litellm_call_id":"c","status":"success","startTime":1793487580}` + `{"request_id":"a","status":"success","startTime":1793487580,"metadata":"{\"litellm_call_id\":\"c\"}"}`, 1},
		{"litellm, an answer and its cache hits", litellm(t), `{"request_id":"a","status":"success","startTime":1793487580}` + `{"request_id":"a_cache_hit1793487581.5","cache_hit":"True","status":"success","startTime":1793487581}` + `{"request_id":"a_cache_hit1793487582.5","cache_hit":"True","status":"success","startTime":1793487582}`, 3},
	}
	tests = append(tests, []struct {
		name   string
		format Format
		text   string
		keys   int
	}{
		{"portkey, log store and export", portkey(t), `{"_id":"a","created_at":"2026-10-31T22:59:40Z"}` + `{"id":"a","created_at":"2026-10-31T22:59:40Z"}`, 1},
		{"openrouter, a trace delivered twice", openrouter(t), strings.Repeat(`{"id":"t","observations":[{"id":"o","startTime":"2026-10-31T22:59:40Z"}]}`, 2), 1},
		{"openrouter, observations of one trace", openrouter(t), `{"id":"t","observations":[{"id":"o","startTime":"2026-10-31T22:59:40Z"},{"id":"p","startTime":"2026-10-31T22:59:40Z"},{"startTime":"2026-10-31T22:59:40Z"},{"startTime":"2026-10-31T22:59:41Z"}]}`, 4},
		{"langfuse, windows that share their bounds", langfuse(t), strings.Repeat(`{"id":"o","project_id":"p","type":"GENERATION","start_time":"2026-10-31T22:59:40Z"}`, 2), 1},
		{"langfuse, two names of the columns", langfuse(t), `{"id":"o","project_id":"p","type":"GENERATION","start_time":"2026-10-31T22:59:40Z"}` + `{"id":"o","projectId":"p","type":"GENERATION","startTime":"2026-10-31T22:59:40Z"}`, 1},
		{"langfuse, two projects", langfuse(t), `{"id":"o","project_id":"p","type":"GENERATION","start_time":"2026-10-31T22:59:40Z"}` + `{"id":"o","project_id":"q","type":"GENERATION","start_time":"2026-10-31T22:59:40Z"}`, 2},
	}...)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := load(berlin(t), tt.format, strings.NewReader(tt.text))
			keys := map[string]bool{}
			for _, row := range l.rows {
				keys[row["record_key"]] = true
			}
			if len(keys) != tt.keys || len(l.rejects) > 0 || l.err != nil {
				t.Errorf("%d keys, want %d; rejects %v, error %v", len(keys), tt.keys, l.rejects, l.err)
			}
		})
	}
}

// Goal: decoding costs no allocation a record once the first are read.
func TestDecodersDoNotAllocatePerRecord(t *testing.T) {
	const records = 1000
	lines := map[Format]func(int) string{
		bedrock(t): func(i int) string { return bedrockLine(fmt.Sprintf("r%d", i), "2026-10-31T12:00:00Z") },
		bedrock(t): func(i int) string { // an answer as an object, as text, and as the events of a stream
			body := `{"id":"msg_1","usage":{"cacheDetails":[{"ttl":"5m","inputTokens":3},{"ttl":"1h","inputTokens":4}]},"serviceTier":{"type":"flex"}}`
			switch i % 3 {
			case 1:
				body = strconv.Quote(body)
			case 2:
				body = `[{"message":{"id":"msg_2"}},{"usage":{"server_tool_use":{"web_search_requests":1}}},"[DONE]"]`
			}
			return fmt.Sprintf(`{"schemaType":"ModelInvocationLog","requestId":"r%d","modelId":"m","timestamp":"2026-10-31T12:00:00Z","input":{"inputTokenCount":1,"cacheWriteInputTokenCount":9},"output":{"outputTokenCount":1,"outputBodyJson":%s}}`, i, body)
		},
		bedrock(t): func(i int) string { // in CloudWatch's envelope
			return `{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":1793487580000,"message":` + strconv.Quote(bedrockLine(fmt.Sprintf("r%d", i), "2026-10-31T12:00:00Z")) + `}]}`
		},
		bedrock(t): func(i int) string { // behind the time of an export
			return "2026-10-31T12:00:00.120Z " + bedrockLine(fmt.Sprintf("r%d", i), "2026-10-31T12:00:00Z")
		},
		must(NewVertex(labels()))(t): func(i int) string {
			return fmt.Sprintf(`{"endpoint":"projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro","logging_time":"2026-10-31T22:59:43.248Z","request_id":"1%06d","model":"publishers/google/models/gemini-2.5-pro","full_request":{"labels":{"team":"search"}},"full_response":{"response_id":"a-%d","usage_metadata":{"prompt_token_count":40,"candidates_token_count":30,"thoughts_token_count":500,"prompt_tokens_details":[{"modality":"TEXT","token_count":40}]}}}`, i, i)
		},
		bedrockBatch(t, batchOptions()): func(i int) string {
			return fmt.Sprintf(`{"recordId":"CALL%07d","modelInput":{"metadata":{"user_id":"u%d"}},"modelOutput":{"id":"msg_1","usage":{"input_tokens":10,"output_tokens":2}}}`, i, i)
		},
		openaiBatch(t, BatchOptions{}): func(i int) string {
			return fmt.Sprintf(`{"id":"batch_req_%d","custom_id":"t%d","response":{"status_code":200,"request_id":"req_%d","body":{"id":"resp_%d","created_at":1793570380,"model":"gpt-5","output":[{"type":"web_search_call"}],"usage":{"input_tokens":10,"output_tokens":2}}}}`, i, i, i, i)
		},
		anthropicBatch(t, BatchOptions{}): func(i int) string {
			return fmt.Sprintf(`{"custom_id":"t%d","result":{"type":"succeeded","message":{"id":"msg_%d","model":"claude-sonnet-4-5","usage":{"input_tokens":10,"output_tokens":2,"server_tool_use":{"code_execution_requests":1},"iterations":[{"type":"compaction","input_tokens":90,"output_tokens":7},{"type":"message","input_tokens":10,"output_tokens":2}]}}}}`, i, i)
		},
		litellm(t): func(i int) string {
			return fmt.Sprintf(`{"id":"chatcmpl-%d","status":"success","custom_llm_provider":"OpenAI","api_base":"https://eu.api.openai.com/v1","model":"gpt-4o","startTime":1793487580.847,"endTime":"2026-10-31 22:59:41.5","response_cost":2.25e-05,"prompt_tokens":10,"completion_tokens":2,"metadata":{"user_api_key_user_id":"user017@example.com","spend_logs_metadata":{"agent_id":"support-bot","tool_calls":%s}},"hidden_params":{"additional_headers":{"llm_provider-x-request-id":"req_%d"}}}`,
				i, []string{"2", `["sql","web_search"]`, `{"sql":3}`, "null"}[i%4], i)
		},
		portkey(t): func(i int) string {
			return fmt.Sprintf(`{"_id":"log-%d","request":{"portkeyHeaders":{"x-portkey-metadata":"{\"cc\":\"00420\"}"}},"response":{"status":200,"headers":{"X-Request-Id":"req_%d"},"body":{"model":"gpt-4o","usage":{"prompt_tokens":10,"completion_tokens":2}}},"metrics":{"created_at":"2026-10-31 22:59:40.847","metadata.key":["_user"],"metadata.value":["user017@example.com"]}}`, i, i)
		},
		openrouter(t): func(i int) string {
			return fmt.Sprintf(`{"id":"gen-%d","userId":"user017@example.com","observations":[{"id":"gen-%d","type":"GENERATION","model":"m","startTime":"2026-10-31T22:59:40Z","promptTokens":10,"completionTokens":2,"totalCost":0.1,"metadata":{"cost_center":"00420"}}]}`, i, i)
		},
		langfuse(t): func(i int) string {
			return fmt.Sprintf(`{"id":"o-%d","project_id":"p","type":"GENERATION","start_time":"2026-10-31 22:59:40","metadata":"{\"cost_center\":\"00420\"}","usage_details":{"input":"10","output":"2"},"total_cost":0.1,"user_id":"user017@example.com"}`, i)
		},
		must(NewMapped(mappedJSON(t)))(t): func(i int) string { // with all that a map can do
			return fmt.Sprintf(`{"id":"w-%d","timestamp":"10/31/2026 5:59:40 PM","kind":"llm","model":"GPT 4o mini","productName":"AI-Retail","status":200,"usage":{"prompt":200,"tools":"150","answer":8,"thoughts":12},"cost":"Included","tools":["sql"],"metadata":"{\"user\":\"user021@example.com\"}"}`, i)
		},
		otlp(t, AgentSide): func(i int) string {
			tools := []string{`{"intValue":"2"}`, `{"arrayValue":{"values":[{"stringValue":"sql"},{"stringValue":"web_search"}]}}`, `{"stringValue":"{\"sql\":3}"}`, `{"stringValue":""}`}[i%4]
			return otlpText(fmt.Sprintf(`"kind":3,"traceId":"5B8EFFF798038103D269%012X","spanId":"7uGbfsPBsXQ="`, i),
				`,{"key":"gen_ai.provider.name","value":{"stringValue":"aws.bedrock"}},{"key":"user.email","value":{"stringValue":"user017@example.com"}},{"key":"app.tools","value":`+tools+`}`)
		},
		otlp(t, ProviderSide): func(i int) string {
			return otlpText(fmt.Sprintf(`"kind":2,"traceId":"5b8efff798038103d269%012x","spanId":"eee19b7ec3c1b174"`, i), "")
		},
	}
	for format, line := range lines {
		t.Run(format.Name(), func(t *testing.T) {
			var text strings.Builder
			for i := range records {
				text.WriteString(line(i) + "\n")
			}
			env := berlin(t)
			batch := record.NewBatch(format.Schema())
			sink := NewSink(env, format.Schema(), func(*record.Batch) *record.Batch {
				batch.Reset()
				return batch
			})
			decoder := format.Decoder(env)
			allocations := testing.AllocsPerRun(3, func() {
				sink.Begin(Origin{ID: 1, Key: keyOf(format), Modified: time.Date(2026, time.November, 2, 3, 4, 5, 0, time.UTC)})
				if err := decoder.Decode(strings.NewReader(text.String()), sink); err != nil {
					t.Error(err)
				}
				if counts, rejects := sink.End(); counts.Rows != records {
					t.Errorf("%d rows, rejects %v", counts.Rows, rejects)
				}
			})
			if allocations > records/20 {
				t.Errorf("%v allocations for %d records", allocations, records)
			}
		})
	}
}
