package decode

import (
	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// BedrockBatch reads the .jsonl.out files of Bedrock's batch inference. Natural
// key: the job's folder and recordId. Usage stands in modelOutput in the shape of
// the model. A line has no time and mostly no model: they are the job's.
type BedrockBatch struct {
	spec *jsonscan.Spec
	o    BatchOptions
	f    bedrockBatchFields
}

type bedrockBatchFields struct {
	recordID, responseID, model, problem int
	errorCode                            []int
	usage                                usageFields
}

// NewBedrockBatch compiles the format.
func NewBedrockBatch(o BatchOptions) (*BedrockBatch, error) {
	var want fields
	f := bedrockBatchFields{
		recordID:   want.one("recordId"),
		responseID: want.one("modelOutput.id"),
		model:      want.one("modelOutput.model"),
		errorCode:  want.first("error.errorCode", "error.code"),
		usage:      want.usage("modelOutput."),
		problem:    want.one("error"),
	}
	spec, err := jsonscan.Compile(want.paths)
	return &BedrockBatch{spec, o, f}, err
}

// Name implements Format.
func (*BedrockBatch) Name() string { return BedrockBatchName }

// Schema implements Format.
func (*BedrockBatch) Schema() *record.Schema { return record.UsageSchema }

// Decoder implements Format.
func (f *BedrockBatch) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	lines := newBatchLines(f.o, BedrockName)
	namespace := []byte(BedrockBatchName)
	var u record.Usage
	var scratch []byte
	return newJSONDecoder(env, f.spec, func(v []jsonscan.Value, line int64, sink *Sink) error {
		lines.begin(sink.Origin(), &u)
		if err := f.read(v, &lines, &u); err != nil {
			return err
		}
		u.Key = recordKey(&scratch, namespace, u.Provider, lines.jobID, u.ProviderRequestID)
		if err := timed(&u); err != nil {
			return err
		}
		u.Date = calendar.Date(u.StartedAt)
		sink.Usage(&u, line)
		return nil
	})
}

func (f *BedrockBatch) read(v []jsonscan.Value, lines *batchLines, u *record.Usage) error {
	if u.ProviderRequestID = id(v[f.f.recordID]); len(u.ProviderRequestID) == 0 {
		return &FieldError{"recordId", "is missing; is this source really in the bedrock-batch format?"}
	}
	u.ClientRef, u.ResponseID = u.ProviderRequestID, id(v[f.f.responseID])
	if model := name(v[f.f.model]); len(u.Model) == 0 {
		u.Model = model
	}
	if v[f.f.problem].Kind != jsonscan.Absent {
		code := firstName(v, f.f.errorCode)
		if len(code) == 0 {
			code = []byte("error")
		}
		failed(u, code)
		return nil
	}
	return lines.took(v, &f.f.usage, u, "modelOutput.usage")
}
