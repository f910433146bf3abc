package decode

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"

	"chargeback/extract/decode/jsonscan"
)

// otlpFields are the places of attributes; of each list the first one that is
// present counts. Newer names come before older ones.
type otlpFields struct {
	operation, provider, requestModel, responseModel []int
	providerRequestID, responseID                    []int
	errorType, tier, requestTier, reported           []int
	conversation, userID, userEmail, endUser         []int
	account                                          []int
	agentID, costCenter, clientRef, toolCalls        []int
	team, caller                                     []int
	tokens                                           otlpTokens
	event                                            otlpEventFields
}

// otlpTokens are the places of counts.
type otlpTokens struct {
	input, output, cached, written, written5m, written1h  otlpCount
	reasoning, inputAudio, inputImage, cachedAudio        otlpCount
	outputAudio, outputImage, compactionIn, compactionOut otlpCount
	exclusive                                             bool
}

// otlpCount is where a count is, and what it is called today.
type otlpCount struct {
	places []int
	field  string
}

func (t *OTLP) count(names ...string) otlpCount { return otlpCount{t.first(names...), names[0]} }

// otlpEventFields are the places of what only Claude Code's events have.
type otlpEventFields struct {
	name, time, model, account, sequence, requestID, clientRequestID []int
	prompt, session, duration, speed, status, cost, costMicros       []int
	tokens                                                           otlpTokens
}

// first gives attributes their places.
func (t *OTLP) first(names ...string) []int {
	indexes := make([]int, 0, len(names))
	for _, name := range names {
		place, known := t.keys[name]
		if !known {
			place = len(t.keys)
			t.keys[name] = place
		}
		indexes = append(indexes, place)
	}
	return indexes
}

// or is first with what counts where the config names nothing.
func (t *OTLP) or(named []string, usual ...string) []int {
	if len(named) == 0 {
		named = usual
	}
	return t.first(named...)
}

func (t *OTLP) fields(o OTLPOptions) otlpFields {
	agent := []string{"gen_ai.agent.id", "gen_ai.agent.name"}
	if o.Side == AgentSide { // on the other one the service is the provider's
		agent = append(agent, "service.name")
	}
	return otlpFields{
		operation:         t.first("gen_ai.operation.name", "llm.request.type"),
		provider:          t.first("gen_ai.provider.name", "gen_ai.system"),
		requestModel:      t.first("gen_ai.request.model"),
		responseModel:     t.first("gen_ai.response.model"),
		providerRequestID: t.first("anthropic.request.id", "aws.request_id", "azure.service.request.id", "az.service_request_id"),
		responseID:        t.first("gen_ai.response.id"),
		errorType:         t.first("error.type"),
		tier:              t.first("anthropic.response.service_tier", "openai.response.service_tier", "gen_ai.openai.response.service_tier"),
		requestTier:       t.first("openai.request.service_tier", "gen_ai.openai.request.service_tier"),
		reported:          t.first("gen_ai.usage.cost", "gen_ai.usage.total_cost", "operation.cost"),
		conversation:      t.first("gen_ai.conversation.id", "session.id"),
		userID:            t.first("user.id", "enduser.id", "user.name"),
		userEmail:         t.first("user.email"),
		endUser:           t.first("enduser.id", "enduser.pseudo.id"),
		account:           t.first("anthropic.workspace.id", "anthropic.organization.id"),
		agentID:           t.or(o.AgentID, agent...),
		costCenter:        t.first(o.CostCenter...),
		clientRef:         t.first(o.ClientRef...),
		toolCalls:         t.first(o.ToolCalls...),
		team:              t.or(o.Team, "team.id"),
		caller:            t.or(o.Caller, "user.id", "enduser.id"),
		tokens:            t.tokens(),
		event:             t.event(),
	}
}

func (t *OTLP) tokens() otlpTokens {
	const u = "gen_ai.usage."
	return otlpTokens{
		input:         t.count(u+"input_tokens", u+"prompt_tokens"),
		output:        t.count(u+"output_tokens", u+"completion_tokens"),
		cached:        t.count(u+"cache_read.input_tokens", u+"cache_read_input_tokens", u+"cached_input_tokens", u+"input_tokens.cached", u+"details.cache_read_tokens", u+"details.cached_tokens"),
		written:       t.count(u+"cache_write.input_tokens", u+"cache_creation.input_tokens", u+"cache_write_input_tokens", u+"cache_creation_input_tokens", u+"details.cache_write_tokens"),
		written5m:     t.count("anthropic.usage.cache_creation.ephemeral_5m_input_tokens"),
		written1h:     t.count("anthropic.usage.cache_creation.ephemeral_1h_input_tokens"),
		reasoning:     t.count(u+"reasoning.output_tokens", u+"reasoning_tokens", u+"output_tokens.reasoning", u+"details.reasoning_tokens"),
		inputAudio:    t.count(u+"audio.input_tokens", u+"details.input_audio_tokens"),
		inputImage:    t.count(u + "image.input_tokens"),
		cachedAudio:   t.count(u+"audio.cache_read.input_tokens", u+"details.cache_audio_read_tokens"),
		outputAudio:   t.count(u+"audio.output_tokens", u+"details.output_audio_tokens"),
		outputImage:   t.count(u + "image.output_tokens"),
		compactionIn:  t.count("anthropic.usage.compaction.input_tokens"),
		compactionOut: t.count("anthropic.usage.compaction.output_tokens"),
	}
}

func (t *OTLP) event() otlpEventFields {
	return otlpEventFields{
		name:            t.first("event.name"),
		time:            t.first("event.timestamp"),
		model:           t.first("model"),
		account:         t.first("user.account_uuid", "user.id", "user.account_id"),
		sequence:        t.first("event.sequence"),
		requestID:       t.first("request_id"),
		clientRequestID: t.first("client_request_id"),
		prompt:          t.first("prompt.id"),
		session:         t.first("session.id"),
		duration:        t.first("duration_ms"),
		speed:           t.first("speed"),
		status:          t.first("status_code"),
		cost:            t.first("cost_usd"),
		costMicros:      t.first("cost_usd_micros"),
		tokens: otlpTokens{
			input: t.count("input_tokens"), output: t.count("output_tokens"),
			cached: t.count("cache_read_tokens"), written: t.count("cache_creation_tokens"), exclusive: true,
		},
	}
}

// otlpOperations says of each known operation whether its spans are requests to
// a model.
func otlpOperations(more []string) map[string]bool {
	operations := map[string]bool{}
	for _, name := range []string{"invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "retrieval", "plan", "workflow", "agent", "tool", "task", "framework"} {
		operations[name] = false
	}
	for _, name := range []string{"chat", "generate_content", "text_completion", "embeddings"} {
		operations[name] = true
	}
	// Names of before the conventions, and slips.
	for _, name := range []string{"completion", "embedding", "chat.completions", "text.completions"} {
		operations[name] = true
	}
	for _, name := range more {
		operations[name] = true
	}
	return operations
}

// otlpProviders are the words of the conventions, and of SDKs before them, for
// those of the rate book.
func otlpProviders() map[string][]byte {
	words := map[string][]byte{}
	for ours, theirs := range map[string][]string{
		"bedrock":      {"aws.bedrock", "aws_bedrock", "amazon-bedrock", "amazon_bedrock", "amazon.bedrock", "aws"},
		"vertex_ai":    {"gcp.vertex_ai", "vertexai", "vertex", "google_vertexai", "google.vertex", "gcp.gen_ai"},
		"gemini":       {"gcp.gemini", "google.generative-ai", "google_genai", "google_generativeai", "google"},
		"azure":        {"azure.ai.openai", "az.ai.openai", "azure.openai", "azure_openai", "azure-openai"},
		"azure_ai":     {"azure.ai.inference", "az.ai.inference"},
		"mistral":      {"mistral_ai", "mistralai"},
		"xai":          {"x_ai", "x-ai"},
		"moonshot":     {"moonshot_ai", "moonshotai"},
		"together_ai":  {"togetherai", "together"},
		"fireworks_ai": {"fireworks"},
		"watsonx":      {"ibm.watsonx.ai", "ibm.watsonx"},
	} {
		words[ours] = []byte(ours)
		for _, word := range theirs {
			words[word] = words[ours]
		}
	}
	return words
}

// provider is the rate book's word for who is paid.
func (d *otlpDecoder) provider(model []byte) []byte {
	named := d.name(d.f.provider)
	switch {
	case len(named) == 0 && bytes.HasPrefix(d.levels[scopeLevel].name, []byte("com.anthropic.")):
		return anthropicName
	case len(named) == 0:
		return provider(nil, model)
	case hasCapitals(named):
		named = bytes.ToLower(named)
	}
	if word, known := d.providers[string(named)]; known {
		return word
	}
	// Vercel's SDK appends the API, as in openai.responses.
	if dot := bytes.LastIndexByte(named, '.'); dot > 0 {
		switch string(named[dot+1:]) {
		case "chat", "messages", "responses", "completion", "embedding":
			if named = named[:dot]; d.providers[string(named)] != nil {
				return d.providers[string(named)]
			}
		}
	}
	return named
}

var anthropicName = []byte("anthropic")

// The lookups go from the span or event to its scope and its resource.

func (d *otlpDecoder) name(indexes []int) []byte {
	for level := itemLevel; level >= resourceLevel; level-- {
		if a := &d.levels[level].attributes; a.some {
			if s := firstName(a.v, indexes); len(s) > 0 {
				return s
			}
		}
	}
	return nil
}

func (d *otlpDecoder) id(indexes []int) []byte { return normID(d.name(indexes)) }

func (d *otlpDecoder) value(indexes []int) jsonscan.Value {
	for level := itemLevel; level >= resourceLevel; level-- {
		if v := firstPresent(d.levels[level].attributes.v, indexes); v.Kind != jsonscan.Absent {
			return v
		}
	}
	return jsonscan.Value{}
}

// own are the attributes of the span or event itself.
func (d *otlpDecoder) own() []jsonscan.Value { return d.levels[itemLevel].attributes.v }

// has says whether the span or event itself has one of some attributes.
func (d *otlpDecoder) has(indexes []int) bool { return !missing(firstPresent(d.own(), indexes)) }

// otlpID is a trace or span id of size bytes as lower-case hex. Exporters that
// follow protobuf's own JSON write base64.
func otlpID(v jsonscan.Value, size int, buf []byte) []byte {
	s := name(v)
	switch {
	case len(bytes.Trim(s, "0")) == 0:
		return nil
	case len(s) == 2*size && isHex(s):
		for i, c := range s {
			if c >= 'A' && c <= 'F' {
				c |= 0x20
			}
			buf[i] = c
		}
		return buf[:2*size]
	case len(s) == base64.StdEncoding.EncodedLen(size):
		var raw [24]byte
		if n, err := base64.StdEncoding.Decode(raw[:], s); err == nil && n == size {
			if raw == ([24]byte{}) {
				return nil
			}
			return buf[:hex.Encode(buf, raw[:size])]
		}
	}
	return s
}

// nanos reads nanoseconds since 1970 as microseconds. Zero is missing.
func nanos(v jsonscan.Value, field string) (us int64, present bool, err error) {
	if missing(v) {
		return 0, false, nil
	}
	us, ok := int64(0), v.Kind == jsonscan.String || v.Kind == jsonscan.Number
	if ok {
		us, ok = shifted(bytes.TrimSpace(v.Raw), -3)
	}
	switch {
	case !ok:
		return 0, false, &FieldError{field, "is not nanoseconds since 1970"}
	case us == 0:
		return 0, false, nil
	case us < yearMinMicros || us >= yearEndMicros:
		return 0, false, &FieldError{field, "lies outside the years 2015 to 2100"}
	}
	return us, true, nil
}
