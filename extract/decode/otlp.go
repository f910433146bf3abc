package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// OTLPOptions says which side of a bucket is read and which attributes hold what
// the conventions have no name for. Names are keys of attributes, looked up in
// the span or event, then in its scope, then in its resource. A list that is left
// empty has its default.
type OTLPOptions struct {
	Side           string   // ProviderSide or AgentSide
	RequestOptions          // agent_id: gen_ai.agent.id, gen_ai.agent.name, service.name; the others: nothing
	Team           []string // of the agent side; team.id
	Caller         []string // of the provider side; user.id, enduser.id
	// Operations and Parents are names of operations, and of spans and events that
	// name none, besides those that are known: of requests, and of what repeats the
	// counts of requests.
	Operations, Parents []string
}

// OTLP reads OpenTelemetry's JSON as the collector's awss3 and file exporters
// write it: spans of the GenAI conventions, of OpenInference, OpenLLMetry and
// Vercel's AI SDK, old names too; events of the conventions, of Claude Code, Codex
// CLI and Gemini CLI. Metrics repeat all of these and are ignored.
//
// The provider side is the SERVER spans, such as those that the Claude API sends.
// The agent side is all other spans, and the events. Spans that aren't requests to
// a model, such as invoke_agent, which repeats what the requests below it used,
// are ignored; so no tool call is counted from execute_tool either, but those
// that an attribute of the request tells are. What counts tokens and may be either
// is refused: nothing that counts is left out in silence.
//
// Natural key: trace, span and answer id; without a trace or span the provider's
// request or response id and the start. An event of the conventions has the key of
// the span that it lies beside. Of a program's event: session and sequence number,
// else its request id, else prompt or session, each with its time.
//
// A span's input includes what was read from and written to the prompt cache, and
// its output the reasoning; where these exceed it, or only a total without them
// adds up, it leaves them out. Its compaction tokens come on top. The counts of
// Claude Code's events are disjoint.
type OTLP struct {
	side       string
	spec       *jsonscan.Spec
	keys       map[string]int // attributes that are read, and their places
	f          otlpFields
	operations map[string]bool // whether spans of an operation are requests
	listed     map[string]bool // those that the config names, which may be names of spans and events
}

// The wanted members of a document, in pairs of a name and the same in
// snake_case: spans, from otlpLogs on log records, from otlpMetrics on what is of
// no concern.
const (
	otlpLogs    = 2
	otlpMetrics = 4
)

// NewOTLP compiles the format.
func NewOTLP(o OTLPOptions) (*OTLP, error) {
	if o.Side != ProviderSide && o.Side != AgentSide {
		return nil, fmt.Errorf("side %q: is neither %s nor %s; say whose spans to read", o.Side, ProviderSide, AgentSide)
	}
	if slices.Contains(o.Operations, "") {
		return nil, &FieldError{"operation", "is named with an empty text; write what spans have in gen_ai.operation.name"}
	}
	if slices.Contains(o.Parents, "") {
		return nil, &FieldError{"parent", "is named with an empty text; write what spans have in gen_ai.operation.name"}
	}
	var want fields
	for _, path := range []string{"resourceSpans", "resource_spans", "resourceLogs", "resource_logs", "resourceMetrics", "resource_metrics", "resourceProfiles", "resource_profiles"} {
		want.one(path)
	}
	spec, err := jsonscan.Compile(want.paths)
	if err != nil {
		return nil, err
	}
	t := &OTLP{side: o.Side, spec: spec, keys: map[string]int{}, operations: otlpOperations(o), listed: map[string]bool{}}
	for _, name := range slices.Concat(o.Operations, o.Parents, []string{pydanticRun}) {
		t.listed[name] = true
	}
	t.f = t.fields(o)
	if _, empty := t.keys[""]; empty {
		return nil, &FieldError{"attribute", "is named with an empty text; write its key, such as gen_ai.agent.id"}
	}
	return t, nil
}

// Name implements Format.
func (*OTLP) Name() string { return OTLPName }

// Schema implements Format.
func (t *OTLP) Schema() *record.Schema {
	if t.side == ProviderSide {
		return record.UsageSchema
	}
	return record.RequestSchema
}

// otlpDecoder is what one worker reads with.
type otlpDecoder struct {
	*OTLP
	documents *jsonDecoder
	head      headReader
	calendar  Calendar
	sink      *Sink
	line      int64
	logs      bool // the document's items are log records
	levels    [3]otlpLevel
	item      otlpItem
	u         record.Usage
	r         record.Request
	tools     toolReader
	vercel    vercelReader
	parents   [64][]byte // of the document's last embeddings of Vercel's AI SDK
	parent    int        // the next of them

	scratch, requestID, toolText []byte
	traceHex, spanHex            [32]byte
	atText                       [20]byte
}

// The levels of a document: lists of resources, in these of scopes, in these of
// spans or log records.
const (
	resourceLevel = iota
	scopeLevel
	itemLevel
)

// otlpLevel is what was read on one level.
type otlpLevel struct {
	attributes otlpAttributes
	name       []byte // of a scope
	count      int    // elements of the document so far
	later      []int  // where lists are that come before what they belong to
}

// otlpItem is a span or a log record without its attributes.
type otlpItem struct {
	traceID, spanID, parentID, kind, status, name jsonscan.Value
	eventName, body, started, ended, observed     jsonscan.Value
}

// Decoder implements Format.
func (t *OTLP) Decoder(env Env) Decoder {
	d := &otlpDecoder{OTLP: t, calendar: Calendar{zone: env.Zone}}
	for i := range d.levels {
		d.levels[i].attributes = otlpAttributes{keys: t.keys, v: make([]jsonscan.Value, len(t.keys))}
	}
	d.vercel.scanner = jsonscan.NewScanner(vercelSpec)
	d.documents = newJSONDecoder(env, t.spec, d.document)
	return d
}

// Decode implements Decoder.
func (d *otlpDecoder) Decode(r io.Reader, sink *Sink) error {
	if err := d.head.reset(r); err != nil {
		return err
	}
	return d.documents.Decode(&d.head, sink)
}

// document reads what an exporter wrote at once. What is wrong with one span
// costs that span.
func (d *otlpDecoder) document(v []jsonscan.Value, line int64, sink *Sink) error {
	d.sink, d.line = sink, line
	for i := range d.levels {
		d.levels[i].count = 0
	}
	clear(d.parents[:])
	found := false
	for i := range v {
		if v[i].Kind == jsonscan.Absent {
			continue
		}
		found = true
		if i >= otlpMetrics {
			sink.Ignore()
			continue
		}
		d.logs = i >= otlpLogs
		w := jsonscan.NewWalker(v[i].Raw)
		items, rejected := d.levels[itemLevel].count, sink.counts.Rejected
		if err := d.list(&w, resourceLevel); err != nil {
			sink.Reject(line, err.Error())
		}
		if d.levels[itemLevel].count == items && sink.counts.Rejected == rejected {
			sink.Ignore() // an empty list
		}
	}
	if !found {
		return &FieldError{"resourceSpans", "is missing, as are resourceLogs and resourceMetrics; is this source really in the otlp format?"}
	}
	return nil
}

// about is what a level's elements are called.
func (d *otlpDecoder) about(level int) string {
	if d.logs {
		return [...]string{"resourceLogs", "scopeLogs", "log record"}[level]
	}
	return [...]string{"resourceSpans", "scopeSpans", "span"}[level]
}

// list reads a list. An element that can't be read costs itself.
func (d *otlpDecoder) list(w *jsonscan.Walker, level int) error {
	if !w.Enter('[') {
		v, err := w.Value()
		if err == nil && v.Kind != jsonscan.Absent {
			err = &FieldError{"list of " + d.about(level), "is no list"}
		}
		return err
	}
	for {
		more, err := w.Element()
		if err != nil {
			return fmt.Errorf("behind %s %d: %w", d.about(level), d.levels[level].count, err)
		}
		if !more {
			return nil
		}
		d.levels[level].count++
		start := w.At()
		if err := d.element(w, level); err != nil {
			d.sink.Reject(d.line, fmt.Sprintf("%s %d: %s", d.about(level), d.levels[level].count, err))
			w.Seek(start)
			if err := w.Skip(); err != nil {
				return err
			}
		}
	}
}

var errNoObject = errors.New("is not an object")

func (d *otlpDecoder) element(w *jsonscan.Walker, level int) error {
	if !w.Enter('{') {
		return errNoObject
	}
	if level < itemLevel {
		return d.group(w, level)
	}
	if err := d.read(w); err != nil {
		return err
	}
	if d.logs {
		return d.event()
	}
	return d.span()
}

// group reads a resource or a scope with all that lies in it. Lists that come
// before the attributes that hold for them are read when these are known.
func (d *otlpDecoder) group(w *jsonscan.Walker, level int) error {
	l := &d.levels[level]
	l.attributes.reset()
	l.name, l.later = nil, l.later[:0]
	known := false
	for {
		key, more, err := w.Member()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch string(key) {
		case "resource", "scope", "instrumentationLibrary", "instrumentation_library":
			known, err = true, l.read(w)
		case "scopeSpans", "scope_spans", "instrumentationLibrarySpans", "scopeLogs", "scope_logs", "instrumentationLibraryLogs",
			"spans", "logRecords", "log_records", "logs":
			if known {
				err = d.list(w, level+1)
				break
			}
			l.later = append(l.later, w.At())
			err = w.Skip()
		default:
			err = w.Skip()
		}
		if err != nil {
			return err
		}
	}
	behind := w.At()
	for _, at := range l.later {
		w.Seek(at)
		if err := d.list(w, level+1); err != nil {
			return err
		}
	}
	w.Seek(behind)
	return nil
}

// read reads a resource's or scope's attributes and name.
func (l *otlpLevel) read(w *jsonscan.Walker) error {
	l.attributes.reset()
	if !w.Enter('{') {
		return w.Skip()
	}
	for {
		key, more, err := w.Member()
		if !more || err != nil {
			return err
		}
		switch string(key) {
		case "attributes":
			err = l.attributes.read(w)
		case "name":
			var v jsonscan.Value
			v, err = w.Value()
			l.name = name(v)
		default:
			err = w.Skip()
		}
		if err != nil {
			return err
		}
	}
}

// read reads a span or log record. Its events, links and whatever else it has
// are stepped over.
func (d *otlpDecoder) read(w *jsonscan.Walker) error {
	d.item = otlpItem{}
	own := &d.levels[itemLevel].attributes
	own.reset()
	for {
		key, more, err := w.Member()
		if !more || err != nil {
			return err
		}
		var into *jsonscan.Value
		switch string(key) {
		case "attributes":
			err = own.read(w)
		case "body":
			d.item.body, err = anyValue(w)
		case "status":
			d.item.status, err = statusCode(w)
		case "traceId", "trace_id":
			into = &d.item.traceID
		case "spanId", "span_id":
			into = &d.item.spanID
		case "parentSpanId", "parent_span_id":
			into = &d.item.parentID
		case "kind":
			into = &d.item.kind
		case "name":
			into = &d.item.name
		case "startTimeUnixNano", "start_time_unix_nano", "timeUnixNano", "time_unix_nano":
			into = &d.item.started
		case "endTimeUnixNano", "end_time_unix_nano":
			into = &d.item.ended
		case "observedTimeUnixNano", "observed_time_unix_nano":
			into = &d.item.observed
		case "eventName", "event_name":
			into = &d.item.eventName
		default:
			err = w.Skip()
		}
		if into != nil {
			*into, err = w.Value()
		}
		if err != nil {
			return err
		}
	}
}

// statusCode reads a status: its code. Its message is content.
func statusCode(w *jsonscan.Walker) (code jsonscan.Value, err error) {
	if !w.Enter('{') {
		return code, w.Skip()
	}
	for {
		key, more, err := w.Member()
		if !more || err != nil {
			return code, err
		}
		if string(key) == "code" {
			code, err = w.Value()
		} else {
			err = w.Skip()
		}
		if err != nil {
			return code, err
		}
	}
}

// headBytes is how much of an object shows whether it is text.
const headBytes = 512

// headReader looks at how an object begins before it is read.
type headReader struct {
	buf  [headBytes]byte
	head []byte
	r    io.Reader
	err  error // that came with the head
}

// reset begins an object. It fails where that is one of the other encodings that
// the exporters have.
func (h *headReader) reset(r io.Reader) error {
	h.r, h.err = r, nil
	n := 0
	for quiet := 0; n < len(h.buf) && h.err == nil && quiet < 100; quiet++ {
		var got int
		if got, h.err = r.Read(h.buf[n:]); got > 0 {
			n, quiet = n+got, 0
		}
	}
	h.head = h.buf[:n]
	switch {
	case n >= 8 && bytes.Equal(h.head[4:8], []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return &FieldError{"object", "is zstd with a length before each message; let the collector's file exporter write without compression, or compress whole files, and deliver it again"}
	case n > 0 && (h.head[0] == 0x0a || h.head[0] == 0) && bytes.ContainsFunc(h.head, noText):
		return &FieldError{"object", "is OTLP in its binary encoding; set the exporter's marshaler to otlp_json (awss3) or its format to json (file), and deliver it again"}
	}
	return nil
}

// noText says whether a character never occurs in JSON.
func noText(r rune) bool { return r < 0x20 && r != '\t' && r != '\n' && r != '\r' }

// Read implements io.Reader.
func (h *headReader) Read(p []byte) (int, error) {
	if len(h.head) > 0 {
		n := copy(p, h.head)
		h.head = h.head[n:]
		return n, nil
	}
	if h.err != nil {
		return 0, h.err
	}
	return h.r.Read(p)
}
