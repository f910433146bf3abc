package main

import (
	"os"
	"regexp"
	"runtime/debug"
	"testing"
)

func TestVersionOf(t *testing.T) {
	for _, row := range []struct {
		name     string
		settings []debug.BuildSetting
		want     string
	}{
		{"go run", nil, release},
		{"clean", []debug.BuildSetting{{Key: "vcs.revision", Value: "1b4d623a0c5e99"}, {Key: "vcs.time", Value: "2026-12-01T10:00:00Z"}, {Key: "vcs.modified", Value: "false"}},
			release + " (revision 1b4d623a0c5e of 2026-12-01T10:00:00Z)"},
		{"changed", []debug.BuildSetting{{Key: "vcs.revision", Value: "1b4d"}, {Key: "vcs.modified", Value: "true"}},
			release + " (revision 1b4d, with changes that are not committed)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := versionOf(row.settings); got != row.want {
				t.Errorf("version %q, want %q", got, row.want)
			}
		})
	}
}

// Goal: --version tells a release that the changelog describes.
// Method: the first heading with a number and a date in CHANGELOG.md is that of release,
// and what has not been released stands before it.
func TestReleaseIsInTheChangelog(t *testing.T) {
	text, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	headings := regexp.MustCompile(`(?m)^## \[(.+?)\](?: - ([0-9]{4}-[0-9]{2}-[0-9]{2}))?$`).FindAllStringSubmatch(string(text), -1)
	if len(headings) < 2 || headings[0][1] != "Unreleased" || headings[1][1] != release || headings[1][2] == "" {
		t.Errorf("CHANGELOG.md begins with %q, want [Unreleased] and then [%s] with its date", headings, release)
	}
}
