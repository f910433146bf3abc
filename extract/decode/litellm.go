package decode

import (
	"bytes"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// LiteLLM reads the records of LiteLLM's S3 logger and rows of its spend log, as
// JSON, pages of its API or CSV, in which metadata and response are JSON text. Options are dotted paths. Natural
// key: the call id, or the record's id where there is none, so that a callback
// that fired twice is one request. Its prompt count includes what was read from
// and written to the prompt cache. A success without any token, such as a stream
// that broke before its usage, is partial; a call of an MCP tool is a request of
// no tokens and one tool call.
type LiteLLM struct {
	spec               *jsonscan.Spec
	f                  litellmFields
	metadata, response textFields
	columns            []string
}

type litellmFields struct {
	requestID, provider, started, ended, model, cacheHit, prompt, completion int
	id, callID, traceID, status, reported, errorCode, agentID, tool          []int
	providerRequestID, userID, userEmail, endUser, team, key, project        []int
	usage, told, host, total                                                 []int
	iterations, codeRuns, speed                                              []int
	stream, outputs                                                          int
	cached, written, written5m, written1h, reasoning                         []int
	inputAudio, inputImage, cachedAudio, outputAudio, outputImage, searches  []int
	region, tier                                                             []int
	options                                                                  optionFields
}

// providerIDHeaders are the response headers that carry the provider's request
// id, in the order in which they are believed.
var providerIDHeaders = []string{"x-amzn-requestid", "request-id", "x-request-id", "apim-request-id"}

// NewLiteLLM compiles the format.
func NewLiteLLM(o RequestOptions) (*LiteLLM, error) {
	var want fields
	var headers []string
	for _, prefix := range []string{"llm_provider-", ""} {
		for _, h := range providerIDHeaders {
			headers = append(headers, "hidden_params.additional_headers."+prefix+h+"~")
		}
	}
	usage := func(names ...string) []int {
		var indexes []int
		for _, root := range []string{"response.usage.", "metadata.usage_object.", "metadata.additional_usage_values."} {
			for _, name := range names {
				indexes = append(indexes, want.one(root+name))
			}
		}
		return indexes
	}
	f := litellmFields{
		requestID:         want.one("request_id"),
		id:                want.first("id", "request_id"),
		callID:            want.first("litellm_call_id", "metadata.litellm_call_id"),
		traceID:           want.first("trace_id", "session_id"),
		status:            want.first("status", "metadata.status"),
		provider:          want.one("custom_llm_provider"),
		started:           want.one("startTime"),
		ended:             want.one("endTime"),
		model:             want.one("model"),
		cacheHit:          want.one("cache_hit"),
		prompt:            want.one("prompt_tokens"),
		completion:        want.one("completion_tokens"),
		reported:          want.first("response_cost", "spend"),
		errorCode:         want.first("error_information.error_code", "metadata.error_information.error_code"),
		agentID:           want.first("agent_id"),
		tool:              want.first("mcp_namespaced_tool_name", "metadata.mcp_tool_call_metadata.namespaced_tool_name", "metadata.mcp_tool_call_metadata.name"),
		providerRequestID: want.first(headers...),
		userID:            want.first("metadata.user_api_key_user_id", "user"),
		userEmail:         want.first("metadata.user_api_key_user_email"),
		endUser:           want.first("end_user", "metadata.user_api_key_end_user_id"),
		team:              want.first("metadata.user_api_key_team_alias", "metadata.user_api_key_team_id", "team_id"),
		key:               want.first("metadata.user_api_key_alias", "metadata.user_api_key_hash", "metadata.user_api_key", "api_key"),
		project:           want.first("metadata.user_api_key_project_id"),
		cached:            usage("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens", "cache_read_input_tokens", "num_cached_tokens", "cached_tokens", "prompt_cache_hit_tokens"),
		written:           usage("prompt_tokens_details.cache_creation_tokens", "cache_creation_tokens", "cache_creation_input_tokens", "prompt_tokens_details.cache_write_tokens", "input_tokens_details.cache_write_tokens"),
		written5m:         usage("prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens", "cache_creation_token_details.ephemeral_5m_input_tokens", "cache_creation.ephemeral_5m_input_tokens"),
		written1h:         usage("prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens", "cache_creation_token_details.ephemeral_1h_input_tokens", "cache_creation.ephemeral_1h_input_tokens"),
		reasoning:         usage("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens", "reasoning_tokens"),
		inputAudio:        usage("prompt_tokens_details.audio_tokens"),
		inputImage:        usage("prompt_tokens_details.image_tokens"),
		cachedAudio:       usage("prompt_tokens_details.cached_audio_tokens"),
		outputAudio:       usage("completion_tokens_details.audio_tokens"),
		outputImage:       usage("completion_tokens_details.image_tokens"),
		searches:          usage("server_tool_use.web_search_requests", "prompt_tokens_details.web_search_requests"),
		region:            usage("inference_geo"),
		host:              want.first("api_base"),
		total:             append(want.first("total_tokens"), usage("total_tokens")...),
		told:              usage("prompt_tokens", "input_tokens"),
		iterations:        usage("iterations"),
		codeRuns:          usage("server_tool_use.code_execution_requests"),
		speed:             append(usage("speed"), want.first("model_parameters.speed")...),
		stream:            want.one("stream"),
		outputs:           want.one("response.output"),
		tier:              append(usage("service_tier"), want.first("response.service_tier", "model_parameters.service_tier")...),
		options:           want.options(o),
		usage:             want.first("metadata.usage_object", "metadata.additional_usage_values"),
	}
	spec, texts, err := want.compile("metadata", "response")
	if err != nil {
		return nil, err
	}
	return &LiteLLM{spec, f, texts[0], texts[1], want.columns()}, nil
}

// Name implements Format.
func (*LiteLLM) Name() string { return LiteLLMName }

// Schema implements Format.
func (*LiteLLM) Schema() *record.Schema { return record.RequestSchema }

// Decoder implements Format.
func (l *LiteLLM) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	namespace := []byte(LiteLLMName)
	var r record.Request
	var tools toolReader
	var scratch []byte
	answers := newAnswerReader()
	texts := textReaders([]textFields{l.metadata, l.response})
	needed := columnsNeeded{[][]int{l.f.id, {l.f.started}, {l.f.model}, {l.f.prompt}, {l.f.completion}}, "is this LiteLLM's spend log?"}
	return newEitherDecoder(env, l.spec, l.columns, needed, func(v []jsonscan.Value, line int64, sink *Sink) error {
		r = record.Request{Completeness: 2}
		if err := l.texts(texts, v); err != nil {
			return err
		}
		if err := l.f.options.read(v, &tools, &r); err != nil {
			return err
		}
		natural, err := l.ids(v, &r)
		if err != nil {
			return err
		}
		if err := l.read(v, &r); err != nil {
			return err
		}
		if err := l.tokens(v, answers, &r); err != nil {
			return err
		}
		if err := l.mcp(v, &r); err != nil {
			return err
		}
		r.Key = recordKey(&scratch, namespace, natural)
		r.Date = calendar.Date(r.StartedAt)
		sink.Request(&r, line)
		return nil
	})
}

// texts reads the spend log's columns of JSON text. An answer's text is looked
// into only where the metadata tells nothing of its usage, or the answer has
// calls of tools, and one that was cut for the log is no fault: it could only
// have told more of the same counts.
func (l *LiteLLM) texts(texts []textReader, v []jsonscan.Value) error {
	if err := texts[0].fill(v); err != nil {
		return err
	}
	calls := bytes.Contains(v[texts[1].at].Raw, []byte(`_call\"`))
	for _, i := range l.f.usage {
		if !calls && v[i].Kind == jsonscan.Object && string(v[i].Raw) != "{}" {
			return nil
		}
	}
	_ = texts[1].fill(v)
	return nil
}

// mcp notes the tool of a record that tells of a tool call, not of a model's.
func (l *LiteLLM) mcp(v []jsonscan.Value, r *record.Request) error {
	tool := firstName(v, l.f.tool)
	if len(tool) == 0 || r.ToolCalls > 0 {
		return nil
	}
	mix, err := oneCall(tool)
	r.Tools, r.ToolCalls = mix.text, mix.calls
	if r.Completeness == 1 {
		r.Completeness = 2 // no tokens are all there is
	}
	return err
}

// ids fills the ids and returns the natural key. A response id that is only
// the call id in another dress was made by the gateway: no provider knows it.
func (l *LiteLLM) ids(v []jsonscan.Value, r *record.Request) (natural []byte, err error) {
	f := &l.f
	recordID, callID := firstID(v, f.id), firstID(v, f.callID)
	r.ResponseID = stripCacheHit(recordID)
	r.AgentRequestID = callID
	natural = callID
	if len(callID) == 0 {
		r.AgentRequestID, natural = r.ResponseID, recordID
	}
	if len(natural) == 0 {
		return nil, &FieldError{"litellm_call_id", "is missing, as are id and request_id"}
	}
	if own := len(r.ResponseID) - len(callID); len(callID) > 0 && bytes.HasSuffix(r.ResponseID, callID) && (own == 0 || r.ResponseID[own-1] == '-') {
		r.ResponseID = nil
	}
	if r.TraceID = firstID(v, f.traceID); bytes.Equal(r.TraceID, r.AgentRequestID) {
		r.TraceID = nil
	}
	r.ProviderRequestID = firstID(v, f.providerRequestID)
	if bytes.Equal(r.ClientRef, r.AgentRequestID) {
		r.ClientRef = nil
	}
	return natural, nil
}

func (l *LiteLLM) read(v []jsonscan.Value, r *record.Request) (err error) {
	f := &l.f
	if r.StartedAt, err = instant(v[f.started], "startTime"); err != nil {
		return err
	}
	if !missing(v[f.ended]) {
		if r.EndedAt, err = instant(v[f.ended], "endTime"); err != nil {
			return err
		}
		r.HasEnded = true
	}
	if err := l.status(v, r); err != nil {
		return err
	}
	r.CacheHit = v[f.cacheHit].Kind == jsonscan.True || bytes.EqualFold(text(v[f.cacheHit]), []byte("true"))
	if r.Model = name(v[f.model]); len(r.Model) == 0 {
		r.Model = unknown
	}
	r.Provider = provider(name(v[f.provider]), r.Model)
	r.UserID, r.UserEmail = email(firstName(v, f.userID)), email(firstName(v, f.userEmail))
	if bytes.Equal(r.UserEmail, r.UserID) {
		r.UserEmail = nil
	}
	r.ServiceTier = servedTier(firstName(v, f.tier), firstName(v, f.speed))
	if r.Region = geography(firstPresent(v, f.region)); len(r.Region) == 0 {
		r.Region = hostRegion(firstName(v, f.host))
	}
	r.EndUser, r.Team, r.KeyAlias = firstName(v, f.endUser), firstName(v, f.team), firstName(v, f.key)
	if bytes.HasPrefix(r.KeyAlias, []byte("sk-")) { // a key, where its hash should stand
		r.KeyAlias = nil
	}
	if len(r.AgentID) == 0 {
		r.AgentID = firstName(v, f.agentID)
	}
	r.Project = firstName(v, f.project)
	if r.ReportedPico, r.HasReported, err = picoUSD(firstPresent(v, f.reported), "response_cost"); err != nil {
		return err
	}
	return nil
}

// status reads whether the request failed. Spend logs of old versions had no
// status and no failures.
func (l *LiteLLM) status(v []jsonscan.Value, r *record.Request) error {
	switch status := firstName(v, l.f.status); {
	case string(status) == "success", len(status) == 0 && !missing(v[l.f.requestID]):
	case string(status) == "failure":
		r.Failed, r.Completeness = true, 0
		r.ErrorCode = firstName(v, l.f.errorCode)
	default:
		return &FieldError{"status", "is neither success nor failure; is this source really in the litellm format?"}
	}
	return nil
}

// tokens makes the prompt's count disjoint: it includes what was read from and
// written to the prompt cache, or as much of it as the total shows.
func (l *LiteLLM) tokens(v []jsonscan.Value, answers *answerReader, r *record.Request) error {
	f, t := &l.f, &r.Tokens
	var err error
	count := func(i int, field string) (n int64) {
		if err == nil {
			n, err = whole(v[i], field)
		}
		return n
	}
	first := func(indexes []int, field string) int64 { return firstCount(v, indexes, field, &err) }
	c := tokenCounts{
		input: count(f.prompt, "prompt_tokens"), output: count(f.completion, "completion_tokens"), total: first(f.total, "total_tokens"),
		cached:    first(f.cached, "usage.cached_tokens"),
		written:   first(f.written, "usage.cache_creation_tokens"),
		written5m: first(f.written5m, "usage.ephemeral_5m_input_tokens"),
		written1h: first(f.written1h, "usage.ephemeral_1h_input_tokens"),
		reasoning: first(f.reasoning, "usage.reasoning_tokens"),

		inputAudio:  first(f.inputAudio, "usage.prompt_tokens_details.audio_tokens"),
		inputImage:  first(f.inputImage, "usage.prompt_tokens_details.image_tokens"),
		cachedAudio: first(f.cachedAudio, "usage.prompt_tokens_details.cached_audio_tokens"),
		outputAudio: first(f.outputAudio, "usage.completion_tokens_details.audio_tokens"),
		outputImage: first(f.outputImage, "usage.completion_tokens_details.image_tokens"),
		searches:    first(f.searches, "usage.web_search_requests"),
	}
	if err != nil {
		return err
	}
	if err := c.disjoint(t); err != nil {
		return err
	}
	if r.Completeness == 2 && c.input == 0 && t.Output == 0 && !r.CacheHit && (c.total > 0 || !l.toldZero(v)) {
		r.Completeness = 1
	}
	answers.notice.reset()
	if c.uncounted() && r.Completeness == 2 {
		answers.notice.say(totalIsMore)
	}
	u := usageFields{outputs: f.outputs}
	u.iterations, u.codeRuns = firstAt(v, f.iterations), firstAt(v, f.codeRuns)
	err = answers.besides(v, &u, t)
	r.Notice = answers.notice.text
	return err
}

// toldZero says that an answer told its counts, which are 0. Of a stream that
// broke the gateway writes the same.
func (l *LiteLLM) toldZero(v []jsonscan.Value) bool {
	return !missing(firstPresent(v, l.f.told)) && v[l.f.stream].Kind != jsonscan.True
}

// stripCacheHit takes off the suffix _cache_hit<number> that LiteLLM puts
// behind the id of an answer from its cache.
func stripCacheHit(s []byte) []byte {
	const suffix = "_cache_hit"
	if bytes.IndexByte(s, '_') < 0 {
		return s
	}
	i := bytes.LastIndex(s, []byte(suffix))
	if i < 0 || i+len(suffix) == len(s) || len(bytes.Trim(s[i+len(suffix):], "0123456789.")) > 0 {
		return s
	}
	return s[:i]
}
