package decode

import (
	"bytes"
	"strconv"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// event takes an event that is a request to a model: of the conventions, of a
// program that is known, or one that the config names. One that counts tokens and
// is none of these is refused.
func (d *otlpDecoder) event() error {
	if d.side != AgentSide {
		d.sink.Ignore()
		return nil
	}
	named := d.eventName()
	if ours, isClaude := d.claudeEvent(named); isClaude {
		switch ours {
		case "api_request":
			return d.eventRequest(&d.f.claude, false)
		case "api_error":
			return d.eventRequest(&d.f.claude, true)
		}
		d.sink.Ignore()
		return nil
	}
	request, listed := d.operations[string(named)]
	switch listed = listed && d.listed[string(named)]; {
	case listed && request, string(named) == genAIEvent && !d.isGeminiCLI():
		return d.genAI()
	case listed, string(named) == genAIEvent:
	case bytes.HasPrefix(named, geminiPrefix):
		switch string(named[len(geminiPrefix):]) {
		case "api_response":
			return d.eventRequest(&d.f.gemini, false)
		case "api_error":
			return d.eventRequest(&d.f.gemini, true)
		}
	case bytes.HasPrefix(named, codexPrefix):
		return d.codex(named[len(codexPrefix):])
	case d.counts(d.f.tokens.input.places), d.counts(d.f.tokens.output.places), d.counts(d.f.uncounted):
		return &FieldError{"event.name", "is none that is known, and the event has tokens; if it is a request to a model, list it in the source's operations, if it repeats the tokens of others, in its parents"}
	}
	d.sink.Ignore()
	return nil
}

// genAIEvent is the event of the conventions that tells of a request.
const genAIEvent = "gen_ai.client.inference.operation.details"

var (
	claudePrefix = []byte("claude_code.")
	codexPrefix  = []byte("codex.")
	geminiPrefix = []byte("gemini_cli.")
)

// eventName is the name of an event: that of an attribute, of a field of its own or
// in the body.
func (d *otlpDecoder) eventName() []byte {
	named := firstName(d.own(), d.f.claude.name)
	if len(named) == 0 {
		named = name(d.item.eventName)
	}
	if len(named) == 0 {
		named = name(d.item.body)
	}
	return named
}

// claudeEvent says whether an event is Claude Code's, and which of those that
// matter. Its name may come without the program's before it; a short one is another
// program's where the body names that.
func (d *otlpDecoder) claudeEvent(named []byte) (event string, isClaude bool) {
	short, isClaude := bytes.CutPrefix(named, claudePrefix)
	for _, known := range [...]string{"api_request", "api_error"} {
		if string(short) == known && (isClaude || d.bodyAgrees(short)) {
			return known, true
		}
	}
	return "", isClaude
}

// bodyAgrees says whether the body doesn't tell that an event is another
// program's.
func (d *otlpDecoder) bodyAgrees(event []byte) bool {
	body := name(d.item.body)
	return len(body) == 0 || bytes.Equal(body, event) || bytes.HasPrefix(body, claudePrefix) || !bytes.HasSuffix(body, event)
}

// codex takes an event of Codex CLI: that a stream of events was completed, which
// comes twice, once without counts, or that it failed.
func (d *otlpDecoder) codex(event []byte) error {
	if string(event) == "sse_event" {
		t := &d.f.codex.tokens
		kind := firstName(d.own(), d.f.codex.kind)
		switch {
		case d.has(t.input.places), d.has(t.output.places):
			return d.eventRequest(&d.f.codex, false)
		case string(kind) == "response.failed":
			return d.eventRequest(&d.f.codex, true)
		}
	}
	d.sink.Ignore()
	return nil
}

// genAI makes a request of an event of the conventions. Where a span tells of the
// same call, both have one key and the span counts.
func (d *otlpDecoder) genAI() (err error) {
	d.r = record.Request{}
	r := &d.r
	if _, request, known := d.operation(); known && !request {
		d.sink.Ignore()
		return nil
	}
	if err := d.eventTimes(&d.f.claude); err != nil {
		return err
	}
	if err := d.call(); err != nil {
		return err
	}
	if r.Completeness == 1 && !d.has(d.f.tokens.input.places) && d.counts(d.f.uncounted) {
		return errUncounted
	}
	if r.Key, r.AgentRequestID, err = d.spanKey(r.ProviderRequestID, r.ResponseID); err != nil && d.eventKey(&d.f.claude) != nil {
		return err
	}
	d.sink.Request(r, d.line)
	return nil
}

// eventRequest makes a request of a program's event, which is written when the
// answer is complete.
func (d *otlpDecoder) eventRequest(f *otlpEventFields, failed bool) (err error) {
	d.r = record.Request{Failed: failed}
	r, own := &d.r, d.own()
	if err := d.eventTimes(f); err != nil {
		return err
	}
	if r.Model = firstName(own, f.model); len(r.Model) == 0 {
		r.Model = unknown
	}
	r.Provider = d.eventProvider(f)
	r.ProviderRequestID, r.ResponseID = firstID(own, f.requestID), firstID(own, f.responseID)
	if speed := firstName(own, f.speed); string(speed) != "normal" {
		r.ServiceTier = speed
	}
	if failed {
		r.ErrorCode = firstName(own, f.status)
	}
	hasInput, hasOutput, err := d.readTokens(&f.tokens, &r.Tokens)
	if err != nil {
		return err
	}
	switch {
	case failed:
	case hasInput && hasOutput:
		r.Completeness = 2
	default:
		r.Completeness = 1
	}
	if err := d.eventCost(f); err != nil {
		return err
	}
	if err := d.actor(f.account); err != nil {
		return err
	}
	if err := d.eventKey(f); err != nil {
		return err
	}
	if r.TraceID = otlpID(d.item.traceID, 16, d.traceHex[:]); len(r.TraceID) == 0 {
		if r.TraceID = firstID(own, f.prompt); len(r.TraceID) == 0 {
			r.TraceID = d.id(f.session)
		}
	}
	r.Date = d.calendar.Date(r.StartedAt)
	d.sink.Request(r, d.line)
	return nil
}

// eventProvider is who serves the program of an event.
func (d *otlpDecoder) eventProvider(f *otlpEventFields) []byte {
	switch {
	case f == &d.f.codex:
		return openAIName
	case f == &d.f.claude:
		return claudeProvider(d.r.Model)
	case string(firstName(d.own(), f.auth)) == "vertex-ai":
		return vertexProvider
	}
	return geminiName
}

var openAIName, geminiName = []byte("openai"), []byte("gemini")

// eventTimes reads when an event was written, which is the request's end, and
// from how long it took its start.
func (d *otlpDecoder) eventTimes(f *otlpEventFields) error {
	at, present, err := nanos(d.item.started, "timeUnixNano")
	if v := firstPresent(d.own(), f.time); err == nil && !present && !missing(v) {
		at, err = instant(v, "event.timestamp")
		present = true
	}
	if err == nil && !present {
		at, present, err = nanos(d.item.observed, "observedTimeUnixNano")
	}
	if err == nil && !present {
		err = &FieldError{"timeUnixNano", "is missing, as is event.timestamp"}
	}
	if err != nil {
		return err
	}
	d.r.StartedAt, d.r.EndedAt, d.r.HasEnded = at, at, true
	v := firstPresent(d.own(), f.duration)
	if missing(v) {
		return nil
	}
	took, ok := int64(0), v.Kind == jsonscan.Number || v.Kind == jsonscan.String
	if ok {
		took, ok = shifted(bytes.TrimSpace(v.Raw), 3)
	}
	if !ok || took < 0 || took > 24*hourMicros {
		return &FieldError{"duration_ms", "is not a number of milliseconds of at most a day"}
	}
	if d.r.StartedAt -= took; d.r.StartedAt < yearMinMicros {
		return &FieldError{"duration_ms", "leads to a start before 2015"}
	}
	return nil
}

// eventCost reads the client's own estimate.
func (d *otlpDecoder) eventCost(f *otlpEventFields) (err error) {
	r, own := &d.r, d.own()
	if r.ReportedPico, r.HasReported, err = picoUSD(firstPresent(own, f.cost), "cost_usd"); err != nil || r.HasReported {
		return err
	}
	v := firstPresent(own, f.costMicros)
	if missing(v) {
		return nil
	}
	ok := v.Kind == jsonscan.Number || v.Kind == jsonscan.String
	if ok {
		r.ReportedPico, ok = shifted(bytes.TrimSpace(v.Raw), 6)
	}
	if !ok || r.ReportedPico > amountPicoMax || r.ReportedPico < -amountPicoMax {
		return &FieldError{"cost_usd_micros", "is not an amount below 1,000,000 US dollars"}
	}
	r.HasReported = true
	return nil
}

// eventKey fills the natural key. A number in a session may come again when the
// session is taken up again, so the time belongs to the key.
func (d *otlpDecoder) eventKey(f *otlpEventFields) error {
	r, own := &d.r, d.own()
	session, sequence := d.id(f.session), firstName(own, f.sequence)
	first, second := session, sequence
	if len(session) == 0 || len(sequence) == 0 {
		first, second = r.ProviderRequestID, nil
	}
	if len(first) == 0 {
		first = firstID(own, f.clientRequestID)
	}
	at := strconv.AppendInt(d.atText[:0], r.EndedAt, 10)
	if len(first) == 0 {
		if first = firstID(own, f.prompt); len(first) == 0 {
			first = session
		}
		second = at
	}
	if len(first) == 0 {
		return &FieldError{"session.id", "is missing, as are request_id and prompt.id"}
	}
	r.AgentRequestID = append(d.requestID[:0], first...)
	if len(second) > 0 {
		r.AgentRequestID = append(append(r.AgentRequestID, ':'), second...)
	}
	d.requestID = r.AgentRequestID
	r.Key = recordKey(&d.scratch, otlpNamespace, first, second, at)
	return nil
}

// claudeProvider tells by a model's id who serves it: Bedrock's have the maker
// before them, Vertex AI's a version behind an @.
func claudeProvider(model []byte) []byte {
	switch {
	case bytes.Contains(model, []byte("anthropic.")), bytes.HasPrefix(model, []byte("arn:")):
		return bedrockProvider
	case bytes.IndexByte(model, '@') >= 0:
		return vertexProvider
	}
	return anthropicName
}
