// Package decode reads the formats of usage and request logs.
//
// It owns: one file per format with its table of fields, the normal form of
// ids, counts and times, and which fields are kept: all else, prompts and
// completions first, is stepped over and never copied.
// It does not own: finding and opening objects (extract), or prices
// (transform).
package decode

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/frame"
)

// Format names.
const (
	BedrockName        = "bedrock"
	BedrockBatchName   = "bedrock-batch"
	OpenAIBatchName    = "openai-batch"
	AnthropicBatchName = "anthropic-batch"
	VertexName         = "vertex"
	GeminiName         = "gemini"
	LiteLLMName        = "litellm"
	PortkeyName        = "portkey"
	OpenRouterName     = "openrouter"
	LangfuseName       = "langfuse"
	OTLPName           = "otlp"
	MappedName         = "mapped"
	PeopleName         = "people"
	SCIMName           = "scim"
	EntraName          = "entra"
	OktaName           = "okta"
	WorkdayName        = "workday"
	GoogleName         = "google"

	OpenAIUsageName    = "openai-usage"
	OpenAICostsName    = "openai-costs"
	AnthropicUsageName = "anthropic-usage"
	AnthropicCostsName = "anthropic-costs"
	CURName            = "aws-cur"
	FOCUSName          = "focus"
)

// recordFunc is what one format does with the fields of one JSON record.
type recordFunc func(v []jsonscan.Value, line int64, sink *Sink) error

// jsonDecoder is the loop that all JSON formats share.
type jsonDecoder struct {
	frames  *frame.Reader
	scanner *jsonscan.Scanner
	record  recordFunc
	list    string        // of the records in a page; "" where records stand alone
	in      *bufio.Reader // only with list
	// notice says of the beginning of text that is no object that its writer puts
	// it between records; nil: none does.
	notice func(start []byte) bool
	// look sees the text of each record that could be read; nil: nobody does.
	look func(record []byte)
}

// newPagesDecoder is newJSONDecoder for records that may also stand in a list of
// pages, as APIs answer: {"data": [...]}.
func newPagesDecoder(env Env, spec *jsonscan.Spec, list string, record recordFunc) *jsonDecoder {
	d := newJSONDecoder(env, spec, record)
	d.list, d.in = list, bufio.NewReaderSize(nil, pageHeadBytes)
	return d
}

func newJSONDecoder(env Env, spec *jsonscan.Spec, record recordFunc) *jsonDecoder {
	return &jsonDecoder{frames: frame.NewReader(nil, env.RecordBytes, jsonscan.NewSqueezer(spec)), scanner: jsonscan.NewScanner(spec), record: record}
}

// Decode implements Decoder.
func (d *jsonDecoder) Decode(r io.Reader, sink *Sink) error {
	if d.list != "" {
		d.in.Reset(r)
		r = &pageReader{in: d.in, key: d.list, cut: true}
	}
	d.frames.Reset(r)
	scan := d.scanner.Scan
	if d.look != nil {
		scan = func(text []byte) (int, error) {
			n, err := d.scanner.Scan(text)
			if err == nil {
				d.look(text[:n])
			}
			return n, err
		}
	}
	for {
		line, err := d.frames.Next(scan)
		switch {
		case err == nil:
			if err := d.record(d.scanner.Values, line, sink); err != nil {
				sink.Reject(line, err.Error())
			}
		case err == io.EOF:
			return nil
		default:
			bad, ok := errors.AsType[*frame.BadRecord](err)
			if !ok {
				return fmt.Errorf("line %d: %w", line, err)
			}
			if d.notice != nil && d.notice(bad.Start) {
				sink.Ignore()
				continue
			}
			sink.Reject(bad.Line, bad.Reason)
		}
	}
}

// fields collects the wanted paths of a format, so that each is written once
// beside the place that uses it.
type fields struct{ paths []jsonscan.Path }

// one adds a dotted path and returns its index in the scanned values.
func (f *fields) one(dotted string) int { return f.path(jsonscan.ParsePath(dotted)) }

// path adds a path; the same path asked for twice has one index.
func (f *fields) path(p jsonscan.Path) int {
	for i, known := range f.paths {
		if slices.Equal(known, p) {
			return i
		}
	}
	f.paths = append(f.paths, p)
	return len(f.paths) - 1
}

// first adds alternatives, of which the first that is present counts.
func (f *fields) first(dotted ...string) []int {
	indexes := make([]int, 0, len(dotted))
	for _, d := range dotted {
		indexes = append(indexes, f.one(d))
	}
	return indexes
}

// spec compiles the paths, which stand in this package.
func (f *fields) spec() *jsonscan.Spec {
	spec, err := jsonscan.Compile(f.paths)
	if err != nil {
		panic(err)
	}
	return spec
}

// firstID returns the first alternative that holds an id.
func firstID(v []jsonscan.Value, indexes []int) []byte {
	for _, i := range indexes {
		if v[i].Kind == jsonscan.Absent {
			continue
		}
		if s := id(v[i]); len(s) > 0 {
			return s
		}
	}
	return nil
}

// firstName returns the first alternative that holds a name.
func firstName(v []jsonscan.Value, indexes []int) []byte {
	for _, i := range indexes {
		if v[i].Kind == jsonscan.Absent {
			continue
		}
		if s := name(v[i]); len(s) > 0 {
			return s
		}
	}
	return nil
}

// firstPresent returns the first alternative that is present.
func firstPresent(v []jsonscan.Value, indexes []int) jsonscan.Value {
	for _, i := range indexes {
		if v[i].Kind != jsonscan.Absent {
			return v[i]
		}
	}
	return jsonscan.Value{}
}
