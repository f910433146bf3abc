package decode

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// batchOptions are those of a bucket of Bedrock's batch results.
func batchOptions() BatchOptions {
	return BatchOptions{
		BatchDefaults: BatchDefaults{Model: "anthropic.claude-haiku-4-5-20251001-v1:0", Account: "111122223333", Region: "us-east-1", Caller: "arn:aws:iam::111122223333:role/batch", CostCenter: "00420"},
		ClientRef:     []string{"modelInput.metadata.user_id"},
	}
}

func bedrockBatch(t testing.TB, o BatchOptions) *BedrockBatch {
	t.Helper()
	f, err := NewBedrockBatch(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func openaiBatch(t testing.TB, o BatchOptions) *OpenAIBatch {
	t.Helper()
	f, err := NewOpenAIBatch(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func anthropicBatch(t testing.TB, o BatchOptions) *AnthropicBatch {
	t.Helper()
	f, err := NewAnthropicBatch(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// batchObjectOf is an object of a key that was written on 2026-11-02.
func batchObjectOf(key string) Origin {
	return Origin{ID: 1, Key: key, Modified: time.Date(2026, time.November, 2, 3, 4, 5, 0, time.UTC)}
}

const (
	bedrockBatchLine   = `{"recordId":"CALL0000001","modelInput":{"metadata":{"user_id":"u1"}},"modelOutput":{"id":"msg_1","model":"claude-haiku-4-5","usage":{"input_tokens":10,"output_tokens":2}}}`
	openaiBatchLine    = `{"id":"batch_req_1","custom_id":"t1","response":{"status_code":200,"request_id":"req_1","body":{"id":"chatcmpl-1","created":1793570380,"model":"gpt-4o","usage":{"prompt_tokens":10,"completion_tokens":2}}}}`
	anthropicBatchLine = `{"custom_id":"t1","result":{"type":"succeeded","message":{"id":"msg_1","model":"claude-sonnet-4-5","usage":{"input_tokens":10,"output_tokens":2}}}}`
)

// one decodes an object of one line that gives one row.
func one(t *testing.T, format Format, object Origin, line string) map[string]string {
	t.Helper()
	l := loadFrom(berlin(t), format, object, strings.NewReader(line))
	if len(l.rows) != 1 || l.err != nil {
		t.Fatalf("%s: %d rows, rejects %v, error %v", object.Key, len(l.rows), l.rejects, l.err)
	}
	return l.rows[0]
}

func TestBatchOptionsAreChecked(t *testing.T) {
	tests := []struct {
		name string
		jobs []BatchJob
		want string // "" where they are fine
	}{
		{"none", nil, ""},
		{"two", []BatchJob{{ID: "a"}, {ID: "b", StartedAt: "2026-10-31T23:59:40+01:00"}}, ""},
		{"no id", []BatchJob{{ID: "a"}, {}}, "jobs[1].id: is missing"},
		{"twice", []BatchJob{{ID: "a"}, {ID: "a"}}, `jobs[1].id: "a" is listed twice`},
		{"twice, once as ARN", []BatchJob{{ID: "a1b2c3d4e5f6"}, {ID: "arn:aws:bedrock:us-east-1:111122223333:model-invocation-job/a1b2c3d4e5f6"}}, `jobs[1].id: "a1b2c3d4e5f6" is listed twice`},
		{"another ARN", []BatchJob{{ID: "arn:aws:bedrock:us-east-1:111122223333:inference-profile/x"}}, "is neither a job's id nor a Bedrock job's ARN"},
		{"no time", []BatchJob{{ID: "a", StartedAt: "2026-10-31"}}, `jobs[0].started_at: "2026-10-31" is not a time such as`},
		{"a time before all models", []BatchJob{{ID: "a", StartedAt: "1999-10-31T00:00:00Z"}}, "of the years 2015 to 2100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := BatchOptions{Jobs: tt.jobs}
			_, bedrockErr := NewBedrockBatch(o)
			_, openaiErr := NewOpenAIBatch(o)
			_, anthropicErr := NewAnthropicBatch(o)
			for _, err := range []error{bedrockErr, openaiErr, anthropicErr} {
				if got := fmt.Sprint(err); (err == nil) != (tt.want == "") || !strings.Contains(got, tt.want) && tt.want != "" {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			}
		})
	}
	if _, err := NewBedrockBatch(BatchOptions{ClientRef: []string{"modelInput..id"}}); err == nil {
		t.Error("a path without a key is taken")
	}
}

// Goal: an object belongs to the job whose id is a word of its key.
func TestHasWord(t *testing.T) {
	tests := []struct {
		s, word string
		want    bool
	}{
		{"results/abc123/in.jsonl.out", "abc123", true},
		{"abc123", "abc123", true},
		{"batch_abc123_output.jsonl", "batch_abc123", true},
		{"xabc123/abc123", "abc123", true},
		{"results/abc1234/in", "abc123", false},
		{"results/Zabc123/in", "abc123", false},
		{"results/ABC123/in", "abc123", false},
		{"", "abc123", false},
	}
	for _, tt := range tests {
		if got := hasWord(tt.s, tt.word); got != tt.want {
			t.Errorf("hasWord(%q, %q) = %v", tt.s, tt.word, got)
		}
	}
}

// Goal: what the options know of a job reaches its lines and no others.
// Method: one decoder reads objects of several jobs, one after the other.
func TestBatchJobsByObject(t *testing.T) {
	o := batchOptions()
	o.Jobs = []BatchJob{
		{ID: "arn:aws:bedrock:eu-west-1:444455556666:model-invocation-job/aaaabbbbcccc", BatchDefaults: BatchDefaults{Model: "amazon.nova-lite-v1:0", AgentID: "summary"}, StartedAt: "2026-10-31T23:30:00Z"},
		{ID: "monthly", BatchDefaults: BatchDefaults{CostCenter: "CC-1001", Caller: "batch-user"}, ClientRef: "run-7"},
		{ID: "monthly-eu", BatchDefaults: BatchDefaults{Account: "777788889999", Region: "eu-central-1"}},
	}
	const wrote = "2026-11-02T03:04:05Z"
	tests := []struct {
		key                                                              string
		id, model, account, region, caller, costCenter, agent, ref, time string
	}{
		{"a/zzzz99998888/in.jsonl.out", "zzzz99998888", o.Model, o.Account, o.Region, o.Caller, o.CostCenter, null, "u1", wrote},
		{"a/aaaabbbbcccc/in.jsonl.out", "aaaabbbbcccc", "amazon.nova-lite-v1:0", "444455556666", "eu-west-1", o.Caller, o.CostCenter, "summary", "u1", "2026-10-31T23:30:00Z"},
		{"monthly/in.jsonl.out", "monthly", o.Model, o.Account, o.Region, "batch-user", "CC-1001", null, "run-7", wrote},
		{"monthly-eu/in.jsonl.out", "monthly-eu", o.Model, "777788889999", "eu-central-1", o.Caller, o.CostCenter, null, "u1", wrote},
		{"a/zzzz99998888/part/in.jsonl.out", "zzzz99998888", o.Model, o.Account, o.Region, o.Caller, o.CostCenter, null, "u1", wrote},
		{"a/weekly/in.jsonl.out", "weekly", o.Model, o.Account, o.Region, o.Caller, o.CostCenter, null, "u1", wrote},
	}
	format := bedrockBatch(t, o)
	decoder := format.Decoder(berlin(t))
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			row := one(t, decodeWith{format, decoder}, batchObjectOf(tt.key), bedrockBatchLine)
			for column, want := range map[string]string{
				"provider_request_id": tt.id + "/CALL0000001", "model": tt.model, "account": tt.account, "region": tt.region, "caller": tt.caller,
				"cost_center": tt.costCenter, "agent_id": tt.agent, "client_ref": tt.ref, "started_at": tt.time, "service_tier": "batch",
			} {
				if row[column] != want {
					t.Errorf("%s: got %s, want %s", column, row[column], want)
				}
			}
		})
	}
}

// decodeWith is a format whose only decoder is used again and again.
type decodeWith struct {
	Format
	decoder Decoder
}

func (d decodeWith) Decoder(Env) Decoder { return d.decoder }

// Goal: results that lie in no job's folder are not read, because the record
// ids of two jobs may be the same.
func TestBedrockBatchNeedsTheJob(t *testing.T) {
	for _, key := range []string{"in.jsonl.out", "/in.jsonl.out", ""} {
		l := loadFrom(berlin(t), bedrockBatch(t, batchOptions()), batchObjectOf(key), strings.NewReader(bedrockBatchLine))
		if len(l.rows) != 0 || l.err == nil || !strings.Contains(l.err.Error(), "let the source's prefix end above the jobs' folders") {
			t.Errorf("%q: %d rows, error %v", key, len(l.rows), l.err)
		}
	}
}

// Goal: a second copy of a line is the same record, and another line is not.
func TestBatchNaturalKeys(t *testing.T) {
	type at struct{ key, line string }
	bedrock := bedrockBatch(t, batchOptions())
	openai, anthropic := openaiBatch(t, BatchOptions{}), anthropicBatch(t, BatchOptions{})
	expired := `{"custom_id":"t1","result":{"type":"expired"}}`
	azure := strings.Replace(openaiBatchLine, `"id":"batch_req_1",`, "", 1)
	tests := []struct {
		name         string
		format       Format
		first, other at
		same         bool
	}{
		{"bedrock, copied", bedrock, at{"aaaabbbbcccc/x", bedrockBatchLine}, at{"copy/aaaabbbbcccc/y", bedrockBatchLine}, true},
		{"bedrock, another job", bedrock, at{"aaaabbbbcccc/x", bedrockBatchLine}, at{"ddddeeeeffff/x", bedrockBatchLine}, false},
		{"bedrock, another record", bedrock, at{"aaaabbbbcccc/x", bedrockBatchLine}, at{"aaaabbbbcccc/x", strings.Replace(bedrockBatchLine, "0001", "0002", 1)}, false},
		{"openai, copied", openai, at{"x", openaiBatchLine}, at{"y", openaiBatchLine}, true},
		{"openai, another line", openai, at{"x", openaiBatchLine}, at{"x", strings.Replace(openaiBatchLine, "batch_req_1", "batch_req_2", 1)}, false},
		{"azure, copied", openai, at{"x", azure}, at{"y", azure}, true},
		{"azure, another request", openai, at{"x", azure}, at{"x", strings.Replace(azure, "req_1", "req_2", 1)}, false},
		{"an id is of its own kind", openai, at{"x", azure}, at{"x", strings.Replace(openaiBatchLine, "batch_req_1", "req_1", 1)}, false},
		{"anthropic, copied", anthropic, at{"x", anthropicBatchLine}, at{"y", anthropicBatchLine}, true},
		{"anthropic, another message", anthropic, at{"x", anthropicBatchLine}, at{"x", strings.Replace(anthropicBatchLine, "msg_1", "msg_2", 1)}, false},
		{"anthropic, not served, another batch", anthropic, at{"x", expired}, at{"y", expired}, false},
		{"anthropic, not served, read again", anthropic, at{"x", expired}, at{"x", expired}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := one(t, tt.format, batchObjectOf(tt.first.key), tt.first.line), one(t, tt.format, batchObjectOf(tt.other.key), tt.other.line)
			if same := a["record_key"] == b["record_key"]; same != tt.same {
				t.Errorf("same key: %v, want %v", same, tt.same)
			}
		})
	}
}

// Goal: a line's time is its own, else the job's start, else when the object was
// written; a store that doesn't tell is no reason to make one up.
func TestBatchTimes(t *testing.T) {
	jobs := []BatchJob{{ID: "aaaabbbbcccc", StartedAt: "2026-10-31T23:30:00Z"}}
	formats := map[string]Format{
		bedrockBatchLine:   bedrockBatch(t, BatchOptions{Jobs: jobs}),
		anthropicBatchLine: anthropicBatch(t, BatchOptions{Jobs: jobs}),
		`{"id":"batch_req_1","custom_id":"t1","error":{"code":"batch_expired"}}`: openaiBatch(t, BatchOptions{Jobs: jobs}),
	}
	for line, format := range formats {
		t.Run(format.Name(), func(t *testing.T) {
			if row := one(t, format, batchObjectOf("aaaabbbbcccc/x"), line); row["started_at"] != "2026-10-31T23:30:00Z" || row["usage_date"] != "2026-11-01" {
				t.Errorf("of a job: %s, %s", row["started_at"], row["usage_date"])
			}
			if row := one(t, format, batchObjectOf("other/x"), line); row["started_at"] != "2026-11-02T03:04:05Z" {
				t.Errorf("of no job: %s", row["started_at"])
			}
			l := loadFrom(berlin(t), format, Origin{Key: "other/x"}, strings.NewReader(line))
			if len(l.rows) != 0 || len(l.rejects) != 1 || !strings.Contains(l.rejects[0].Reason, "give the job's started_at") {
				t.Errorf("of a store that doesn't tell: %d rows, %v", len(l.rows), l.rejects)
			}
		})
	}
	if row := one(t, openaiBatch(t, BatchOptions{Jobs: jobs}), batchObjectOf("aaaabbbbcccc/x"), openaiBatchLine); row["started_at"] != "2026-11-01T21:59:40Z" {
		t.Errorf("an answer's own time: %s", row["started_at"])
	}
}

// Goal: Bedrock's prices are of the model that the operator names, the others'
// of the model that answered.
func TestBatchModels(t *testing.T) {
	named := BatchOptions{BatchDefaults: BatchDefaults{Model: "named"}}
	without := func(line string) string {
		for _, model := range []string{`"model":"claude-haiku-4-5",`, `"model":"gpt-4o",`, `"model":"claude-sonnet-4-5",`} {
			line = strings.Replace(line, model, "", 1)
		}
		return line
	}
	tests := []struct {
		name   string
		format Format
		line   string
		want   string // "" for a reject
	}{
		{"bedrock, named", bedrockBatch(t, named), bedrockBatchLine, "named"},
		{"bedrock, told", bedrockBatch(t, BatchOptions{}), bedrockBatchLine, "claude-haiku-4-5"},
		{"bedrock, neither", bedrockBatch(t, BatchOptions{}), without(bedrockBatchLine), ""},
		{"bedrock, not served", bedrockBatch(t, BatchOptions{}), `{"recordId":"CALL0000001","error":{"errorCode":400}}`, "unknown"},
		{"openai, named", openaiBatch(t, named), without(openaiBatchLine), "named"},
		{"openai, told", openaiBatch(t, named), openaiBatchLine, "gpt-4o"},
		{"openai, neither", openaiBatch(t, BatchOptions{}), without(openaiBatchLine), ""},
		{"anthropic, named", anthropicBatch(t, named), without(anthropicBatchLine), "named"},
		{"anthropic, told", anthropicBatch(t, named), anthropicBatchLine, "claude-sonnet-4-5"},
		{"anthropic, neither", anthropicBatch(t, BatchOptions{}), without(anthropicBatchLine), ""},
		{"anthropic, not served", anthropicBatch(t, named), `{"custom_id":"t1","result":{"type":"canceled"}}`, "named"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			object := batchObjectOf("aaaabbbbcccc/x")
			if tt.want != "" {
				if row := one(t, tt.format, object, tt.line); row["model"] != tt.want {
					t.Errorf("got %s, want %s", row["model"], tt.want)
				}
				return
			}
			l := loadFrom(berlin(t), tt.format, object, strings.NewReader(tt.line))
			if len(l.rows) != 0 || len(l.rejects) != 1 || !strings.HasSuffix(l.rejects[0].Reason, "model: is missing; name the model in the source's options or in the job's entry") {
				t.Errorf("%d rows, %v", len(l.rows), l.rejects)
			}
		})
	}
}

// Goal: who is paid, and whose request a line was, can be named.
func TestBatchProvidersAndReferences(t *testing.T) {
	azure := openaiBatch(t, BatchOptions{Provider: "azure", ClientRef: []string{"response.body.metadata.ref", "custom_id"}})
	if row := one(t, azure, batchObjectOf("x"), openaiBatchLine); row["provider"] != "azure" || row["client_ref"] != "t1" {
		t.Errorf("got %s, %s", row["provider"], row["client_ref"])
	}
	told := strings.Replace(openaiBatchLine, `"model"`, `"metadata":{"ref":"r-9"},"model"`, 1)
	if row := one(t, azure, batchObjectOf("x"), told); row["client_ref"] != "r-9" {
		t.Errorf("got %s", row["client_ref"])
	}
	vertex := anthropicBatch(t, BatchOptions{Provider: "vertex_ai", Jobs: []BatchJob{{ID: "msgbatch_1", ClientRef: "run-7"}}})
	if row := one(t, vertex, batchObjectOf("msgbatch_1_results.jsonl"), anthropicBatchLine); row["provider"] != "vertex_ai" || row["client_ref"] != "run-7" {
		t.Errorf("got %s, %s", row["provider"], row["client_ref"])
	}
	gov := BatchOptions{Provider: "bedrock-gov"}
	if row := one(t, bedrockBatch(t, gov), batchObjectOf("aaaabbbbcccc/x"), bedrockBatchLine); row["provider"] != "bedrock-gov" {
		t.Errorf("got %s", row["provider"])
	}
}
