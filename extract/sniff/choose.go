package sniff

import (
	"cmp"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// successWords are words of status that mean success wherever they stand.
var successWords = []string{"200", "success", "succeeded", "ok", "OK", "Success", "SUCCESS", "completed", "true"}

// choose gives each field of ours the place whose name is surest, then the
// shallowest. A place serves one field.
func (s *Suggestion) choose(leaves []leaf) {
	slices.SortFunc(leaves, func(a, b leaf) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.place, b.place))
	})
	chosen := map[string]*leaf{}
	taken := map[string]bool{}
	take := func(field string, l *leaf) {
		s.Fields[field], chosen[field], taken[l.place] = []string{l.place}, l, true
	}
	for _, w := range wanted() {
		for _, name := range w.names {
			i := slices.IndexFunc(leaves, func(l leaf) bool { return !taken[l.place] && l.named(name) && l.may(w.field) })
			if i >= 0 {
				take(w.field, &leaves[i])
				break
			}
		}
	}
	find := func(field string, fits func(l leaf) bool) {
		if i := slices.IndexFunc(leaves, func(l leaf) bool { return !taken[l.place] && fits(l) }); i >= 0 && chosen[field] == nil {
			take(field, &leaves[i])
		}
	}
	// Beside an id of the record itself a request id is most likely the provider's.
	find("provider_request_id", func(l leaf) bool {
		return (l.name() == "requestid" || l.name() == "reqid") && l.may("provider_request_id")
	})
	find("user_email", leaf.addresses)
	if user := chosen["user_id"]; user != nil && chosen["user_email"] == nil && user.some(isAddress) && user.every(isAddress) {
		s.Fields["user_email"] = s.Fields["user_id"]
		delete(s.Fields, "user_id")
	}
	s.filter(leaves, chosen)
	s.name(chosen)
	s.gemini(chosen)
	s.units(chosen)
	if !s.untitled {
		s.Others = otherNames(leaves, taken)
	}
	if model := chosen["model"]; model != nil {
		s.models = model.values()
		s.Provider = payee(s.models)
	}
}

// name finds what names a record: its id, else the day or moment, the person and
// the model together, where these don't occur twice.
func (s *Suggestion) name(chosen map[string]*leaf) {
	id, answer := chosen["agent_request_id"], chosen["response_id"]
	switch {
	case id == nil && answer != nil:
		id = answer
		s.Fields["agent_request_id"] = s.Fields["response_id"]
	case id != nil && answer == nil && id.some(isAnswer) && id.every(isAnswer):
		s.Fields["response_id"] = s.Fields["agent_request_id"]
	}
	if id != nil {
		s.Repeats = s.repeats(id)
		return
	}
	who, field := chosen["user_email"], "user_email"
	if who == nil {
		who, field = chosen["user_id"], "user_id"
		if s.Fields["user_id"] == nil {
			field = "user_email"
		}
	}
	if start, model := chosen["started_at"], chosen["model"]; start != nil && model != nil && who != nil && s.repeats(start, who, model) == 0 {
		s.Key = []string{"started_at", field, "model"}
	}
}

// repeats counts the records that the filter passes and of which the values at
// some places are those of an earlier one.
func (s *Suggestion) repeats(places ...*leaf) (n int) {
	seen := map[string]bool{}
	for i := range places[0].sample {
		if s.Only != nil && !s.counted[i] {
			continue
		}
		key := ""
		for _, l := range places {
			key += l.sample[i] + "\x00"
		}
		if len(strings.Trim(key, "\x00")) == 0 {
			continue
		}
		if seen[key] {
			n++
		}
		seen[key] = true
	}
	return n
}

// gemini adds up the counts that its API tells in parts. A part that no record
// shows yet stands beside the others: thoughts come with some answers only.
func (s *Suggestion) gemini(chosen map[string]*leaf) {
	output, input := chosen["output_tokens"], chosen["input_tokens"]
	if output == nil || input == nil || output.name() != "candidatestokencount" || input.name() != "prompttokencount" {
		return
	}
	beside := func(l *leaf, old, camel, snake string) string {
		at := strings.LastIndex(l.place, old)
		if at < 0 {
			return ""
		}
		part := camel
		if strings.Contains(l.place[at:], "_") {
			part = snake
		}
		return l.place[:at] + part + l.place[at+len(old):]
	}
	thoughts := beside(output, "candidates", "thoughts", "thoughts")
	tools := beside(input, "prompt", "toolUsePrompt", "tool_use_prompt")
	cached := beside(input, "prompt", "cachedContent", "cached_content")
	if thoughts == "" || tools == "" {
		return
	}
	s.Fields["output_tokens"], s.Fields["reasoning_tokens"] = []string{output.place, thoughts}, []string{thoughts}
	s.Fields["input_tokens"], s.Fields["cache_read_tokens"] = []string{input.place, tools}, []string{cached}
	s.TokensIn = "inclusive"
}

// rowNames are the places whose words say what kind of record one is.
var rowNames = []string{"type", "kind", "event", "eventname", "eventtype", "calltype", "category", "requesttype", "logtype", "recordtype", "operation", "operationname", "spantype",
	"observationtype", "sequencenumber"}

// requestWords are words of records that are requests to a model. Other words are
// never repeated: a person may have written them.
var requestWords = []string{"llm", "llm_call", "llm_request", "model", "model_call", "chat", "chat.completion", "chat_completion", "completion", "completions", "generation", "assistant",
	"embedding", "embeddings", "inference", "request", "response", "api_request", "message", "0"}

// filter finds a place that tells the records with tokens from those without.
func (s *Suggestion) filter(leaves []leaf, chosen map[string]*leaf) {
	has := make([]bool, s.Looked)
	for _, field := range []string{"input_tokens", "output_tokens"} {
		if l := chosen[field]; l != nil {
			for i, v := range l.sample {
				has[i] = has[i] || plainNumber.MatchString(v)
			}
		}
	}
	if !slices.Contains(has, true) || !slices.Contains(has, false) {
		return
	}
	for _, l := range leaves {
		if !slices.Contains(rowNames, l.name()) || l.depth > 2 {
			continue
		}
		var words, others []string
		for i, v := range l.sample {
			if has[i] {
				words = append(words, v)
			} else {
				others = append(others, v)
			}
		}
		slices.Sort(words)
		words = slices.Compact(words)
		tells := !slices.ContainsFunc(words, func(w string) bool {
			return slices.Contains(others, w) || !slices.Contains(requestWords, strings.ToLower(w))
		})
		if tells {
			s.Only, s.counted = map[string][]string{l.place: words}, has
			return
		}
	}
}

// may refuses a place whose values can't be those of a field.
func (l leaf) may(field string) bool {
	sure := !slices.Contains(unsure, l.name())
	switch {
	case l.list:
		return field == "tool_calls"
	case strings.HasSuffix(field, "_tokens"), field == "reported_cost":
		return l.every(plainNumber.MatchString) && (sure || l.some(plainNumber.MatchString))
	case field == "agent_request_id", field == "provider_request_id", field == "response_id", field == "client_ref":
		return l.ownID(field)
	case field == "cache_hit":
		return sure || l.some(isTruth) && l.every(isTruth)
	case field == "started_at":
		return sure || l.timeForm() != ""
	case field == "agent_id" && len(l.keys) > 1 && l.parent() == "service": // what a gateway leads to, not who asks
		return false
	case field == "model":
		return l.every(func(v string) bool { return !plainNumber.MatchString(v) && !isTruth(v) && !dateLike.MatchString(v) })
	}
	return true
}

// addresses says that a place holds people's mail addresses, below or by the name
// of somebody who asks.
func (l leaf) addresses() bool {
	person := slices.ContainsFunc(l.keys, func(key string) bool {
		return slices.ContainsFunc([]string{"consumer", "user", "customer", "actor", "member", "employee", "principal", "identity", "caller", "login", "requester"}, func(who string) bool {
			return strings.Contains(key, who)
		})
	})
	return person && !l.list && l.some(isAddress) && l.every(isAddress)
}

var (
	address  = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	uuid     = regexp.MustCompile(`(?i)^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`)
	answer   = regexp.MustCompile(`^(chatcmpl-|cmpl-|msg_|resp_|gen-)`)
	dateLike = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}`)
	title    = regexp.MustCompile(`^[A-Za-z/_][A-Za-z0-9_.$:~()/%# -]{0,63}$`)
)

func isAddress(v string) bool { return address.MatchString(v) }
func isAnswer(v string) bool  { return answer.MatchString(v) }
func isTruth(v string) bool   { return strings.EqualFold(v, "true") || strings.EqualFold(v, "false") }

// nothing says whether a value stands for none.
func nothing(v string) bool {
	return slices.Contains([]string{"", "NA", "N/A", "None", "none", "null", "-"}, v)
}

// some says whether there is a value that passes.
func (l leaf) some(pass func(v string) bool) bool {
	return slices.ContainsFunc(l.sample, func(v string) bool { return !nothing(v) && pass(v) })
}

// values are those that there are, each once.
func (l leaf) values() []string {
	all := slices.DeleteFunc(slices.Clone(l.sample), nothing)
	slices.Sort(all)
	return slices.Compact(all)
}

// every says whether all values that there are pass.
func (l leaf) every(pass func(v string) bool) bool {
	return !l.some(func(v string) bool { return !pass(v) })
}

func (s *Suggestion) units(chosen map[string]*leaf) {
	if started := chosen["started_at"]; started != nil {
		s.Time = started.timeForm()
	}
	if ended := chosen["ended_at"]; ended != nil && ended.timeForm() != s.Time {
		delete(s.Fields, "ended_at")
	}
	if cost := chosen["reported_cost"]; cost != nil {
		s.CostUnit = "usd"
		for _, unit := range []string{"cents", "micros"} {
			if strings.Contains(cost.name(), unit) || unit == "micros" && strings.Contains(cost.name(), "micro") {
				s.CostUnit = unit
			}
		}
	}
	if status := chosen["status"]; status != nil {
		for _, word := range successWords {
			if slices.Contains(status.sample, word) {
				s.Success = append(s.Success, word)
			}
		}
		if len(s.Success) == 0 {
			delete(s.Fields, "status")
		}
	}
	if hit := chosen["cache_hit"]; hit != nil {
		for _, word := range []string{"HIT", "hit", "Hit"} {
			if slices.Contains(hit.sample, word) {
				s.CacheHit = append(s.CacheHit, word)
			}
		}
	}
	input, read, written := chosen["input_tokens"], chosen["cache_read_tokens"], chosen["cache_write_tokens"]
	var parts []*leaf
	for _, field := range []string{"cache_read_tokens", "cache_write_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"} {
		if l := chosen[field]; l != nil && input != nil {
			parts = append(parts, l)
		} else if input == nil {
			delete(s.Fields, field)
		}
	}
	if len(parts) == 0 || s.TokensIn != "" {
		return
	}
	// A prompt that holds less than its cache's part can't hold it.
	s.TokensIn = "inclusive"
	if strings.HasPrefix(input.name(), "input") && (read != nil && strings.Contains(read.name(), "cacheread") || written != nil && strings.Contains(written.name(), "creation")) {
		s.TokensIn = "exclusive"
	}
	for i := range input.sample {
		part := new(big.Rat)
		for _, l := range parts[:min(len(parts), 2)] { // the others are parts of what was written
			part.Add(part, number(l.sample[i]))
		}
		if all := number(input.sample[i]); all.Sign() >= 0 && part.Cmp(all) > 0 {
			s.TokensIn = "exclusive"
		}
	}
}

// plainNumber is short: one with a long exponent takes for ever to count with.
var plainNumber = regexp.MustCompile(`^-?[0-9]{1,18}(\.[0-9]{0,18})?$`)

func number(text string) *big.Rat {
	if plainNumber.MatchString(text) {
		if n, ok := new(big.Rat).SetString(strings.TrimSuffix(text, ".")); ok {
			return n
		}
	}
	return new(big.Rat)
}

// timeForms are the ways of writing times that can be told apart, the pattern
// for what of them the settings call it.
var timeForms = []struct{ shape, name string }{
	{`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}.*`, "rfc3339"},
	{`[0-9]{9,10}(\.[0-9]+)?`, "unix"},
	{`[0-9]{12,13}`, "unix_ms"},
	{`[0-9]{15,16}`, "unix_us"},
	{`63[0-9]{16}`, "ticks"},
	{`1[0-9]{18}`, "unix_ns"},
	{`[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}`, "yyyy/MM/dd HH:mm:ss"},
	{`[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}`, "yyyy-MM-dd HH:mm"},
	{`[0-9]{2}\.[0-9]{2}\.[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}`, "dd.MM.yyyy HH:mm:ss"},
	{`[0-9]{2}\.[0-9]{2}\.[0-9]{4} [0-9]{2}:[0-9]{2}`, "dd.MM.yyyy HH:mm"},
	{`(0?[1-9]|1[0-2])/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2}:[0-9]{2} [AaPp][Mm]`, "M/d/yyyy h:mm:ss a"},
	{`(0?[1-9]|1[0-2])/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2} [AaPp][Mm]`, "M/d/yyyy h:mm a"},
	{`(0?[1-9]|1[0-2])/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2}:[0-9]{2}`, "M/d/yyyy H:mm:ss"},
	{`[0-9]{1,2}/(0?[1-9]|1[0-2])/[0-9]{4} [0-9]{1,2}:[0-9]{2}:[0-9]{2}`, "d/M/yyyy H:mm:ss"},
	{`[0-9]{4}-[0-9]{2}-[0-9]{2}`, "yyyy-MM-dd"},
	{`[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}`, "yyyy/M/d"},
	{`20[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]`, "yyyyMMdd"},
	{`[0-9]{2}\.[0-9]{2}\.[0-9]{4}`, "dd.MM.yyyy"},
	{`(0?[1-9]|1[0-2])/[0-9]{1,2}/[0-9]{4}`, "M/d/yyyy"},
	{`[0-9]{1,2}/(0?[1-9]|1[0-2])/[0-9]{4}`, "d/M/yyyy"},
}

// timeForm tells how times are written, "" where that can't be told.
func (l leaf) timeForm() string {
	for _, form := range timeForms {
		shape := regexp.MustCompile("^" + form.shape + "$")
		if slices.ContainsFunc(l.sample, shape.MatchString) && l.every(shape.MatchString) {
			return form.name
		}
	}
	return ""
}

// Missing lists the wanted fields of a side that were not found, and says whether
// records could be charged without them.
func (s Suggestion) Missing(provider bool) (fields []string, usable bool) {
	usable = true
	want := func(needed bool, any ...string) {
		if !slices.ContainsFunc(any, func(field string) bool { return s.Fields[field] != nil }) {
			fields, usable = append(fields, strings.Join(any, " or ")), usable && !needed
		}
	}
	id, who := "agent_request_id", []string{"user_email", "user_id"}
	if provider {
		id, who = "provider_request_id", nil
	}
	if len(s.Key) == 0 {
		want(true, id)
	}
	want(true, "started_at")
	want(provider, "provider")
	want(true, "model")
	want(true, "input_tokens")
	if !s.embeds() {
		want(true, "output_tokens")
	}
	if who != nil {
		want(false, who...)
	}
	return fields, usable
}

// embeds says that all models make embeddings, which have no output to count.
func (s Suggestion) embeds() bool {
	return len(s.models) > 0 && !slices.ContainsFunc(s.models, func(m string) bool { return !strings.Contains(strings.ToLower(m), "embed") })
}
