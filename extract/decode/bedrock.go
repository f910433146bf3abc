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
// from or written to the prompt cache. The writes' time to live stands in the
// answer's body alone, where bodies are logged: as an object, as a list of
// events, or as text of either. The record's own counts are what was metered; a
// body only parts what was written.
type Bedrock struct {
	spec *jsonscan.Spec
	f    bedrockFields
	body textFields
}

type bedrockFields struct {
	schemaType, timestamp, account, region, requestID, operation, model, caller, errorCode int
	input, cacheRead, cacheWrite, output                                                   int
	responseID, clientRef, costCenter, agentID, tier                                       []int
	written5m, written1h, cacheDetails                                                     []int
}

// NewBedrock compiles the format.
func NewBedrock(o BedrockOptions) (*Bedrock, error) {
	const body = "output.outputBodyJson"
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
		tier:       want.first(body+".serviceTier.type", body+".service_tier", body+".usage.service_tier"),
		responseID: want.first(body+".id", body+".[0].message.id"),
		written5m:  want.first(body+".usage.cache_creation.ephemeral_5m_input_tokens", body+".[0].message.usage.cache_creation.ephemeral_5m_input_tokens"),
		written1h:  want.first(body+".usage.cache_creation.ephemeral_1h_input_tokens", body+".[0].message.usage.cache_creation.ephemeral_1h_input_tokens"),

		cacheDetails: want.first(body + ".usage.cacheDetails"),
	}
	key := func(names []string) []int {
		indexes := make([]int, 0, len(names))
		for _, name := range names {
			indexes = append(indexes, want.path(jsonscan.Path{"requestMetadata", name}))
		}
		return indexes
	}
	f.clientRef, f.costCenter, f.agentID = key(o.ClientRef), key(o.CostCenter), key(o.AgentID)
	inBody, err := want.inText(body)
	if err != nil {
		return nil, err
	}
	spec, err := jsonscan.Compile(want.paths)
	return &Bedrock{spec, f, inBody}, err
}

// Name implements Format.
func (*Bedrock) Name() string { return BedrockName }

// Schema implements Format.
func (*Bedrock) Schema() *record.Schema { return record.UsageSchema }

var bedrockProvider = []byte("bedrock")

// Decoder implements Format.
func (b *Bedrock) Decoder(env Env) Decoder {
	calendar := Calendar{zone: env.Zone}
	body := textReader{textFields: b.body, scanner: jsonscan.NewScanner(b.body.spec)}
	var u record.Usage
	var scratch []byte
	return newJSONDecoder(env, b.spec, func(v []jsonscan.Value, line int64, sink *Sink) error {
		u = record.Usage{Provider: bedrockProvider}
		body.glean(v)
		if err := b.read(v, &u); err != nil {
			return err
		}
		u.Key = recordKey(&scratch, bedrockProvider, u.Account, u.Region, u.ProviderRequestID)
		u.Date = calendar.Date(u.StartedAt)
		sink.Usage(&u, line)
		return nil
	})
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
	u.ResponseID, u.ServiceTier = firstID(v, f.responseID), firstName(v, f.tier)
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
	b.partWritten(v, &u.Tokens)
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

// partWritten parts what was written to the prompt cache by its time to live, as
// far as the body tells no more than the record does.
func (b *Bedrock) partWritten(v []jsonscan.Value, t *record.Tokens) {
	if t.CacheWriteUnknown == 0 {
		return
	}
	var c tokenCounts
	var err [3]error
	c.written5m, err[0] = whole(firstPresent(v, b.f.written5m), "")
	c.written1h, err[1] = whole(firstPresent(v, b.f.written1h), "")
	err[2] = timesToLive(firstPresent(v, b.f.cacheDetails), &c)
	if rest := t.CacheWriteUnknown - c.written5m - c.written1h; rest >= 0 && err == [3]error{} {
		t.CacheWrite5m, t.CacheWrite1h, t.CacheWriteUnknown = c.written5m, c.written1h, rest
	}
}
