package decode

import (
	"bytes"
	"regexp"
	"strings"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// usageTypes remembers what the usage types and units of a worker's lines say:
// the same few come again and again.
type usageTypes struct {
	types map[string]keptType
	units map[string]tokenWorth
}

// keptType is a usageType as rows take it.
type keptType struct {
	model, class, tier []byte
	tokens             bool
}

// tokenWorth is the power of ten of tokens in a unit, where that is known.
type tokenWorth struct {
	places int
	ok     bool
}

// textsMax is how many texts are remembered.
const textsMax = 4096

func (k *usageTypes) of(raw []byte) keptType {
	if t, ok := k.types[string(raw)]; ok {
		return t
	}
	u := parseUsageType(string(raw))
	t := keptType{class: classOf(u.class), tokens: u.tokens}
	if u.model != "" {
		t.model = []byte(u.model)
	}
	if u.tier != "" {
		t.tier = []byte(u.tier)
	}
	if k.types == nil {
		k.types = map[string]keptType{}
	}
	if len(k.types) < textsMax {
		k.types[string(raw)] = t
	}
	return t
}

// worth is tokenUnit of one text.
func (k *usageTypes) worth(unit []byte) tokenWorth {
	if w, ok := k.units[string(unit)]; ok {
		return w
	}
	var w tokenWorth
	w.places, w.ok = tokenUnit(unit)
	if k.units == nil {
		k.units = map[string]tokenWorth{}
	}
	if len(k.units) < textsMax {
		k.units[string(unit)] = w
	}
	return w
}

// usageType is what an AWS usage type says of a Bedrock charge.
type usageType struct {
	model, class, tier string
	tokens             bool // it counts tokens
}

// Usage types of Bedrock, without the region in front.
var (
	// The models that AWS itself bills: Claude4.6Sonnet-cache-read-input-token-count-cross-region-global.
	ownTokens = regexp.MustCompile(awsPlace + `-)?(.+?)(?i:(?:-mantle)?-(cache-?(?:read|write)-?(?:1h-|5m-)?)?(input|output)?-?(text|audio|speech|image|video)?-?(?:tokens?-count|tokens?)((?:[-_][a-z0-9]+)*))$`)
	// Those of the Marketplace, which don't name the model: MP:USE1_CacheWrite1hInputTokenCount_Global-Units,
	// MP:USE1_input_tokens_standard-Units.
	marketTokens = regexp.MustCompile(`MP:` + awsPlace[1:] + `_)?(?i:(cache_?(?:read|write)_?(?:1h_?|5m_?)?)?(input|output)?_?(?:token_?count|tokens?)((?:_[a-z0-9]+)*)(?:-units)?)$`)
)

// awsPlace begins a pattern with a region as usage types name it.
const awsPlace = `^(?:(?:[A-Z]{2,4}[0-9]|EU)`

// parseUsageType reads a usage type.
func parseUsageType(s string) usageType {
	if strings.Contains(s, "MP:") {
		m := marketTokens.FindStringSubmatch(s)
		if m == nil || m[1] == "" && m[2] == "" {
			return usageType{}
		}
		return usageType{class: bedrockClass(m[1], m[2], ""), tier: tierOf(m[3]), tokens: true}
	}
	m := ownTokens.FindStringSubmatch(s)
	if m == nil || m[2] == "" && m[3] == "" {
		return usageType{}
	}
	return usageType{model: m[1], class: bedrockClass(m[2]+m[5], m[3], m[4]), tier: tierOf(m[5]), tokens: true}
}

// bedrockClass is the token class of the words of a usage type; "" for one that
// the classes don't have. A write whose time to live isn't named is one of five
// minutes: AWS names the hour.
func bedrockClass(cache, side, kind string) string {
	cache, kind = strings.ToLower(cache), strings.ToLower(kind)
	switch {
	case strings.Contains(cache, "cache") && strings.Contains(cache, "write") && strings.Contains(cache, "1h"):
		return record.ClassCacheWrite1h
	case strings.Contains(cache, "cache") && strings.Contains(cache, "write"):
		return record.ClassCacheWrite5m
	case strings.Contains(cache, "cache") && (kind == "audio" || kind == "speech"):
		return record.ClassCacheReadAudio
	case strings.Contains(cache, "cache"):
		return record.ClassCacheRead
	}
	output := strings.EqualFold(side, "output")
	switch kind {
	case "", "text":
		if output {
			return record.ClassOutput
		}
		return record.ClassInput
	case "audio", "speech":
		if output {
			return record.ClassOutputAudio
		}
		return record.ClassInputAudio
	case "image":
		if output {
			return record.ClassOutputImage
		}
		return record.ClassInputImage
	}
	return ""
}

// tierOf finds the service tier among the words behind a usage type.
func tierOf(suffix string) string {
	for word := range strings.FieldsFuncSeq(strings.ToLower(suffix), func(r rune) bool { return r == '-' || r == '_' }) {
		switch word {
		case "batch", "flex", "priority", "standard", "reserved":
			return word
		}
	}
	return ""
}

// Words of the units that tokens are billed in.
var (
	perMillion  = regexp.MustCompile(`(?i)\b(?:1 ?M|1,?000,?000|1 million|million)\b`)
	perThousand = regexp.MustCompile(`(?i)\b(?:1 ?K|1,?000|1 thousand|thousand)\b`)
	perToken    = regexp.MustCompile(`(?i)^(?:1 )?tokens?$`)
)

// tokenUnit is the power of ten of tokens in a unit, as its name or a
// description says it; ok is false where neither does.
func tokenUnit(texts ...[]byte) (places int, ok bool) {
	for _, t := range texts {
		switch {
		case perMillion.Match(t):
			return 6, true
		case perThousand.Match(t):
			return 3, true
		case perToken.Match(t):
			return 0, true
		}
	}
	return 0, false
}

// billLine is one line of a bill, as both kinds of export have it.
type billLine struct {
	service, usageType, product, unit, description, quantity, kind jsonscan.Value
	countsUsage                                                    bool // the line's quantity is usage, not repeated beside a discount
	whole                                                          bool // the line's kind says all: tax, a credit, a fee
}

// What Bedrock is called in bills.
var (
	editionSuffix = []byte("(Amazon Bedrock Edition)")
	bedrockWord   = []byte("Bedrock")
	bedrockCode   = []byte("AmazonBedrock")
	marketplace   = []byte("MP:")
)

// isBedrock says whether a line is about Bedrock.
func isBedrock(service, usageType, product jsonscan.Value) bool {
	return bytes.HasPrefix(text(service), bedrockCode) || bytes.Contains(text(product), bedrockWord) ||
		bytes.Contains(text(usageType), marketplace) && parseUsageType(string(text(usageType))).tokens
}

// bedrockLine fills what a line is about.
func (r *totalsReader) bedrockLine(l billLine, quantityField string) error {
	t := &r.t
	raw := name(l.usageType)
	u := r.texts.of(raw)
	t.Model, t.Class, t.ServiceTier = u.model, u.class, u.tier
	if edition, ok := bytes.CutSuffix(name(l.product), editionSuffix); ok && u.model == nil {
		t.Model = bytes.TrimSpace(edition)
	}
	switch {
	case l.whole:
		t.Class, t.LineItem = nil, name(l.kind)
	case t.Class == nil:
		t.LineItem = raw
	}
	if len(t.Class) == 0 && len(t.LineItem) == 0 {
		if t.LineItem = name(l.kind); len(t.LineItem) == 0 {
			t.LineItem = wordOf(allItems)
		}
	}
	t.Unit = name(l.unit)
	if missing(l.quantity) || !l.countsUsage {
		return nil
	}
	if _, ok := shifted(bytes.TrimSpace(l.quantity.Raw), 0); !ok {
		return &FieldError{quantityField, "is not a number"}
	}
	if !u.tokens {
		t.Quantity, t.HasQuantity = scaled(l.quantity.Raw, 0)
		return nil
	}
	worth := r.texts.worth(t.Unit)
	if !worth.ok {
		worth = r.texts.worth(text(l.description))
	}
	if !worth.ok {
		return nil // what a unit is worth is not guessed
	}
	places := worth.places
	n, exact := scaled(l.quantity.Raw, places)
	if !exact && n == 0 {
		if rounded, ok := shifted(bytes.TrimSpace(l.quantity.Raw), places); !ok || rounded != 0 {
			return &FieldError{quantityField, "is more than 9,000,000,000,000 tokens"}
		}
	}
	t.Unit, t.Quantity, t.HasQuantity = wordOf(unitTokens), n, true
	return nil
}

// period fills the billing month.
func (r *totalsReader) period(v jsonscan.Value, field string) error {
	s := text(v)
	if len(s) < 7 || s[4] != '-' || !isDigits(s[:4]) || !isDigits(s[5:7]) {
		return &FieldError{field, "is not the first day of a month such as 2026-10-01"}
	}
	r.t.Period = s[:7]
	return nil
}

func isDigits(s []byte) bool { return len(bytes.Trim(s, "0123456789")) == 0 }
