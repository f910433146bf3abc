package decode

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"chargeback/extract/decode/jsonscan"
)

// nameBytesMax is more than an address or an id of a directory takes.
const nameBytesMax = 320

// addNames adds the other names that a value holds: a text, or a list of texts
// or of objects with value or address.
func (d *snapshotDecoder) addNames(v jsonscan.Value, field string) {
	if v.Kind != jsonscan.Array {
		d.addText(field, name(v))
		return
	}
	d.eachText(v.Raw, func(text, _ []byte, _ bool) { d.addText(field, text) })
}

// addText adds the names that a text holds but the address itself. They are
// compared without case, as people's addresses are.
func (d *snapshotDecoder) addText(field string, text []byte) {
	switch plain := plainName(text); {
	case len(text) == 0 || !utf8.Valid(text):
	case plain:
		d.scratch = d.scratch[:0]
		for _, c := range text {
			if c-'A' < 26 {
				c |= 0x20
			}
			d.scratch = append(d.scratch, c)
		}
		d.addName(field, d.scratch)
	default:
		split := d.format.shape.aliases
		if split == nil {
			split = listedNames
		}
		for _, n := range split(string(text)) {
			d.addName(field, []byte(NormEmail(n)))
		}
	}
}

func (d *snapshotDecoder) addName(field string, name []byte) {
	if len(name) <= nameBytesMax && !bytes.Equal(name, d.self) {
		d.names.Add(field, name)
	}
}

// plainName says that a text is one name of ASCII, as most are.
func plainName(text []byte) bool {
	for _, c := range text {
		if c >= 0x80 || c <= ' ' || c == ';' || c == ',' || c == '|' || c == ':' || c == '#' {
			return false
		}
	}
	return true
}

// listedNames are the addresses of a text that lists some, as cells do, or the
// one id that it is.
func listedNames(text string) []string {
	if !strings.Contains(text, "@") {
		return []string{text}
	}
	if !strings.ContainsFunc(text, parts) {
		return []string{text}
	}
	return slices.DeleteFunc(strings.FieldsFunc(text, parts), func(n string) bool { return !strings.Contains(n, "@") })
}

// parts says that a character stands between two addresses.
func parts(r rune) bool { return strings.ContainsRune(";,|", r) || unicode.IsSpace(r) }

// presentNames are the fields or columns that an export has, for the message
// that those that are wanted are not among them. A name of a field is printed;
// what may be a value is not.
type presentNames struct {
	names   []string
	records int
	noTitle bool // the first row of a table looks like values
}

const (
	presentRecords = 20
	presentMost    = 40
	presentBytes   = 120
	titleWords     = 7
)

// look notes the fields of the first records.
func (d *snapshotDecoder) look(object []byte) {
	if d.present.records < presentRecords {
		d.present.records++
		d.present.fields("", object, 2)
	}
}

// fields notes the keys of an object. One that holds nothing but objects is no
// record: its keys may be anybody's names.
func (p *presentNames) fields(before string, object []byte, depth int) {
	keyed := true
	_ = jsonscan.EachMember(object, func(_ []byte, v jsonscan.Value) error {
		keyed = keyed && v.Kind == jsonscan.Object
		return nil
	})
	if keyed && before == "" {
		return
	}
	_ = jsonscan.EachMember(object, func(key []byte, v jsonscan.Value) error {
		if !plainTitle(string(key)) {
			return nil
		}
		path := before + string(key)
		if v.Kind == jsonscan.Object && depth > 1 {
			between := "."
			if strings.HasPrefix(path, "urn:") {
				between = ":"
			}
			p.fields(path+between, v.Raw, depth-1)
			return nil
		}
		p.add(path)
		return nil
	})
}

func (p *presentNames) add(name string) {
	if len(p.names) <= presentMost && !slices.Contains(p.names, name) {
		p.names = append(p.names, name)
	}
}

// titles notes the columns of a table. A first line that may be anything else
// than titles is not repeated.
func (p *presentNames) titles(cells []string) {
	p.noTitle = len(cells) < 2
	for _, c := range cells {
		p.noTitle = p.noTitle || c != "" && mayBeValue(c) || len(strings.Fields(c)) > titleWords
	}
	for _, c := range cells {
		if c = strings.TrimSpace(c); plainTitle(c) && !p.noTitle {
			p.add(c)
		}
	}
}

// mayBeValue says that a text may be an address, a number, a date or an id.
func mayBeValue(s string) bool {
	letters, digits := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		}
	}
	return letters <= digits || strings.LastIndexByte(s, '@') > 0 || isUUID([]byte(s))
}

// plainTitle says that a text is a name such as programs give to fields.
func plainTitle(s string) bool {
	odd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" _-.:@$/#&()[]'*", r)
	}
	return len(s) <= presentBytes && utf8.ValidString(s) && !mayBeValue(s) && !strings.ContainsFunc(s, odd)
}

// choices lists names that are wanted, each in one spelling.
func choices(names []string) string {
	var all []string
	spellings := map[string]bool{}
	for _, n := range names {
		if !spellings[title(n)] {
			spellings[title(n)], all = true, append(all, n)
		}
	}
	return strings.Join(all, ", ")
}

// String says what is there.
func (p *presentNames) String() string {
	switch {
	case p.noTitle:
		return "its first line does not look like the titles of columns"
	case len(p.names) == 0:
		return "no field in it has a name"
	case len(p.names) > presentMost:
		return "the names in it are " + strings.Join(p.names[:presentMost], ", ") + " and more"
	}
	return "the names in it are " + strings.Join(p.names, ", ")
}
