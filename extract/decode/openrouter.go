package decode

import (
	"bytes"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// OpenRouterOptions names dotted paths, which are looked up in the observation
// first and in its trace then. Metadata that callers send in a request's trace
// field stands below metadata.
type OpenRouterOptions struct {
	RequestOptions
	EndUser []string
	Team    []string
}

// OpenRouter reads the traces that OpenRouter's Broadcast writes to S3, one row
// per generation among a trace's observations, and generations as its API gives
// them. Natural key: the trace's id and the observation's, or its start where it
// has no id. Of the API's two sets of counts the native ones are read, which are
// what is billed. A prompt's count includes what was read from the prompt cache.
// Costs are US dollars.
type OpenRouter struct {
	spec  *jsonscan.Spec
	f     openrouterFields
	texts []textFields
}

type openrouterFields struct {
	wrapped                                             []int
	observations, kind, usage, usageDetails             int
	id, traceID, upstreamID, started, ended, model      []int
	userID, session, key, providerName, tier            []int
	prompt, completion, cached, written, reasoning      []int
	images, cost, level, finish, ownKey, endUser, team  []int
	total, searches, speed, region                      []int
	agentID, toolCalls, costCenter, clientRef, errorKey []int
}

// NewOpenRouter compiles the format.
func NewOpenRouter(o OpenRouterOptions) (*OpenRouter, error) {
	var want fields
	f := openrouterFields{
		wrapped:      want.first("trace", "data"),
		observations: want.one("observations"),
		kind:         want.one("type"),
		usage:        want.one("usage"),
		usageDetails: want.one("usageDetails"),
		id:           want.first("id", "observationId"),
		traceID:      want.first("id", "traceId", "trace_id"),
		upstreamID:   want.first("upstream_id", "upstreamId"),
		started:      want.first("startTime", "start_time", "created_at", "createdAt", "timestamp"),
		ended:        want.first("endTime", "end_time"),
		model:        want.first("model", "providedModelName"),
		userID:       want.first("userId", "user_id", "external_user", "externalUser"),
		session:      want.first("sessionId", "session_id"),
		key:          want.first("apiKeyName", "api_key_name"),
		providerName: want.first("provider_name", "providerName"),
		tier:         want.first("service_tier", "serviceTier"),
		prompt:       want.first("native_tokens_prompt", "nativeTokensPrompt", "promptTokens", "usage.prompt_tokens", "usage.input_tokens", "tokens_prompt", "tokensPrompt"),
		completion:   want.first("native_tokens_completion", "nativeTokensCompletion", "completionTokens", "usage.completion_tokens", "usage.output_tokens", "tokens_completion", "tokensCompletion"),
		cached:       want.first("native_tokens_cached", "nativeTokensCached", "cachedTokens", "usage.prompt_tokens_details.cached_tokens"),
		written:      want.first("native_tokens_cache_write", "nativeTokensCacheWrite", "cacheWriteTokens", "usage.prompt_tokens_details.cache_write_tokens"),
		reasoning:    want.first("native_tokens_reasoning", "nativeTokensReasoning", "reasoningTokens", "usage.completion_tokens_details.reasoning_tokens"),
		images:       want.first("native_tokens_completion_images", "nativeTokensCompletionImages", "usage.completion_tokens_details.image_tokens"),
		total:        want.first("totalTokens", "total_tokens", "usage.total_tokens"),
		searches:     want.first("usage.server_tool_use.web_search_requests"),
		speed:        want.first("usage.speed"),
		region:       want.first("usage.inference_geo"),
		cost:         want.first("total_cost", "totalCost", "calculatedTotalCost", "costDetails.total", "usage.cost", "cost", "usage"),
		level:        want.first("level"),
		finish:       want.first("finish_reason", "finishReason", "normalizedFinishReason"),
		ownKey:       want.first("is_byok", "isByok"),
		endUser:      want.first(o.EndUser...),
		team:         want.first(o.Team...),
		agentID:      want.first(o.AgentID...),
		toolCalls:    want.first(o.ToolCalls...),
		costCenter:   want.first(o.CostCenter...),
		clientRef:    want.first(o.ClientRef...),
		errorKey:     want.first("error.code", "statusCode", "status_code"),
	}
	spec, texts, err := want.compile("metadata")
	return &OpenRouter{spec, f, texts}, err
}

// Name implements Format.
func (*OpenRouter) Name() string { return OpenRouterName }

// Schema implements Format.
func (*OpenRouter) Schema() *record.Schema { return record.RequestSchema }

// openrouterDecoder is what one worker reads with.
type openrouterDecoder struct {
	*OpenRouter
	calendar           Calendar
	inner, observation *jsonscan.Scanner
	outerText, ownText []textReader
	r                  record.Request
	tools              toolReader
	details            usageDetails
	scratch            []byte
}

// Decoder implements Format.
func (o *OpenRouter) Decoder(env Env) Decoder {
	d := &openrouterDecoder{OpenRouter: o, calendar: Calendar{zone: env.Zone}}
	d.inner, d.observation = jsonscan.NewScanner(o.spec), jsonscan.NewScanner(o.spec)
	d.outerText, d.ownText = textReaders(o.texts), textReaders(o.texts)
	return newJSONDecoder(env, o.spec, d.record)
}

// record reads a trace or a generation, either of them also below the key that
// an API's answer has it under.
func (d *openrouterDecoder) record(v []jsonscan.Value, line int64, sink *Sink) error {
	if w := firstPresent(v, d.f.wrapped); w.Kind == jsonscan.Object && missing(firstPresent(v, d.f.id)) {
		if _, err := d.inner.Scan(w.Raw); err != nil {
			return err
		}
		v = d.inner.Values
	}
	if err := fillAll(d.outerText, v); err != nil {
		return err
	}
	list := v[d.f.observations]
	if list.Kind != jsonscan.Array {
		return d.call(v, v[:0], line, sink)
	}
	n := 0
	err := jsonscan.Each(list.Raw, func(element []byte) error {
		n++
		if element[0] != '{' {
			sink.Reject(line, "observations: one of them is no object")
			return nil
		}
		_, err := d.observation.Scan(element)
		if err == nil {
			err = fillAll(d.ownText, d.observation.Values)
		}
		if err == nil {
			err = d.call(d.observation.Values, v, line, sink)
		}
		if err != nil {
			sink.Reject(line, "observations: "+err.Error())
		}
		return nil
	})
	if n == 0 && err == nil {
		sink.Ignore()
	}
	return err
}

// within returns the first of the alternatives that o holds, else trace.
func within(o, trace []jsonscan.Value, indexes []int) jsonscan.Value {
	for _, v := range [][]jsonscan.Value{o, trace} {
		if len(v) == 0 {
			continue
		}
		for _, i := range indexes {
			if !missing(v[i]) {
				return v[i]
			}
		}
	}
	return jsonscan.Value{}
}

// call reads one observation of a trace, or a generation without one.
func (d *openrouterDecoder) call(o, trace []jsonscan.Value, line int64, sink *Sink) error {
	if !isModelCall(name(o[d.f.kind])) {
		sink.Ignore() // a span or event around generations
		return nil
	}
	f, r := &d.f, &d.r
	*r = record.Request{Completeness: 2}
	r.AgentID, r.CostCenter = name(within(o, trace, f.agentID)), name(within(o, trace, f.costCenter))
	r.ClientRef = id(within(o, trace, f.clientRef))
	mix, err := d.tools.read(within(o, trace, f.toolCalls))
	if err != nil {
		return err
	}
	r.Tools, r.ToolCalls = mix.text, mix.calls
	started := within(o, trace, f.started)
	if err := d.ids(o, trace, text(started)); err != nil {
		return err
	}
	if r.StartedAt, err = instant(started, "startTime"); err != nil {
		return err
	}
	if ended := within(o, nil, f.ended); !missing(ended) {
		if r.EndedAt, err = instant(ended, "endTime"); err != nil {
			return err
		}
		r.HasEnded = true
	}
	d.names(o, trace)
	if r.ReportedPico, r.HasReported, err = d.cost(o); err != nil {
		return err
	}
	told, err := d.tokens(o)
	if err != nil {
		return err
	}
	d.status(o, told)
	r.Date = d.calendar.Date(r.StartedAt)
	sink.Request(r, line)
	return nil
}

// isModelCall says whether an observation's type is one that costs tokens. One
// without a type is.
func isModelCall(kind []byte) bool {
	return len(kind) == 0 || bytes.EqualFold(kind, []byte("GENERATION")) || bytes.EqualFold(kind, []byte("EMBEDDING"))
}

// ids fills the ids and the key. What the upstream provider answered under is
// the response's id; else OpenRouter's own, which begins with gen-.
func (d *openrouterDecoder) ids(o, trace []jsonscan.Value, started []byte) error {
	f, r := &d.f, &d.r
	own, traceID := firstID(o, f.id), []byte(nil)
	if len(trace) > 0 {
		traceID = firstID(trace, f.traceID)
	}
	if len(own) == 0 && len(traceID) == 0 {
		return &FieldError{"id", "is missing in the trace and in its observation; is this source really in the openrouter format?"}
	}
	r.AgentRequestID = own
	if len(own) == 0 || !isGeneration(own) && isGeneration(traceID) {
		r.AgentRequestID = traceID
	}
	for _, known := range [][]byte{own, traceID} {
		if isGeneration(known) && len(r.ResponseID) == 0 {
			r.ResponseID = known
		}
	}
	if upstream := firstID(o, f.upstreamID); len(upstream) > 0 {
		r.ResponseID = upstream
	}
	r.TraceID = traceID
	if len(traceID) == 0 || bytes.Equal(traceID, r.AgentRequestID) {
		r.TraceID = id(within(o, trace, f.session))
	}
	if len(own) > 0 {
		started = nil
	}
	r.Key = recordKey(&d.scratch, []byte(OpenRouterName), traceID, own, started)
	return nil
}

func isGeneration(s []byte) bool { return bytes.HasPrefix(s, []byte("gen-")) }

var openrouterProvider = []byte("openrouter")

// names fills who asked whom. OpenRouter is who is paid, but where the caller's
// own key was used the provider behind it is.
func (d *openrouterDecoder) names(o, trace []jsonscan.Value) {
	f, r := &d.f, &d.r
	if r.Model = firstName(o, f.model); len(r.Model) == 0 {
		r.Model = unknown
	}
	r.Provider = openrouterProvider
	if own := firstPresent(o, f.ownKey); own.Kind == jsonscan.True {
		named := firstName(o, f.providerName)
		if bytes.EqualFold(named, []byte("google")) { // that of the Gemini API is Google AI Studio
			named = vertexProvider
		}
		r.Provider = provider(named, r.Model)
	}
	r.UserID = email(name(within(o, trace, f.userID)))
	r.EndUser, r.Team = name(within(o, trace, f.endUser)), name(within(o, trace, f.team))
	r.KeyAlias, r.ServiceTier = name(within(o, trace, f.key)), servedTier(firstName(o, f.tier), firstName(o, f.speed))
	r.Region = geography(firstPresent(o, f.region))
}

// cost reads the first of the places that hold an amount.
func (d *openrouterDecoder) cost(o []jsonscan.Value) (pico int64, present bool, err error) {
	for _, i := range d.f.cost {
		if pico, present, err = picoUSD(o[i], "total_cost"); present || err != nil {
			break
		}
	}
	return pico, present, err
}

// tokens reads the counts, or the usage by type where there are none. told says
// that both of input and output are there, also where they are 0.
func (d *openrouterDecoder) tokens(o []jsonscan.Value) (told bool, err error) {
	f, t := &d.f, &d.r.Tokens
	noPrompt, noCompletion := missing(firstPresent(o, f.prompt)), missing(firstPresent(o, f.completion))
	if noPrompt && noCompletion {
		for _, usage := range []jsonscan.Value{o[f.usageDetails], o[f.usage]} {
			if usage.Kind != jsonscan.Object {
				continue
			}
			if err := d.details.read(usage.Raw); err != nil {
				return false, err
			}
			if found, err := d.details.tokens("", t); found || err != nil {
				return d.details.toldZero(), err
			}
		}
		return false, nil
	}
	count := func(indexes []int, field string) (n int64) {
		if err == nil {
			n, err = whole(firstPresent(o, indexes), field)
		}
		return n
	}
	c := tokenCounts{
		input: count(f.prompt, "native_tokens_prompt"), output: count(f.completion, "native_tokens_completion"),
		cached: count(f.cached, "native_tokens_cached"), written: count(f.written, "cache_write_tokens"),
		total: count(f.total, "total_tokens"), searches: count(f.searches, "web_search_requests"),
		reasoning: count(f.reasoning, "native_tokens_reasoning"), outputImage: count(f.images, "native_tokens_completion_images"),
	}
	if err != nil {
		return false, err
	}
	return !noPrompt && !noCompletion && c.total == 0, c.disjoint(t)
}

// status tells failures: what broke before any output. A generation that was
// cancelled or broke later is billed for what it has.
func (d *openrouterDecoder) status(o []jsonscan.Value, told bool) {
	f, r := &d.f, &d.r
	broke := bytes.EqualFold(firstName(o, f.level), []byte("ERROR")) || bytes.EqualFold(firstName(o, f.finish), []byte("error"))
	switch {
	case broke && r.Tokens.Output == 0:
		r.Failed, r.Completeness = true, 0
		r.ErrorCode = firstName(o, f.errorKey)
	case !told && r.Tokens.InputUncached+r.Tokens.CacheRead+r.Tokens.Output == 0:
		r.Completeness = 1
	}
}
