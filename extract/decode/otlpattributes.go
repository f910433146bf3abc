package decode

import (
	"bytes"

	"chargeback/extract/decode/jsonscan"
)

// otlpAttributes are those attributes of one level that are read. Of two with
// the same key the last one counts.
type otlpAttributes struct {
	keys map[string]int
	v    []jsonscan.Value
	some []int // the places of those that were read
}

func (a *otlpAttributes) reset() {
	for _, place := range a.some {
		a.v[place] = jsonscan.Value{}
	}
	a.some = a.some[:0]
}

// read reads a list of {key, value}.
func (a *otlpAttributes) read(w *jsonscan.Walker) error {
	a.reset()
	if !w.Enter('[') {
		return w.Skip()
	}
	for {
		more, err := w.Element()
		if !more || err != nil {
			return err
		}
		if err := a.one(w); err != nil {
			return err
		}
	}
}

// one reads one attribute, mostly with its key first: a value that nobody asked
// for is then stepped over at once.
func (a *otlpAttributes) one(w *jsonscan.Walker) error {
	if !w.Enter('{') {
		return w.Skip()
	}
	place, named := 0, false
	var v jsonscan.Value
	for {
		member, more, err := w.Member()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch string(member) {
		case "key":
			place, named, err = a.place(w)
		case "value":
			if named && place < 0 {
				err = w.Skip()
			} else {
				v, err = anyValue(w)
			}
		default:
			err = w.Skip()
		}
		if err != nil {
			return err
		}
	}
	if named && place >= 0 {
		a.v[place], a.some = v, append(a.some, place)
	}
	return nil
}

// place reads a key and tells where its value goes, or -1.
func (a *otlpAttributes) place(w *jsonscan.Walker) (int, bool, error) {
	key, err := w.Value()
	if err != nil {
		return 0, false, err
	}
	if place, wanted := a.keys[string(text(key))]; wanted {
		return place, true, nil
	}
	return -1, true, nil
}

// anyValue reads the value of an attribute: a text, a number or a truth, also
// where it stands there without its type. A list or map comes as the object that
// holds its elements.
func anyValue(w *jsonscan.Walker) (v jsonscan.Value, err error) {
	if !w.Enter('{') {
		return w.Value()
	}
	for {
		member, more, err := w.Member()
		if !more || err != nil {
			return v, err
		}
		switch string(member) {
		case "stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue",
			"string_value", "int_value", "double_value", "bool_value", "array_value", "kvlist_value":
			v, err = w.Value()
		default:
			err = w.Skip()
		}
		if err != nil {
			return v, err
		}
	}
}

// appendPlain writes a list or map of attributes as the JSON list or object that
// it stands for.
func appendPlain(to []byte, v jsonscan.Value) ([]byte, jsonscan.Kind, error) {
	w := jsonscan.NewWalker(v.Raw)
	begin, kind := len(to), jsonscan.Array
	to = append(to, '[')
	if !w.Enter('{') {
		return to, kind, errNoObject
	}
	for {
		member, more, err := w.Member()
		if err != nil {
			return to, kind, err
		}
		if !more {
			break
		}
		if string(member) != "values" || !w.Enter('[') {
			if err := w.Skip(); err != nil {
				return to, kind, err
			}
			continue
		}
		for {
			more, err := w.Element()
			if err != nil {
				return to, kind, err
			}
			if !more {
				break
			}
			if len(to) > begin+1 {
				to = append(to, ',')
			}
			var pair bool
			if to, pair, err = appendElement(to, &w); err != nil {
				return to, kind, err
			}
			if pair {
				kind = jsonscan.Object
			}
		}
	}
	if kind == jsonscan.Object {
		to[begin] = '{'
		return append(to, '}'), kind, nil
	}
	return append(to, ']'), kind, nil
}

// appendElement writes an element of a list, or a pair of a map.
func appendElement(to []byte, w *jsonscan.Walker) (_ []byte, pair bool, err error) {
	start := w.At()
	var key, v jsonscan.Value
	if w.Enter('{') {
		for {
			member, more, err := w.Member()
			if err != nil {
				return to, pair, err
			}
			if !more {
				break
			}
			switch string(member) {
			case "key":
				pair = true
				key, err = w.Value()
			case "value":
				v, err = anyValue(w)
			default:
				err = w.Skip()
			}
			if err != nil {
				return to, pair, err
			}
		}
	}
	if pair {
		to = append(appendValue(to, key), ':')
		if v.Kind == jsonscan.String { // a 64-bit number
			v.Kind = jsonscan.Number
		}
		return appendValue(to, v), true, nil
	}
	w.Seek(start)
	v, err = anyValue(w)
	return appendValue(to, v), false, err
}

func appendValue(to []byte, v jsonscan.Value) []byte {
	switch v.Kind {
	case jsonscan.Absent:
		return append(to, "null"...)
	case jsonscan.String:
		return append(append(append(to, '"'), v.Raw...), '"')
	}
	return append(to, v.Raw...)
}

// toolCalls is an attribute that tells of tool calls, as toolReader reads it: a
// list or a map may also stand in a text, as JSON.
func (d *otlpDecoder) toolCalls() (v jsonscan.Value, err error) {
	v = d.value(d.f.toolCalls)
	switch v.Kind {
	case jsonscan.Object:
		d.toolText, v.Kind, err = appendPlain(d.toolText[:0], v)
		v.Raw, v.Escaped = d.toolText, false
	case jsonscan.String:
		var s []byte
		if d.toolText, s = plainText(d.toolText[:0], v); len(s) > 0 && (s[0] == '[' || s[0] == '{') {
			v = jsonscan.Value{Raw: s, Kind: jsonscan.Array}
			if s[0] == '{' {
				v.Kind = jsonscan.Object
			}
		}
	}
	return v, err
}

// plainText is a trimmed text, which buf takes where it has no escapes but those
// of JSON in a text: these come often.
func plainText(buf []byte, v jsonscan.Value) (_, s []byte) {
	if !v.Escaped {
		return buf, bytes.TrimSpace(v.Raw)
	}
	for i := 0; i < len(v.Raw); i++ {
		c := v.Raw[i]
		if c == '\\' {
			if i++; v.Raw[i] != '"' && v.Raw[i] != '\\' && v.Raw[i] != '/' {
				return buf, bytes.TrimSpace(text(v))
			}
			c = v.Raw[i]
		}
		buf = append(buf, c)
	}
	return buf, bytes.TrimSpace(buf)
}
