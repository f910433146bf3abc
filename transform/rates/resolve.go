package rates

import (
	"cmp"
	"regexp"
	"strings"

	"chargeback/transform/wildcard"
)

// How Resolve found a price.
const (
	ByExact   = "exact"   // the model's own id
	ByRegion  = "region"  // the id behind the region that was called
	ByAlias   = "alias"   // an alias or a profile in the book
	ByARN     = "arn"     // the last part of an AWS ARN
	ByPrefix  = "prefix"  // what is left when the gateway's prefixes are cut off
	ByPattern = "pattern" // a pattern in the book
)

// pattern is other ids of a model, with * for any characters.
type pattern struct{ provider, text, key string }

// morePrecise puts the pattern with more characters of its own first.
func morePrecise(a, b pattern) int {
	return cmp.Or(cmp.Compare(ownCharacters(b.text), ownCharacters(a.text)), strings.Compare(a.provider, b.provider), strings.Compare(a.text, b.text))
}

// ownCharacters counts what a pattern says beside *; what is no pattern says more
// than any.
func ownCharacters(pattern string) int {
	if n := strings.Count(pattern, "*"); n > 0 {
		return len(pattern) - n
	}
	return 1 << 30
}

// Resolve finds the key of the prices of a model as a record names it: with the
// region that was called before it, by the id itself, the book's aliases and
// profiles, and the last part of an inference-profile or foundation-model ARN;
// all of these again without the prefixes that LiteLLM writes
// (bedrock/converse/us-east-1/...); and by the book's patterns, of which the one
// with the most characters of its own counts. It never guesses: an id that
// differs in one character is not found.
func (b *Book) Resolve(provider, region, model string) (key, how string, ok bool) {
	if region != "" {
		if key, _, ok = b.find(provider, region+"/"+model); ok {
			return key, ByRegion, true
		}
	}
	if key, how, ok = b.find(provider, model); ok {
		return key, how, true
	}
	rests := withoutPrefixes(provider, model)
	for _, rest := range rests {
		if key, _, ok = b.find(provider, rest); ok {
			return key, ByPrefix, true
		}
	}
	for _, id := range append([]string{model}, rests...) {
		for _, p := range b.patterns {
			if p.provider == provider && wildcard.Match(p.text, id) {
				return p.key, ByPattern, true
			}
		}
	}
	return "", "", false
}

// modelARN ends in a model's id. The ids of other resources (provisioned models,
// application profiles) are names that a customer chose; they need an alias.
var modelARN = regexp.MustCompile(`^arn:aws[a-z-]*:bedrock:[a-z0-9-]*:[0-9]*:(?:inference-profile|foundation-model)/(.+)$`)

func (b *Book) find(provider, model string) (key, how string, ok bool) {
	name := provider + "/" + model
	if b.keys[name] {
		return name, ByExact, true
	}
	if key, ok := b.aliases[name]; ok {
		return key, ByAlias, true
	}
	if arn := modelARN.FindStringSubmatch(model); arn != nil {
		key, _, ok := b.find(provider, arn[1])
		return key, ByARN, ok
	}
	return "", "", false
}

var awsRegion = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)

// withoutPrefixes cuts provider/ off, and for Bedrock the route and the region
// that may follow, one after the other. The result is longest first.
func withoutPrefixes(provider, model string) []string {
	rest, ok := strings.CutPrefix(model, provider+"/")
	if !ok || provider == "" {
		return nil
	}
	all := []string{rest}
	if provider != "bedrock" {
		return all
	}
	first, after, more := strings.Cut(rest, "/")
	if more && (first == "converse" || first == "invoke") {
		all = append(all, after)
		first, after, more = strings.Cut(after, "/")
	}
	if more && awsRegion.MatchString(first) {
		all = append(all, after)
	}
	return all
}

// MostPrecise is the key of the entry with the pattern that fits a model and has
// the most characters of its own, and that pattern; "" where none fits.
func MostPrecise(entries []Entry, model string) (key, text string) {
	var best pattern
	for _, e := range entries {
		for _, text := range e.Patterns {
			p := pattern{e.Provider, text, e.Key()}
			if wildcard.Match(text, model) && (best.key == "" || morePrecise(p, best) < 0) {
				best = p
			}
		}
	}
	return best.key, best.text
}
