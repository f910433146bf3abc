package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Goal: a night is run for each day, in their order, over a day's requests and the
// first minutes of the day before; the last is compared with the first.
// Method: this test binary stands in for the program and lists what lies there.
func TestLater(t *testing.T) {
	t.Setenv(childLater, "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var out strings.Builder
	if err := measureLater(t.Context(), &out, dir, self, 3000, 2); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"night of 2026-10-15, 0 earlier days of 3000 requests", "night of 2026-10-17, 2 earlier days", "times the first one's time", "ledger: 0.1 bytes a request"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("printed %q, want %q in it", out.String(), want)
		}
	}
	nights, err := os.ReadFile(dir + "/nights")
	if want := "2026-10-15 4\n2026-10-16 8\n2026-10-17 12\n"; err != nil || string(nights) != want {
		t.Errorf("nights and files: %q, %v, want %q", nights, err, want)
	}
	if err := laterCommand(t.Context(), []string{"-n", "0"}); err == nil {
		t.Error("a day of no requests was taken")
	}
}

// childLater makes this test binary stand in for the program of laterCommand.
const childLater = "BENCH_TEST_CHILD_LATER"

// childNight notes the night that it is asked for, with the number of files that lie
// there, and makes a ledger.
func childNight(args []string) error {
	var date, settings string
	for i, arg := range args {
		switch arg {
		case "--date":
			date = args[i+1]
		case "--config":
			settings = args[i+1]
		}
	}
	dir := strings.TrimSuffix(settings, "/"+configFile)
	files := 0
	for _, side := range []string{"bedrock", "litellm"} {
		if err := walkFiles(dir+"/"+side, func() { files++ }); err != nil {
			return err
		}
	}
	nights, err := os.OpenFile(dir+"/nights", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	fmt.Fprintln(nights, date, files)
	if err := nights.Close(); err != nil {
		return err
	}
	return os.WriteFile(dir+"/"+ledgerFile, make([]byte, 1200), 0o600)
}

func walkFiles(dir string, found func()) error {
	return filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found()
		}
		return err
	})
}
