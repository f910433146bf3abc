package rates

import (
	"regexp"
	"strings"
)

// How Resolve found a price.
const (
	ByExact  = "exact"  // the model's own id
	ByAlias  = "alias"  // an alias in the book
	ByARN    = "arn"    // the last part of an AWS ARN
	ByPrefix = "prefix" // what is left when the gateway's prefixes are cut off
)

// Resolve finds the key of the prices of a model as a record names it. It tries
// the id itself, the book's aliases, the last part of an inference-profile or
// foundation-model ARN, and all of these again without the prefixes that LiteLLM
// writes (bedrock/converse/us-east-1/...). It never guesses: an id that differs
// in one character is not found.
func (b *Book) Resolve(provider, model string) (key, how string, ok bool) {
	if key, how, ok = b.find(provider, model); ok {
		return key, how, true
	}
	for _, rest := range withoutPrefixes(provider, model) {
		if key, _, ok = b.find(provider, rest); ok {
			return key, ByPrefix, true
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
