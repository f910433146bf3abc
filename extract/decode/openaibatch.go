package decode

import (
	"strconv"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// OpenAIBatch reads the output and error files of OpenAI's batch jobs, of chat,
// responses and embeddings. Natural key: the line's id. Input includes the
// prompt cache. A line's time is when its answer was made; one without an answer
// has that of its job.
type OpenAIBatch struct {
	spec *jsonscan.Spec
	o    BatchOptions
	f    openAIBatchFields
}

type openAIBatchFields struct {
	id, customID, requestID, status, responseID, model int
	created, errorCode                                 []int
	usage                                              usageFields
}

// NewOpenAIBatch compiles the format.
func NewOpenAIBatch(o BatchOptions) (*OpenAIBatch, error) {
	var want fields
	f := openAIBatchFields{
		id:         want.one("id"),
		customID:   want.one("custom_id"),
		requestID:  want.one("response.request_id"),
		status:     want.one("response.status_code"),
		responseID: want.one("response.body.id"),
		model:      want.one("response.body.model"),
		created:    want.first("response.body.created", "response.body.created_at"),
		errorCode:  want.first("error.code", "response.body.error.code", "response.body.error.type"),
		usage:      want.usage("response.body."),
	}
	spec, err := jsonscan.Compile(want.paths)
	return &OpenAIBatch{spec, o, f}, err
}

// Name implements Format.
func (*OpenAIBatch) Name() string { return OpenAIBatchName }

// Schema implements Format.
func (*OpenAIBatch) Schema() *record.Schema { return record.UsageSchema }

// Decoder implements Format.
func (f *OpenAIBatch) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	lines := newBatchLines(f.o, "openai")
	namespace := []byte(OpenAIBatchName)
	var u record.Usage
	var scratch []byte
	return newJSONDecoder(env, f.spec, func(v []jsonscan.Value, line int64, sink *Sink) error {
		lines.begin(sink.Origin(), &u)
		natural, err := f.read(v, &lines, &u)
		if err != nil {
			return err
		}
		u.Key = recordKey(&scratch, namespace, u.Provider, natural)
		if err := timed(&u); err != nil {
			return err
		}
		u.Date = calendar.Date(u.StartedAt)
		sink.Usage(&u, line)
		return nil
	})
}

func (f *OpenAIBatch) read(v []jsonscan.Value, lines *batchLines, u *record.Usage) (natural []byte, err error) {
	natural = id(v[f.f.id])
	if u.ClientRef = id(v[f.f.customID]); len(u.ClientRef) == 0 {
		return nil, &FieldError{"custom_id", "is missing; is this source really in the openai-batch format?"}
	}
	if len(natural) == 0 {
		return nil, &FieldError{"id", "is missing"}
	}
	if u.ProviderRequestID = id(v[f.f.requestID]); len(u.ProviderRequestID) == 0 {
		u.ProviderRequestID = natural
	}
	u.ResponseID = id(v[f.f.responseID])
	if model := name(v[f.f.model]); len(model) > 0 {
		u.Model = model
	}
	if created := firstPresent(v, f.f.created); !missing(created) {
		if u.StartedAt, err = instant(created, "response.body.created"); err != nil {
			return nil, err
		}
	}
	status, err := whole(v[f.f.status], "response.status_code")
	if err != nil {
		return nil, err
	}
	code := firstName(v, f.f.errorCode)
	if status >= 400 && len(code) == 0 {
		code = strconv.AppendInt(nil, status, 10)
	}
	if len(code) > 0 {
		failed(u, code)
		return natural, nil
	}
	return natural, lines.took(v, &f.f.usage, u, "response.body.usage")
}
