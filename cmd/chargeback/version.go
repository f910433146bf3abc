package main

import "runtime/debug"

// release is the newest version that CHANGELOG.md describes. A build from a later
// state tells its revision beside it.
const release = "0.1.0"

// revisionLength is how much of a revision is shown: enough to find it by.
const revisionLength = 12

// version is the release and, where the program was built from a repository (go build
// and go install, not go run), the revision: 0.1.0 (revision 1b4d623a0c5e of
// 2026-12-01T10:00:00Z, with changes that are not committed).
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	return versionOf(info.Settings)
}

func versionOf(settings []debug.BuildSetting) string {
	vcs := map[string]string{}
	for _, setting := range settings {
		vcs[setting.Key] = setting.Value
	}
	revision := vcs["vcs.revision"]
	if revision == "" {
		return release
	}
	text := release + " (revision " + revision[:min(len(revision), revisionLength)]
	if at := vcs["vcs.time"]; at != "" {
		text += " of " + at
	}
	if vcs["vcs.modified"] == "true" {
		text += ", with changes that are not committed"
	}
	return text + ")"
}
