package decode

import (
	"bytes"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// answer is what an answer tells of itself besides its tokens.
type answer struct {
	hasInput, hasOutput bool   // which of the two counts it has: an embedding has no output
	toldZero            bool   // it has both, and no total tells of more: where they are 0, they are no less
	notice              []byte // what else is billed; see record.Usage. It holds until the next answer
}

// answerReader reads what answers tell of their usage, for one worker.
type answerReader struct {
	ttl, item, iteration *jsonscan.Scanner
	notice               notice
}

func newAnswerReader() *answerReader {
	return &answerReader{ttl: jsonscan.NewScanner(ttlSpec), item: jsonscan.NewScanner(outputItemSpec), iteration: jsonscan.NewScanner(iterationSpec)}
}

// read makes disjoint tokens of an answer's usage. An answer with neither count
// tells nothing.
func (r *answerReader) read(v []jsonscan.Value, u *usageFields, t *record.Tokens) (a answer, err error) {
	c, err := r.counts(v, u, &a)
	if err != nil || !a.hasInput && !a.hasOutput {
		return answer{}, err
	}
	a.toldZero = a.hasInput && a.hasOutput && c.total == 0
	r.notice.reset()
	if c.uncounted() {
		r.notice.say(totalIsMore)
	}
	if err := c.disjoint(t); err != nil {
		return a, err
	}
	if err := r.besides(v, u, t); err != nil {
		return a, err
	}
	a.notice = r.notice.text
	return a, nil
}

// counts reads the counts as the answer has them, and which there are.
func (r *answerReader) counts(v []jsonscan.Value, u *usageFields, a *answer) (c tokenCounts, err error) {
	output := firstPresent(v, u.output)
	a.hasOutput = !missing(output)
	input, field := firstPresent(v, u.inclusive), "usage.prompt_tokens"
	if missing(input) {
		input, field = firstPresent(v, u.input), "usage.input_tokens"
		c.exclusive = v[u.details].Kind != jsonscan.Object
	}
	if missing(input) {
		input, field = firstPresent(v, u.exclusive), "usage.inputTokens"
		c.exclusive = true
	}
	if a.hasInput = !missing(input); a.hasInput {
		c.input, err = whole(input, field)
	}
	if a.hasOutput && err == nil {
		c.output, err = whole(output, "output tokens")
	}
	if err != nil {
		return c, err
	}
	var n [usageCounts]int64
	for i := range u.counts {
		place := &u.counts[i]
		at := &v[place.at]
		if at.Kind == jsonscan.Absent || n[place.of] != 0 {
			continue
		}
		if n[place.of], err = whole(*at, usageNames[place.of]); err != nil {
			return c, err
		}
	}
	c.total, c.cached, c.written, c.written5m, c.written1h = n[usageTotal], n[usageCached], n[usageWritten], n[usageWritten5m], n[usageWritten1h]
	c.reasoning, c.searches, c.cachedAudio = n[usageReasoning], n[usageSearches], n[usageCachedAudio]
	c.inputAudio, c.inputImage, c.outputAudio, c.outputImage = n[usageInputAudio], n[usageInputImage], n[usageOutputAudio], n[usageOutputImage]
	if thoughts, toolPrompt := n[usageThoughts], n[usageToolPrompt]; thoughts+toolPrompt > 0 {
		c.beside(thoughts, toolPrompt)
		a.hasOutput = a.hasOutput || thoughts > 0
	}
	if list := v[u.cacheDetails]; list.Kind == jsonscan.Array && c.written5m+c.written1h == 0 {
		err = timesToLive(r.ttl, list, &c)
	}
	return c, err
}

const totalIsMore = "total_tokens is more than the counts beside it: the rest is not charged"

// besides reads what is billed and stands beside the counts: iterations, and what
// the provider's own tools did.
func (r *answerReader) besides(v []jsonscan.Value, u *usageFields, t *record.Tokens) error {
	if list := v[u.iterations]; list.Kind == jsonscan.Array {
		if err := r.iterations(list, t); err != nil {
			return err
		}
	}
	if v[u.codeRuns].Kind != jsonscan.Absent {
		if n, err := whole(v[u.codeRuns], "code_execution_requests"); n > 0 && err == nil {
			r.notice.say("code execution is not charged")
		}
	}
	if v[u.outputs].Kind == jsonscan.Array {
		return r.items(v[u.outputs], t)
	}
	return nil
}

// firstAt is the place of the first alternative that is present, else the first.
func firstAt(v []jsonscan.Value, indexes []int) int {
	for _, i := range indexes {
		if v[i].Kind != jsonscan.Absent {
			return i
		}
	}
	return indexes[0]
}

// firstCount is the first count that isn't 0: one place may have a zero for what
// another tells. It does nothing where err is set.
func firstCount(v []jsonscan.Value, indexes []int, field string, err *error) (n int64) {
	for _, i := range indexes {
		at := &v[i]
		if at.Kind == jsonscan.Absent || len(at.Raw) == 1 && at.Raw[0] == '0' { // as most are
			continue
		}
		if *err != nil || n != 0 {
			break
		}
		n, *err = whole(*at, field)
	}
	return n
}

// notice gathers what a record has to say of what its counts leave out, each
// thing once.
type notice struct{ text []byte }

func (n *notice) reset() { n.text = n.text[:0] }

func (n *notice) say(words ...string) {
	begin := len(n.text)
	if begin > 0 {
		n.text = append(n.text, "; "...)
	}
	said := len(n.text)
	for _, w := range words {
		n.text = append(n.text, w...)
	}
	if begin > 0 && bytes.Contains(n.text[:begin], n.text[said:]) {
		n.text = n.text[:begin]
	}
}

// servedTier is the service tier of an answer. Anthropic's fast mode is not its
// Priority Tier: it is told as a speed, and costs more than list.
func servedTier(tier, speed []byte) []byte {
	if string(speed) == "fast" {
		return speed
	}
	return tier
}

var outputItemSpec = mustCompile("type", "action.type")

// items counts the web searches among the items of a response, which its usage
// doesn't tell, and notes what is billed and has no price. Opening or reading a
// page that was found is free.
func (r *answerReader) items(outputs jsonscan.Value, t *record.Tokens) error {
	if !bytes.Contains(outputs.Raw, []byte(`_call"`)) {
		return nil
	}
	searches := int64(0)
	err := jsonscan.Each(outputs.Raw, func(item []byte) error {
		if item[0] != '{' {
			return nil
		}
		if _, err := r.item.Scan(item); err != nil {
			return err
		}
		switch string(text(r.item.Values[0])) {
		case "web_search_call":
			if action := text(r.item.Values[1]); len(action) == 0 || string(action) == "search" {
				searches++
			}
		case "code_interpreter_call", "shell_call":
			r.notice.say("code interpreter is not charged")
		case "file_search_call":
			r.notice.say("file search is not charged")
		case "image_generation_call":
			r.notice.say("image generation is not charged")
		}
		return nil
	})
	if searches > searchesMax && err == nil {
		err = &FieldError{"output", "holds more web searches than a request can make"}
	}
	t.Searches = max(t.Searches, searches)
	return err
}

var iterationSpec = mustCompile("type", "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
	"cache_creation.ephemeral_5m_input_tokens", "cache_creation.ephemeral_1h_input_tokens", "model")

// iterated is what the iterations of an answer add up to: those that wrote the
// message, those that compacted the context before it, and those of an advisor.
type iterated struct {
	message, compaction, advisor, other record.Tokens
	model                               []byte // of the advisor
}

// sum adds up Anthropic's usage.iterations.
func (r *answerReader) sum(list jsonscan.Value) (all iterated, err error) {
	err = jsonscan.Each(list.Raw, func(element []byte) error {
		if element[0] != '{' {
			return nil
		}
		if _, err := r.iteration.Scan(element); err != nil {
			return err
		}
		v := r.iteration.Values
		to := &all.other
		switch kind := text(v[0]); {
		case string(kind) == "message":
			to = &all.message
		case string(kind) == "compaction":
			to = &all.compaction
		case bytes.HasPrefix(kind, []byte("advisor")):
			to = &all.advisor
			if len(all.model) == 0 {
				all.model = name(v[7])
			}
		}
		var err error
		count := func(i int) (n int64) {
			if err == nil {
				n, err = whole(v[i], "usage.iterations")
			}
			return n
		}
		short, long := count(5), count(6)
		to.InputUncached += count(1)
		to.Output += count(2)
		to.CacheRead += count(3)
		to.CacheWrite5m += short
		to.CacheWrite1h += long
		to.CacheWriteUnknown += max(0, count(4)-short-long)
		return err
	})
	return all, err
}

// iterations adds what the counts at the top leave out of an answer's iterations:
// those of compaction, as Anthropic documents. Gateways that add them up
// themselves are found by the numbers, count by count: LiteLLM adds input and
// output, and not what was read from the cache. An advisor answers at its own
// model's prices, which one record can't hold.
func (r *answerReader) iterations(list jsonscan.Value, t *record.Tokens) error {
	all, err := r.sum(list)
	if err != nil {
		return err
	}
	message, compaction, advisor := &all.message, &all.compaction, &all.advisor
	if other := &all.other; other.Output+other.InputUncached > 0 {
		if t.Output == message.Output+other.Output || t.Output == message.Output+other.Output+compaction.Output {
			addTokens(message, other)
		} else {
			r.notice.say("tokens of an iteration of another type are not charged")
		}
	}
	t.InputUncached += leftOut(t.InputUncached, message.InputUncached, compaction.InputUncached, advisor.InputUncached)
	t.CacheRead += leftOut(t.CacheRead, message.CacheRead, compaction.CacheRead, advisor.CacheRead)
	if leftOut(writes(t), writes(message), writes(compaction), writes(advisor)) > 0 {
		t.CacheWrite5m += compaction.CacheWrite5m
		t.CacheWrite1h += compaction.CacheWrite1h
		t.CacheWriteUnknown += compaction.CacheWriteUnknown
	}
	top := t.Output
	t.Output += leftOut(top, message.Output, compaction.Output, advisor.Output)
	if compaction.Output > 0 && t.Output == top && top != message.Output+compaction.Output && top != message.Output+compaction.Output+advisor.Output {
		r.notice.say("tokens of compaction may be missing")
	}
	switch {
	case advisor.InputUncached+advisor.CacheRead+writes(advisor)+advisor.Output == 0:
	case advisor.Output > 0 && (top == message.Output+advisor.Output || top == message.Output+compaction.Output+advisor.Output):
		r.notice.say("tokens of advisor ", advisorModel(all.model), " at this model's price")
	default:
		r.notice.say("tokens of advisor ", advisorModel(all.model), " are not charged")
	}
	if max(t.InputUncached, t.CacheRead, writes(t), t.Output) > tokensMax {
		return &FieldError{"usage.iterations", "makes the request's tokens more than 100,000,000"}
	}
	return nil
}

func advisorModel(model []byte) string {
	if len(model) == 0 {
		return "of an unnamed model"
	}
	return string(model)
}

func writes(t *record.Tokens) int64 { return t.CacheWrite5m + t.CacheWrite1h + t.CacheWriteUnknown }

func addTokens(to, more *record.Tokens) {
	to.InputUncached += more.InputUncached
	to.CacheRead += more.CacheRead
	to.CacheWrite5m += more.CacheWrite5m
	to.CacheWrite1h += more.CacheWrite1h
	to.CacheWriteUnknown += more.CacheWriteUnknown
	to.Output += more.Output
}

// leftOut is how much of compaction the count at the top leaves out: all of it
// where the top is what the other iterations add up to, or less than all add up
// to; else nothing.
func leftOut(top, message, compaction, advisor int64) int64 {
	switch top {
	case message, message + advisor:
		return compaction
	case message + compaction, message + compaction + advisor:
		return 0
	}
	if top < message+compaction {
		return compaction
	}
	return 0
}
