package decode

import (
	"bytes"
	"cmp"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// OpenAIBatch reads the output and error files of OpenAI's batches, which Azure
// writes alike: answers of chat completions, responses, completions and
// embeddings. Natural key: the line's id, else the provider's request id, else
// the custom id and the object's key. The input count includes what was read
// from and written to the prompt cache. The time is that of the answer; lines
// without an answer have none: see BatchOptions. Moderations are free and of no
// concern, as are the lines of a batch as it was sent.
type OpenAIBatch struct {
	spec     *jsonscan.Spec
	jobs     batchJobs
	provider []byte
	f        openaiBatchFields
}

type openaiBatchFields struct {
	id, customID, url, response, failure         int
	requestID, status, responseID, object, model int
	metered                                      int
	created, failureCode, bodyCode, clientRef    []int
	usage                                        usageFields
}

// NewOpenAIBatch compiles the format.
func NewOpenAIBatch(o BatchOptions) (*OpenAIBatch, error) {
	jobs, err := newBatchJobs(o)
	if err != nil {
		return nil, err
	}
	var want fields
	f := openaiBatchFields{
		id:          want.one("id"),
		customID:    want.one("custom_id"),
		url:         want.one("url"),
		response:    want.one("response"),
		failure:     want.one("error"),
		requestID:   want.one("response.request_id"),
		status:      want.one("response.status_code"),
		responseID:  want.one("response.body.id"),
		object:      want.one("response.body.object"),
		model:       want.one("response.body.model"),
		metered:     want.one("response.body.usage"),
		created:     want.first("response.body.created", "response.body.created_at"),
		failureCode: want.first("error.code"),
		bodyCode:    want.first("response.body.error.code", "response.body.error.type"),
		clientRef:   want.first(o.ClientRef...),
		usage:       want.usage("response.body."),
	}
	spec, err := jsonscan.Compile(want.paths)
	return &OpenAIBatch{spec, jobs, []byte(cmp.Or(o.Provider, "openai")), f}, err
}

// Name implements Format.
func (*OpenAIBatch) Name() string { return OpenAIBatchName }

// Schema implements Format.
func (*OpenAIBatch) Schema() *record.Schema { return record.UsageSchema }

// Decoder implements Format.
func (b *OpenAIBatch) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	namespace := []byte(OpenAIBatchName)
	answers := newAnswerReader()
	var object batchObject
	var u record.Usage
	var scratch []byte
	lines := newJSONDecoder(env, b.spec, func(v []jsonscan.Value, line int64, sink *Sink) error {
		if b.ofNoConcern(v) {
			sink.Ignore()
			return nil
		}
		u = record.Usage{Provider: b.provider, Completeness: 2}
		lineID, requestID, customID := id(v[b.f.id]), id(v[b.f.requestID]), id(v[b.f.customID])
		if len(customID) == 0 {
			return &FieldError{"custom_id", "is missing; is this source really in the openai-batch format?"}
		}
		u.ClientRef = object.ref(v, b.f.clientRef, customID)
		if u.ProviderRequestID = requestID; len(requestID) == 0 {
			u.ProviderRequestID = lineID
		}
		if err := b.read(v, answers, &object, &u); err != nil {
			return err
		}
		switch {
		case len(lineID) > 0:
			u.Key = recordKey(&scratch, namespace, lineID)
		case len(requestID) > 0:
			u.Key = recordKey(&scratch, namespace, nil, requestID)
		default:
			u.Key = recordKey(&scratch, namespace, customID, object.key)
		}
		u.Date = calendar.Date(u.StartedAt)
		sink.Usage(&u, line)
		return nil
	})
	return &batchDecoder{lines, &b.jobs, &object, nil}
}

// ofNoConcern says whether a line is a request as it was sent, or an answer of
// the moderation, which is free and has no usage.
func (b *OpenAIBatch) ofNoConcern(v []jsonscan.Value) bool {
	f := &b.f
	sent := v[f.url].Kind == jsonscan.String && v[f.response].Kind == jsonscan.Absent && v[f.failure].Kind == jsonscan.Absent
	return sent || bytes.HasPrefix(text(v[f.responseID]), []byte("modr-"))
}

func (b *OpenAIBatch) read(v []jsonscan.Value, answers *answerReader, o *batchObject, u *record.Usage) error {
	f := &b.f
	if err := o.common(u, firstPresent(v, f.created), "response.body.created"); err != nil {
		return err
	}
	u.ResponseID, u.Operation = id(v[f.responseID]), name(v[f.object])
	if u.Model = name(v[f.model]); len(u.Model) == 0 {
		u.Model = o.model
	}
	if v[f.response].Kind == jsonscan.Absent { // such as batch_expired
		if v[f.failure].Kind == jsonscan.Absent {
			return &FieldError{"response", "is missing, as is error"}
		}
		fail(u, firstName(v, f.failureCode))
		return nil
	}
	status, err := whole(v[f.status], "response.status_code")
	switch {
	case err != nil:
		return err
	case status >= 400:
		code := firstName(v, f.bodyCode)
		if len(code) == 0 {
			code = text(v[f.status])
		}
		fail(u, code)
		return nil
	}
	if code := firstName(v, f.bodyCode); len(code) > 0 && v[f.metered].Kind == jsonscan.Absent { // a response that broke off
		fail(u, code)
		return nil
	}
	if err := answers.metered(v, &f.usage, u, "response.body"); err != nil {
		return err
	}
	if u.Completeness == 1 && string(u.Operation) == "list" { // these have no output
		u.Operation, u.Completeness = embeddings, 2
	}
	return nil
}

var embeddings = []byte("embeddings")
