package decode

import (
	"fmt"
	"strings"
	"testing"
)

// wraps put an answer's usage, with what stands beside it, into a record of each
// format that reads one.
func wraps(t *testing.T) map[string]func(usage, beside string) (Format, string) {
	return map[string]func(string, string) (Format, string){
		"portkey": func(usage, beside string) (Format, string) {
			return portkey(t), fmt.Sprintf(`{"_id":"p","created_at":"2026-10-31T22:59:40Z","response":{"status":200,"body":{"model":"m","usage":%s%s}},"metrics":{"ai_org":"anthropic"}}`, usage, beside)
		},
		"portkey, body as text": func(usage, beside string) (Format, string) {
			return portkey(t), fmt.Sprintf(`{"_id":"p","created_at":"2026-10-31T22:59:40Z","response":{"status":200,"body":%q},"metrics":{"ai_org":"anthropic"}}`, `{"model":"m","usage":`+usage+beside+`}`)
		},
		"anthropic-batch": func(usage, beside string) (Format, string) {
			return anthropicBatch(t, BatchOptions{}), fmt.Sprintf(`{"custom_id":"c","result":{"type":"succeeded","message":{"id":"msg_1","model":"m","usage":%s%s}}}`, usage, beside)
		},
		"openai-batch": func(usage, beside string) (Format, string) {
			return openaiBatch(t, BatchOptions{}), fmt.Sprintf(`{"id":"b","custom_id":"c","response":{"status_code":200,"body":{"id":"r","created":1793570380,"model":"m","usage":%s%s}}}`, usage, beside)
		},
		"vertex": func(usage, beside string) (Format, string) {
			return must(NewVertex(labels()))(t), fmt.Sprintf(`{"request_id":"r","logging_time":"2026-10-31T22:59:40Z","model":"publishers/anthropic/models/m","full_response":{"id":"msg_1","usage":%s%s}}`, usage, beside)
		},
		"bedrock-batch": func(usage, beside string) (Format, string) {
			return bedrockBatch(t, batchOptions()), fmt.Sprintf(`{"recordId":"r","modelOutput":{"id":"r","usage":%s%s}}`, usage, beside)
		},
	}
}

// counted is what a format makes of one record, in short: the counts, the notice.
func counted(t *testing.T, format Format, text string) string {
	t.Helper()
	l := load(berlin(t), format, strings.NewReader(text))
	if len(l.rows) != 1 || l.err != nil {
		return fmt.Sprintf("%d rows, rejects %v, error %v", len(l.rows), l.rejects, l.err)
	}
	row := l.rows[0]
	var parts []string
	for _, c := range []struct{ name, column string }{
		{"in", "input_uncached_tokens"}, {"read", "cache_read_tokens"}, {"5m", "cache_write_5m_tokens"}, {"1h", "cache_write_1h_tokens"}, {"written", "cache_write_unknown_tokens"},
		{"out", "output_tokens"}, {"reasoning", "reasoning_tokens"}, {"searches", "searches"},
	} {
		if n := row[c.column]; n != "0" && n != null {
			parts = append(parts, c.name+" "+n)
		}
	}
	if row["completeness"] < "2" {
		parts = append(parts, "partial")
	}
	if row["notice"] != null {
		parts = append(parts, row["notice"])
	}
	return strings.Join(parts, ", ")
}

// Goal: one usage means the same in every format, with what it counts apart.
func TestAnswersInEveryFormat(t *testing.T) {
	const (
		compaction = `{"type":"compaction","input_tokens":80000,"output_tokens":3000,"cache_read_input_tokens":500,"cache_creation":{"ephemeral_1h_input_tokens":40}}`
		message    = `{"type":"message","input_tokens":900,"output_tokens":70}`
		advisor    = `{"type":"advisor_message","input_tokens":600,"output_tokens":1500,"model":"claude-opus-4-8"}`
		iterated   = `{"input_tokens":%d,"output_tokens":%d,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"iterations":[%s]}`
	)
	tests := []struct{ name, usage, beside, want string }{
		{"compaction beside the counts", fmt.Sprintf(iterated, 900, 70, compaction+","+message), "", "in 80900, read 500, 1h 40, out 3070"},
		{"compaction in the counts of input and output", fmt.Sprintf(iterated, 80900, 3070, compaction+","+message), "", "in 80900, read 500, 1h 40, out 3070"},
		{"no compaction", fmt.Sprintf(iterated, 900, 70, message), "", "in 900, out 70"},
		{"two compactions and two messages", fmt.Sprintf(iterated, 1800, 140, strings.Join([]string{compaction, message, compaction, message}, ",")), "", "in 161800, read 1000, 1h 80, out 6140"},
		{"a pause after compaction", fmt.Sprintf(iterated, 0, 0, compaction), "", "in 80000, read 500, 1h 40, out 3000"},
		{"an advisor beside the counts", fmt.Sprintf(iterated, 900, 70, message+","+advisor), "", "in 900, out 70, tokens of advisor claude-opus-4-8 are not charged"},
		{"an advisor in the counts", fmt.Sprintf(iterated, 1500, 1570, message+","+advisor), "", "in 1500, out 1570, tokens of advisor claude-opus-4-8 at this model's price"},
		{"an advisor and compaction", fmt.Sprintf(iterated, 900, 70, compaction+","+message+","+advisor), "", "in 80900, read 500, 1h 40, out 3070, tokens of advisor claude-opus-4-8 are not charged"},
		{"an iteration of another type", fmt.Sprintf(iterated, 900, 70, message+`,{"type":"critic","input_tokens":1,"output_tokens":2}`), "", "in 900, out 70, tokens of an iteration of another type are not charged"},
		{"another type in the counts", fmt.Sprintf(iterated, 901, 72, message+`,{"type":"critic","input_tokens":1,"output_tokens":2}`), "", "in 901, out 72"},
		{"counts that tell neither", fmt.Sprintf(iterated, 99000, 9000, compaction+","+message), "", "in 99000, read 500, 1h 40, out 9000, tokens of compaction may be missing"},

		{"reasoning beside output", `{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1800,"completion_tokens_details":{"reasoning_tokens":300}}`, "", "in 1000, out 800, reasoning 300"},
		{"more reasoning than output", `{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1400,"completion_tokens_details":{"reasoning_tokens":300}}`, "", "in 1000, out 400, reasoning 300"},
		{"reasoning in output", `{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,"completion_tokens_details":{"reasoning_tokens":300}}`, "", "in 1000, out 500, reasoning 300"},
		{"reasoning beside output, cache in the prompt", `{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1800,"prompt_tokens_details":{"cached_tokens":600},"completion_tokens_details":{"reasoning_tokens":300}}`, "", "in 400, read 600, out 800, reasoning 300"},
		{"reasoning of responses", `{"input_tokens":1000,"input_tokens_details":{"cached_tokens":0},"output_tokens":500,"output_tokens_details":{"reasoning_tokens":300},"total_tokens":1800}`, "", "in 1000, out 800, reasoning 300"},
		{"reasoning that no total explains", `{"prompt_tokens":1000,"completion_tokens":100,"completion_tokens_details":{"reasoning_tokens":300}}`, "", "0 rows"},
		{"thoughts of Gemini", `null`, `,"usageMetadata":{"promptTokenCount":1000,"toolUsePromptTokenCount":20,"cachedContentTokenCount":600,"candidatesTokenCount":50,"thoughtsTokenCount":300,"totalTokenCount":1370}`, "in 420, read 600, out 350, reasoning 300"},
		{"thoughts alone", `null`, `,"usageMetadata":{"promptTokenCount":1000,"thoughtsTokenCount":300,"totalTokenCount":1300}`, "in 1000, out 300, reasoning 300"},

		{"cache of Mistral", `{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"num_cached_tokens":800,"prompt_tokens_details":{"cached_tokens":0}}`, "", "in 200, read 800, out 10"},
		{"cache of Moonshot", `{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"cached_tokens":800}`, "", "in 200, read 800, out 10"},
		{"cache of DeepSeek", `{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"prompt_cache_hit_tokens":800,"prompt_cache_miss_tokens":200}`, "", "in 200, read 800, out 10"},
		{"hits and misses alone", `{"completion_tokens":10,"prompt_cache_hit_tokens":800,"prompt_cache_miss_tokens":200}`, "", "in 200, read 800, out 10"},

		{"a prompt with reads and writes", `{"prompt_tokens":2650,"completion_tokens":120,"total_tokens":2770,"cache_read_input_tokens":2000,"cache_creation_input_tokens":600}`, "", "in 50, read 2000, written 600, out 120"},
		{"a prompt without writes", `{"prompt_tokens":2050,"completion_tokens":120,"total_tokens":2770,"cache_read_input_tokens":2000,"cache_creation_input_tokens":600}`, "", "in 50, read 2000, written 600, out 120"},
		{"a prompt without either", `{"prompt_tokens":50,"completion_tokens":120,"total_tokens":2770,"cache_read_input_tokens":2000,"cache_creation_input_tokens":600}`, "", "in 50, read 2000, written 600, out 120"},
		{"a prompt without either, and larger", `{"prompt_tokens":5000,"completion_tokens":120,"total_tokens":7720,"cache_read_input_tokens":2000,"cache_creation_input_tokens":600}`, "", "in 5000, read 2000, written 600, out 120"},
		{"a prompt without reads", `{"prompt_tokens":650,"completion_tokens":120,"total_tokens":2770,"cache_read_input_tokens":2000,"cache_creation_input_tokens":600}`, "", "in 50, read 2000, written 600, out 120"},
		{"a total that nothing explains", `{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1777}`, "", "in 1000, out 100, " + totalIsMore},
		{"Converse", `{"inputTokens":12,"outputTokens":80,"totalTokens":11592,"cacheReadInputTokens":10000,"cacheWriteInputTokens":1500,"cacheDetails":[{"ttl":"1h","inputTokens":400},{"ttl":"5m","inputTokens":1100}]}`, "", "in 12, read 10000, 5m 1100, 1h 400, out 80"},

		{"searches among the items", `{"input_tokens":10,"input_tokens_details":{"cached_tokens":0},"output_tokens":2,"total_tokens":12}`,
			`,"output":[{"type":"web_search_call","action":{"type":"search"}},{"type":"web_search_call","action":{"type":"open_page"}},{"type":"web_search_call"},{"type":"message"}]`, "in 10, out 2, searches 2"},
		{"tools without a price", `{"input_tokens":10,"input_tokens_details":{"cached_tokens":0},"output_tokens":2,"total_tokens":12}`,
			`,"output":[{"type":"code_interpreter_call"},{"type":"file_search_call"},{"type":"file_search_call"},{"type":"function_call"}]`, "in 10, out 2, code interpreter is not charged; file search is not charged"},
		{"code that Anthropic ran", `{"input_tokens":10,"output_tokens":2,"server_tool_use":{"web_search_requests":3,"code_execution_requests":1}}`, "", "in 10, out 2, searches 3, code execution is not charged"},
	}
	for _, tt := range tests {
		for name, wrap := range wraps(t) {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				format, text := wrap(tt.usage, tt.beside)
				if got := counted(t, format, text); got != tt.want && (tt.want != "0 rows" || !strings.HasPrefix(got, tt.want)) {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		}
	}
}

// Goal: LiteLLM's own counts are read as its usage shows them to be meant.
func TestLiteLLMCounts(t *testing.T) {
	const record = `{"id":"a","litellm_call_id":"a","status":"success","startTime":1793487580,"custom_llm_provider":"anthropic","model":"m",%s}`
	tests := []struct{ name, fields, want string }{
		{"a prompt without writes", `"prompt_tokens":2050,"completion_tokens":120,"total_tokens":2770,"response":{"usage":{"cache_read_input_tokens":2000,"cache_creation_input_tokens":600}}`, "in 50, read 2000, written 600, out 120"},
		{"the total of the usage", `"prompt_tokens":2050,"completion_tokens":120,"response":{"usage":{"total_tokens":2770,"cache_read_input_tokens":2000,"cache_creation_input_tokens":600}}`, "in 50, read 2000, written 600, out 120"},
		{"reasoning beside output", `"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1400,"response":{"usage":{"completion_tokens_details":{"reasoning_tokens":300}}}`, "in 1000, out 400, reasoning 300"},
		{"cache of Moonshot in the spend log", `"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"metadata":{"usage_object":{"cached_tokens":800}}`, "in 200, read 800, out 10"},
		{"an answer of responses", `"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"response":{"usage":{"input_tokens":1000,"output_tokens":10,"input_tokens_details":{"cached_tokens":700,"cache_write_tokens":100}}}`, "in 200, read 700, written 100, out 10"},
		{"writes by time to live", `"prompt_tokens":700,"completion_tokens":10,"total_tokens":710,"response":{"usage":{"cache_creation_input_tokens":600,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":500}}}`, "in 100, 5m 100, 1h 500, out 10"},
		{"compaction that was added up", `"prompt_tokens":80950,"completion_tokens":3070,"total_tokens":84020,"response":{"usage":{"cache_read_input_tokens":50,"iterations":[{"type":"compaction","input_tokens":80000,"output_tokens":3000,"cache_read_input_tokens":7},{"type":"message","input_tokens":900,"output_tokens":70,"cache_read_input_tokens":50}]}}`, "in 80900, read 57, out 3070"},
		{"compaction that was not", `"prompt_tokens":950,"completion_tokens":70,"total_tokens":1020,"response":{"usage":{"cache_read_input_tokens":50,"iterations":[{"type":"compaction","input_tokens":80000,"output_tokens":3000,"cache_read_input_tokens":7},{"type":"message","input_tokens":900,"output_tokens":70,"cache_read_input_tokens":50}]}}`, "in 80900, read 57, out 3070"},
		{"searches among the items", `"prompt_tokens":10,"completion_tokens":2,"response":{"output":[{"type":"web_search_call","action":{"type":"search"}},{"type":"file_search_call"}],"usage":{"input_tokens":10}}`, "in 10, out 2, searches 1, file search is not charged"},
		{"items in the spend log's text", `"prompt_tokens":10,"completion_tokens":2,"metadata":"{\"usage_object\":{\"prompt_tokens\":10}}","response":"{\"output\":[{\"type\":\"web_search_call\"}]}"`, "in 10, out 2, searches 1"},
		{"zeros that were told", `"prompt_tokens":0,"completion_tokens":0,"response":{"usage":{"prompt_tokens":0,"completion_tokens":0}}`, ""},
		{"zeros of a stream that broke", `"stream":true,"prompt_tokens":0,"completion_tokens":0,"response":{"usage":{"prompt_tokens":0,"completion_tokens":0}}`, "partial"},
		{"zeros without a usage", `"prompt_tokens":0,"completion_tokens":0,"response":null`, "partial"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := counted(t, litellm(t), fmt.Sprintf(record, tt.fields)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Goal: usage by type is read by its sums, or as the operator says.
func TestLangfuseCounts(t *testing.T) {
	tests := []struct{ name, tokensIn, details, want string }{
		{"apart", "", `{"input":1000,"input_cached_tokens":8000,"output":50,"total":9050}`, "in 1000, read 8000, out 50"},
		{"told inclusive", Inclusive, `{"input":9000,"input_cached_tokens":8000,"output":50,"total":17050}`, "in 1000, read 8000, out 50"},
		{"told inclusive, without cache", Inclusive, `{"input":400,"output":20,"total":420}`, "in 400, out 20"},
		{"told inclusive, reasoning apart", Inclusive, `{"input":9000,"input_cached_tokens":8000,"output":50,"output_reasoning_tokens":30,"total":17080}`, "in 1000, read 8000, out 80, reasoning 30"},
		{"told exclusive", Exclusive, `{"input":9000,"input_cached_tokens":8000,"output":50,"total":9050}`, "in 9000, read 8000, out 50"},
		{"a total without the parts", "", `{"input":9000,"input_cached_tokens":8000,"output":50,"total":9050}`, "in 1000, read 8000, out 50"},
		{"reads in the input, writes beside it", "", `{"input":2050,"cache_read_input_tokens":2000,"cache_creation_input_tokens":600,"output":120,"total":2770}`, "in 50, read 2000, written 600, out 120"},
		{"hits and misses", "", `{"prompt_tokens":1000,"prompt_cache_hit_tokens":800,"prompt_cache_miss_tokens":200,"completion_tokens":10,"total_tokens":1010}`, "in 200, read 800, out 10"},
		{"hits and misses that were summed up", "", `{"input":1000,"prompt_cache_hit_tokens":800,"prompt_cache_miss_tokens":200,"output":10,"total":2010}`, "in 200, read 800, out 10"},
		{"hits and misses alone", "", `{"prompt_cache_hit_tokens":800,"prompt_cache_miss_tokens":200,"output":10}`, "in 200, read 800, out 10"},
		{"cache of Mistral", "", `{"prompt_tokens":1000,"num_cached_tokens":800,"completion_tokens":10,"total_tokens":1010}`, "in 200, read 800, out 10"},
		{"zeros that were told", "", `{"input":0,"output":0,"total":0}`, ""},
		{"zeros with a total", "", `{"input":0,"output":0,"total":7}`, "partial"},
		{"nothing told", "", `{}`, "partial"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			format, err := NewLangfuse(LangfuseOptions{TokensIn: tt.tokensIn})
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf(`{"id":"o","project_id":"p","type":"GENERATION","start_time":"2026-10-31 22:59:40","provided_model_name":"m","usage_details":%s}`, tt.details)
			if got := counted(t, format, text); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if _, err := NewLangfuse(LangfuseOptions{TokensIn: "both"}); err == nil || !strings.Contains(err.Error(), `tokens_in: "both" is not one of inclusive, exclusive`) {
		t.Errorf("got %v", err)
	}
}

// Goal: other formats decide by the total alike, and take 0 for 0.
func TestTotalsOfOtherFormats(t *testing.T) {
	span := func(attributes string) string {
		return strings.Replace(otlpText(otlpIDs, attributes), `{"intValue":"10"}`, `{"intValue":"2050"}`, 1)
	}
	attribute := func(key string, n int) string {
		return fmt.Sprintf(`,{"key":%q,"value":{"intValue":"%d"}}`, key, n)
	}
	generation := func(fields string) string {
		return `{"id":"gen-1","created_at":"2026-10-31T22:59:40Z","model":"x-ai/grok-4",` + fields + `}`
	}
	tests := []struct {
		name   string
		format Format
		text   string
		want   string
	}{
		{"otlp, writes beside the input", otlp(t, AgentSide), span(attribute("gen_ai.usage.cache_read.input_tokens", 2000) + attribute("gen_ai.usage.cache_write.input_tokens", 600) + attribute("gen_ai.usage.total_tokens", 2655)), "in 50, read 2000, written 600, out 5"},
		{"otlp, reasoning beside the output", otlp(t, ProviderSide), strings.Replace(span(attribute("gen_ai.usage.reasoning.output_tokens", 300)+attribute("gen_ai.usage.total_tokens", 2355)), `"kind":3`, `"kind":2`, 1), "in 2050, out 305, reasoning 300"},
		{"otlp, zeros", otlp(t, AgentSide), strings.NewReplacer(`"2050"`, `"0"`, `"5"`, `"0"`).Replace(span("")), ""},
		{"otlp, searches", otlp(t, AgentSide), span(attribute("anthropic.usage.server_tool_use.web_search_requests", 2)), "in 2050, out 5, searches 2"},
		{"openrouter, reasoning beside the output", openrouter(t), generation(`"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1400,"completion_tokens_details":{"reasoning_tokens":300}}`), "in 1000, out 400, reasoning 300"},
		{"openrouter, zeros", openrouter(t), generation(`"native_tokens_prompt":0,"native_tokens_completion":0`), ""},
		{"openrouter, nothing", openrouter(t), generation(`"usage":0`), "partial"},
		{"openrouter, searches", openrouter(t), generation(`"usage":{"prompt_tokens":10,"completion_tokens":2,"server_tool_use":{"web_search_requests":1}}`), "in 10, out 2, searches 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := counted(t, tt.format, tt.text); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Goal: AWS's own counts stand, and a record says where they may lack tokens.
func TestBedrockIterations(t *testing.T) {
	const iterations = `"iterations":[{"type":"compaction","input_tokens":80000,"output_tokens":3000},{"type":"message","input_tokens":900,"output_tokens":70}]`
	answer := func(in, out int, body string) string {
		return fmt.Sprintf(`{"schemaType":"ModelInvocationLog","requestId":"r","modelId":"m","timestamp":"2026-10-31T12:00:00Z","input":{"inputTokenCount":%d},"output":{"outputTokenCount":%d,"outputBodyJson":%s}}`, in, out, body)
	}
	tests := []struct{ name, text, want string }{
		{"counts without compaction", answer(900, 70, `{"usage":{`+iterations+`}}`), "in 900, out 70, tokens of compaction may not be in AWS's counts"},
		{"as the events of a stream", answer(900, 70, `[{"message":{"id":"msg_1"}},{"type":"message_delta","usage":{`+iterations+`}},"[DONE]"]`), "in 900, out 70, tokens of compaction may not be in AWS's counts"},
		{"counts with it", answer(80900, 3070, `{"usage":{`+iterations+`}}`), "in 80900, out 3070"},
		{"no compaction", answer(900, 70, `{"usage":{"iterations":[{"type":"message","input_tokens":900,"output_tokens":70}]}}`), "in 900, out 70"},
		{"iterations that are none", answer(900, 70, `{"usage":{"iterations":[{"type":"compaction","input_tokens":"many"}]}}`), "in 900, out 70, the answer's iterations can't be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := counted(t, bedrock(t), tt.text); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Goal: what decides a price besides counts is read from every place that tells it.
func TestWhatDecidesPrices(t *testing.T) {
	fromPortkey := func(org, rest string) string {
		return fmt.Sprintf(`{"_id":"p","created_at":"2026-10-31T22:59:40Z","metrics":{"ai_org":%q}%s}`, org, rest)
	}
	fromLiteLLM := func(provider, rest string) string {
		return fmt.Sprintf(`{"id":"a","status":"success","startTime":1793487580,"custom_llm_provider":%q%s}`, provider, rest)
	}
	fromLangfuse := func(model, rest string) string {
		return fmt.Sprintf(`{"id":"o","project_id":"p","type":"GENERATION","start_time":"2026-10-31 22:59:40","provided_model_name":%q%s}`, model, rest)
	}
	usage := func(usage string) string { return `,"response":{"body":{"usage":` + usage + `}}` }
	tests := []struct {
		name   string
		format Format
		text   string
		want   string // provider, region, tier
	}{
		{"portkey, geography", portkey(t), fromPortkey("anthropic", usage(`{"input_tokens":1,"output_tokens":1,"inference_geo":"us","service_tier":"standard"}`)), "anthropic us standard"},
		{"portkey, geography that isn't known", portkey(t), fromPortkey("anthropic", usage(`{"input_tokens":1,"output_tokens":1,"inference_geo":"not_available"}`)), "anthropic - -"},
		{"portkey, fast mode", portkey(t), fromPortkey("anthropic", usage(`{"input_tokens":1,"output_tokens":1,"service_tier":"standard","speed":"fast"}`)), "anthropic - fast"},
		{"portkey, no fast mode", portkey(t), fromPortkey("anthropic", usage(`{"input_tokens":1,"output_tokens":1,"service_tier":"priority","speed":"standard"}`)), "anthropic - priority"},
		{"portkey, custom host", portkey(t), fromPortkey("openai", `,"request":{"portkeyHeaders":{"x-portkey-custom-host":"https://eu.api.openai.com/v1"}}`), "openai eu -"},
		{"portkey, address of the request", portkey(t), fromPortkey("azure-openai", `,"request":{"url":"https://gateway.example.com/v1"}`), "azure - -"},
		{"portkey, Vertex's location", portkey(t), fromPortkey("vertex-ai", `,"request":{"portkeyHeaders":{"X-Portkey-Vertex-Region":"europe-west4","x-portkey-aws-region":"eu-west-1"}}`), "vertex_ai europe-west4 -"},
		{"portkey, AWS's region", portkey(t), fromPortkey("bedrock", `,"request":{"portkeyHeaders":{"x-portkey-aws-region":"eu-west-1"}}`), "bedrock eu-west-1 -"},
		{"litellm, host", litellm(t), fromLiteLLM("openai", `,"api_base":"https://eu.api.openai.com/v1/"`), "openai eu -"},
		{"litellm, global host", litellm(t), fromLiteLLM("openai", `,"api_base":"https://api.openai.com/v1/"`), "openai - -"},
		{"litellm, Vertex", litellm(t), fromLiteLLM("vertex_ai_beta", `,"api_base":"https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/m:generateContent"`), "vertex_ai us-central1 -"},
		{"litellm, geography before host", litellm(t), fromLiteLLM("anthropic", `,"api_base":"https://eu.api.openai.com","response":{"usage":{"inference_geo":"us","speed":"fast"}}`), "anthropic us fast"},
		{"litellm, speed that was asked for", litellm(t), fromLiteLLM("anthropic", `,"model_parameters":{"speed":"fast"}`), "anthropic - fast"},
		{"anthropic-batch, geography", anthropicBatch(t, BatchOptions{}), `{"custom_id":"c","result":{"type":"succeeded","message":{"id":"m","model":"m","usage":{"input_tokens":1,"output_tokens":1,"inference_geo":"us"}}}}`, "anthropic us batch"},
		{"langfuse, LangChain's provider and what was asked for", langfuseByDefault(t), fromLangfuse("gemini-2.5-flash", `,"metadata":{"ls_provider":"google_vertexai"},"model_parameters":{"service_tier":"flex"}`), "vertex_ai - flex"},
		{"langfuse, prefix of the model", langfuseByDefault(t), fromLangfuse("x-ai/grok-4", ""), "xai - -"},
		{"langfuse, beside the counts", langfuseByDefault(t), fromLangfuse("anthropic/m", `,"usage_details":{"input":1,"output":1,"inference_geo":"us","speed":"fast"}`), "anthropic us fast"},
		{"otlp, host", otlp(t, AgentSide), otlpText(otlpIDs, `,{"key":"server.address","value":{"stringValue":"eu.api.openai.com"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai.responses"}}`), "openai eu -"},
		{"openrouter, a key of one's own at Google", openrouter(t), `{"id":"gen-1","created_at":"2026-10-31T22:59:40Z","is_byok":true,"provider_name":"Google"}`, "vertex_ai - -"},
		{"openrouter, at Google AI Studio", openrouter(t), `{"id":"gen-1","created_at":"2026-10-31T22:59:40Z","is_byok":true,"provider_name":"Google AI Studio"}`, "gemini - -"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := load(berlin(t), tt.format, strings.NewReader(tt.text))
			if len(l.rows) != 1 {
				t.Fatalf("%d rows, rejects %v, error %v", len(l.rows), l.rejects, l.err)
			}
			row := l.rows[0]
			got := strings.ReplaceAll(strings.Join([]string{row["provider"], row["region"], row["service_tier"]}, " "), null, "-")
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func langfuseByDefault(t *testing.T) *Langfuse {
	t.Helper()
	format, err := NewLangfuse(LangfuseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return format
}

func TestHostRegion(t *testing.T) {
	tests := []struct{ address, want string }{
		{"https://eu.api.openai.com/v1/", "eu"}, {"eu.api.openai.com", "eu"}, {"https://us.api.openai.com:443/v1", "us"}, {"https://api.openai.com/v1", ""},
		{"https://us-central1-aiplatform.googleapis.com/v1/projects/p", "us-central1"}, {"https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google", "global"},
		{"https://aiplatform.googleapis.com", "global"}, {"https://aiplatform.eu.rep.googleapis.com/v1", "eu"}, {"https://generativelanguage.googleapis.com/v1beta", ""},
		{"https://bedrock-runtime.eu-central-1.amazonaws.com/model/m/converse", "eu-central-1"}, {"https://bedrock-mantle.us-east-1.api.aws/v1", "us-east-1"}, {"https://s3.eu-central-1.amazonaws.com", ""},
		{"https://evil.example.com/?x=https://eu.api.openai.com", ""}, {"https://a.b.api.openai.com", ""}, {"", ""}, {"://", ""},
	}
	for _, tt := range tests {
		if got := string(hostRegion([]byte(tt.address))); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.address, got, tt.want)
		}
	}
}
