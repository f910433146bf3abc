package decode_test

import (
	"fmt"
	"strings"
	"testing"

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
