package decode

import (
	"bytes"
	"strconv"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// VertexOptions names the labels of a request that carry our own fields; the
// first that is present counts.
type VertexOptions struct {
	ClientRef  []string
	CostCenter []string
	AgentID    []string
}

// Vertex reads what Google metered of requests to Gemini, and on Vertex AI to
// Claude: rows of Vertex AI's request-response log, which BigQuery exports as
// JSON lines; results of batch jobs; and answers as the API gives them, with the
// time and the like beside. Names come in snake and in camel case. The answer is
// an object, JSON text, or a list of either, as streams are logged.
//
// Natural key: the request's id, else the answer's, else a batch's object, line
// and key.
//
// Gemini counts what it thought beside its candidates, and what its tools put
// into the prompt beside the prompt; the prompt holds what came from the cache.
// Where the total is reached without one of them, the other holds it.
type Vertex struct {
	name     string
	provider []byte
	spec     *jsonscan.Spec
	f        vertexFields
	answer   vertexAnswerSpec
}

// vertexFields are the places in a row.
type vertexFields struct {
	endpoint, loggedAt, requestID, model, method []int
	answers                                      []int              // the first that tells anything counts
	own                                          vertexAnswerFields // of a record that is an answer itself
	at, processed, key, failure, status          []int
	clientRef, costCenter, agentID               []int
}

// vertexAnswerNames are the fields in which a row may have its answer.
var vertexAnswerNames = [...]string{"full_response", "fullResponse", "response", "response_payload", "responsePayload"}

// NewVertex compiles the format of Vertex AI's logs.
func NewVertex(o VertexOptions) (*Vertex, error) { return newVertex(VertexName, "vertex_ai", o) }

// NewGemini compiles the format of logs and batches of the Gemini API.
func NewGemini(o VertexOptions) (*Vertex, error) { return newVertex(GeminiName, "gemini", o) }

func newVertex(name, provider string, o VertexOptions) (*Vertex, error) {
	var want fields
	f := vertexFields{
		endpoint:  want.first("endpoint"),
		loggedAt:  want.first("logging_time", "loggingTime"),
		requestID: want.first("request_id", "requestId"),
		model:     want.first("model"),
		method:    want.first("api_method", "apiMethod"),
		answers:   want.first(vertexAnswerNames[:]...),
		own:       want.vertexAnswer(""),
		at:        want.first("timestamp", "time", "processed_time", "processedTime"),
		processed: want.first("processed_time", "processedTime"),
		key:       want.first("key", "custom_id"),
		failure:   want.first("error"),
		status:    want.first("status"),
	}
	label := func(names []string) (indexes []int) {
		for _, request := range []string{"full_request", "fullRequest", "request"} {
			for _, name := range names {
				indexes = append(indexes, want.path(jsonscan.Path{request, "labels", name}))
			}
		}
		return indexes
	}
	f.clientRef, f.costCenter, f.agentID = label(o.ClientRef), label(o.CostCenter), label(o.AgentID)
	spec, err := jsonscan.Compile(want.paths)
	return &Vertex{name, []byte(provider), spec, f, newVertexAnswerSpec()}, err
}

// Name implements Format.
func (x *Vertex) Name() string { return x.name }

// Schema implements Format.
func (*Vertex) Schema() *record.Schema { return record.UsageSchema }

// Decoder implements Format.
func (x *Vertex) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	var u record.Usage
	var scratch, place []byte
	a := newVertexAnswer(&x.answer)
	return newJSONDecoder(env, x.spec, func(v []jsonscan.Value, line int64, sink *Sink) error {
		if bytes.EqualFold(firstName(v, x.f.method), []byte("CountTokens")) { // costs nothing
			sink.Ignore()
			return nil
		}
		u = record.Usage{Provider: x.provider}
		if err := x.answered(v, a); err != nil {
			return err
		}
		if err := x.read(v, a, sink.Origin(), &u); err != nil {
			return err
		}
		switch id := u.ProviderRequestID; {
		case len(id) > 0:
			u.Key = recordKey(&scratch, x.provider, u.Account, id)
		case len(u.ResponseID) > 0:
			u.Key = recordKey(&scratch, x.provider, u.ResponseID)
		case x.isBatch(v):
			place = append(strconv.AppendInt(place[:0], line, 10), sink.Origin().Key...)
			u.Key = recordKey(&scratch, x.provider, firstID(v, x.f.key), place)
		default:
			return &FieldError{"request_id", "is missing, as is the answer's responseId"}
		}
		u.Date = calendar.Date(u.StartedAt)
		sink.Usage(&u, line)
		return nil
	})
}

// answered reads what the model answered: the first field of the row that tells
// what was metered, else the record itself.
func (x *Vertex) answered(v []jsonscan.Value, a *vertexAnswer) error {
	a.reset()
	for k, i := range x.f.answers {
		if missing(v[i]) {
			continue
		}
		if err := a.take(v[i]); err != nil {
			return placed(vertexAnswerNames[k], err)
		}
		if a.tells() {
			return nil
		}
	}
	a.v, a.f, a.own = v, &x.f.own, true
	return nil
}

// read fills what the row and its answer tell.
func (x *Vertex) read(v []jsonscan.Value, a *vertexAnswer, origin Origin, u *record.Usage) (err error) {
	f := &x.f
	endpoint, resource := firstName(v, f.endpoint), firstName(v, f.model)
	u.Account, u.Region = segment(endpoint, "projects/"), location(endpoint)
	if len(u.Region) == 0 {
		u.Region = location(resource)
	}
	if len(u.Account) == 0 {
		u.Account = segment(resource, "projects/")
	}
	batch := x.isBatch(v)
	if u.StartedAt, err = x.started(v, a, batch, origin); err != nil {
		return err
	}
	if u.ServiceTier = a.tier(); batch {
		u.ServiceTier = batchTier
	}
	u.ProviderRequestID, u.ResponseID = firstID(v, f.requestID), firstID(a.v, a.f.id)
	u.ClientRef, u.CostCenter, u.AgentID = firstID(v, f.clientRef), firstName(v, f.costCenter), firstName(v, f.agentID)
	if len(u.ClientRef) == 0 {
		u.ClientRef = firstID(v, f.key)
	}
	u.Operation = firstName(v, f.method)
	answered := firstName(a.v, a.f.model)
	if a.own && bytes.IndexByte(resource, '/') >= 0 { // a row's version says nothing
		answered = nil
	}
	u.Model = x.model(resource, answered, a)
	u.Failed = !missing(firstPresent(v, f.failure)) || !missing(firstPresent(v, f.processed)) && !missing(firstPresent(v, f.status)) || a.failed()
	hasInput, hasOutput, err := a.tokens(&u.Tokens)
	switch {
	case err != nil:
		return err
	case u.Failed && !hasInput && !hasOutput:
		fail(u, a.errorCode())
		return nil
	case !hasInput:
		return &FieldError{"usageMetadata.promptTokenCount", "is missing, as is usage.input_tokens; is this source really in the " + x.name + " format?"}
	case hasOutput:
		u.Completeness = 2
	default:
		u.Completeness = 1
	}
	u.Failed, u.Notice = false, a.notice // what was answered in spite of it is billed
	if len(u.Model) == 0 {
		return &FieldError{"model", "is missing, as is the answer's modelVersion"}
	}
	return nil
}

// isBatch says whether a record is a line of a batch's results.
func (x *Vertex) isBatch(v []jsonscan.Value) bool {
	return !missing(firstPresent(v, x.f.processed)) || !missing(firstPresent(v, x.f.key))
}

// started is when the answer was made, else when it was logged; of a line of a
// batch that doesn't tell, when its object was written.
func (x *Vertex) started(v []jsonscan.Value, a *vertexAnswer, batch bool, origin Origin) (int64, error) {
	for _, at := range [...]jsonscan.Value{firstPresent(a.v, a.f.at), firstPresent(v, x.f.loggedAt), firstPresent(v, x.f.at)} {
		if !missing(at) {
			return instantUTC(at, "logging_time")
		}
	}
	if written := origin.Modified.UnixMicro(); batch && credible(written) {
		return written, nil
	}
	return 0, &FieldError{"logging_time", "is missing, as are createTime and timestamp"}
}

// instantUTC is instant for times that end in UTC, as BigQuery writes them.
func instantUTC(v jsonscan.Value, field string) (int64, error) {
	if v.Kind == jsonscan.String {
		v.Raw = bytes.TrimSuffix(bytes.TrimSpace(v.Raw), []byte(" UTC"))
	}
	return instant(v, field)
}

// model is who answered. Of a maker besides Google it is the name that Vertex AI
// gives the model, if only by the @ before its date: answers have the maker's own.
func (x *Vertex) model(resource, answered []byte, a *vertexAnswer) []byte {
	if len(answered) == 0 || bytes.Contains(resource, []byte("publishers/")) && !bytes.Contains(resource, []byte("publishers/google/")) {
		answered = resource
	}
	model := bytes.TrimSuffix(lastSegment(answered), atDefault)
	const date = len("-20250929")
	if at := len(model) - date; x.name == VertexName && at > 0 && model[at] == '-' && bytes.HasPrefix(model, []byte("claude-")) && len(bytes.Trim(model[at+1:], "0123456789")) == 0 {
		begin := len(a.text)
		a.text = append(a.text, model...)
		model = a.text[begin:]
		model[at] = '@'
	}
	return model
}

var atDefault = []byte("@default")

func lastSegment(s []byte) []byte { return s[bytes.LastIndexByte(s, '/')+1:] }

// segment is the part of a resource's name behind a collection's.
func segment(s []byte, collection string) []byte {
	i := bytes.Index(s, []byte(collection))
	if i < 0 || i > 0 && s[i-1] != '/' {
		return nil
	}
	s = s[i+len(collection):]
	if end := bytes.IndexByte(s, '/'); end >= 0 {
		s = s[:end]
	}
	return s
}

// location is the region of an endpoint: projects/P/locations/REGION/..., or of
// the host that was called.
func location(s []byte) []byte {
	if region := segment(s, "locations/"); len(region) > 0 {
		return region
	}
	return hostRegion(s)
}
