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

// usageFields are the places in which providers' answers tell what they
// metered. One set reads all shapes: OpenAI's chat and responses (input includes
// the prompt cache), Anthropic's messages and Bedrock's Converse and Nova (input
// leaves it out), and the counts that Titan, Llama and Cohere have.
type usageFields struct {
	inclusive, input, exclusive, output   []int
	details                               []int // an object that only inclusive shapes have
	cached, written, written5m, written1h []int
	reasoning, inputAudio, inputImage     []int
	cachedAudio, outputAudio, outputImage []int
	searches, cacheDetails, total         []int
	tier                                  []int
}

// usage adds the places in which an answer at root, such as "response.body.",
// tells its usage.
func (f *fields) usage(root string) usageFields {
	at := func(names ...string) (indexes []int) {
		for _, name := range names {
			indexes = append(indexes, f.one(root+name))
		}
		return indexes
	}
	return usageFields{
		inclusive: at("usage.prompt_tokens"),
		input:     at("usage.input_tokens"),
		exclusive: at("usage.inputTokens", "inputTextTokenCount", "prompt_token_count", "meta.billed_units.input_tokens"),
		output: at("usage.completion_tokens", "usage.output_tokens", "usage.outputTokens", "results.[0].tokenCount", "generation_token_count",
			"meta.billed_units.output_tokens"),
		total:        at("usage.total_tokens"),
		details:      at("usage.input_tokens_details"),
		cached:       at("usage.prompt_tokens_details.cached_tokens", "usage.input_tokens_details.cached_tokens", "usage.cache_read_input_tokens", "usage.cacheReadInputTokens", "usage.cacheReadInputTokenCount"),
		written:      at("usage.prompt_tokens_details.cache_write_tokens", "usage.input_tokens_details.cache_write_tokens", "usage.cache_creation_input_tokens", "usage.cacheWriteInputTokens", "usage.cacheWriteInputTokenCount"),
		written5m:    at("usage.cache_creation.ephemeral_5m_input_tokens"),
		written1h:    at("usage.cache_creation.ephemeral_1h_input_tokens"),
		cacheDetails: at("usage.cacheDetails"),
		reasoning:    at("usage.completion_tokens_details.reasoning_tokens", "usage.output_tokens_details.reasoning_tokens"),
		inputAudio:   at("usage.prompt_tokens_details.audio_tokens", "usage.input_tokens_details.audio_tokens"),
		inputImage:   at("usage.prompt_tokens_details.image_tokens", "usage.input_tokens_details.image_tokens"),
		cachedAudio:  at("usage.prompt_tokens_details.cached_audio_tokens"),
		outputAudio:  at("usage.completion_tokens_details.audio_tokens", "usage.output_tokens_details.audio_tokens"),
		outputImage:  at("usage.completion_tokens_details.image_tokens", "usage.output_tokens_details.image_tokens"),
		searches:     at("usage.server_tool_use.web_search_requests"),
		tier:         at("usage.service_tier", "service_tier", "serviceTier.type"),
	}
}

// read makes disjoint tokens of an answer's usage, and says which of the two
// counts the answer tells: an embedding has no output.
func (u *usageFields) read(v []jsonscan.Value, t *record.Tokens) (hasInput, hasOutput bool, err error) {
	count := func(indexes []int, field string) (n int64) {
		if err == nil {
			n, err = whole(firstPresent(v, indexes), field)
		}
		return n
	}
	present := func(indexes []int) bool { return !missing(firstPresent(v, indexes)) }
	var c tokenCounts
	hasInput, hasOutput = true, present(u.output)
	switch {
	case present(u.inclusive):
		c.input = count(u.inclusive, "usage.prompt_tokens")
	case present(u.input):
		c.input, c.exclusive = count(u.input, "usage.input_tokens"), firstPresent(v, u.details).Kind != jsonscan.Object
	case present(u.exclusive):
		c.input, c.exclusive = count(u.exclusive, "usage.inputTokens"), true
	default:
		hasInput = false
	}
	if err != nil || !hasInput && !hasOutput {
		return false, false, err
	}
	c.output = count(u.output, "output tokens")
	c.cached, c.written = count(u.cached, "cache read tokens"), count(u.written, "cache write tokens")
	c.written5m, c.written1h = count(u.written5m, "ephemeral_5m_input_tokens"), count(u.written1h, "ephemeral_1h_input_tokens")
	c.reasoning, c.searches = count(u.reasoning, "reasoning_tokens"), count(u.searches, "web_search_requests")
	c.inputAudio, c.inputImage, c.cachedAudio = count(u.inputAudio, "input audio_tokens"), count(u.inputImage, "input image_tokens"), count(u.cachedAudio, "cached_audio_tokens")
	c.outputAudio, c.outputImage = count(u.outputAudio, "output audio_tokens"), count(u.outputImage, "output image_tokens")
	// Portkey gives Anthropic's and Bedrock's counts OpenAI's names: where only a
	// total with the cache on top adds up, the prompt's count leaves it out.
	if cache := c.cached + c.written; cache > 0 && present(u.inclusive) {
		c.exclusive = count(u.total, "usage.total_tokens") == c.input+c.output+cache
	}
	if list := firstPresent(v, u.cacheDetails); err == nil && list.Kind == jsonscan.Array {
		err = timesToLive(jsonscan.NewScanner(ttlSpec), list, &c)
	}
	if err != nil {
		return false, false, err
	}
	return hasInput, hasOutput, c.disjoint(t)
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
