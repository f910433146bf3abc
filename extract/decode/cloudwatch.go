package decode

import (
	"bytes"
	"errors"
	"strconv"

	"chargeback/extract/decode/jsonscan"
)

// wrapFields are the places of what CloudWatch wraps the records of a log in:
// the envelopes that a subscription delivers ({"messageType": "DATA_MESSAGE",
// "logEvents": [{"message": "..."}]}), the pages that its API answers ("events"),
// and the rows of a query ("@message") or of an agent ("message"). Lines that an
// export writes have but a time before them, which package frame steps over.
type wrapFields struct {
	messageType int
	lists       []int
	messages    []int
}

func (f *fields) wrapped() wrapFields {
	return wrapFields{messageType: f.one("messageType"), lists: f.first("logEvents", "events"), messages: f.first("@message", "message")}
}

// wrapReader reads records as they are, or out of what they are wrapped in.
type wrapReader struct {
	wrapFields
	mark   int // a field that only records have
	record recordFunc

	events, inner *jsonscan.Scanner
	text          []byte
}

var messageSpec = mustCompile("message", "@message")

func newWrapReader(f wrapFields, spec *jsonscan.Spec, mark int, record recordFunc) *wrapReader {
	w := &wrapReader{wrapFields: f, mark: mark, events: jsonscan.NewScanner(messageSpec), inner: jsonscan.NewScanner(spec)}
	w.record = func(v []jsonscan.Value, line int64, sink *Sink) error { return w.read(v, line, sink, record) }
	return w
}

// read hands on the record, or those that are wrapped. What is wrong with one
// message of several costs that one.
func (w *wrapReader) read(v []jsonscan.Value, line int64, sink *Sink, record recordFunc) error {
	if v[w.mark].Kind != jsonscan.Absent {
		return record(v, line, sink)
	}
	if string(v[w.messageType].Raw) == "CONTROL_MESSAGE" { // asks whether the destination is there
		sink.Ignore()
		return nil
	}
	for _, i := range w.messages {
		if v[i].Kind != jsonscan.Absent {
			return placed("message", w.message(v[i], line, sink, record))
		}
	}
	for k, i := range w.lists {
		if v[i].Kind != jsonscan.Absent {
			return w.list([...]string{"logEvents", "events"}[k], v[i], line, sink, record)
		}
	}
	if v[w.messageType].Kind != jsonscan.Absent {
		return &FieldError{"logEvents", "is missing"}
	}
	return record(v, line, sink)
}

// list reads the messages of an envelope.
func (w *wrapReader) list(field string, list jsonscan.Value, line int64, sink *Sink, record recordFunc) error {
	if list.Kind != jsonscan.Array {
		return &FieldError{field, "is not a list"}
	}
	n := 0
	err := jsonscan.Each(list.Raw, func(event []byte) error {
		n++
		_, err := w.events.Scan(event)
		if err == nil {
			err = w.message(firstPresent(w.events.Values, []int{0, 1}), line, sink, record)
		}
		if err != nil {
			sink.Reject(line, placed(field+"["+strconv.Itoa(n-1)+"].message", err).Error())
		}
		return nil
	})
	if n == 0 && err == nil {
		sink.Ignore()
	}
	return err
}

// message reads one record, which stands there as JSON text or as itself.
func (w *wrapReader) message(v jsonscan.Value, line int64, sink *Sink, record recordFunc) error {
	raw := v.Raw
	switch v.Kind {
	case jsonscan.Object:
	case jsonscan.String:
		if cap(w.text) > textBytesKept {
			w.text = nil
		}
		w.text = v.AppendText(w.text[:0])
		raw = bytes.TrimSpace(w.text)
	default:
		return errors.New("is missing or neither text nor an object")
	}
	if isNotice(raw) {
		sink.Ignore()
		return nil
	}
	if len(raw) == 0 || raw[0] != '{' {
		return errors.New("does not start with {")
	}
	n, err := w.inner.Scan(raw)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(raw[n:])) > 0 {
		return errors.New("goes on behind its record")
	}
	return record(w.inner.Values, line, sink)
}

// placed names the place of an error.
func placed(place string, err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*FieldError](err); ok {
		return &FieldError{place + "." + f.Field, f.Reason}
	}
	return &FieldError{place, err.Error()}
}

// isNotice knows the line that Bedrock writes into a log when it is set up.
func isNotice(text []byte) bool {
	return bytes.HasPrefix(text, []byte("Permissions are correctly set for Amazon Bedrock logs"))
}
