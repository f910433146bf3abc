package jsonscan

// Walker steps through a text in place, value by value, and reads each byte
// once. It is for lists in lists, in which a Scanner would step over the inner
// ones again on each level. Where it stands, one value begins; Enter goes into an
// object or a list, and Value or Skip go behind whatever stands there.
//
//	for more, err := w.Element(); more && err == nil; more, err = w.Element() {
//		... one of Enter, Value and Skip
//	}
//
// After an error a walker may go back to where it was by Seek.
type Walker struct {
	data  []byte
	at    int
	fresh bool // behind an opening bracket
}

// NewWalker returns a walker that stands at the first value of a text.
func NewWalker(text []byte) Walker { return Walker{data: text, at: skipSpace(text, 0)} }

// At is where the walker stands, and Seek goes back there.
func (w *Walker) At() int { return w.at }

// Seek goes to a place that At has named, where a value begins.
func (w *Walker) Seek(at int) { w.at, w.fresh = at, false }

// Enter goes into the object or list that begins with open. It reports false,
// and stays, where something else begins.
func (w *Walker) Enter(open byte) bool {
	if w.at >= len(w.data) || w.data[w.at] != open {
		return false
	}
	w.at, w.fresh = skipSpace(w.data, w.at+1), true
	return true
}

// Element goes to the next element of a list. Behind the last one it goes out
// and reports false.
func (w *Walker) Element() (more bool, err error) {
	return w.next(']', "expected , or ] after an element")
}

// Member goes to the value of an object's next key. Behind the last one it goes
// out and reports false. The key holds until the text is changed.
func (w *Walker) Member() (key []byte, more bool, err error) {
	if more, err = w.next('}', "expected , or } after a value"); !more || err != nil {
		return nil, false, err
	}
	start := w.at
	if start >= len(w.data) || w.data[start] != '"' {
		return w.longKey()
	}
	end, escaped, err := skipString(w.data, start+1)
	if err != nil || escaped || end >= len(w.data) || w.data[end] != ':' {
		return w.longKey()
	}
	w.at = skipSpace(w.data, end+1)
	return w.data[start+1 : end-1], true, nil
}

// longKey reads a key that is written in an unusual way.
func (w *Walker) longKey() (key []byte, more bool, err error) {
	s := Scanner{data: w.data}
	key, next, err := s.key(w.at)
	if err != nil {
		return nil, false, err
	}
	w.at = next
	return key, true, nil
}

func (w *Walker) next(closing byte, expected string) (more bool, err error) {
	if w.at >= len(w.data) {
		return false, ErrShort
	}
	c := w.data[w.at]
	fresh := w.fresh
	w.fresh = false
	switch {
	case c == closing:
		w.at = skipSpace(w.data, w.at+1)
		return false, nil
	case fresh:
		return true, nil
	case c != ',':
		return false, &SyntaxError{w.at, expected}
	}
	w.at = skipSpace(w.data, w.at+1)
	return true, nil
}

// Value goes behind the value that begins here and returns it.
func (w *Walker) Value() (v Value, err error) {
	start := w.at
	if start >= len(w.data) {
		return v, ErrShort
	}
	var end int
	switch w.data[start] {
	case '"':
		if end, v.Escaped, err = skipString(w.data, start+1); err != nil {
			return Value{}, err
		}
		if v.Kind, v.Raw = String, w.data[start+1:end-1]; v.Escaped && !legalEscapes(v.Raw) {
			return Value{}, &SyntaxError{start, "illegal escape in a string"}
		}
		w.at = skipSpace(w.data, end)
		return v, nil
	case '{':
		v.Kind = Object
		end, err = skipContainer(w.data, start)
	case '[':
		v.Kind = Array
		end, err = skipContainer(w.data, start)
	default:
		end, v.Kind, err = skipLiteral(w.data, start)
	}
	if err != nil {
		return Value{}, err
	}
	v.Raw = w.data[start:end]
	w.at = skipSpace(w.data, end)
	return v, nil
}

// Skip goes behind the value that begins here.
func (w *Walker) Skip() error {
	end, err := skipValue(w.data, w.at)
	if err != nil {
		return err
	}
	w.at = skipSpace(w.data, end)
	return nil
}
