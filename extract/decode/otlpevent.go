package decode

import (
	"bytes"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// readEvent takes a log record where it is Claude Code's event of a call. Its
// time is when the call ended.
func (d *otlpDecoder) readEvent(s []jsonscan.Value, line int64, sink *Sink) error {
	f, r := &d.format.f, &d.request
	kind := firstName(d.v, f.event)
	for _, other := range []int{spanEvent, spanBody} {
		if len(kind) == 0 {
			kind = name(s[other])
		}
	}
	kind = bytes.TrimPrefix(kind, []byte("claude_code."))
	failed := string(kind) == "api_error"
	if d.format.o.Side == ProviderSide || !failed && string(kind) != "api_request" {
		sink.Ignore()
		return nil
	}
	at := s[spanTime]
	if string(trim(at.Raw)) == "0" || missing(at) {
		at = s[spanObserved]
	}
	ended, err := nanos(at, "timeUnixNano")
	if err != nil {
		return err
	}
	took, err := duration(firstPresent(d.v, f.duration))
	if err != nil {
		return err
	}
	model := firstName(d.v, f.model)
	*r = record.Request{
		StartedAt: ended - took, EndedAt: ended, HasEnded: true, Provider: claudeProvider(model), Model: model, ProviderRequestID: firstID(d.v, f.requestID),
		TraceID: firstID(d.v, f.session), Failed: failed, Completeness: 2,
	}
	if failed {
		r.Completeness, r.ErrorCode = 0, firstName(d.v, f.errorType)
	} else if err := d.eventTokens(r); err != nil {
		return err
	}
	natural := d.eventNatural(at)
	r.AgentRequestID = natural
	return d.finish(r, natural, line, sink)
}

// eventNatural is the natural key of an event: session and sequence, else what
// names the call, else when it was.
func (d *otlpDecoder) eventNatural(at jsonscan.Value) []byte {
	f := &d.format.f
	session, sequence := firstID(d.v, f.session), firstName(d.v, f.sequence)
	request := firstID(d.v, f.requestID)
	if len(request) == 0 {
		request = firstID(d.v, f.clientRequestID)
	}
	switch {
	case len(session) > 0 && len(sequence) > 0:
	case len(request) > 0:
		return request
	default:
		sequence = trim(at.Raw)
	}
	d.natural = append(append(append(d.natural[:0], session...), ':'), sequence...)
	return d.natural
}

// eventTokens fills the counts of a call, which are disjoint as they stand. One
// without a count of its prompt is a success without tokens.
func (d *otlpDecoder) eventTokens(r *record.Request) (err error) {
	f := &d.format.f
	count := func(indexes []int, field string) (n int64) {
		if v := firstPresent(d.v, indexes); err == nil && !missing(v) {
			n, err = whole(v, field)
		}
		return n
	}
	c := tokenCounts{
		exclusive: true, input: count(f.inputTokens, "input_tokens"), output: count(f.outputTokens, "output_tokens"),
		cached: count(f.cacheRead, "cache_read_tokens"), written: count(f.cacheCreation, "cache_creation_tokens"),
	}
	if err != nil {
		return err
	}
	if missing(firstPresent(d.v, f.inputTokens)) || missing(firstPresent(d.v, f.outputTokens)) {
		r.Completeness = 1
	}
	if speed := firstName(d.v, f.speed); string(speed) == "fast" {
		r.ServiceTier = speed
	}
	if r.ReportedPico, r.HasReported, err = picoUSD(firstPresent(d.v, f.cost), "cost_usd"); err != nil {
		return err
	}
	if micros := firstPresent(d.v, f.costMicro); !r.HasReported && !missing(micros) {
		n, ok := shifted(trim(micros.Raw), 0)
		if !ok || n < 0 || n > 1_000_000_000_000 {
			return &FieldError{"cost_usd_micros", "is not a whole number of millionths of a dollar below 1,000,000 US dollars"}
		}
		r.ReportedPico, r.HasReported = n*1_000_000, true
	}
	return c.disjoint(&r.Tokens)
}

// duration reads milliseconds as microseconds.
func duration(v jsonscan.Value) (int64, error) {
	if missing(v) {
		return 0, nil
	}
	const hourMillis = 3_600_000
	us, ok := shifted(trim(v.Raw), 3)
	if !ok || us < 0 || us > 24*hourMillis*1000 {
		return 0, &FieldError{"duration_ms", "is not a number of milliseconds within a day"}
	}
	return us, nil
}

// claudeProvider is who runs the model, which its id shows: Claude Code may be
// set to call it by AWS or Google.
func claudeProvider(model []byte) []byte {
	switch {
	case bytes.Contains(model, []byte("anthropic.")):
		return bedrockProvider
	case bytes.IndexByte(model, '@') > 0:
		return []byte("vertex_ai")
	}
	return []byte("anthropic")
}
