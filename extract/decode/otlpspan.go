package decode

import (
	"bytes"
	"strconv"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// The fields of a span or log record, by their place in otlpSpanSpec.
const (
	spanAttributes = iota
	spanTraceID
	spanID
	spanKind
	spanStart
	spanEnd
	spanStatus
	spanTime
	spanObserved
	spanBody
	spanEvent
)

// billable says whether a span is a call of a model: by its operation, and
// where an older one has none, by the model and the tokens that it names.
func (d *otlpDecoder) billable() bool {
	f := &d.format.f
	switch operation := firstName(d.v, f.operation); string(operation) {
	case "chat", "generate_content", "text_completion", "embeddings", "completion":
		return true
	case "":
		return len(d.model()) > 0 && (!missing(firstPresent(d.v, f.input)) || !missing(firstPresent(d.v, f.output)))
	}
	return false
}

// model is the one that answered, else the one that was asked for.
func (d *otlpDecoder) model() []byte {
	if m := firstName(d.v, d.format.f.responseModel); len(m) > 0 {
		return m
	}
	return firstName(d.v, d.format.f.requestModel)
}

func (d *otlpDecoder) readSpan(s []jsonscan.Value, line int64, sink *Sink) error {
	kind := string(text(s[spanKind]))
	server := kind == "2" || kind == "SPAN_KIND_SERVER"
	if server != (d.format.o.Side == ProviderSide) || !d.billable() {
		sink.Ignore()
		return nil
	}
	started, err := nanos(s[spanStart], "startTimeUnixNano")
	if err != nil {
		return err
	}
	code := string(text(s[spanStatus]))
	failed := code == "2" || code == "STATUS_CODE_ERROR" || len(firstName(d.v, d.format.f.errorType)) > 0
	if server {
		return d.spanUsage(s, started, failed, line, sink)
	}
	return d.spanRequest(s, started, failed, line, sink)
}

// spanNatural is the natural key of a span, which also names the request.
func (d *otlpDecoder) spanNatural(s []jsonscan.Value) ([]byte, error) {
	trace, span := id(s[spanTraceID]), id(s[spanID])
	if len(trace) == 0 || len(span) == 0 {
		response := firstID(d.v, d.format.f.responseID)
		if len(response) == 0 {
			return nil, &FieldError{"spanId", "or traceId is missing, as is gen_ai.response.id"}
		}
		return response, nil
	}
	d.natural = append(append(append(d.natural[:0], trace...), ':'), span...)
	return d.natural, nil
}

func (d *otlpDecoder) spanUsage(s []jsonscan.Value, started int64, failed bool, line int64, sink *Sink) error {
	f, u := &d.format.f, &d.usage
	natural, err := d.spanNatural(s)
	if err != nil {
		return err
	}
	*u = record.Usage{
		StartedAt: started, Provider: otlpProvider(firstName(d.v, f.provider)), Model: d.model(), Operation: firstName(d.v, f.operation), ServiceTier: firstName(d.v, f.tier),
		ProviderRequestID: firstID(d.v, f.providerRequestID), ResponseID: firstID(d.v, f.responseID), ClientRef: firstID(d.v, f.clientRef),
		Account: firstName(d.v, f.account), Caller: firstName(d.v, f.project), CostCenter: firstName(d.v, f.costCenter), AgentID: firstName(d.v, f.agentID),
		Failed: failed, ErrorCode: firstName(d.v, f.errorType),
	}
	if len(u.ProviderRequestID) == 0 {
		u.ProviderRequestID = natural
	}
	hasInput, hasOutput, err := d.spanTokens(&u.Tokens)
	switch {
	case err != nil:
		return err
	case failed:
		if len(u.Model) == 0 {
			u.Model = unknown
		}
	case !hasInput: // what isn't known is not zero
		return &FieldError{"gen_ai.usage.input_tokens", "is missing in a span without an error"}
	case len(u.Model) == 0:
		return &FieldError{"gen_ai.response.model", "is missing, as is gen_ai.request.model"}
	case !hasOutput:
		u.Completeness = 1
	default:
		u.Completeness = 2
	}
	u.Key = recordKey(&d.scratch, d.namespace, natural)
	u.Date = d.calendar.Date(started)
	sink.Usage(u, line)
	return nil
}

func (d *otlpDecoder) spanRequest(s []jsonscan.Value, started int64, failed bool, line int64, sink *Sink) error {
	f, r := &d.format.f, &d.request
	natural, err := d.spanNatural(s)
	if err != nil {
		return err
	}
	*r = record.Request{
		StartedAt: started, AgentRequestID: natural, TraceID: id(s[spanTraceID]), Provider: otlpProvider(firstName(d.v, f.provider)), Model: d.model(),
		ProviderRequestID: firstID(d.v, f.providerRequestID), ResponseID: firstID(d.v, f.responseID), ServiceTier: firstName(d.v, f.tier),
		Failed: failed, ErrorCode: firstName(d.v, f.errorType),
	}
	if !missing(s[spanEnd]) {
		if r.EndedAt, err = nanos(s[spanEnd], "endTimeUnixNano"); err != nil {
			return err
		}
		r.HasEnded = true
	}
	hasInput, hasOutput, err := d.spanTokens(&r.Tokens)
	if err != nil {
		return err
	}
	switch {
	case failed:
	case hasInput && hasOutput:
		r.Completeness = 2
	default: // an embedding, or a stream that was cut
		r.Completeness = 1
		if hasInput && string(firstName(d.v, f.operation)) == "embeddings" {
			r.Completeness = 2
		}
	}
	return d.finish(r, natural, line, sink)
}

// finish fills who asked, and hands the request on.
func (d *otlpDecoder) finish(r *record.Request, natural []byte, line int64, sink *Sink) error {
	f := &d.format.f
	if len(r.Model) == 0 {
		r.Model = unknown
	}
	r.UserID, r.UserEmail, r.EndUser = email(firstName(d.v, f.user)), email(firstName(d.v, f.email)), firstName(d.v, f.endUser)
	if len(r.UserID) == 0 {
		r.UserID = r.UserEmail
	}
	if bytes.Equal(r.UserEmail, r.UserID) {
		r.UserEmail = nil
	}
	r.Team, r.Project = firstName(d.v, f.team), firstName(d.v, f.project)
	r.AgentID, r.CostCenter, r.ClientRef = firstName(d.v, f.agentID), firstName(d.v, f.costCenter), firstID(d.v, f.clientRef)
	mix, err := d.tools.read(firstPresent(d.v, f.toolCalls))
	if err != nil {
		return err
	}
	r.Tools, r.ToolCalls = mix.text, mix.calls
	r.Key = recordKey(&d.scratch, d.namespace, natural)
	r.Date = d.calendar.Date(r.StartedAt)
	sink.Request(r, line)
	return nil
}

// spanTokens fills disjoint tokens, and says which of the two counts the span
// tells.
func (d *otlpDecoder) spanTokens(t *record.Tokens) (hasInput, hasOutput bool, err error) {
	f := &d.format.f
	count := func(indexes []int, field string) (n int64) {
		if v := firstPresent(d.v, indexes); err == nil && !missing(v) {
			n, err = whole(v, field)
		}
		return n
	}
	c := tokenCounts{
		input: count(f.input, "gen_ai.usage.input_tokens"), output: count(f.output, "gen_ai.usage.output_tokens"),
		cached: count(f.cached, "gen_ai.usage.cache_read.input_tokens"), written: count(f.written, "gen_ai.usage.cache_write.input_tokens"),
		written5m: count(f.written5m, "ephemeral_5m_input_tokens"), written1h: count(f.written1h, "ephemeral_1h_input_tokens"),
		reasoning: count(f.reasoning, "gen_ai.usage.reasoning.output_tokens"), searches: count(f.searches, "web_search_requests"),
		inputAudio: count(f.inputAudio, "gen_ai.usage.audio.input_tokens"), outputAudio: count(f.outputAudio, "gen_ai.usage.audio.output_tokens"),
	}
	moreIn, moreOut := count(f.compactionIn, "anthropic.usage.compaction.input_tokens"), count(f.compactionOut, "anthropic.usage.compaction.output_tokens")
	if err != nil {
		return false, false, err
	}
	if err = c.disjoint(t); err != nil {
		return false, false, err
	}
	t.InputUncached, t.Output = t.InputUncached+moreIn, t.Output+moreOut
	if t.InputUncached > tokensMax || t.Output > tokensMax {
		return false, false, &FieldError{"anthropic.usage.compaction", "adds up to more than 100,000,000 tokens"}
	}
	return !missing(firstPresent(d.v, f.input)), !missing(firstPresent(d.v, f.output)), nil
}

// nanos reads nanoseconds since 1970, as a number or digits in quotes, as
// microseconds. Zero is missing.
func nanos(v jsonscan.Value, field string) (int64, error) {
	if v.Kind != jsonscan.Number && v.Kind != jsonscan.String || missing(v) {
		return 0, &FieldError{field, "is missing"}
	}
	n, err := strconv.ParseInt(string(trim(v.Raw)), 10, 64)
	switch us := n / 1000; {
	case err != nil:
		return 0, &FieldError{field, "is not nanoseconds since 1970"}
	case n == 0:
		return 0, &FieldError{field, "is missing"}
	case us < yearMinMicros || us >= yearEndMicros:
		return 0, &FieldError{field, "lies outside the years 2015 to 2100"}
	default:
		return us, nil
	}
}

// otlpProvider is the rate book's word for a provider of the conventions.
func otlpProvider(named []byte) []byte {
	switch string(named) {
	case "":
		return unknown
	case "aws.bedrock", "aws_bedrock":
		return bedrockProvider
	case "gcp.vertex_ai", "vertex_ai":
		return []byte("vertex_ai")
	case "gcp.gemini", "gcp.gen_ai", "gemini":
		return []byte("gemini")
	case "azure.ai.openai", "az.ai.openai", "azure.ai.inference", "az.ai.inference":
		return []byte("azure")
	case "mistral_ai":
		return []byte("mistral")
	case "x_ai":
		return []byte("xai")
	}
	return named
}
