package frame

// A stamp is the time that a log service writes before a record when it exports
// a log, such as "2026-10-31T23:59:40.120Z " of CloudWatch. No JSON begins so.
const (
	stampForm     = "0000-00-00T00:00:00"
	stampBytesMax = len(stampForm) + len(".000000000Z ")
)

// Stamp is the length of the stamp that a text begins with, 0 where it has none.
func Stamp(text []byte) int {
	n, _, _ := stamp(func(i int) (byte, bool, error) {
		if i < len(text) {
			return text[i], true, nil
		}
		return 0, false, nil
	})
	return n
}

// stamp is the length of a stamp in text that is read byte by byte.
func stamp(at func(int) (byte, bool, error)) (n int, ok bool, err error) {
	var c byte
	for n = 0; n < len(stampForm); n++ {
		if c, ok, err = at(n); !ok || err != nil || (stampForm[n] == '0') != (c-'0' <= 9) || stampForm[n] != '0' && c != stampForm[n] {
			return 0, false, err
		}
	}
	for ; n < stampBytesMax; n++ {
		switch c, ok, err = at(n); {
		case !ok || err != nil:
			return 0, false, err
		case c == 'Z':
			c, ok, err = at(n + 1)
			if ok = ok && (c == ' ' || c == '\t'); !ok {
				return 0, false, err
			}
			return n + 2, true, nil
		case c-'0' > 9 && (c != '.' || n > len(stampForm)):
			return 0, false, nil
		}
	}
	return 0, false, nil
}

// stampAt is the length of the stamp that starts i bytes ahead.
func (f *Reader) stampAt(i int) (int, error) {
	if c, ok, err := f.peek(i); !ok || err != nil || c-'0' > 9 {
		return 0, err
	}
	n, _, err := stamp(func(k int) (byte, bool, error) { return f.peek(i + k) })
	return n, err
}

// stamp steps over the stamp before a record.
func (f *Reader) stamp() error {
	n, err := f.stampAt(0)
	for n > 0 && err == nil {
		f.pos += n
		f.column += n
		var c byte
		if c, _, err = f.peek(0); f.pos == f.end || c != ' ' && c != '\t' {
			break
		}
		n = 1
	}
	return err
}

// startBytes is how much of text that is no object a BadRecord tells.
const startBytes = 64

// skipText steps over text that is no object.
func (f *Reader) skipText(line int64) error {
	if _, _, err := f.peek(startBytes - 1); err != nil {
		return err
	}
	start := append([]byte(nil), f.buf[f.pos:min(f.end, f.pos+startBytes)]...)
	bad := &BadRecord{Line: line, Reason: "does not start with {", Start: start}
	return f.skipFrom(bad, f.column, f.layout != perLine, 0, false, false)
}
