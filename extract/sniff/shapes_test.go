package sniff

import (
	"slices"
	"strings"
	"testing"
)

// shape is a log as others write it, and what its map must and must not say.
type shape struct {
	name, text string
	want       map[string]string // field to its places, with + between; "" for none
	missing    string
	usable     bool
	key        string
	only       string
	repeats    int
}

const proxied = `{"request":{"id":"00000000000000000000000000000001","uri":"/ai","headers":{"x-request-id":"own-1"}},"latencies":{"request":27},"response":{"status":200,"headers":{}},` +
	`"started_at":1793268060000,"consumer":{"id":"c-1","username":"team-a","custom_id":"user001@example.com"},"service":{"id":"s-1","name":"llm"},"route":{"id":"r-1"},` +
	`"ai":{"ai-proxy":{"usage":{"prompt_token":10,"completion_token":5,"cost":0.1},"meta":{"request_model":"gpt-4o","response_model":"gpt-4o-2024-08-06","provider_name":"openai","plugin_id":"p-1"}}}}
`

const told = `{"parentUuid":null,"sessionId":"s-1","type":"assistant","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","usage":{"input_tokens":4,` +
	`"cache_creation_input_tokens":10,"cache_read_input_tokens":20,"cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":7},"output_tokens":2}},"requestId":"req_1",` +
	`"uuid":"11110000-0000-4000-8000-000000000001","timestamp":"2026-10-29T10:00:01.000Z"}
{"sessionId":"s-1","type":"user","message":{"role":"user","content":"secret"},"uuid":"11110000-0000-4000-8000-000000000002","timestamp":"2026-10-29T10:00:02.000Z"}
{"sessionId":"s-1","type":"assistant","message":{"id":"msg_1","model":"claude-sonnet-4-5","usage":{"input_tokens":4,"cache_read_input_tokens":20,"output_tokens":9}},"requestId":"req_1",` +
	`"uuid":"11110000-0000-4000-8000-000000000003","timestamp":"2026-10-29T10:00:01.000Z"}
`

func shapes() []shape {
	return []shape{
		{name: "a proxy's log", text: proxied, usable: true, want: map[string]string{
			"agent_request_id": "/request/id", "provider_request_id": "", "client_ref": "", "response_id": "", "model": "/ai/ai-proxy/meta/response_model", "user_email": "/consumer/custom_id",
			"input_tokens": "/ai/ai-proxy/usage/prompt_token", "output_tokens": "/ai/ai-proxy/usage/completion_token", "agent_id": "", "status": "/response/status",
		}},
		{name: "a transcript", text: told, usable: true, missing: "provider, user_email or user_id", only: "/type assistant", repeats: 1, want: map[string]string{
			"agent_request_id": "/message/id", "response_id": "/message/id", "provider_request_id": "/requestId", "trace_id": "/sessionId",
			"cache_write_tokens": "/message/usage/cache_creation_input_tokens", "cache_write_1h_tokens": "/message/usage/cache_creation/ephemeral_1h_input_tokens",
		}},
		{name: "a gateway's rows with ids of its own", usable: true, want: map[string]string{
			"agent_request_id": "request_id", "response_id": "", "provider_request_id": "", "user_email": "request_user_id", "model": "response_model", "agent_id": "/request_properties/app",
			"started_at": "request_created_at",
		}, text: "response_id,request_id,request_created_at,request_user_id,request_properties,request_model,response_model,prompt_tokens,completion_tokens,provider\n" +
			`6b1f0000-0000-4000-8000-0000000000a1,6b1f0000-0000-4000-8000-0000000000b1,2026-10-29 10:00:00,user001@example.com,"{""app"":""search""}",gpt-4o,gpt-4o-2024-08-06,1,2,OPENAI` + "\n"},
		{name: "a gateway's rows by parts of an answer", usable: true, missing: "provider, user_email or user_id", only: "SequenceNumber 0", want: map[string]string{
			"agent_request_id": "CorrelationId", "started_at": "TimeGenerated", "model": "ModelName",
		}, text: "TimeGenerated,CorrelationId,ModelName,DeploymentName,PromptTokens,CompletionTokens,SequenceNumber\n" +
			"2026-10-29T10:00:00Z,a-1,gpt-4o,chat,100,20,0\n2026-10-29T10:00:00Z,a-1,gpt-4o,chat,,,1\n"},
		{name: "observations with cells of JSON", usable: true, missing: "provider", only: "type GENERATION", want: map[string]string{
			"agent_request_id": "id", "provider_request_id": "/metadata/request_id", "user_email": "/metadata/user", "input_tokens": "/usage/input", "output_tokens": "/usage/output",
		}, text: "id,traceId,type,startTime,model,usage,metadata,input\n" +
			`o1,t1,GENERATION,2026-10-29T10:00:00.000Z,gpt-4o,"{""input"":100,""output"":20}","{""user"":""user001@example.com"",""request_id"":""req_1""}","{""model"":""secret""}"` + "\n" +
			"o2,t1,SPAN,2026-10-29T10:00:00.000Z,,,,\n"},
		{name: "Gemini's counts", usable: true, missing: "provider", want: map[string]string{
			"agent_request_id": "/requestId", "model": "/modelVersion", "input_tokens": "/usageMetadata/promptTokenCount + /usageMetadata/toolUsePromptTokenCount",
			"output_tokens": "/usageMetadata/candidatesTokenCount + /usageMetadata/thoughtsTokenCount", "reasoning_tokens": "/usageMetadata/thoughtsTokenCount",
			"cache_read_tokens": "/usageMetadata/cachedContentTokenCount",
		}, text: `{"requestId":"g1","ts":"2026-10-29T10:00:00Z","user":"user001@example.com","modelVersion":"gemini-3-flash-preview","usageMetadata":{"promptTokenCount":200,"candidatesTokenCount":80}}`},
		{name: "Gemini's counts in snake case", usable: true, missing: "provider", want: map[string]string{
			"input_tokens": "/u/prompt_token_count + /u/tool_use_prompt_token_count", "output_tokens": "/u/candidates_token_count + /u/thoughts_token_count", "cache_read_tokens": "/u/cached_content_token_count",
		}, text: `{"id":"g1","ts":"2026-10-29T10:00:00Z","user":"user001@example.com","model":"gemini-3-flash","u":{"prompt_token_count":200,"candidates_token_count":80}}`},
		{name: "days without ids", usable: true, missing: "provider", key: "started_at user_email model", want: map[string]string{
			"agent_request_id": "", "input_tokens": "in", "output_tokens": "out",
		}, text: "day;email;model;in;out\n29.10.2026;user001@example.com;m;1;2\n29.10.2026;user002@example.com;m;1;2\n"},
		{name: "days that can't be told apart", missing: "agent_request_id, provider", want: map[string]string{"agent_request_id": ""},
			text: "day,email,model,in,out\n2026-10-29,user001@example.com,m,1,2\n2026-10-29,user001@example.com,m,1,2\n"},
		{name: "a diagnostic log without counts", missing: "provider, input_tokens, output_tokens, user_email or user_id", want: map[string]string{
			"agent_request_id": "/correlationId", "model": "/properties/modelName", "started_at": "/properties/requestTime",
		}, text: `{"Tenant":"eastus","category":"RequestResponse","correlationId":"c-1","properties":{"requestTime":639288576600000000,"modelName":"gpt-4o","modelVersion":"2024-08-06"}}`},
		{name: "credits of seats", missing: "provider, input_tokens, output_tokens", key: "started_at user_id model", want: map[string]string{"user_id": "username"},
			text: "date,username,product,sku,model,quantity,unit_type,net_amount\n2026-10-29,user001,seats,credit,Model A,120,credits,1.2\n"},
		{name: "credits without a model", missing: "agent_request_id, provider, model, input_tokens, output_tokens", want: map[string]string{"user_email": "email", "agent_request_id": "", "client_ref": ""},
			text: "date_partition,account_id,account_user_id,email,public_id,usage_type,usage_credits\n2026-10-29,a-1,a-1__u1,user001@example.com,user-1,text,100.5\n"},
		{name: "embeddings", usable: true, missing: "provider", want: map[string]string{"output_tokens": ""},
			text: `{"id":"e","ts":1793487580,"user":"user001","model":"text-embedding-3-small","usage":{"prompt_tokens":5}}`},
		{name: "an answer's id alone", usable: true, missing: "provider", want: map[string]string{"agent_request_id": "/response_id", "response_id": "/response_id"},
			text: `{"response_id":"resp_1","ts":1793487580,"user":"user001","llm_model":"m","usage":{"input_tokens":5,"output_tokens":5}}`},
		{name: "ids of everybody else", missing: "agent_request_id, started_at, provider, model, input_tokens, output_tokens", want: map[string]string{
			"agent_request_id": "", "client_ref": "", "provider_request_id": "", "response_id": "",
		}, text: `{"user":{"id":"u","uuid":"u"},"session":{"id":"s"},"gateway":{"id":"g"},"account":{"id":"a","custom_id":"c"},"customer":{"id":"c","reference":"r"},"plugin":{"id":"p"},"tenant":{"request_id":"t"}}`},
		{name: "truth values", usable: true, missing: "provider", want: map[string]string{"status": "/success", "cache_hit": "/cached", "input_tokens": "/tokens_in"},
			text: `{"id":"a","created_at":"2026-10-29T10:00:00Z","user":"u","model":"m","tokens_in":1,"tokens_out":2,"cached":false,"success":true}`},
	}
}

// Goal: of logs as gateways, platforms and vendors write them nobody's own id is
// taken for a record's, and what a charge needs and was not found is named.
func TestSuggestOfShapes(t *testing.T) {
	for _, tt := range shapes() {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Suggest(strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			for field, want := range tt.want {
				if got := strings.Join(s.Fields[field], " + "); got != want {
					t.Errorf("%s: got %q, want %q", field, got, want)
				}
			}
			missing, usable := s.Missing(false)
			if got := strings.Join(missing, ", "); got != tt.missing || usable != tt.usable {
				t.Errorf("missing %q, usable %v", got, usable)
			}
			only := ""
			for place, words := range s.Only {
				only = place + " " + strings.Join(words, " ")
			}
			if got := strings.Join(s.Key, " "); got != tt.key || only != tt.only || s.Repeats != tt.repeats {
				t.Errorf("key %q, only %q, %d repeats", got, only, s.Repeats)
			}
		})
	}
}

// Goal: the names that are told beside what is missing are those of fields, never
// what people wrote.
func TestOtherNames(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"objects", `{"id":"a","flavour":1,"usage":{"units":2},"arguments":{"what is my salary":1,"salary":2},"by":{"user001@example.com":{"n":1}}}`, "/flavour /usage/units"},
		{"JSON in what people wrote", `{"id":"a","prompt":"{\"salary\":1}","metadata":"{\"color\":1}"}`, "/prompt /metadata/color"},
		{"a table", "id,flavour,Units (k)\na,1,2\n", "Units (k) flavour"},
		{"a table without titles", "a,user001@example.com,my salary\nb,user002@example.com,your salary\n", ""},
		{"sentences", "id,what do you think of my salary\na,1\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Suggest(strings.NewReader(tt.text))
			if got := strings.Join(s.Others, " "); err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// Goal: a proxy's log with headers is not taken for a gateway's of a format.
func TestNameOfShapes(t *testing.T) {
	guess, err := Name(strings.NewReader(proxied))
	if err != nil || guess.Format != Mapped {
		t.Errorf("%+v, %v", guess, err)
	}
	if got := payee([]string{"claude-sonnet-4-5", "Claude-opus-5"}); got != "anthropic" {
		t.Errorf("payee %q", got)
	}
	if got := payee([]string{"claude-sonnet-4-5", "gpt-4o"}); got != "" || payee(nil) != "" || slices.Contains([]string{payee([]string{"own"})}, "own") {
		t.Errorf("payee %q of two", got)
	}
}
