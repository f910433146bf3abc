package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Goal: the worked examples of the format mapped are those that a script runs.
// Method: each block of them in extract/README.md stands in the script as it is.
func TestWorkedExamples(t *testing.T) {
	readme, err := os.ReadFile("../../extract/README.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/mapped.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n**mapped**")
	section, _, _ = strings.Cut(section, "\n**people**")
	blocks := regexp.MustCompile("(?s)```[a-z]+\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 8 {
		t.Errorf("%d blocks, want data and settings of four examples", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(string(script), block[1]) {
			t.Errorf("mapped.txtar doesn't hold\n%s", block[1])
		}
	}
}
