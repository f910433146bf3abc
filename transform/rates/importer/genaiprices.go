package importer

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"chargeback/transform/rates"
)

// genAIPrice is what a key of prices is for.
type genAIPrice struct {
	class rates.Class
	of    unit
}

func genAIKeys() map[string]genAIPrice {
	return map[string]genAIPrice{
		"input_mtok":            {rates.Input, perMillion},
		"cache_read_mtok":       {rates.CacheRead, perMillion},
		"cache_write_mtok":      {rates.CacheWrite5m, perMillion},
		"cache_write_1h_mtok":   {rates.CacheWrite1h, perMillion},
		"output_mtok":           {rates.Output, perMillion},
		"output_reasoning_mtok": {rates.Reasoning, perMillion},
		"input_audio_mtok":      {rates.InputAudio, perMillion},
		"input_image_mtok":      {rates.InputImage, perMillion},
		"cache_audio_read_mtok": {rates.CacheReadAudio, perMillion},
		"output_audio_mtok":     {rates.OutputAudio, perMillion},
		"output_image_mtok":     {rates.OutputImage, perMillion},
		"requests_kcount":       {rates.Request, perThousand},
		"web_searches_kcount":   {rates.Search, perThousand},
	}
}

// genAIOther are keys whose meaning is known and for which the book has no class.
func genAIOther() []string {
	return []string{"cache_image_read_mtok", "input_video_mtok", "output_video_mtok", "output_citation_mtok"}
}

// genAIProvider is a provider as records name it.
func genAIProvider(id string) string {
	names := map[string]string{
		"aws": "bedrock", "google": "gemini", "x-ai": "xai", "fireworks": "fireworks_ai", "together": "together_ai", "moonshotai": "moonshot", "voyageai": "voyage",
	}
	if name, is := names[id]; is {
		return name
	}
	return id
}

type genAIProviderJSON struct {
	ID     string           `json:"id"`
	Models []genAIModelJSON `json:"models"`
}

type genAIModelJSON struct {
	ID     string          `json:"id"`
	Match  json.RawMessage `json:"match"`
	Prices json.RawMessage `json:"prices"`
}

// genAIConditional is prices that hold from a day on, or at a time of the day.
type genAIConditional struct {
	Constraint struct {
		StartDate string `json:"start_date"`
		StartTime string `json:"start_time"`
		EndTime   string `json:"end_time"`
	} `json:"constraint"`
	Prices json.RawMessage `json:"prices"`
}

// genAIPrices reads a list of providers, each with a list of models.
func (r *reader) genAIPrices(data []byte) error {
	var providers []genAIProviderJSON
	if err := decode(data, &providers); err != nil {
		return err
	}
	for _, p := range providers {
		if p.ID == "" || p.Models == nil {
			return errShape
		}
		left := 0
		for _, m := range p.Models {
			name := p.ID + "/" + m.ID
			base := rates.Entry{Provider: genAIProvider(p.ID), Model: m.ID}
			r.named(name, base.Provider, base.Model)
			if !genAIMatch(m.Match, &base) {
				left++
			}
			r.add(name, r.genAIEntries(name, base, m.Prices)...)
		}
		if left > 0 {
			r.warn(p.ID, "match", "finds other names of some models (%d) by what they contain or end in: these are not taken over; add aliases for those you use", left)
		}
	}
	return nil
}

// genAIMatch takes the names over that a model is also known by. It is false
// where there are rules for more names, which a pattern can't express.
func genAIMatch(raw json.RawMessage, e *rates.Entry) (all bool) {
	all = true
	var walk func(raw json.RawMessage, depth int)
	walk = func(raw json.RawMessage, depth int) {
		rule, err := fields(raw)
		if err != nil || depth > 8 {
			return
		}
		for how, value := range rule {
			var text string
			_ = json.Unmarshal(value, &text)
			switch {
			case how == "or":
				var list []json.RawMessage
				_ = json.Unmarshal(value, &list)
				for _, item := range list {
					walk(item, depth+1)
				}
			case how == "equals" && !strings.Contains(text, "*"):
				e.Aliases = append(e.Aliases, text)
			case how == "starts_with" && text != "" && !strings.Contains(text, "*"):
				e.Patterns = append(e.Patterns, text+"*")
			default:
				all = false
			}
		}
	}
	walk(raw, 0)
	return all
}

// genAIEntries makes an entry of each period of a model's history.
func (r *reader) genAIEntries(name string, base rates.Entry, raw json.RawMessage) (entries []rates.Entry) {
	list := []genAIConditional{{Prices: raw}}
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "[") {
		list = nil
		if decode(raw, &list) != nil || len(list) == 0 {
			r.warn(name, "prices", "is not understood: the model stays unpriced")
			return nil
		}
	}
	days := map[time.Time]bool{}
	for i, c := range list {
		text := c.Constraint.StartDate
		at, ok := day(text)
		if text != "" && !ok {
			r.warn(name, fmt.Sprintf("prices[%d]", i), "has a start that is not a date: the model stays unpriced")
			return nil
		}
		days[at] = true
	}
	for _, from := range slices.SortedFunc(maps.Keys(days), time.Time.Compare) {
		e := base
		e.From = from
		if !r.genAIPeriod(name, &e, list) {
			return nil
		}
		entries = append(entries, e)
	}
	return entries
}

// genAIPeriod fills in the prices that hold from e.From on: the last of the list
// that has begun, and the times of the day that come after it.
func (r *reader) genAIPeriod(name string, e *rates.Entry, list []genAIConditional) bool {
	begun := func(c genAIConditional) bool {
		at, _ := day(c.Constraint.StartDate)
		return !at.After(e.From)
	}
	current := -1
	for i, c := range list {
		if begun(c) && c.Constraint.StartTime == "" {
			current = i
		}
	}
	if current < 0 {
		r.warn(name, "prices", "has prices for a part of the day only: the model stays unpriced")
		return false
	}
	e.Sheet = r.genAISheet(name, list[current].Prices)
	for _, c := range list[current+1:] {
		if c.Constraint.StartTime == "" || !begun(c) {
			continue
		}
		from, okFrom := timeOfDay(c.Constraint.StartTime)
		to, okTo := timeOfDay(c.Constraint.EndTime)
		s := r.genAISheet(name, c.Prices)
		if !okFrom || !okTo || len(s.Thresholds)+len(e.Thresholds) > 0 || len(s.Units) == 0 {
			r.warn(name, "prices", "has hours that are not in UTC or not understood: they cost the standard price")
			continue
		}
		h := span(from, to)
		e.OffPeak = append(e.OffPeak, rates.OffPeak{From: h[0], To: h[1], Units: s.Units})
	}
	turn(e)
	return true
}

// turn makes the dearer hours of the day the standard price, as providers that
// have off-peak hours word it.
func turn(e *rates.Entry) {
	if len(e.OffPeak) != 1 || e.OffPeak[0].Units[rates.Input] <= e.Units[rates.Input] || len(e.OffPeak[0].Units) != len(e.Units) {
		return
	}
	o := &e.OffPeak[0]
	o.From, o.To = o.To%(24*60), o.From
	o.Units, e.Units = e.Units, o.Units
}

// genAISheet reads prices: numbers, or a base and what holds above a number of
// tokens.
func (r *reader) genAISheet(name string, raw json.RawMessage) rates.Sheet {
	s := sheet{}
	prices, err := fields(raw)
	if err != nil {
		r.warn(name, "prices", "is not understood: the model stays unpriced")
	}
	for _, key := range slices.Sorted(maps.Keys(prices)) {
		value := prices[key]
		p, is := genAIKeys()[key]
		switch {
		case slices.Contains(genAIOther(), key):
			r.warn(name, key, "has no class in the book: this dimension stays unpriced")
			continue
		case !is:
			r.warn(name, key, "is not understood: this dimension stays unpriced")
			continue
		case string(value) == "null":
			continue
		case !strings.HasPrefix(string(value), "{"):
			r.read(s, name, key, value, 0, p.class, p.of)
			continue
		}
		var tiered struct {
			Base  json.RawMessage `json:"base"`
			Tiers []struct {
				Start json.RawMessage `json:"start"`
				Price json.RawMessage `json:"price"`
			} `json:"tiers"`
		}
		if decode(value, &tiered) != nil || p.of != perMillion {
			r.warn(name, key, "is not understood: this dimension stays unpriced")
			continue
		}
		r.read(s, name, key, tiered.Base, 0, p.class, p.of)
		for _, t := range tiered.Tiers {
			above, ok := tokens(t.Start)
			if !ok {
				r.warn(name, key, "has a tier that begins at %s, which is no number of tokens: left out", short(t.Start))
				continue
			}
			r.read(s, name, key, t.Price, above, p.class, p.of)
		}
	}
	embeds := slices.ContainsFunc([]string{"embed", "voyage", "bge-"}, func(word string) bool { return strings.Contains(strings.ToLower(name), word) })
	if _, is := s[0][rates.Output]; !is && embeds {
		s.set(0, rates.Output, 0) // there is no output
	}
	return s.make()
}

func timeOfDay(text string) (time.Time, bool) {
	t, err := time.Parse("15:04:05Z", text)
	return t, err == nil && t.Second() == 0
}
