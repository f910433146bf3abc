package rates

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Entry is one entry of the book: what a model costs for a while. Nothing of it
// is worked out yet; see Book.Card for that.
type Entry struct {
	Provider, Model string
	Account         string   // a contract price of this account; "" is the published price
	Aliases         []string // other ids of the model
	Profiles        []string // geographies of AWS inference profiles: us is us.MODEL
	Patterns        []string // other ids, with * for any characters
	From            time.Time
	To              time.Time // exclusive; zero until the book has closed it
	Learned         time.Time // when the price became known; zero is with the book
	Announced       bool      // a forecast until somebody confirms it; see Forecast
	Confirmed       time.Time // when somebody saw that the price holds; zero is never
	Sheet
	Tiers   map[string]Tier
	OffPeak []OffPeak
	Uplifts []Uplift
	Source  string // where the price was read, and when
	File    string // of the book
	Line    int    // line of the entry in that file
}

// byRequest says that the entry prices requests and no tokens.
func (e Entry) byRequest() bool {
	tokens := func(u Units) bool {
		for class := range u {
			if class.tokens() {
				return true
			}
		}
		return false
	}
	steps := func(s []Step) bool { return slices.ContainsFunc(s, func(step Step) bool { return tokens(step.Units) }) }
	if !e.Units.has(Request) || tokens(e.Units) || steps(e.Thresholds) || steps(e.Ranges) {
		return false
	}
	for _, t := range e.Tiers {
		if tokens(t.Units) || steps(t.Thresholds) {
			return false
		}
	}
	return !slices.ContainsFunc(e.OffPeak, func(o OffPeak) bool { return tokens(o.Units) })
}

// Key is what entries of one model share.
func (e Entry) Key() string { return e.Provider + "/" + e.Model }

// Sheet is unit prices, and other ones by the size of the prompt. It has
// thresholds or ranges, not both.
type Sheet struct {
	Units      Units
	Thresholds []Step // rising; the whole request costs this where the prompt has more than Tokens
	Ranges     []Step // rising; the whole request costs this where the prompt has up to Tokens
}

// Step is the unit prices of prompts of a size.
type Step struct {
	Tokens int64
	Units  Units
}

// Tier is the prices of a service tier: a factor on the standard ones, or units.
type Tier struct {
	Times Factor // 0: no factor
	Sheet
}

// OffPeak is other prices at some times of the week, in UTC.
type OffPeak struct {
	Days     []time.Weekday // empty is all
	From, To int            // minutes of the day; To before From is on the next day
	Times    Factor         // 0: no factor
	Units    Units
}

// Uplift is what some regions cost more.
type Uplift struct {
	Regions  []string // with * for any characters
	Times    Factor
	NotCache bool // cache reads and writes cost the same everywhere
}

// Discount is percents off published prices. Empty text is any.
type Discount struct {
	Provider, Account, Model, Class string // Model with * for any characters
	Percent                         Percent
	From, To, Learned               time.Time
	Source                          string
	Line                            int
}

// Markup is what a cost centre pays on top.
type Markup struct {
	CostCenter        string
	Percent           Percent
	From, To, Learned time.Time
	Source            string
	Line              int
}

// YAML is the entry as an item of the book's list of prices.
func (e Entry) YAML() string {
	var b strings.Builder
	item := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "    %s: %s\n", key, value)
		}
	}
	item("provider", quoted(e.Provider))
	item("model", quoted(e.Model))
	item("account", quoted(e.Account))
	item("aliases", quotedList(e.Aliases))
	item("profiles", quotedList(e.Profiles))
	item("patterns", quotedList(e.Patterns))
	item("from", instantText(e.From))
	if e.To.Before(Forever) {
		item("to", instantText(e.To))
	}
	item("learned", instantText(e.Learned))
	if e.Announced {
		item("announced", "true")
	}
	item("confirmed", instantText(e.Confirmed))
	e.Sheet.yaml(&b, "    ")
	if len(e.Tiers) > 0 {
		b.WriteString("    tiers:\n")
		for _, name := range slices.Sorted(maps.Keys(e.Tiers)) {
			tier := e.Tiers[name]
			if tier.Times != 0 {
				fmt.Fprintf(&b, "      %s: {times: %q}\n", name, tier.Times)
				continue
			}
			fmt.Fprintf(&b, "      %s:\n", name)
			tier.yaml(&b, "        ")
		}
	}
	if len(e.OffPeak) > 0 {
		b.WriteString("    off_peak:\n")
		for _, o := range e.OffPeak {
			fmt.Fprintf(&b, "      - {utc: %q%s%s}\n", clock(o.From)+"-"+clock(o.To), daysText(o.Days), timesOrUnits(o.Times, o.Units))
		}
	}
	if len(e.Uplifts) > 0 {
		b.WriteString("    uplifts:\n")
		for _, u := range e.Uplifts {
			cache := ""
			if u.NotCache {
				cache = ", cache: false"
			}
			fmt.Fprintf(&b, "      - {regions: %s, times: %q%s}\n", quotedList(u.Regions), u.Times, cache)
		}
	}
	item("source", quoted(e.Source))
	return "  - " + strings.TrimPrefix(b.String(), "    ")
}

func (s Sheet) yaml(b *strings.Builder, indent string) {
	if classes := unitsText(s.Units); classes != "" {
		fmt.Fprintf(b, "%susd_per_million: {%s}\n", indent, classes)
	}
	if pico, is := s.Units[Request]; is {
		fmt.Fprintf(b, "%susd_per_request: %q\n", indent, USDEach(pico))
	}
	if pico, is := s.Units[Search]; is {
		fmt.Fprintf(b, "%susd_per_search: %q\n", indent, USDEach(pico))
	}
	if len(s.Thresholds) > 0 {
		fmt.Fprintf(b, "%sthresholds:\n", indent)
		for _, step := range s.Thresholds {
			fmt.Fprintf(b, "%s  - {more_than: %d, usd_per_million: {%s}}\n", indent, step.Tokens, unitsText(step.Units))
		}
	}
	if len(s.Ranges) > 0 {
		fmt.Fprintf(b, "%sranges:\n", indent)
		for _, step := range s.Ranges {
			fmt.Fprintf(b, "%s  - {up_to: %d, usd_per_million: {%s}}\n", indent, step.Tokens, unitsText(step.Units))
		}
	}
}

func unitsText(u Units) string {
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(u)) {
		if class.tokens() {
			parts = append(parts, fmt.Sprintf("%s: %q", class, USDPerMillion(u[class])))
		}
	}
	return strings.Join(parts, ", ")
}

func timesOrUnits(times Factor, u Units) string {
	if times != 0 {
		return fmt.Sprintf(", times: %q", times)
	}
	return ", usd_per_million: {" + unitsText(u) + "}"
}

func clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func daysText(days []time.Weekday) string {
	if len(days) == 0 {
		return ""
	}
	names := make([]string, len(days))
	for i, d := range days {
		names[i] = weekdays[d]
	}
	return ", days: [" + strings.Join(names, ", ") + "]"
}

// quoted is a text as a YAML scalar in double quotes, "" for none.
func quoted(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("%q", text)
}

func quotedList(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	parts := make([]string, len(texts))
	for i, text := range texts {
		parts[i] = quoted(text)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func instantText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func byKeyAndFrom(a, b Entry) int {
	return cmp.Or(strings.Compare(a.Key(), b.Key()), strings.Compare(a.Account, b.Account), a.From.Compare(b.From), a.Learned.Compare(b.Learned), cmp.Compare(a.Line, b.Line))
}
