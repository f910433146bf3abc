package decode

import (
	"fmt"
	"slices"
	"strings"
	"testing"

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
	want := Counts{Rows: 4, Rejected: 2, BeforeStart: 1, Dates: []int64{daysFromCivil(2026, 10, 31), daysFromCivil(2026, 11, 1), daysFromCivil(2026, 11, 2)}}
	if diff := cmp.Diff(want, l.counts); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(l.rows) != 4 || len(l.rejects) != 2 {
		t.Errorf("%d rows, rejects %v", len(l.rows), l.rejects)
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

// Goal: decoding costs no allocation a record once the first are read.
func TestDecodersDoNotAllocatePerRecord(t *testing.T) {
	const records = 1000
	lines := map[Format]func(int) string{
		bedrock(t): func(i int) string { return bedrockLine(fmt.Sprintf("r%d", i), "2026-10-31T12:00:00Z") },
		litellm(t): func(i int) string {
			return fmt.Sprintf(`{"id":"chatcmpl-%d","status":"success","custom_llm_provider":"openai","model":"gpt-4o","startTime":1793487580.847,"endTime":"2026-10-31 22:59:41.5","response_cost":2.25e-05,"prompt_tokens":10,"completion_tokens":2,"metadata":{"user_api_key_user_id":"user017@example.com","spend_logs_metadata":{"agent_id":"support-bot","tool_calls":%s}},"hidden_params":{"additional_headers":{"llm_provider-x-request-id":"req_%d"}}}`,
				i, []string{"2", `["sql","web_search"]`, `{"sql":3}`, "null"}[i%4], i)
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
				sink.Begin(Origin{ID: 1})
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
