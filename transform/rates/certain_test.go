package rates

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestForecast(t *testing.T) {
	const day = "2026-09-01T00:00:00Z"
	tests := []struct {
		name, keys string
		want       bool
	}{
		{"a source without a date", `source: "invented"`, false},
		{"read before it begins", `source: "page of 2026-08-31"`, true},
		{"read on the day", `source: "page of 2026-09-01"`, false},
		{"read after it began", `source: "page of 2026-10-01"`, false},
		{"the last date counts", `source: "notice of 2026-08-01, page of 2026-09-02"`, false},
		{"an old list that was imported for today", `source: "list, copy of 2026-07-24, imported 2026-09-01"`, false},
		{"a list that tells of the future", `source: "list, copy of 2026-07-24, imported 2026-08-30"`, true},
		{"said so", `announced: true, source: "invented"`, true},
		{"said not to be", `announced: false, source: "invented"`, false},
		{"confirmed", `announced: true, confirmed: 2026-09-01T08:00:00Z, source: "page of 2026-08-31"`, false},
		{"a contract", `account: "1", source: "contract of 2026-08-01"`, false},
		{"a contract that isn't signed", `account: "1", announced: true, source: "offer of 2026-08-01"`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := parse(t, "prices: [{provider: p, model: m, from: "+day+", usd_per_million: {input: 1, output: 2}, "+tt.keys+"}]")
			if got := b.Entries()[0].Forecast(); got != tt.want {
				t.Errorf("forecast %v, want %v", got, tt.want)
			}
			holds := at(day)
			if got := len(b.Unconfirmed(holds)) == 1; got != tt.want {
				t.Errorf("unconfirmed %v, want %v", got, tt.want)
			}
			if len(b.Unconfirmed(holds.Add(-time.Second))) > 0 {
				t.Error("unconfirmed before its day has come")
			}
			r := rateAt(t, b, Meter{Provider: "p", Model: "m", Account: b.Entries()[0].Account}, holds, 1, 0)
			if got := strings.Contains(r.Note, "announced price, not confirmed since it began on 2026-09-01"); got != tt.want || r.Units[Input] != 1_000_000 {
				t.Errorf("note %q, price %d", r.Note, r.Units[Input])
			}
		})
	}
	_, err := Parse("b.yaml", []byte("prices:\n  - {provider: p, model: m, from: "+day+", confirmed: 2026-08-31T00:00:00Z, usd_per_million: {input: 1, output: 2}}\n"))
	wantError(t, err, "b.yaml:2: prices[0].confirmed: 2026-08-31T00:00:00Z is before from: nobody can have seen the price hold by then")
}

// TestForecastIsNoNoteOfItsTierAlone joins what a record says of its tier with
// what it says of its price.
func TestForecastIsNoNoteOfItsTierAlone(t *testing.T) {
	b := parse(t, `prices: [{provider: p, model: m, from: 2026-09-01T00:00:00Z, announced: true, usd_per_million: {input: 1, output: 2}}]`)
	r := rateAt(t, b, Meter{Provider: "p", Model: "m", Tier: "flex"}, at("2026-10-01T00:00:00Z"), 1, 0)
	if want := "service tier flex at the standard price; announced price, not confirmed since it began on 2026-09-01"; r.Note != want {
		t.Errorf("got %q, want %q", r.Note, want)
	}
}

// TestAnnouncedPriceIsCorrected takes back a rise that never came: a later entry
// of the same day that was learned since.
func TestAnnouncedPriceIsCorrected(t *testing.T) {
	b := parse(t, `prices:
  - {provider: p, model: m, from: 2026-06-01T00:00:00Z, usd_per_million: {input: 2, output: 10}, source: "page of 2026-07-24"}
  - {provider: p, model: m, from: 2026-09-01T00:00:00Z, usd_per_million: {input: 3, output: 15}, source: "page of 2026-07-24"}
  - {provider: p, model: m, from: 2026-09-01T00:00:00Z, learned: 2026-11-30T00:00:00Z, usd_per_million: {input: 2, output: 10}, source: "page of 2026-09-07"}
`)
	if left := b.Unconfirmed(at("2026-12-01T00:00:00Z")); len(left) > 0 {
		t.Errorf("unconfirmed: %v", left)
	}
	if r := rateAt(t, b, Meter{Provider: "p", Model: "m"}, at("2026-10-01T00:00:00Z"), 1, 0); r.Units[Input] != 2_000_000 || r.Note != "" {
		t.Errorf("got %d, %q", r.Units[Input], r.Note)
	}
}

func TestAge(t *testing.T) {
	tests := []struct {
		name, sources string
		want          string
	}{
		{"no dates", "invented; contract", "none"},
		{"the newest copy", "list, copy of 2026-07-24; list, copy of 2026-08-21; list, copy of 2026-08-01", "2026-08-21 true 101"},
		{"single prices don't make lists younger", "list, copy of 2026-08-21; page of 2026-11-29", "2026-08-21 true 101"},
		{"nor do prices of the future", "notice for 2027-01-01, copy of 2026-08-21", "2026-08-21 true 101"},
		{"an import", "litellm price list x.json, imported 2026-11-29", "2026-11-29 true 1"},
		{"an old list that was imported", "litellm price list x.json, copy of 2026-07-24, imported 2026-11-29", "2026-07-24 true 129"},
		{"two lists", "list, copy of 2026-07-20, list, copy of 2026-08-21, list, copy of 2026-08-01", "2026-08-21 true 101"},
		{"no list", "page of 2026-10-01; page of 2026-11-01", "2026-11-01 false 29"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := "prices:\n"
			for i, source := range strings.Split(tt.sources, "; ") {
				text += fmt.Sprintf("  - {provider: p, model: m%d, from: 2026-01-01T00:00:00Z, usd_per_million: {input: 1, output: 2}, source: %q}\n", i, source)
			}
			age, ok := parse(t, text).Age(at("2026-11-30T15:00:00Z"))
			got := "none"
			if ok {
				got = fmt.Sprint(age.Newest.Format(time.DateOnly), " ", age.Copied, " ", age.Days)
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestEndings(t *testing.T) {
	b := parse(t, `prices:
  - {provider: p, model: bounded, from: 2026-01-01T00:00:00Z, to: 2026-12-31T00:00:00Z, usd_per_million: {input: 1, output: 2}}
  - {provider: p, model: follows, from: 2026-01-01T00:00:00Z, usd_per_million: {input: 1, output: 2}}
  - {provider: p, model: follows, from: 2027-01-01T00:00:00Z, usd_per_million: {input: 2, output: 2}}
  - {provider: p, model: later, from: 2026-01-01T00:00:00Z, to: 2027-06-01T00:00:00Z, usd_per_million: {input: 1, output: 2}}
  - {provider: p, model: contract, from: 2026-01-01T00:00:00Z, usd_per_million: {input: 1, output: 2}}
  - {provider: p, model: contract, account: "1", from: 2026-01-01T00:00:00Z, to: 2026-12-15T00:00:00Z, usd_per_million: {input: 0.5, output: 2}}
  - {provider: p, model: gone, from: 2026-01-01T00:00:00Z, to: 2026-02-01T00:00:00Z, usd_per_million: {input: 1, output: 2}}
`)
	now := at("2026-11-30T00:00:00Z")
	var got []string
	for _, e := range b.Endings(now, now.AddDate(0, 0, 60)) {
		next := "nothing"
		if e.Next != nil {
			next = USDPerMillion(e.Next.Units[Input])
		}
		got = append(got, fmt.Sprint(e.Entry.Model, e.Entry.Account, " ", e.At.Format(time.DateOnly), " ", next))
	}
	want := "bounded 2026-12-31 nothing, contract1 2026-12-15 1, follows 2027-01-01 2"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got %s, want %s", text, want)
	}
	if b.HoldsAt(at("2025-01-01T00:00:00Z")) || !b.HoldsAt(now) {
		t.Error("holds at the wrong time")
	}
}
