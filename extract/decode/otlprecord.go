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
	errorType, tier, requestTier                     []int
	reported, reportedInput, reportedOutput          []int
	system, service, agentName, codexTotal, metadata []int
	speed, region, host                              []int
	conversation, userID, userEmail, endUser         []int
	account                                          []int
	agentID, costCenter, clientRef, toolCalls        []int
	team, caller                                     []int
	tokens                                           otlpTokens
	uncounted                                        []int // counts that are not read
	claude, codex, gemini                            otlpEventFields
}

// otlpTokens are the places of counts.
type otlpTokens struct {
	input, output, cached, written, written5m, written1h  otlpCount
	reasoning, inputAudio, inputImage, cachedAudio        otlpCount
	outputAudio, outputImage, compactionIn, compactionOut otlpCount
	total, thoughts, toolUse                              otlpCount // thoughts and toolUse as Gemini counts them, beside output and input
	searches                                              otlpCount
	exclusive                                             bool
}

// otlpCount is where a count is, and what it is called today.
type otlpCount struct {
	places []int
	field  string
}

func (t *OTLP) count(names ...string) otlpCount { return otlpCount{t.first(names...), names[0]} }

// otlpEventFields are the places of what only the events of one program have.
type otlpEventFields struct {
	name, kind, time, model, account, sequence, requestID, clientRequestID []int
	responseID, prompt, session, duration, speed, status, auth             []int
	cost, costMicros                                                       []int
	tokens                                                                 otlpTokens
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
		operation:         t.first("gen_ai.operation.name", "llm.request.type", "ai.operationId", "openinference.span.kind", "traceloop.span.kind"),
		provider:          t.first("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "llm.vendor", "ai.model.provider"),
		requestModel:      t.first("gen_ai.request.model", "llm.request.model", "llm.model_name", "embedding.model_name", "ai.model.id"),
		responseModel:     t.first("gen_ai.response.model", "llm.response.model", "ai.response.model"),
		providerRequestID: t.first("anthropic.request.id", "aws.request_id", "azure.service.request.id", "az.service_request_id"),
		responseID:        t.first("gen_ai.response.id", "llm.response.id", "ai.response.id"),
		errorType:         t.first("error.type"),
		tier:              t.first("anthropic.response.service_tier", "openai.response.service_tier", "gen_ai.openai.response.service_tier"),
		requestTier:       t.first("openai.request.service_tier", "gen_ai.openai.request.service_tier"),
		speed:             t.first("anthropic.response.speed", "anthropic.usage.speed"),
		region:            t.first("anthropic.response.inference_geo", "anthropic.usage.inference_geo"),
		host:              t.first("server.address"),
		reported:          t.first("gen_ai.usage.cost", "gen_ai.usage.total_cost", "gen_ai.usage.cost.total", "gen_ai.usage.cost.usd", "gen_ai.usage.cost_usd", "operation.cost", "llm.cost.total"),
		reportedInput:     t.first("gen_ai.usage.cost.input", "gen_ai.usage.cost.prompt", "gen_ai.usage.input_cost", "llm.cost.prompt"),
		reportedOutput:    t.first("gen_ai.usage.cost.output", "gen_ai.usage.cost.completion", "gen_ai.usage.output_cost", "llm.cost.completion"),
		system:            t.first("llm.system"),
		service:           t.first("service.name"),
		agentName:         t.first("gen_ai.agent.name", "gen_ai.agent.id", "agent_name"),
		codexTotal:        t.first("codex.usage.total_tokens"),
		metadata:          t.first("ai.response.providerMetadata"),
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
		uncounted: t.first("gen_ai.usage.total_tokens", "llm.token_count.total", "llm.usage.total_tokens", "ai.usage.totalTokens", "input_tokens", "output_tokens", "prompt_tokens", "completion_tokens", "total_tokens",
			"input_token_count", "output_token_count", "total_token_count", "gen_ai.input_tokens", "gen_ai.output_tokens", "llm.input_tokens", "llm.output_tokens", "agentops.prompt_tokens", "agentops.completion_tokens", "langfuse.observation.usage_details", "mlflow.chat.tokenUsage"),
		claude: t.claude(),
		codex:  t.codex(),
		gemini: t.gemini(),
	}
}

func (t *OTLP) tokens() otlpTokens {
	const u = "gen_ai.usage."
	return otlpTokens{
		input:         t.count(u+"input_tokens", u+"prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens", "llm.usage.input_tokens", "ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
		output:        t.count(u+"output_tokens", u+"completion_tokens", "llm.token_count.completion", "llm.usage.completion_tokens", "llm.usage.output_tokens", "ai.usage.outputTokens", "ai.usage.completionTokens"),
		cached:        t.count(u+"cache_read.input_tokens", u+"cache_read_input_tokens", u+"cached_input_tokens", u+"input_tokens.cached", u+"cache_read_tokens", u+"cached_tokens", u+"details.cache_read_tokens", u+"details.cached_tokens", "llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input", "llm.usage.cache_read_input_tokens", "ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens"),
		written:       t.count(u+"cache_write.input_tokens", u+"cache_creation.input_tokens", u+"cache_write_input_tokens", u+"cache_creation_input_tokens", u+"input_tokens.cache_write", u+"cache_write_tokens", u+"cache_creation_tokens", u+"details.cache_write_tokens", "llm.token_count.prompt_details.cache_write", "llm.usage.cache_creation_input_tokens", "ai.usage.inputTokenDetails.cacheWriteTokens", "ai.usage.cacheCreationInputTokens"),
		written5m:     t.count("anthropic.usage.cache_creation.ephemeral_5m_input_tokens"),
		written1h:     t.count("anthropic.usage.cache_creation.ephemeral_1h_input_tokens"),
		reasoning:     t.count(u+"reasoning.output_tokens", u+"reasoning_tokens", u+"output_tokens.reasoning", u+"details.reasoning_tokens", u+"thoughts_tokens", "llm.token_count.completion_details.reasoning", "llm.usage.reasoning_tokens", "ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
		inputAudio:    t.count(u+"audio.input_tokens", u+"details.input_audio_tokens", "llm.token_count.prompt_details.audio"),
		inputImage:    t.count(u + "image.input_tokens"),
		cachedAudio:   t.count(u+"audio.cache_read.input_tokens", u+"details.cache_audio_read_tokens"),
		outputAudio:   t.count(u+"audio.output_tokens", u+"details.output_audio_tokens", "llm.token_count.completion_details.audio"),
		outputImage:   t.count(u + "image.output_tokens"),
		total:         t.count(u+"total_tokens", "llm.token_count.total", "llm.usage.total_tokens", "ai.usage.totalTokens"),
		compactionIn:  t.count("anthropic.usage.compaction.input_tokens"),
		searches:      t.count("anthropic.usage.server_tool_use.web_search_requests", u+"server_tool_use.web_search_requests", u+"details.web_search_requests"),
		compactionOut: t.count("anthropic.usage.compaction.output_tokens"),
	}
}

// events are the places that programs share.
func (t *OTLP) events() otlpEventFields {
	return otlpEventFields{
		name:            t.first("event.name"),
		kind:            t.first("event.kind"),
		time:            t.first("event.timestamp"),
		model:           t.first("model"),
		account:         t.first("user.account_uuid", "user.id", "user.account_id"),
		sequence:        t.first("event.sequence"),
		requestID:       t.first("request_id"),
		clientRequestID: t.first("client_request_id"),
		prompt:          t.first("prompt.id", "prompt_id"),
		session:         t.first("session.id", "conversation.id", "gen_ai.conversation.id"),
		duration:        t.first("duration_ms"),
		speed:           t.first("speed"),
		status:          t.first("status_code", "http.response.status_code", "error.type"),
		auth:            t.first("auth_type"),
		cost:            t.first("cost_usd"),
		costMicros:      t.first("cost_usd_micros"),
	}
}

func (t *OTLP) claude() otlpEventFields {
	f := t.events()
	f.tokens = otlpTokens{
		input: t.count("input_tokens"), output: t.count("output_tokens"),
		cached: t.count("cache_read_tokens"), written: t.count("cache_creation_tokens"), exclusive: true,
	}
	return f
}

func (t *OTLP) codex() otlpEventFields {
	f := t.events()
	f.model, f.responseID = t.first("model", "slug"), t.first("response.id", "response_id")
	f.tokens = otlpTokens{
		input: t.count("input_token_count"), output: t.count("output_token_count"),
		cached: t.count("cached_token_count"), written: t.count("cache_write_token_count"), reasoning: t.count("reasoning_token_count"), total: t.count("tool_token_count"),
	}
	return f
}

func (t *OTLP) gemini() otlpEventFields {
	f := t.events()
	f.responseID = t.first("response_id", "gen_ai.response.id")
	f.tokens = otlpTokens{
		input: t.count("input_token_count"), output: t.count("output_token_count"), cached: t.count("cached_content_token_count"),
		thoughts: t.count("thoughts_token_count"), toolUse: t.count("tool_token_count"), total: t.count("total_token_count"),
	}
	return f
}

// otlpOperations says of each known operation whether its spans are requests to
// a model. The others are no calls, or repeat what the calls below them counted.
func otlpOperations(o OTLPOptions) map[string]bool {
	operations := map[string]bool{}
	note := func(request bool, names ...string) {
		for _, name := range names {
			operations[name] = request
		}
	}
	note(true, "chat", "generate_content", "text_completion", "embeddings")
	note(false, "invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "retrieval", "plan", "workflow", "agent", "tool", "task", "framework")
	// Names of before the conventions, and slips.
	note(true, "completion", "embedding", "chat.completions", "text.completions")
	// Vercel's AI SDK: what it is asked, which repeats the counts, and the calls below.
	note(true, "ai.generateText.doGenerate", "ai.streamText.doStream", "ai.generateObject.doGenerate", "ai.streamObject.doStream", "ai.embed.doEmbed", "ai.embedMany.doEmbed")
	note(false, "ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject", "ai.embed", "ai.embedMany", "ai.rerank", "ai.toolCall", "agent_step")
	// OpenInference's kinds of spans.
	note(true, "LLM", "EMBEDDING")
	note(false, "CHAIN", "AGENT", "TOOL", "RETRIEVER", "EVALUATOR", "GUARDRAIL", "PROMPT")
	note(false, pydanticRun)
	// LiteLLM's types of calls.
	note(true, "acompletion", "aembedding", "atext_completion", "responses", "aresponses", "anthropic_messages", "agenerate_content", "generate_content_stream", "agenerate_content_stream")
	note(true, o.Operations...)
	note(false, o.Parents...)
	return operations
}

// pydanticRun is the name of Pydantic AI's spans of an agent, which name no
// operation.
const pydanticRun = "agent run"

// provider is the rate book's word for who is paid.
func (d *otlpDecoder) provider(model []byte) []byte {
	named := d.name(d.f.provider)
	switch {
	case len(named) == 0 && bytes.HasPrefix(d.levels[scopeLevel].name, []byte("com.anthropic.")):
		return anthropicName
	case len(named) == 0:
		return provider(nil, model)
	}
	if bytes.EqualFold(named, []byte("google")) && string(d.name(d.f.system)) == "vertexai" { // OpenInference tells the company before the service
		return vertexProvider
	}
	// Vercel's SDK appends the API, as in openai.responses or google.vertex.chat, and
	// the maker of the model, as in vertex.anthropic.messages.
	if dot := bytes.LastIndexByte(named, '.'); dot > 0 && providerWord(named) == nil {
		switch string(named[dot+1:]) {
		case "chat", "messages", "responses", "completion", "embedding", "textembedding":
			named = named[:dot]
			for rest := named; dot > 0; rest = rest[:dot] {
				if ours := providerWord(rest); ours != nil {
					return ours
				}
				if dot = bytes.LastIndexByte(rest, '.'); dot < 0 {
					break
				}
			}
		}
	}
	return provider(named, model)
}

// region is where a request was served, as far as its own attributes name it or
// the host that was called.
func (d *otlpDecoder) region() []byte {
	if region := geography(firstPresent(d.own(), d.f.region)); len(region) > 0 {
		return region
	}
	return hostRegion(firstName(d.own(), d.f.host))
}

// The lookups go from the span or event to its scope and its resource.

func (d *otlpDecoder) name(indexes []int) []byte {
	for level := itemLevel; level >= resourceLevel; level-- {
		if a := &d.levels[level].attributes; len(a.some) > 0 {
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

// counts says whether the span or event itself has one of some counts that is not
// 0.
func (d *otlpDecoder) counts(indexes []int) bool {
	for _, i := range indexes {
		if v := d.own()[i]; !missing(v) && string(v.Raw) != "0" {
			return true
		}
	}
	return false
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
