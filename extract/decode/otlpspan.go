package decode

import (
	"bytes"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// otlpKind is what a span is to whoever wrote it.
type otlpKind uint8

const (
	unspecifiedSpan otlpKind = iota
	internalSpan
	serverSpan
	clientSpan
	otherSpan
)

func spanKind(v jsonscan.Value) otlpKind {
	switch string(text(v)) {
	case "", "0", "SPAN_KIND_UNSPECIFIED":
		return unspecifiedSpan
	case "1", "SPAN_KIND_INTERNAL":
		return internalSpan
	case "2", "SPAN_KIND_SERVER":
		return serverSpan
	case "3", "SPAN_KIND_CLIENT":
		return clientSpan
	}
	return otherSpan
}

// span takes a span that is a request to a model on the side that is read.
func (d *otlpDecoder) span() error {
	request, err := d.isRequest(spanKind(d.item.kind))
	switch {
	case err != nil:
		return err
	case !request:
		d.sink.Ignore()
		return nil
	case d.side == ProviderSide:
		return d.usage()
	}
	return d.request()
}

// isRequest says whether a span is a request to a model. One that names no
// operation is, where it is a call with tokens or has an answer's id; one that
// names an agent instead is the agent's sum. What counts tokens and may be a
// request or repeat those of others is refused, so that no spend is lost.
func (d *otlpDecoder) isRequest(kind otlpKind) (bool, error) {
	call := kind == clientSpan
	switch {
	case (d.side == ProviderSide) != (kind == serverSpan):
		return false, nil
	case d.side == ProviderSide:
		call = true
	case d.repeatsEvents(), !call && string(d.levels[scopeLevel].name) == "com.anthropic.claude-platform":
		return false, nil
	}
	operation, request, known := d.operation()
	if known {
		return request && !d.repeatsEmbedding(operation), nil
	}
	tokens := d.has(d.f.tokens.input.places) || d.has(d.f.tokens.output.places)
	counts := d.counts(d.f.tokens.input.places) || d.counts(d.f.tokens.output.places)
	switch {
	case !tokens && d.counts(d.f.uncounted):
		return false, errUncounted
	case counts && len(operation) > 0:
		return false, &FieldError{"gen_ai.operation.name", "is none that is known, and the span has tokens; if it is a request to a model, list it in the source's operations, if it repeats the tokens of others, in its parents"}
	case len(operation) > 0 || !tokens:
		return false, nil
	case call, d.has(d.f.responseID):
		return true, nil
	case counts && !d.has(d.f.agentName):
		return false, &FieldError{"gen_ai.operation.name", "is missing in a span with tokens that is no CLIENT span; if it is a request to a model, list the span's name in the source's operations, if it repeats the tokens of others, in its parents"}
	}
	return false, nil
}

var errUncounted = &FieldError{"gen_ai.usage.input_tokens", "is missing, and there are token counts under names that are not read; let the collector name them gen_ai.usage.input_tokens and gen_ai.usage.output_tokens, or list what repeats the tokens of others in the source's parents"}

// operation is the first operation that a span names, or the first that is known.
func (d *otlpDecoder) operation() (operation []byte, request, known bool) {
	for _, i := range d.f.operation {
		if d.own()[i].Kind == jsonscan.Absent {
			continue
		}
		named := name(d.own()[i])
		if request, known = d.operations[string(named)]; known {
			return named, request, true
		}
		if len(operation) == 0 {
			operation = named
		}
	}
	if named := name(d.item.name); d.listed[string(named)] || bytes.HasPrefix(named, vercelPrefix) {
		if request, known = d.operations[string(named)]; known {
			return named, request, true
		}
	}
	return operation, false, false
}

var vercelPrefix = []byte("ai.")

// repeatsEvents says that a span is of a program whose events tell the same: of
// Claude Code, Codex CLI or Gemini CLI.
func (d *otlpDecoder) repeatsEvents() bool {
	scope := d.levels[scopeLevel].name
	return bytes.HasPrefix(scope, []byte("com.anthropic.claude_code")) || bytes.HasPrefix(name(d.item.name), claudePrefix) || d.isGeminiCLI() || d.has(d.f.codexTotal)
}

// repeatsEmbedding says that a span of Vercel's AI SDK repeats one below it, which
// came before it: since its version 7 both are embeddings, and calls.
func (d *otlpDecoder) repeatsEmbedding(operation []byte) bool {
	if string(operation) != "embeddings" || string(d.levels[scopeLevel].name) != "gen_ai" {
		return false
	}
	for _, parent := range d.parents {
		if len(parent) > 0 && bytes.Equal(parent, name(d.item.spanID)) {
			return true
		}
	}
	d.parents[d.parent] = name(d.item.parentID)
	d.parent = (d.parent + 1) % len(d.parents)
	return false
}

// isGeminiCLI says that a span or event is Gemini CLI's. It writes each answer as
// an event of its own and once more as one of the conventions, with fewer counts.
func (d *otlpDecoder) isGeminiCLI() bool {
	return string(d.levels[scopeLevel].name) == geminiCLI || string(firstName(d.levels[resourceLevel].attributes.v, d.f.service)) == geminiCLI
}

const geminiCLI = "gemini-cli"

// usage makes a usage record of a SERVER span.
func (d *otlpDecoder) usage() (err error) {
	d.u = record.Usage{Completeness: 2}
	u, own := &d.u, d.own()
	if u.StartedAt, err = d.started(); err != nil {
		return err
	}
	u.Model = d.model()
	if len(u.Model) == 0 {
		return &FieldError{"gen_ai.response.model", "is missing, as is gen_ai.request.model"}
	}
	u.Provider = d.provider(u.Model)
	u.ProviderRequestID, u.ResponseID = firstID(own, d.f.providerRequestID), firstID(own, d.f.responseID)
	u.ClientRef, u.CostCenter, u.AgentID = d.id(d.f.clientRef), d.name(d.f.costCenter), d.name(d.f.agentID)
	u.Account, u.Caller = d.name(d.f.account), d.name(d.f.caller)
	u.Region, u.ServiceTier = d.region(), d.tier()
	u.Operation, _, _ = d.operation()
	u.Failed, u.ErrorCode = d.failed()
	if u.Completeness, err = d.spanTokens(&u.Tokens, u.Failed); err != nil {
		return err
	}
	if !u.Failed && !d.has(d.f.tokens.input.places) { // what isn't known is not zero
		return &FieldError{"gen_ai.usage.input_tokens", "is missing in a span without an error"}
	}
	if u.Key, _, err = d.spanKey(u.ProviderRequestID, u.ResponseID); err != nil {
		return err
	}
	u.Date = d.calendar.Date(u.StartedAt)
	d.sink.Usage(u, d.line)
	return nil
}

// request makes a request of a span.
func (d *otlpDecoder) request() (err error) {
	d.r = record.Request{}
	r := &d.r
	if r.StartedAt, err = d.started(); err != nil {
		return err
	}
	if r.EndedAt, r.HasEnded, err = nanos(d.item.ended, "endTimeUnixNano"); err != nil {
		return err
	}
	if err := d.call(); err != nil {
		return err
	}
	if r.Completeness == 2 {
		r.Completeness = 3 // an event beside it tells less
	}
	if r.Key, r.AgentRequestID, err = d.spanKey(r.ProviderRequestID, r.ResponseID); err != nil {
		return err
	}
	d.sink.Request(r, d.line)
	return nil
}

// call fills what a span and an event of the conventions tell of a request.
func (d *otlpDecoder) call() (err error) {
	r, own := &d.r, d.own()
	if r.Model = d.model(); len(r.Model) == 0 {
		r.Model = unknown
	}
	r.Provider = d.provider(r.Model)
	r.ProviderRequestID, r.ResponseID = firstID(own, d.f.providerRequestID), firstID(own, d.f.responseID)
	r.Region, r.ServiceTier = d.region(), d.tier()
	r.Failed, r.ErrorCode = d.failed()
	if r.Completeness, err = d.spanTokens(&r.Tokens, r.Failed); err != nil {
		return err
	}
	if err := d.spanCost(); err != nil {
		return err
	}
	if err := d.actor(d.f.userID); err != nil {
		return err
	}
	if r.TraceID = otlpID(d.item.traceID, 16, d.traceHex[:]); len(r.TraceID) == 0 {
		r.TraceID = d.id(d.f.conversation)
	}
	r.Date = d.calendar.Date(r.StartedAt)
	return nil
}

// spanCost reads what the writer thinks that a request cost: a total, else that
// of input and output.
func (d *otlpDecoder) spanCost() (err error) {
	r, own := &d.r, d.own()
	const field = "gen_ai.usage.cost"
	if r.ReportedPico, r.HasReported, err = picoUSD(firstPresent(own, d.f.reported), field); err != nil || r.HasReported {
		return err
	}
	input, hasInput, err := picoUSD(firstPresent(own, d.f.reportedInput), field)
	if err != nil {
		return err
	}
	output, hasOutput, err := picoUSD(firstPresent(own, d.f.reportedOutput), field)
	if err != nil {
		return err
	}
	if r.ReportedPico, r.HasReported = input+output, hasInput && hasOutput; r.ReportedPico > amountPicoMax || r.ReportedPico < -amountPicoMax {
		return &FieldError{field, "is not a decimal amount below 1,000,000 US dollars"}
	}
	return nil
}

// actor fills who asked, of whom and for what, and the tool calls.
func (d *otlpDecoder) actor(userID []int) error {
	r := &d.r
	r.UserID, r.UserEmail, r.EndUser = email(d.name(userID)), email(d.name(d.f.userEmail)), d.name(d.f.endUser)
	if bytes.Equal(r.UserEmail, r.UserID) {
		r.UserEmail = nil
	}
	r.Team, r.Project = d.name(d.f.team), d.name(d.f.account)
	r.AgentID, r.CostCenter, r.ClientRef = d.name(d.f.agentID), d.name(d.f.costCenter), d.id(d.f.clientRef)
	v, err := d.toolCalls()
	if err != nil {
		return &FieldError{"tool_calls", "is a list or map that can't be read"}
	}
	mix, err := d.tools.read(v)
	r.Tools, r.ToolCalls = mix.text, mix.calls
	return err
}

func (d *otlpDecoder) started() (int64, error) {
	us, present, err := nanos(d.item.started, "startTimeUnixNano")
	if err == nil && !present {
		err = &FieldError{"startTimeUnixNano", "is missing"}
	}
	return us, err
}

// model is what answered. Bedrock prices by the id that was asked for, which may
// name the region; its answers have the maker's name for the model.
func (d *otlpDecoder) model() []byte {
	requested, answered := firstName(d.own(), d.f.requestModel), firstName(d.own(), d.f.responseModel)
	if len(answered) == 0 || len(requested) > 0 && bytes.Equal(d.provider(requested), bedrockProvider) {
		return requested
	}
	return answered
}

// tier is what served the request; else what it asked for.
func (d *otlpDecoder) tier() []byte {
	if tier := servedTier(firstName(d.own(), d.f.tier), firstName(d.own(), d.f.speed)); len(tier) > 0 {
		return tier
	}
	return firstName(d.own(), d.f.requestTier)
}

// failed says whether a span ended with an error, and with which.
func (d *otlpDecoder) failed() (failed bool, code []byte) {
	code = firstName(d.own(), d.f.errorType)
	switch string(text(d.item.status)) {
	case "2", "STATUS_CODE_ERROR":
		return true, code
	}
	return len(code) > 0, code
}

// spanTokens reads the counts, and how complete they are: a stream that was
// cancelled has no count of what came out.
func (d *otlpDecoder) spanTokens(t *record.Tokens, failed bool) (completeness int64, err error) {
	hasInput, hasOutput, err := d.readTokens(&d.f.tokens, t)
	if failed || err != nil {
		return 0, err
	}
	if hasInput && !hasOutput {
		operation, _, _ := d.operation()
		hasOutput = bytes.Contains(operation, []byte("mbed")) || bytes.Equal(operation, []byte("EMBEDDING"))
	}
	if hasInput && hasOutput {
		return 2, nil
	}
	return 1, nil
}

// readTokens makes the counts of a span or event disjoint.
func (d *otlpDecoder) readTokens(f *otlpTokens, t *record.Tokens) (hasInput, hasOutput bool, err error) {
	own := d.own()
	count := func(of *otlpCount) (n int64) {
		if v := firstPresent(own, of.places); err == nil && !missing(v) {
			n, err = whole(v, of.field)
		}
		return n
	}
	c := tokenCounts{
		exclusive: f.exclusive, input: count(&f.input), output: count(&f.output), cached: count(&f.cached), written: count(&f.written),
		written5m: count(&f.written5m), written1h: count(&f.written1h), reasoning: count(&f.reasoning),
		inputAudio: count(&f.inputAudio), inputImage: count(&f.inputImage), cachedAudio: count(&f.cachedAudio),
		outputAudio: count(&f.outputAudio), outputImage: count(&f.outputImage), total: count(&f.total), searches: count(&f.searches),
	}
	if f == &d.f.tokens && err == nil && d.has(d.f.metadata) {
		err = d.vercel.read(firstPresent(d.own(), d.f.metadata), &c)
	}
	if len(f.thoughts.places) > 0 {
		c.beside(count(&f.thoughts), count(&f.toolUse))
	} else if c.total == 0 && c.reasoning > c.output {
		c.output += c.reasoning // it can't be a part of it
	}
	compactionIn, compactionOut := count(&f.compactionIn), count(&f.compactionOut)
	if err == nil {
		err = c.disjoint(t)
	}
	if err != nil {
		return false, false, err
	}
	t.InputUncached += compactionIn
	t.Output += compactionOut
	if max(t.InputUncached, t.Output) > tokensMax {
		return false, false, &FieldError{"anthropic.usage.compaction", "makes the request's tokens more than 100,000,000"}
	}
	if c.total > 0 && *t == (record.Tokens{}) { // a total of tokens that nobody counted
		return false, false, nil
	}
	return d.has(f.input.places), d.has(f.output.places), nil
}

// spanKey is the hash of a span's natural key, and the key as a text.
func (d *otlpDecoder) spanKey(providerRequestID, responseID []byte) (key int64, requestID []byte, err error) {
	trace, span := otlpID(d.item.traceID, 16, d.traceHex[:]), otlpID(d.item.spanID, 8, d.spanHex[:])
	if len(trace) > 0 && len(span) > 0 {
		d.requestID = append(append(append(d.requestID[:0], trace...), ':'), span...)
		if len(responseID) == 0 {
			return recordKey(&d.scratch, otlpNamespace, trace, span), d.requestID, nil
		}
		return recordKey(&d.scratch, otlpNamespace, trace, span, responseID), d.requestID, nil
	}
	other := providerRequestID
	if len(other) == 0 {
		other = responseID
	}
	if len(other) == 0 {
		return 0, nil, &FieldError{"traceId or spanId", "is missing, as are the provider's request id and gen_ai.response.id"}
	}
	return recordKey(&d.scratch, otlpNamespace, other, d.item.started.Raw), other, nil
}

var otlpNamespace = []byte(OTLPName)
