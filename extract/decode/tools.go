package decode

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chargeback/extract/decode/jsonscan"
)

const (
	toolCallsMax = 1_000_000 // of one request
	toolNameMax  = 100       // bytes
	mixesMax     = 4096      // remembered by one worker
	mixBytesMax  = 1024      // longest JSON that is remembered
)

// toolReader reads tool calls. It remembers what it has read, because the same
// few lists come again and again.
type toolReader struct {
	known  map[string]toolMix
	number []byte
}

// toolMix is name:count,... sorted by name, and the sum of the counts.
type toolMix struct {
	text  []byte
	calls int64
}

// read takes a number, a list of names, or an object of name to count. The
// text of the result holds until the next call.
func (t *toolReader) read(v jsonscan.Value) (toolMix, error) {
	const field = "tool_calls"
	switch {
	case missing(v), v.Kind == jsonscan.False:
		return toolMix{}, nil
	case v.Kind == jsonscan.True:
		return toolMix{}, &FieldError{field, "is neither a number, nor a list of names, nor an object of name to number"}
	case v.Kind == jsonscan.Number, v.Kind == jsonscan.String:
		n, err := whole(v, field)
		if err != nil || n == 0 {
			return toolMix{}, err
		}
		t.number = strconv.AppendInt(append(t.number[:0], "*:"...), n, 10)
		return toolMix{t.number, n}, checkCalls(n, field)
	}
	if mix, known := t.known[string(v.Raw)]; known {
		return mix, nil
	}
	counts, err := countTools(v, field)
	if err != nil {
		return toolMix{}, err
	}
	mix, err := mixOf(counts, field)
	if err == nil && len(v.Raw) <= mixBytesMax && len(t.known) < mixesMax {
		if t.known == nil {
			t.known = map[string]toolMix{}
		}
		t.known[string(v.Raw)] = mix
	}
	return mix, err
}

// oneCall is the mix of one call of a tool.
func oneCall(tool []byte) (toolMix, error) {
	return mixOf(map[string]int64{string(tool): 1}, "tool_calls")
}

func countTools(v jsonscan.Value, field string) (map[string]int64, error) {
	counts := map[string]int64{}
	if v.Kind == jsonscan.Object {
		if json.Unmarshal(v.Raw, &counts) != nil {
			return nil, &FieldError{field, "is not an object of tool name to whole number"}
		}
		return counts, nil
	}
	var names []string
	if json.Unmarshal(v.Raw, &names) != nil {
		return nil, &FieldError{field, "is not a list of tool names"}
	}
	for _, name := range names {
		counts[name]++
	}
	return counts, nil
}

func mixOf(counts map[string]int64, field string) (mix toolMix, err error) {
	names := make([]string, 0, len(counts))
	for name, n := range counts {
		if n == 0 {
			continue
		}
		if n < 0 || n > toolCallsMax {
			return toolMix{}, checkCalls(n, field)
		}
		if name == "" || len(name) > toolNameMax || strings.ContainsFunc(name, unfitForName) || strings.TrimSpace(name) != name {
			return toolMix{}, &FieldError{field, fmt.Sprintf("holds a tool name that is empty, longer than %d bytes, has blanks around it, or has a comma, colon or control character", toolNameMax)}
		}
		names = append(names, name)
		mix.calls += n
	}
	slices.Sort(names)
	for i, name := range names {
		if i > 0 {
			mix.text = append(mix.text, ',')
		}
		mix.text = append(append(mix.text, name...), ':')
		mix.text = strconv.AppendInt(mix.text, counts[name], 10)
	}
	return mix, checkCalls(mix.calls, field)
}

func unfitForName(r rune) bool { return r == ',' || r == ':' || r < 0x20 || r == 0x7f }

func checkCalls(n int64, field string) error {
	if n < 0 || n > toolCallsMax {
		return &FieldError{field, fmt.Sprintf("holds a number of calls outside 0 to %d", toolCallsMax)}
	}
	return nil
}
