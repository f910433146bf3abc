package main

import (
	"os"
	"strings"
	"testing"
)

// Goal: a night is run for a day and for one of ten times as many requests, each from
// its own logs, and the two are compared.
// Method: this test binary stands in for the program.
func TestLinear(t *testing.T) {
	t.Setenv(childLater, "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := measureLinear(t.Context(), &out, t.TempDir(), self, 300); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"first night of 300 requests: ", "first night of 3000 requests: ", "10 times as many requests take "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("printed %q, want %q in it", out.String(), want)
		}
	}
	if err := linearCommand(t.Context(), []string{"-n", "1"}); err == nil {
		t.Error("a day of one request was taken")
	}
}
