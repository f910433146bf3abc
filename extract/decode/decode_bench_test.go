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

// BenchmarkBedrockEnvelopes decodes CloudWatch's envelopes of one record each,
// which is text that is undone before it is read.
func BenchmarkBedrockEnvelopes(b *testing.B) {
	format, err := decode.NewBedrock(decode.BedrockOptions{ClientRef: []string{"litellm_call_id"}, CostCenter: []string{"cost_center"}})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		text := fmt.Sprintf(`{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-10-15T12:%02d:%02dZ","accountId":"111122223333","region":"us-east-1","requestId":"da83fbe6-7ad8-4e7a-afe6-%012x","operation":"Converse","modelId":"us.anthropic.claude-sonnet-4-5-20250929-v1:0","input":{"inputContentType":"application/json","inputTokenCount":%d,"cacheReadInputTokenCount":0},"output":{"outputContentType":"application/json","outputTokenCount":%d},"identity":{"arn":"arn:aws:sts::111122223333:assumed-role/agent-runtime/i-%d"}}`, i/60%60, i%60, i, 200+i%8000, i%1200, i%1000)
		return fmt.Sprintf(`{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"/example/bedrock","logStream":"aws/bedrock/modelinvocations","subscriptionFilters":["to-s3"],"logEvents":[{"id":"%056d","timestamp":1793487580000,"message":%q}]}`, i, text)
	})
}

// BenchmarkVertex decodes rows of Vertex AI's log with prompts and answers of 1 KB
// each. The answer is scanned twice: once to find where it ends, once for its
// fields.
func BenchmarkVertex(b *testing.B) {
	format, err := decode.NewVertex(decode.VertexOptions{CostCenter: []string{"cost_center"}})
	if err != nil {
		b.Fatal(err)
	}
	prose := strings.Repeat(`Which \"form\" is {this}? `, 1<<10/24)
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"endpoint":"projects/1/locations/us-central1/publishers/google/models/gemini-2.5-pro","deployed_model_id":null,"logging_time":"2026-10-15T12:%02[1]d:%02[2]d.248Z","request_id":"1%018[3]d","request_payload":[],"response_payload":[],"model":"publishers/google/models/gemini-2.5-pro","model_version":"default","api_method":"GenerateContent","full_request":{"contents":[{"parts":[{"text":"%[6]s"}]}],"labels":{"cost_center":"00420"}},"full_response":{"candidates":[{"content":{"parts":[{"text":"%[6]s"}]}}],"create_time":"2026-10-15T12:%02[1]d:%02[2]d.034753Z","model_version":"gemini-2.5-pro","response_id":"answer-%[3]d","usage_metadata":{"prompt_token_count":%[4]d,"candidates_token_count":%[5]d,"thoughts_token_count":500,"total_token_count":%[7]d,"traffic_type":"ON_DEMAND","prompt_tokens_details":[{"modality":"TEXT","token_count":%[4]d}]}},"metadata":{"request_latency":812.5}}`,
			i/60%60, i%60, i, 200+i%8000, 1+i%1200, prose, 701+i%8000+i%1200)
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
		return fmt.Sprintf(`{"id":"batch_req_%[1]d","custom_id":"ticket-%[1]d","response":{"status_code":200,"request_id":"%032[1]x","body":{"id":"chatcmpl-%[1]d","object":"chat.completion","created":%[2]d,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"The blue one is right.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":%[3]d,"completion_tokens":%[4]d,"total_tokens":%[5]d,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_example"}},"error":null}`,
			i, 1793570380+i, i%8000, i%1200, i%8000+i%1200)
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

// BenchmarkLiteLLMSpendLog decodes rows whose metadata is JSON text, which is
// undone before it is read.
func BenchmarkLiteLLMSpendLog(b *testing.B) {
	format, err := decode.NewLiteLLM(decode.RequestOptions{AgentID: []string{"metadata.spend_logs_metadata.agent_id"}, ToolCalls: []string{"metadata.spend_logs_metadata.tool_calls"}})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"request_id":"chatcmpl-%012[1]x","call_type":"acompletion","api_key":"0000000000007bb1","spend":0.0123,"total_tokens":3816,"prompt_tokens":2631,"completion_tokens":1185,"startTime":"2026-10-15 12:%02[2]d:%02[3]d.847371","endTime":"2026-10-15 12:%02[2]d:%02[3]d.900000","session_id":"s-%[1]d","model":"gpt-4o","custom_llm_provider":"openai","user":"user%05[4]d@example.com","metadata":"{\"user_api_key\":\"0000000000007bb1\",\"user_api_key_alias\":\"agent-key-165\",\"user_api_key_team_id\":\"team-25\",\"user_api_key_user_id\":\"user%05[4]d@example.com\",\"spend_logs_metadata\":{\"agent_id\":\"agent-66\",\"tool_calls\":2},\"usage_object\":{\"prompt_tokens\":2631,\"completion_tokens\":1185,\"prompt_tokens_details\":{\"cached_tokens\":512}},\"requester_ip_address\":\"192.0.2.7\"}","cache_hit":"None","request_tags":"[\"prod\"]","team_id":"team-25","end_user":"","messages":"{}","response":"{}","proxy_server_request":"{}","status":"success"}`,
			i, i/60%60, i%60, i%50_000)
	})
}

// BenchmarkPortkey decodes objects of the log store without prompts.
func BenchmarkPortkey(b *testing.B) {
	format, err := decode.NewPortkey(decode.PortkeyOptions{RequestOptions: decode.RequestOptions{AgentID: []string{"agent_id"}, CostCenter: []string{"cost_center"}}})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"_id":"da83fbe6-7ad8-4e7a-afe6-%012[1]x","request":{"url":"https://api.openai.com/v1/chat/completions","method":"POST","headers":{"content-type":"application/json","authorization":"Bearer sk********abc"},"body":{"model":"gpt-4o","messages":[]},"portkeyHeaders":{"x-portkey-trace-id":"tr-%[1]d","x-portkey-metadata":"{\"_user\":\"user%05[2]d@example.com\",\"agent_id\":\"agent-66\"}"}},"response":{"status":200,"headers":{"content-type":"application/json","x-request-id":"req_%012[1]x","set-cookie":"none","x-portkey-cache-status":"DISABLED","x-portkey-retry-attempt-count":"0"},"body":{"id":"chatcmpl-%012[1]x","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":2631,"completion_tokens":1185,"total_tokens":3816,"prompt_tokens_details":{"cached_tokens":512}}},"responseTime":1653},"organisation_id":"org-1","created_at":"Sat Oct 31 2026 22:59:40 GMT+0000 (Coordinated Universal Time)","metrics":{"id":"da83fbe6-7ad8-4e7a-afe6-%012[1]x","created_at":"2026-10-31 22:59:40.847","ai_org":"openai","ai_model":"gpt-4o","req_units":2631,"res_units":1185,"cost":1.84,"cost_currency":"USD","response_status_code":200,"response_time":1653,"cache_status":"DISABLED","_user":"user%05[2]d@example.com","metadata.key":["_user","agent_id"],"metadata.value":["user%05[2]d@example.com","agent-66"],"workspace_slug":"ws-agents"}}`,
			i, i%50_000)
	})
}

// BenchmarkOpenRouter decodes traces of one generation each, without prompts. An
// observation is scanned twice: once to find where it ends, once for its fields.
func BenchmarkOpenRouter(b *testing.B) {
	format, err := decode.NewOpenRouter(decode.OpenRouterOptions{RequestOptions: decode.RequestOptions{AgentID: []string{"metadata.agent_id"}, CostCenter: []string{"metadata.cost_center"}}})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"id":"gen-%[1]d-AbCdEf01","name":"chat","timestamp":"2026-10-31T22:59:40.847Z","apiKeyName":"agents-prod","userId":"user%05[2]d@example.com","sessionId":"sess-%[1]d","input":{"messages":[]},"output":{"completion":""},"observations":[{"id":"gen-%[1]d-AbCdEf01","type":"GENERATION","name":"chat","model":"anthropic/claude-sonnet-4.5","startTime":"2026-10-31T22:59:40.847Z","endTime":"2026-10-31T22:59:42.500Z","promptTokens":1200,"completionTokens":345,"totalTokens":1545,"inputCost":0.0036,"outputCost":0.005175,"totalCost":0.008775,"finishReason":"end_turn","normalizedFinishReason":"stop","providerName":"Anthropic","level":"DEFAULT","metadata":{"agent_id":"support-bot","cost_center":"00420"}}]}`,
			i, i%50_000)
	})
}

// langfuseBench is a format and the values of observation i.
func langfuseBench(b *testing.B) (format *decode.Langfuse, row func(i int) []any) {
	format, err := decode.NewLangfuse(decode.LangfuseOptions{
		RequestOptions: decode.RequestOptions{AgentID: []string{"metadata.agent_id"}, CostCenter: []string{"metadata.cost_center"}}, ResponseID: []string{"metadata.response_id"},
	})
	if err != nil {
		b.Fatal(err)
	}
	return format, func(i int) []any { return []any{i, i % 50_000, i / 60 % 60, i % 60} }
}

// BenchmarkLangfuseJSON decodes JSON lines of observations without prompts. Its
// counts are a map by free words, of which each is looked at for what it counts.
func BenchmarkLangfuseJSON(b *testing.B) {
	format, row := langfuseBench(b)
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"id":"9a1b2c3d%08[1]x","trace_id":"0af7651916cd43dd8448eb21%08[1]x","project_id":"clx000000project1","environment":"default","type":"GENERATION","parent_observation_id":null,"start_time":"2026-10-15 12:%02[3]d:%02[4]d.847000","end_time":"2026-10-15 12:%02[3]d:%02[4]d.900000","name":"support-bot","metadata":{"response_id":"chatcmpl-%[1]d","agent_id":"agent-66","cost_center":"00420"},"level":"DEFAULT","input":"","output":"","provided_model_name":"gpt-4o","usage_details":{"input":188,"input_cached_tokens":1012,"output":305,"output_reasoning_tokens":40,"total":1545},"cost_details":{"input":0.0036,"output":0.005175,"total":0.008775},"total_cost":0.008775,"latency":1.653,"created_at":"2026-10-15 12:59:45.000000","user_id":"user%05[2]d@example.com"}`, row(i)...)
	})
}

// BenchmarkLangfuseCSV decodes the same as CSV, which takes as long a record as
// JSON but has fewer bytes: there are no names in its rows, and its JSON cells are
// freed of doubled quotes, copied and scanned.
func BenchmarkLangfuseCSV(b *testing.B) {
	format, row := langfuseBench(b)
	const header = "id,trace_id,project_id,environment,type,parent_observation_id,start_time,end_time,name,metadata,level,input,output,provided_model_name,usage_details,cost_details,total_cost,latency,created_at,user_id"
	benchmark(b, format, header, func(i int) string {
		return fmt.Sprintf(`"9a1b2c3d%08[1]x","0af7651916cd43dd8448eb21%08[1]x","clx000000project1","default","GENERATION",,"2026-10-15 12:%02[3]d:%02[4]d.847000","2026-10-15 12:%02[3]d:%02[4]d.900000","support-bot","{""response_id"":""chatcmpl-%[1]d"",""agent_id"":""agent-66"",""cost_center"":""00420""}","DEFAULT","","","gpt-4o","{""input"":188,""input_cached_tokens"":1012,""output"":305,""output_reasoning_tokens"":40,""total"":1545}","{""input"":0.0036,""output"":0.005175,""total"":0.008775}",0.008775,1.653,"2026-10-15 12:59:45.000000","user%05[2]d@example.com"`, row(i)...)
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

// BenchmarkPeople decodes a people file: lines of 56 bytes, a microsecond each.
func BenchmarkPeople(b *testing.B) {
	benchmark(b, decode.People{}, "email,department,cost_center,valid_from,valid_to", func(i int) string {
		return fmt.Sprintf("user%05d@example.com,Department %d,CC-%04d,2026-01-01,", i, i%40, i%200)
	})
}

// The formats of control totals keep a row for each class of a result, which
// has all the columns of the table: that, not reading, is most of their time.

// BenchmarkOpenAIUsage decodes buckets of one result, of which each makes six rows.
func BenchmarkOpenAIUsage(b *testing.B) {
	benchmarkRows(b, decode.NewOpenAIUsage(), "", 6*benchLines, func(i int) string {
		return fmt.Sprintf(`{"object":"bucket","start_time":%d,"end_time":%d,"results":[{"object":"organization.usage.completions.result","input_tokens":%d,"input_cached_tokens":400,"input_cache_write_tokens":100,"output_tokens":%d,"input_audio_tokens":50,"num_model_requests":5,"project_id":"proj_%d","user_id":null,"api_key_id":"key_gateway","model":"gpt-4o-2024-08-06","batch":false,"service_tier":"default"}]}`,
			1793404800+60*i, 1793404860+60*i, 1000+i, i%1200, i%40)
	})
}

// BenchmarkOpenAICosts decodes buckets of one cost. Totals are pages that are
// scanned three times (page, bucket, result); a company has thousands a month.
func BenchmarkOpenAICosts(b *testing.B) {
	benchmark(b, decode.NewOpenAICosts(), "", func(i int) string {
		return fmt.Sprintf(`{"object":"bucket","start_time":%d,"end_time":%d,"results":[{"object":"organization.costs.result","amount":{"value":0.0%d,"currency":"usd"},"line_item":"gpt-4o-2024-08-06, cached input","project_id":"proj_%d","api_key_id":null,"quantity":%d.5,"quantity_unit":"1000_tokens"}]}`,
			1793404800, 1793491200, i+1, i%40, i)
	})
}

// BenchmarkAnthropicUsage decodes buckets of one result, of which each makes six
// rows.
func BenchmarkAnthropicUsage(b *testing.B) {
	benchmarkRows(b, decode.NewAnthropicUsage(), "", 6*benchLines, func(i int) string {
		return fmt.Sprintf(`{"starting_at":"2026-10-31T00:00:00Z","ending_at":"2026-11-01T00:00:00Z","results":[{"uncached_input_tokens":%d,"cache_creation":{"ephemeral_1h_input_tokens":1000,"ephemeral_5m_input_tokens":500},"cache_read_input_tokens":200,"output_tokens":%d,"server_tool_use":{"web_search_requests":10},"api_key_id":"apikey_%d","workspace_id":"wrkspc_01Example","model":"claude-sonnet-4-20250514","service_tier":"standard","context_window":"0-200k"}]}`,
			i, i%1200, i%40)
	})
}

// BenchmarkAnthropicCosts decodes a console file, whose cells are all split: lines
// of 100 bytes, two microseconds each, some thousands a month.
func BenchmarkAnthropicCosts(b *testing.B) {
	benchmark(b, decode.NewAnthropicCosts(), "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type,inference_geo,speed", func(i int) string {
		return fmt.Sprintf("2026-10-%02d,Claude Opus 4.8,Default,key %d,message,≤ 200k,input_no_cache,%d.22,%d.22,token,global,", 1+i%31, i%40, i%100, i%100)
	})
}

// BenchmarkCUR decodes a report of which one line in ten is about Bedrock, as
// CSV.
func BenchmarkCUR(b *testing.B) {
	const header = "bill_billing_period_start_date,line_item_currency_code,line_item_iam_principal,line_item_line_item_description,line_item_line_item_type,line_item_product_code,line_item_resource_id,line_item_unblended_cost,line_item_usage_account_id,line_item_usage_amount,line_item_usage_end_date,line_item_usage_start_date,line_item_usage_type,pricing_unit,product,resource_tags"
	benchmarkRows(b, decode.NewCUR(), header, benchLines/10, func(i int) string {
		service, usage := "AmazonS3", "USE1-Requests-Tier1"
		if i%10 == 0 {
			service, usage = "AmazonBedrock", "USE1-Claude4.6Sonnet-input-tokens"
		}
		return fmt.Sprintf(`2026-10-01T00:00:00.000Z,USD,arn:aws:sts::111122223333:assumed-role/agent-runtime/session-%d,"$0.003 per 1K, as listed",Usage,%s,arn:aws:s3:::example-bucket-%d,0.0%d,111122223333,%d.345,2026-10-31T01:00:00.000Z,2026-10-31T00:00:00.000Z,%s,1K tokens,"{""product_name"":""Amazon Example"",""region"":""us-east-1""}","{""user_team"":""team-%d""}"`,
			i%1000, service, i, i+1, i, usage, i%40)
	})
}

// BenchmarkFOCUS decodes an export of Bedrock's lines alone, as CSV, where each
// line makes a row; in a company's own most are of no concern, as in CUR's.
func BenchmarkFOCUS(b *testing.B) {
	const header = "BilledCost,BillingCurrency,BillingPeriodStart,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,ListCost,RegionId,ServiceName,SubAccountId,x_ServiceCode,x_UsageType"
	benchmark(b, decode.NewFOCUS(), header, func(i int) string {
		return fmt.Sprintf("0.0%d,USD,2026-10-01T00:00:00Z,Usage,2026-10-31T01:00:00Z,2026-10-31T00:00:00Z,%d.345,1K tokens,0.040,us-east-1,Amazon Bedrock,111122223333,AmazonBedrock,USE1-Claude4.6Sonnet-input-tokens", i+1, i)
	})
}

// BenchmarkMappedJSON decodes lines of a platform's own. They are short: what a
// record costs whatever its length (its dates, ids and dimensions) takes most.
func BenchmarkMappedJSON(b *testing.B) {
	benchmarkMapped(b, decode.LayoutJSON, "", func(i int) string {
		return fmt.Sprintf(`{"Request":"call-%08d","When":"2026-10-31T%02d:%02d:%02dZ","Model":"gpt-4o-mini","User":"user%03d@example.com","Agent":"support-bot","Prompt":%d,"Cached":120,"Answer":%d,"Status":"200","Region":"us-east-1","Tags":{"env":"prod","team":"support"}}`,
			i, i/3600%24, i/60%60, i%60, i%1000, 200+i%8000, i%1200)
	})
}

// BenchmarkMappedCSV decodes the same as CSV: half the bytes for the same work.
func BenchmarkMappedCSV(b *testing.B) {
	benchmarkMapped(b, decode.LayoutCSV, "Request,When,Model,User,Agent,Prompt,Cached,Answer,Status,Region,Tags", func(i int) string {
		return fmt.Sprintf(`call-%08d,2026-10-31T%02d:%02d:%02dZ,gpt-4o-mini,user%03d@example.com,support-bot,%d,120,%d,200,us-east-1,"{""env"":""prod""}"`,
			i, i/3600%24, i/60%60, i%60, i%1000, 200+i%8000, i%1200)
	})
}

func benchmarkMapped(b *testing.B, layout, header string, line func(int) string) {
	places := map[string][]decode.Place{}
	for field, place := range map[string]string{
		"agent_request_id": "Request", "started_at": "When", "model": "Model", "user_email": "User", "agent_id": "Agent",
		"input_tokens": "Prompt", "cache_read_tokens": "Cached", "output_tokens": "Answer", "status": "Status",
	} {
		if layout == decode.LayoutJSON {
			place = "/" + place
		}
		places[field] = []decode.Place{{place}}
	}
	format, err := decode.NewMapped(decode.MappedOptions{
		Side: decode.AgentSide, Layout: layout, Fields: places, Constants: map[string]string{"provider": "openai"},
		TokensIn: decode.Inclusive, TokenUnit: decode.UnitTokens, CostUnit: decode.UnitUSD, Time: "rfc3339", Success: []string{"200"},
	})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, header, line)
}

// BenchmarkSCIM decodes users of SCIM, one a line.
func BenchmarkSCIM(b *testing.B) {
	benchmarkSnapshot(b, decode.SCIMName, "", func(i int) string {
		return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"2819c223-7f76-453a-919d-%012x","userName":"user%05d@example.com","name":{"formatted":"User"},"emails":[{"value":"user%[1]d@example.com","type":"work","primary":true}],"active":true,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"CC-%04[3]d","department":"Department %[4]d","manager":{"value":"x"}}}`, i, i, i%200, i%40)
	})
}

// BenchmarkEntra decodes the CSV of Download users. It splits each line into
// all its cells, which is what takes the time; a company's export is read in
// a second all the same.
func BenchmarkEntra(b *testing.B) {
	benchmarkSnapshot(b, decode.EntraName, "userPrincipalName,displayName,mail,department,accountEnabled", func(i int) string {
		return fmt.Sprintf("user%05d@example.com,User,user%05d@example.com,Department %d,True", i, i, i%40)
	})
}

func benchmarkSnapshot(b *testing.B, name, header string, line func(int) string) {
	format, err := decode.NewSnapshot(name, decode.PersonOptions{})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, header, line)
}

func benchmark(b *testing.B, format decode.Format, header string, line func(int) string) {
	benchmarkRows(b, format, header, benchLines, line)
}

// benchmarkRows is benchmark of lines that don't make one row each.
func benchmarkRows(b *testing.B, format decode.Format, header string, rows int64, line func(int) string) {
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
		if counts, _ := sink.End(); counts.Rows != rows {
			b.Fatalf("staged %d rows, want %d", counts.Rows, rows)
		}
	}
	runtime.ReadMemStats(&after)
	records := float64(b.N * benchLines)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/records, "ns/record")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/records, "allocs/record")
}
