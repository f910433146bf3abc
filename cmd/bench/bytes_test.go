package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"chargeback/billing/warehouse/billed"
)

// bounds are what a step may bill for each thousand that it is reckoned by, and less
// by a tenth: who makes one cheaper lowers its bound.
type bounds map[string]int64

// fault names the statements that bill most where a step bills more, or much less, than
// its bound; "" where it does not.
func (b bounds) fault(what string, all []billed.Statement, of int64) string {
	most, got := b[what], billed.Bytes(all)*1000/of
	if got <= most && got >= most*9/10 && got > 0 {
		return ""
	}
	text := fmt.Sprintf("%s bills %d bytes a thousand, its bound is %d", what, got, most)
	for _, s := range billed.Largest(all, 15) {
		text += fmt.Sprintf("\n%10d  %s", s.Bytes*1000/of, s.Name)
	}
	return text
}

// Goal: each step of a month is billed at each volume, more at the larger one, and
// within its bound.
func TestMeasureBytes(t *testing.T) {
	var out bytes.Buffer
	bound := bounds{
		"quiet night": 4_470_000, "night with one changed price": 24_130_000, "close": 994_000, "one report": 977, "one explain": 194_000,
	}
	told := 0
	hold := func(what string, all []billed.Statement, of int64) {
		told++
		if fault := bound.fault(what, all, of); fault != "" {
			t.Error(fault)
		}
	}
	if err := measureBytes(t.Context(), &out, t.TempDir(), 60, 1, true, hold); err != nil {
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
	if told != len(bound) {
		t.Errorf("%d steps were billed, want %d", told, len(bound))
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

// Goal: a step that bills a tenth more than it did, or much less, one that bills nothing,
// and one that nobody bounds are told, with the statement that bills most.
func TestBounds(t *testing.T) {
	for _, tt := range []struct {
		step  string
		bytes int64
		fails bool
	}{{"known", 1000, false}, {"known", 1100, true}, {"known", 800, true}, {"known", 0, true}, {"unknown", 1000, true}, {"unknown", 0, true}} {
		fault := bounds{"known": 1010}.fault(tt.step, []billed.Statement{{Name: "a read", Bytes: tt.bytes}}, 1000)
		if (fault != "") != tt.fails || tt.fails && !strings.Contains(fault, "a read") {
			t.Errorf("%s of %d bytes: %q, want a fault: %t", tt.step, tt.bytes, fault, tt.fails)
		}
	}
}
