package importer

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"chargeback/transform/rates"
)

// liteLLMPrices are the keys that are prices of a class. Each may be followed by
// _above_<N>k_tokens and by the suffix of a tier, in this order.
func liteLLMPrices() map[string]rates.Class {
	return map[string]rates.Class{
		"input_cost_per_token":                      rates.Input,
		"output_cost_per_token":                     rates.Output,
		"cache_read_input_token_cost":               rates.CacheRead,
		"input_cost_per_token_cache_hit":            rates.CacheRead, // an older name
		"cache_creation_input_token_cost":           rates.CacheWrite5m,
		"cache_creation_input_token_cost_above_1hr": rates.CacheWrite1h, // how long it is kept, not how long the prompt is
		"output_cost_per_reasoning_token":           rates.Reasoning,
		"input_cost_per_audio_token":                rates.InputAudio,
		"input_cost_per_image_token":                rates.InputImage,
		"cache_read_input_audio_token_cost":         rates.CacheReadAudio,
		"output_cost_per_audio_token":               rates.OutputAudio,
		"output_cost_per_image_token":               rates.OutputImage,
		"input_cost_per_request":                    rates.Request,
	}
}

// liteLLMOther are keys whose meaning is known and for which the book has no
// class.
func liteLLMOther() map[string]string {
	others := map[string]string{
		"input_cost_per_query":                               "by query",
		"annotation_cost_per_page":                           "by page",
		"ocr_cost_per_page":                                  "by page",
		"ocr_cost_per_credit":                                "by credit",
		"code_interpreter_cost_per_session":                  "by session",
		"citation_cost_per_token":                            "by citation token",
		"cache_creation_input_audio_token_cost":              "by audio token that is cached",
		"output_cost_per_video_token":                        "by video token",
		"input_cost_per_video_token":                         "by video token",
		"input_dbu_cost_per_token":                           "in Databricks units",
		"output_dbu_cost_per_token":                          "in Databricks units",
		"computer_use_input_cost_per_1k_tokens":              "by tokens of a tool",
		"computer_use_output_cost_per_1k_tokens":             "by tokens of a tool",
		"file_search_cost_per_1k_calls":                      "by call of a tool",
		"file_search_cost_per_gb_per_day":                    "by storage",
		"vector_store_cost_per_gb_per_day":                   "by storage",
		"input_cost_per_audio_per_second":                    "by second",
		"input_cost_per_video_per_second":                    "by second",
		"output_cost_per_video_per_second":                   "by second",
		"output_cost_per_second_1080p":                       "by second",
		"input_cost_per_video_per_second_above_15s_interval": "by second",
		"input_cost_per_video_per_second_above_8s_interval":  "by second",
	}
	for _, side := range []string{"input", "output"} {
		for _, thing := range []string{"second", "pixel", "character", "image"} {
			others[side+"_cost_per_"+thing] = "by " + thing
		}
	}
	return others
}

// liteLLMTiers are the suffixes of keys that are prices of a service tier.
func liteLLMTiers() map[string]string {
	return map[string]string{"_flex": "flex", "_priority": "priority", "_ultrafast": "ultrafast", "_batches": rates.Batch}
}

// liteLLMProvider is a provider as records name it.
func liteLLMProvider(name string) string {
	if base, _, is := strings.Cut(name, "-"); is && base == "vertex_ai" {
		return base
	}
	for _, ending := range []string{"-embedding-models"} {
		name = strings.TrimSuffix(name, ending)
	}
	name = strings.TrimPrefix(name, "text-completion-")
	switch name {
	case "bedrock_converse", "bedrock_mantle":
		return "bedrock"
	case "cohere_chat":
		return "cohere"
	case "azure_text":
		return "azure"
	}
	return name
}

// liteLLM reads an object of models, each an object of flat keys.
func (r *reader) liteLLM(data []byte) error {
	models, err := fields(data)
	if err != nil {
		return err
	}
	known := 0
	for _, name := range slices.Sorted(maps.Keys(models)) {
		if name == "sample_spec" || name == "fallback_generalizations" {
			continue // explain the list
		}
		m := liteLLMModel{reader: r, name: name, tiers: map[string]sheet{}}
		if m.keys, err = fields(models[name]); err != nil {
			r.skip(name, "is not an object")
			continue
		}
		var listed, mode string
		_ = json.Unmarshal(m.keys["litellm_provider"], &listed)
		_ = json.Unmarshal(m.keys["mode"], &mode)
		if listed == "" || mode == "" {
			r.skip(name, "has no litellm_provider or no mode")
			continue
		}
		known++
		m.provider = liteLLMProvider(listed)
		m.model = strings.TrimPrefix(name, listed+"/")
		m.model = strings.TrimPrefix(m.model, m.provider+"/")
		r.named(name, m.provider, m.model)
		m.read(mode)
	}
	if known == 0 && len(models) > 0 {
		return errShape
	}
	return nil
}

// liteLLMModel is one model of the list while it is read.
type liteLLMModel struct {
	*reader
	name            string // as the list has it
	provider, model string
	keys            map[string]json.RawMessage
	standard        sheet
	tiers           map[string]sheet
	entry           rates.Entry
	others          map[string]bool // keys without a class that have a price above 0, by what they count
}

func (m *liteLLMModel) read(mode string) {
	m.standard, m.others = sheet{}, map[string]bool{}
	m.entry = rates.Entry{Provider: m.provider, Model: m.model}
	var unpriced []string
	for _, key := range slices.Sorted(maps.Keys(m.keys)) {
		if string(m.keys[key]) == "null" {
			continue
		}
		if by := m.key(key); by != "" {
			m.others[by] = true
			unpriced = append(unpriced, key)
		}
	}
	m.fast()
	m.entry.Sheet, m.entry.Tiers = m.standard.make(), m.tierSheets()
	m.ranges()
	if m.isFreeByToken() && (len(m.others) > 0 || m.noPrices()) {
		what := "has no price"
		if len(m.others) > 0 {
			what = "not priced by token: " + strings.Join(slices.Sorted(maps.Keys(m.others)), ", ")
		}
		m.skip(m.name, "%s", what)
		return
	}
	if _, is := m.entry.Units[rates.Output]; !is && (mode == "embedding" || mode == "rerank") {
		m.entry.Units[rates.Output] = 0 // there is no output
	}
	for _, key := range unpriced {
		m.warn(m.name, key, "has no class in the book: this dimension stays unpriced")
	}
	m.add(m.name, m.entry)
}

// isFreeByToken says that a token costs nothing, or has no price.
func (m *liteLLMModel) isFreeByToken() bool {
	for _, s := range append(slices.Clone(m.entry.Ranges), rates.Step{Units: m.entry.Units}) {
		for class, pico := range s.Units {
			if pico > 0 && class != rates.Search && class != rates.Request {
				return false
			}
		}
	}
	return true
}

func (m *liteLLMModel) noPrices() bool { return len(m.entry.Units)+len(m.entry.Ranges) == 0 }

var aboveTokens = regexp.MustCompile(`^(.+)_above_([0-9]{1,6})k_tokens$`)

// key reads one key. It returns what the key counts where the book has no class
// for that.
func (m *liteLLMModel) key(key string) (by string) {
	raw := m.keys[key]
	switch key {
	case "search_context_cost_per_query":
		m.search(raw)
		return ""
	case "regional_processing_uplift_multiplier_eu":
		m.uplift(key, raw, "eu", "eu-*")
		return ""
	case "regional_processing_uplift_multiplier_us":
		m.uplift(key, raw, "us", "us-*")
		return ""
	case "regional_endpoint_uplift_multiplier": // everywhere but on the global endpoint
		m.uplift(key, raw, "us", "eu", "us-*", "europe-*", "asia-*", "australia-*", "northamerica-*", "southamerica-*", "me-*", "africa-*")
		return ""
	case "provider_specific_entry":
		m.specific(raw)
		return ""
	case "off_peak_pricing":
		m.offPeak(raw)
		return ""
	case "tiered_pricing": // read when the sheet is done
		return ""
	}
	what, tier, above := liteLLMParts(key)
	if class, is := liteLLMPrices()[what]; is {
		m.price(key, what, tier, above, class)
		return ""
	}
	if by, is := liteLLMOther()[what]; is {
		if zero(raw) {
			return ""
		}
		return by
	}
	if strings.Contains(key, "cost") || strings.Contains(key, "price") || strings.Contains(key, "pricing") || strings.Contains(key, "multiplier") {
		m.warn(m.name, key, "is not understood: this dimension stays unpriced")
	}
	return ""
}

// liteLLMParts takes a key apart: what it prices, of which tier, and above how
// many tokens of the prompt.
func liteLLMParts(key string) (what, tier string, above int64) {
	what = key
	for suffix, name := range liteLLMTiers() {
		if rest, is := strings.CutSuffix(what, suffix); is {
			what, tier = rest, name
			break
		}
	}
	if parts := aboveTokens.FindStringSubmatch(what); parts != nil {
		n, _ := strconv.ParseInt(parts[2], 10, 64) // the pattern has digits only
		what, above = parts[1], n*1000
	}
	return what, tier, above
}

func (m *liteLLMModel) price(key, what, tier string, above int64, class rates.Class) {
	raw := m.keys[key]
	if what == "input_cost_per_token_cache_hit" {
		proper := strings.Replace(key, what, "cache_read_input_token_cost", 1)
		if other, both := m.keys[proper]; both {
			if a, err := number(raw); err == nil {
				if b, err := number(other); err == nil && !a.Equal(b) {
					m.warn(m.name, key, "says %s where %s says %s: the latter counts", a, proper, b)
				}
			}
			return
		}
	}
	to, of := m.standard, perToken
	if tier != "" {
		if m.tiers[tier] == nil {
			m.tiers[tier] = sheet{}
		}
		to = m.tiers[tier]
	}
	if class == rates.Request {
		if of = each; zero(raw) {
			return
		}
	}
	m.reader.read(to, m.name, key, raw, above, class, of)
}

func (m *liteLLMModel) tierSheets() map[string]rates.Tier {
	tiers := map[string]rates.Tier{}
	for name, s := range m.tiers {
		if made := s.make(); len(made.Units)+len(made.Thresholds) > 0 {
			tiers[name] = rates.Tier{Sheet: made}
		}
	}
	for name, tier := range m.entry.Tiers {
		tiers[name] = tier
	}
	if len(tiers) == 0 {
		return nil
	}
	return tiers
}

// search takes the price of a search of medium size.
func (m *liteLLMModel) search(raw json.RawMessage) {
	const key, medium = "search_context_cost_per_query", "search_context_size_medium"
	sizes, err := fields(raw)
	if err != nil || sizes[medium] == nil {
		m.warn(m.name, key, "has no %s: searches stay unpriced", medium)
		return
	}
	if !m.reader.read(m.standard, m.name, key, sizes[medium], 0, rates.Search, each) {
		return
	}
	want, _ := number(sizes[medium])
	for _, size := range []string{"search_context_size_low", "search_context_size_high"} {
		if got, err := number(sizes[size]); err == nil && !got.Equal(want) {
			m.warn(m.name, key, "has %s %s and medium %s: every search is priced as medium", size, got, want)
		}
	}
}

func (m *liteLLMModel) uplift(key string, raw json.RawMessage, regions ...string) {
	times, err := factor(raw)
	if err != nil {
		m.warn(m.name, key, "is refused: %v", err)
		return
	}
	if times != rates.Once {
		m.entry.Uplifts = append(m.entry.Uplifts, rates.Uplift{Regions: regions, Times: times})
	}
}

// specific reads what one provider calls otherwise: a region, or its fast mode.
func (m *liteLLMModel) specific(raw json.RawMessage) {
	entries, err := fields(raw)
	if err != nil {
		m.warn(m.name, "provider_specific_entry", "is not understood: this dimension stays unpriced")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		full := "provider_specific_entry." + key
		switch key {
		case "us":
			m.uplift(full, entries[key], "us", "us-*")
		case "eu":
			m.uplift(full, entries[key], "eu", "eu-*")
		case "fast": // see below
		default:
			if _, err := number(entries[key]); err == nil {
				m.warn(m.name, full, "is not understood: this dimension stays unpriced")
			}
		}
	}
}

// fast makes a tier of the factor of Anthropic's fast mode.
func (m *liteLLMModel) fast() {
	entries, err := fields(m.keys["provider_specific_entry"])
	if err != nil || entries["fast"] == nil {
		return
	}
	times, err := factor(entries["fast"])
	if err != nil {
		m.warn(m.name, "provider_specific_entry.fast", "is refused: %v", err)
		return
	}
	m.entry.Tiers = map[string]rates.Tier{"fast": {Times: times}}
}

// ranges reads prices that hold from one size of the prompt to another.
func (m *liteLLMModel) ranges() {
	const key = "tiered_pricing"
	raw, is := m.keys[key]
	if !is {
		return
	}
	refuse := func(why string, args ...any) {
		m.entry.Ranges = nil
		m.warn(m.name, key, "is refused: "+why, args...)
	}
	var list []map[string]json.RawMessage
	if decode(raw, &list) != nil {
		refuse("it is not a list of ranges")
		return
	}
	end := int64(0)
	for i, item := range list {
		var ends []json.RawMessage
		if decode(item["range"], &ends) != nil || len(ends) != 2 {
			refuse("range %d has no two ends", i+1)
			return
		}
		from, hasFrom := tokens(ends[0])
		to, ok := tokens(ends[1])
		if zero(ends[0]) {
			from, hasFrom = 0, true
		}
		if !ok || !hasFrom || from != end || to <= from {
			refuse("range %d doesn't begin where the one before it ends", i+1)
			return
		}
		s := sheet{}
		for _, name := range slices.Sorted(maps.Keys(item)) {
			if name == "range" {
				continue
			}
			class, is := liteLLMPrices()[name]
			if !is || class == rates.Request {
				m.warn(m.name, key+"."+name, "is not understood: this dimension stays unpriced")
				continue
			}
			m.reader.read(s, m.name, fmt.Sprintf("%s[%d].%s", key, i, name), item[name], 0, class, perToken)
		}
		if _, is := s[0][rates.Input]; !is {
			refuse("range %d has no price of an input token", i+1)
			return
		}
		m.entry.Ranges = append(m.entry.Ranges, rates.Step{Tokens: to, Units: s[0]})
		end = to
	}
	if len(m.entry.Ranges) > 0 && len(m.entry.Thresholds) > 0 {
		m.warn(m.name, key, "stands beside prices above a number of tokens: these are left out")
		m.entry.Thresholds = nil
	}
}

// offPeak reads hours with other prices: hours_utc of every day, or windows with
// weekdays of their own.
func (m *liteLLMModel) offPeak(raw json.RawMessage) {
	const key = "off_peak_pricing"
	block, err := fields(raw)
	if err != nil {
		m.warn(m.name, key, "is not understood: this dimension stays unpriced")
		return
	}
	s := sheet{}
	windows := []map[string]json.RawMessage{block}
	zone := "UTC"
	for _, name := range slices.Sorted(maps.Keys(block)) {
		switch class, is := liteLLMPrices()[name]; {
		case is && class != rates.Request:
			m.reader.read(s, m.name, key+"."+name, block[name], 0, class, perToken)
		case name == "windows":
			windows = nil
			err = decode(block[name], &windows)
		case name == "weekday_timezone":
			_ = json.Unmarshal(block[name], &zone)
		case name != "hours_utc" && name != "weekdays":
			m.warn(m.name, key+"."+name, "is not understood: this dimension stays unpriced")
		}
	}
	if err != nil || len(s[0]) == 0 {
		m.warn(m.name, key, "has no prices or no hours: its hours cost the standard price")
		return
	}
	for _, w := range windows {
		days, okDays := weekdays(w["weekdays"])
		hours, okHours := clocks(w["hours_utc"])
		if !okDays || !okHours || len(days) > 0 && zone != "UTC" {
			m.warn(m.name, key, "has hours that are not in UTC or not understood: they cost the standard price")
			continue
		}
		for _, h := range hours {
			m.entry.OffPeak = append(m.entry.OffPeak, rates.OffPeak{Days: days, From: h[0], To: h[1], Units: s[0]})
		}
	}
}

// clocks reads 16:30-00:30, or a list of such texts.
func clocks(raw json.RawMessage) (hours [][2]int, ok bool) {
	var texts []string
	if decode(raw, &texts) != nil {
		texts = []string{""}
		if decode(raw, &texts[0]) != nil {
			return nil, false
		}
	}
	for _, text := range texts {
		first, last, _ := strings.Cut(text, "-")
		from, errFrom := time.Parse("15:04", first)
		to, errTo := time.Parse("15:04", last)
		if errFrom != nil || errTo != nil {
			return nil, false
		}
		hours = append(hours, span(from, to))
	}
	return hours, len(hours) > 0
}

// span is minutes of the day; where both are the same it is the whole day.
func span(from, to time.Time) [2]int {
	a, b := from.Hour()*60+from.Minute(), to.Hour()*60+to.Minute()
	if a == b {
		return [2]int{0, 24 * 60}
	}
	return [2]int{a, b}
}

// weekdays reads names, or numbers from 1 for Monday.
func weekdays(raw json.RawMessage) (days []time.Weekday, ok bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, true
	}
	var items []json.RawMessage
	if decode(raw, &items) != nil {
		return nil, false
	}
	for _, item := range items {
		var name string
		if n, is := tokens(item); is && n <= 7 {
			days = append(days, time.Weekday(n%7))
			continue
		}
		at := -1
		if json.Unmarshal(item, &name) == nil && len(name) >= 3 {
			at = slices.IndexFunc(weekdayNames(), func(full string) bool { return strings.HasPrefix(full, strings.ToLower(name)) })
		}
		if at < 0 {
			return nil, false
		}
		days = append(days, time.Weekday(at))
	}
	return days, len(days) > 0
}

func weekdayNames() []string {
	return []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
}
