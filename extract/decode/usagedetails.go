package decode

import (
	"bytes"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// usageDetails reads Langfuse's usage_details, an object of counts by usage type,
// which its kin write too. The types are free text: what they count is told by
// the words in them, as Langfuse itself does with input and output.
//
// Langfuse takes counts apart before it keeps them: input leaves out
// input_cached_tokens, output leaves out output_reasoning_tokens, and total is
// the sum of all. Writers that hand it counts of their own shape may not; their
// total then tells that input or output holds its parts.
type usageDetails struct {
	input, inputOther, inputAudio, inputImage     int64
	cached, written, written5m, written1h         int64
	output, outputOther, outputAudio, outputImage int64
	reasoning, total, searches                    int64
	missed                                        int64 // of the input, what was not in the cache
	hasInput, hasOutput, hasTotal                 bool
	tier, speed, region                           []byte // which some writers put beside the counts
}

// read takes an object's text.
func (u *usageDetails) read(object []byte) error {
	*u = usageDetails{}
	return jsonscan.EachMember(object, func(key []byte, v jsonscan.Value) error {
		var lower [64]byte
		n := copy(lower[:], key)
		for i, c := range lower[:n] {
			if c-'A' < 26 {
				lower[i] = c | 0x20
			}
		}
		return u.take(lower[:n], v)
	})
}

// take adds one count where its type's words lead.
func (u *usageDetails) take(kind []byte, v jsonscan.Value) error {
	switch string(kind) {
	case "service_tier":
		u.tier = name(v)
		return nil
	case "speed":
		u.speed = name(v)
		return nil
	case "inference_geo":
		u.region = geography(v)
		return nil
	}
	has := func(words ...string) bool {
		for _, w := range words {
			if bytes.Contains(kind, []byte(w)) {
				return true
			}
		}
		return false
	}
	to := &u.searches
	writes, out := has("creation", "write", "ephemeral"), has("output", "completion")
	switch {
	case has("total"):
		to, u.hasTotal = &u.total, v.Kind != jsonscan.Absent
	case writes && has("5m"):
		to = &u.written5m
	case writes && has("1h"):
		to = &u.written1h
	case writes:
		to = &u.written
	case has("cache") && has("miss"): // as DeepSeek counts
		to = &u.missed
	case has("cache"):
		to = &u.cached
	case has("reason", "thought", "thinking"):
		to = &u.reasoning
	case out && has("audio"):
		to = &u.outputAudio
	case out && has("image"):
		to = &u.outputImage
	case out:
		to = pick(kind, &u.output, &u.outputOther, &u.hasOutput)
	case has("input", "prompt") && has("audio"):
		to = &u.inputAudio
	case has("input", "prompt") && has("image"):
		to = &u.inputImage
	case has("input", "prompt"):
		to = pick(kind, &u.input, &u.inputOther, &u.hasInput)
	case !has("web_search"):
		return nil // not counted in tokens
	}
	n, err := whole(v, "usage_details")
	*to += n
	return err
}

// pick tells the count of a side as such from its parts, such as
// input_text_tokens.
func pick(kind []byte, side, part *int64, has *bool) *int64 {
	switch string(kind) {
	case "input", "prompt", "input_tokens", "prompt_tokens", "inputtokens", "prompttokens",
		"output", "completion", "output_tokens", "completion_tokens", "outputtokens", "completiontokens":
		if *has {
			return new(int64) // the same under another name
		}
		*has = true
		return side
	}
	return part
}

// tokens makes disjoint tokens. found is false where nothing was counted. told is
// what the source's operator says of the input: Inclusive, Exclusive, or "" where
// the record has to tell it.
func (u *usageDetails) tokens(told string, t *record.Tokens) (found bool, err error) {
	u.written = max(u.written, u.written5m+u.written1h)
	inParts := u.inputOther + u.inputAudio + u.inputImage + u.cached + u.written
	outParts := u.outputOther + u.outputAudio + u.outputImage + u.reasoning
	if !u.hasInput {
		u.input, u.missed = u.missed, 0
	}
	if !u.hasInput && !u.hasOutput && u.input+inParts+outParts == 0 {
		return false, nil
	}
	c := tokenCounts{
		input: u.input, output: u.output, cached: u.cached, written: u.written,
		written5m: u.written5m, written1h: u.written1h, reasoning: u.reasoning, searches: u.searches,
		inputAudio: u.inputAudio, inputImage: u.inputImage, outputAudio: u.outputAudio, outputImage: u.outputImage,
	}
	without, outHolds := u.holdsParts(inParts, outParts)
	switch {
	case told == Inclusive, told == "" && u.missed > 0 && u.input == u.cached+u.missed:
		without = 0
	case told == Exclusive:
		without = inParts
	}
	if c.exclusive = without == inParts; c.exclusive {
		c.input += u.inputOther + u.inputAudio + u.inputImage
	} else {
		c.input += without
	}
	if !outHolds {
		c.output += outParts
	}
	return true, c.disjoint(t)
}

// toldZero says that input and output are there and no total tells of more: where
// they are 0, they are no less.
func (u *usageDetails) toldZero() bool { return u.hasInput && u.hasOutput && u.total == 0 }

// holdsParts says how much of its parts the input leaves out, and whether the
// output holds its own, by which of the sums the total is. Of the prompt cache an
// input may hold what was read and leave out what was written.
func (u *usageDetails) holdsParts(inParts, outParts int64) (without int64, out bool) {
	over := u.total - u.input - u.output
	for _, reading := range [...]struct {
		without int64
		out     bool
	}{{inParts, false}, {0, true}, {0, false}, {inParts, true}, {u.written, true}, {u.written, false}} {
		sum := reading.without
		if !reading.out {
			sum += outParts
		}
		if !u.hasTotal || over == sum || over == sum+u.missed {
			return reading.without, reading.out
		}
	}
	return inParts, false
}
