package decode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"chargeback/extract/decode/jsonscan"
)

// eitherDecoder reads records that are JSON objects, alone or in pages, or rows
// of a CSV file whose columns have the names of the objects' fields. A cell that
// is empty, or \N as databases write it, is missing.
type eitherDecoder struct {
	in      *bufio.Reader
	json    *jsonDecoder
	csv     *csvRows
	columns []string         // of each wanted field, "" where it lies deeper than a column
	at      []int            // where it is in the file, -1 where it isn't
	values  []jsonscan.Value // of a row
	needed  columnsNeeded
	record  recordFunc
}

// columnsNeeded are the fields, each with its alternatives, without a column of
// which a CSV file is not of the format; hint asks what it is instead.
type columnsNeeded struct {
	fields [][]int
	hint   string
}

// headerBytes is how far into a file its header is looked for.
const headerBytes = 1 << 14

func newEitherDecoder(env Env, spec *jsonscan.Spec, columns []string, needed columnsNeeded, record recordFunc) *eitherDecoder {
	return &eitherDecoder{
		in: bufio.NewReaderSize(nil, headerBytes), json: newPagesDecoder(env, spec, "data", record), csv: newCSVRows(env.RecordBytes),
		columns: columns, at: make([]int, len(columns)), values: make([]jsonscan.Value, len(columns)), needed: needed, record: record,
	}
}

// columns are the names of the wanted fields that a column can hold.
func (f *fields) columns() []string {
	names := make([]string, len(f.paths))
	for i, path := range f.paths {
		if len(path) == 1 {
			names[i] = path[0]
		}
	}
	return names
}

// Decode implements Decoder.
func (d *eitherDecoder) Decode(r io.Reader, sink *Sink) error {
	d.in.Reset(r)
	first, err := firstCharacter(d.in)
	start, _ := d.in.Peek(4)
	switch {
	case err != nil:
		return fmt.Errorf("line 1: %w", err)
	case string(start) == "PAR1":
		return errors.New("the file is Parquet; export it as JSON, JSON lines or CSV")
	case first == '{' || first == '[' || first == 0 || !d.titled():
		return d.json.Decode(d.in, sink)
	}
	return d.csv.decode(d.in, sink, d.header, func(cells [][]byte, line int64) error {
		for i, at := range d.at {
			d.values[i] = jsonscan.Value{}
			if at >= 0 && len(cells[at]) > 0 && string(cells[at]) != `\N` {
				d.values[i] = jsonscan.Value{Kind: jsonscan.String, Raw: cells[at]}
			}
		}
		return d.record(d.values, line, sink)
	})
}

// titled says that the first line names one of the columns that are needed, so
// that it is a header and no broken record.
func (d *eitherDecoder) titled() bool {
	start, _ := d.in.Peek(d.in.Size())
	line, _, _ := bytes.Cut(start, []byte("\n"))
	for title := range bytes.SplitSeq(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")), []byte(",")) {
		name := string(bytes.Trim(title, "\" \r"))
		if slices.ContainsFunc(d.needed.fields, func(alternatives []int) bool {
			return slices.ContainsFunc(alternatives, func(i int) bool { return name != "" && d.columns[i] == name })
		}) {
			return true
		}
	}
	return false
}

// header finds the wanted columns.
func (d *eitherDecoder) header(cells [][]byte) error {
	for i, column := range d.columns {
		d.at[i] = -1
		if column != "" {
			d.at[i] = slices.IndexFunc(cells, func(cell []byte) bool { return string(trim(cell)) == column })
		}
	}
	for _, alternatives := range d.needed.fields {
		if !slices.ContainsFunc(alternatives, func(i int) bool { return d.at[i] >= 0 }) {
			return fmt.Errorf("column %s is missing; %s", d.columns[alternatives[0]], d.needed.hint)
		}
	}
	return nil
}

// firstCharacter looks at the first character that is no blank, 0 in a file that
// has none.
func firstCharacter(in *bufio.Reader) (byte, error) {
	for n := 1; n <= in.Size(); n++ {
		seen, err := in.Peek(n)
		switch {
		case err == io.EOF:
			return 0, nil
		case err != nil:
			return 0, err
		}
		switch c := seen[n-1]; c {
		case ' ', '\t', '\r', '\n', 0xef, 0xbb, 0xbf:
		default:
			return c, nil
		}
	}
	return 0, nil
}
