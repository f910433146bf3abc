package store

import (
	"regexp"
	"strings"
)

// bodyName matches the objects in which Bedrock keeps long prompts, answers
// and media: a request id, then _input or _output.
var bodyName = regexp.MustCompile(`^[0-9A-Za-z-]+_(?:input|output)(?:[._].*)?$`)

// metricsName matches the objects in which OpenTelemetry's awss3 exporter writes
// metrics, behind the file's prefix: a number, a UUID or a run of hex.
var metricsName = regexp.MustCompile(`(?:^|[^0-9A-Za-z])metrics_[0-9a-f-]+\.(?:json|binpb)(?:\.gz|\.zst)?$`)

// Skip tells by its name alone whether an object of a source's format is known
// not to be data, and why in a few words. What it doesn't know is data: a
// decoder that can't read it says so, and nothing is lost in silence.
func Skip(format, key string, sizeBytes int64) (reason string, skip bool) {
	folders, name := "", key
	if cut := strings.LastIndexByte(key, '/'); cut >= 0 {
		folders, name = key[:cut], key[cut+1:]
	}
	switch {
	case sizeBytes == 0 && (name == "" || strings.HasSuffix(name, "_$folder$")):
		return "folder marker", true
	case hasFolder(folders, func(f string) bool { return strings.HasPrefix(f, ".") }),
		strings.HasPrefix(name, "."):
		return "hidden file", true
	case name == "_SUCCESS":
		return "job marker", true
	case name == "aws-programmatic-access-test-object": // of an AWS data export that was set up
		return "access test", true
	case name == "DEPRECATION_NOTICE.txt":
		return "notice", true
	case hasFolder(folders, func(f string) bool { return f == "manifests" }):
		return "export manifest", true
	}
	switch format {
	case "bedrock":
		return skipBedrock(folders, name)
	case "bedrock-batch":
		return skipBedrockBatch(name)
	case "litellm":
		if hasFolder(folders, func(f string) bool { return f == "audit_logs" }) {
			return "audit log", true
		}
	case "langfuse":
		switch folders[strings.LastIndexByte(folders, '/')+1:] {
		case "traces", "scores":
			return "another table", true
		}
	case "otlp":
		if metricsName.MatchString(name) {
			return "metrics", true
		}
	}
	return "", false
}

func skipBedrock(folders, name string) (reason string, skip bool) {
	if strings.HasPrefix(name, "amazon-bedrock-logs-permission-check") {
		return "permission check", true
	}
	if name == "aws-logs-write-test" { // of an export of a log group
		return "write test", true
	}
	inData := folders == "data" || strings.HasSuffix(folders, "/data")
	if inData && bodyName.MatchString(name) {
		return "prompt or response body", true
	}
	return "", false
}

// skipBedrockBatch leaves out the counts of a whole job, which name no request,
// and what was sent: results end in .jsonl.out.
func skipBedrockBatch(name string) (reason string, skip bool) {
	switch {
	case name == "manifest.json.out":
		return "counts of the whole job", true
	case strings.HasSuffix(name, ".jsonl"):
		return "batch as it was sent", true
	}
	return "", false
}

// hasFolder says whether a folder on the way to the object is of a kind.
func hasFolder(folders string, kind func(string) bool) bool {
	for f := range strings.SplitSeq(folders, "/") {
		if f != "" && kind(f) {
			return true
		}
	}
	return false
}
