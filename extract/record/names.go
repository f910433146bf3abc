package record

import (
	"bytes"
	"slices"
	"strings"
)

// Other names of a person are one text: FIELD=NAME for each, with | between, in
// the order of the alphabet, so that an export that lists them in another order
// says the same.
const (
	nameSeparator  = '|'
	fieldSeparator = '='
)

// NameList collects the other names of one person after the other.
type NameList struct {
	text    []byte
	entries [][2]int // where each stands in text
	joined  []byte
}

// Reset begins with another person.
func (l *NameList) Reset() { l.text, l.entries = l.text[:0], l.entries[:0] }

// Add adds a name, and the field of the export that has it. A name that can't
// stand in the text is left out: no address and no id holds a separator or a
// control character.
func (l *NameList) Add(field string, name []byte) {
	for _, c := range name {
		if c == nameSeparator || c < ' ' {
			return
		}
	}
	if len(name) == 0 {
		return
	}
	start := len(l.text)
	l.text = append(append(append(l.text, field...), fieldSeparator), name...)
	l.entries = append(l.entries, [2]int{start, len(l.text)})
}

// Join calls do with the text of all names, in as many parts as fit into a
// column each: one, as good as always. Without names it is empty. A part holds
// until the next call of Join.
func (l *NameList) Join(do func(part []byte)) {
	entry := func(e [2]int) []byte { return l.text[e[0]:e[1]] }
	slices.SortFunc(l.entries, func(a, b [2]int) int { return bytes.Compare(entry(a), entry(b)) })
	l.joined = l.joined[:0]
	for i, e := range l.entries {
		if i > 0 && bytes.Equal(entry(l.entries[i-1]), entry(e)) {
			continue
		}
		if len(l.joined) > 0 && len(l.joined)+1+len(entry(e)) > TextBytesMax {
			do(l.joined)
			l.joined = l.joined[:0]
		}
		if len(l.joined) > 0 {
			l.joined = append(l.joined, nameSeparator)
		}
		l.joined = append(l.joined, entry(e)...)
	}
	do(l.joined)
}

// EachName calls do for each name of a text of names.
func EachName(text string, do func(field, name string)) {
	for entry := range strings.SplitSeq(text, string(nameSeparator)) {
		if field, name, ok := strings.Cut(entry, string(fieldSeparator)); ok {
			do(field, name)
		}
	}
}

// NameField makes of what a field is called what a list of names calls it:
// without the parts of an URN, and without what parts names.
func NameField(field string) string {
	return strings.Map(func(r rune) rune {
		if r == nameSeparator || r == fieldSeparator || r < ' ' {
			return -1
		}
		return r
	}, field[strings.LastIndexByte(field, ':')+1:])
}
