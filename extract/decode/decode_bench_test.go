package decode_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
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

// BenchmarkBedrockAnswers decodes records whose answers tell of cache writes,
// as objects and as text.
func BenchmarkBedrockAnswers(b *testing.B) {
	format, err := decode.NewBedrock(decode.BedrockOptions{})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		body := `{"output":{"message":{"role":"assistant","content":[{"text":"The blue one."}]}},"stopReason":"end_turn","metrics":{"latencyMs":912},"usage":{"inputTokens":12,"outputTokens":80,"cacheReadInputTokens":9000,"cacheWriteInputTokens":1500,"cacheDetails":[{"ttl":"5m","inputTokens":1100},{"ttl":"1h","inputTokens":400}]}}`
		if i%2 == 1 {
			body = strconv.Quote(body)
		}
		return fmt.Sprintf(`{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-10-15T12:00:00Z","accountId":"111122223333","identity":{"arn":"arn:aws:sts::111122223333:assumed-role/agent-runtime/session-1"},"region":"us-east-1","requestId":"da83fbe6-7ad8-4e7a-afe6-%012x","operation":"Converse","modelId":"anthropic.claude-sonnet-4-20250514-v1:0","input":{"inputContentType":"application/json","inputTokenCount":12,"cacheReadInputTokenCount":9000,"cacheWriteInputTokenCount":1500},"output":{"outputContentType":"application/json","outputBodyJson":%s,"outputTokenCount":80}}`, i, body)
	})
}

// BenchmarkBedrockBatch decodes results of Claude without long texts.
func BenchmarkBedrockBatch(b *testing.B) {
	format, err := decode.NewBedrockBatch(decode.BatchOptions{BatchDefaults: decode.BatchDefaults{Model: "anthropic.claude-haiku-4-5-20251001-v1:0"}})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"recordId":"CALL%07d","modelInput":{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"messages":[{"role":"user","content":[{"type":"text","text":"Summarise the call transcript: the customer asked which form is right for a move abroad."}]}]},"modelOutput":{"model":"claude-haiku-4-5-20251001","id":"msg_bdrk_%012x","type":"message","role":"assistant","content":[{"type":"text","text":"The blue one is right."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":%d,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":%d}}}`, i, i, i%8000, i%1200)
	})
}

// BenchmarkOpenAIBatch decodes results of chat completions.
func BenchmarkOpenAIBatch(b *testing.B) {
	format, err := decode.NewOpenAIBatch(decode.BatchOptions{})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"id":"batch_req_%[1]d","custom_id":"ticket-%[1]d","response":{"status_code":200,"request_id":"%032[1]x","body":{"id":"chatcmpl-%[1]d","object":"chat.completion","created":%[2]d,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"The blue one is right.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":%[3]d,"completion_tokens":%[4]d,"total_tokens":9000,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_example"}},"error":null}`,
			i, 1793570380+i, i%8000, i%1200)
	})
}

// BenchmarkAnthropicBatch decodes results of message batches.
func BenchmarkAnthropicBatch(b *testing.B) {
	format, err := decode.NewAnthropicBatch(decode.BatchOptions{})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"custom_id":"ticket-%[1]d","result":{"type":"succeeded","message":{"id":"msg_01%012[1]x","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[{"type":"text","text":"The blue one is right."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":%[2]d,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":%[3]d,"service_tier":"batch","inference_geo":"global"}}}}`,
			i, i%8000, i%1200)
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
		sink.Begin(decode.Origin{ID: 1, Key: "job1a2b3c4d5/requests.jsonl.out", Modified: time.Unix(1793570380, 0)})
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
