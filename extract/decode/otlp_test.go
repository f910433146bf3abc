package decode

import (
	"fmt"
	"strings"
	"testing"
)

// otlpText is a document of one span with attributes as JSON.
func otlpText(span, attributes string) string {
	return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"claims-desk"}}]},"scopeSpans":[{"spans":[{` + span +
		`,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o"}},` +
		`{"key":"gen_ai.usage.input_tokens","value":{"intValue":"10"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"5"}}` + attributes + `]}]}]}]}`
}

const otlpIDs = `"kind":3,"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"`

// Goal: an object that isn't JSON fails as a whole and says what to do; what
// only begins unusually doesn't.
func TestOTLPEncodings(t *testing.T) {
	text := otlpText(otlpIDs, "")
	const binary = "object: is OTLP in its binary encoding; set the exporter's marshaler to otlp_json (awss3) or its format to json (file), and deliver it again"
	const packed = "object: is zstd with a length before each message; let the collector's file exporter write without compression, or compress whole files, and deliver it again"
	tests := []struct {
		name, text, want string
		rows, rejects    int
	}{
		{"protobuf", "\n\x86\x03\n\x1e\n\x1c\n\x0cservice.name\x12\x0c\n\nclaims-desk", binary, 0, 0},
		{"protobuf whose length is a bracket", "\n{\n\x1e\n\x1c\n\x0cservice.name\x12\x0c\n\nclaims-desk", binary, 0, 0},
		{"protobuf with lengths", "\x00\x00\x01\x86\n\x86\x03\n\x1e\n\x1c\n\x0cservice.name", binary, 0, 0},
		{"zstd with lengths", "\x00\x00\x01\x86\x28\xb5\x2f\xfd\x04\x00", packed, 0, 0},
		{"line breaks first", "\n\n\t" + text, "", 1, 0},
		{"one line break and a control character far behind", "\n" + text + "\n{\"\x01", "", 1, 1},
		{"byte order mark", "\xef\xbb\xbf" + text, "", 1, 0},
		{"nothing", "", "", 0, 0},
		{"a line break", "\n", "", 0, 0},
		{"a word", "no", "", 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := load(berlin(t), otlp(t, AgentSide), strings.NewReader(tt.text))
			if got := fmt.Sprint(l.err); l.err == nil && tt.want != "" || l.err != nil && got != tt.want {
				t.Errorf("error %v, want %q", l.err, tt.want)
			}
			if len(l.rows) != tt.rows || len(l.rejects) != tt.rejects {
				t.Errorf("%d rows, rejects %v", len(l.rows), l.rejects)
			}
		})
	}
}

// Goal: what is one request has one key, and nothing else has it.
func TestOTLPKeys(t *testing.T) {
	key := func(t *testing.T, side, text string) string {
		t.Helper()
		l := load(berlin(t), otlp(t, side), strings.NewReader(text))
		if len(l.rows) != 1 {
			t.Fatalf("%d rows, rejects %v, error %v", len(l.rows), l.rejects, l.err)
		}
		return l.rows[0]["record_key"]
	}
	event := func(attributes, nanos string) string {
		return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"` + nanos + `","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"event.name","value":{"stringValue":"api_request"}},{"key":"output_tokens","value":{"intValue":"5"}}` + attributes + `]}]}]}]}`
	}
	const session = `,{"key":"session.id","value":{"stringValue":"s-1"}}`
	const first, later = "1793487580847000000", "1793487580848000000"
	sequence := func(n string) string { return `,{"key":"event.sequence","value":{"intValue":"` + n + `"}}` }
	one := otlpText(otlpIDs, "")
	answer := func(id string) string {
		return `,{"key":"gen_ai.response.id","value":{"stringValue":"` + id + `"}}`
	}
	beside := func(ids, attributes string) string { // an event of the conventions
		return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"` + later + `","eventName":"gen_ai.client.inference.operation.details"` + ids + `,"attributes":[{"key":"gen_ai.usage.input_tokens","value":{"intValue":"10"}}` + attributes + `]}]}]}]}`
	}
	const ids = `,"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"`
	tests := []struct {
		name, a, b string
		same       bool
	}{
		{"delivered again", one, one, true},
		{"an event beside its span", otlpText(otlpIDs, answer("chatcmpl-1")), beside(ids, answer("chatcmpl-1")), true},
		{"an event beside its span, both without an answer's id", one, beside(ids, ""), true},
		{"an event of another answer in one span", otlpText(otlpIDs, answer("chatcmpl-1")), beside(ids, answer("chatcmpl-2")), false},
		{"an event of another span", otlpText(otlpIDs, answer("chatcmpl-1")), beside(strings.Replace(ids, "b174", "b175", 1), answer("chatcmpl-1")), false},
		{"events without a trace", beside("", answer("chatcmpl-1")), beside("", answer("chatcmpl-1")), true},
		{"events of two answers without a trace", beside("", answer("chatcmpl-1")), beside("", answer("chatcmpl-2")), false},
		{"ids in capitals", one, strings.Replace(one, "eee19b7ec3c1b174", "EEE19B7EC3C1B174", 1), true},
		{"ids in base64", one, strings.NewReplacer("eee19b7ec3c1b174", "7uGbfsPBsXQ=", "5b8efff798038103d269b633813fc60c", "W47/95gDgQPSabYzgT/GDA==").Replace(one), true},
		{"ids in base64 with escapes", one, strings.Replace(one, "5b8efff798038103d269b633813fc60c", `W47\/95gDgQPSabYzgT\/GDA==`, 1), true},
		{"another span", one, strings.Replace(one, "eee19b7ec3c1b174", "eee19b7ec3c1b175", 1), false},
		{"another trace", one, strings.Replace(one, "5b8efff798038103d269b633813fc60c", "5b8efff798038103d269b633813fc60d", 1), false},
		{"event delivered again", event(session+sequence("4"), first), event(session+sequence("4"), first), true},
		{"another event of the session", event(session+sequence("4"), first), event(session+sequence("5"), first), false},
		{"session taken up again", event(session+sequence("4"), first), event(session+sequence("4"), later), false},
		{"older event delivered again", event(session, first), event(session, first), true},
		{"another older event", event(session, first), event(session, later), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if a, b := key(t, AgentSide, tt.a), key(t, AgentSide, tt.b); (a == b) != tt.same {
				t.Errorf("keys %s and %s", a, b)
			}
		})
	}
}

// Goal: attributes that the config doesn't name have those of the conventions,
// and what it names takes their place.
func TestOTLPDefaults(t *testing.T) {
	attribute := func(key, value string) string {
		return fmt.Sprintf(`,{"key":%q,"value":{"stringValue":%q}}`, key, value)
	}
	agent := attribute("gen_ai.agent.id", "agent-1") + attribute("gen_ai.agent.name", "Agent 1")
	tests := []struct {
		name, side, attributes, column, want string
		options                              OTLPOptions
	}{
		{"agent's id", AgentSide, agent, "agent_id", "agent-1", OTLPOptions{}},
		{"agent's name", AgentSide, attribute("gen_ai.agent.name", "Agent 1"), "agent_id", "Agent 1", OTLPOptions{}},
		{"the service", AgentSide, "", "agent_id", "claims-desk", OTLPOptions{}},
		{"agent named by the config", AgentSide, agent + attribute("app", "a"), "agent_id", "a", OTLPOptions{RequestOptions: RequestOptions{AgentID: []string{"app"}}}},
		{"agent named by the config is missing", AgentSide, agent, "agent_id", null, OTLPOptions{RequestOptions: RequestOptions{AgentID: []string{"app"}}}},
		{"provider's agent", ProviderSide, agent, "agent_id", "agent-1", OTLPOptions{}},
		{"the provider's service is no agent", ProviderSide, "", "agent_id", null, OTLPOptions{}},
		{"team", AgentSide, attribute("team.id", "t-1"), "team", "t-1", OTLPOptions{}},
		{"team named by the config", AgentSide, attribute("team.id", "t-1") + attribute("squad", "s-1"), "team", "s-1", OTLPOptions{Team: []string{"squad"}}},
		{"caller", ProviderSide, attribute("enduser.id", "svc-1"), "caller", "svc-1", OTLPOptions{}},
		{"caller named by the config", ProviderSide, attribute("enduser.id", "svc-1") + attribute("key", "key-1"), "caller", "key-1", OTLPOptions{Caller: []string{"key"}}},
		{"no cost centre is believed unasked", AgentSide, attribute("cost_center", "00420"), "cost_center", null, OTLPOptions{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.Side = tt.side
			format, err := NewOTLP(tt.options)
			if err != nil {
				t.Fatal(err)
			}
			text := otlpText(otlpIDs, tt.attributes)
			if tt.side == ProviderSide {
				text = strings.Replace(text, `"kind":3`, `"kind":2`, 1)
			}
			l := load(berlin(t), format, strings.NewReader(text))
			if len(l.rows) != 1 || l.rows[0][tt.column] != tt.want {
				t.Errorf("got %v, rejects %v", l.rows, l.rejects)
			}
		})
	}
}

func TestOTLPRefusesOptions(t *testing.T) {
	tests := []struct {
		name, want string
		options    OTLPOptions
	}{
		{"no side", `side "": is neither provider nor agent`, OTLPOptions{}},
		{"unknown side", `side "both": is neither provider nor agent`, OTLPOptions{Side: "both"}},
		{"empty attribute", "attribute: is named with an empty text", OTLPOptions{Side: AgentSide, Team: []string{""}}},
		{"empty parent", "parent: is named with an empty text", OTLPOptions{Side: AgentSide, Parents: []string{""}}},
		{"empty operation", "operation: is named with an empty text", OTLPOptions{Side: AgentSide, Operations: []string{""}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewOTLP(tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// Goal: the spans of one line are rows that object and line tell apart.
func TestOTLPRowsHaveLinesOfTheirOwn(t *testing.T) {
	span := func(id string) string {
		return strings.Replace(otlpText(otlpIDs, ""), "eee19b7ec3c1b174", "eee19b7ec3c1b17"+id, 1)
	}
	l := load(berlin(t), otlp(t, AgentSide), strings.NewReader(span("1")+span("2")+"\n\n"+span("3")))
	var lines []string
	for _, row := range l.rows {
		lines = append(lines, row["line"])
	}
	if got := strings.Join(lines, " "); got != "1 2 3" {
		t.Errorf("lines %s, rejects %v", got, l.rejects)
	}
}

// Goal: a document of many spans with long prompts gives all its rows, also
// where it is far longer than what is read at once.
func TestOTLPLongDocument(t *testing.T) {
	const spans = 200
	span := `{"kind":3,"traceId":"5b8efff798038103d269b633813fc60c","spanId":"%016x","startTimeUnixNano":"1793487580847000000","attributes":[` +
		`{"key":"gen_ai.input.messages","value":{"stringValue":"` + strings.Repeat(`Which \"form\"? `, 1000) + `"}},{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},` +
		`{"key":"gen_ai.usage.input_tokens","value":{"intValue":"%d"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"5"}}]}`
	var all []string
	for i := range spans {
		all = append(all, fmt.Sprintf(span, i+1, i+1))
	}
	env := berlin(t)
	env.RecordBytes = 64 << 20
	l := load(env, otlp(t, AgentSide), strings.NewReader(`{"resourceSpans":[{"scopeSpans":[{"spans":[`+strings.Join(all, ",\n")+`]}]}]}`))
	if len(l.rows) != spans || len(l.rejects) != 0 || l.err != nil {
		t.Fatalf("%d rows, rejects %v, error %v", len(l.rows), l.rejects, l.err)
	}
	for i, row := range l.rows {
		if want := fmt.Sprint(i + 1); row["input_uncached_tokens"] != want {
			t.Errorf("row %d has input %s", i, row["input_uncached_tokens"])
		}
	}
}
