package decode

import (
	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// AnthropicBatch reads the results of Anthropic's message batches. Natural key:
// the message's id; of a line without a message, the object and custom_id. Input
// leaves the prompt cache out. No line has a time: it is the job's.
type AnthropicBatch struct {
	spec *jsonscan.Spec
	o    BatchOptions
	f    anthropicBatchFields
}

type anthropicBatchFields struct {
	customID, kind, messageID, model int
	errorCode                        []int
	usage                            usageFields
}

// NewAnthropicBatch compiles the format.
func NewAnthropicBatch(o BatchOptions) (*AnthropicBatch, error) {
	var want fields
	f := anthropicBatchFields{
		customID:  want.one("custom_id"),
		kind:      want.one("result.type"),
		messageID: want.one("result.message.id"),
		model:     want.one("result.message.model"),
		errorCode: want.first("result.error.error.type", "result.error.type"),
		usage:     want.usage("result.message."),
	}
	spec, err := jsonscan.Compile(want.paths)
	return &AnthropicBatch{spec, o, f}, err
}

// Name implements Format.
func (*AnthropicBatch) Name() string { return AnthropicBatchName }

// Schema implements Format.
func (*AnthropicBatch) Schema() *record.Schema { return record.UsageSchema }

// Decoder implements Format.
func (f *AnthropicBatch) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	lines := newBatchLines(f.o, "anthropic")
	namespace := []byte(AnthropicBatchName)
	var u record.Usage
	var scratch, natural []byte
	return newJSONDecoder(env, f.spec, func(v []jsonscan.Value, line int64, sink *Sink) error {
		lines.begin(sink.Origin(), &u)
		if err := f.read(v, &lines, &u); err != nil {
			return err
		}
		natural = append(natural[:0], u.ProviderRequestID...)
		if len(u.ResponseID) == 0 {
			natural = append(append(append(natural[:0], lines.origin.Key...), 0), u.ClientRef...)
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

func (f *AnthropicBatch) read(v []jsonscan.Value, lines *batchLines, u *record.Usage) error {
	if u.ClientRef = id(v[f.f.customID]); len(u.ClientRef) == 0 {
		return &FieldError{"custom_id", "is missing; is this source really in the anthropic-batch format?"}
	}
	u.ResponseID = id(v[f.f.messageID])
	if u.ProviderRequestID = u.ResponseID; len(u.ResponseID) == 0 {
		u.ProviderRequestID = u.ClientRef
	}
	if model := name(v[f.f.model]); len(model) > 0 {
		u.Model = model
	}
	switch kind := text(v[f.f.kind]); string(kind) {
	case "succeeded":
		if len(u.ResponseID) == 0 {
			return &FieldError{"result.message.id", "is missing"}
		}
		return lines.took(v, &f.f.usage, u, "result.message.usage")
	case "errored", "canceled", "expired":
		code := firstName(v, f.f.errorCode)
		if len(code) == 0 {
			code = kind
		}
		failed(u, code)
		return nil
	}
	return &FieldError{"result.type", "is none of succeeded, errored, canceled and expired"}
}
