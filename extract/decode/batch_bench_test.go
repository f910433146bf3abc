package decode_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chargeback/extract/decode"
)

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
