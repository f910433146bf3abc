package decode

import (
	"bytes"
	"errors"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// vertexAnswerFields are the places in which an answer of Gemini, or of Claude
// on Vertex AI, tells who answered, when, and what was metered.
type vertexAnswerFields struct {
	id, model, at, failure, code                            []int
	prompt, candidates, cached, thoughts, toolUse, total    []int
	promptParts, cachedParts, candidateParts, traffic, tier []int
	usage                                                   usageFields // of Claude
	message                                                 int         // of an event of Claude's streams
}

// vertexAnswer adds the places of an answer at root.
func (f *fields) vertexAnswer(root string) vertexAnswerFields {
	at := func(names ...string) (indexes []int) {
		for _, name := range names {
			indexes = append(indexes, f.one(root+name))
		}
		return indexes
	}
	gemini := func(names ...string) (indexes []int) { // in camel case, then in snake case
		for i, name := range names {
			indexes = append(indexes, f.one(root+[...]string{"usageMetadata.", "usage_metadata."}[i%2]+name))
		}
		return indexes
	}
	return vertexAnswerFields{
		id:             at("responseId", "response_id", "id"),
		model:          at("modelVersion", "model_version", "model"),
		at:             at("createTime", "create_time"),
		failure:        at("error"),
		code:           at("error.status", "error.code", "error.type"),
		prompt:         gemini("promptTokenCount", "prompt_token_count"),
		candidates:     gemini("candidatesTokenCount", "candidates_token_count", "responseTokenCount", "response_token_count"),
		cached:         gemini("cachedContentTokenCount", "cached_content_token_count"),
		thoughts:       gemini("thoughtsTokenCount", "thoughts_token_count"),
		toolUse:        gemini("toolUsePromptTokenCount", "tool_use_prompt_token_count"),
		total:          gemini("totalTokenCount", "total_token_count"),
		promptParts:    gemini("promptTokensDetails", "prompt_tokens_details"),
		cachedParts:    gemini("cacheTokensDetails", "cache_tokens_details"),
		candidateParts: gemini("candidatesTokensDetails", "candidates_tokens_details", "responseTokensDetails", "response_tokens_details"),
		traffic:        gemini("trafficType", "traffic_type"),
		tier:           gemini("serviceTier", "service_tier"),
		usage:          f.usage(root),
		message:        f.one(root + "message"),
	}
}

// vertexAnswerSpec is compiled for an answer that stands alone, and for one in
// the message of an event. Their fields have the same places.
type vertexAnswerSpec struct {
	f              vertexAnswerFields
	plain, message *jsonscan.Spec
}

func newVertexAnswerSpec() vertexAnswerSpec {
	var plain, message fields
	f := plain.vertexAnswer("")
	message.vertexAnswer("message.")
	return vertexAnswerSpec{f, plain.spec(), message.spec()}
}

// vertexAnswer reads answers for one worker. What it tells holds until the next.
type vertexAnswer struct {
	of             *vertexAnswerSpec
	plain, message *jsonscan.Scanner
	part           *jsonscan.Scanner
	answers        *answerReader
	merged         []jsonscan.Value
	text           []byte

	f   *vertexAnswerFields // the places in v
	v   []jsonscan.Value
	own bool // v is the record's own

	notice []byte // what else is billed, once the tokens are read
}

var modalitySpec = mustCompile("modality", "tokenCount", "token_count")

func newVertexAnswer(of *vertexAnswerSpec) *vertexAnswer {
	a := &vertexAnswer{of: of, plain: jsonscan.NewScanner(of.plain), message: jsonscan.NewScanner(of.message), part: jsonscan.NewScanner(modalitySpec), answers: newAnswerReader()}
	a.merged = make([]jsonscan.Value, len(a.plain.Values))
	return a
}

func (a *vertexAnswer) reset() {
	if clear(a.merged); cap(a.text) > textBytesKept {
		a.text = nil
	}
	a.f, a.v, a.text, a.own, a.notice = &a.of.f, a.merged, a.text[:0], false, nil
}

// take reads an answer: an object, JSON text, or a list of either, of whose
// elements the last that tells something counts. Other text tells nothing.
func (a *vertexAnswer) take(v jsonscan.Value) error {
	raw := v.Raw
	if v.Kind == jsonscan.String {
		begin := len(a.text)
		a.text = v.AppendText(a.text)
		raw = bytes.TrimSpace(a.text[begin:])
	}
	switch {
	case len(raw) == 0 || v.Kind != jsonscan.String && v.Kind != jsonscan.Object && v.Kind != jsonscan.Array:
		return nil
	case raw[0] == '{':
		return a.object(raw)
	case raw[0] == '[':
		return a.list(raw)
	}
	for line := range bytes.Lines(raw) { // of an event stream
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '{' {
				if err := a.object(data); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (a *vertexAnswer) list(raw []byte) error {
	w := jsonscan.NewWalker(raw)
	if !w.Enter('[') {
		return nil
	}
	for {
		more, err := w.Element()
		if !more || err != nil {
			return err
		}
		v, err := w.Value()
		if err == nil {
			err = a.take(v)
		}
		if err != nil {
			return err
		}
	}
}

// object adds what an answer, or an event of a stream, tells.
func (a *vertexAnswer) object(raw []byte) error {
	if _, err := a.plain.Scan(raw); err != nil {
		if errors.Is(err, jsonscan.ErrShort) {
			return errors.New("begins like a JSON object and is none; is it cut off?")
		}
		return err
	}
	a.merge(a.plain.Values)
	if a.plain.Values[a.of.f.message].Kind == jsonscan.Object {
		if _, err := a.message.Scan(raw); err != nil {
			return err
		}
		a.merge(a.message.Values)
	}
	return nil
}

func (a *vertexAnswer) merge(v []jsonscan.Value) {
	for i := range v {
		if v[i].Kind != jsonscan.Absent {
			a.merged[i] = v[i]
		}
	}
}

// tells says whether the answer tells what was metered, or that it failed.
func (a *vertexAnswer) tells() bool {
	u := &a.f.usage
	for _, places := range [...][]int{a.f.prompt, a.f.candidates, a.f.thoughts, u.inclusive, u.input, u.exclusive, u.output, a.f.failure} {
		if !missing(firstPresent(a.v, places)) {
			return true
		}
	}
	return false
}

// failed says whether the answer is an error.
func (a *vertexAnswer) failed() bool { return !missing(firstPresent(a.v, a.f.failure)) }

func (a *vertexAnswer) errorCode() []byte { return firstName(a.v, a.f.code) }

// tokens makes disjoint tokens, and says which of the two counts there are.
func (a *vertexAnswer) tokens(t *record.Tokens) (hasInput, hasOutput bool, err error) {
	f := a.f
	has := func(indexes []int) bool { return !missing(firstPresent(a.v, indexes)) }
	if !has(f.prompt) && !has(f.candidates) && !has(f.thoughts) {
		answer, err := a.answers.read(a.v, &f.usage, t)
		a.notice = answer.notice
		return answer.hasInput, answer.hasOutput, err
	}
	count := func(indexes []int, field string) (n int64) {
		if err == nil {
			n, err = whole(firstPresent(a.v, indexes), field)
		}
		return n
	}
	c := tokenCounts{
		input: count(f.prompt, "usageMetadata.promptTokenCount"), output: count(f.candidates, "usageMetadata.candidatesTokenCount"),
		cached: count(f.cached, "usageMetadata.cachedContentTokenCount"), total: count(f.total, "usageMetadata.totalTokenCount"),
	}
	thoughts, toolUse := count(f.thoughts, "usageMetadata.thoughtsTokenCount"), count(f.toolUse, "usageMetadata.toolUsePromptTokenCount")
	// Images cost what text costs, but for those that a model makes.
	var cachedImage, inputImage int64
	if err == nil {
		err = a.parts(f.promptParts, "usageMetadata.promptTokensDetails.tokenCount", &c.inputAudio, &inputImage)
	}
	if err == nil {
		err = a.parts(f.cachedParts, "usageMetadata.cacheTokensDetails.tokenCount", &c.cachedAudio, &cachedImage)
	}
	if err == nil {
		err = a.parts(f.candidateParts, "usageMetadata.candidatesTokensDetails.tokenCount", &c.outputAudio, &c.outputImage)
	}
	if err != nil {
		return false, false, err
	}
	hasOutput = has(f.candidates) || has(f.thoughts) || c.total > 0 && c.total == c.input+toolUse
	c.beside(thoughts, toolUse)
	return has(f.prompt), hasOutput, c.disjoint(t)
}

// parts adds up the audio and images of counts by modality.
func (a *vertexAnswer) parts(indexes []int, field string, audio, image *int64) error {
	list := firstPresent(a.v, indexes)
	if list.Kind != jsonscan.Array {
		return nil
	}
	w := jsonscan.NewWalker(list.Raw)
	for w.Enter('['); ; {
		more, err := w.Element()
		if !more || err != nil {
			return err
		}
		v, err := w.Value()
		if err != nil {
			return err
		}
		if v.Kind != jsonscan.Object {
			continue
		}
		if _, err := a.part.Scan(v.Raw); err != nil {
			return err
		}
		n, err := whole(firstPresent(a.part.Values, []int{1, 2}), field)
		if err != nil {
			return err
		}
		switch string(text(a.part.Values[0])) {
		case "AUDIO":
			*audio += n
		case "IMAGE":
			*image += n
		}
	}
}

var (
	priorityTier    = []byte("priority")
	flexTier        = []byte("flex")
	provisionedTier = []byte("provisioned_throughput")
)

// tier is the service tier of an answer; on demand is none.
func (a *vertexAnswer) tier() []byte {
	switch traffic := firstName(a.v, a.f.traffic); string(traffic) {
	case "ON_DEMAND_PRIORITY":
		return priorityTier
	case "ON_DEMAND_FLEX":
		return flexTier
	case "PROVISIONED_THROUGHPUT":
		return provisionedTier
	}
	if tier := firstName(a.v, a.f.tier); len(tier) > 0 {
		return tier
	}
	return servedTier(firstName(a.v, a.f.usage.tier), name(a.v[a.f.usage.speed]))
}
