package decode

import (
	"chargeback/extract/decode/jsonscan"
)

// vercelReader reads what a provider told Vercel's AI SDK of its usage, as JSON in
// an attribute. The SDK's own counts leave out what was written to the prompt
// cache, and before version 6 the input of Anthropic and Bedrock left out what was
// read from it.
type vercelReader struct {
	scanner *jsonscan.Scanner
	text    []byte
}

// The places in vercelSpec.
const (
	vercelInput = iota
	vercelRead
	vercelWritten
	vercelWritten5m
	vercelWritten1h
	vercelSearches
	vercelReadBefore
	vercelWrittenBefore
	vercelBedrockRead
	vercelBedrockWritten
	vercelOpenAIRead
)

var vercelSpec = mustCompile(
	"anthropic.usage.input_tokens", "anthropic.usage.cache_read_input_tokens", "anthropic.usage.cache_creation_input_tokens",
	"anthropic.usage.cache_creation.ephemeral_5m_input_tokens", "anthropic.usage.cache_creation.ephemeral_1h_input_tokens", "anthropic.usage.server_tool_use.web_search_requests",
	"anthropic.cacheReadInputTokens", "anthropic.cacheCreationInputTokens",
	"bedrock.usage.cacheReadInputTokens", "bedrock.usage.cacheWriteInputTokens",
	"openai.cachedPromptTokens",
)

// read puts what the attribute tells in the place of the SDK's counts. Text that
// is no JSON tells nothing.
func (r *vercelReader) read(metadata jsonscan.Value, c *tokenCounts) (err error) {
	if metadata.Kind != jsonscan.String {
		return nil
	}
	if cap(r.text) > textBytesKept {
		r.text = nil
	}
	r.text = metadata.AppendText(r.text[:0])
	if len(r.text) == 0 || r.text[0] != '{' {
		return nil
	}
	if _, err := r.scanner.Scan(r.text); err != nil {
		return nil
	}
	v := r.scanner.Values
	has := func(place int) bool { return !missing(v[place]) }
	count := func(place int) (n int64) {
		if err == nil {
			n, err = whole(v[place], "ai.response.providerMetadata")
		}
		return n
	}
	switch {
	case has(vercelInput):
		c.input, c.cached, c.written = count(vercelInput), count(vercelRead), count(vercelWritten)
		c.written5m, c.written1h, c.searches = count(vercelWritten5m), count(vercelWritten1h), count(vercelSearches)
		c.exclusive, c.total = true, 0
	case has(vercelWrittenBefore), has(vercelReadBefore):
		c.cached, c.written = max(c.cached, count(vercelReadBefore)), count(vercelWrittenBefore)
		c.exclusive, c.total = true, 0
	case has(vercelBedrockWritten) && c.written == 0:
		if c.written = count(vercelBedrockWritten); c.written > 0 { // version 6 would have told it
			c.cached, c.exclusive, c.total = max(c.cached, count(vercelBedrockRead)), true, 0
		}
	case c.cached == 0:
		c.cached = count(vercelOpenAIRead)
	}
	return err
}
