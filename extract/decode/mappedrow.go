package decode

import (
	"slices"
	"strings"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// mappedRow makes rows of mapped fields for one worker.
type mappedRow struct {
	*Mapped
	calendar  Calendar
	namespace []byte
	v         [mappedFields]jsonscan.Value
	usage     record.Usage
	request   record.Request
	tools     toolReader
	scratch   []byte
	natural   []byte
}

// take makes one row of scanned values.
func (m *mappedRow) take(scanned []jsonscan.Value, line int64, sink *Sink) error {
	for f := range mappedFields {
		m.v[f] = m.constant[f]
		for _, i := range m.at[f] {
			if value := scanned[i]; !m.null(value) {
				m.v[f] = value
				break
			}
		}
	}
	if m.o.Side == ProviderSide {
		return m.takeUsage(line, sink)
	}
	return m.takeRequest(line, sink)
}

// null says whether a value stands for nothing.
func (m *mappedRow) null(v jsonscan.Value) bool {
	return missing(v) || v.Kind == jsonscan.String && len(m.nullWords) > 0 && m.nullWords[string(trim(text(v)))]
}

// key hashes the fields that name a record.
func (m *mappedRow) keyOf(provider []byte) (int64, error) {
	m.natural = m.natural[:0]
	for _, f := range m.Mapped.key {
		part := id(m.v[f])
		if len(part) == 0 {
			return 0, &FieldError{mappedNames[f], "is missing, and it is a part of the key"}
		}
		m.natural = append(append(m.natural, part...), 0)
	}
	return recordKey(&m.scratch, m.namespace, provider, m.natural), nil
}

func (m *mappedRow) takeUsage(line int64, sink *Sink) (err error) {
	u := &m.usage
	*u = record.Usage{
		Provider: name(m.v[mapProvider]), ProviderRequestID: id(m.v[mapProviderRequestID]), ResponseID: id(m.v[mapResponseID]), ClientRef: id(m.v[mapClientRef]),
		Account: name(m.v[mapAccount]), Region: name(m.v[mapRegion]), Model: name(m.v[mapModel]), Operation: name(m.v[mapOperation]), ServiceTier: name(m.v[mapServiceTier]),
		Caller: name(m.v[mapCaller]), CostCenter: name(m.v[mapCostCenter]), AgentID: name(m.v[mapAgentID]), ErrorCode: name(m.v[mapErrorCode]),
	}
	if u.StartedAt, err = m.clock.read(m.v[mapStartedAt], "started_at"); err != nil {
		return err
	}
	u.Failed = m.failed()
	hasInput, hasOutput, err := m.tokens(&u.Tokens)
	switch {
	case err != nil:
		return err
	case len(u.Provider) == 0:
		return &FieldError{"provider", "is missing"}
	case len(u.ProviderRequestID) == 0:
		return &FieldError{"provider_request_id", "is missing"}
	case u.Failed:
		if len(u.Model) == 0 {
			u.Model = unknown
		}
	case len(u.Model) == 0:
		return &FieldError{"model", "is missing"}
	case !hasInput: // what isn't known is not zero
		return &FieldError{"input_tokens", "is missing in a record that didn't fail"}
	case hasOutput:
		u.Completeness = 2
	default:
		u.Completeness = 1
	}
	if u.Key, err = m.keyOf(u.Provider); err != nil {
		return err
	}
	u.Date = m.calendar.Date(u.StartedAt)
	sink.Usage(u, line)
	return nil
}

func (m *mappedRow) takeRequest(line int64, sink *Sink) (err error) {
	r := &m.request
	*r = record.Request{
		AgentRequestID: id(m.v[mapAgentRequestID]), Provider: name(m.v[mapProvider]), ProviderRequestID: id(m.v[mapProviderRequestID]), ResponseID: id(m.v[mapResponseID]),
		ClientRef: id(m.v[mapClientRef]), TraceID: id(m.v[mapTraceID]), Failed: m.failed(), ErrorCode: name(m.v[mapErrorCode]),
		UserID: email(name(m.v[mapUserID])), UserEmail: email(name(m.v[mapUserEmail])), EndUser: name(m.v[mapEndUser]), Team: name(m.v[mapTeam]),
		KeyAlias: name(m.v[mapKeyAlias]), Project: name(m.v[mapProject]), AgentID: name(m.v[mapAgentID]), CostCenter: name(m.v[mapCostCenter]),
		Model: name(m.v[mapModel]), Region: name(m.v[mapRegion]), ServiceTier: name(m.v[mapServiceTier]), CacheHit: m.yes(m.v[mapCacheHit]),
	}
	if len(r.AgentRequestID) == 0 {
		return &FieldError{"agent_request_id", "is missing"}
	}
	if len(r.Model) == 0 {
		r.Model = unknown
	}
	if r.Provider = provider(r.Provider, r.Model); len(r.UserID) == 0 {
		r.UserID, r.UserEmail = r.UserEmail, nil
	}
	if string(r.UserEmail) == string(r.UserID) {
		r.UserEmail = nil
	}
	if r.StartedAt, err = m.clock.read(m.v[mapStartedAt], "started_at"); err != nil {
		return err
	}
	if r.HasEnded = m.v[mapEndedAt].Kind != jsonscan.Absent; r.HasEnded {
		if r.EndedAt, err = m.clock.read(m.v[mapEndedAt], "ended_at"); err != nil {
			return err
		}
	}
	hasInput, hasOutput, err := m.tokens(&r.Tokens)
	if err != nil {
		return err
	}
	switch {
	case r.Failed:
	case r.CacheHit || hasInput && hasOutput && r.Tokens != (record.Tokens{}):
		r.Completeness = 2
	default:
		r.Completeness = 1
	}
	mix, err := m.tools.read(toolsOf(m.v[mapToolCalls]))
	if err != nil {
		return err
	}
	r.Tools, r.ToolCalls = mix.text, mix.calls
	if r.ReportedPico, r.HasReported, err = m.cost(); err != nil {
		return err
	}
	if r.Key, err = m.keyOf(nil); err != nil {
		return err
	}
	r.Date = m.calendar.Date(r.StartedAt)
	sink.Request(r, line)
	return nil
}

// toolsOf reads tool calls that are written as JSON text, as cells of CSV are.
func toolsOf(v jsonscan.Value) jsonscan.Value {
	if v.Kind != jsonscan.String {
		return v
	}
	raw := trim(text(v))
	switch {
	case len(raw) > 0 && raw[0] == '{':
		return jsonscan.Value{Kind: jsonscan.Object, Raw: raw}
	case len(raw) > 0 && raw[0] == '[':
		return jsonscan.Value{Kind: jsonscan.Array, Raw: raw}
	}
	return v
}

// failed says what status means; without one, an error code says it.
func (m *mappedRow) failed() bool {
	status := string(trim(text(m.v[mapStatus])))
	is := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, status) })
	}
	switch {
	case len(m.o.Success) > 0:
		return !is(m.o.Success)
	case len(m.o.Failure) > 0:
		return is(m.o.Failure)
	}
	return m.v[mapErrorCode].Kind != jsonscan.Absent
}

// yes says whether a value means yes.
func (m *mappedRow) yes(v jsonscan.Value) bool {
	word := string(trim(text(v)))
	return v.Kind == jsonscan.True || strings.EqualFold(word, "true") || word != "" && slices.ContainsFunc(m.o.CacheHit, func(w string) bool { return strings.EqualFold(w, word) })
}

// tokens fills disjoint counts, and says which of the two the record tells.
func (m *mappedRow) tokens(t *record.Tokens) (hasInput, hasOutput bool, err error) {
	count := func(f mappedField) (n int64) {
		if err == nil {
			n, err = m.count(m.v[f], mappedNames[f])
		}
		return n
	}
	c := tokenCounts{
		exclusive: m.o.TokensIn == Exclusive, input: count(mapInput), output: count(mapOutput), cached: count(mapCacheRead), written: count(mapCacheWrite),
		written5m: count(mapCacheWrite5m), written1h: count(mapCacheWrite1h), reasoning: count(mapReasoning), inputAudio: count(mapInputAudio), inputImage: count(mapInputImage),
		cachedAudio: count(mapCacheReadAudio), outputAudio: count(mapOutputAudio), outputImage: count(mapOutputImage),
	}
	if err == nil {
		c.searches, err = whole(m.v[mapSearches], "searches")
	}
	if err != nil {
		return false, false, err
	}
	return m.v[mapInput].Kind != jsonscan.Absent, m.v[mapOutput].Kind != jsonscan.Absent, c.disjoint(t)
}

// count reads tokens, or thousands of them, which must be whole tokens.
func (m *mappedRow) count(v jsonscan.Value, field string) (int64, error) {
	if m.o.TokenUnit == UnitTokens || v.Kind == jsonscan.Absent {
		return whole(v, field)
	}
	if v.Kind != jsonscan.Number && v.Kind != jsonscan.String {
		return 0, &FieldError{field, "is not a number"}
	}
	thousandths, ok := shifted(trim(v.Raw), 6)
	switch {
	case !ok:
		return 0, &FieldError{field, "is not a number"}
	case thousandths < 0:
		return 0, &FieldError{field, "is negative"}
	case thousandths%1000 != 0:
		return 0, &FieldError{field, "is not a whole number of tokens, in thousands"}
	case thousandths/1000 > tokensMax:
		return 0, &FieldError{field, "is larger than 100,000,000 tokens"}
	}
	return thousandths / 1000, nil
}

// cost reads the reported cost in its unit as pico-dollars.
func (m *mappedRow) cost() (pico int64, present bool, err error) {
	v := m.v[mapReportedCost]
	if v.Kind == jsonscan.Absent {
		return 0, false, nil
	}
	places := map[string]int{UnitUSD: 12, UnitCents: 10, UnitMicros: 6}[m.o.CostUnit]
	pico, ok := shifted(trim(text(v)), places)
	if !ok || pico > amountPicoMax || pico < -amountPicoMax {
		return 0, false, &FieldError{"reported_cost", "is not a decimal amount below 1,000,000 US dollars"}
	}
	return pico, true, nil
}
