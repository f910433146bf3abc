package decode

import (
	"bytes"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

const openAIProvider = "openai"

// NewOpenAIUsage reads what OpenAI's usage API reports (pages of
// /organization/usage/completions, embeddings, images and the others) and the
// usage files of its dashboard. Its input count is all input, with what was read
// from and written to the prompt cache, audio and images in it. A figure is told
// by bucket, project, user, key, model and tier; of two objects that tell the
// same the newer one counts.
func NewOpenAIUsage() Format {
	return &totalsFormat{name: OpenAIUsageName, pages: openAIUsagePages, table: openAIUsageTable}
}

// openAIUsage are the places of a result's fields, in pages and in tables.
type openAIUsage struct {
	project, user, key, model, batch, tier, requests              int
	input, cached, written, uncached, output                      int
	inputAudio, inputImage, cachedAudio, outputAudio, outputImage int
	others                                                        []int // by openAIOthers
	organization                                                  int   // -1: pages have none
}

// openAIOthers are the counts of what isn't measured in tokens: field, line item
// and unit.
var openAIOthers = [][3]string{
	{"images", "images", "images"},
	{"characters", "audio speeches", "characters"},
	{"seconds", "audio transcriptions", "seconds"},
	{"usage_bytes", "vector stores", "bytes"},
	{"num_sessions", "code interpreter sessions", "sessions"},
	{"sessions", "code interpreter sessions", "sessions"},
	{"num_requests", toolCalls, "calls"},
}

// find makes the places with add, which takes a field's names.
func (f *openAIUsage) find(add func(names ...string) int) {
	f.project, f.user, f.key, f.model = add("project_id"), add("user_id"), add("api_key_id"), add("model")
	f.batch, f.tier, f.requests = add("batch"), add("service_tier"), add("num_model_requests")
	f.input, f.cached, f.written = add("input_tokens"), add("input_cached_tokens"), add("input_cache_write_tokens")
	f.uncached, f.output = add("input_uncached_tokens"), add("output_tokens")
	f.inputAudio, f.inputImage, f.cachedAudio = add("input_audio_tokens"), add("input_image_tokens"), add("input_cached_audio_tokens")
	f.outputAudio, f.outputImage = add("output_audio_tokens"), add("output_image_tokens")
	for _, other := range openAIOthers {
		f.others = append(f.others, add(other[0]))
	}
}

func openAIUsagePages(r *totalsReader) *pages {
	var want fields
	f := openAIUsage{organization: -1}
	f.find(func(names ...string) int { return want.one(names[0]) })
	object := want.one("object")
	return &pages{start: "start_time", end: "end_time", item: want.spec(), rows: r, provider: openAIProvider,
		read: func(v []jsonscan.Value, sink *Sink) error {
			return f.read(v, r, toolOf(text(v[object])))
		}}
}

const toolCalls = "tool calls"

// toolOf names the tool whose calls a result counts.
func toolOf(object []byte) string {
	switch string(object) {
	case "organization.usage.file_searches.result", "organization.usage.file_search_calls.result":
		return "file search calls"
	case "organization.usage.web_searches.result", "organization.usage.web_search_calls.result":
		return record.ClassSearches
	}
	return toolCalls
}

func openAIUsageTable(r *totalsReader) *table {
	t := &table{}
	start, end := t.needed("start_time"), t.needed("end_time")
	var f openAIUsage
	f.find(t.optional)
	f.organization = t.optional("organization_id")
	t.row = func(v []jsonscan.Value, line int64, sink *Sink) error {
		r.begin(openAIProvider, sink)
		if empty(v[2:]) { // a day without usage
			sink.Ignore()
			return nil
		}
		if err := r.bucket(epochSeconds(v[start]), epochSeconds(v[end]), "start_time", "end_time"); err != nil {
			return err
		}
		if err := f.read(v, r, toolCalls); err != nil {
			return err
		}
		r.emit(line, sink)
		return nil
	}
	return t
}

// empty says that no field is there.
func empty(v []jsonscan.Value) bool {
	for i := range v {
		if !missing(v[i]) {
			return false
		}
	}
	return true
}

// epochSeconds is a time of a table, whose digits are seconds since 1970.
func epochSeconds(v jsonscan.Value) jsonscan.Value {
	if v.Kind == jsonscan.String && len(bytes.Trim(v.Raw, "0123456789.")) == 0 {
		v.Kind = jsonscan.Number
	}
	return v
}

// read notes the counts of one result, disjoint.
func (f *openAIUsage) read(v []jsonscan.Value, r *totalsReader, tool string) error {
	t := &r.t
	t.Project, t.Principal, t.Key, t.Model = name(v[f.project]), name(v[f.user]), name(v[f.key]), name(v[f.model])
	if t.ServiceTier = name(v[f.tier]); isTrue(v[f.batch]) {
		t.ServiceTier = []byte("batch")
	}
	if f.organization >= 0 {
		t.Account = name(v[f.organization])
	}
	if err := f.tokens(v, r); err != nil {
		return err
	}
	for i, other := range openAIOthers {
		field := v[f.others[i]]
		if missing(field) {
			continue
		}
		n, err := quantity(field, other[0])
		if err != nil {
			return err
		}
		what, unit := other[1], other[2]
		if what == toolCalls {
			what = tool
		}
		if what == record.ClassSearches {
			unit = unitSearches
		}
		r.count(what, unit, n)
	}
	if !missing(v[f.requests]) {
		n, err := quantity(v[f.requests], "num_model_requests")
		if err != nil {
			return err
		}
		r.count(record.ClassRequests, unitRequests, n)
	}
	if len(r.figures) == 0 {
		return errNothing
	}
	return nil
}

func isTrue(v jsonscan.Value) bool {
	return v.Kind == jsonscan.True || bytes.EqualFold(text(v), []byte("true"))
}

// tokens notes the token counts of one result, where it has any.
func (f *openAIUsage) tokens(v []jsonscan.Value, r *totalsReader) (err error) {
	if missing(v[f.input]) && missing(v[f.output]) {
		return nil
	}
	count := func(i int, field string) (n int64) {
		if err == nil && !missing(v[i]) {
			n, err = quantity(v[i], field)
		}
		return n
	}
	input, output := count(f.input, "input_tokens"), count(f.output, "output_tokens")
	cached, written := count(f.cached, "input_cached_tokens"), count(f.written, "input_cache_write_tokens")
	audio, image := count(f.inputAudio, "input_audio_tokens"), count(f.inputImage, "input_image_tokens")
	cachedAudio := count(f.cachedAudio, "input_cached_audio_tokens")
	outputAudio, outputImage := count(f.outputAudio, "output_audio_tokens"), count(f.outputImage, "output_image_tokens")
	uncached := input - cached - written
	if !missing(v[f.uncached]) {
		uncached = count(f.uncached, "input_uncached_tokens")
	}
	switch {
	case err != nil:
		return err
	case missing(v[f.input]):
		return &FieldError{"input_tokens", "is missing beside output_tokens"}
	case uncached < 0:
		return &FieldError{"input_tokens", "is less than input_cached_tokens and input_cache_write_tokens, which are parts of it"}
	case uncached+cached+written != input:
		return &FieldError{"input_tokens", "is not the sum of its uncached, cached and cache-write parts"}
	case cachedAudio > cached:
		return &FieldError{"input_cached_audio_tokens", "is more than input_cached_tokens, of which it is a part"}
	case outputAudio+outputImage > output:
		return &FieldError{"output_tokens", "is less than output_audio_tokens and output_image_tokens, which are parts of it"}
	}
	if audio+image > uncached { // of a time at which they were counted with what was cached
		audio = min(max(0, audio-cachedAudio), uncached)
		image = min(image, uncached-audio)
	}
	r.count(record.ClassInput, unitTokens, uncached-audio-image)
	for _, c := range []figure{
		{record.ClassCacheRead, unitTokens, cached - cachedAudio}, {record.ClassOutput, unitTokens, output - outputAudio - outputImage},
		{record.ClassCacheWriteUnknown, unitTokens, written}, {record.ClassInputAudio, unitTokens, audio}, {record.ClassInputImage, unitTokens, image},
		{record.ClassCacheReadAudio, unitTokens, cachedAudio}, {record.ClassOutputAudio, unitTokens, outputAudio}, {record.ClassOutputImage, unitTokens, outputImage},
	} {
		if c.n > 0 || f.told(v, c.class) {
			r.figures = append(r.figures, c)
		}
	}
	return nil
}

// told says that a count is there, be it zero.
func (f *openAIUsage) told(v []jsonscan.Value, class string) bool {
	at := 0
	switch class {
	case record.ClassCacheRead:
		at = f.cached
	case record.ClassOutput:
		at = f.output
	case record.ClassCacheWriteUnknown:
		at = f.written
	case record.ClassInputAudio:
		at = f.inputAudio
	case record.ClassInputImage:
		at = f.inputImage
	case record.ClassCacheReadAudio:
		at = f.cachedAudio
	case record.ClassOutputAudio:
		at = f.outputAudio
	case record.ClassOutputImage:
		at = f.outputImage
	}
	return !missing(v[at])
}
