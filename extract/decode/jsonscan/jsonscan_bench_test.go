package jsonscan

import "testing"

func BenchmarkScan(b *testing.B) {
	spec, err := Compile([]Path{ParsePath("id"), ParsePath("litellm_call_id"), ParsePath("metadata.user_api_key_user_email"), ParsePath("hidden_params.additional_headers.llm_provider-x-amzn-requestid~"), ParsePath("prompt_tokens"), ParsePath("startTime")})
	if err != nil {
		b.Fatal(err)
	}
	line := []byte(`{"id":"chatcmpl-845ba80b-dc44-438c-b4b5-ffeea6824417","litellm_call_id":"845ba80b-dc44-438c-b4b5-ffeea6824417","trace_id":"845ba80b-dc44-438c-b4b5-ffeea6824417","call_type":"acompletion","stream":false,"status":"success","custom_llm_provider":"bedrock","startTime":1792103487.847,"endTime":1792103489.5,"model":"bedrock/anthropic.claude-sonnet-4-20250514-v1:0","model_group":"agents","api_base":"https://bedrock-runtime.us-east-1.amazonaws.com","metadata":{"user_api_key_hash":"0000000000007bb1","user_api_key_user_id":"user31665@corp.example","user_api_key_user_email":"user31665@corp.example","user_api_key_team_id":"team-25","user_api_key_alias":"agent-key-165","spend_logs_metadata":{"agent_id":"agent-66"},"requester_ip_address":"10.0.38.166"},"cache_hit":false,"saved_cache_cost":0.0,"total_tokens":3816,"prompt_tokens":2631,"completion_tokens":1185,"response_cost":0.0123,"request_tags":["prod","chat"],"end_user":"","hidden_params":{"model_id":"m1","additional_headers":{"llm_provider-x-amzn-requestid":"da83fbe6-7ad8-4e7a-afe6-deae65b34bd8"}},"error_str":null}`)
	s := NewScanner(spec)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Scan(line); err != nil {
			b.Fatal(err)
		}
	}
}
