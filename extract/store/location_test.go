package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/extract/store"
)

func TestParseURL(t *testing.T) {
	file := func(path string) store.Location { return store.Location{Scheme: "file", Path: path} }
	s3 := func(bucket, prefix string) store.Location {
		return store.Location{Scheme: "s3", Bucket: bucket, Prefix: prefix}
	}
	tests := []struct {
		url  string
		want store.Location
		text string
	}{
		{"file:data/bedrock", file("data/bedrock"), "file:data/bedrock"},
		{"file:./data//bedrock/", file("data/bedrock"), "file:data/bedrock"},
		{"file:../up", file("../up"), "file:../up"},
		{"file:.", file("."), "file:."},
		{"file:/var/logs/", file("/var/logs"), "file:/var/logs"},
		{"file:///var/logs", file("/var/logs"), "file:/var/logs"},
		{"file:people 100%.csv", file("people 100%.csv"), "file:people 100%.csv"},
		{"s3://example-logs", s3("example-logs", ""), "s3://example-logs"},
		{"s3://example-logs/", s3("example-logs", ""), "s3://example-logs"},
		{"s3://example-logs/bedrock/prod/", s3("example-logs", "bedrock/prod"), "s3://example-logs/bedrock/prod"},
		{"s3://example-logs//slash", s3("example-logs", "/slash"), "s3://example-logs//slash"},
		{"s3://example-logs/slash//", s3("example-logs", "slash/"), "s3://example-logs/slash//"},
		{"s3://logs.example.com/a b+c%20@d:e#f", s3("logs.example.com", "a b+c%20@d:e#f"), "s3://logs.example.com/a b+c%20@d:e#f"},
	}
	for _, test := range tests {
		t.Run(test.url, func(t *testing.T) {
			got, err := store.ParseURL(test.url)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("location (-want +got):\n%s", diff)
			}
			if got.String() != test.text {
				t.Errorf("String() = %q, want %q", got, test.text)
			}
		})
	}
}

func TestParseURLRefuses(t *testing.T) {
	tests := []struct{ name, url, want string }{
		{"empty", "", "write file:PATH or s3://bucket/prefix"},
		{"plain path", "data/bedrock", "write file:PATH or s3://bucket/prefix"},
		{"Windows path", `C:\data`, "write file:PATH or s3://bucket/prefix"},
		{"other cloud", "gs://bucket/prefix", `unknown scheme "gs"`},
		{"capitals", "S3://example-logs/x", `unknown scheme "S3"`},
		{"file without a path", "file:", "file: has no path"},
		{"file with a host", "file://data/bedrock", "write file:data/logs or file:///data/logs"},
		{"file with a NUL", "file:a\x00b", "NUL"},
		{"s3 without slashes", "s3:example-logs", "takes two slashes"},
		{"no bucket", "s3://", `"" is not a bucket name`},
		{"no bucket but a prefix", "s3:///prefix", `"" is not a bucket name`},
		{"short bucket", "s3://ab/x", "is not a bucket name"},
		{"long bucket", "s3://" + strings.Repeat("a", 64), "is not a bucket name"},
		{"capital in the bucket", "s3://Example/x", "is not a bucket name"},
		{"underscore in the bucket", "s3://example_logs/x", "is not a bucket name"},
		{"dots in the bucket", "s3://example..logs", "is not a bucket name"},
		{"hyphen at the end", "s3://example-/x", "is not a bucket name"},
		{"credentials", "s3://KEYID:top-secret@example-logs/x", "set keys and endpoint beside the URL"},
		{"port", "s3://localhost:9000/x", "set keys and endpoint beside the URL"},
		{"options", "s3://example-logs/x?secret=top-secret", "set options beside the URL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := store.ParseURL(test.url)
			if err == nil {
				t.Fatalf("parsed as %+v", got)
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "top-secret") {
				t.Errorf("error %q, want %q and no secret", err, test.want)
			}
		})
	}
}

func FuzzParseURL(f *testing.F) {
	for _, url := range []string{"file:data", "file:///x", "file:.", "s3://example-logs/a/b", "s3://example-logs//", "s3://a@b", "x"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		location, err := store.ParseURL(url)
		if err != nil {
			return
		}
		again, err := store.ParseURL(location.String())
		if err != nil || again != location {
			t.Errorf("%q is %+v, which reads back as %+v (error %v)", url, location, again, err)
		}
		if folder, name := location.SplitFile(); name != "" && strings.Contains(name, "/") {
			t.Errorf("%q is file %q in %v", url, name, folder)
		}
	})
}

func TestLocationIn(t *testing.T) {
	for url, want := range map[string]string{
		"file:data/bedrock":   "file:/etc/chargeback/data/bedrock",
		"file:.":              "file:/etc/chargeback",
		"file:../logs":        "file:/etc/logs",
		"file:/var/logs":      "file:/var/logs",
		"s3://example-logs/x": "s3://example-logs/x",
	} {
		if got := parse(t, url).In("/etc/chargeback").String(); got != want {
			t.Errorf("%s in /etc/chargeback is %s, want %s", url, got, want)
		}
	}
}

func TestSplitFile(t *testing.T) {
	tests := []struct{ url, folder, name string }{
		{"file:people.csv", "file:.", "people.csv"},
		{"file:data/people.csv", "file:data", "people.csv"},
		{"file:/people.csv", "file:/", "people.csv"},
		{"file:/", "file:/", ""},
		{"file:.", "file:.", ""},
		{"file:..", "file:..", ""},
		{"s3://example-hr/people.csv", "s3://example-hr", "people.csv"},
		{"s3://example-hr/exports/people.csv", "s3://example-hr/exports", "people.csv"},
		{"s3://example-hr", "s3://example-hr", ""},
	}
	for _, test := range tests {
		folder, name := parse(t, test.url).SplitFile()
		if filepath.ToSlash(folder.String()) != test.folder || name != test.name {
			t.Errorf("%s is %q in %s, want %q in %s", test.url, name, folder, test.name, test.folder)
		}
	}
}

func parse(t *testing.T, url string) store.Location {
	t.Helper()
	location, err := store.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	return location
}
