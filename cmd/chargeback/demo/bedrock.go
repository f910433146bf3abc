package demo

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"
)

// canary stands in every prompt and answer of the demo. It must never be
// found in a ledger, a log or a message.
const canary = "CANARY-PROMPT-DO-NOT-STORE"

// bedrockRecord is one line of a model invocation log.
type bedrockRecord struct {
	Timestamp       string            `json:"timestamp"`
	AccountID       string            `json:"accountId"`
	Region          string            `json:"region"`
	RequestID       string            `json:"requestId"`
	Operation       string            `json:"operation"`
	ModelID         string            `json:"modelId"`
	ErrorCode       string            `json:"errorCode,omitempty"`
	Input           bedrockInput      `json:"input"`
	Output          *bedrockOutput    `json:"output,omitempty"`
	Identity        bedrockIdentity   `json:"identity"`
	RequestMetadata map[string]string `json:"requestMetadata,omitempty"`
	InferenceRegion string            `json:"inferenceRegion,omitempty"`
	SchemaType      string            `json:"schemaType"`
	SchemaVersion   string            `json:"schemaVersion"`
}

type bedrockIdentity struct {
	ARN string `json:"arn"`
}

type bedrockInput struct {
	ContentType string `json:"inputContentType"`
	Body        any    `json:"inputBodyJson,omitempty"`
	BodyPath    string `json:"inputBodyS3Path,omitempty"`
	Tokens      *int64 `json:"inputTokenCount,omitempty"`
	CacheRead   *int64 `json:"cacheReadInputTokenCount,omitempty"`
	CacheWrite  *int64 `json:"cacheWriteInputTokenCount,omitempty"`
}

type bedrockOutput struct {
	ContentType string `json:"outputContentType"`
	Body        any    `json:"outputBodyJson,omitempty"`
	BodyPath    string `json:"outputBodyS3Path,omitempty"`
	Tokens      *int64 `json:"outputTokenCount,omitempty"`
}

// record writes one attempt of a call as its account logs it.
func (c *call) record(a attempt) bedrockRecord {
	rec := bedrockRecord{
		Timestamp: a.at.Format("2006-01-02T15:04:05Z"), AccountID: c.place.account, Region: c.place.region,
		RequestID: a.requestID, Operation: c.operation, ModelID: c.modelID(a), ErrorCode: a.errorCode,
		Input:    bedrockInput{ContentType: "application/json"},
		Identity: bedrockIdentity{c.caller}, RequestMetadata: c.requestMetadata(),
		SchemaType: "ModelInvocationLog", SchemaVersion: "1.0",
	}
	if a.errorCode != "" {
		return rec
	}
	t := a.tokens
	rec.Input.Tokens, rec.Input.CacheRead, rec.Input.CacheWrite = &t.fresh, unlessZero(t.read), unlessZero(t.written)
	rec.Output = &bedrockOutput{ContentType: "application/json", Tokens: &t.output}
	if c.place.logsBodies() {
		rec.Input.Body, rec.Output.Body = c.requestBody(), c.responseBody(a)
	}
	if strings.HasPrefix(rec.ModelID, "global.") {
		rec.InferenceRegion = "us-west-2"
	}
	return rec
}

func unlessZero(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// modelID is the model in one of the forms that callers send: its bare id, a
// profile's id, or the profile's ARN.
func (c *call) modelID(a attempt) string {
	id := c.model
	if id == sonnet && a.requestID[0]%2 == 0 {
		id = "global." + id
	}
	if id == c.model && strings.HasPrefix(id, "eu.") && a.requestID[1]%4 == 0 {
		return fmt.Sprintf("arn:aws:bedrock:%s:%s:inference-profile/%s", c.place.region, c.place.account, id)
	}
	return id
}

// requestMetadata is what the caller sent along. A call that failed or was
// retried carries the gateway's call id whatever else it is matched by.
func (c *call) requestMetadata() map[string]string {
	meta := map[string]string{}
	if c.gateway {
		meta["env"] = "prod"
	}
	switch {
	case c.gateway && c.join == byClientRef:
		meta["client_ref"] = c.clientRef
	case c.gateway && (c.join == byCallID || c.kind == Retried):
		meta["litellm_call_id"] = c.id
	}
	if c.bedrock() && c.costCenter != "" {
		meta["cost_center"] = c.costCenter
	}
	if !c.gateway && c.agent != "" {
		meta["agent_id"] = c.agent
	}
	if len(meta) == 0 {
		return nil
	}
	return meta
}

// object is one file in a provider's folder: some lines, delivered together.
type object struct {
	place     place
	delivered time.Time
	lines     []line
}

// line is one attempt on its way into an object.
type line struct {
	call    *call
	attempt attempt
	bodies  string // where its bodies are, if they are in files of their own
}

// objects groups what the provider logged as its writer does: it opens an
// object at the first record, and delivers it a minute later. What is late
// comes in objects of its own.
func objects(calls []*call) []object {
	type batch struct {
		place place
		late  time.Time // when it is delivered; zero for what comes in time
	}
	open := map[batch]*object{}
	var all []*object
	for _, l := range lines(calls) {
		key, delivered := batch{place: l.call.place}, l.attempt.at.Add(time.Minute)
		if l.attempt.delay > 0 {
			delivered = l.attempt.at.Add(l.attempt.delay)
			key.late = delivered
		}
		o := open[key]
		if o == nil || l.attempt.at.After(o.delivered.Add(-2*time.Second)) {
			o = &object{place: l.call.place, delivered: delivered}
			open[key] = o
			all = append(all, o)
		}
		if l.attempt.apart {
			l.bodies = o.place.folder() + o.delivered.Format(hourLayout) + "data/" + l.attempt.requestID
		}
		o.lines = append(o.lines, l)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].delivered.Before(all[j].delivered) })
	result := make([]object, len(all))
	for i, o := range all {
		result[i] = *o
	}
	return result
}

// lines lists every attempt that the provider logged, in order of time.
func lines(calls []*call) []line {
	var all []line
	for _, c := range calls {
		for _, a := range c.attempts {
			if !a.lost {
				all = append(all, line{call: c, attempt: a})
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].attempt.at.Before(all[j].attempt.at) })
	return all
}

// text is the line as it stands in its file, with its line end.
func (l line) text() []byte {
	rec := l.call.record(l.attempt)
	if l.bodies != "" {
		bucket := "s3://example-bedrock-logs/" + strings.TrimPrefix(l.bodies, bedrockFolder)
		rec.Input.Body, rec.Input.BodyPath = nil, bucket+"_input.json.gz"
		rec.Output.Body, rec.Output.BodyPath = nil, bucket+"_output.json.gz"
	}
	b := mustJSON(rec)
	if l.attempt.broken {
		b = b[:len(b)*3/5]
	}
	return append(b, '\n')
}

// bedrockFolder is where the demo keeps what would be the logging bucket.
const bedrockFolder = "data/bedrock/"

// hourLayout is the folder of an hour of delivery, in UTC.
const hourLayout = "2006/01/02/15/"

// folder is where an account's and region's objects of an hour stand.
func (p place) folder() string {
	return bedrockFolder + "AWSLogs/" + p.account + "/BedrockModelInvocationLogs/" + p.region + "/"
}

// key names an object by the time of its delivery.
func (o object) key(r random) string {
	at := o.delivered.Add(time.Duration(r.IntN(900)) * time.Millisecond)
	stamp := strings.Replace(at.Format("20060102T150405.000Z"), ".", "", 1)
	return o.place.folder() + at.Format(hourLayout) + stamp + "_" + r.hex(8) + ".json.gz"
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the demo's own types always encode
	}
	return b
}
