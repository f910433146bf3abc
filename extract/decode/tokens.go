package decode

import (
	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// tokenCounts are the counts of one request as its writer gave them.
type tokenCounts struct {
	input, output                      int64
	total                              int64 // of all that was counted; 0 where the writer doesn't tell
	exclusive                          bool  // input leaves out what was read from and written to the prompt cache
	cached, written                    int64
	written5m, written1h               int64 // parts of written, where the writer tells
	reasoning                          int64
	inputAudio, inputImage             int64
	cachedAudio                        int64 // part of cached and, where inputAudio is at least as large, of that
	outputAudio, outputImage, searches int64
}

// disjoint makes tokens of which none is counted twice. Where the parts of an
// inclusive input exceed the whole, the whole was exclusive after all and stands
// as the uncached part.
func (c tokenCounts) disjoint(t *record.Tokens) error {
	c.written = max(c.written, c.written5m+c.written1h)
	c.byTotal()
	switch {
	case c.reasoning > c.output:
		return &FieldError{"reasoning_tokens", "is larger than output tokens, of which it is a part"}
	case c.reasoning+c.outputAudio+c.outputImage > c.output:
		return &FieldError{"reasoning_tokens", "with audio and image tokens adds up to more than output tokens, of which these are parts"}
	case c.searches > searchesMax:
		return &FieldError{"web_search_requests", "is more than a request can make"}
	case c.cachedAudio > c.cached:
		return &FieldError{"cached_audio_tokens", "is larger than cached tokens, of which it is a part"}
	case max(c.input, c.output, c.written) > tokensMax:
		return &FieldError{"total_tokens", "makes a count larger than 100,000,000"}
	}
	*t = record.Tokens{
		CacheRead: c.cached, CacheWrite5m: c.written5m, CacheWrite1h: c.written1h, CacheWriteUnknown: c.written - c.written5m - c.written1h,
		Output: c.output, Reasoning: c.reasoning, CacheReadAudio: c.cachedAudio, OutputAudio: c.outputAudio, OutputImage: c.outputImage, Searches: c.searches,
	}
	t.InputUncached = c.input
	if rest := c.input - c.cached - c.written; !c.exclusive && rest >= 0 {
		t.InputUncached = rest
	}
	// Where cached audio isn't told apart, audio counts as fresh as far as there is fresh input.
	t.InputAudio = min(max(0, c.inputAudio-c.cachedAudio), t.InputUncached)
	t.InputImage = min(c.inputImage, t.InputUncached-t.InputAudio)
	return nil
}

// byTotal makes the input hold all of the prompt cache, or none of it, and the
// output its reasoning, where the total shows what each of them leaves out. Of
// several readings that add up the first counts: that both hold their parts; that
// the input leaves out reads and writes, writes alone, or reads alone; and each
// of these with the reasoning beside the output, as xAI and Gemini count it.
func (c *tokenCounts) byTotal() {
	over := c.total - c.input - c.output
	if c.total == 0 || over < 0 || over == 0 && c.reasoning <= c.output {
		return
	}
	cache := c.cached + c.written
	for _, beside := range [...]int64{0, c.reasoning} {
		if c.reasoning-beside > c.output {
			continue // more than the output can hold
		}
		for _, without := range [...]int64{0, cache, c.written, c.cached} {
			switch {
			case over != beside+without, !c.exclusive && without > 0 && c.input < cache-without:
				continue
			case c.exclusive || without == cache && cache > 0:
				c.exclusive = true
			default:
				c.input += without
			}
			c.output += beside
			return
		}
	}
}

// uncounted says whether the total tells of tokens that no other count holds.
func (c *tokenCounts) uncounted() bool {
	return c.total > c.input+c.output+c.cached+max(c.written, c.written5m+c.written1h)+c.reasoning
}

// usageFields are the places in which providers' answers tell what they
// metered. One set reads all shapes: OpenAI's chat and responses and those who
// have its API (input includes the prompt cache), Anthropic's messages and
// Bedrock's Converse and Nova (input leaves it out), Gemini's, and the counts
// that Titan, Llama and Cohere have.
type usageFields struct {
	inclusive, input, exclusive, output []int
	details                             int // an object that only inclusive shapes have
	counts                              []countPlace
	cacheDetails                        int
	iterations, outputs, codeRuns       int
	speed, region                       int
	tier                                []int
}

// usageCount is one of the counts of a usage besides input and output.
type usageCount uint8

const (
	usageTotal usageCount = iota
	usageCached
	usageWritten
	usageWritten5m
	usageWritten1h
	usageReasoning
	usageInputAudio
	usageInputImage
	usageCachedAudio
	usageOutputAudio
	usageOutputImage
	usageThoughts   // beside the output, as Gemini counts them
	usageToolPrompt // beside the input, as Gemini counts it
	usageSearches
	usageCounts
)

// usageNames are what messages call the counts.
var usageNames = [usageCounts]string{
	"usage.total_tokens", "cache read tokens", "cache write tokens", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "reasoning_tokens", "input audio_tokens",
	"input image_tokens", "cached_audio_tokens", "output audio_tokens", "output image_tokens", "thoughtsTokenCount", "toolUsePromptTokenCount", "web_search_requests",
}

// countPlace is a place of a count. Of several the first counts that isn't 0: one
// may have a zero for what another tells.
type countPlace struct {
	at int
	of usageCount
}

// usage adds the places in which an answer at root, such as "response.body.",
// tells its usage.
func (f *fields) usage(root string) (u usageFields) {
	at := func(names ...string) (indexes []int) {
		for _, name := range names {
			indexes = append(indexes, f.one(root+name))
		}
		return indexes
	}
	count := func(of usageCount, names ...string) {
		for _, i := range at(names...) {
			u.counts = append(u.counts, countPlace{i, of})
		}
	}
	const gemini = "usageMetadata."
	u.inclusive = at("usage.prompt_tokens", gemini+"promptTokenCount")
	u.input = at("usage.input_tokens")
	u.exclusive = at("usage.inputTokens", "inputTextTokenCount", "prompt_token_count", "meta.billed_units.input_tokens", "usage.prompt_cache_miss_tokens")
	u.output = at("usage.completion_tokens", "usage.output_tokens", "usage.outputTokens", gemini+"candidatesTokenCount", "results.[0].tokenCount", "generation_token_count",
		"meta.billed_units.output_tokens")
	u.details = f.one(root + "usage.input_tokens_details")
	count(usageTotal, "usage.total_tokens", "usage.totalTokens", gemini+"totalTokenCount")
	count(usageCached, "usage.prompt_tokens_details.cached_tokens", "usage.input_tokens_details.cached_tokens", "usage.cache_read_input_tokens", "usage.cacheReadInputTokens", "usage.cacheReadInputTokenCount",
		"usage.num_cached_tokens", "usage.cached_tokens", "usage.prompt_cache_hit_tokens", gemini+"cachedContentTokenCount") // of Mistral, Moonshot, DeepSeek and Gemini
	count(usageWritten, "usage.prompt_tokens_details.cache_write_tokens", "usage.input_tokens_details.cache_write_tokens", "usage.cache_creation_input_tokens", "usage.cacheWriteInputTokens", "usage.cacheWriteInputTokenCount")
	count(usageWritten5m, "usage.cache_creation.ephemeral_5m_input_tokens")
	count(usageWritten1h, "usage.cache_creation.ephemeral_1h_input_tokens")
	count(usageReasoning, "usage.completion_tokens_details.reasoning_tokens", "usage.output_tokens_details.reasoning_tokens", "usage.reasoning_tokens")
	count(usageInputAudio, "usage.prompt_tokens_details.audio_tokens", "usage.input_tokens_details.audio_tokens")
	count(usageInputImage, "usage.prompt_tokens_details.image_tokens", "usage.input_tokens_details.image_tokens")
	count(usageCachedAudio, "usage.prompt_tokens_details.cached_audio_tokens")
	count(usageOutputAudio, "usage.completion_tokens_details.audio_tokens", "usage.output_tokens_details.audio_tokens")
	count(usageOutputImage, "usage.completion_tokens_details.image_tokens", "usage.output_tokens_details.image_tokens")
	count(usageThoughts, gemini+"thoughtsTokenCount")
	count(usageToolPrompt, gemini+"toolUsePromptTokenCount")
	count(usageSearches, "usage.server_tool_use.web_search_requests")
	u.cacheDetails = f.one(root + "usage.cacheDetails")
	u.codeRuns = f.one(root + "usage.server_tool_use.code_execution_requests")
	u.iterations, u.outputs = f.one(root+"usage.iterations"), f.one(root+"output")
	u.tier, u.speed, u.region = at("usage.service_tier", "service_tier", "serviceTier.type"), f.one(root+"usage.speed"), f.one(root+"usage.inference_geo")
	return u
}

var ttlSpec = mustCompile("ttl", "inputTokens")

// timesToLive reads Converse's list of cache writes by time to live. One that
// isn't known stays in what is written alone.
func timesToLive(scanner *jsonscan.Scanner, list jsonscan.Value, c *tokenCounts) error {
	return jsonscan.Each(list.Raw, func(item []byte) error {
		if _, err := scanner.Scan(item); err != nil {
			return err
		}
		n, err := whole(scanner.Values[1], "usage.cacheDetails.inputTokens")
		switch string(text(scanner.Values[0])) {
		case "5m":
			c.written5m += n
		case "1h":
			c.written1h += n
		}
		if err == nil && c.written5m+c.written1h > tokensMax {
			err = &FieldError{"usage.cacheDetails", "adds up to more than 100,000,000"}
		}
		return err
	})
}

// mustCompile makes the spec of paths that stand in this package.
func mustCompile(dotted ...string) *jsonscan.Spec {
	var f fields
	for _, path := range dotted {
		f.one(path)
	}
	return f.spec()
}
