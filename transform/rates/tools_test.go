package rates

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestParseToolMix(t *testing.T) {
	tests := []struct {
		in   string
		want []ToolCall
		ok   bool
	}{
		{"", nil, true},
		{"web_search:2", []ToolCall{{"web_search", 2}}, true},
		{"*:3", []ToolCall{{"*", 3}}, true},
		{"b:1,a:2", []ToolCall{{"a", 2}, {"b", 1}}, true},
		{"a:1,b:0,a:2", []ToolCall{{"a", 3}}, true},
		{"a:007", []ToolCall{{"a", 7}}, true},
		{"a:1000000", []ToolCall{{"a", 1_000_000}}, true},
		{"a", nil, false},
		{":1", nil, false},
		{"a:", nil, false},
		{"a:-1", nil, false},
		{"a:1.5", nil, false},
		{"a:b:1", nil, false},
		{"a:1,", nil, false},
		{"a:1000001", nil, false},
		{"a:1000000,a:1", nil, false},
		{"a:9223372036854775807,a:1", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseToolMix(tt.in)
			if (err == nil) != tt.ok {
				t.Fatalf("got %v, %v", got, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestToolFee(t *testing.T) {
	b := parse(t, `fees:
  - {from: 2026-01-01T00:00:00Z, tools: {web_search: "0.01", "*": "0.001"}}
  - {from: 2026-10-15T00:00:00Z, tools: {web_search: "0.02", big: "100"}}
`)
	const before, after = "2026-10-14T23:59:59Z", "2026-10-15T00:00:00Z"
	tests := []struct {
		name, at, mix string
		pico          int64
		missing       string
	}{
		{"no calls", before, "", 0, ""},
		{"no calls before all fees", "2025-12-31T23:59:59Z", "", 0, ""},
		{"named tool", before, "web_search:2", 20_000_000_000, ""},
		{"any other tool", before, "calendar:3", 3_000_000_000, ""},
		{"only the number known", before, "*:3", 3_000_000_000, ""},
		{"several tools", before, "calendar:1,web_search:1", 11_000_000_000, ""},
		{"fee after the change", after, "web_search:2", 40_000_000_000, ""},
		{"tool without a fee", after, "calendar:1,web_search:1", 0, "calendar"},
		{"number without a fee", after, "*:1", 0, "*"},
		{"before all fees", "2025-12-31T23:59:59Z", "web_search:1", 0, "web_search"},
		{"as much as a request may cost", after, "big:499", 49_900_000_000_000_000, ""},
		{"more than that", after, "big:500", 0, "big"},
		{"more than 64 bits hold", after, "big:1000000", 0, "big"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tools, err := ParseToolMix(tt.mix)
			if err != nil {
				t.Fatal(err)
			}
			fees, _ := b.feeAt(at(tt.at))
			pico, missing := ToolFee(fees.Tools, tools)
			if pico != tt.pico || missing != tt.missing {
				t.Errorf("got %d, %q", pico, missing)
			}
		})
	}
}

// Goal: one text for each mix.
// Method: any mix survives writing and reading, in any order of its tools.
func TestToolMixRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.MapOf(rapid.StringMatching(`[^,:]{1,8}`), rapid.Int64Range(1, callsMax)).Draw(t, "counts")
		var tools []ToolCall
		for name, count := range counts {
			tools = append(tools, ToolCall{name, count})
		}
		text := FormatToolMix(tools)
		again, err := ParseToolMix(text)
		if err != nil {
			t.Fatal(err)
		}
		sorted := cmpopts.SortSlices(func(a, b ToolCall) bool { return a.Name < b.Name })
		if diff := cmp.Diff(tools, again, sorted, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if FormatToolMix(again) != text {
			t.Fatalf("%q and %q for one mix", text, FormatToolMix(again))
		}
	})
}

func FuzzParseToolMix(f *testing.F) {
	f.Add("web_search:2,*:3")
	f.Add("a:1,a:2,b:0")
	f.Fuzz(func(t *testing.T, s string) {
		tools, err := ParseToolMix(s)
		if err != nil {
			return
		}
		text := FormatToolMix(tools)
		again, err := ParseToolMix(text)
		if err != nil || FormatToolMix(again) != text {
			t.Errorf("%q is written as %q, which reads as %v, %v", s, text, again, err)
		}
	})
}
