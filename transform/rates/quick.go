package rates

import (
	"bytes"
	"encoding"
	"strconv"
	"strings"
	"unicode/utf8"

	"chargeback/transform/strictyaml"
)

// quick reads a document of prices in the one form in which Entry.YAML writes
// them, which the built-in book and imported lists have; it takes a tenth of the
// time that strictyaml needs for any YAML. Whatever else a document has is not
// ok, and strictyaml reads it and says what is wrong.
func quick(name string, before int, data []byte) (d decoded, ok bool) {
	if !utf8.Valid(data) { // also in a comment
		return d, false
	}
	q := quickReader{lines: map[string]int{"": before + 1}}
	var items []*priceYAML
	for number, raw := before+1, data; len(raw) > 0; number++ {
		line, rest, _ := bytes.Cut(raw, []byte{'\n'})
		raw = rest
		text := string(line)
		bare := strings.TrimLeft(text, " ")
		indent := len(text) - len(bare)
		item, begins := strings.CutPrefix(bare, "- ")
		switch {
		case bare == "" || bare[0] == '#':
			continue
		case indent == 0:
			if bare != "prices:" || q.prices {
				return d, false
			}
			q.prices = true
			continue
		case !q.prices || q.item == nil && !(indent == 2 && begins):
			return d, false
		case indent == 2 && begins:
			q.item, q.seen, q.under = &priceYAML{}, map[string]bool{}, ""
			q.lines["prices["+strconv.Itoa(len(items))+"]"] = number
			items = append(items, q.item)
			bare, indent = item, 4
		}
		if !q.line(indent, bare) {
			return d, false
		}
	}
	if len(items) == 0 || !q.ends() {
		return d, false
	}
	d.doc = strictyaml.Known(name, q.lines)
	d.parsed.Prices = make([]priceYAML, len(items))
	for i, item := range items {
		d.parsed.Prices[i] = *item
	}
	return d, true
}

// quickReader reads the lines of one document.
type quickReader struct {
	lines  map[string]int // as strictyaml counts them
	prices bool
	item   *priceYAML
	seen   map[string]bool // keys of the item, and of what is under it
	under  string          // the key whose block the next lines belong to
	tier   string          // the tier whose block they belong to
	steps  bool            // they are thresholds of the tier
	empty  bool            // nothing stands under the key yet
}

// ends says whether a block that a key has begun has anything in it.
func (q *quickReader) ends() bool { return !q.empty }

// once is false where a key stands a second time.
func (q *quickReader) once(key string) bool {
	was := q.seen[key]
	q.seen[key] = true
	return !was
}

func (q *quickReader) line(indent int, text string) bool {
	switch {
	case indent == 4:
		if !q.ends() {
			return false
		}
		q.under, q.tier, q.steps = "", "", false
		key, value, found := strings.Cut(text, ": ")
		if block, is := strings.CutSuffix(text, ":"); is && !found {
			q.under, q.empty = block, true
			return q.once(block) && (block == "thresholds" || block == "ranges" || block == "tiers" || block == "off_peak" || block == "uplifts")
		}
		return found && q.once(key) && q.key(key, quickValue(value))
	case indent == 6 && q.under == "tiers":
		return q.beginTier(text)
	case indent == 6 && q.under != "":
		item, is := strings.CutPrefix(text, "- ")
		q.empty = false
		return is && q.listed(quickValue(item))
	case indent >= 8 && q.tier != "":
		return q.ofTier(indent, text)
	}
	return false
}

// key reads a value of an entry.
func (q *quickReader) key(key string, v quickNode) bool {
	e := q.item
	switch key {
	case "provider":
		return v.text(&e.Provider)
	case "model":
		return v.text(&e.Model)
	case "account":
		return v.text(&e.Account)
	case "source":
		return v.text(&e.Source)
	case "aliases":
		return v.texts(&e.Aliases)
	case "profiles":
		return v.texts(&e.Profiles)
	case "patterns":
		return v.texts(&e.Patterns)
	case "from":
		return v.read(&e.From)
	case "to":
		return v.read(&e.To)
	case "learned":
		return v.read(&e.Learned)
	case "confirmed":
		return v.read(&e.Confirmed)
	case "announced":
		e.Announced = v.scalar == "true"
		return e.Announced && !v.quoted
	case "usd_per_million":
		return v.classes(&e.Classes)
	case "usd_per_request":
		return v.read(&e.PerRequest)
	case "usd_per_search":
		return v.read(&e.PerSearch)
	}
	return false
}

// listed reads an item of the list under a key.
func (q *quickReader) listed(v quickNode) bool {
	e := q.item
	switch q.under {
	case "thresholds":
		t, ok := v.threshold()
		e.Thresholds = append(e.Thresholds, t)
		return ok
	case "ranges":
		r := rangeYAML{}
		e.Ranges = append(e.Ranges, r)
		last := &e.Ranges[len(e.Ranges)-1]
		return v.fields(map[string]func(quickNode) bool{
			"up_to":           func(v quickNode) bool { return v.number(&last.UpTo) },
			"usd_per_million": func(v quickNode) bool { return v.classes(&last.Classes) },
		})
	case "off_peak":
		e.OffPeak = append(e.OffPeak, offPeakYAML{})
		last := &e.OffPeak[len(e.OffPeak)-1]
		return v.fields(map[string]func(quickNode) bool{
			"utc":             func(v quickNode) bool { return v.text(&last.UTC) },
			"days":            func(v quickNode) bool { return v.words(&last.Days) },
			"times":           func(v quickNode) bool { return v.read(&last.Times) },
			"usd_per_million": func(v quickNode) bool { return v.classes(&last.Classes) },
		})
	case "uplifts":
		e.Uplifts = append(e.Uplifts, upliftYAML{})
		last := &e.Uplifts[len(e.Uplifts)-1]
		return v.fields(map[string]func(quickNode) bool{
			"regions": func(v quickNode) bool { return v.texts(&last.Regions) },
			"times":   func(v quickNode) bool { return v.read(&last.Times) },
			"cache":   func(v quickNode) bool { return v.read(&last.Cache) },
		})
	}
	return false
}

// beginTier reads a tier that is a factor, or the line above one's own prices.
func (q *quickReader) beginTier(text string) bool {
	if q.tier != "" && q.empty {
		return false
	}
	if q.item.Tiers == nil {
		q.item.Tiers = map[string]tierYAML{}
	}
	q.empty, q.steps = false, false
	name, value, found := strings.Cut(text, ": ")
	if !found {
		q.tier, found = strings.CutSuffix(text, ":")
		q.empty = true
		q.item.Tiers[q.tier] = tierYAML{}
		return found && quickWord(q.tier) && q.once("tiers."+q.tier)
	}
	q.tier = ""
	t := tierYAML{}
	ok := quickWord(name) && q.once("tiers."+name) && quickValue(value).fields(map[string]func(quickNode) bool{
		"times": func(v quickNode) bool { return v.read(&t.Times) },
	})
	q.item.Tiers[name] = t
	return ok
}

// ofTier reads a line of a tier with prices of its own.
func (q *quickReader) ofTier(indent int, text string) (ok bool) {
	t := q.item.Tiers[q.tier]
	key, value, found := strings.Cut(text, ": ")
	item, is := strings.CutPrefix(text, "- ")
	switch {
	case indent == 10 && q.steps && is:
		var step thresholdYAML
		step, ok = quickValue(item).threshold()
		t.Thresholds = append(t.Thresholds, step)
		q.empty = false
	case indent != 8 || q.steps && q.empty:
		return false
	case text == "thresholds:":
		q.steps, q.empty = true, true
		return q.once("tiers." + q.tier + ".thresholds")
	case found && q.once("tiers."+q.tier+"."+key):
		q.empty, q.steps = false, false
		switch v := quickValue(value); key {
		case "usd_per_million":
			ok = v.classes(&t.Classes)
		case "usd_per_request":
			ok = v.read(&t.PerRequest)
		case "usd_per_search":
			ok = v.read(&t.PerSearch)
		}
	}
	q.item.Tiers[q.tier] = t
	return ok
}

// quickNode is a value on one line: a scalar, a list or a map; broken where it is
// none that is read here.
type quickNode struct {
	scalar string
	quoted bool
	keys   []string    // of a map
	items  []quickNode // of a map or a list
	kind   byte        // 's', '[', '{', 0 is broken
}

// quickValue reads all of a text as one value.
func quickValue(text string) quickNode {
	v, rest := quickParse(text, 0)
	if rest != "" {
		return quickNode{}
	}
	return v
}

const quickDepth = 3

func quickParse(text string, depth int) (v quickNode, rest string) {
	switch {
	case text == "" || depth > quickDepth:
		return quickNode{}, text
	case text[0] == '"':
		end := strings.IndexAny(text[1:], "\"\\") + 1
		if end < 2 || text[end] != '"' || strings.ContainsFunc(text[1:end], func(c rune) bool { return c < ' ' || c > '~' }) ||
			text[1] == ' ' || text[end-1] == ' ' {
			return quickNode{}, text
		}
		return quickNode{kind: 's', scalar: text[1:end], quoted: true}, text[end+1:]
	case text[0] == '[' || text[0] == '{':
		return quickFlow(text, depth)
	}
	end := strings.IndexFunc(text, func(c rune) bool { return !quickRune(c) && c != ':' && c != '+' })
	if end < 0 {
		end = len(text)
	}
	if end == 0 || text[end-1] == ':' {
		return quickNode{}, text
	}
	return quickNode{kind: 's', scalar: text[:end]}, text[end:]
}

// quickFlow reads a list or a map whose items stand between ", ".
func quickFlow(text string, depth int) (v quickNode, rest string) {
	open, closing := text[0], map[byte]string{'[': "]", '{': "}"}[text[0]]
	v.kind, rest = open, text[1:]
	for {
		if open == '{' {
			key, after, found := strings.Cut(rest, ": ")
			if !found || !quickWord(key) {
				return quickNode{}, text
			}
			v.keys, rest = append(v.keys, key), after
		}
		var item quickNode
		if item, rest = quickParse(rest, depth+1); item.kind == 0 {
			return quickNode{}, text
		}
		v.items = append(v.items, item)
		if after, is := strings.CutPrefix(rest, closing); is {
			return v, after
		}
		after, more := strings.CutPrefix(rest, ", ")
		if !more {
			return quickNode{}, text
		}
		rest = after
	}
}

func quickRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}

// quickWord says that a key, or a word, is one that no reader takes for a number
// or a truth value.
func quickWord(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" && text[0] >= 'a' && text[0] <= 'z' &&
		text != "true" && text != "false" && text != "null" && text != "yes" && text != "no" && text != "on" && text != "off" && text != "y" && text != "n"
}

func (v quickNode) text(to *string) bool {
	*to = v.scalar
	return v.kind == 's' && v.quoted
}

func (v quickNode) texts(to *[]string) bool {
	for _, item := range v.items {
		if item.kind != 's' || !item.quoted {
			return false
		}
		*to = append(*to, item.scalar)
	}
	return v.kind == '['
}

func (v quickNode) words(to *[]string) bool {
	for _, item := range v.items {
		if item.kind != 's' || item.quoted || !quickWord(item.scalar) {
			return false
		}
		*to = append(*to, item.scalar)
	}
	return v.kind == '['
}

func (v quickNode) number(to *int) bool {
	n, err := strconv.ParseInt(v.scalar, 10, 32)
	*to = int(n)
	return v.kind == 's' && !v.quoted && err == nil && v.scalar == strconv.Itoa(*to)
}

func (v quickNode) read(to encoding.TextUnmarshaler) bool {
	return v.kind == 's' && to.UnmarshalText([]byte(v.scalar)) == nil
}

// fields reads a map with some of the keys, each once.
func (v quickNode) fields(known map[string]func(quickNode) bool) bool {
	for i, key := range v.keys {
		read := known[key]
		delete(known, key)
		if read == nil || !read(v.items[i]) {
			return false
		}
	}
	return v.kind == '{'
}

func (v quickNode) threshold() (t thresholdYAML, ok bool) {
	ok = v.fields(map[string]func(quickNode) bool{
		"more_than":       func(v quickNode) bool { return v.number(&t.MoreThan) },
		"at_least":        func(v quickNode) bool { return v.number(&t.AtLeast) },
		"usd_per_million": func(v quickNode) bool { return v.classes(&t.Classes) },
	})
	return t, ok
}

// classes reads the prices of classes, each once.
func (v quickNode) classes(to *classesYAML) bool {
	for i, key := range v.keys {
		var p *perMillion
		switch key {
		case "input":
			p = &to.Input
		case "cache_read":
			p = &to.CacheRead
		case "cache_write_5m":
			p = &to.CacheWrite5m
		case "cache_write_1h":
			p = &to.CacheWrite1h
		case "output":
			p = &to.Output
		case "reasoning":
			p = &to.Reasoning
		case "input_audio":
			p = &to.InputAudio
		case "input_image":
			p = &to.InputImage
		case "cache_read_audio":
			p = &to.CacheReadAudio
		case "output_audio":
			p = &to.OutputAudio
		case "output_image":
			p = &to.OutputImage
		}
		if p == nil || p.set || !v.items[i].read(p) {
			return false
		}
	}
	return v.kind == '{'
}
