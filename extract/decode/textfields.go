package decode

import (
	"bytes"
	"slices"

	"chargeback/extract/decode/jsonscan"
)

// textFields are the wanted fields below a place whose object stands there as
// itself or as JSON text in a string, as columns of databases and cells of CSV
// have it.
type textFields struct {
	name string // of the place, for messages
	at   int    // the place
	to   []int  // where each field of spec goes
	spec *jsonscan.Spec
}

// inText lets what is wanted so far below a path be read from JSON text, too.
func (f *fields) inText(dotted string) (textFields, error) {
	return f.below(dotted, jsonscan.ParsePath(dotted))
}

// below is inText of a path whose keys may hold dots.
func (f *fields) below(name string, root jsonscan.Path) (textFields, error) {
	t := textFields{name: name, at: f.path(root)}
	var below []jsonscan.Path
	for i, path := range f.paths {
		if len(path) > len(root) && slices.Equal(path[:len(root)], root) {
			below, t.to = append(below, path[len(root):]), append(t.to, i)
		}
	}
	var err error
	t.spec, err = jsonscan.Compile(below)
	return t, err
}

// compile makes the spec of all that is wanted, and of what is wanted below each
// of the places that may hold JSON text, outer ones before inner ones.
func (f *fields) compile(places ...string) (*jsonscan.Spec, []textFields, error) {
	for _, place := range places {
		f.one(place)
	}
	spec, err := jsonscan.Compile(f.paths)
	if err != nil {
		return nil, nil, err
	}
	var all []textFields
	for _, place := range places {
		t, err := f.inText(place)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, t)
		if len(t.to) > 0 {
			spec.MayBeText(t.at)
		}
	}
	return spec, all, nil
}

// textBytesKept is the longest text whose memory is used again.
const textBytesKept = 1 << 20

// textReader reads textFields for one worker. The text is undone into memory of
// its own that holds until the next record.
type textReader struct {
	textFields
	scanner *jsonscan.Scanner
	text    []byte
}

func textReaders(all []textFields) []textReader {
	readers := make([]textReader, len(all))
	for i, t := range all {
		readers[i] = textReader{textFields: t, scanner: jsonscan.NewScanner(t.spec)}
	}
	return readers
}

// fill puts what is wanted of a text into v, as if the object stood there. Text
// that is no object leaves all as it is; one that begins like an object and is
// none is an error.
func (t *textReader) fill(v []jsonscan.Value) error {
	if v[t.at].Kind != jsonscan.String {
		return nil
	}
	raw := bytes.TrimSpace(v[t.at].Raw)
	if len(raw) == 0 || raw[0] != '{' && raw[0] != '\\' {
		return nil
	}
	if cap(t.text) > textBytesKept {
		t.text = nil
	}
	t.text = v[t.at].AppendText(t.text[:0])
	text := bytes.TrimSpace(t.text)
	if len(text) == 0 || text[0] != '{' {
		return nil
	}
	n, err := t.scanner.Scan(text)
	if err != nil || len(bytes.TrimSpace(text[n:])) > 0 {
		return &FieldError{t.name, "is text that begins like a JSON object and is none; is it cut off?"}
	}
	v[t.at] = jsonscan.Value{Kind: jsonscan.Object, Raw: text[:n]}
	for i, field := range t.to {
		v[field] = t.scanner.Values[i]
	}
	return nil
}

// fillAll fills what all readers read, in their order.
func fillAll(readers []textReader, v []jsonscan.Value) error {
	for i := range readers {
		if err := readers[i].fill(v); err != nil {
			return err
		}
	}
	return nil
}
