package decode

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// canary stands for content: prompts, answers, cookies, secrets.
const canary = "canary7f3d"

// planted are objects in which every place that nobody asked for holds the
// canary, and broken ones in which it stands where something else is expected.
func planted() map[string][]string {
	return map[string][]string{
		"bedrock": {
			`{"schemaType":"ModelInvocationLog","canary7f3d":"canary7f3d","timestamp":"2026-10-31T23:59:40Z","accountId":"111122223333","identity":{"arn":"arn:aws:iam::111122223333:user/batch","sessionName":"canary7f3d"},"requestId":"r1","modelId":"m","requestMetadata":{"prompt":"canary7f3d","cost_center":"00420"},"input":{"inputContentType":"canary7f3d","inputBodyJson":{"messages":[{"role":"user","content":"canary7f3d"}],"id":"canary7f3d"},"inputTokenCount":1,"inputBodyS3Path":"s3://canary7f3d"},"output":{"outputBodyJson":{"id":"msg_1","content":[{"text":"canary7f3d"}],"message":{"id":"canary7f3d"}},"outputTokenCount":2}}`,
			`{"schemaType":"ModelInvocationLog","timestamp":"2026-10-31T23:59:40Z","requestId":"r2","modelId":"m","input":{"inputTokenCount":1},"output":{"outputBodyJson":[{"message":{"id":"msg_2","content":"canary7f3d"}},{"message":{"id":"canary7f3d"}},"canary7f3d"],"outputTokenCount":2}}`,
			`{"schemaType":"canary7f3d"}`,
			`{"schemaType":"ModelInvocationLog","requestId":"r3","modelId":"m","timestamp":"canary7f3d"}`,
			`{"schemaType":"ModelInvocationLog","requestId":"r3","modelId":"m","timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":"canary7f3d"}}`,
			`{"schemaType":"ModelInvocationLog","requestId":"r3","modelId":"m","timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":1},"output":{"outputTokenCount":canary7f3d}}`,
			`{"schemaType":"ModelInvocationLog","requestId":"canary7f3d` + "\xff" + `","modelId":"m","timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":1}}`,
			`{"schemaType":"ModelInvocationLog","requestId":"` + strings.Repeat("canary7f3d", 500) + `","modelId":"m","timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":1}}`,
			`{"schemaType":"ModelInvocationLog","requestId":"canary7f3d\q"}`,
			`{"canary7f3d`,
			`canary7f3d`,
		},
		"litellm": {
			`{"id":"chatcmpl-1","litellm_call_id":"c1","status":"success","custom_llm_provider":"openai","model":"gpt-4o","startTime":1793487580.8,"prompt_tokens":1,"completion_tokens":1,"messages":[{"role":"user","content":"canary7f3d"}],"response":{"id":"canary7f3d","choices":[{"message":{"content":"canary7f3d"}}],"usage":{"canary7f3d":1}},"request_tags":["canary7f3d"],"error_str":"canary7f3d","error_information":{"error_message":"canary7f3d","traceback":"canary7f3d"},"hidden_params":{"additional_headers":{"llm_provider-set-cookie":"canary7f3d","authorization":"canary7f3d","x-request-id":"req_1"},"cache_key":"canary7f3d"},"metadata":{"requester_custom_headers":{"cookie":"canary7f3d"},"requester_ip_address":"canary7f3d","spend_logs_metadata":{"prompt":"canary7f3d"},"requester_metadata":{"prompt":"canary7f3d"}},"model_parameters":{"tools":[{"function":{"name":"canary7f3d"}}]}}`,
			`{"id":"chatcmpl-2","status":"canary7f3d","startTime":1793487580.8}`,
			`{"id":"chatcmpl-2","status":"success","startTime":"canary7f3d"}`,
			`{"id":"chatcmpl-2","status":"success","startTime":1793487580.8,"response_cost":"canary7f3d"}`,
			`{"id":"chatcmpl-2","status":"success","startTime":1793487580.8,"prompt_tokens":"canary7f3d"}`,
			`{"id":"chatcmpl-2","status":"success","startTime":1793487580.8,"metadata":{"spend_logs_metadata":{"tool_calls":["canary7f3d,x"]}}}`,
			`{"id":"chatcmpl-2","status":"success","startTime":1793487580.8,"metadata":{"spend_logs_metadata":{"tool_calls":[{"name":"canary7f3d"}]}}}`,
			`{"id":"chatcmpl-2","status":"success","startTime":1793487580.8,"metadata":{"spend_logs_metadata":{"tool_calls":{"canary7f3d":"x"}}}}`,
			`{"id":"chatcmpl-2","status":"success","startTime":1793487580.8,"metadata":{"spend_logs_metadata":{"tool_calls":"canary7f3d"}}}`,
			`{"id":"chatcmpl-2","status":"success","startTime":1793487580.8,"end_user":"canary7f3d` + "\xff" + `"}`,
		},
		"people": {
			"email,department,cost_center,valid_from,valid_to,note\nuser001@example.com,Support,00420,2026-01-01,,canary7f3d\nuser002@example.com,Support,00420,canary7f3d,\nuser003@example.com,\"canary7f3d,00420,2026-01-01,\nuser004@example.com,canary7f3d,x,y,z,canary7f3d,canary7f3d\nuser005@example.com,canary7f3d\xff,00420,2026-01-01,\n",
			"canary7f3d,b,c\n",
			"\"canary7f3d,b,c\n",
		},
		"scim": {
			`{"canary7f3d":"canary7f3d","Resources":[{"userName":"user001@example.com","displayName":"canary7f3d","name":{"formatted":"canary7f3d"},"emails":[{"value":"user001@example.com","display":"canary7f3d"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"00420","manager":{"displayName":"canary7f3d"}}}],"canary7f3d":["canary7f3d"]}`,
			`{"userName":"user002@example.com","active":"canary7f3d","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"00420"}}`,
			`{"Resources":[{"userName":"canary7f3d","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"canary7f3d` + "\xff" + `"}}]}`,
			`{"Resources":[{"userName":"canary7f3d`,
			`canary7f3d`,
		},
		"entra": {
			"userPrincipalName,displayName,mail,department,accountEnabled\nuser001@example.com,canary7f3d,,Support,True\n\"user002@example.com\"canary7f3d,x,,Support,True\nuser003@example.com,\"canary7f3d\",,Support\xff,True\nuser004@example.com,,,Support,True,canary7f3d\n",
			"canary7f3d\xff,b\n",
			"userPrincipalName,department\n\"canary7f3d,b\n",
			`{"value":[{"mail":"user001@example.com","displayName":"canary7f3d","department":"Support","employeeOrgData":{"division":"canary7f3d"}}]}`,
		},
		"okta": {
			`[{"id":"canary7f3d","credentials":{"password":"canary7f3d"},"profile":{"email":"user001@example.com","department":"Support","mobilePhone":"canary7f3d"}},{"profile":canary7f3d}]`,
			"login,department,note\nuser001@example.com,Support,canary7f3d\n",
		},
		"workday": {
			`{"Report_Entry":[{"Work_Email":"user001@example.com","Cost_Center_ID":"00420","Salary":"canary7f3d"},{"Work_Email":"user002@example.com","Cost_Center_ID":"00420","Termination_Date":"canary7f3d"},{"Work_Email":"user003@example.com","Cost_Center_ID":"00420","Effective_Date":"canary7f3d"}]}`,
			"workEmail,costCenterID,Salary\nuser001@example.com,00420,canary7f3d\n",
		},
		"google": {
			"Email Address [Required],Password [Required],Department\nuser001@example.com,canary7f3d,Support\n",
			`{"users":[{"primaryEmail":"user001@example.com","recoveryEmail":"canary7f3d","organizations":[{"department":"Support","description":"canary7f3d"}]}]}`,
		},
	}
}

// Goal: content reaches nothing that is kept or printed.
// Method: every row, reject and error of objects full of canaries is searched.
func TestContentReachesNothing(t *testing.T) {
	all := planted()
	for folder, format := range formats(t) {
		t.Run(folder, func(t *testing.T) {
			texts, rows := all[folder], 0
			for i, text := range append(texts, strings.Join(texts, "\n")) {
				if !strings.Contains(text, canary) {
					t.Fatalf("object %d holds no canary", i)
				}
				l := load(berlin(t), format, strings.NewReader(text))
				rows += len(l.rows)
				for _, row := range l.rows {
					if told := fmt.Sprint(row); strings.Contains(told, canary) {
						t.Errorf("object %d: a row holds content: %s", i, told)
					}
				}
				if told := fmt.Sprint(l.rejects, l.err); strings.Contains(told, canary) {
					t.Errorf("object %d: a message quotes content: %s", i, told)
				}
			}
			if rows == 0 {
				t.Error("no object gave a row, so the test shows nothing")
			}
		})
	}
}

// Goal: a text that is longer than any id or name is refused by field, at its
// first byte too many.
func TestLongTextsAreRefused(t *testing.T) {
	fits, long := strings.Repeat("x", 4096), strings.Repeat("x", 4097)
	tests := []struct {
		name   string
		format Format
		text   func(string) string
		want   string
	}{
		{"bedrock row", bedrock(t), func(s string) string {
			return `{"schemaType":"ModelInvocationLog","requestId":"` + s + `","modelId":"m","timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":1}}`
		}, "provider_request_id: is longer than 4096 bytes"},
		{"bedrock dimension", bedrock(t), func(s string) string {
			return `{"schemaType":"ModelInvocationLog","requestId":"r","modelId":"m","requestMetadata":{"cost_center":"` + s + `"},"timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":1}}`
		}, "cost_center: is longer than 4096 bytes"},
		{"litellm row", litellm(t), func(s string) string {
			return `{"id":"c","status":"success","startTime":1793487580.8,"end_user":"` + s + `"}`
		}, "end_user: is longer than 4096 bytes"},
		{"people", People{}, func(s string) string {
			return "email,department,cost_center,valid_from,valid_to\nuser001@example.com," + s + ",00420,2026-01-01,\n"
		}, "department: is longer than 4096 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if l := load(berlin(t), tt.format, strings.NewReader(tt.text(fits))); len(l.rows) != 1 || l.err != nil {
				t.Errorf("4096 bytes: %v, %v", l.rejects, l.err)
			}
			l := load(berlin(t), tt.format, strings.NewReader(tt.text(long)))
			if len(l.rows) != 0 || len(l.rejects) != 1 || l.rejects[0].Reason != tt.want {
				t.Errorf("4097 bytes: %d rows, %v, %v", len(l.rows), l.rejects, l.err)
			}
		})
	}
}

// Goal: a broken stream fails the object, not one record of it.
func TestStreamErrorsFailTheObject(t *testing.T) {
	for folder, format := range formats(t) {
		t.Run(folder, func(t *testing.T) {
			l := load(berlin(t), format, io.MultiReader(strings.NewReader("email,department,cost_center,valid_from,valid_to\n{"), failing{}))
			if l.err == nil || !strings.Contains(l.err.Error(), "line ") || !strings.Contains(l.err.Error(), errGone.Error()) {
				t.Errorf("got %v", l.err)
			}
		})
	}
}

var errGone = fmt.Errorf("the disk is gone")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errGone }
