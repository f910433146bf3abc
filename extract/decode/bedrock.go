package decode

import (
	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// BedrockOptions names the requestMetadata keys that carry our own fields;
// the first key that is present counts.
type BedrockOptions struct {
	ClientRef  []string
	CostCenter []string
	AgentID    []string
}

// Bedrock reads AWS Bedrock model invocation logs of all operations. Natural
// key: account, region and request id. Its input count excludes what was read
// from or written to the prompt cache. The record's own counts stand; where
// answers are logged, bedrockbody.go reads what the record leaves out. The
// region is the one that was called, which is whose prices AWS takes: where a
// cross-region profile sent the request (inferenceRegion) costs nothing.
//
// Records also come in what CloudWatch wraps them in: see cloudwatch.go.
type Bedrock struct {
	spec *jsonscan.Spec
	f    bedrockFields
	wrap wrapFields
	text bodySpec // of answers that were written as text
}

type bedrockFields struct {
	schemaType, timestamp, account, region, requestID, operation, model, caller, errorCode int
	input, cacheRead, cacheWrite, output                                                   int
	clientRef, costCenter, agentID                                                         []int
	answer                                                                                 int
	body                                                                                   bodyFields
}

// NewBedrock compiles the format.
func NewBedrock(o BedrockOptions) (*Bedrock, error) {
	var want fields
	f := bedrockFields{
		schemaType: want.one("schemaType"),
		timestamp:  want.one("timestamp"),
		account:    want.one("accountId"),
		region:     want.one("region"),
		requestID:  want.one("requestId"),
		operation:  want.one("operation"),
		model:      want.one("modelId"),
		caller:     want.one("identity.arn"),
		errorCode:  want.one("errorCode"),
		input:      want.one("input.inputTokenCount"),
		cacheRead:  want.one("input.cacheReadInputTokenCount"),
		cacheWrite: want.one("input.cacheWriteInputTokenCount"),
		output:     want.one("output.outputTokenCount"),
		answer:     want.one("output.outputBodyJson"),
		body:       want.body("output.outputBodyJson."),
	}
	key := func(names []string) []int {
		indexes := make([]int, 0, len(names))
		for _, name := range names {
			indexes = append(indexes, want.path(jsonscan.Path{"requestMetadata", name}))
		}
		return indexes
	}
	f.clientRef, f.costCenter, f.agentID = key(o.ClientRef), key(o.CostCenter), key(o.AgentID)
	wrap := want.wrapped()
	spec, err := jsonscan.Compile(want.paths)
	return &Bedrock{spec, f, wrap, newBodySpec()}, err
}

// Name implements Format.
func (*Bedrock) Name() string { return BedrockName }

// Schema implements Format.
func (*Bedrock) Schema() *record.Schema { return record.UsageSchema }

// Decoder implements Format.
func (b *Bedrock) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	var u record.Usage
	var scratch []byte
	answers := newBodyReader(&b.text)
	one := func(v []jsonscan.Value, line int64, sink *Sink) error {
		u = record.Usage{Provider: bedrockProvider}
		if err := b.read(v, &u); err != nil {
			return err
		}
		if err := answers.read(v, v[b.f.answer], &b.f.body, &u); err != nil {
			return err
		}
		u.Key = recordKey(&scratch, bedrockProvider, u.Account, u.Region, u.ProviderRequestID)
		u.Date = calendar.Date(u.StartedAt)
		sink.Usage(&u, line)
		return nil
	}
	wrapped := newWrapReader(b.wrap, b.spec, b.f.schemaType, one)
	d := newJSONDecoder(env, b.spec, wrapped.record)
	d.notice = isNotice
	return d
}

func (b *Bedrock) read(v []jsonscan.Value, u *record.Usage) (err error) {
	f := &b.f
	if string(v[f.schemaType].Raw) != "ModelInvocationLog" {
		return &FieldError{"schemaType", "is not ModelInvocationLog; is this source really in the bedrock format?"}
	}
	if u.ProviderRequestID = id(v[f.requestID]); len(u.ProviderRequestID) == 0 {
		return &FieldError{"requestId", "is missing"}
	}
	if u.StartedAt, err = instant(v[f.timestamp], "timestamp"); err != nil {
		return err
	}
	if u.Model = name(v[f.model]); len(u.Model) == 0 {
		return &FieldError{"modelId", "is missing"}
	}
	u.Account, u.Region, u.Operation, u.Caller = name(v[f.account]), name(v[f.region]), name(v[f.operation]), name(v[f.caller])
	u.ClientRef, u.CostCenter, u.AgentID = firstID(v, f.clientRef), firstName(v, f.costCenter), firstName(v, f.agentID)
	if u.Tokens.InputUncached, err = whole(v[f.input], "input.inputTokenCount"); err != nil {
		return err
	}
	if u.Tokens.CacheRead, err = whole(v[f.cacheRead], "input.cacheReadInputTokenCount"); err != nil {
		return err
	}
	if u.Tokens.CacheWriteUnknown, err = whole(v[f.cacheWrite], "input.cacheWriteInputTokenCount"); err != nil {
		return err
	}
	if u.Tokens.Output, err = whole(v[f.output], "output.outputTokenCount"); err != nil {
		return err
	}
	u.ErrorCode = name(v[f.errorCode])
	switch {
	case len(u.ErrorCode) > 0:
		u.Failed, u.Completeness = true, 0
	case v[f.input].Kind == jsonscan.Absent: // what isn't known is not zero
		return &FieldError{"input.inputTokenCount", "is missing in a record without errorCode"}
	case v[f.output].Kind == jsonscan.Absent: // an embedding, or cut
		u.Completeness = 1
	default:
		u.Completeness = 2
	}
	return nil
}
