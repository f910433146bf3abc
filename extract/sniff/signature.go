package sniff

import (
	"bytes"
	"encoding/csv"
	"strings"

	"chargeback/extract/decode/jsonscan"
)

// The formats that have no decoder of their own name.
const (
	Mapped  = "mapped" // any JSON or CSV, by a field map
	Unknown = ""
)

// signature is what only records of one format have.
type signature struct {
	format string
	has    []string          // dotted paths that are all there
	starts map[string]string // path to how its text begins, case ignored; behind *, to what it holds, text or not
	why    string
}

// signatures of JSON records, the surest first.
func signatures() []signature {
	page := func(format, prefix, why string) (all []signature) {
		for _, at := range []string{"data.[0].results.[0].object", "results.[0].object", "object"} {
			all = append(all, signature{format, nil, map[string]string{at: prefix}, why})
		}
		return all
	}
	all := []signature{
		{"bedrock", nil, map[string]string{"schemaType": "ModelInvocationLog"}, "schemaType is ModelInvocationLog"},
		{"bedrock-batch", []string{"recordId", "modelOutput"}, nil, "records have recordId and modelOutput"},
		{"bedrock-batch", []string{"recordId", "error", "modelInput"}, nil, "records have recordId and modelInput"},
		{"openai-batch", []string{"custom_id"}, map[string]string{"id": "batch_req_"}, "records have custom_id, and an id that begins with batch_req_"},
		{"openai-batch", []string{"custom_id", "response.body"}, nil, "records have custom_id and response.body"},
		{"anthropic-batch", []string{"custom_id", "result.type"}, nil, "records have custom_id and result.type"},
		{"otlp", []string{"resourceSpans"}, nil, "OpenTelemetry spans: resourceSpans"},
		{"otlp", []string{"resourceLogs"}, nil, "OpenTelemetry log records: resourceLogs"},
		{"otlp", []string{"resourceMetrics"}, nil, "OpenTelemetry metrics: resourceMetrics, which hold no requests"},
		{"litellm", []string{"litellm_call_id", "startTime"}, nil, "records have litellm_call_id"},
		{"litellm", []string{"call_type", "startTime", "custom_llm_provider"}, nil, "records have call_type, custom_llm_provider and startTime"},
		{"portkey", []string{"ai_org", "ai_model"}, nil, "records have ai_org and ai_model"},
		{"portkey", []string{"metrics.ai_org", "metrics.ai_model"}, nil, "records have metrics with ai_org and ai_model"},
		{"portkey", []string{"internal_trace_id", "organisation_id"}, nil, "records have internal_trace_id and organisation_id"},
		{Mapped, []string{"latencies", "request.id", "response.status"}, nil, "records have latencies, a request and its response, as Kong logs them"},
		{"portkey", []string{"request.headers", "response.headers"}, nil, "records have the headers of a request and its response"},
		{"langfuse", []string{"provided_model_name"}, nil, "records have provided_model_name"},
		{"langfuse", []string{"traceId", "type", "usageDetails"}, nil, "records have traceId, type and usageDetails"},
		{"langfuse", []string{"trace_id", "type", "usage_details"}, nil, "records have trace_id, type and usage_details"},
		{"litellm", []string{"data.[0].call_type", "data.[0].startTime", "data.[0].request_id"}, nil, "a page of records with request_id, call_type and startTime"},
		{"portkey", []string{"data.[0].ai_org", "data.[0].ai_model"}, nil, "a page of records with ai_org and ai_model"},
		{"langfuse", []string{"data.[0].traceId", "data.[0].type", "data.[0].startTime"}, nil, "a page of records with traceId, type and startTime"},
		{"langfuse", []string{"data.[0].trace_id", "data.[0].type", "data.[0].usage_details"}, nil, "a page of records with trace_id, type and usage_details"},
		{"openrouter", []string{"observations"}, nil, "records have observations"},
		{"openrouter", []string{"native_tokens_prompt"}, nil, "records have native_tokens_prompt"},
	}
	all = append(all, wrapped()...)
	all = append(all, google()...)
	all = append(all, page("openai-usage", "organization.usage.", "results are organization.usage...")...)
	all = append(all, page("openai-costs", "organization.costs.", "results are organization.costs...")...)
	for _, at := range []string{"data.[0].results.[0].", "results.[0].", ""} {
		all = append(all,
			signature{"anthropic-usage", []string{at + "uncached_input_tokens"}, nil, "results have uncached_input_tokens"},
			signature{"anthropic-costs", []string{at + "amount", at + "cost_type"}, nil, "results have amount and cost_type"})
	}
	return append(all, []signature{
		{"scim", []string{"Resources"}, nil, "a SCIM list: Resources"},
		{"scim", nil, map[string]string{"schemas.[0]": "urn:ietf:params:scim:"}, "schemas are SCIM's"},
		{"scim", []string{"userName", "active"}, nil, "records have userName and active"},
		{"google", nil, map[string]string{"kind": "admin#directory#users"}, "kind is admin#directory#users"},
		{"google", []string{"users.[0].primaryEmail"}, nil, "a page of users with primaryEmail"},
		{"google", []string{"primaryEmail", "suspended"}, nil, "records have primaryEmail and suspended"},
		{"entra", []string{"value.[0].userPrincipalName"}, nil, "a page of Microsoft Graph with userPrincipalName"},
		{"entra", []string{"value.[0].mail", "value.[0].accountEnabled"}, nil, "a page of Microsoft Graph with mail and accountEnabled"},
		{"entra", []string{"userPrincipalName"}, nil, "records have userPrincipalName"},
		{"okta", []string{"users.[0].profile.login"}, nil, "a page of users with profile.login"},
		{"okta", []string{"profile.login"}, nil, "records have profile.login"},
		{"okta", []string{"login", "costCenter"}, nil, "records have login and costCenter"},
		{"workday", []string{"Report_Entry"}, nil, "a Workday report: Report_Entry"},
	}...)
}

// wrapped are the signatures of records in what a log service wraps them in.
func wrapped() (all []signature) {
	for place, why := range map[string]string{
		"logEvents": "CloudWatch's envelopes of records",
		"events":    "events of CloudWatch with records",
		"@message":  "rows of CloudWatch Logs Insights with records",
		"message":   "messages that are records",
	} {
		all = append(all, signature{"bedrock", nil, map[string]string{place: "*ModelInvocationLog"}, why + " whose schemaType is ModelInvocationLog"})
	}
	return all
}

// google are the signatures of what Google metered.
func google() []signature {
	return []signature{
		{"vertex", []string{"full_response", "logging_time"}, nil, "rows have full_response and logging_time"},
		{"vertex", []string{"fullResponse", "loggingTime"}, nil, "rows have fullResponse and loggingTime"},
		{"vertex", []string{"response_payload", "logging_time"}, nil, "rows have response_payload and logging_time"},
		{"vertex", []string{"responsePayload", "loggingTime"}, nil, "rows have responsePayload and loggingTime"},
		{"vertex", []string{"response.usageMetadata", "processed_time"}, nil, "lines have processed_time and response.usageMetadata"},
		{"gemini", []string{"response.usageMetadata"}, nil, "records have response.usageMetadata"},
		{"gemini", []string{"response.usage_metadata"}, nil, "records have response.usage_metadata"},
		{"gemini", []string{"usageMetadata.totalTokenCount"}, nil, "records have usageMetadata"},
		{"gemini", []string{"usage_metadata.total_token_count"}, nil, "records have usage_metadata"},
	}
}

// header is what only CSV files of one format have in their first line.
type header struct {
	format  string
	columns []string // lower case; * is any text
	why     string
}

func headers() []header {
	return []header{
		{"people", []string{"email", "department", "cost_center", "valid_from"}, "the columns are email, department, cost_center and valid_from"},
		{"entra", []string{"userprincipalname"}, "a column is userPrincipalName"},
		{"google", []string{"email address*", "org unit path*"}, "columns are Email Address and Org Unit Path"},
		{"google", []string{"employee id*", "manager email*"}, "columns are Employee ID and Manager Email"},
		{"okta", []string{"login", "costcenter"}, "columns are login and costCenter"},
		{"okta", []string{"user status", "login"}, "columns are User Status and Login"},
		{"workday", []string{"worker", "cost center*"}, "columns are Worker and Cost Center..."},
		{"workday", []string{"cost_center_id"}, "a column is Cost_Center_ID"},
		{"workday", []string{"email - work"}, "a column is Email - Work"},
		{"workday", []string{"email - primary work"}, "a column is Email - Primary Work"},
		{"workday", []string{"email_-_work"}, "a column is Email_-_Work"},
		{"langfuse", []string{"provided_model_name"}, "a column is provided_model_name"},
		{"langfuse", []string{"trace_id", "usage_details"}, "columns are trace_id and usage_details"},
		{"aws-cur", []string{"line_item_usage_type"}, "a column is line_item_usage_type"},
		{"focus", []string{"billedcost", "chargeperiodstart"}, "columns are BilledCost and ChargePeriodStart"},
		{"openai-costs", []string{"start_time", "amount_value"}, "columns are start_time and amount_value"},
		{"openai-usage", []string{"start_time", "num_model_requests"}, "columns are start_time and num_model_requests"},
		{"anthropic-costs", []string{"usage_date_utc", "cost_usd"}, "columns are usage_date_utc and cost_usd"},
		{"anthropic-usage", []string{"usage_date_utc", "usage_*"}, "columns are usage_date_utc and usage_..."},
		{"litellm", []string{"request_id", "call_type", "spend"}, "columns are request_id, call_type and spend"},
	}
}

// rules are the signatures, compiled.
type rules struct {
	all   []signature
	paths map[string]int
	spec  *jsonscan.Spec
}

func newRules() (*rules, error) {
	r := &rules{all: signatures(), paths: map[string]int{}}
	var paths []jsonscan.Path
	want := func(dotted string) {
		if _, known := r.paths[dotted]; !known {
			r.paths[dotted] = len(paths)
			paths = append(paths, jsonscan.ParsePath(dotted))
		}
	}
	for _, s := range r.all {
		for _, path := range s.has {
			want(path)
		}
		for path := range s.starts {
			want(path)
		}
	}
	var err error
	r.spec, err = jsonscan.Compile(paths)
	return r, err
}

// match names the format of a record, by the first signature that it has.
func (r *rules) match(v []jsonscan.Value) (Guess, bool) {
	for _, s := range r.all {
		fits := true
		for _, path := range s.has {
			fits = fits && v[r.paths[path]].Kind != jsonscan.Absent
		}
		for path, prefix := range s.starts {
			text := v[r.paths[path]]
			if held, anywhere := strings.CutPrefix(prefix, "*"); anywhere {
				fits = fits && bytes.Contains(text.Raw, []byte(held))
				continue
			}
			fits = fits && text.Kind == jsonscan.String && len(text.Raw) >= len(prefix) && strings.EqualFold(string(text.Raw[:len(prefix)]), prefix)
		}
		if fits {
			return Guess{Format: s.format, Why: s.why}, true
		}
	}
	return Guess{}, false
}

// matchHeader names the format of a CSV file by its first line. Columns that
// nobody knows are taken for some only where the second line has as many.
func matchHeader(text []byte) (Guess, bool) {
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	second, _, _ := bytes.Cut(rest, []byte("\n"))
	if bytes.IndexByte(line, 0) >= 0 {
		return Guess{}, false
	}
	cells := columnsOf(line)
	for _, h := range headers() {
		fits := true
		for _, want := range h.columns {
			found := false
			for _, cell := range cells {
				prefix, open := strings.CutSuffix(want, "*")
				found = found || cell == want || open && strings.HasPrefix(cell, prefix)
			}
			fits = fits && found
		}
		if fits {
			return Guess{Format: h.format, Why: h.why}, true
		}
	}
	return Guess{Format: Mapped, Why: "a CSV file with columns of its own"}, len(cells) > 1 && len(cells) == len(columnsOf(second))
}

// columnsOf are the names in a CSV file's first line, in lower case.
func columnsOf(line []byte) (cells []string) {
	line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
	r := csv.NewReader(bytes.NewReader(line))
	r.LazyQuotes = true
	for _, comma := range []rune{',', ';', '\t'} {
		r.Comma = comma
		if row, err := r.Read(); err == nil && len(row) > 1 {
			for _, cell := range row {
				cells = append(cells, strings.ToLower(strings.TrimSpace(cell)))
			}
			return cells
		}
		r = csv.NewReader(bytes.NewReader(line))
		r.LazyQuotes = true
	}
	return nil
}
