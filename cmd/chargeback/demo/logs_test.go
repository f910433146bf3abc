package demo

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	usageKey    = regexp.MustCompile(`^data/bedrock/AWSLogs/(\d{12})/BedrockModelInvocationLogs/([a-z0-9-]+)/(\d{4}/\d\d/\d\d/\d\d)/(\d{8}T\d{9}Z)_[0-9a-f]{16}\.json\.gz$`)
	skippedKey  = regexp.MustCompile(`/data/[^/]+_(input|output)\.json\.gz$|/amazon-bedrock-logs-permission-check$|^data/litellm/audit_logs/`)
	requestKey  = regexp.MustCompile(`^data/litellm/([a-z-]+/)?(\d{4}-\d\d-\d\d)/time-(\d\d-\d\d-\d\d-\d{6})_(.+)\.json$`)
	uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
)

// usageLine is one line of the provider's logs, as a reader sees it.
type usageLine struct {
	key  string
	last bool // of its file
	text []byte
	rec  map[string]any // nil where the text is broken
}

// requestFile is one object of the gateway.
type requestFile struct {
	key  string
	text []byte
	rec  map[string]any
}

// readLogs reads the demo's logs with nothing but their key layouts in mind.
func readLogs(t *testing.T, files fileSet) (usage []usageLine, requests []requestFile, skipped int) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(files)) { // in order of time, so originals before repeats
		content := files[key]
		switch {
		case !strings.HasPrefix(key, "data/"):
		case skippedKey.MatchString(key):
			skipped++
		case usageKey.MatchString(key):
			lines := strings.SplitAfter(string(gunzip(t, key, content)), "\n")
			lines = lines[:len(lines)-1] // after the last line end there is nothing
			for i, text := range lines {
				l := usageLine{key: key, last: i == len(lines)-1, text: []byte(text)}
				if json.Unmarshal(l.text, &l.rec) != nil {
					l.rec = nil
				}
				usage = append(usage, l)
			}
		case requestKey.MatchString(key):
			r := requestFile{key: key, text: content}
			if err := json.Unmarshal(content, &r.rec); err != nil {
				t.Errorf("%s: %v", key, err)
			}
			requests = append(requests, r)
		default:
			t.Errorf("%s fits no layout", key)
		}
	}
	return usage, requests, skipped
}

func gunzip(t *testing.T, key string, content []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return text
}

// Goal: the summary's counts are those of the files.
// Method: count again by reading the files.
func TestCounts(t *testing.T) {
	usage, requests, skipped := readLogs(t, built().files)
	want := built().sum
	var got BedrockCounts
	objects, members, texts, ids := map[string]bool{}, 0, map[string]int{}, map[string]bool{}
	for i, l := range usage {
		objects[l.key] = true
		texts[string(l.text)]++
		if l.rec == nil {
			got.BrokenLines++
			if l.last || i > 0 && usage[i-1].key != l.key {
				t.Errorf("the broken line is not in the middle of %s", l.key)
			}
			continue
		}
		if texts[string(l.text)] > 1 {
			got.RepeatedLines++
			continue
		}
		got.Records++
		id := l.rec["requestId"].(string)
		if ids[id] || !uuidPattern.MatchString(id) {
			t.Errorf("request id %s occurs twice or is no UUID", id)
		}
		ids[id] = true
		if l.rec["errorCode"] != nil {
			got.Errors++
		}
		if l.rec["modelId"] == unpriced {
			got.UnknownModel++
		}
	}
	for key := range objects {
		if bytes.Count(built().files[key], []byte{0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0}) > 1 {
			members++
		}
	}
	got.Objects, got.MultiMemberObjects = len(objects), members
	got.SkippedObjects, got.RepeatedObjects = skipped-want.LiteLLM.SkippedObjects, want.Bedrock.RepeatedObjects
	got.NextHourFolder, got.NextDayFolder, got.NextMonthFolder = countFolders(t, usage)
	if diff := cmp.Diff(want.Bedrock, got); diff != "" {
		t.Errorf("bedrock (-summary +files): %s", diff)
	}
	if got.Lines() != len(usage) || got.Lines() != want.Bedrock.Lines() {
		t.Errorf("%d lines in files, %d in the summary", len(usage), want.Bedrock.Lines())
	}
	countRequests(t, requests, want.LiteLLM)
}

// countFolders counts different records that stand in a later hour's, day's
// or month's folder than their own, and checks folder against file name.
func countFolders(t *testing.T, usage []usageLine) (hour, day, month int) {
	seen := map[string]bool{}
	for _, l := range usage {
		parts := usageKey.FindStringSubmatch(l.key)
		folder, err := time.Parse("2006/01/02/15", parts[3])
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(parts[4], folder.Format("20060102T15")) {
			t.Errorf("%s: the folder is not the hour of the name", l.key)
		}
		if l.rec == nil || seen[string(l.text)] {
			continue
		}
		seen[string(l.text)] = true
		if parts[1] != l.rec["accountId"] || parts[2] != l.rec["region"] {
			t.Errorf("%s: the record is of another account or region", l.key)
		}
		at, err := time.Parse(time.RFC3339, l.rec["timestamp"].(string))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case at.Format(time.DateOnly) != folder.Format(time.DateOnly):
			day++
		case at.Hour() != folder.Hour():
			hour++
		}
		if at.Month() != folder.Month() {
			month++
		}
	}
	return hour, day, month
}

func countRequests(t *testing.T, requests []requestFile, want LiteLLMCounts) {
	t.Helper()
	got := LiteLLMCounts{Objects: len(requests), SkippedObjects: want.SkippedObjects}
	seen := map[string]bool{}
	for _, r := range requests {
		parts := requestKey.FindStringSubmatch(r.key)
		if parts[4] != r.rec["id"] {
			t.Errorf("%s: the record's id is %v", r.key, r.rec["id"])
		}
		if team, _ := r.rec["metadata"].(map[string]any)["user_api_key_team_alias"].(string); strings.TrimSuffix(parts[1], "/") != team {
			t.Errorf("%s: the record's team is %q", r.key, team)
		}
		call := r.rec["litellm_call_id"].(string)
		if seen[call] {
			got.RepeatedObjects++
			continue
		}
		seen[call] = true
		got.Records++
		switch {
		case r.rec["status"] == "failure":
			got.Failures++
		case r.rec["cache_hit"] == true:
			got.CacheHits++
			if !strings.Contains(parts[4], "_cache_hit") || r.rec["response_cost"] != 0.0 {
				t.Errorf("%s: a cache hit with id %s at %v USD", r.key, parts[4], r.rec["response_cost"])
			}
		default:
			got.Successes++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("litellm (-summary +files): %s", diff)
	}
}

// Goal: the canary is in bodies, and only there.
// Method: take the bodies out of every record and look for it in the rest.
func TestCanaryOnlyInBodies(t *testing.T) {
	usage, requests, _ := readLogs(t, built().files)
	inBodies := 0
	check := func(key string, rec map[string]any, text []byte) {
		if !bytes.Contains(text, []byte(canary)) {
			return
		}
		inBodies++
		if rest := mustJSON(rec); bytes.Contains(rest, []byte(canary)) {
			t.Errorf("%s: the canary stands outside the bodies", key)
		}
	}
	for _, l := range usage {
		if l.rec == nil {
			if bytes.Contains(l.text, []byte(canary)) {
				t.Logf("%s: the broken line is cut off within or after a body", l.key)
			}
			continue
		}
		for side, field := range map[string]string{"input": "inputBodyJson", "output": "outputBodyJson"} {
			if m, ok := l.rec[side].(map[string]any); ok {
				delete(m, field)
			}
		}
		check(l.key, l.rec, l.text)
	}
	for _, r := range requests {
		delete(r.rec, "messages")
		if answer, ok := r.rec["response"].(map[string]any); ok {
			delete(answer, "choices")
		}
		check(r.key, r.rec, r.text)
	}
	if inBodies < 1000 {
		t.Errorf("only %d records carry the canary", inBodies)
	}
	for key, content := range built().files {
		if !strings.HasPrefix(key, "data/") && bytes.Contains(content, []byte(canary)) {
			t.Errorf("the canary stands in %s", path.Base(key))
		}
	}
}
