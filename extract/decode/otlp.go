package decode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// OTLPOptions says which side of the calls is read, and names the attributes of
// what the conventions have no attribute for. They are looked up in the span or
// log record, then in its resource.
type OTLPOptions struct {
	Side string // AgentSide, or ProviderSide: spans of servers alone
	RequestOptions
	Team []string
}

// OTLP reads OpenTelemetry's JSON: spans by the conventions for generative AI
// with their older names, and the api_request and api_error events of Claude
// Code. A document is a request to export, as awss3exporter and fileexporter
// write it.
//
// The side of the agent has the spans of clients and internal ones, and the
// events; the side of the provider has the spans of servers. Each leaves the
// other's out, as well as metrics, spans that call no model and those of agents
// and tools, which repeat the tokens of their children.
//
// Natural key: trace and span id; of an event, session and sequence. A prompt's
// count includes the prompt cache, but not in Claude Code's events; where the
// parts exceed it, it leaves them out after all. What compaction took comes on
// top of both.
type OTLP struct {
	o    OTLPOptions
	keys attributeKeys
	f    otlpFields
}

// attributeKeys is where the value of each wanted attribute goes.
type attributeKeys map[string]int

// first adds the keys of an attribute, the one that counts first before others.
func (k attributeKeys) first(names ...string) (indexes []int) {
	for _, name := range names {
		if _, known := k[name]; !known {
			k[name] = len(k)
		}
		indexes = append(indexes, k[name])
	}
	return indexes
}

// otlpFields are the wanted attributes.
type otlpFields struct {
	operation, provider, responseModel, requestModel, responseID, providerRequestID    []int
	input, output, cached, written, written5m, written1h, reasoning, tier, errorType   []int
	inputAudio, outputAudio, compactionIn, compactionOut, searches                     []int
	user, email, endUser, account, project, team, agentID, costCenter, clientRef       []int
	toolCalls                                                                          []int
	event, model, inputTokens, outputTokens, cacheRead, cacheCreation, cost, costMicro []int
	duration, session, sequence, requestID, clientRequestID, prompt, speed             []int
}

// NewOTLP makes the format.
func NewOTLP(o OTLPOptions) (*OTLP, error) {
	if o.Side != AgentSide && o.Side != ProviderSide {
		return nil, &FieldError{"side", fmt.Sprintf("is neither %s nor %s", AgentSide, ProviderSide)}
	}
	k := attributeKeys{}
	const usage = "gen_ai.usage."
	f := otlpFields{
		operation:         k.first("gen_ai.operation.name"),
		provider:          k.first("gen_ai.provider.name", "gen_ai.system"),
		responseModel:     k.first("gen_ai.response.model"),
		requestModel:      k.first("gen_ai.request.model"),
		responseID:        k.first("gen_ai.response.id"),
		providerRequestID: k.first("aws.request_id", "anthropic.request.id", "azure.service.request.id", "az.service_request_id", "openai.request_id"),
		input:             k.first(usage+"input_tokens", usage+"prompt_tokens"),
		output:            k.first(usage+"output_tokens", usage+"completion_tokens"),
		cached:            k.first(usage+"cache_read.input_tokens", usage+"cache_read_input_tokens"),
		written:           k.first(usage+"cache_write.input_tokens", usage+"cache_creation.input_tokens", usage+"cache_creation_input_tokens"),
		written5m:         k.first("anthropic.usage.cache_creation.ephemeral_5m_input_tokens"),
		written1h:         k.first("anthropic.usage.cache_creation.ephemeral_1h_input_tokens"),
		reasoning:         k.first(usage+"reasoning.output_tokens", usage+"reasoning_tokens"),
		inputAudio:        k.first(usage+"audio.input_tokens", usage+"input_audio_tokens"),
		outputAudio:       k.first(usage+"audio.output_tokens", usage+"output_audio_tokens"),
		compactionIn:      k.first("anthropic.usage.compaction.input_tokens"),
		compactionOut:     k.first("anthropic.usage.compaction.output_tokens"),
		searches:          k.first("anthropic.usage.server_tool_use.web_search_requests"),
		tier: k.first("openai.response.service_tier", "gen_ai.openai.response.service_tier", "anthropic.response.service_tier", "aws.bedrock.service_tier",
			"openai.request.service_tier", "gen_ai.openai.request.service_tier"),
		errorType:  k.first("error.type"),
		user:       k.first("user.id", "enduser.id"),
		email:      k.first("user.email"),
		endUser:    k.first("enduser.pseudo.id"),
		account:    k.first("anthropic.workspace.id", "anthropic.organization.id"),
		project:    k.first("openai.project.id"),
		team:       k.first(o.Team...),
		agentID:    k.first(o.AgentID...),
		costCenter: k.first(o.CostCenter...),
		clientRef:  k.first(o.ClientRef...),
		toolCalls:  k.first(o.ToolCalls...),

		event: k.first("event.name"), model: k.first("model"), inputTokens: k.first("input_tokens"), outputTokens: k.first("output_tokens"),
		cacheRead: k.first("cache_read_tokens"), cacheCreation: k.first("cache_creation_tokens"), cost: k.first("cost_usd"), costMicro: k.first("cost_usd_micros"),
		duration: k.first("duration_ms"), session: k.first("session.id"), sequence: k.first("event.sequence"), requestID: k.first("request_id"),
		clientRequestID: k.first("client_request_id"), prompt: k.first("prompt.id"), speed: k.first("speed"),
	}
	return &OTLP{o, k, f}, nil
}

// Name implements Format.
func (*OTLP) Name() string { return OTLPName }

// Schema implements Format.
func (f *OTLP) Schema() *record.Schema {
	if f.o.Side == ProviderSide {
		return record.UsageSchema
	}
	return record.RequestSchema
}

// Decoder implements Format.
func (f *OTLP) Decoder(env Env) Decoder {
	d := &otlpDecoder{
		format: f, calendar: Calendar{zone: env.Zone}, namespace: []byte(OTLPName),
		group: jsonscan.NewScanner(otlpGroupSpec), scope: jsonscan.NewScanner(otlpScopeSpec), span: jsonscan.NewScanner(otlpSpanSpec),
		attribute: jsonscan.NewScanner(otlpAttributeSpec), common: make([]jsonscan.Value, len(f.keys)), v: make([]jsonscan.Value, len(f.keys)),
	}
	d.documents = newJSONDecoder(env, otlpDocumentSpec, d.document)
	return d
}

// The paths of a document, level by level, older names behind newer ones.
var (
	otlpDocumentSpec  = mustCompile("resourceSpans", "resourceLogs", "resourceMetrics")
	otlpGroupSpec     = mustCompile("resource.attributes", "scopeSpans", "instrumentationLibrarySpans", "scopeLogs", "instrumentationLibraryLogs")
	otlpScopeSpec     = mustCompile("spans", "logRecords")
	otlpSpanSpec      = mustCompile("attributes", "traceId", "spanId", "kind", "startTimeUnixNano", "endTimeUnixNano", "status.code", "timeUnixNano", "observedTimeUnixNano", "body.stringValue", "eventName")
	otlpAttributeSpec = mustCompile("key", "value.stringValue", "value.intValue", "value.doubleValue", "value.boolValue")
)

// otlpDecoder reads the documents of one worker.
type otlpDecoder struct {
	format                        *OTLP
	calendar                      Calendar
	namespace                     []byte
	documents                     *jsonDecoder
	group, scope, span, attribute *jsonscan.Scanner
	common                        []jsonscan.Value // attributes of the resource
	v                             []jsonscan.Value // those of the span, else of the resource
	usage                         record.Usage
	request                       record.Request
	tools                         toolReader
	scratch, natural              []byte
}

// Decode implements Decoder. What isn't JSON is named: exporters can be set to
// write it.
func (d *otlpDecoder) Decode(r io.Reader, sink *Sink) error {
	in := bufio.NewReaderSize(r, 4096)
	start, err := in.Peek(8)
	if err != nil && err != io.EOF {
		return fmt.Errorf("line 1: %w", err)
	}
	zstd := []byte{0x28, 0xb5, 0x2f, 0xfd}
	switch text := bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")), " \t\r\n"); {
	case bytes.HasPrefix(start[min(4, len(start)):], zstd):
		return errors.New("line 1: is compressed in pieces with their lengths; set compression of the file exporter to none")
	case len(text) > 0 && text[0] < 0x20:
		return errors.New("line 1: is no JSON, but looks like Protobuf; set the exporter's marshaler or format to otlp_json")
	}
	return d.documents.Decode(in, sink)
}

// document takes one request to export.
func (d *otlpDecoder) document(v []jsonscan.Value, line int64, sink *Sink) error {
	spans, logs, metrics := v[0], v[1], v[2]
	if metrics.Kind != jsonscan.Absent {
		sink.Ignore()
	}
	if spans.Kind == jsonscan.Absent && logs.Kind == jsonscan.Absent {
		if metrics.Kind != jsonscan.Absent {
			return nil
		}
		return &FieldError{"resourceSpans", "is missing, as are resourceLogs; is this source really in the otlp format?"}
	}
	n := 0
	err := d.groups(spans, "resourceSpans", func(item []byte) {
		n++
		d.take(item, line, fmt.Sprintf("span %d", n), sink, d.readSpan)
	})
	if err != nil {
		return err
	}
	n = 0
	return d.groups(logs, "resourceLogs", func(item []byte) {
		n++
		d.take(item, line, fmt.Sprintf("log record %d", n), sink, d.readEvent)
	})
}

// groups calls do with each span or log record of a document.
func (d *otlpDecoder) groups(list jsonscan.Value, field string, do func(item []byte)) error {
	return each(list, field, func(group []byte) error {
		if _, err := d.group.Scan(group); err != nil {
			return err
		}
		scopes := d.group.Values
		resource := scopes[0]
		lists := [...]jsonscan.Value{scopes[1], scopes[2], scopes[3], scopes[4]}
		clear(d.common)
		if err := d.attributes(resource, d.common); err != nil {
			return err
		}
		for _, list := range lists {
			err := each(list, field+".scope", func(scope []byte) error {
				if _, err := d.scope.Scan(scope); err != nil {
					return err
				}
				spans, records := d.scope.Values[0], d.scope.Values[1]
				item := func(text []byte) error { do(text); return nil }
				return errors.Join(each(spans, "spans", item), each(records, "logRecords", item))
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// each calls do with the elements of a list that may be absent.
func each(list jsonscan.Value, field string, do func(element []byte) error) error {
	switch list.Kind {
	case jsonscan.Absent:
		return nil
	case jsonscan.Array:
		return jsonscan.Each(list.Raw, do)
	}
	return &FieldError{field, "is not a list"}
}

// attributes puts the wanted ones of a list into v.
func (d *otlpDecoder) attributes(list jsonscan.Value, v []jsonscan.Value) error {
	return each(list, "attributes", func(item []byte) error {
		if _, err := d.attribute.Scan(item); err != nil {
			return err
		}
		found := d.attribute.Values
		i, wanted := d.format.keys[string(text(found[0]))]
		if !wanted {
			return nil
		}
		v[i] = jsonscan.Value{}
		for _, value := range found[1:] {
			if value.Kind != jsonscan.Absent {
				v[i] = value
			}
		}
		return nil
	})
}

// take reads one span or log record: what is wrong with it costs it alone.
func (d *otlpDecoder) take(item []byte, line int64, place string, sink *Sink, read func(v []jsonscan.Value, line int64, sink *Sink) error) {
	_, err := d.span.Scan(item)
	if err == nil {
		copy(d.v, d.common)
		err = d.attributes(d.span.Values[0], d.v)
	}
	if err == nil {
		err = read(d.span.Values, line, sink)
	}
	if err != nil {
		sink.Reject(line, place+": "+err.Error())
	}
}
