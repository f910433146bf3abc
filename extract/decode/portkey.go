package decode

import (
	"bytes"
	"slices"
	"time"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// PortkeyOptions names keys of a request's metadata, not paths: what callers
// sent in x-portkey-metadata. In each list the first that is present counts.
type PortkeyOptions struct {
	RequestOptions
	UserID  []string // none: _user
	EndUser []string
	Team    []string
}

// Portkey reads the objects of Portkey's log store, one per request, and the
// lines of its log export, whose columns an administrator may withhold. Natural
// key: the log's id. Tokens are the answer's usage in all its shapes; where no
// body was kept they are req_units and res_units, which don't tell what the
// prompt cache did. Its cost is in US cents. Of headers, which hold cookies and
// keys, only those named here are read.
type Portkey struct {
	spec        *jsonscan.Spec
	f           portkeyFields
	metadata    []textFields // the places of metadata that may be text
	bodies      []textFields // the places of answers that may be text
	metadataKey []string
	metadataAt  []int // where metadata holds each key
}

type portkeyFields struct {
	id, trace, started, cacheStatus, code, success           []int
	duration, units, resultUnits, cost, currency             []int
	model, provider, providerRequestID, responseID           []int
	userID, endUser, team, key, project, written5m, written1 []int
	vertexRegion, awsRegion, host                            []int
	metricKeys, metricValues, guarded, converse              int
	usage                                                    []usageFields
	options                                                  optionFields
}

// NewPortkey compiles the format.
func NewPortkey(o PortkeyOptions) (*Portkey, error) {
	var want fields
	p := &Portkey{}
	if len(o.UserID) == 0 {
		o.UserID = []string{"_user"}
	}
	const header = "request.portkeyHeaders.x-portkey-metadata~"
	meta := func(keys []string) (indexes []int) {
		for _, key := range keys {
			at := want.path(jsonscan.Path{"metadata", key})
			if !slices.Contains(p.metadataKey, key) {
				p.metadataKey, p.metadataAt = append(p.metadataKey, key), append(p.metadataAt, at)
			}
			indexes = append(indexes, at, want.path(append(jsonscan.ParsePath(header), key)))
		}
		return indexes
	}
	headers := func(names ...string) (indexes []int) {
		for _, root := range []string{"response.headers.", "originalResponse.headers."} {
			for _, name := range names {
				indexes = append(indexes, want.one(root+name+"~"))
			}
		}
		return indexes
	}
	p.f = portkeyFields{
		id:                want.first("_id", "metrics.id", "id", "metadata.spanId", "metadata.span_id"),
		trace:             append(want.first("metrics.trace_id", "trace_id", "request.portkeyHeaders.x-portkey-trace-id~", "metadata.traceId", "metadata.trace_id"), headers("x-portkey-trace-id")...),
		started:           want.first("metrics.created_at", "created_at", "createdAt"),
		cacheStatus:       append(want.first("metrics.cache_status", "cache_status", "metadata.cacheStatus"), headers("x-portkey-cache-status")...),
		code:              want.first("metrics.response_status_code", "response_status_code", "response.status"),
		success:           want.first("metrics.is_success", "is_success", "metadata.isSuccess"),
		duration:          want.first("metrics.ttlt", "metrics.response_time", "response_time", "response.responseTime", "response.response_time", "response.time"),
		units:             want.first("metrics.req_units", "req_units"),
		resultUnits:       want.first("metrics.res_units", "res_units"),
		cost:              want.first("metrics.cost", "cost"),
		currency:          want.first("metrics.cost_currency", "cost_currency"),
		model:             want.first("metrics.ai_model", "ai_model", "response.body.model", "response.body.modelVersion", "response.model", "request.body.model", "request.model", "metadata.model"),
		provider:          want.first("metrics.ai_org", "ai_org", "request.provider", "request.portkeyHeaders.x-portkey-provider~", "metadata.provider"),
		providerRequestID: headers(providerIDHeaders...),
		responseID:        want.first("response.body.id", "response.body.responseId", "response.id", "originalResponse.body.id"),
		userID:            append(meta(o.UserID), want.first("metrics._user", "metrics.user_id")...),
		endUser:           meta(o.EndUser),
		team:              meta(o.Team),
		key:               want.first("metrics.api_key_id", "metrics.virtual_key"),
		project:           want.first("metrics.workspace_slug", "workspace_slug"),
		written5m:         want.first("originalResponse.body.usage.cache_creation.ephemeral_5m_input_tokens"),
		written1:          want.first("originalResponse.body.usage.cache_creation.ephemeral_1h_input_tokens"),
		vertexRegion:      want.first("request.portkeyHeaders.x-portkey-vertex-region~"),
		awsRegion:         want.first("request.portkeyHeaders.x-portkey-aws-region~"),
		host:              want.first("request.portkeyHeaders.x-portkey-custom-host~", "request.url"),
		metricKeys:        want.path(jsonscan.Path{"metrics", "metadata.key"}),
		metricValues:      want.path(jsonscan.Path{"metrics", "metadata.value"}),
		converse:          want.one("originalResponse.body.usage.cacheDetails"),
		guarded:           want.one("generation_id"),
		usage:             []usageFields{want.usage("response.body."), want.usage("response."), want.usage("originalResponse.body.")},
		options:           optionFields{meta(o.AgentID), meta(o.ToolCalls), meta(o.CostCenter), meta(o.ClientRef)},
	}
	spec, texts, err := want.compile("metadata", header, "response", "response.body", "originalResponse.body")
	if err != nil {
		return nil, err
	}
	p.spec, p.metadata, p.bodies = spec, texts[:2], texts[2:]
	return p, nil
}

// Name implements Format.
func (*Portkey) Name() string { return PortkeyName }

// Schema implements Format.
func (*Portkey) Schema() *record.Schema { return record.RequestSchema }

// Decoder implements Format.
func (p *Portkey) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	namespace := []byte(PortkeyName)
	var r record.Request
	var tools toolReader
	var scratch []byte
	answers := newAnswerReader()
	metadata, bodies := textReaders(p.metadata), textReaders(p.bodies)
	return newPagesDecoder(env, p.spec, "data", func(v []jsonscan.Value, line int64, sink *Sink) error {
		r = record.Request{Completeness: 2}
		if !missing(v[p.f.guarded]) { // what guardrails found, stored beside the request they looked at
			sink.Ignore()
			return nil
		}
		if err := fillAll(metadata, v); err != nil {
			return err
		}
		for i := range bodies {
			_ = bodies[i].fill(v) // an answer that was cut for the log tells no usage; the units remain
		}
		if err := p.pairs(v); err != nil {
			return err
		}
		if err := p.f.options.read(v, &tools, &r); err != nil {
			return err
		}
		if err := p.read(v, answers, &r); err != nil {
			return err
		}
		r.Key = recordKey(&scratch, namespace, r.AgentRequestID)
		r.Date = calendar.Date(r.StartedAt)
		sink.Request(&r, line)
		return nil
	})
}

// pairs puts what metrics hold of the metadata, as a list of keys and one of
// values, where the metadata's own keys are wanted and absent.
func (p *Portkey) pairs(v []jsonscan.Value) error {
	keys, values := v[p.f.metricKeys], v[p.f.metricValues]
	if keys.Kind != jsonscan.Array || values.Kind != jsonscan.Array {
		return nil
	}
	n := 0
	return jsonscan.Each(keys.Raw, func(element []byte) error {
		key, err := jsonscan.ValueOf(element)
		if err != nil {
			return err
		}
		for i, wanted := range p.metadataKey {
			if at := p.metadataAt[i]; string(text(key)) == wanted && v[at].Kind == jsonscan.Absent {
				v[at], err = elementOf(values.Raw, n)
			}
		}
		n++
		return err
	})
}

// elementOf returns element n of an array, absent where it is shorter.
func elementOf(array []byte, n int) (v jsonscan.Value, err error) {
	i := 0
	err = jsonscan.Each(array, func(element []byte) (err error) {
		if i == n {
			v, err = jsonscan.ValueOf(element)
		}
		i++
		return err
	})
	return v, err
}

func (p *Portkey) read(v []jsonscan.Value, answers *answerReader, r *record.Request) (err error) {
	f := &p.f
	r.ProviderRequestID, r.ResponseID = firstID(v, f.providerRequestID), firstID(v, f.responseID)
	for _, known := range [][]byte{firstID(v, f.id), r.ProviderRequestID, r.ResponseID} {
		if len(r.AgentRequestID) == 0 {
			r.AgentRequestID = known
		}
	}
	if len(r.AgentRequestID) == 0 {
		return &FieldError{"id", "is missing, as are the provider's ids; let the export have the column id"}
	}
	if r.TraceID = firstID(v, f.trace); bytes.Equal(r.TraceID, r.AgentRequestID) {
		r.TraceID = nil
	}
	if err := p.times(v, r); err != nil {
		return err
	}
	if r.Model = firstName(v, f.model); len(r.Model) == 0 {
		r.Model = unknown
	}
	r.Provider = provider(firstName(v, f.provider), r.Model)
	r.Region = p.region(v, r.Provider)
	r.UserID, r.EndUser, r.Team = email(firstName(v, f.userID)), firstName(v, f.endUser), firstName(v, f.team)
	r.KeyAlias, r.Project = firstName(v, f.key), firstName(v, f.project)
	switch status := trim(text(firstPresent(v, f.cacheStatus))); string(status) {
	case "HIT", "SEMANTIC HIT":
		r.CacheHit = true
	}
	if err := p.cost(v, r); err != nil {
		return err
	}
	told, err := p.tokens(v, answers, r)
	if err != nil {
		return err
	}
	return p.status(v, told, r)
}

// region is what the request's headers or the address that was called name.
func (p *Portkey) region(v []jsonscan.Value, provider []byte) (region []byte) {
	switch string(provider) {
	case "vertex_ai":
		region = firstName(v, p.f.vertexRegion)
	case "bedrock":
		region = firstName(v, p.f.awsRegion)
	}
	for _, i := range p.f.host {
		if len(region) == 0 {
			region = hostRegion(name(v[i]))
		}
	}
	return region
}

// times reads when the request was made and for how many milliseconds it ran. A
// duration that can't be is none.
func (p *Portkey) times(v []jsonscan.Value, r *record.Request) (err error) {
	started := firstPresent(v, p.f.started)
	if us, ok := scriptDate(text(started)); ok {
		r.StartedAt = us
	} else if r.StartedAt, err = instant(started, "created_at"); err != nil {
		return err
	}
	for _, i := range p.f.duration { // a stream's response time ends with its first token, ttlt with its last
		if ms, ok := shifted(trim(text(v[i])), 3); ok && ms > 0 && ms <= 24*hourMicros {
			r.EndedAt, r.HasEnded = r.StartedAt+ms, true
			break
		}
	}
	return nil
}

// scriptDate reads the form in which JavaScript prints dates, such as
// Sat Oct 31 2026 22:59:40 GMT+0000 (Coordinated Universal Time).
func scriptDate(s []byte) (int64, bool) {
	s, _, _ = bytes.Cut(s, []byte(" ("))
	if len(s) != len("Sat Oct 31 2026 22:59:40 GMT+0000") || s[3] != ' ' {
		return 0, false
	}
	t, err := time.Parse("Mon Jan 02 2006 15:04:05 GMT-0700", string(s))
	us := t.UnixMicro()
	return us, err == nil && us >= yearMinMicros && us < yearEndMicros
}

// cost reads the estimate, which is in cents. One in another currency is not
// kept.
func (p *Portkey) cost(v []jsonscan.Value, r *record.Request) error {
	cost := firstPresent(v, p.f.cost)
	if currency := firstName(v, p.f.currency); len(currency) > 0 && !bytes.EqualFold(currency, []byte("USD")) {
		return nil
	}
	if cost.Kind != jsonscan.Number && cost.Kind != jsonscan.String || missing(cost) {
		return nil
	}
	pico, ok := shifted(bytes.TrimSpace(cost.Raw), 10)
	if !ok || pico > amountPicoMax || pico < -amountPicoMax {
		return &FieldError{"cost", "is not a decimal amount of cents below 1,000,000 US dollars"}
	}
	r.ReportedPico, r.HasReported = pico, true
	return nil
}

// tokens reads the first answer that tells its usage, else the units. told says
// that an answer gave its counts, also where they are 0.
func (p *Portkey) tokens(v []jsonscan.Value, answers *answerReader, r *record.Request) (told bool, err error) {
	for i := range p.f.usage {
		a, err := answers.read(v, &p.f.usage[i], &r.Tokens)
		if err != nil {
			return false, err
		}
		if a.hasInput {
			u := &p.f.usage[i]
			r.ServiceTier, r.Notice = servedTier(firstName(v, u.tier), name(v[u.speed])), a.notice
			if region := geography(v[u.region]); len(region) > 0 {
				r.Region = region
			}
			return a.toldZero, p.timesToLive(v, answers, &r.Tokens)
		}
	}
	units, results := firstPresent(v, p.f.units), firstPresent(v, p.f.resultUnits)
	if r.Tokens.InputUncached, err = whole(units, "req_units"); err != nil {
		return false, err
	}
	r.Tokens.Output, err = whole(results, "res_units")
	return false, err
}

// timesToLive parts the cache writes of an answer that Portkey gave OpenAI's
// shape by what the provider's own answer says of them.
func (p *Portkey) timesToLive(v []jsonscan.Value, answers *answerReader, t *record.Tokens) error {
	if t.CacheWriteUnknown == 0 {
		return nil
	}
	var c tokenCounts
	var err error
	if c.written5m, err = whole(firstPresent(v, p.f.written5m), "ephemeral_5m_input_tokens"); err != nil {
		return err
	}
	if c.written1h, err = whole(firstPresent(v, p.f.written1), "ephemeral_1h_input_tokens"); err != nil {
		return err
	}
	if list := v[p.f.converse]; list.Kind == jsonscan.Array && c.written5m+c.written1h == 0 {
		err = timesToLive(answers.ttl, list, &c)
	}
	if err == nil && c.written5m+c.written1h == t.CacheWriteUnknown {
		t.CacheWrite5m, t.CacheWrite1h, t.CacheWriteUnknown = c.written5m, c.written1h, 0
	}
	return err
}

// status reads the HTTP status, or whether it was a success. A record that tells
// neither is one: what fails has no tokens.
func (p *Portkey) status(v []jsonscan.Value, told bool, r *record.Request) error {
	code := firstPresent(v, p.f.code)
	n, err := whole(code, "response_status_code")
	if err != nil {
		return err
	}
	success := firstPresent(v, p.f.success)
	word := string(trim(text(success)))
	r.Failed = n != 0 && (n < 200 || n > 299) || n == 0 && (success.Kind == jsonscan.False || word == "0" || word == "false")
	switch {
	case r.Failed:
		r.Completeness = 0
		if n != 0 {
			r.ErrorCode = name(code)
		}
	case !told && r.Tokens.InputUncached+r.Tokens.CacheRead+r.Tokens.Output == 0 && !r.CacheHit:
		r.Completeness = 1
	}
	return nil
}
