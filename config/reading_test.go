package config

import (
	"strings"
	"testing"
)

// readingOf is the fingerprint of a source that is written so.
func readingOf(t *testing.T, source string) string {
	t.Helper()
	c, err := Parse("chargeback.yaml", []byte(strings.Replace(minimal, "{name: gateway, format: litellm, url: file:data}", source, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return c.Sources[0].Reading()
}

// Goal: what decides how objects are read is told apart, and nothing else is.
func TestReading(t *testing.T) {
	const mapped = `{name: gateway, format: mapped, url: file:data, mapped: {fields: {agent_request_id: [/id], started_at: [/at], model: [/model]}`
	for _, tt := range []struct {
		name, one, other string
		same             bool
	}{
		{"name, place and rights", `{name: gateway, format: litellm, url: file:data}`, `{name: other, format: litellm, url: "s3://bucket/logs", s3: {region: eu-central-1}}`, true},
		{"what prices need", `{name: gateway, format: litellm, url: file:data}`, `{name: gateway, format: litellm, url: file:data, cache_ttl: 1h}`, true},
		{"when it is silent", `{name: gateway, format: litellm, url: file:data}`, `{name: gateway, format: litellm, url: file:data, silent_after_days: 0}`, true},
		{"the usual, written out", `{name: gateway, format: litellm, url: file:data}`, `{name: gateway, format: litellm, url: file:data, max_record_bytes: 64MB, fields: {client_ref: [metadata.spend_logs_metadata.client_ref]}}`, true},
		{"the usual side", `{name: gateway, format: otlp, url: file:data}`, `{name: gateway, format: otlp, url: file:data, side: agent, operations: []}`, true},
		{"order of keys", mapped + "}}", `{mapped: {fields: {model: [/model], started_at: [/at], agent_request_id: [/id]}, time: rfc3339}, name: gateway, format: mapped, url: file:data}`, true},
		{"format", `{name: gateway, format: litellm, url: file:data}`, `{name: gateway, format: portkey, url: file:data}`, false},
		{"side", `{name: gateway, format: otlp, url: file:data}`, `{name: gateway, format: otlp, url: file:data, side: provider}`, false},
		{"operations", `{name: gateway, format: otlp, url: file:data}`, `{name: gateway, format: otlp, url: file:data, operations: [ask]}`, false},
		{"longest record", `{name: gateway, format: litellm, url: file:data}`, `{name: gateway, format: litellm, url: file:data, max_record_bytes: 1MB}`, false},
		{"a field", `{name: gateway, format: litellm, url: file:data}`, `{name: gateway, format: litellm, url: file:data, fields: {agent_id: [metadata.agent]}}`, false},
		{"order of places", `{name: gateway, format: litellm, url: file:data, fields: {agent_id: [a, b]}}`, `{name: gateway, format: litellm, url: file:data, fields: {agent_id: [b, a]}}`, false},
		{"a place of a map", mapped + "}}", strings.Replace(mapped, "[/model]", "[/served/model]", 1) + "}}", false},
		{"how a map reads times", mapped + "}}", mapped + ", time: unix_ms}}", false},
		{"what a map leaves constant", mapped + "}}", mapped + ", constants: {provider: openai}}}", false},
		{"a batch job", `{name: b, format: openai-batch, url: file:data, batch: {jobs: [{id: one}]}}`, `{name: b, format: openai-batch, url: file:data, batch: {jobs: [{id: one, started_at: 2026-10-31T22:00:00Z}]}}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if one, other := readingOf(t, tt.one), readingOf(t, tt.other); (one == other) != tt.same {
				t.Errorf("fingerprints %s and %s", one, other)
			}
		})
	}
}

// Goal: a new version with another default or a new key doesn't read everything
// again.
// Method: fingerprints that were made when this was written.
func TestReadingStays(t *testing.T) {
	for source, want := range map[string]string{
		`{name: gateway, format: litellm, url: file:data}`:                                       "031384a96ff19f15",
		`{name: gateway, format: otlp, url: file:data, side: provider}`:                          "3f17b681d935f3f7",
		`{name: gateway, format: litellm, url: file:data, fields: {agent_id: [metadata.agent]}}`: "df525611fc7a112b",
	} {
		if got := readingOf(t, source); got != want {
			t.Errorf("%s: %s, was %s", source, got, want)
		}
	}
}
