package decode

import (
	"cmp"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// AnthropicBatch reads the results of Anthropic's message batches. Natural key:
// the message's id; of lines without a message the custom id and the object's
// key. The input count leaves out what was read from and written to the prompt
// cache. A line has no time: see BatchOptions.
type AnthropicBatch struct {
	spec     *jsonscan.Spec
	jobs     batchJobs
	provider []byte
	f        anthropicBatchFields
}

type anthropicBatchFields struct {
	customID, outcome, input, responseID, model int
	errorCode, clientRef                        []int
	usage                                       usageFields
}

// NewAnthropicBatch compiles the format.
func NewAnthropicBatch(o BatchOptions) (*AnthropicBatch, error) {
	jobs, err := newBatchJobs(o)
	if err != nil {
		return nil, err
	}
	var want fields
	f := anthropicBatchFields{
		customID:   want.one("custom_id"),
		outcome:    want.one("result.type"),
		input:      want.one("params"),
		responseID: want.one("result.message.id"),
		model:      want.one("result.message.model"),
		errorCode:  want.first("result.error.error.type", "result.error.type"),
		clientRef:  want.first(o.ClientRef...),
		usage:      want.usage("result.message."),
	}
	spec, err := jsonscan.Compile(want.paths)
	return &AnthropicBatch{spec, jobs, []byte(cmp.Or(o.Provider, "anthropic")), f}, err
}

// Name implements Format.
func (*AnthropicBatch) Name() string { return AnthropicBatchName }

// Schema implements Format.
func (*AnthropicBatch) Schema() *record.Schema { return record.UsageSchema }

// Decoder implements Format.
func (a *AnthropicBatch) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	namespace := []byte(AnthropicBatchName)
	var object batchObject
	var u record.Usage
	var scratch []byte
	answers := newAnswerReader()
	lines := newJSONDecoder(env, a.spec, func(v []jsonscan.Value, line int64, sink *Sink) error {
		if v[a.f.input].Kind == jsonscan.Object && missing(v[a.f.outcome]) { // a line of the batch as it was sent
			sink.Ignore()
			return nil
		}
		u = record.Usage{Provider: a.provider, Completeness: 2}
		customID := id(v[a.f.customID])
		if len(customID) == 0 {
			return &FieldError{"custom_id", "is missing; is this source really in the anthropic-batch format?"}
		}
		u.ClientRef = object.ref(v, a.f.clientRef, customID)
		if err := a.read(v, answers, &object, &u); err != nil {
			return err
		}
		if u.Key = recordKey(&scratch, namespace, u.ResponseID); len(u.ResponseID) == 0 {
			u.Key = recordKey(&scratch, namespace, customID, object.key)
		}
		u.Date = calendar.Date(u.StartedAt)
		sink.Usage(&u, line)
		return nil
	})
	return &batchDecoder{lines, &a.jobs, &object, nil}
}

func (a *AnthropicBatch) read(v []jsonscan.Value, answers *answerReader, o *batchObject, u *record.Usage) error {
	f := &a.f
	if err := o.common(u, jsonscan.Value{}, "started_at"); err != nil {
		return err
	}
	switch outcome := text(v[f.outcome]); string(outcome) {
	case "succeeded":
	case "errored", "canceled", "expired":
		u.Model = o.model
		code := firstName(v, f.errorCode)
		if len(code) == 0 {
			code = outcome
		}
		fail(u, code)
		return nil
	default:
		return &FieldError{"result.type", "is none of succeeded, errored, canceled and expired; is this source really in the anthropic-batch format?"}
	}
	u.ResponseID = id(v[f.responseID])
	if u.Model = name(v[f.model]); len(u.Model) == 0 {
		u.Model = o.model
	}
	return answers.metered(v, &f.usage, u, "result.message")
}
