package decode

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// canary stands for content: prompts, answers, cookies, secrets.
const canary = "canary7f3d"

// planted are objects in which every place that nobody asked for holds the
// canary, and broken ones in which it stands where something else is expected.
func planted() map[string][]string {
	return map[string][]string{
		"mapped-json": {
			`{"id":"m-1","timestamp":"10/31/2026 5:59:40 PM","model":"m","promptTokens":"1","responseTokens":1,"prompt":"canary7f3d","headers":{"cookie":"canary7f3d"},"canary7f3d":1}`,
			`{"id":"m-2","timestamp":"canary7f3d"}`, `{"id":"m-3","timestamp":"10/31/2026 5:59:40 PM","promptTokens":"canary7f3d"}`, `{"id":"m-4","timestamp":"10/31/2026 5:59:40 PM","cost":"canary7f3d"}`,
			`{"id":"m-5","timestamp":"10/31/2026 5:59:40 PM","tools":["canary7f3d,"]}`, `{"id":"canary7f3d`,
			`{"id":"m-6","timestamp":"10/31/2026 5:59:40 PM","metadata":"{\"user\":\"u\",\"prompt\":\"canary7f3d\"}","ended":"canary7f3d","usage":{"canary7f3d":1}}`,
			`{"id":"m-7","timestamp":"10/31/2026 5:59:40 PM","metadata":"{\"prompt\":\"canary7f3d"}`, `{"id":"m-8","kind":"tool","prompt":"canary7f3d"}`,
		},
		"mapped-csv": {
			"Request Id,When,Model,Prompt tokens,Notes\nr-0,1793487580,m,1,\"{\"\"prompt\"\":\"\"canary7f3d\"\",\"\"app\"\":\"\"a\"\"}\"\nr-0,1793487580,m,1,\"{\"\"prompt\"\":\"\"canary7f3d\"\nr-1,1793487580,m,1,canary7f3d\nr-2,canary7f3d,m,1,\nr-3,1793487580,m,canary7f3d,\nr-4,1793487580,m,1,\"canary7f3d\nr-5,1793487580,m,1,,canary7f3d\n",
			"canary7f3d,When\n", "\"canary7f3d",
		},
		"mapped-provider": {
			`{"canary7f3d":"canary7f3d","data":[{"meta":{"id":"u-1","at":"2026-10-31T12:00:00"},"usage":{"in":1,"out":1},"model":"m","text":"canary7f3d","answers":[{"text":"canary7f3d"}]},"canary7f3d",{"meta":{"id":"u-2","at":"canary7f3d"}},{"meta":{"id":"u-3","at":"2026-10-31T12:00:00"},"model":"m","usage":{"in":"canary7f3d"}}]}`,
			`{"data":"canary7f3d"}`, `{"data":[{"canary7f3d`,
		},
		"bedrock": {
			`{"schemaType":"ModelInvocationLog","canary7f3d":"canary7f3d","timestamp":"2026-10-31T23:59:40Z","accountId":"111122223333","identity":{"arn":"arn:aws:iam::111122223333:user/batch","sessionName":"canary7f3d"},"requestId":"r1","modelId":"m","requestMetadata":{"prompt":"canary7f3d","cost_center":"00420"},"input":{"inputContentType":"canary7f3d","inputBodyJson":{"messages":[{"role":"user","content":"canary7f3d"}],"id":"canary7f3d"},"inputTokenCount":1,"inputBodyS3Path":"s3://canary7f3d"},"output":{"outputBodyJson":{"id":"msg_1","content":[{"text":"canary7f3d"}],"message":{"id":"canary7f3d"}},"outputTokenCount":2}}`,
			`{"schemaType":"ModelInvocationLog","timestamp":"2026-10-31T23:59:40Z","requestId":"r2","modelId":"m","input":{"inputTokenCount":1},"output":{"outputBodyJson":[{"message":{"id":"msg_2","content":"canary7f3d"}},{"message":{"id":"canary7f3d"}},"canary7f3d"],"outputTokenCount":2}}`,
			`{"schemaType":"ModelInvocationLog","timestamp":"2026-10-31T23:59:40Z","requestId":"r2","modelId":"m","input":{"inputTokenCount":1,"inputBodyJson":"canary7f3d","cacheWriteInputTokenCount":2},"output":{"outputBodyJson":"{\"id\":\"msg_3\",\"content\":[{\"text\":\"canary7f3d\"}],\"usage\":{\"service_tier\":\"standard\",\"canary7f3d\":1,\"cacheDetails\":[{\"ttl\":\"canary7f3d\",\"inputTokens\":1}]}}","outputTokenCount":2}}`,
			`{"schemaType":"ModelInvocationLog","timestamp":"2026-10-31T23:59:40Z","requestId":"r2","modelId":"m","input":{"inputTokenCount":1},"output":{"outputBodyJson":"canary7f3d","outputTokenCount":2}}`,
			`{"schemaType":"ModelInvocationLog","timestamp":"2026-10-31T23:59:40Z","requestId":"r2","modelId":"m","input":{"inputTokenCount":1,"cacheWriteInputTokenCount":2},"output":{"outputBodyJson":{"usage":{"cache_creation":{"ephemeral_5m_input_tokens":"canary7f3d"}}},"outputTokenCount":2}}`,
			`{"schemaType":"ModelInvocationLog","timestamp":"2026-10-31T23:59:40Z","requestId":"r2","modelId":"m","input":{"inputTokenCount":1},"output":{"outputBodyJson":[{"delta":"canary7f3d"},{"usage":{"server_tool_use":{"web_search_requests":"canary7f3d"}}}],"outputTokenCount":2}}`,
			`{"schemaType":"canary7f3d"}`,
			`{"schemaType":"ModelInvocationLog","requestId":"r3","modelId":"m","timestamp":"canary7f3d"}`,
			`{"schemaType":"ModelInvocationLog","requestId":"r3","modelId":"m","timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":"canary7f3d"}}`,
			`{"schemaType":"ModelInvocationLog","requestId":"r3","modelId":"m","timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":1},"output":{"outputTokenCount":canary7f3d}}`,
			`{"schemaType":"ModelInvocationLog","requestId":"canary7f3d` + "\xff" + `","modelId":"m","timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":1}}`,
			`{"schemaType":"ModelInvocationLog","requestId":"` + strings.Repeat("canary7f3d", 500) + `","modelId":"m","timestamp":"2026-10-31T23:59:40Z","input":{"inputTokenCount":1}}`,
			`{"schemaType":"ModelInvocationLog","requestId":"canary7f3d\q"}`,
			`{"canary7f3d`,
			`canary7f3d`,
			`{"messageType":"DATA_MESSAGE","owner":"canary7f3d","logStream":"canary7f3d","canary7f3d":1,"logEvents":[{"id":"canary7f3d","message":"{\"schemaType\":\"ModelInvocationLog\",\"timestamp\":\"2026-10-31T23:59:40Z\",\"requestId\":\"r1\",\"modelId\":\"m\",\"input\":{\"inputBodyJson\":\"canary7f3d\",\"inputTokenCount\":1},\"output\":{\"outputBodyJson\":\"{\\\"content\\\":\\\"canary7f3d\\\"}\",\"outputTokenCount\":2}}"},{"message":"canary7f3d"},{"message":"{\"canary7f3d"},{"message":"{\"schemaType\":\"ModelInvocationLog\",\"requestId\":\"r1\",\"timestamp\":\"canary7f3d\"}"},{"message":"{} canary7f3d"},"canary7f3d"]}`,
			`{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"canary7f3d"}]}`, `{"messageType":"canary7f3d","logEvents":"canary7f3d"}`, `{"@message":"canary7f3d"}`, `{"message":{"canary7f3d":1}}`,
			"2026-10-31T23:59:40.120Z canary7f3d\n2026-10-31T23:59:40.120Z {\"canary7f3d",
		},
		"bedrock-batch": {
			`{"recordId":"CALL0000001","canary7f3d":"canary7f3d","modelInput":{"messages":[{"role":"user","content":"canary7f3d"}],"metadata":{"name":"canary7f3d"}},"modelOutput":{"id":"msg_1","model":"claude-haiku-4-5","content":[{"text":"canary7f3d"}],"generation":"canary7f3d","results":[{"tokenCount":1,"outputText":"canary7f3d"}],"usage":{"input_tokens":1,"output_tokens":2,"service_tier":"canary7f3d"}}}`,
			`{"recordId":"CALL0000002","modelInput":"canary7f3d","error":{"errorCode":400,"errorMessage":"canary7f3d"}}`,
			`{"recordId":"CALL0000003","error":"canary7f3d"}`,
			`{"recordId":"CALL0000004","modelOutput":"canary7f3d"}`,
			`{"recordId":"CALL0000005","modelOutput":{"usage":{"input_tokens":"canary7f3d"}}}`,
			`{"recordId":"CALL0000006","modelOutput":{"usage":{"inputTokens":1,"cacheDetails":[{"ttl":"canary7f3d","inputTokens":"canary7f3d"}]}}}`,
			`{"recordId":"` + strings.Repeat("canary7f3d", 500) + `","modelOutput":{"usage":{"inputTokens":1,"outputTokens":1}}}`,
			`{"recordId":"CALL0000007","modelOutput":{"canary7f3d`,
			`canary7f3d`,
		},
		"openai-batch": {
			`{"id":"batch_req_1","custom_id":"t1","canary7f3d":"canary7f3d","response":{"status_code":200,"request_id":"req_1","headers":{"set-cookie":"canary7f3d"},"body":{"id":"chatcmpl-1","object":"chat.completion","created":1793570380,"model":"gpt-4o","choices":[{"message":{"content":"canary7f3d"}}],"metadata":{"prompt":"canary7f3d"},"system_fingerprint":"canary7f3d","service_tier":"canary7f3d","usage":{"prompt_tokens":1,"completion_tokens":2}}},"error":null}`,
			`{"id":"batch_req_2","custom_id":"t2","response":{"status_code":200,"request_id":"req_2","body":{"id":"resp_1","object":"response","created_at":1793570380,"model":"gpt-5","instructions":"canary7f3d","output":[{"type":"web_search_call","action":{"type":"search","query":"canary7f3d"}},{"type":"canary7f3d","content":[{"text":"canary7f3d"}]}],"usage":{"input_tokens":1,"output_tokens":2}}}}`,
			`{"id":"batch_req_3","custom_id":"t3","response":null,"error":{"code":"batch_expired","message":"canary7f3d"}}`,
			`{"id":"batch_req_4","custom_id":"t4","response":{"status_code":400,"body":{"error":{"message":"canary7f3d","param":"canary7f3d","code":"bad"}}}}`,
			`{"id":"batch_req_5","custom_id":"t5","response":{"status_code":502,"body":"canary7f3d"}}`,
			`{"id":"batch_req_6","custom_id":"t6","response":"canary7f3d"}`,
			`{"custom_id":"t7","method":"POST","url":"/v1/responses","body":{"input":"canary7f3d"}}`,
			`{"id":"batch_req_8","custom_id":"t8","response":{"status_code":"canary7f3d","body":{}}}`,
			`{"id":"batch_req_9","custom_id":"t9","response":{"status_code":200,"body":{"created":"canary7f3d"}}}`,
			`{"id":"batch_req_10","custom_id":"t10","response":{"status_code":200,"body":{"model":"m","output":["web_search_call",canary7f3d],"usage":{"input_tokens":1,"output_tokens":1}}}}`,
			`{"canary7f3d":"canary7f3d"}`,
			`{"id":"batch_req_11","custom_id":"canary7f3d` + "\xff" + `","response":{"status_code":200,"body":{"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}}`,
		},
		"anthropic-batch": {
			`{"custom_id":"t1","canary7f3d":"canary7f3d","result":{"type":"succeeded","message":{"id":"msg_1","model":"claude-sonnet-4-5","content":[{"type":"text","text":"canary7f3d"}],"stop_sequence":"canary7f3d","usage":{"input_tokens":1,"output_tokens":2,"service_tier":"canary7f3d"}}}}`,
			`{"custom_id":"t2","result":{"type":"errored","error":{"type":"error","error":{"type":"invalid_request_error","message":"canary7f3d"}}}}`,
			`{"custom_id":"t3","result":{"type":"canary7f3d"}}`,
			`{"custom_id":"t4","result":"canary7f3d"}`,
			`{"custom_id":"t5","params":{"messages":[{"role":"user","content":"canary7f3d"}]}}`,
			`{"custom_id":"t6","result":{"type":"succeeded","message":"canary7f3d"}}`,
			`{"custom_id":"t7","result":{"type":"succeeded","message":{"model":"m","usage":{"input_tokens":"canary7f3d"}}}}`,
			`{"custom_id":{"canary7f3d":1},"result":{"type":"expired"}}`,
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
			`{"request_id":"chatcmpl-3","api_key":"sk-canary7f3d","spend":0.1,"startTime":"2026-10-31 22:59:40","model":"gpt-4o","prompt_tokens":1,"completion_tokens":1,"metadata":"{\"requester_ip_address\":\"canary7f3d\",\"error_information\":{\"error_message\":\"canary7f3d\"},\"mcp_tool_call_metadata\":{\"name\":\"search\",\"arguments\":\"canary7f3d\",\"result\":\"canary7f3d\"}}","request_tags":"[\"canary7f3d\"]","messages":"[{\"content\":\"canary7f3d\"}]","response":"{\"choices\":[{\"message\":{\"content\":\"canary7f3d\"}}],\"usage\":{\"canary7f3d\":1}}","proxy_server_request":"{\"body\":\"canary7f3d\"}","cache_key":"canary7f3d","status":"success"}`,
			`{"request_id":"chatcmpl-4","startTime":"2026-10-31 22:59:40","metadata":"{\"canary7f3d"}`,
			`{"request_id":"chatcmpl-4","startTime":"2026-10-31 22:59:40","response":"{\"canary7f3d"}`,
			`{"request_id":"chatcmpl-4","startTime":"2026-10-31 22:59:40","mcp_namespaced_tool_name":"canary7f3d,canary7f3d"}`,
			`{"canary7f3d":"canary7f3d","data":[{"request_id":"chatcmpl-5","startTime":"2026-10-31 22:59:40","messages":"canary7f3d","prompt_tokens":1,"completion_tokens":1},{"request_id":"chatcmpl-6","startTime":"canary7f3d"}],"next":"canary7f3d"}`,
			`{"data":[{"request_id":"chatcmpl-5","messages":"canary7f3d`,
			"request_id,startTime,model,prompt_tokens,completion_tokens,messages,response,metadata\nchatcmpl-7,2026-10-31 22:59:40,m,1,1,canary7f3d,\"{\"\"choices\"\":\"\"canary7f3d\"\"}\",\"{\"\"requester_ip_address\"\":\"\"canary7f3d\"\"}\"\nchatcmpl-8,canary7f3d,m,1,1,,,\nchatcmpl-9,2026-10-31 22:59:40,m,canary7f3d,1,,,\nchatcmpl-10,2026-10-31 22:59:40,m,1,1,,,\"{\"\"canary7f3d\"\n",
		},
		"portkey": {
			`{"_id":"a1","request":{"url":"https://api.example.com/canary7f3d","headers":{"authorization":"canary7f3d","cookie":"canary7f3d"},"body":{"model":"gpt-4o","messages":[{"content":"canary7f3d"}],"user":"canary7f3d"},"portkeyHeaders":{"x-portkey-api-key":"canary7f3d","x-portkey-metadata":"{\"prompt\":\"canary7f3d\",\"_user\":\"user017@example.com\"}"}},"response":{"status":200,"headers":{"set-cookie":"canary7f3d","x-request-id":"req_1"},"body":{"id":"chatcmpl-1","choices":[{"message":{"content":"canary7f3d"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"canary7f3d":1}}},"finalUntransformedRequest":{"body":"canary7f3d"},"transformedRequest":{"headers":{"x-api-key":"canary7f3d"}},"originalResponse":{"headers":{"set-cookie":"canary7f3d"},"body":{"content":"canary7f3d"}},"created_at":"2026-10-31T22:59:40Z","metrics":{"ai_org_auth_hash":"canary7f3d","request_url":"canary7f3d","metadata.key":["prompt","canary7f3d"],"metadata.value":["canary7f3d","canary7f3d"]}}`,
			`{"id":"a2","created_at":"2026-10-31T22:59:40Z","request":{"messages":"canary7f3d"},"response":"{\"usage\":{\"prompt_tokens\":1},\"choices\":\"canary7f3d\"}","metadata":{"prompt":"canary7f3d"},"config":"canary7f3d"}`,
			`{"id":"a3","created_at":"2026-10-31T22:59:40Z","response":"{\"canary7f3d"}`,
			`{"id":"a4","created_at":"2026-10-31T22:59:40Z","metadata":"{\"canary7f3d"}`,
			`{"id":"a5","created_at":"canary7f3d"}`,
			`{"id":"a6","created_at":"2026-10-31T22:59:40Z","cost":"canary7f3d"}`,
			`{"id":"a7","created_at":"2026-10-31T22:59:40Z","response_status_code":"canary7f3d"}`,
			`{"id":"a8","created_at":"2026-10-31T22:59:40Z","response":{"body":{"usage":{"prompt_tokens":"canary7f3d"}}}}`,
			`{"id":"a9","created_at":"2026-10-31T22:59:40Z","metadata":{"tool_calls":"canary7f3d"}}`,
			`{"generation_id":"canary7f3d","results":"canary7f3d"}`,
		},
		"openrouter": {
			`{"id":"gen-1","name":"canary7f3d","timestamp":"2026-10-31T22:59:40Z","input":{"messages":[{"content":"canary7f3d"}]},"output":{"completion":"canary7f3d"},"metadata":{"prompt":"canary7f3d"},"observations":[{"id":"gen-1","type":"GENERATION","name":"canary7f3d","model":"m","startTime":"2026-10-31T22:59:40Z","promptTokens":1,"completionTokens":1,"input":"canary7f3d","output":{"text":"canary7f3d"},"metadata":{"prompt":"canary7f3d"},"statusMessage":"canary7f3d","usageDetails":{"canary7f3d":1}},{"type":"canary7f3d","input":"canary7f3d"},"canary7f3d",{"id":"gen-2","startTime":"canary7f3d"},{"id":"gen-2","startTime":"2026-10-31T22:59:40Z","totalCost":"canary7f3d"},{"id":"gen-2","startTime":"2026-10-31T22:59:40Z","promptTokens":"canary7f3d"},{"id":"gen-2","startTime":"2026-10-31T22:59:40Z","usageDetails":{"input_canary7f3d":"canary7f3d"}},{"id":"gen-2","metadata":"{canary7f3d"}]}`,
			`{"data":{"id":"gen-3","created_at":"2026-10-31T22:59:40Z","model":"m","tokens_prompt":1,"tokens_completion":1,"http_referer":"https://example.com/canary7f3d","user_agent":"canary7f3d","origin":"canary7f3d"}}`,
			`{"canary7f3d":"canary7f3d"}`,
			`{"id":"gen-4","observations":[canary7f3d]}`,
		},
		"langfuse": {
			`{"id":"o1","type":"GENERATION","start_time":"2026-10-31 22:59:40","input":"canary7f3d","output":{"text":"canary7f3d"},"status_message":"canary7f3d","metadata":{"prompt":"canary7f3d"},"model_parameters":{"stop":"canary7f3d"},"tool_calls":["canary7f3d"],"tool_definitions":{"sql":"canary7f3d"},"prompt_name":"canary7f3d","usage_details":{"input":1,"output":1,"canary7f3d":1}}`,
			`{"id":"o2","type":"SPAN","input":"canary7f3d"}`,
			`{"id":"o3","type":"GENERATION","start_time":"canary7f3d"}`,
			`{"id":"o3","type":"GENERATION","start_time":"2026-10-31 22:59:40","usage_details":{"input":"canary7f3d"}}`,
			`{"id":"o3","type":"GENERATION","start_time":"2026-10-31 22:59:40","usage_details":{"input_canary7f3d":"x"}}`,
			`{"id":"o3","type":"GENERATION","start_time":"2026-10-31 22:59:40","metadata":"{\"canary7f3d"}`,
			`{"id":"o3","type":"GENERATION","start_time":"2026-10-31 22:59:40","tool_call_names":"[canary7f3d"}`,
			`{"id":"o3","type":"GENERATION","start_time":"2026-10-31 22:59:40","total_cost":"canary7f3d"}`,
			"id,type,start_time,input,metadata\no4,GENERATION,2026-10-31 22:59:40,\"canary7f3d\ncanary7f3d,GENERATION,2026-10-31 22:59:40,x,y\n\",\"{\"\"note\"\":\"\"canary7f3d\"\"}\"\no5,GENERATION,canary7f3d,,\no6,GENERATION,2026-10-31 22:59:40,,{canary7f3d\ncanary7f3d,\"canary7f3d\ncanary7f3d\"canary7f3d\",x\n\"canary7f3d",
			"canary7f3d,type\ncanary7f3d,x\n",
			"id,type,start_time\n\"" + strings.Repeat("canary7f3d", 200_000),
		},
		"otlp": {
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}},{"key":"gen_ai.usage.reasoning.output_tokens","value":{"stringValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"canary7f3d\u0000"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"canary7f3d","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}],"canary7f3d":canary7f3d}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}},{"key":"app.tools","value":{"stringValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}},{"key":"app.tools","value":{"stringValue":"[canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}},{"key":"app.tools","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d,x"}]}}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}},{"key":"app.tools","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}},{"key":"app.tools","value":{"arrayValue":{"values":canary7f3d}}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}},{"key":"app.tools","value":{"stringValue":"{\"canary7f3d\":\"x\"}"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":3,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}},{"key":"gen_ai.usage.cost","value":{"stringValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1793487580847000000","severityText":"canary7f3d","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"event.name","value":{"stringValue":"api_request"}},{"key":"session.id","value":{"stringValue":"s"}},{"key":"model","value":{"stringValue":"m"}},{"key":"input_tokens","value":{"intValue":"1"}},{"key":"output_tokens","value":{"intValue":"1"}},{"key":"prompt","value":{"stringValue":"canary7f3d"}},{"key":"error","value":{"stringValue":"canary7f3d"}},{"key":"tool_parameters","value":{"stringValue":"canary7f3d"}}]}]}]}]}`,
			`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1793487580847000000","severityText":"canary7f3d","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"event.name","value":{"stringValue":"api_request"}},{"key":"session.id","value":{"stringValue":"s"}},{"key":"model","value":{"stringValue":"m"}},{"key":"input_tokens","value":{"stringValue":"canary7f3d"}},{"key":"output_tokens","value":{"intValue":"1"}},{"key":"prompt","value":{"stringValue":"canary7f3d"}},{"key":"error","value":{"stringValue":"canary7f3d"}},{"key":"tool_parameters","value":{"stringValue":"canary7f3d"}}]}]}]}]}`,
			`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1793487580847000000","severityText":"canary7f3d","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"event.name","value":{"stringValue":"api_request"}},{"key":"session.id","value":{"stringValue":"s"}},{"key":"model","value":{"stringValue":"m"}},{"key":"input_tokens","value":{"intValue":"1"}},{"key":"output_tokens","value":{"intValue":"1"}},{"key":"prompt","value":{"stringValue":"canary7f3d"}},{"key":"error","value":{"stringValue":"canary7f3d"}},{"key":"tool_parameters","value":{"stringValue":"canary7f3d"}},{"key":"duration_ms","value":{"stringValue":"canary7f3d"}}]}]}]}]}`,
			`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1793487580847000000","severityText":"canary7f3d","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"event.name","value":{"stringValue":"api_request"}},{"key":"session.id","value":{"stringValue":"s"}},{"key":"model","value":{"stringValue":"m"}},{"key":"input_tokens","value":{"intValue":"1"}},{"key":"output_tokens","value":{"intValue":"1"}},{"key":"prompt","value":{"stringValue":"canary7f3d"}},{"key":"error","value":{"stringValue":"canary7f3d"}},{"key":"tool_parameters","value":{"stringValue":"canary7f3d"}},{"key":"cost_usd","value":{"stringValue":"canary7f3d"}}]}]}]}]}`,
			`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1793487580847000000","severityText":"canary7f3d","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"event.name","value":{"stringValue":"api_request"}},{"key":"session.id","value":{"stringValue":"s"}},{"key":"model","value":{"stringValue":"m"}},{"key":"input_tokens","value":{"intValue":"1"}},{"key":"output_tokens","value":{"intValue":"1"}},{"key":"prompt","value":{"stringValue":"canary7f3d"}},{"key":"error","value":{"stringValue":"canary7f3d"}},{"key":"tool_parameters","value":{"stringValue":"canary7f3d"}},{"key":"cost_usd_micros","value":{"stringValue":"canary7f3d"}}]}]}]}]}`,
			`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":0,"severityText":"canary7f3d","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"event.name","value":{"stringValue":"api_request"}},{"key":"session.id","value":{"stringValue":"s"}},{"key":"model","value":{"stringValue":"m"}},{"key":"input_tokens","value":{"intValue":"1"}},{"key":"output_tokens","value":{"intValue":"1"}},{"key":"prompt","value":{"stringValue":"canary7f3d"}},{"key":"error","value":{"stringValue":"canary7f3d"}},{"key":"tool_parameters","value":{"stringValue":"canary7f3d"}},{"key":"event.timestamp","value":{"stringValue":"canary7f3d"}}]}]}]}]}`,
			`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1793487580847000000","severityText":"canary7f3d","body":{"stringValue":"canary7f3d"},"attributes":[{"key":"event.name","value":{"stringValue":"canary7f3d"}},{"key":"prompt","value":{"stringValue":"canary7f3d"}}]}]}]}]}`,
			`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1793487580847000000","severityText":"canary7f3d","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"event.name","value":{"stringValue":"api_request"}},{"key":"session.id","value":{"stringValue":""}},{"key":"model","value":{"stringValue":"m"}},{"key":"input_tokens","value":{"intValue":"1"}},{"key":"output_tokens","value":{"intValue":"1"}},{"key":"prompt","value":{"stringValue":"canary7f3d"}},{"key":"error","value":{"stringValue":"canary7f3d"}},{"key":"tool_parameters","value":{"stringValue":"canary7f3d"}}]}]}]}]}`,
			`{"resourceSpans":"canary7f3d"}`,
			`{"resourceSpans":["canary7f3d",{"scopeSpans":"canary7f3d"},{"scopeSpans":[{"spans":{"canary7f3d":1}}]}]}`,
			`{"canary7f3d":[]}`,
			`{"resourceMetrics":["canary7f3d"]}`,
			"\n\x86\x03\n\x1e\n\x0ccanary7f3d",
			"\x00\x00\x01\x86\x28\xb5\x2f\xfdcanary7f3d",
		},
		"otlp-provider": {
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":2,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":2,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":2,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":2,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":2,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}},{"key":"gen_ai.usage.reasoning.output_tokens","value":{"stringValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":2,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"canary7f3d\u0000"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":2,"startTimeUnixNano":"canary7f3d","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}]}]}]}]}`,
			`{"canary7f3d":"canary7f3d","resourceSpans":[{"canary7f3d":{},"resource":{"canary7f3d":1,"attributes":[{"key":"process.command_args","value":{"stringValue":"canary7f3d"}},{"key":"service.name","value":{"stringValue":"s","canary7f3d":1}}]},"scopeSpans":[{"scope":{"name":"x","version":"canary7f3d","attributes":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]},"schemaUrl":"canary7f3d","spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"canary7f3d","traceState":"canary7f3d","name":"canary7f3d","kind":2,"startTimeUnixNano":"1793487580847000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"1"}},{"key":"gen_ai.input.messages","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"stringValue":"canary7f3d"}]}}},{"key":"gen_ai.system_instructions","value":{"kvlistValue":{"values":[{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}}]}}},{"key":"gen_ai.tool.definitions","value":{"stringValue":"canary7f3d"}},{"key":"canary7f3d","value":{"stringValue":"canary7f3d"}},{"key":"url.full","value":{"stringValue":"canary7f3d"}},{"key":"exception.message","value":{"stringValue":"canary7f3d"}},{"key":"gen_ai.prompt","value":{"bytesValue":"canary7f3d"}}],"status":{"code":2,"message":"canary7f3d"},"events":[{"name":"canary7f3d","attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"canary7f3d"}}]}],"links":[{"traceId":"canary7f3d"}],"canary7f3d":canary7f3d}]}]}]}`,
			`{"resourceSpans":"canary7f3d"}`,
			`{"resourceSpans":["canary7f3d",{"scopeSpans":"canary7f3d"},{"scopeSpans":[{"spans":{"canary7f3d":1}}]}]}`,
			`{"canary7f3d":[]}`,
			`{"resourceMetrics":["canary7f3d"]}`,
			"\n\x86\x03\n\x1e\n\x0ccanary7f3d",
			"\x00\x00\x01\x86\x28\xb5\x2f\xfdcanary7f3d",
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

// plantedTotals are those of control totals.
func plantedTotals() map[string][]string {
	const c = canary
	page := func(result string) string {
		return `{"object":"page","canary7f3d":"canary7f3d","data":[{"object":"bucket","start_time":1793404800,"end_time":1793491200,"starting_at":"2026-10-31T00:00:00Z","ending_at":"2026-11-01T00:00:00Z","note":"canary7f3d","results":[` + result + `]}],"next_page":"canary7f3d"}`
	}
	broken := []string{
		`{"data":[{"start_time":"canary7f3d","starting_at":"canary7f3d","results":[{}]}]}`, `{"data":[{"start_time":1793404800,"end_time":"canary7f3d","starting_at":"2026-10-31T00:00:00Z","ending_at":"canary7f3d","results":["canary7f3d"]}]}`,
		`{"data":["canary7f3d",7]}`, `{"data":"canary7f3d"}`, `{"data":[{"canary7f3d`, `[canary7f3d]`, page(`"canary7f3d"`), page(`{"model":canary7f3d}`),
	}
	return map[string][]string{
		"openai_usage": append(broken,
			page(`{"object":"canary7f3d","input_tokens":5,"output_tokens":1,"num_model_requests":1,"canary7f3d":"canary7f3d","metadata":{"prompt":"canary7f3d"}}`),
			page(`{"input_tokens":"canary7f3d","output_tokens":1}`), page(`{"input_tokens":1,"output_tokens":{"a":"canary7f3d"}}`), page(`{"num_model_requests":"canary7f3d"}`),
			page(`{"input_tokens":1,"model":"`+strings.Repeat(c, 500)+`"}`), page(`{"input_tokens":1,"model":"canary7f3d`+"\xff"+`"}`),
			"start_time,end_time,input_tokens,project_name,user_email\n1793404800,1793491200,5,canary7f3d,canary7f3d\ncanary7f3d,1793491200,5,,\n1793404800,1793491200,canary7f3d,,\n1793404800,1793491200,5,,,canary7f3d\n",
			"canary7f3d,start\n", "start_time,end_time\n\"canary7f3d"),
		"openai_costs": append(broken,
			page(`{"amount":{"value":1,"currency":"usd","canary7f3d":"canary7f3d"},"line_item":"all","project_name":"canary7f3d"}`),
			page(`{"amount":{"value":"canary7f3d","currency":"usd"}}`), page(`{"amount":{"value":1,"currency":"canary7f3d"}}`), page(`{"amount":{"value":1},"quantity":{"canary7f3d":1}}`),
			"start_time,end_time,amount_value,amount_currency,user_email\n1793404800,1793491200,1,usd,canary7f3d\n1793404800,1793491200,canary7f3d,usd,\n1793404800,1793491200,1,canary7f3d,\n"),
		"anthropic_usage": append(broken,
			page(`{"uncached_input_tokens":1,"output_tokens":2,"canary7f3d":"canary7f3d","context_window":"canary7f3d"}`), page(`{"uncached_input_tokens":"canary7f3d","output_tokens":2}`),
			"usage_date_utc,model_version,usage_input_tokens_no_cache,usage_output_tokens,context_window,note\n2026-10-31,m,1,2,canary7f3d,canary7f3d\ncanary7f3d,m,1,2,,\n2026-10-31,m,canary7f3d,2,,\n"),
		"anthropic_costs": append(broken,
			page(`{"amount":"12.5","currency":"USD","model":"m","description":"canary7f3d","canary7f3d":"canary7f3d"}`), page(`{"amount":"canary7f3d"}`), page(`{"amount":"1","currency":"canary7f3d"}`),
			"usage_date_utc,model,cost_usd,context_window,note\n2026-10-31,m,1,canary7f3d,canary7f3d\ncanary7f3d,m,1,,\n2026-10-31,m,canary7f3d,,\n"),
		"aws_cur": {
			strings.Join(curColumns, ",") + ",resource_tags,line_item_resource_id\n2026-10-01T00:00:00Z,USD,Usage,AmazonBedrock,1,111122223333,1,2026-10-31T01:00:00Z,2026-10-31T00:00:00Z,USE1-NovaPro-input-tokens,1K tokens,\"{\"\"note\"\":\"\"canary7f3d\"\"}\",per 1K canary7f3d,\"{\"\"a\"\":\"\"canary7f3d\nmore\"\"}\",canary7f3d\n" +
				"canary7f3d,USD,Usage,AmazonBedrock,1,1,1,2026-10-31T01:00:00Z,2026-10-31T00:00:00Z,x,,,,,\n2026-10-01,canary7f3d,Usage,AmazonBedrock,1,1,1,2026-10-31T01:00:00Z,2026-10-31T00:00:00Z,x,,,,,\n2026-10-01,USD,Usage,AmazonBedrock,canary7f3d,1,1,2026-10-31T01:00:00Z,2026-10-31T00:00:00Z,x,,,,,\n2026-10-01,USD,Usage,AmazonBedrock,1,1,canary7f3d,2026-10-31T01:00:00Z,2026-10-31T00:00:00Z,x,,,,,\n" +
				"2026-10-01,USD,Usage,AmazonBedrock,1,1,1,canary7f3d,2026-10-31T00:00:00Z,x,,,,,\n2026-10-01,USD,canary7f3d,AmazonS3,1,1,1,canary7f3d,2026-10-31T00:00:00Z,x,,,,,\n",
			"canary7f3d\n", "PAR1canary7f3dPAR1", "PAR1canary7f3d",
		},
		"focus": {
			"BilledCost,BillingCurrency,BillingPeriodStart,ChargePeriodEnd,ChargePeriodStart,ServiceName,x_UsageType,ChargeDescription,Tags\n1,USD,2026-10-01,2026-10-31T01:00:00Z,2026-10-31T00:00:00Z,Amazon Bedrock,USE1-NovaPro-input-tokens,canary7f3d,canary7f3d\n" +
				"canary7f3d,USD,2026-10-01,2026-10-31T01:00:00Z,2026-10-31T00:00:00Z,Amazon Bedrock,x,,\n1,canary7f3d,2026-10-01,2026-10-31T01:00:00Z,2026-10-31T00:00:00Z,Amazon Bedrock,x,,\n1,USD,canary7f3d,2026-10-31T01:00:00Z,2026-10-31T00:00:00Z,Amazon Bedrock,x,,\n1,USD,2026-10-01,canary7f3d,2026-10-31T00:00:00Z,Amazon Bedrock,x,,\n",
			"PAR1canary7f3dPAR1",
		},
	}
}

// Goal: the objects that hold canaries lie in testdata/canary, for tests of what
// comes behind decoding. Method: -update writes them.
func TestCanaryFiles(t *testing.T) {
	all := planted()
	maps.Copy(all, plantedTotals())
	for folder, texts := range all {
		for i, text := range texts {
			compare(t, filepath.Join("testdata", "canary", fmt.Sprintf("%s.%02d.txt", folder, i)), text)
		}
	}
	names, err := filepath.Glob(filepath.Join("testdata", "canary", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		folder, number, _ := strings.Cut(filepath.Base(name), ".")
		if i, err := strconv.Atoi(strings.TrimSuffix(number, ".txt")); err != nil || i >= len(all[folder]) {
			t.Errorf("%s is none of them; remove it", name)
		}
	}
}

// Goal: content reaches nothing that is kept or printed.
// Method: every row, reject and error of objects full of canaries is searched.
func TestContentReachesNothing(t *testing.T) {
	all := planted()
	maps.Copy(all, plantedTotals())
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
		{"otlp row", otlp(t, AgentSide), func(s string) string {
			return otlpText(otlpIDs, `,{"key":"gen_ai.response.id","value":{"stringValue":"`+s+`"}}`)
		}, "response_id: is longer than 4096 bytes"},
		{"otlp dimension", otlp(t, AgentSide), func(s string) string {
			return otlpText(otlpIDs, `,{"key":"app.cost_center","value":{"stringValue":"`+s+`"}}`)
		}, "cost_center: is longer than 4096 bytes"},
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
			starts := []string{"email,department,cost_center,valid_from,valid_to\n{"}
			if folder == "mapped-csv" {
				starts = []string{"", "Request Id,When", "Request Id,When\nr-1,\"a"}
			}
			if folder == "langfuse" {
				starts = []string{"", "{", "id,", "id,type,start_time\n", "id,type,start_time\n\"a", "id,type,start_time\n\"" + strings.Repeat("a", 2<<20)}
			}
			for _, start := range starts {
				checkStreamError(t, load(berlin(t), format, io.MultiReader(strings.NewReader(start), failing{})))
			}
		})
	}
}

func checkStreamError(t *testing.T, l loaded) {
	t.Helper()
	if l.err == nil || !strings.Contains(l.err.Error(), "line ") || !strings.Contains(l.err.Error(), errGone.Error()) {
		t.Errorf("got %v", l.err)
	}
}

var errGone = fmt.Errorf("the disk is gone")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errGone }
