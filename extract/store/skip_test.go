package store_test

import (
	"testing"

	"chargeback/extract/store"
)

func TestSkip(t *testing.T) {
	const hour = "AWSLogs/123456789012/BedrockModelInvocationLogs/eu-central-1/2026/10/31/23/"
	const id = "5b7a0c3e-1111-4222-8333-944455556666"
	tests := []struct {
		name, format, key string
		sizeBytes         int64
		want              string // "" for data
	}{
		{"Bedrock log", "bedrock", hour + "20261031T235851056Z_9b86bf4994c4ab1c.json.gz", 900, ""},
		{"prompt body", "bedrock", hour + "data/" + id + "_input.json.gz", 900, "prompt or response body"},
		{"response body", "bedrock", hour + "data/" + id + "_output.json.gz", 900, "prompt or response body"},
		{"media", "bedrock", hour + "data/" + id + "_input_media_01.png", 900, "prompt or response body"},
		{"body without an ending", "bedrock", hour + "data/" + id + "_output", 900, "prompt or response body"},
		{"body at the top of the source", "bedrock", "data/" + id + "_input.json.gz", 900, "prompt or response body"},
		{"log in a folder called data", "bedrock", "data/AWSLogs/1/2026/10/31/23/20261031T235851056Z_9b86bf4994c4ab1c.json.gz", 900, ""},
		{"log directly in data", "bedrock", "data/20261031T235851056Z_9b86bf4994c4ab1c.json.gz", 900, ""},
		{"name like a body's, not in data", "bedrock", hour + id + "_input.json.gz", 900, ""},
		{"name that only begins like a body's", "bedrock", hour + "data/" + id + "_inputs.json.gz", 900, ""},
		{"body of another format", "litellm", "data/" + id + "_input.json.gz", 900, ""},
		{"permission check", "bedrock", "AWSLogs/123456789012/BedrockModelInvocationLogs/eu-central-1/amazon-bedrock-logs-permission-check", 4, "permission check"},
		{"write test of a log group's export", "bedrock", "exported/aws-logs-write-test", 27, "write test"},
		{"batch results", "bedrock-batch", "results/job1a2b3c4d5/requests.jsonl.out", 900, ""},
		{"batch results that were packed", "bedrock-batch", "results/job1a2b3c4d5/requests.jsonl.out.gz", 900, ""},
		{"batch manifest", "bedrock-batch", "results/job1a2b3c4d5/manifest.json.out", 120, "counts of the whole job"},
		{"batch manifest of another format", "openai-batch", "job1a2b3c4d5/manifest.json.out", 120, ""},
		{"batch input", "bedrock-batch", "requests/requests.jsonl", 900, "batch as it was sent"},
		{"batch results of OpenAI", "openai-batch", "batch_1_output.jsonl", 900, ""},
		{"LiteLLM record", "litellm", "team-12/2026-10-31/time-07-08-09-123456_chatcmpl-1.json", 900, ""},
		{"LiteLLM audit log", "litellm", "audit_logs/2026-10-31/a.json", 900, "audit log"},
		{"LiteLLM audit log below a path", "litellm", "proxy/audit_logs/2026-10-31/a.json", 900, "audit log"},
		{"team whose name has audit_logs in it", "litellm", "audit_logs_team/2026-10-31/a.json", 900, ""},
		{"file called audit_logs", "litellm", "2026-10-31/audit_logs", 900, ""},
		{"audit_logs of another format", "bedrock", "audit_logs/2026/10/31/a.json", 900, ""},
		{"Langfuse observations", "langfuse", "traces/clx000000project1/observations/2026-10-31T22-00-00.jsonl.gz", 900, ""},
		{"Langfuse observations of events", "langfuse", "clx000000project1/observations_v2/2026-10-31T22-00-00.csv", 900, ""},
		{"Langfuse traces", "langfuse", "clx000000project1/traces/2026-10-31T22-00-00.csv", 900, "another table"},
		{"Langfuse scores", "langfuse", "clx000000project1/scores/2026-10-31T22-00-00.json", 900, "another table"},
		{"Langfuse traces at the top of the source", "langfuse", "traces/2026-10-31T22-00-00.csv", 900, "another table"},
		{"Langfuse manifest", "langfuse", "clx000000project1/manifests/2026-10-31T22-00-00.json", 900, "export manifest"},
		{"Langfuse notice", "langfuse", "clx000000project1/DEPRECATION_NOTICE.txt", 900, "notice"},
		{"traces of another format", "openrouter", "traces/2026-10-31/gen-1-1793487580.json", 900, ""},
		{"OTLP traces", "otlp", "otel/year=2026/month=10/day=31/hour=23/minute=59/traces_123456789.json", 900, ""},
		{"OTLP logs behind a prefix", "otlp", "year=2026/month=10/day=31/hour=23/minute=59/agents-metrics_logs_123456789.json.gz", 900, ""},
		{"OTLP metrics", "otlp", "year=2026/month=10/day=31/hour=23/minute=59/metrics_123456789.json.gz", 900, "metrics"},
		{"OTLP metrics behind a prefix", "otlp", "year=2026/month=10/day=31/hour=23/minute=59/agents_metrics_019a3c5e-7a7e-7d0e-9d57-0b8a3c6f1e01.json", 900, "metrics"},
		{"name that only ends like metrics", "otlp", "year=2026/agentmetrics_1.json", 900, ""},
		{"file exporter's file called metrics", "otlp", "metrics-2026-10-31T05-02-14.173.json", 900, ""},
		{"metrics of another format", "bedrock", "metrics_123456789.json", 900, ""},
		{"people", "people", "people.csv", 900, ""},
		{"folder marker", "bedrock", "2026/10/31/", 0, "folder marker"},
		{"folder marker of Hadoop", "bedrock", "2026/10/31_$folder$", 0, "folder marker"},
		{"object with content and a slash at its end", "bedrock", "2026/10/31/", 7, ""},
		{"empty object", "litellm", "2026-10-31/time-07-08-09-123456_x.json", 0, ""},
		{"job marker", "litellm", "2026-10-31/_SUCCESS", 0, "job marker"},
		{"notice", "litellm", "export/DEPRECATION_NOTICE.txt", 300, "notice"},
		{"export manifest", "litellm", "export/manifests/2026-10-31T00-00-00.json", 300, "export manifest"},
		{"file called manifests", "litellm", "export/manifests", 300, ""},
		{"access test of AWS", "aws-cur", "exports/aws-programmatic-access-test-object", 12, "access test"},
		{"month of an AWS export", "aws-cur", "exports/ai/data/BILLING_PERIOD=2026-10/ai-00001.snappy.parquet", 300, ""},
		{"manifest of an AWS export", "aws-cur", "exports/ai/metadata/BILLING_PERIOD=2026-10/ai-Manifest.json", 300, ""},
		{"page of an API", "openai-usage", "2026-10-31/completions.json", 300, ""},
		{"hidden file", "people", ".people.csv.swp", 300, "hidden file"},
		{"file in a hidden folder", "people", "..2026_10_31/people.csv", 300, "hidden file"},
		{"name with dots inside", "people", "people.v2..csv", 300, ""},
		{"unknown format", "", "a.json", 300, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reason, skip := store.Skip(test.format, test.key, test.sizeBytes)
			if reason != test.want || skip != (test.want != "") {
				t.Errorf("Skip(%q, %q, %d) = %q, %t, want %q", test.format, test.key, test.sizeBytes, reason, skip, test.want)
			}
		})
	}
}

func FuzzSkip(f *testing.F) {
	f.Add("bedrock", "data/a_input.json.gz", int64(1))
	f.Add("litellm", "audit_logs/x", int64(0))
	f.Add("people", "/", int64(0))
	f.Fuzz(func(t *testing.T, format, key string, sizeBytes int64) {
		reason, skip := store.Skip(format, key, sizeBytes)
		if skip != (reason != "") {
			t.Errorf("Skip(%q, %q, %d) = %q, %t", format, key, sizeBytes, reason, skip)
		}
	})
}
