package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Goal: each step of a month is billed at each volume, and more at the larger one.
func TestMeasureBytes(t *testing.T) {
	var out bytes.Buffer
	if err := measureBytes(t.Context(), &out, t.TempDir(), 50, 1, true); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"quiet night", "night with one changed price", "close", "one report", "one explain"} {
		var billed []int64
		for line := range strings.Lines(out.String()) {
			about, figures, found := strings.Cut(line, "days: "+step)
			if !found {
				continue
			}
			var n int64
			if _, err := fmt.Sscan(strings.ReplaceAll(figures, ",", ""), &n); err != nil {
				t.Errorf("%s%s: %v", about, figures, err)
			}
			billed = append(billed, n)
		}
		if len(billed) != len(volumes) || billed[0] <= 0 || billed[len(billed)-1] <= billed[0] {
			t.Errorf("%s is billed %v", step, billed)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

func TestFigures(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	for want, r := range map[string][2]int64{"5": {10, 2}, "0.5": {1, 2}, "1,000": {5000, 5}} {
		if got := ratio(r[0], r[1]); got != want {
			t.Errorf("%v is %s, want %s", r, got, want)
		}
	}
}
