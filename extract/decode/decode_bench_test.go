package decode_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"chargeback/extract/decode"
	"chargeback/extract/record"
)

// benchLines is how many records a benchmark's object has.
const benchLines = 10_000

// BenchmarkBedrock decodes plain NDJSON of metadata-only records.
func BenchmarkBedrock(b *testing.B) {
	format, err := decode.NewBedrock(decode.BedrockOptions{ClientRef: []string{"litellm_call_id"}, CostCenter: []string{"cost_center"}, AgentID: []string{"agent_id"}})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-10-15T%02d:%02d:%02dZ","accountId":"111122223333","identity":{"arn":"arn:aws:sts::111122223333:assumed-role/agent-runtime/session-%d"},"region":"us-east-1","requestId":"da83fbe6-7ad8-4e7a-afe6-%012x","operation":"Converse","modelId":"anthropic.claude-sonnet-4-20250514-v1:0","input":{"inputContentType":"application/json","inputTokenCount":%d,"cacheReadInputTokenCount":120,"cacheWriteInputTokenCount":0},"output":{"outputContentType":"application/json","outputTokenCount":%d},"inferenceRegion":"us-east-1","requestMetadata":{"env":"prod"}}`,
			i/3600%24, i/60%60, i%60, i%1000, i, i%8000, i%1200)
	})
}

// BenchmarkBedrockBodies decodes records with prompts and answers of 8 KB each,
// which are stepped over.
func BenchmarkBedrockBodies(b *testing.B) {
	format, err := decode.NewBedrock(decode.BedrockOptions{})
	if err != nil {
		b.Fatal(err)
	}
	prose := strings.Repeat(`Which \"form\" is {this}? `, 8<<10/24)
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-10-15T12:00:00Z","accountId":"111122223333","identity":{"arn":"arn:aws:sts::111122223333:assumed-role/agent-runtime/session-1"},"region":"us-east-1","requestId":"da83fbe6-7ad8-4e7a-afe6-%012x","operation":"Converse","modelId":"anthropic.claude-sonnet-4-20250514-v1:0","input":{"inputContentType":"application/json","inputBodyJson":{"messages":[{"role":"user","content":[{"text":"%[2]s"}]}]},"inputTokenCount":2000},"output":{"outputContentType":"application/json","outputBodyJson":{"output":{"message":{"role":"assistant","content":[{"text":"%[2]s"}]}},"stopReason":"end_turn"},"outputTokenCount":2000}}`, i, prose)
	})
}

// BenchmarkLiteLLM decodes plain NDJSON of records without messages.
func BenchmarkLiteLLM(b *testing.B) {
	format, err := decode.NewLiteLLM(decode.RequestOptions{
		AgentID:    []string{"metadata.spend_logs_metadata.agent_id", "metadata.requester_metadata.agent_id"},
		ToolCalls:  []string{"metadata.spend_logs_metadata.tool_calls"},
		CostCenter: []string{"metadata.spend_logs_metadata.cost_center", "metadata.requester_metadata.cost_center"},
		ClientRef:  []string{"metadata.spend_logs_metadata.client_ref"},
	})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"id":"chatcmpl-845ba80b-dc44-438c-b4b5-%012[1]x","litellm_call_id":"845ba80b-dc44-438c-b4b5-%012[1]x","trace_id":"845ba80b-dc44-438c-b4b5-%012[1]x","call_type":"acompletion","stream":false,"status":"success","custom_llm_provider":"bedrock","startTime":%[2]d.847,"endTime":%[3]d.5,"model":"bedrock/anthropic.claude-sonnet-4-20250514-v1:0","model_group":"agents","api_base":"https://bedrock-runtime.us-east-1.amazonaws.com","metadata":{"user_api_key_hash":"0000000000007bb1","user_api_key_user_id":"user%05[4]d@example.com","user_api_key_user_email":"user%05[4]d@example.com","user_api_key_team_id":"team-25","user_api_key_alias":"agent-key-165","spend_logs_metadata":{"agent_id":"agent-66","tool_calls":%[5]d},"requester_ip_address":"10.0.38.166"},"cache_hit":false,"saved_cache_cost":0.0,"total_tokens":3816,"prompt_tokens":2631,"completion_tokens":1185,"response_cost":0.0123,"request_tags":["prod","chat"],"end_user":"","hidden_params":{"model_id":"m1","additional_headers":{"llm_provider-x-amzn-requestid":"da83fbe6-7ad8-4e7a-afe6-%012[1]x"}},"error_str":null}`,
			i, 1792103487+i, 1792103489+i, i%50_000, i%4)
	})
}

// BenchmarkOTLP decodes documents of one span each, with its resource and scope:
// the most costly way to write spans.
func BenchmarkOTLP(b *testing.B) {
	benchmark(b, otlpAgent(b), "", func(i int) string {
		return otlpDocument(i, "")
	})
}

// BenchmarkOTLPPrompts decodes spans with prompts and answers of 8 KB each,
// which are stepped over.
func BenchmarkOTLPPrompts(b *testing.B) {
	prose := strings.Repeat(`Which \"form\" is {this}? `, 8<<10/24)
	content := fmt.Sprintf(`{"key":"gen_ai.input.messages","value":{"stringValue":"%[1]s"}},{"key":"gen_ai.output.messages","value":{"stringValue":"%[1]s"}},`, prose)
	benchmark(b, otlpAgent(b), "", func(i int) string {
		return otlpDocument(i, content)
	})
}

func otlpAgent(b *testing.B) decode.Format {
	format, err := decode.NewOTLP(decode.OTLPOptions{Side: decode.AgentSide, RequestOptions: decode.RequestOptions{CostCenter: []string{"app.cost_center"}, ToolCalls: []string{"app.tools"}}})
	if err != nil {
		b.Fatal(err)
	}
	return format
}

func otlpDocument(i int, attributes string) string {
	return fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"claims-desk"}},{"key":"service.version","value":{"stringValue":"1.4.0"}},{"key":"telemetry.sdk.language","value":{"stringValue":"python"}}]},"scopeSpans":[{"scope":{"name":"com.anthropic.sdk.python","version":"1.12.0"},"spans":[{"traceId":"5b8efff798038103d269%012[1]x","spanId":"eee1%012[1]x","parentSpanId":"eee19b7ec3c1b173","flags":257,"name":"chat claude-sonnet-4-5","kind":3,"startTimeUnixNano":"%[2]d847000000","endTimeUnixNano":"%[3]d500000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"anthropic"}},{"key":"gen_ai.request.model","value":{"stringValue":"claude-sonnet-4-5"}},{"key":"gen_ai.request.max_tokens","value":{"intValue":"4096"}},%[4]s{"key":"gen_ai.response.model","value":{"stringValue":"claude-sonnet-4-5-20250929"}},{"key":"gen_ai.response.id","value":{"stringValue":"msg_01AbCdEfGhIj%012[1]x"}},{"key":"anthropic.request.id","value":{"stringValue":"req_011CAbCdEf%012[1]x"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"%[5]d"}},{"key":"gen_ai.usage.cache_read.input_tokens","value":{"intValue":"120"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"%[6]d"}},{"key":"gen_ai.conversation.id","value":{"stringValue":"conv-9"}},{"key":"user.email","value":{"stringValue":"user%05[7]d@example.com"}},{"key":"app.tools","value":{"intValue":"%[8]d"}},{"key":"gen_ai.response.finish_reasons","value":{"arrayValue":{"values":[{"stringValue":"stop"}]}}}],"status":{"code":1}}]}]}]}`,
		i, 1792103487+i, 1792103489+i, attributes, 200+i%8000, i%1200, i%50_000, i%4)
}

// BenchmarkPeople decodes a people file.
func BenchmarkPeople(b *testing.B) {
	benchmark(b, decode.People{}, "email,department,cost_center,valid_from,valid_to", func(i int) string {
		return fmt.Sprintf("user%05d@example.com,Department %d,CC-%04d,2026-01-01,", i, i%40, i%200)
	})
}

func benchmark(b *testing.B, format decode.Format, header string, line func(int) string) {
	var text bytes.Buffer
	if header != "" {
		text.WriteString(header + "\n")
	}
	for i := range benchLines {
		text.WriteString(line(i) + "\n")
	}
	env := decode.Env{Zone: time.UTC, RecordBytes: 64_000_000}
	batch := record.NewBatch(format.Schema())
	sink := decode.NewSink(env, format.Schema(), func(*record.Batch) *record.Batch {
		batch.Reset()
		return batch
	})
	decoder := format.Decoder(env)
	var object bytes.Reader
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		object.Reset(text.Bytes())
		sink.Begin(decode.Origin{ID: 1})
		if err := decoder.Decode(&object, sink); err != nil {
			b.Fatal(err)
		}
		if counts, _ := sink.End(); counts.Rows != benchLines {
			b.Fatalf("staged %d rows, want %d", counts.Rows, benchLines)
		}
	}
	runtime.ReadMemStats(&after)
	records := float64(b.N * benchLines)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/records, "ns/record")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/records, "allocs/record")
}
