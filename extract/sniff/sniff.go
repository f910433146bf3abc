// Package sniff tells what lies in objects that nobody has described.
//
// It owns: what only the records of one format have, by which that format is
// named, and the summary of what its decoder makes of the objects.
// It does not own: the formats (extract/decode), opening objects (store), or
// the words that a person reads (cmd).
package sniff

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/frame"
)

// Guess is the format that an object seems to have, and what shows it. Format is
// Unknown where nothing does; Why says then what the object is instead.
type Guess struct {
	Format string
	Why    string
}

// peekBytes is how much of an object is looked at to name its format.
const peekBytes = 1 << 20

// looked is how many records are looked at: the first may be a broken one.
const looked = 20

// Name tells the format of an object by its content; unpacked is its text, of
// which only the beginning is read. Its own errors are those of reading.
func Name(unpacked io.Reader) (Guess, error) {
	rules, err := newRules()
	if err != nil {
		return Guess{}, err
	}
	in := bufio.NewReaderSize(unpacked, peekBytes)
	start, err := in.Peek(peekBytes)
	if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
		return Guess{}, err
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(text) == 0:
		return Guess{Unknown, "it is empty"}, nil
	case bytes.HasPrefix(text, []byte("PAR1")):
		return parquet(in)
	case bytes.Contains(text[:min(len(text), 200)], []byte("totalRecordCount")):
		return Guess{Unknown, "it is the manifest of a Bedrock batch job: counts, and no records"}, nil
	case text[0] == '{' || text[0] == '[' || frame.Stamp(text) > 0:
		return nameJSON(rules, in, text[0] != '{' && text[0] != '[')
	}
	if guess, ok := matchHeader(text); ok {
		return guess, nil
	}
	return Guess{Unknown, "it is neither JSON nor a CSV file with a header"}, nil
}

// parquet tells the two kinds of bills in Parquet by the names of columns, which
// stand at the end of the file as they are.
func parquet(in io.Reader) (Guess, error) {
	var tail []byte
	for part := make([]byte, peekBytes); ; {
		n, err := io.ReadFull(in, part)
		tail = append(tail[max(0, len(tail)-peekBytes):], part[:n]...)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return Guess{}, err
		}
	}
	switch {
	case bytes.Contains(tail, []byte("line_item_usage_type")):
		return Guess{"aws-cur", "a Parquet file with the column line_item_usage_type"}, nil
	case bytes.Contains(tail, []byte("BilledCost")):
		return Guess{"focus", "a Parquet file with the column BilledCost"}, nil
	}
	return Guess{Unknown, "it is a Parquet file that is neither AWS CUR 2.0 nor FOCUS"}, nil
}

func nameJSON(rules *rules, in io.Reader, stamped bool) (Guess, error) {
	frames := frame.NewReader(in, 1<<31-1, jsonscan.NewSqueezer(rules.spec))
	scanner := jsonscan.NewScanner(rules.spec)
	whole := 0
	for range looked {
		_, err := frames.Next(scanner.Scan)
		if _, broken := errors.AsType[*frame.BadRecord](err); broken {
			continue
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return Guess{}, err
		}
		whole++
		if guess, ok := rules.match(scanner.Values); ok {
			return guess, nil
		}
	}
	if whole == 0 && stamped {
		return Guess{Unknown, "it is lines of a time and a text, and none of the first is a whole JSON record"}, nil
	}
	if whole == 0 {
		return Guess{Unknown, "it begins like JSON, and none of its first records is whole"}, nil
	}
	return Guess{Mapped, "JSON records of no format that has a name here"}, nil
}
