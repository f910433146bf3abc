package decode

import (
	"cmp"
	"regexp"
	"strings"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// BedrockBatch reads the results of Bedrock's batch inference jobs:
// JOB/INPUT.jsonl.out. Natural key: job id and record id. Usage stands in
// modelOutput in the shape of the model that answered, of InvokeModel or of
// Converse; see usageFields for what each one's input count includes. A line
// has no time, caller or region, and hardly ever a model: see BatchOptions.
type BedrockBatch struct {
	spec     *jsonscan.Spec
	jobs     batchJobs
	provider []byte
	f        bedrockBatchFields
}

type bedrockBatchFields struct {
	recordID, output, failure, errorCode, responseID, model int
	clientRef                                               []int
	usage                                                   usageFields
}

// NewBedrockBatch compiles the format.
func NewBedrockBatch(o BatchOptions) (*BedrockBatch, error) {
	jobs, err := newBatchJobs(o)
	if err != nil {
		return nil, err
	}
	var want fields
	f := bedrockBatchFields{
		recordID:   want.one("recordId"),
		output:     want.one("modelOutput"),
		failure:    want.one("error"),
		errorCode:  want.one("error.errorCode"),
		responseID: want.one("modelOutput.id"),
		model:      want.one("modelOutput.model"),
		clientRef:  want.first(o.ClientRef...),
		usage:      want.usage("modelOutput."),
	}
	spec, err := jsonscan.Compile(want.paths)
	return &BedrockBatch{spec, jobs, []byte(cmp.Or(o.Provider, "bedrock")), f}, err
}

// Name implements Format.
func (*BedrockBatch) Name() string { return BedrockBatchName }

// Schema implements Format.
func (*BedrockBatch) Schema() *record.Schema { return record.UsageSchema }

var invocationJob = []byte("ModelInvocationJob")

// Decoder implements Format.
func (b *BedrockBatch) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	namespace := []byte(BedrockBatchName)
	var object batchObject
	var u record.Usage
	var job, scratch, requestID []byte
	answers := newAnswerReader()
	lines := newJSONDecoder(env, b.spec, func(v []jsonscan.Value, line int64, sink *Sink) error {
		u = record.Usage{Provider: b.provider, Operation: invocationJob, Completeness: 2}
		recordID := id(v[b.f.recordID])
		if len(recordID) == 0 {
			return &FieldError{"recordId", "is missing; is this source really in the bedrock-batch format?"}
		}
		requestID = append(append(append(requestID[:0], job...), '/'), recordID...)
		u.ProviderRequestID = requestID
		u.ClientRef = object.ref(v, b.f.clientRef, recordID)
		if err := b.read(v, answers, &object, &u); err != nil {
			return err
		}
		u.Key = recordKey(&scratch, namespace, job, recordID)
		u.Date = calendar.Date(u.StartedAt)
		sink.Usage(&u, line)
		return nil
	})
	begin := func(o *batchObject) (err error) {
		job, err = jobFolder(o)
		return err
	}
	return &batchDecoder{lines, &b.jobs, &object, begin}
}

func (b *BedrockBatch) read(v []jsonscan.Value, answers *answerReader, o *batchObject, u *record.Usage) error {
	f := &b.f
	if err := o.common(u, jsonscan.Value{}, "started_at"); err != nil {
		return err
	}
	if u.Model = o.model; len(u.Model) == 0 {
		u.Model = name(v[f.model])
	}
	u.ResponseID = id(v[f.responseID])
	if v[f.failure].Kind != jsonscan.Absent { // it stands in the place of an answer
		fail(u, name(v[f.errorCode]))
		return nil
	}
	if v[f.output].Kind == jsonscan.Absent {
		return &FieldError{"modelOutput", "is missing, as is error"}
	}
	return answers.metered(v, &f.usage, u, "modelOutput")
}

// jobID is the form of the ids that AWS gives jobs.
var jobID = regexp.MustCompile(`^[a-z0-9]{12}$`)

// jobFolder is the id of an object's job: of the entry that stands for it, else
// the lowest folder above it whose name has an id's form, else the folder in
// which it lies.
func jobFolder(o *batchObject) ([]byte, error) {
	if len(o.id) > 0 {
		return o.id, nil
	}
	folders := strings.Split(strings.TrimLeft(string(o.key), "/"), "/")
	folders = folders[:len(folders)-1]
	for i := len(folders) - 1; i >= 0; i-- {
		if jobID.MatchString(folders[i]) {
			return []byte(folders[i]), nil
		}
	}
	if len(folders) == 0 || folders[len(folders)-1] == "" {
		return nil, &FieldError{"object key", "names no folder, which is the job's id; let the source's prefix end above the jobs' folders"}
	}
	return []byte(folders[len(folders)-1]), nil
}
