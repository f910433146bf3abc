package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Goal: this folder's table of exit codes, the shorter one of the root README, and the
// list that the command prints are true for each line.
// Method: a script walks the table, a section a line; each section ends a command with
// the line's code. This test holds the lists against each other, so that no line is
// without a section.
func TestExitCodesAreWalked(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	front, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/exitcodes.txtar")
	if err != nil {
		t.Fatal(err)
	}
	lines, codes := exitCodesOf(string(readme))
	if len(lines) < 8 {
		t.Fatalf("%d lines in the table", len(lines))
	}
	walked, _, _ := strings.Cut(string(script), "\n-- ")
	var sections []string
	parts := regexp.MustCompile(`(?m)^# (\d+: .*)$`).FindAllStringSubmatchIndex(walked, -1)
	for i, at := range parts {
		title, body := walked[at[2]:at[3]], walked[at[1]:]
		if i+1 < len(parts) {
			body = walked[at[1]:parts[i+1][0]]
		}
		sections = append(sections, title)
		code, _, _ := strings.Cut(title, ":")
		ends := fmt.Sprintf("\nexits %s chargeback ", code)
		switch code {
		case "0":
			ends = "\nexec chargeback "
		case "130":
			ends = "\ngrep ^130$ "
		}
		if !strings.Contains(body, ends) {
			t.Errorf("section %q ends no command with %s", title, code)
		}
	}
	if !slices.Equal(lines, sections) {
		t.Errorf("the README has\n  %s\nand the script walks\n  %s", strings.Join(lines, "\n  "), strings.Join(sections, "\n  "))
	}
	_, help, _ := strings.Cut(rootHelp, "Exit codes:\n")
	var helped []string
	for _, row := range regexp.MustCompile(`(?m)^ +(\d+)  `).FindAllStringSubmatch(help, -1) {
		helped = append(helped, row[1])
	}
	want := slices.Compact(codes)
	if !slices.Equal(want, helped) {
		t.Errorf("the command lists %v, the README %v", helped, want)
	}
	if _, short := exitCodesOf(string(front)); !slices.Equal(want, short) {
		t.Errorf("the root README lists %v, this folder's %v", short, want)
	}
}

// exitCodesOf reads the table of exit codes in a page: its lines, as CODE: meaning, and
// the codes alone.
func exitCodesOf(page string) (lines, codes []string) {
	_, table, _ := strings.Cut(page, "\n## Exit codes\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (.*?) \|`).FindAllStringSubmatch(table, -1) {
		lines = append(lines, row[1]+": "+row[2])
		codes = append(codes, row[1])
	}
	return lines, codes
}
