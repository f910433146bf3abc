package decode

import (
	"bytes"
	"errors"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// bodyFields are the places in which a logged answer tells what the record
// around it doesn't. One set reads Converse, InvokeModel and, by their first
// event, the lists that streams are logged as.
type bodyFields struct {
	responseID, tier                   []int
	written5m, written1h, cacheDetails []int
	reasoning, searches, iterations    []int
}

// body adds the places of an answer at root.
func (f *fields) body(root string) bodyFields {
	at := func(names ...string) (indexes []int) {
		for _, name := range names {
			indexes = append(indexes, f.one(root+name))
		}
		return indexes
	}
	return bodyFields{
		responseID:   at("id", "[0].message.id", "[0].id"),
		tier:         at("serviceTier.type", "service_tier", "usage.service_tier", "[0].message.usage.service_tier", "[0].service_tier"),
		written5m:    at("usage.cache_creation.ephemeral_5m_input_tokens", "[0].message.usage.cache_creation.ephemeral_5m_input_tokens"),
		written1h:    at("usage.cache_creation.ephemeral_1h_input_tokens", "[0].message.usage.cache_creation.ephemeral_1h_input_tokens"),
		cacheDetails: at("usage.cacheDetails"),
		reasoning:    at("usage.completion_tokens_details.reasoning_tokens"),
		searches:     at("usage.server_tool_use.web_search_requests"),
		iterations:   at("usage.iterations"),
	}
}

// bodySpec is compiled for an answer that stands alone.
type bodySpec struct {
	spec *jsonscan.Spec
	f    bodyFields
}

func newBodySpec() bodySpec {
	var want fields
	f := want.body("")
	return bodySpec{want.spec(), f}
}

// bodyReader reads the answers of one worker.
type bodyReader struct {
	f           *bodyFields
	text, event *jsonscan.Scanner
	answers     *answerReader
	unescaped   []byte
	counts      tokenCounts
}

var eventSpec = mustCompile("usage.server_tool_use.web_search_requests", "usage.iterations")

func newBodyReader(text *bodySpec) *bodyReader {
	return &bodyReader{f: &text.f, text: jsonscan.NewScanner(text.spec), event: jsonscan.NewScanner(eventSpec), answers: newAnswerReader()}
}

// read fills what answer tells: its fields f lie in v or, where it was written
// as text (as CloudWatch delivers it), in that text. Text that is no JSON tells
// nothing.
func (b *bodyReader) read(v []jsonscan.Value, answer jsonscan.Value, f *bodyFields, u *record.Usage) error {
	raw := answer.Raw
	switch answer.Kind {
	case jsonscan.Object, jsonscan.Array:
	case jsonscan.String:
		b.unescaped = answer.AppendText(b.unescaped[:0])
		raw = bytes.TrimSpace(b.unescaped)
		if len(raw) == 0 || raw[0] != '{' && raw[0] != '[' {
			return nil
		}
		if _, err := b.text.Scan(raw); err != nil && !errors.Is(err, jsonscan.ErrShort) { // of cut text, what stands before the cut
			return nil
		}
		v, f = b.text.Values, b.f
	default:
		return nil
	}
	u.ResponseID, u.ServiceTier = firstID(v, f.responseID), firstName(v, f.tier)
	b.timesToLive(v, f, &u.Tokens)
	if n, err := whole(firstPresent(v, f.reasoning), ""); err == nil && n <= u.Tokens.Output {
		u.Tokens.Reasoning = n
	}
	if err := b.iterations(firstPresent(v, f.iterations), raw, u); err != nil {
		return err
	}
	return b.searches(firstPresent(v, f.searches), raw, &u.Tokens)
}

// iterations notes what the record's counts may leave out of an answer's
// iterations. Whether AWS counts compaction is not documented: it does where its
// counts are the sum of all.
func (b *bodyReader) iterations(list jsonscan.Value, raw []byte, u *record.Usage) error {
	key := []byte(`"iterations"`)
	if len(raw) > 0 && raw[0] == '[' && bytes.Contains(raw, key) {
		err := jsonscan.Each(raw, func(event []byte) error {
			if !bytes.Contains(event, key) || event[0] != '{' {
				return nil
			}
			_, err := b.event.Scan(event)
			if told := b.event.Values[1]; err == nil && told.Kind == jsonscan.Array {
				list = told
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if list.Kind != jsonscan.Array {
		return nil
	}
	say := &b.answers.notice
	say.reset()
	all, err := b.answers.sum(list)
	if err != nil { // the record's own counts stand
		say.say("the answer's iterations can't be read")
		u.Notice = say.text
		return nil
	}
	message, compaction := &all.message, &all.compaction
	held := u.Tokens.InputUncached == message.InputUncached+compaction.InputUncached && u.Tokens.Output == message.Output+compaction.Output
	if *compaction != (record.Tokens{}) && !held {
		say.say("tokens of compaction may not be in AWS's counts")
	}
	if all.advisor != (record.Tokens{}) {
		say.say("tokens of advisor ", advisorModel(all.model), " are not charged")
	}
	u.Notice = say.text
	return nil
}

// timesToLive parts what the record says was written to the prompt cache. What
// the answer doesn't tell, or tells more of than was written, stays unknown.
func (b *bodyReader) timesToLive(v []jsonscan.Value, f *bodyFields, t *record.Tokens) {
	if t.CacheWriteUnknown == 0 {
		return
	}
	c := &b.counts
	*c = tokenCounts{}
	var err5m, err1h, errList error
	c.written5m, err5m = whole(firstPresent(v, f.written5m), "")
	c.written1h, err1h = whole(firstPresent(v, f.written1h), "")
	if list := firstPresent(v, f.cacheDetails); list.Kind == jsonscan.Array && c.written5m+c.written1h == 0 {
		errList = timesToLive(b.answers.ttl, list, c)
	}
	told := c.written5m + c.written1h
	if err5m != nil || err1h != nil || errList != nil || told > t.CacheWriteUnknown {
		return
	}
	t.CacheWrite5m, t.CacheWrite1h, t.CacheWriteUnknown = c.written5m, c.written1h, t.CacheWriteUnknown-told
}

// searches counts the web searches of an answer. The events of a stream repeat
// the count as it grows; the largest is the last.
func (b *bodyReader) searches(told jsonscan.Value, raw []byte, t *record.Tokens) (err error) {
	const field = "output.outputBodyJson.usage.server_tool_use.web_search_requests"
	t.Searches, err = whole(told, field)
	key := []byte(`"web_search_requests"`) // most streams have none, and many events
	if len(raw) > 0 && raw[0] == '[' && bytes.Contains(raw, key) {
		err = jsonscan.Each(raw, func(event []byte) error {
			if !bytes.Contains(event, key) || event[0] != '{' {
				return nil
			}
			if _, err := b.event.Scan(event); err != nil {
				return err
			}
			n, err := whole(b.event.Values[0], field)
			t.Searches = max(t.Searches, n)
			return err
		})
	}
	if err == nil && t.Searches > searchesMax {
		err = &FieldError{field, "is more than a request can make"}
	}
	return err
}
