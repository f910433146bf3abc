package decode

import (
	"bytes"
	"strconv"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// event takes an event of Claude Code that is a request to a model.
func (d *otlpDecoder) event() error {
	failed := false
	switch d.eventName() {
	case "api_request":
	case "api_error":
		failed = true
	default:
		d.sink.Ignore()
		return nil
	}
	if d.side != AgentSide {
		d.sink.Ignore()
		return nil
	}
	return d.eventRequest(failed)
}

// eventName is the name of one of Claude Code's events, or "". It stands in an
// attribute, a field of its own or the body, with or without the program's name
// before it. A short one is another program's where the body names that.
func (d *otlpDecoder) eventName() string {
	named := firstName(d.own(), d.f.event.name)
	if len(named) == 0 {
		named = name(d.item.eventName)
	}
	if len(named) == 0 {
		named = name(d.item.body)
	}
	event, isClaude := bytes.CutPrefix(named, claudePrefix)
	for _, known := range [...]string{"api_request", "api_error"} {
		if string(event) == known && (isClaude || d.bodyAgrees(event)) {
			return known
		}
	}
	return ""
}

// bodyAgrees says whether the body doesn't tell that an event is another
// program's.
func (d *otlpDecoder) bodyAgrees(event []byte) bool {
	body := name(d.item.body)
	return len(body) == 0 || bytes.Equal(body, event) || bytes.HasPrefix(body, claudePrefix) || !bytes.HasSuffix(body, event)
}

var claudePrefix = []byte("claude_code.")

// eventRequest makes a request of an event, which is written when the answer is
// complete.
func (d *otlpDecoder) eventRequest(failed bool) (err error) {
	d.r = record.Request{Failed: failed}
	r, own, f := &d.r, d.own(), &d.f.event
	if err := d.eventTimes(); err != nil {
		return err
	}
	if r.Model = firstName(own, f.model); len(r.Model) == 0 {
		r.Model = unknown
	}
	r.Provider = claudeProvider(r.Model)
	r.ProviderRequestID = firstID(own, f.requestID)
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
	case hasInput && hasOutput && r.Tokens != (record.Tokens{}):
		r.Completeness = 2
	default:
		r.Completeness = 1
	}
	if err := d.eventCost(); err != nil {
		return err
	}
	if err := d.actor(f.account); err != nil {
		return err
	}
	if err := d.eventKey(); err != nil {
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

// eventTimes reads when an event was written, which is the request's end, and
// from how long it took its start.
func (d *otlpDecoder) eventTimes() error {
	at, present, err := nanos(d.item.started, "timeUnixNano")
	if v := firstPresent(d.own(), d.f.event.time); err == nil && !present && !missing(v) {
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
	v := firstPresent(d.own(), d.f.event.duration)
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
func (d *otlpDecoder) eventCost() (err error) {
	r, own := &d.r, d.own()
	if r.ReportedPico, r.HasReported, err = picoUSD(firstPresent(own, d.f.event.cost), "cost_usd"); err != nil || r.HasReported {
		return err
	}
	v := firstPresent(own, d.f.event.costMicros)
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
func (d *otlpDecoder) eventKey() error {
	r, own, f := &d.r, d.own(), &d.f.event
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

var vertexProvider = []byte("vertex_ai")
