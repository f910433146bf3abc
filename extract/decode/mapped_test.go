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
		Fields: map[string][]Place{
			"agent_request_id": {{"/id"}}, "response_id": {{"/id"}}, "started_at": {{"/timestamp"}}, "model": {{"/model"}}, "team": {{"/productName"}}, "trace_id": {{"/sessionId"}}, "end_user": {{"/endUserId"}},
			"user_email": {{"/userEmail"}, {"/metadata/user"}}, "input_tokens": {{"/promptTokens"}, {"/usage/prompt", "/usage/tools"}},
			"output_tokens": {{"/responseTokens"}, {"/usage/answer", "/usage/thoughts"}}, "reasoning_tokens": {{"/usage/thoughts"}}, "cache_read_tokens": {{"/cachedTokens"}},
			"status": {{"/status"}}, "reported_cost": {{"/cost"}}, "cache_hit": {{"/cache"}}, "tool_calls": {{"/tools"}}, "ended_at": {{"/ended"}}, "error_code": {{"/metadata/error"}},
		},
		Except: map[string][]string{"/kind": {"tool"}}, Words: map[string]map[string]string{"model": {"GPT 4o mini": "gpt-4o-mini"}, "team": {"none of ours": ""}},
	}
}

// mappedTable is an export of a platform of one's own.
func mappedTable() MappedOptions {
	return MappedOptions{
		Side: AgentSide, Layout: LayoutCSV, TokenUnit: UnitTokens, CostUnit: UnitMicros, TokensIn: Inclusive, Time: "unix",
		Fields: map[string][]Place{
			"agent_request_id": {{"Request Id"}}, "started_at": {{"When"}}, "model": {{"Model"}}, "user_id": {{"User"}}, "input_tokens": {{"Prompt tokens"}}, "output_tokens": {{"Completion tokens"}},
			"cache_read_tokens": {{"Cached"}}, "reported_cost": {{"Cost (micros)"}}, "tool_calls": {{"Tools"}}, "agent_id": {{"/Notes/app"}},
		},
	}
}

// mappedProvider is a meter of one's own, in pages and thousands of tokens.
func mappedProvider(t testing.TB) MappedOptions {
	return MappedOptions{
		Side: ProviderSide, Layout: LayoutJSON, Records: "/data", TokenUnit: UnitThousands, CostUnit: UnitUSD, TokensIn: Exclusive, Time: "rfc3339", Zone: zone(t, "Europe/Berlin"),
		Constants: map[string]string{"provider": "own"},
		Fields: map[string][]Place{
			"provider_request_id": {{"/meta/id"}}, "started_at": {{"/meta/at"}}, "model": {{"/model"}}, "input_tokens": {{"/usage/in"}}, "output_tokens": {{"/usage/out"}},
			"cache_read_tokens": {{"/usage/cache_read"}}, "cache_write_tokens": {{"/usage/cache_write"}}, "error_code": {{"/error"}}, "account": {{"/a~1b/c~0d"}}, "response_id": {{"/answers/0/id"}},
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
		{"a day", "yyyy-MM-dd", "UTC", "2026-10-29", "2026-10-29T00:00:00Z"},
		{"a day of a zone", "dd.MM.yyyy", "Europe/Berlin", "29.10.2026", "2026-10-28T23:00:00Z"},
		{"an American day", "M/d/yyyy", "America/Chicago", "1/5/2026", "2026-01-05T06:00:00Z"},
		{"a day in digits", "yyyyMMdd", "UTC", "20261029", "2026-10-29T00:00:00Z"},
		{"a day that has no midnight", "yyyy-MM-dd", "Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"},
		{"a day with a time behind", "yyyy-MM-dd", "UTC", "2026-10-29T00:00:00", "none"},
		{"no such day", "yyyy-MM-dd", "UTC", "2026-02-30", "none"},
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
		{"an unknown field", func(o *MappedOptions) { o.Fields["tokens"] = []Place{{"/t"}} }, "fields.tokens: is no field of the agent's side"},
		{"the other side's field", func(o *MappedOptions) { o.Fields["caller"] = []Place{{"/c"}} }, "fields.caller: is no field of the agent's side"},
		{"twice", func(o *MappedOptions) { o.Fields["provider"] = []Place{{"/p"}} }, "constants.provider: stands under fields, too"},
		{"an empty place", func(o *MappedOptions) { o.Fields["team"] = []Place{{""}} }, "fields.team: has an empty place"},
		{"no pointer", func(o *MappedOptions) { o.Fields["team"] = []Place{{"team"}} }, `fields.team: "team" is not a JSON pointer`},
		{"a later element", func(o *MappedOptions) { o.Fields["team"] = []Place{{"/teams/1"}} }, "names element 1 of a list"},
		{"no time", func(o *MappedOptions) { delete(o.Fields, "started_at") }, "fields.started_at: is missing"},
		{"no id", func(o *MappedOptions) { delete(o.Fields, "agent_request_id") }, "fields.agent_request_id: is missing"},
		{"a key that isn't mapped", func(o *MappedOptions) { o.Key = []string{"project"} }, "key[0]: project is not mapped"},
		{"cache without semantics", func(o *MappedOptions) { o.TokensIn = "" }, "tokens_in: is missing; write inclusive"},
		{"both meanings", func(o *MappedOptions) { o.Failure = []string{"x"} }, "failure: cannot be combined with success"},
		{"a meaning without status", func(o *MappedOptions) { delete(o.Fields, "status") }, "fields.status: is missing"},
		{"an unknown pattern", func(o *MappedOptions) { o.Time = "yyyy-QQ" }, `time: "yyyy-QQ" has the field QQ`},
		{"a pattern without a year", func(o *MappedOptions) { o.Time = "HH:mm" }, "has no year, month or day"},
		{"a pattern without a day", func(o *MappedOptions) { o.Time = "yyyy-MM" }, "has no year, month or day"},
		{"a pattern with half a time", func(o *MappedOptions) { o.Time = "yyyy-MM-dd HH" }, "has a time of day without hours or minutes"},
		{"a sum of names", func(o *MappedOptions) { o.Fields["team"] = []Place{{"/a", "/b"}} }, "fields.team: is no number, so places can't add up to it"},
		{"a sum of nothing", func(o *MappedOptions) { o.Fields["output_tokens"] = []Place{{}} }, "fields.output_tokens: has an empty place"},
		{"a place twice in a sum", func(o *MappedOptions) { o.Fields["output_tokens"] = []Place{{"/a", "/a"}} }, `fields.output_tokens: adds "/a" up twice`},
		{"a filter without words", func(o *MappedOptions) { o.Only = map[string][]string{"/kind": nil} }, "only./kind: has no words"},
		{"a filter of no place", func(o *MappedOptions) { o.Except = map[string][]string{"kind": {"llm"}} }, `except: "kind" is not a JSON pointer`},
		{"words of an unknown field", func(o *MappedOptions) { o.Words["kind"] = nil }, "words.kind: is no field of the agent's side"},
		{"words of a count", func(o *MappedOptions) { o.Words["input_tokens"] = nil }, "words.input_tokens: is no field of words"},
		{"words of a field that isn't mapped", func(o *MappedOptions) { o.Words["project"] = nil }, "words.project: is not mapped"},
		{"words twice", func(o *MappedOptions) { o.Words["model"] = map[string]string{"A": "b", "a": "c"} }, `words.model: lists "a" twice, since case does not count`},
		{"reasoning nowhere", func(o *MappedOptions) { o.ReasoningIn = "outside" }, `reasoning_in: "outside" is not one of output, besides`},
		{"reasoning without a place", func(o *MappedOptions) { o.ReasoningIn = InOutput; delete(o.Fields, "reasoning_tokens") }, "reasoning_in: is set, although fields.reasoning_tokens is missing"},
		{"reasoning twice", func(o *MappedOptions) { o.ReasoningIn = BesidesOutput }, "reasoning_in: besides would count reasoning twice"},
		{"a key twice", func(o *MappedOptions) { o.Key = []string{"started_at", "started_at"} }, "key[1]: started_at is listed twice"},
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

// mappedDays are a platform's sums by day, without ids.
func mappedDays(zone *time.Location) MappedOptions {
	return MappedOptions{
		Side: AgentSide, Layout: LayoutCSV, TokenUnit: UnitTokens, CostUnit: UnitUSD, Time: "yyyy-MM-dd", Zone: zone, Key: []string{"started_at", "user_email", "model"},
		Constants: map[string]string{"provider": "openai"},
		Fields: map[string][]Place{
			"started_at": {{"day"}}, "user_email": {{"email"}}, "model": {{"model"}}, "input_tokens": {{"in"}}, "output_tokens": {{"out"}},
		},
	}
}

// Goal: a row of a day counts on that day, whatever the zones of the map and of
// billing are, and is named by its key: once where it comes twice, and without an
// owner where it has none.
func TestMappedDays(t *testing.T) {
	const text = "day,email,model,in,out\n2026-11-01,Ana@example.com,gpt-4o,10,2\n2026-11-01,,gpt-4o,3,1\n2026-11-01,Ana@example.com,gpt-4o,10,2\n,bo@example.com,gpt-4o,3,1\n"
	for _, name := range []string{"UTC", "Asia/Tokyo", "America/Los_Angeles"} {
		t.Run(name, func(t *testing.T) {
			l := load(berlin(t), must(NewMapped(mappedDays(zone(t, name))))(t), strings.NewReader(text))
			if len(l.rows) != 3 || len(l.rejects) != 1 || l.rejects[0].Reason != "started_at: is missing" {
				t.Fatalf("%d rows, %v, %v", len(l.rows), l.rejects, l.err)
			}
			for _, row := range l.rows {
				if row["request_date"] != "2026-11-01" {
					t.Errorf("a row of %s", row["request_date"])
				}
			}
			first, nobody, again := l.rows[0], l.rows[1], l.rows[2]
			if first["agent_request_id"] != "2026-11-01/Ana@example.com/gpt-4o" || first["user_id"] != "ana@example.com" || nobody["agent_request_id"] != "2026-11-01//gpt-4o" {
				t.Errorf("ids %s and %s, user %s", first["agent_request_id"], nobody["agent_request_id"], first["user_id"])
			}
			if first["record_key"] != again["record_key"] || first["record_key"] == nobody["record_key"] {
				t.Error("the keys don't tell the rows apart")
			}
		})
	}
}

// Goal: what names a record is all of it: parts of a key don't run into each
// other, and of a sum all places count.
func TestMappedKeys(t *testing.T) {
	o := mappedDays(time.UTC)
	o.Key = []string{"user_email", "model", "input_tokens"}
	o.Fields["input_tokens"] = []Place{{"in", "more"}}
	const text = "day,email,model,in,out,more\n2026-11-01,a,bc,1,2,3\n2026-11-01,ab,c,1,2,3\n2026-11-01,a,bc,1,2,4\n2026-11-01,a,bc,1,2,3\n2026-11-01,,,,2,\n"
	l := load(berlin(t), must(NewMapped(o))(t), strings.NewReader(text))
	keys := map[string]bool{}
	for _, row := range l.rows {
		keys[row["record_key"]] = true
	}
	if len(l.rows) != 4 || len(keys) != 3 || len(l.rejects) != 1 || l.rejects[0].Reason != "key: none of its fields is there" {
		t.Errorf("%d rows with %d keys, %v", len(l.rows), len(keys), l.rejects)
	}
}

// Goal: reasoning counts once, inside of output or besides it, as the map or the
// total says.
func TestMappedReasoning(t *testing.T) {
	tests := []struct {
		name, in, counts string
		output, reason   string
	}{
		{"inside by default", "", `"out":800,"thoughts":300`, "800", ""},
		{"besides by the map", BesidesOutput, `"out":800,"thoughts":300`, "1100", ""},
		{"besides by the total", "", `"out":800,"thoughts":300,"total":1300`, "1100", ""},
		{"inside by the total", "", `"out":800,"thoughts":300,"total":1000`, "800", ""},
		{"the map goes before the total", InOutput, `"out":800,"thoughts":300,"total":1300`, "800", ""},
		{"a total of no use", "", `"out":800,"thoughts":300,"total":"many"`, "800", ""},
		{"more than output", "", `"out":100,"thoughts":300`, "", "reasoning_tokens: is larger than output_tokens, so it is no part of it; set reasoning_in: besides where it never is"},
		{"more than output, and besides it", "", `"out":100,"thoughts":300,"total":600`, "400", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := mappedJSON(t)
			o.ReasoningIn = tt.in
			o.Fields["output_tokens"], o.Fields["reasoning_tokens"], o.Fields["total_tokens"] = []Place{{"/out"}}, []Place{{"/thoughts"}}, []Place{{"/total"}}
			l := load(berlin(t), must(NewMapped(o))(t), strings.NewReader(`{"id":"a","timestamp":"10/31/2026 5:59:40 PM","status":"200","promptTokens":200,`+tt.counts+`}`))
			switch {
			case tt.reason != "":
				if len(l.rejects) != 1 || l.rejects[0].Reason != tt.reason {
					t.Errorf("%v", l.rejects)
				}
			case len(l.rows) != 1 || l.rows[0]["output_tokens"] != tt.output || l.rows[0]["reasoning_tokens"] != "300" || l.rows[0]["input_uncached_tokens"] != "200":
				t.Errorf("%v, %v", l.rows, l.rejects)
			}
		})
	}
}

// Goal: a count that isn't told is missing, but where there can be none.
func TestMappedCompleteness(t *testing.T) {
	tests := []struct{ name, counts, want string }{
		{"both", `"model":"m","promptTokens":5,"out":2`, "2"},
		{"both, and nothing", `"model":"m","promptTokens":0,"out":0`, "2"},
		{"no output", `"model":"m","promptTokens":5`, "1"},
		{"no input", `"model":"m","out":5`, "1"},
		{"neither", `"model":"text-embedding-3-small"`, "1"},
		{"an embedding by its model", `"model":"Cohere.Embed-v4","promptTokens":5`, "2"},
		{"an embedding by its operation", `"model":"m","op":"Embeddings","promptTokens":5`, "2"},
		{"a ranking", `"model":"rerank-v3.5","promptTokens":5`, "2"},
		{"no output by the total", `"model":"m","promptTokens":5,"total":5`, "2"},
		{"some output by the total", `"model":"m","promptTokens":5,"total":6`, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := mappedJSON(t)
			o.Fields["output_tokens"], o.Fields["total_tokens"], o.Fields["operation"] = []Place{{"/out"}}, []Place{{"/total"}}, []Place{{"/op"}}
			l := load(berlin(t), must(NewMapped(o))(t), strings.NewReader(`{"id":"a","timestamp":"10/31/2026 5:59:40 PM","status":"200",`+tt.counts+`}`))
			if len(l.rows) != 1 || l.rows[0]["completeness"] != tt.want {
				t.Errorf("%v, %v; want %s", l.rows, l.rejects, tt.want)
			}
		})
	}
}

// Goal: a provider is known by its name in any case and by the words of others,
// and a word of the settings stays as it is.
func TestMappedProviders(t *testing.T) {
	tests := []struct{ name, field, model, want string }{
		{"as it is", `"openai"`, "m", "openai"},
		{"in capitals", `"OPENAI"`, "m", "openai"},
		{"another's word", `"AWS.Bedrock"`, "m", "bedrock"},
		{"as people write it", `"Azure OpenAI"`, "m", "azure"},
		{"one of its own", `"Ours"`, "m", "OurCluster"},
		{"of the model", `null`, "OpenAI/gpt-4o", "openai"},
		{"none", `null`, "m", "unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := mappedJSON(t)
			delete(o.Constants, "provider")
			o.Fields["provider"], o.Words["provider"] = []Place{{"/p"}}, map[string]string{"ours": "OurCluster"}
			l := load(berlin(t), must(NewMapped(o))(t), strings.NewReader(`{"id":"a","timestamp":"10/31/2026 5:59:40 PM","p":`+tt.field+`,"model":"`+tt.model+`"}`))
			if len(l.rows) != 1 || l.rows[0]["provider"] != tt.want {
				t.Errorf("%v, %v", l.rows, l.rejects)
			}
		})
	}
}

// Goal: records are left out by their words alone, which may be truth values, and
// a table that lacks the column is no table of theirs.
func TestMappedFilters(t *testing.T) {
	o := mappedJSON(t)
	o.Only, o.Except = map[string][]string{"/kind": {"llm"}, "/tags/billed": {"true"}}, map[string][]string{"/env": {"test", "7"}}
	l := load(berlin(t), must(NewMapped(o))(t), strings.NewReader(`{"id":"a","timestamp":"10/31/2026 5:59:40 PM","kind":"LLM","tags":{"billed":true}}
{"id":"b","kind":"llm","tags":{"billed":false}}
{"id":"c","kind":"llm"}
{"id":"d","kind":["llm"],"tags":{"billed":true}}
{"id":"e","timestamp":"10/31/2026 5:59:40 PM","kind":"llm","tags":"{\"billed\":true}"}
{"id":"f","kind":"llm","tags":{"billed":true},"env":7}
`))
	if len(l.rows) != 2 || l.counts.Ignored != 4 || len(l.rejects) != 0 {
		t.Errorf("%d rows, %d left out, %v", len(l.rows), l.counts.Ignored, l.rejects)
	}
	days := mappedDays(time.UTC)
	days.Only = map[string][]string{"kind": {"llm"}}
	l = load(berlin(t), must(NewMapped(days))(t), strings.NewReader("day,email,model,in,out\n2026-11-01,a,m,1,2\n"))
	if l.err == nil || !strings.Contains(l.err.Error(), "no column is kind; correct only and except") {
		t.Errorf("%v", l.err)
	}
}

// Goal: where a column has the whole name of a place, it is the place.
func TestMappedColumns(t *testing.T) {
	o := mappedDays(time.UTC)
	o.Fields["input_tokens"], o.Fields["output_tokens"], o.Fields["team"] = []Place{{"Tokens/in"}}, []Place{{"/Usage/out"}}, []Place{{"/Usage/by/team"}}
	l := load(berlin(t), must(NewMapped(o))(t), strings.NewReader(`day,email,model,Tokens,tokens/IN,usage
2026-11-01,a,m,"{""in"":1}",7,"{""out"":3,""by"":{""team"":""t""}}"
`))
	if len(l.rows) != 1 || l.rows[0]["input_uncached_tokens"] != "7" || l.rows[0]["output_tokens"] != "3" || l.rows[0]["team"] != "t" {
		t.Errorf("%v, %v, %v", l.rows, l.rejects, l.err)
	}
}

// Goal: what only informs never costs a record its charge.
func TestMappedNotes(t *testing.T) {
	long := strings.Repeat("x", 5000)
	l := load(berlin(t), must(NewMapped(mappedJSON(t)))(t), strings.NewReader(`{"id":"a","timestamp":"10/31/2026 5:59:40 PM","status":true,"promptTokens":1,"responseTokens":1,"ended":[1],"cost":{"usd":1},"tools":{"a":-1},"sessionId":"`+
		long+`","endUserId":"`+long+`","metadata":{"error":"`+long+`"}}`))
	if len(l.rows) != 1 || l.rows[0]["error_code"] != null || l.rows[0]["reported_pico_usd"] != null || l.rows[0]["ended_at"] != null || l.rows[0]["tools"] != null {
		t.Errorf("%v, %v", l.rows, l.rejects)
	}
}
