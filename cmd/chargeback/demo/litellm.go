package demo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"chargeback/transform/money"
)

// gatewayRecord is one object of the gateway's S3 logger. Numbers that the
// gateway writes as floats are kept as the text that stands in the file.
type gatewayRecord struct {
	ID               string         `json:"id"`
	CallID           string         `json:"litellm_call_id"`
	TraceID          *string        `json:"trace_id"`
	CallType         string         `json:"call_type"`
	CacheHit         any            `json:"cache_hit"`
	Stream           bool           `json:"stream"`
	Status           string         `json:"status"`
	Provider         string         `json:"custom_llm_provider"`
	SavedCacheCost   json.Number    `json:"saved_cache_cost"`
	Start            json.Number    `json:"startTime"`
	End              json.Number    `json:"endTime"`
	CompletionStart  json.Number    `json:"completionStartTime"`
	ResponseTime     json.Number    `json:"response_time"`
	Model            string         `json:"model"`
	Metadata         gatewayMeta    `json:"metadata"`
	CacheKey         *string        `json:"cache_key"`
	ResponseCost     json.Number    `json:"response_cost"`
	CostBreakdown    note           `json:"cost_breakdown"`
	TotalTokens      int64          `json:"total_tokens"`
	PromptTokens     int64          `json:"prompt_tokens"`
	CompletionTokens int64          `json:"completion_tokens"`
	RequestTags      []string       `json:"request_tags"`
	EndUser          string         `json:"end_user"`
	APIBase          string         `json:"api_base"`
	ModelGroup       string         `json:"model_group"`
	ModelID          string         `json:"model_id"`
	RequesterIP      *string        `json:"requester_ip_address"`
	Messages         any            `json:"messages"`
	Response         any            `json:"response"`
	ModelParameters  note           `json:"model_parameters"`
	Hidden           gatewayHidden  `json:"hidden_params"`
	ModelMap         note           `json:"model_map_information"`
	ErrorText        *string        `json:"error_str"`
	Error            gatewayError   `json:"error_information"`
	FailureDebug     *string        `json:"response_cost_failure_debug_info"`
	Guardrail        *string        `json:"guardrail_information"`
	BuiltInTools     map[string]any `json:"standard_built_in_tools_params"`
}

type gatewayMeta struct {
	KeyHash       string   `json:"user_api_key_hash"`
	KeyAlias      string   `json:"user_api_key_alias"`
	TeamID        *string  `json:"user_api_key_team_id"`
	OrgID         *string  `json:"user_api_key_org_id"`
	UserID        *string  `json:"user_api_key_user_id"`
	TeamAlias     *string  `json:"user_api_key_team_alias"`
	Email         *string  `json:"user_api_key_user_email"`
	EndUserID     *string  `json:"user_api_key_end_user_id"`
	SpendLogs     note     `json:"spend_logs_metadata"`
	RequesterIP   *string  `json:"requester_ip_address"`
	RequesterMeta note     `json:"requester_metadata"`
	Guardrails    []string `json:"applied_guardrails"`
	Usage         any      `json:"usage_object"`
}

type gatewayHidden struct {
	ModelID      string            `json:"model_id"`
	CacheKey     *string           `json:"cache_key"`
	APIBase      string            `json:"api_base"`
	ResponseCost json.Number       `json:"response_cost"`
	Headers      map[string]string `json:"additional_headers"`
	OverheadMS   json.Number       `json:"litellm_overhead_time_ms"`
	Model        string            `json:"litellm_model_name"`
}

type gatewayError struct {
	Code      string `json:"error_code"`
	Class     string `json:"error_class"`
	Provider  string `json:"llm_provider"`
	Traceback string `json:"traceback"`
	Message   string `json:"error_message"`
}

// gatewayRecord writes the call as the gateway logs it. Its rate book is its
// own estimate and counts for nothing.
func (c *call) gatewayRecord(book []price) gatewayRecord {
	rate, _ := rateOf(book, c.model, c.at)
	cost, saved := rate.cost(c.tokens), money.USD{}
	if c.outcome == cacheHit {
		cost, saved = saved, cost
	}
	rec := gatewayRecord{
		ID: c.gatewayID(), CallID: c.id, TraceID: &c.trace, CallType: "acompletion", Stream: c.streams(), Status: "success",
		Provider: c.provider, SavedCacheCost: decimal(saved), ResponseCost: decimal(cost),
		Start: epoch(c.at), End: epoch(c.at.Add(c.took)), CompletionStart: epoch(c.at.Add(c.took / 3)), ResponseTime: seconds(c.took / 3),
		Model: c.gatewayModel(), Metadata: c.gatewayMeta(), RequestTags: []string{"prod", "User-Agent: AsyncOpenAI/Python 1.99.0"},
		PromptTokens: c.tokens.prompt(), CompletionTokens: c.tokens.output, TotalTokens: c.tokens.prompt() + c.tokens.output,
		EndUser: c.endUser, APIBase: c.apiBase(), ModelGroup: c.agent, ModelID: hash(c.model),
		RequesterIP:     orNil(fmt.Sprintf("10.20.%d.%d", c.id[0], c.id[1])),
		Messages:        []note{{"role": "user", "content": prompt}},
		Response:        c.gatewayResponse(),
		ModelParameters: note{"temperature": 0, "stream": c.streams()},
		ModelMap:        note{"model_map_key": c.model, "model_map_value": nil},
		CostBreakdown: note{
			"input_cost": decimal(cost.Sub(rate.output.MulInt(c.tokens.output))), "output_cost": decimal(rate.output.MulInt(c.tokens.output)),
			"total_cost": decimal(cost), "tool_usage_cost": decimal(money.USD{}),
		},
		BuiltInTools: map[string]any{"web_search_options": nil, "file_search": nil},
	}
	rec.Hidden = gatewayHidden{
		ModelID: rec.ModelID, APIBase: rec.APIBase, ResponseCost: rec.ResponseCost, Headers: c.headers(), OverheadMS: "3.75", Model: rec.Model,
	}
	c.describeOutcome(&rec)
	return rec
}

// describeOutcome sets what differs for cache hits and failures.
func (c *call) describeOutcome(rec *gatewayRecord) {
	switch c.outcome {
	case cacheHit:
		rec.CostBreakdown = nil
		key := hash(c.trace)
		rec.CacheHit, rec.CacheKey, rec.Hidden.CacheKey = true, &key, &key
	case failed:
		rec.Status, rec.ResponseCost, rec.Hidden.ResponseCost, rec.Response = "failure", "0.0", "0.0", nil
		rec.CostBreakdown = nil
		rec.Error = gatewayError{Code: "429", Class: "RateLimitError", Provider: c.provider, Message: "Rate limit reached"}
		if c.kind == TimedOut {
			rec.Error = gatewayError{Code: "408", Class: "Timeout", Provider: c.provider, Message: "Connection timed out after 600.0 seconds."}
		}
		rec.ErrorText = &rec.Error.Message
	default:
		if c.id[2] == 'a' { // as other sinks of the gateway write "no"
			rec.CacheHit = "None"
		} else if c.id[2] < '8' {
			rec.CacheHit = false
		}
	}
}

// gatewayID is the id of the response; a failure has none and takes the call's.
func (c *call) gatewayID() string {
	switch {
	case c.replyID == "":
		return c.id
	case c.outcome == cacheHit:
		return c.replyID + "_cache_hit" + string(epoch(c.at.Add(c.took)))
	}
	return c.replyID
}

func (c *call) gatewayModel() string {
	switch {
	case !c.bedrock():
		return c.model
	case c.id[3]%4 == 0:
		return "bedrock/converse/" + c.model
	}
	return "bedrock/" + c.model
}

func (c *call) apiBase() string {
	if c.bedrock() {
		return "https://bedrock-runtime." + c.place.region + ".amazonaws.com"
	}
	return "https://api.openai.com"
}

// gatewayMeta is who asked, by key, team and person, and what the agent
// platform added.
func (c *call) gatewayMeta() gatewayMeta {
	email := orNil(c.email)
	if c.email == "" && c.id[4] == '0' {
		email = orNil("None")
	}
	meta := gatewayMeta{
		KeyHash: hash(c.key) + hash("key "+c.key), KeyAlias: c.key, TeamID: orNil(c.team), TeamAlias: orNil(c.team),
		UserID: orNil(c.email), Email: email, EndUserID: orNil(c.endUser), SpendLogs: note{}, Guardrails: []string{},
	}
	if c.outcome != failed {
		meta.Usage = c.gatewayUsage()
	}
	if c.id[5] == '7' {
		meta.RequesterMeta = note{"agent_id": c.agent}
	} else {
		meta.SpendLogs["agent_id"] = c.agent
	}
	if len(c.tools) > 0 {
		meta.SpendLogs["tool_calls"] = c.toolCalls()
	}
	if c.costCenter != "" {
		meta.SpendLogs["cost_center"] = c.costCenter
	}
	if c.clientRef != "" {
		meta.SpendLogs["client_ref"] = c.clientRef
	}
	return meta
}

// toolCalls is the call's use of tools in one of the three forms that
// platforms write: how many, which, or how many of which.
func (c *call) toolCalls() any {
	switch c.toolForm {
	case 0:
		return len(c.tools)
	case 1:
		return c.tools
	}
	counts := map[string]int{}
	for _, name := range c.tools {
		counts[name]++
	}
	return counts
}

// headers are those of the provider's answer that the gateway keeps.
func (c *call) headers() map[string]string {
	if !c.bedrock() && c.outcome == succeeded {
		return map[string]string{
			"llm_provider-x-request-id": "req_" + hash("request "+c.id) + hash(c.id), "x-ratelimit-remaining-requests": "9874",
			"llm_provider-openai-processing-ms": strconv.FormatInt(c.took.Milliseconds(), 10),
		}
	}
	headers := map[string]string{}
	if len(c.attempts) == 0 {
		return headers
	}
	headers["llm_provider-content-type"] = "application/json"
	if c.join != byHeader {
		return headers
	}
	name := "llm_provider-x-amzn-requestid"
	if c.id[6] == '3' {
		name = "llm_provider-X-Amzn-RequestId"
	}
	headers[name] = c.attempts[len(c.attempts)-1].requestID
	return headers
}

// gatewayResponse is the answer in the gateway's own shape.
func (c *call) gatewayResponse() any {
	return note{
		"id": c.replyID, "created": c.at.Unix(), "model": c.model, "object": "chat.completion", "system_fingerprint": nil,
		"choices": []note{{
			"finish_reason": "stop", "index": 0,
			"message": note{"content": answer, "role": "assistant", "tool_calls": nil, "function_call": nil},
		}},
		"usage": c.gatewayUsage(),
	}
}

// gatewayUsage counts as the gateway does: prompt tokens include what was read
// from and written to the provider's cache.
func (c *call) gatewayUsage() note {
	t := c.tokens
	details := note{"audio_tokens": nil, "cached_tokens": t.read, "text_tokens": nil, "image_tokens": nil}
	usage := note{
		"prompt_tokens": t.prompt(), "completion_tokens": t.output, "total_tokens": t.prompt() + t.output,
		"prompt_tokens_details": details, "completion_tokens_details": nil,
	}
	if c.bedrock() {
		details["text_tokens"] = t.fresh
		details["cache_creation_tokens"], details["cache_write_tokens"] = t.written, t.written
		details["cache_creation_token_details"] = note{"ephemeral_5m_input_tokens": t.written, "ephemeral_1h_input_tokens": 0}
		usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"] = t.written, t.read
	} else {
		usage["completion_tokens_details"] = note{"reasoning_tokens": t.output / 4, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
	}
	return usage
}

// hash gives a fixed id of 16 hex digits for a text.
func hash(text string) string { return newRandom(text).hex(8) }

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// epoch is an instant in seconds since 1970, with microseconds.
func epoch(t time.Time) json.Number {
	return json.Number(fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000))
}

func seconds(d time.Duration) json.Number {
	return json.Number(fmt.Sprintf("%d.%06d", d/time.Second, d%time.Second/time.Microsecond))
}

func decimal(a money.USD) json.Number { return json.Number(a.String()) }
