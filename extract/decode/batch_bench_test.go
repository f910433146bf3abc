package decode_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chargeback/extract/decode"
)

// BenchmarkOTLP decodes documents of ten spans each, without prompts.
func BenchmarkOTLP(b *testing.B) {
	format, err := decode.NewOTLP(decode.OTLPOptions{Side: decode.AgentSide, RequestOptions: decode.RequestOptions{AgentID: []string{"gen_ai.agent.id", "service.name"}}})
	if err != nil {
		b.Fatal(err)
	}
	const perDocument = 10
	benchmark(b, format, "", func(i int) string {
		if i%perDocument > 0 {
			return ""
		}
		var spans []string
		for k := range perDocument {
			spans = append(spans, fmt.Sprintf(`{"traceId":"0af7651916cd43dd8448eb21%08[1]x","spanId":"00f067aa%08[1]x","name":"chat claude-sonnet-4-5","kind":3,"startTimeUnixNano":"1793487580847000000","endTimeUnixNano":"1793487582500000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"anthropic"}},{"key":"gen_ai.response.model","value":{"stringValue":"claude-sonnet-4-5-20250929"}},{"key":"gen_ai.response.id","value":{"stringValue":"msg_%[1]d"}},{"key":"anthropic.request.id","value":{"stringValue":"req_%[1]d"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1200"}},{"key":"gen_ai.usage.cache_read.input_tokens","value":{"intValue":"400"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"345"}},{"key":"user.email","value":{"stringValue":"user017@example.com"}},{"key":"gen_ai.agent.id","value":{"stringValue":"support-bot"}}],"status":{}}`, i+k))
		}
		return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"support-bot"}}]},"scopeSpans":[{"scope":{"name":"com.example.sdk"},"spans":[` + strings.Join(spans, ",") + `]}]}]}`
	})
}

// BenchmarkOpenAIBatch decodes answers of a few hundred bytes.
func BenchmarkOpenAIBatch(b *testing.B) {
	format, err := decode.NewOpenAIBatch(decode.BatchOptions{})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"id":"batch_req_%d","custom_id":"ticket-%d","response":{"status_code":200,"request_id":"req_%d","body":{"id":"chatcmpl-%d","object":"chat.completion","created":%d,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,"completion_tokens":300,"total_tokens":1500,"prompt_tokens_details":{"cached_tokens":100,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":10}}}},"error":null}`, i, i, i, i, 1793487580+i, strings.Repeat("An answer. ", 20), 1000+i)
	})
}

// BenchmarkAnthropicBatch decodes messages of a few hundred bytes.
func BenchmarkAnthropicBatch(b *testing.B) {
	format, err := decode.NewAnthropicBatch(decode.BatchOptions{Jobs: []decode.BatchJob{{ID: "", StartedAt: time.Unix(1793487580, 0)}}})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"custom_id":"doc-%d","result":{"type":"succeeded","message":{"id":"msg_%d","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[{"type":"text","text":"%s"}],"stop_reason":"end_turn","usage":{"input_tokens":%d,"cache_creation_input_tokens":0,"cache_read_input_tokens":2000,"output_tokens":50,"service_tier":"batch"}}}}`, i, i, strings.Repeat("An answer. ", 20), 1000+i)
	})
}

// BenchmarkBedrockBatch decodes prompts and answers of a few hundred bytes.
func BenchmarkBedrockBatch(b *testing.B) {
	format, err := decode.NewBedrockBatch(decode.BatchOptions{Model: "m", Jobs: []decode.BatchJob{{ID: "", StartedAt: time.Unix(1793487580, 0)}}})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, format, "", func(i int) string {
		return fmt.Sprintf(`{"recordId":"REC%08d","modelInput":{"messages":[{"role":"user","content":"%[2]s"}]},"modelOutput":{"id":"msg_%[1]d","content":[{"type":"text","text":"%[2]s"}],"usage":{"input_tokens":%[3]d,"output_tokens":20}}}`, i, strings.Repeat("Some text. ", 20), 10+i)
	})
}
