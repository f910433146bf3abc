package decode

import (
	"bytes"
	"unicode/utf8"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// mappedRow makes rows of mapped fields for one worker.
type mappedRow struct {
	*Mapped
	calendar  Calendar
	namespace []byte
	texts     []textReader
	direct    []bool // of CSV, by place: a column has its whole name
	held      []jsonscan.Value
	scanned   []jsonscan.Value
	v         [mappedFields]jsonscan.Value
	sums      [mappedFields]sum // where several places add up to a field
	usage     record.Usage
	request   record.Request
	tools     toolReader
	scratch   []byte
	natural   []byte
	made      []byte // an id of a record that has none
	lower     []byte
	paid      []byte // the provider in lower case
	stated    bool   // the provider is a word of the settings
}

// take makes one row of scanned values.
func (m *mappedRow) take(scanned []jsonscan.Value, line int64, sink *Sink) error {
	if err := m.unpack(scanned); err != nil {
		return err
	}
	for _, f := range m.filter {
		if !f.concerns(scanned) {
			sink.Ignore()
			return nil
		}
	}
	m.scanned, m.stated = scanned, len(m.at[mapProvider]) == 0
	for _, f := range m.mapped {
		m.v[f], m.sums[f] = jsonscan.Value{}, nil
		for _, places := range m.at[f] {
			if m.choose(f, places) {
				break
			}
		}
	}
	if m.o.Side == ProviderSide {
		return m.takeUsage(line, sink)
	}
	return m.takeRequest(line, sink)
}

// unpack fills in the places that stand in JSON texts. One that is broken is the
// record's fault where it holds what decides.
func (m *mappedRow) unpack(v []jsonscan.Value) error {
	if m.direct != nil {
		m.held = append(m.held[:0], v...)
	}
	for i := range m.texts {
		if err := m.texts[i].fill(v); err != nil && m.decides[i] {
			return err
		}
	}
	for i, direct := range m.direct {
		if direct {
			v[i] = m.held[i]
		}
	}
	return nil
}

// choose takes a field from places, where the record has one of them.
func (m *mappedRow) choose(f mappedField, places sum) bool {
	for _, i := range places {
		value := m.scanned[i]
		if m.null(value) || !f.numeric() && f != mapToolCalls && (value.Kind == jsonscan.Object || value.Kind == jsonscan.Array) {
			continue
		}
		if m.words[f] != nil {
			ours, known := m.translated(f, value)
			if ours.Kind == jsonscan.Absent {
				continue
			}
			value, m.stated = ours, m.stated || known && f == mapProvider
		}
		if m.v[f] = value; len(places) > 1 {
			m.sums[f] = places
		}
		return true
	}
	return false
}

// null says whether a value stands for nothing.
func (m *mappedRow) null(v jsonscan.Value) bool {
	return missing(v) || v.Kind == jsonscan.String && len(m.nullWords) > 0 && m.nullWords[string(trim(text(v)))]
}

// name hashes the fields that name a record. own is the request's own id, which
// a record without one makes of these fields.
func (m *mappedRow) name(provider []byte) (key int64, own []byte, err error) {
	own = id(m.v[m.id()])
	if len(own) == 0 && m.has(m.id()) {
		return 0, nil, &FieldError{mappedNames[m.id()], "is missing"}
	}
	m.natural, m.made = m.natural[:0], m.made[:0]
	some := false
	for k, f := range m.Mapped.key {
		part := id(m.v[f])
		if len(part) == 0 && (f.names() || len(m.Mapped.key) == 1) {
			return 0, nil, &FieldError{mappedNames[f], "is missing, and it is a part of the key"}
		}
		some = some || len(part) > 0
		m.natural = append(append(m.natural, part...), 0)
		for _, i := range m.sums[f] {
			m.natural = append(append(m.natural, text(m.scanned[i])...), 1)
		}
		if len(own) == 0 {
			m.make(k, part, m.sums[f])
		}
	}
	switch {
	case !some:
		return 0, nil, &FieldError{"key", "none of its fields is there"}
	case len(own) == 0:
		own = m.made
	}
	return recordKey(&m.scratch, m.namespace, provider, m.natural), own, nil
}

// make adds part k of a key to the id that is made of it.
func (m *mappedRow) make(k int, part []byte, more sum) {
	if k > 0 {
		m.made = append(m.made, '/')
	}
	m.made = append(m.made, part...)
	for _, i := range more {
		m.made = append(append(m.made, '+'), text(m.scanned[i])...)
	}
}

// provider is the rate book's word for who is paid. What the settings themselves
// say is such a word already.
func (m *mappedRow) provider(model []byte) []byte {
	named := name(m.v[mapProvider])
	if m.stated && len(named) > 0 {
		return named
	}
	m.paid = lowered(m.paid, named)
	return provider(m.paid, model)
}

func (m *mappedRow) takeUsage(line int64, sink *Sink) (err error) {
	u := &m.usage
	*u = record.Usage{
		ResponseID: id(m.v[mapResponseID]), ClientRef: id(m.v[mapClientRef]),
		Account: name(m.v[mapAccount]), Region: name(m.v[mapRegion]), Model: name(m.v[mapModel]), Operation: m.note(mapOperation), ServiceTier: name(m.v[mapServiceTier]),
		Caller: name(m.v[mapCaller]), CostCenter: name(m.v[mapCostCenter]), AgentID: name(m.v[mapAgentID]), ErrorCode: m.note(mapErrorCode),
	}
	if u.StartedAt, err = m.clock.read(m.v[mapStartedAt], "started_at"); err != nil {
		return err
	}
	u.Failed = m.failed()
	hasInput, hasOutput, err := m.tokens(&u.Tokens, u.Model)
	named := name(m.v[mapProvider])
	switch {
	case err != nil:
		return err
	case len(named) == 0:
		return &FieldError{"provider", "is missing"}
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
	if u.Key, u.ProviderRequestID, err = m.name(named); err != nil {
		return err
	}
	u.Provider, u.Date = m.provider(u.Model), m.calendar.Date(u.StartedAt)
	sink.Usage(u, line)
	return nil
}

func (m *mappedRow) takeRequest(line int64, sink *Sink) (err error) {
	r := &m.request
	*r = record.Request{
		ProviderRequestID: id(m.v[mapProviderRequestID]), ResponseID: id(m.v[mapResponseID]),
		ClientRef: id(m.v[mapClientRef]), TraceID: normID(m.note(mapTraceID)), Failed: m.failed(), ErrorCode: m.note(mapErrorCode),
		UserID: email(name(m.v[mapUserID])), UserEmail: email(name(m.v[mapUserEmail])), EndUser: m.note(mapEndUser), Team: name(m.v[mapTeam]),
		KeyAlias: name(m.v[mapKeyAlias]), Project: name(m.v[mapProject]), AgentID: name(m.v[mapAgentID]), CostCenter: name(m.v[mapCostCenter]),
		Model: name(m.v[mapModel]), Region: name(m.v[mapRegion]), ServiceTier: name(m.v[mapServiceTier]), CacheHit: m.yes(m.v[mapCacheHit]),
	}
	if r.Provider = m.provider(r.Model); len(r.Model) == 0 {
		r.Model = unknown
	}
	if len(r.UserID) == 0 {
		r.UserID, r.UserEmail = r.UserEmail, nil
	}
	if string(r.UserEmail) == string(r.UserID) {
		r.UserEmail = nil
	}
	if r.StartedAt, err = m.clock.read(m.v[mapStartedAt], "started_at"); err != nil {
		return err
	}
	if ended := m.v[mapEndedAt]; ended.Kind != jsonscan.Absent {
		r.EndedAt, err = m.clock.read(ended, "ended_at")
		r.HasEnded = err == nil
	}
	hasInput, hasOutput, err := m.tokens(&r.Tokens, r.Model)
	if err != nil {
		return err
	}
	switch {
	case r.Failed:
	case r.CacheHit || hasInput && hasOutput:
		r.Completeness = 2
	default:
		r.Completeness = 1
	}
	if mix, err := m.tools.read(toolsOf(m.v[mapToolCalls])); err == nil {
		r.Tools, r.ToolCalls = mix.text, mix.calls
	}
	r.ReportedPico, r.HasReported = m.cost()
	if r.Key, r.AgentRequestID, err = m.name(nil); err != nil {
		return err
	}
	r.Date = m.calendar.Date(r.StartedAt)
	sink.Request(r, line)
	return nil
}

// note is a text that only informs: one that can't be kept is none.
func (m *mappedRow) note(f mappedField) []byte {
	s := name(m.v[f])
	if len(s) > record.TextBytesMax || bytes.IndexByte(s, 0) >= 0 || !utf8.Valid(s) {
		return nil
	}
	return s
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
	switch status := word(m.v[mapStatus]); {
	case len(m.o.Success) > 0:
		return !wordSet(m.o.Success).has(status)
	case len(m.o.Failure) > 0:
		return wordSet(m.o.Failure).has(status)
	}
	return m.v[mapErrorCode].Kind != jsonscan.Absent
}

var yesWord = []byte("true")

// yes says whether a value means yes.
func (m *mappedRow) yes(v jsonscan.Value) bool {
	return v.Kind == jsonscan.True || bytes.EqualFold(word(v), yesWord) || wordSet(m.o.CacheHit).has(word(v))
}

// tokens fills disjoint counts, and says which of the two the record tells. What
// can have no output tells that there was none.
func (m *mappedRow) tokens(t *record.Tokens, model []byte) (hasInput, hasOutput bool, err error) {
	count := func(f mappedField) (n int64) {
		if err == nil && m.v[f].Kind != jsonscan.Absent {
			n, err = m.count(f)
		}
		return n
	}
	c := tokenCounts{
		exclusive: m.o.TokensIn == Exclusive, input: count(mapInput), output: count(mapOutput), cached: count(mapCacheRead), written: count(mapCacheWrite),
		written5m: count(mapCacheWrite5m), written1h: count(mapCacheWrite1h), reasoning: count(mapReasoning), inputAudio: count(mapInputAudio), inputImage: count(mapInputImage),
		cachedAudio: count(mapCacheReadAudio), outputAudio: count(mapOutputAudio), outputImage: count(mapOutputImage), searches: count(mapSearches),
	}
	if err != nil {
		return false, false, err
	}
	var total int64
	hasTotal := m.v[mapTotal].Kind != jsonscan.Absent
	if hasTotal {
		var odd error
		total, odd = m.count(mapTotal)
		hasTotal = odd == nil
	}
	prompt := c.input
	if cache := c.cached + max(c.written, c.written5m+c.written1h); c.exclusive || cache > c.input {
		prompt += cache
	}
	if c.reasoning > 0 && (m.o.ReasoningIn == BesidesOutput || m.o.ReasoningIn == "" && hasTotal && total == prompt+c.output+c.reasoning) {
		c.output += c.reasoning
	}
	hasInput, hasOutput = m.v[mapInput].Kind != jsonscan.Absent, m.v[mapOutput].Kind != jsonscan.Absent
	switch {
	case c.reasoning > c.output && !hasOutput: // a part of what isn't told
		c.output = c.reasoning
	case c.reasoning > c.output:
		return false, false, &FieldError{"reasoning_tokens", "is larger than output_tokens, so it is no part of it; set reasoning_in: besides where it never is"}
	case !hasOutput && hasInput:
		hasOutput = hasTotal && total == prompt || m.outputless(model)
	}
	return hasInput, hasOutput, c.disjoint(t)
}

// outputless says that a record is of a kind that has no output to count:
// embeddings, rankings and moderations.
func (m *mappedRow) outputless(model []byte) bool {
	for _, what := range [][]byte{name(m.v[mapOperation]), model} {
		m.lower = lowered(m.lower, what)
		for _, word := range []string{"embed", "rerank", "moderation"} {
			if bytes.Contains(m.lower, []byte(word)) {
				return true
			}
		}
	}
	return false
}

// count reads tokens, or thousands of them, which must be whole tokens. Of a sum
// the places that a record has count.
func (m *mappedRow) count(f mappedField) (n int64, err error) {
	if m.sums[f] == nil {
		return m.countOf(m.v[f], f)
	}
	for _, i := range m.sums[f] {
		if m.null(m.scanned[i]) {
			continue
		}
		part, err := m.countOf(m.scanned[i], f)
		if err != nil {
			return 0, err
		}
		if n += part; n > tokensMax {
			return 0, &FieldError{mappedNames[f], "adds up to more than 100,000,000"}
		}
	}
	return n, nil
}

func (m *mappedRow) countOf(v jsonscan.Value, f mappedField) (int64, error) {
	field := mappedNames[f]
	if m.o.TokenUnit == UnitTokens || v.Kind == jsonscan.Absent || f == mapSearches {
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

// cost reads the reported cost in its unit as pico-dollars. It is compared, never
// owed: one that isn't a number is none.
func (m *mappedRow) cost() (pico int64, present bool) {
	if m.v[mapReportedCost].Kind == jsonscan.Absent {
		return 0, false
	}
	places := map[string]int{UnitUSD: 12, UnitCents: 10, UnitMicros: 6}[m.o.CostUnit]
	add := func(v jsonscan.Value) bool {
		raw := trim(text(v))
		if len(raw) == 0 || raw[0] > '9' || raw[0] == '$' { // words cost a number's parser an error each
			return false
		}
		part, ok := shifted(raw, places)
		if !ok || part > amountPicoMax || part < -amountPicoMax {
			return false
		}
		pico += part
		return pico <= amountPicoMax && pico >= -amountPicoMax
	}
	if m.sums[mapReportedCost] == nil {
		return pico, add(m.v[mapReportedCost])
	}
	for _, i := range m.sums[mapReportedCost] {
		if !m.null(m.scanned[i]) && !add(m.scanned[i]) {
			return 0, false
		}
	}
	return pico, true
}

// lowered is a text in lower case, in the memory of to.
func lowered(to, s []byte) []byte {
	to = to[:0]
	for _, c := range s {
		switch {
		case c >= 0x80:
			return append(to[:0], bytes.ToLower(s)...)
		case c-'A' < 26:
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}
