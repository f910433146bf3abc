package decode

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the table, wherever it runs

	"chargeback/extract/decode/jsonscan"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// mappedJSON is a gateway's record of usage, with all as text and local times.
func mappedJSON(t testing.TB) MappedOptions {
	return MappedOptions{
		Side: AgentSide, Layout: LayoutJSON, TokenUnit: UnitTokens, CostUnit: UnitCents, TokensIn: Inclusive, Time: "M/d/yyyy h:mm:ss a", Zone: zone(t, "America/Chicago"),
		Constants: map[string]string{"provider": "azure"}, Success: []string{"200"}, CacheHit: []string{"HIT"},
		Fields: map[string][]string{
			"agent_request_id": {"/id"}, "response_id": {"/id"}, "started_at": {"/timestamp"}, "model": {"/model"}, "team": {"/productName"}, "trace_id": {"/sessionId"}, "end_user": {"/endUserId"},
			"user_email": {"/userEmail"}, "input_tokens": {"/promptTokens"}, "output_tokens": {"/responseTokens"}, "cache_read_tokens": {"/cachedTokens"}, "status": {"/status"},
			"reported_cost": {"/cost"}, "cache_hit": {"/cache"}, "tool_calls": {"/tools"},
		},
	}
}

// mappedTable is an export of a platform of one's own.
func mappedTable() MappedOptions {
	return MappedOptions{
		Side: AgentSide, Layout: LayoutCSV, TokenUnit: UnitTokens, CostUnit: UnitMicros, TokensIn: Inclusive, Time: "unix",
		Fields: map[string][]string{
			"agent_request_id": {"Request Id"}, "started_at": {"When"}, "model": {"Model"}, "user_id": {"User"}, "input_tokens": {"Prompt tokens"}, "output_tokens": {"Completion tokens"},
			"cache_read_tokens": {"Cached"}, "reported_cost": {"Cost (micros)"}, "tool_calls": {"Tools"},
		},
	}
}

// mappedProvider is a meter of one's own, in pages and thousands of tokens.
func mappedProvider(t testing.TB) MappedOptions {
	return MappedOptions{
		Side: ProviderSide, Layout: LayoutJSON, Records: "/data", TokenUnit: UnitThousands, CostUnit: UnitUSD, TokensIn: Exclusive, Time: "rfc3339", Zone: zone(t, "Europe/Berlin"),
		Constants: map[string]string{"provider": "own"},
		Fields: map[string][]string{
			"provider_request_id": {"/meta/id"}, "started_at": {"/meta/at"}, "model": {"/model"}, "input_tokens": {"/usage/in"}, "output_tokens": {"/usage/out"},
			"cache_read_tokens": {"/usage/cache_read"}, "cache_write_tokens": {"/usage/cache_write"}, "error_code": {"/error"}, "account": {"/a~1b/c~0d"}, "response_id": {"/answers/0/id"},
		},
	}
}

// Goal: times are read as they are written, and what clocks never showed is none.
func TestMappedTimes(t *testing.T) {
	tests := []struct{ name, format, zone, text, want string }{
		{"RFC 3339", "rfc3339", "UTC", "2026-10-31T23:59:40.5+01:00", "2026-10-31T22:59:40.5Z"},
		{"naive in a zone", "rfc3339", "Europe/Berlin", "2026-10-31T23:59:40", "2026-10-31T22:59:40Z"},
		{"naive in UTC", "rfc3339", "UTC", "2026-10-31 23:59:40.847371", "2026-10-31T23:59:40.847371Z"},
		{"float seconds", "unix", "UTC", "1793487580.847", "2026-10-31T22:59:40.847Z"},
		{"milliseconds", "unix_ms", "UTC", "1793487580847", "2026-10-31T22:59:40.847Z"},
		{"microseconds", "unix_us", "UTC", "1793487580847371", "2026-10-31T22:59:40.847371Z"},
		{"nanoseconds", "unix_ns", "UTC", "1793487580847371999", "2026-10-31T22:59:40.847371Z"},
		{".NET ticks", "ticks", "UTC", "639290843808473710", "2026-10-31T22:59:40.847371Z"},
		{"American", "M/d/yyyy h:mm:ss a", "America/New_York", "5/24/2026 2:45:56 PM", "2026-05-24T18:45:56Z"},
		{"seven digits", "yyyy-MM-ddTHH:mm:ss.SSSSSSSXXX", "UTC", "2026-05-27T14:46:04.4009773Z", "2026-05-27T14:46:04.400977Z"},
		{"slashes", "yyyy/MM/dd HH:mm:ss", "UTC", "2026/01/05 07:08:09", "2026-01-05T07:08:09Z"},
		{"quoted letters", "yyyy-MM-dd'T'HH:mm", "UTC", "2026-01-05T07:08", "2026-01-05T07:08:00Z"},
		{"the first of two hours in autumn", "rfc3339", "Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"},
		{"a skipped hour in spring", "rfc3339", "Europe/Berlin", "2026-03-29T02:30:00", "none"},
		{"another form", "unix", "UTC", "2026-10-31T23:59:40Z", "none"},
		{"the wrong unit", "unix", "UTC", "1793487580847", "none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := newClockReader(tt.format, zone(t, tt.zone))
			if err != nil {
				t.Fatal(err)
			}
			us, err := c.read(jsonscan.Value{Kind: jsonscan.String, Raw: []byte(tt.text)}, "started_at")
			got := time.UnixMicro(us).UTC().Format(time.RFC3339Nano)
			if err != nil {
				got = "none"
			}
			if got != tt.want {
				t.Errorf("got %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

// Goal: a map that can't work is refused with the key that is wrong.
func TestMappedRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(o *MappedOptions)
		want   string
	}{
		{"no side", func(o *MappedOptions) { o.Side = "" }, `side: "" is not a choice; use provider, agent`},
		{"no layout", func(o *MappedOptions) { o.Layout = "xml" }, `layout: "xml" is not a choice; use json, csv`},
		{"an unknown field", func(o *MappedOptions) { o.Fields["tokens"] = []string{"/t"} }, "fields.tokens: is no field of the agent's side"},
		{"the other side's field", func(o *MappedOptions) { o.Fields["caller"] = []string{"/c"} }, "fields.caller: is no field of the agent's side"},
		{"twice", func(o *MappedOptions) { o.Fields["provider"] = []string{"/p"} }, "constants.provider: stands under fields, too"},
		{"an empty place", func(o *MappedOptions) { o.Fields["team"] = []string{""} }, "fields.team: has an empty place"},
		{"no pointer", func(o *MappedOptions) { o.Fields["team"] = []string{"team"} }, `fields: "team" is not a JSON pointer`},
		{"a later element", func(o *MappedOptions) { o.Fields["team"] = []string{"/teams/1"} }, "names element 1 of a list"},
		{"no time", func(o *MappedOptions) { delete(o.Fields, "started_at") }, "fields.started_at: is missing"},
		{"no id", func(o *MappedOptions) { delete(o.Fields, "agent_request_id") }, "fields.agent_request_id: is missing"},
		{"a key that isn't mapped", func(o *MappedOptions) { o.Key = []string{"project"} }, "key: project is not mapped"},
		{"cache without semantics", func(o *MappedOptions) { o.TokensIn = "" }, "tokens_in: is missing; write inclusive"},
		{"both meanings", func(o *MappedOptions) { o.Failure = []string{"x"} }, "failure: stands beside success"},
		{"a meaning without status", func(o *MappedOptions) { delete(o.Fields, "status") }, "fields.status: is missing"},
		{"an unknown pattern", func(o *MappedOptions) { o.Time = "yyyy-QQ" }, `time: "yyyy-QQ" has the field QQ`},
		{"a pattern without a year", func(o *MappedOptions) { o.Time = "HH:mm" }, "has no year"},
		{"a unit", func(o *MappedOptions) { o.CostUnit = "euro" }, `cost_unit: "euro" is not a choice`},
		{"a delimiter of JSON", func(o *MappedOptions) { o.Delimiter = ";" }, "delimiter: is for CSV"},
		{"records of CSV", func(o *MappedOptions) { o.Layout, o.Records = LayoutCSV, "/data" }, "records: is for JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := mappedJSON(t)
			tt.change(&o)
			if _, err := NewMapped(o); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Goal: other delimiters part cells, and commas in them don't.
func TestMappedDelimiters(t *testing.T) {
	for delimiter, mark := range map[string]string{";": ";", "tab": "\t", ",": ","} {
		o := mappedTable()
		o.Delimiter = delimiter
		text := strings.ReplaceAll("Request Id|When|Model|User\nr-1|1793487580|\"a;b,c\td\"|u\n", "|", mark)
		l := load(berlin(t), must(NewMapped(o))(t), strings.NewReader(text))
		if len(l.rows) != 1 || l.rows[0]["model"] != "a;b,c\td" || l.rows[0]["user_id"] != "u" {
			t.Errorf("%s: %v, %v, %v", delimiter, l.rows, l.rejects, l.err)
		}
	}
}

// Goal: inclusive and exclusive counts give other tokens.
func TestMappedSemantics(t *testing.T) {
	for semantics, want := range map[string]string{Inclusive: "60", Exclusive: "100"} {
		o := mappedJSON(t)
		o.TokensIn = semantics
		l := load(berlin(t), must(NewMapped(o))(t), strings.NewReader(`{"id":"a","timestamp":"10/31/2026 5:59:40 PM","status":"200","promptTokens":100,"cachedTokens":40,"responseTokens":1}`))
		if len(l.rows) != 1 || l.rows[0]["input_uncached_tokens"] != want || l.rows[0]["cache_read_tokens"] != "40" {
			t.Errorf("%s: %v, %v", semantics, l.rows, l.rejects)
		}
	}
}
