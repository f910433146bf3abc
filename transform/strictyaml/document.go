// Package strictyaml reads the YAML files that an operator writes by hand, more
// strictly than YAML asks for, and says where each mistake stands.
//
// It owns: reading into a Go type (a key that the type doesn't have, anchors,
// tags and second documents are refused; text that looks like a number must be
// quoted, because 00420 would be 272 to some readers; a number reaches its type
// as the characters that the file has, never through a float), and messages of
// the form file:line: key: what is wrong; what to do, all of them at once.
// It does not own: what any key means, or opening files.
package strictyaml

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
)

// Document is a YAML file that was read: the line that each key stands on, and
// what is wrong with it. A key is named by its path, such as
// budgets[2].thresholds; the path "" is the file as a whole.
type Document struct {
	name     string
	before   int // lines of the file before the document
	lines    map[string]int
	problems map[string]problem // by path; the first problem of a key hides later ones
}

type problem struct {
	line int
	path string
	text string
}

// Known is a document that somebody else has read, with the lines of its keys.
func Known(name string, lines map[string]int) *Document {
	return &Document{name: name, lines: lines, problems: map[string]problem{}}
}

// Failf notes what is wrong with the key at path, on its line or, where the
// file doesn't have the key, on the line of the nearest key around it. The text
// ends with the operator's next step. Of one key only the first problem is kept.
func (doc *Document) Failf(path, format string, args ...any) {
	doc.failAt(doc.Line(path), path, fmt.Sprintf(format, args...))
}

func (doc *Document) failAt(line int, path, text string) {
	if _, ok := doc.problems[path]; !ok {
		doc.problems[path] = problem{line, path, text}
	}
}

func (doc *Document) failSyntax(err error) {
	line, text := 1, err.Error()
	var located yaml.Error
	if errors.As(err, &located) {
		text = located.GetMessage()
		if at := located.GetToken(); at != nil && at.Position != nil {
			line = at.Position.Line
		}
	}
	doc.failAt(line+doc.before, "", "is not YAML: "+text+"; correct this line or the one before it")
}

// Broken says whether the file as a whole could not be read, so that nothing is
// known about its keys.
func (doc *Document) Broken() bool { return doc.problems[""] != problem{} }

// Name is the name of the file.
func (doc *Document) Name() string { return doc.name }

// Has says whether the file has the key at path.
func (doc *Document) Has(path string) bool {
	_, ok := doc.lines[path]
	return ok
}

// Refused says whether a problem of the key at path itself is noted.
func (doc *Document) Refused(path string) bool {
	_, ok := doc.problems[path]
	return ok
}

// Paths lists the keys that the file has, in no order that matters, and "".
func (doc *Document) Paths() []string { return slices.Collect(maps.Keys(doc.lines)) }

// Line is where the key at path stands, or the nearest key around it; 1 is the
// first line.
func (doc *Document) Line(path string) int {
	for {
		if line, ok := doc.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// shownMistakes is how many mistakes are told; who has more begins with these.
const shownMistakes = 20

// AndMore begins the text that stands for mistakes beyond those.
const AndMore = "and more than these: "

// Err gives the problems, a line each, in the order of the file; nil if there are
// none. Of many it tells the first, and how many more there are.
func (doc *Document) Err() error { return Errs(doc) }

// Errs is Err of several documents of a book.
func Errs(docs ...*Document) error {
	var all []error
	more := 0
	for _, doc := range docs {
		room := shownMistakes - len(all)
		if room == 0 {
			more += len(doc.problems)
			continue
		}
		sorted := slices.SortedFunc(maps.Values(doc.problems), func(a, b problem) int {
			return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.path, b.path))
		})
		more += max(len(sorted)-room, 0)
		for _, p := range sorted[:min(room, len(sorted))] {
			key := ""
			if p.path != "" {
				key = shownPath(p.path) + ": "
			}
			all = append(all, fmt.Errorf("%s:%d: %s%s", doc.name, p.line, key, shown(p.text, textMax)))
		}
	}
	if more > 0 {
		all = append(all, fmt.Errorf("%s: %s%d; correct the first ones and look again", docs[len(docs)-1].name, AndMore, more))
	}
	return errors.Join(all...)
}

// How long a key, a path of keys and a text may be, in runes.
const (
	keyMax  = 60
	pathMax = 300
	textMax = 1500
)

func shownPath(path string) string {
	keys := strings.Split(path[:min(len(path), 16*pathMax)], ".")
	for i, key := range keys {
		keys[i] = shown(key, keyMax)
	}
	return shown(strings.Join(keys, "."), pathMax)
}

// shown is text without secrets and what would end or overwrite its line, and no
// longer than it may be.
func shown(text string, runesMax int) string {
	whole := len(text)
	text = strings.ToValidUTF8(text[:min(whole, 16*runesMax)], "")
	cut := len(text) < whole
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, HideSecrets(text))
	if runes := []rune(text); len(runes) > runesMax {
		text, cut = string(runes[:runesMax]), true
	}
	if cut {
		text += "…"
	}
	return text
}
