package sniff

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Goal: each format is named by the content of its own records, in every layout,
// and what is none of them says what it is.
func TestName(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", Unknown},
		{"blanks", " \n\n", Unknown},
		{"prose", "Dear all, the invoice is late.", Unknown},
		{"a batch job's manifest", "{'totalRecordCount': 2400, 'successRecordCount': 2400}", Unknown},
		{"a cut record", `{"schemaType":"Mod`, Unknown},
		{"other JSON", `{"promptTokens":"15000","id":"chatcmpl-1"}`, Mapped},
		{"other CSV", "when;who;tokens\n1;2;3\n", Mapped},
		{"a check and an envelope of CloudWatch", `{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"CWL CONTROL MESSAGE"}]}{"messageType":"DATA_MESSAGE","logEvents":[{"message":"{\"accountId\":\"1\",\"schemaType\":\"ModelInvocationLog\"}"}]}`, "bedrock"},
		{"an envelope of another log", `{"messageType":"DATA_MESSAGE","logEvents":[{"message":"START RequestId"}]}`, Mapped},
		{"CloudWatch's export", "2026-10-31T22:58:00.001Z Permissions are correctly set\n2026-10-31T22:59:42.120Z {\"schemaType\":\"ModelInvocationLog\"}\n", "bedrock"},
		{"an export of text", "2026-10-31T22:58:00.001Z started\n2026-10-31T22:59:42.120Z stopped\n", Unknown},
		{"events of CloudWatch's API", `{"events":[{"message":"{\"schemaType\":\"ModelInvocationLog\"}"}]}`, "bedrock"},
		{"rows of Logs Insights", `[{"@timestamp":"2026-10-31","@message":{"schemaType":"ModelInvocationLog"}}]`, "bedrock"},
		{"messages", `{"message":"{\"schemaType\":\"ModelInvocationLog\"}"}`, "bedrock"},
		{"behind a broken line", "{\"x\n{\"schemaType\":\"ModelInvocationLog\"}\n", "bedrock"},
		{"with a byte order mark", "\ufeff{\"resourceLogs\":[]}", "otlp"},
		{"pretty", "{\n  \"resourceSpans\": [\n  ]\n}\n", "otlp"},
		{"an array", `[{"custom_id":"a","result":{"type":"succeeded"}}]`, "anthropic-batch"},
		{"OpenAI usage buckets as lines", `{"object":"bucket","results":[{"object":"organization.usage.completions.result"}]}`, "openai-usage"},
		{"OpenAI costs page", `{"object":"page","data":[{"object":"bucket","results":[{"object":"organization.costs.result"}]}]}`, "openai-costs"},
		{"Anthropic usage page", `{"data":[{"starting_at":"x","results":[{"uncached_input_tokens":1}]}]}`, "anthropic-usage"},
		{"Anthropic costs, a result", `{"amount":"1.5","cost_type":"tokens"}`, "anthropic-costs"},
		{"Workday", `{"Report_Entry":[{"Email":"user001@example.com"}]}`, "workday"},
		{"people", "\ufeffemail,department,cost_center,valid_from,valid_to\r\n", "people"},
		{"Entra CSV", "userPrincipalName,displayName,department\n", "entra"},
		{"Google CSV", "First Name [Required],Email Address [Required],Org Unit Path [Required],Department\n", "google"},
		{"CUR CSV", `"bill_payer_account_id","line_item_usage_type"` + "\n", "aws-cur"},
		{"FOCUS CSV", "BilledCost,ChargePeriodStart\n", "focus"},
		{"OpenAI cost CSV", "\ufeffstart_time,end_time,start_time_iso,end_time_iso,amount_value\n", "openai-costs"},
		{"Anthropic console CSV", "usage_date_utc,model,workspace,api_key,usage_type,cost_usd\n", "anthropic-costs"},
		{"Parquet of a bill", "PAR1....line_item_usage_type....PAR1", "aws-cur"},
		{"other Parquet", "PAR1....PAR1", Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Name(strings.NewReader(tt.text))
			if err != nil || got.Format != tt.want || got.Why == "" {
				t.Errorf("got %+v, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// Goal: what the formats' own fixtures hold is named as that format.
func TestNamesOfFixtures(t *testing.T) {
	for folder, format := range map[string]string{
		"vertex": "vertex", "gemini": "gemini",
		"bedrock": "bedrock", "bedrock-batch": "bedrock-batch", "openai-batch": "openai-batch", "anthropic-batch": "anthropic-batch", "otlp": "otlp", "otlp-provider": "otlp",
		"litellm": "litellm", "portkey": "portkey", "openrouter": "openrouter", "langfuse": "langfuse", "people": "people", "openai_usage": "openai-usage", "openai_costs": "openai-costs",
		"anthropic_usage": "anthropic-usage", "anthropic_costs": "anthropic-costs", "aws_cur": "aws-cur", "focus": "focus",
		"scim": "scim", "entra": "entra", "okta": "okta", "workday": "workday", "google": "google", "mapped-csv": Mapped, "mapped-json": Mapped, "mapped-provider": Mapped,
	} {
		names, err := filepath.Glob(filepath.Join("..", "decode", "testdata", folder, "*.[jc]s*"))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d fixtures, %v", folder, len(names), err)
		}
		named := 0
		for _, name := range names {
			file, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			if guess, err := Name(file); err == nil && guess.Format == format {
				named++
			} else {
				t.Logf("%s: %+v, %v", name, guess, err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if 10*named < 6*len(names) {
			t.Errorf("%s: %d of %d fixtures named", folder, named, len(names))
		}
	}
}
