package report

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// nameModels makes the names of models meet. A reported name is resolved as the
// ledger's were, by the rate book; where that gives no model that was metered,
// it is compared by its words, without vendor, region, date and version: so
// Claude4.6Sonnet, claude-sonnet-4-6 and "Claude Sonnet 4.6" are one model.
// Where several metered models have the same words the report can't tell them
// apart, and they are one row. A name that meets none stays as it is.
func nameModels(metered, reported []*cellOf, resolve Resolve) {
	names := modelNames{metered: map[[2]string][]string{}, reported: map[[2]string][]string{}, known: map[[2]string]bool{}}
	for _, c := range metered {
		names.add(names.metered, c)
		names.known[[2]string{c.by[TotalsByProvider], c.by[TotalsByModel]}] = true
	}
	for _, c := range reported {
		if key, ok := resolve(c.by[TotalsByProvider], c.by[TotalsByRegion], c.by[TotalsByModel]); ok {
			_, model, _ := strings.Cut(key, "/")
			if names.known[[2]string{c.by[TotalsByProvider], model}] {
				c.by[TotalsByModel] = model
			}
		}
		if c.by[TotalsByModel] != "" && !names.known[[2]string{c.by[TotalsByProvider], c.by[TotalsByModel]}] {
			names.add(names.reported, c)
		}
	}
	for _, c := range slices.Concat(metered, reported) {
		if c.by[TotalsByModel] != "" {
			c.by[TotalsByModel] = names.of(c)
		}
	}
}

// modelNames are names by provider and words.
type modelNames struct {
	metered, reported map[[2]string][]string
	known             map[[2]string]bool // by provider and name: metered
}

func wordsOf(c *cellOf) [2]string {
	return [2]string{c.by[TotalsByProvider], modelWords(c.by[TotalsByModel])}
}

func (n *modelNames) add(to map[[2]string][]string, c *cellOf) {
	key, name := wordsOf(c), c.by[TotalsByModel]
	if i, found := slices.BinarySearch(to[key], name); !found {
		to[key] = slices.Insert(to[key], i, name)
	}
}

// of is the name that a cell's model goes by.
func (n *modelNames) of(c *cellOf) string {
	key := wordsOf(c)
	switch metered, reported := n.metered[key], n.reported[key]; {
	case len(reported) == 0 || key[1] == "":
		return c.by[TotalsByModel]
	case len(metered) > 0:
		return strings.Join(metered, " + ")
	default:
		return reported[0]
	}
}

var (
	vendorPrefix  = regexp.MustCompile(`^(?:.*/|(?:us|us-gov|eu|apac|jp|au|ca|global)\.)?(?:[a-z0-9]+\.)?`)
	versionSuffix = regexp.MustCompile(`(?i)[-@ ]?(?:v?[0-9]+(?::[0-9]+)+|v[0-9]+|[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}|latest)$`)
)

// modelWords are the words of a model's name in a fixed order, "" where it has
// none: letters and digits parted, without a zero behind a point.
func modelWords(name string) string {
	if prefix := vendorPrefix.FindString(name); !strings.ContainsFunc(prefix, unicode.IsDigit) || strings.Contains(prefix, "/") {
		name = strings.TrimPrefix(name, prefix)
	}
	for {
		shorter := versionSuffix.ReplaceAllString(name, "")
		if shorter == name || shorter == "" {
			break
		}
		name = shorter
	}
	var words []string
	kind := func(r rune) int {
		switch {
		case unicode.IsDigit(r):
			return 2
		case unicode.IsLetter(r):
			return 1
		}
		return 0
	}
	last, lower := 0, false
	for _, r := range name {
		k := kind(r)
		if k != 0 {
			if k != last || lower && unicode.IsUpper(r) {
				words = append(words, "")
			}
			words[len(words)-1] += strings.ToLower(string(r))
		}
		last, lower = k, unicode.IsLower(r)
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "0" })
	slices.Sort(words)
	return strings.Join(words, " ")
}
