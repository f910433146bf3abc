package sniff

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// one is a map whose fields stand at one place each.
func one(places map[string]string) map[string][]string {
	fields := map[string][]string{}
	for field, place := range places {
		fields[field] = []string{place}
	}
	return fields
}

// Goal: fields of records that no format knows are found by their names and the
// shape of their values; what people wrote is never part of what is suggested.
func TestSuggest(t *testing.T) {
	const day = `"2026-10-31T22:59:40Z"`
	tests := []struct {
		name, text string
		want       Suggestion
	}{
		{"lines", `{"id":"a","timestamp":` + day + `,"model":"m","usage":{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens":"3"},"user":"user001@example.com"}`, Suggestion{
			Fields: one(map[string]string{"agent_request_id": "/id", "started_at": "/timestamp", "model": "/model", "input_tokens": "/usage/prompt_tokens",
				"cache_read_tokens": "/usage/prompt_tokens_details/cached_tokens", "output_tokens": "/usage/completion_tokens", "user_email": "/user"}),
			Time: "rfc3339", TokensIn: "inclusive",
		}},
		{"the provider's id beside its own", `[{"id":"a","request_id":"r","ts":1793487580}]`, Suggestion{
			Fields: one(map[string]string{"agent_request_id": "/id", "provider_request_id": "/request_id", "started_at": "/ts"}), Time: "unix",
		}},
		{"no id but a request's", `{"request_id":"r","ts":1793487580123}`, Suggestion{Fields: one(map[string]string{"agent_request_id": "/request_id", "started_at": "/ts"}), Time: "unix_ms"}},
		{"a page", `{"page":1,"items":[{"id":"a","createdAt":"63888..."}]}`, Suggestion{Records: "/items", Fields: one(map[string]string{"agent_request_id": "/id", "started_at": "/createdAt"})}},
		{"a record with a list", `{"id":"a","created":1793487580,"messages":[{"id":"x"}]}`, Suggestion{Fields: one(map[string]string{"agent_request_id": "/id", "started_at": "/created"}), Time: "unix"}},
		{"an array that is longer than what is read", `[{"id":"a","ts":1793487580},{"id":"` + strings.Repeat("a", peekBytes), Suggestion{Fields: one(map[string]string{"agent_request_id": "/id", "started_at": "/ts"}), Time: "unix"}},
		{"cached tokens beside the input", `{"input_tokens":2,"cache_read_input_tokens":900}`, Suggestion{
			Fields: one(map[string]string{"input_tokens": "/input_tokens", "cache_read_tokens": "/cache_read_input_tokens"}), TokensIn: "exclusive",
		}},
		{"more cached than input", "prompt_tokens,cached_tokens\n5,1\n5,9\n", Suggestion{CSV: true, Fields: one(map[string]string{"input_tokens": "prompt_tokens", "cache_read_tokens": "cached_tokens"}), TokensIn: "exclusive"}},
		{"a bodied name", `{"what is my salary":{"id":"a"},"ts":1793487580}`, Suggestion{Fields: one(map[string]string{"started_at": "/ts"}), Time: "unix"}},
		{"words in place of counts", `{"prompt_tokens":"many","cost":"much"}`, Suggestion{Fields: one(map[string]string{})}},
		{"CSV", "\ufeffRequest Id;When;Cost (cents);Status;Tokens In\r\nr1;10/31/2026 3:59:40 PM;0.87;OK;5\r\nr2;1/5/2026 3:59:40 AM;;timeout;5\r\n", Suggestion{
			CSV: true, Delimiter: ";", Time: "M/d/yyyy h:mm:ss a", CostUnit: "cents", Success: []string{"OK"},
			Fields: one(map[string]string{"agent_request_id": "Request Id", "started_at": "When", "reported_cost": "Cost (cents)", "status": "Status", "input_tokens": "Tokens In"}),
		}},
		{"days first", "id\twhen\na\t31/10/2026 15:59:40\nb\t1/10/2026 15:59:40\n", Suggestion{CSV: true, Delimiter: "tab", Time: "d/M/yyyy H:mm:ss", Fields: one(map[string]string{"agent_request_id": "id", "started_at": "when"})}},
		{"status of unknown words", "id,when,status\na,2026-10-31 15:59:40,green\n", Suggestion{CSV: true, Time: "rfc3339", Fields: one(map[string]string{"agent_request_id": "id", "started_at": "when"})}},
		{"another form for the end", "id,started,ended\na,2026-10-31 15:59:40,1793487580\n", Suggestion{CSV: true, Time: "rfc3339", Fields: one(map[string]string{"agent_request_id": "id", "started_at": "started"})}},
		{"nothing", "", Suggestion{CSV: true, Fields: one(map[string]string{})}},
		{"broken", `{"id":`, Suggestion{Fields: one(map[string]string{})}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Suggest(strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreUnexported(Suggestion{}), cmpopts.IgnoreFields(Suggestion{}, "Looked", "Others", "Provider")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Goal: no text breaks the suggestion, and none of its places was written by a
// person but in a CSV file's header.
func FuzzSuggest(f *testing.F) {
	f.Add([]byte(`{"id":"a","ts":1,"usage":{"prompt_tokens":1e999999999}}`))
	f.Add([]byte("id;when\na;1\n"))
	f.Add([]byte(`[{"id":1},{"data":[{"id":1}]}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Suggest(strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		for field, places := range s.Fields {
			place := strings.Join(places, "")
			for key := range strings.SplitSeq(strings.TrimPrefix(place, "/"), "/") {
				if !s.CSV && !plainKey.MatchString(strings.NewReplacer("~0", "_", "~1", "_").Replace(key)) {
					t.Errorf("%s: %q", field, place)
				}
			}
		}
	})
}
