package decode

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"chargeback/extract/decode/jsonscan"
)

// column is a wanted column of a table.
type column struct {
	names  []string // that exporters give it, in any case; the first that a table has counts
	needed bool
	// Where the cell is a map, the key whose value is wanted, and what finds it in
	// a map that is written as JSON.
	key  string
	scan *jsonscan.Scanner
}

// table says which columns of a table are wanted and what becomes of a row,
// whose cells stand in the order of the columns. Where the table has few rows of
// concern, keep tells them by their first columns.
type table struct {
	columns  []column
	deciding int
	keep     func(v []jsonscan.Value) bool
	row      recordFunc
}

// optional adds a column that a table may lack, and returns its index.
func (t *table) optional(names ...string) int {
	t.columns = append(t.columns, column{names: names})
	return len(t.columns) - 1
}

// needed adds a column that a table must have, and returns its index.
func (t *table) needed(names ...string) int {
	t.columns = append(t.columns, column{names: names, needed: true})
	return len(t.columns) - 1
}

// mapped adds a column of maps, of which one key's value is wanted.
func (t *table) mapped(key string, names ...string) int {
	spec, err := jsonscan.Compile([]jsonscan.Path{{key}})
	if err != nil {
		panic(err) // of a key that stands in this package
	}
	t.columns = append(t.columns, column{names: names, key: key, scan: jsonscan.NewScanner(spec)})
	return len(t.columns) - 1
}

// at finds the wanted columns among those of a table, -1 for each that it lacks.
func (t *table) at(names []string) ([]int, error) {
	at := make([]int, len(t.columns))
	for i, c := range t.columns {
		at[i] = -1
		for _, wanted := range c.names {
			for k, name := range names {
				if !strings.EqualFold(name, wanted) {
					continue
				}
				if at[i] >= 0 {
					return nil, fmt.Errorf("column %s occurs twice; keep one of them", wanted)
				}
				at[i] = k
			}
			if at[i] >= 0 {
				break
			}
		}
		if at[i] < 0 && c.needed {
			return nil, fmt.Errorf("column %s is missing; is this source really in that format?", c.names[0])
		}
	}
	return at, nil
}

// take counts one row: kept, of no concern or rejected.
func (t *table) take(v []jsonscan.Value, line int64, sink *Sink) {
	if t.keep != nil && !t.keep(v) {
		sink.Ignore()
		return
	}
	if err := t.row(v, line, sink); err != nil {
		sink.Reject(line, err.Error())
	}
}

// csvReader reads the rows of a CSV file. Cells in quotes may hold line breaks.
type csvReader struct {
	in    *bufio.Reader
	max   int
	line  int64    // on which the row starts
	ahead int64    // lines that were read
	text  []byte   // of the row
	cells [][]byte // of the row
	long  bool     // the row was longer than max and is gone
}

// next reads the next row that isn't blank; io.EOF says that there is none.
func (c *csvReader) next() error {
	for {
		c.line, c.text, c.long = c.ahead+1, c.text[:0], false
		err := c.readLine()
		if c.line == 1 {
			c.text = bytes.TrimPrefix(c.text, []byte("\xef\xbb\xbf"))
		}
		for quoted := 0; err == nil || err == io.EOF && len(c.text) > 0; {
			if c.long {
				return nil
			}
			if !openQuote(c.text, &quoted) {
				break
			}
			if err == io.EOF {
				return fmt.Errorf("line %d: a quote is not closed before the end of the file; close it, or deliver the whole file", c.line)
			}
			if err = c.readLine(); err == nil && c.long {
				return fmt.Errorf("line %d: a quote is not closed within %d bytes", c.line, c.max)
			}
		}
		if err != nil && (err != io.EOF || len(c.text) == 0 && !c.long) {
			if err != io.EOF {
				err = fmt.Errorf("line %d: %w", c.line, err)
			}
			return err
		}
		if len(bytes.Trim(c.text, ", \t\r\n")) > 0 { // spreadsheets leave rows of commas behind
			c.split()
			return nil
		}
	}
}

// readLine appends a line with its end to the row.
func (c *csvReader) readLine() error {
	c.ahead++
	for {
		part, err := c.in.ReadSlice('\n')
		if len(c.text)+len(part) > c.max {
			c.text, c.long = c.text[:0], true
		}
		if !c.long {
			c.text = append(c.text, part...)
		}
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}

// openQuote says whether the row ends inside a quoted cell. seen is where the
// last cell starts that was looked at, so that a long one is not begun again
// with the row.
func openQuote(text []byte, seen *int) bool {
	i := *seen
	for i < len(text) {
		// i stands at the start of a cell.
		if text[i] != '"' {
			end := bytes.IndexByte(text[i:], ',')
			if end < 0 {
				return false
			}
			i += end + 1
			*seen = i
			continue
		}
		end := closingQuote(text, i+1)
		if end < 0 {
			return true
		}
		comma := bytes.IndexByte(text[end:], ',')
		if comma < 0 {
			return false
		}
		i = end + comma + 1
		*seen = i
	}
	return false
}

// closingQuote returns the index of the quote that ends a cell whose text
// starts at i, -1 where there is none.
func closingQuote(text []byte, i int) int {
	for {
		n := bytes.IndexByte(text[i:], '"')
		if n < 0 {
			return -1
		}
		if i += n; i+1 >= len(text) || text[i+1] != '"' {
			return i
		}
		i += 2
	}
}

// split cuts the row into cells, in place.
func (c *csvReader) split() {
	text := bytes.TrimRight(c.text, "\r\n")
	c.cells = c.cells[:0]
	for {
		var cell []byte
		end := 0
		if len(text) > 0 && text[0] == '"' {
			end = closingQuote(text, 1)
			cell = unquoted(text[1:end])
			end++
		}
		comma := bytes.IndexByte(text[end:], ',')
		if comma < 0 {
			comma = len(text) - end
		}
		if end == 0 {
			cell = text[:comma]
		}
		c.cells = append(c.cells, cell)
		if end += comma; end >= len(text) {
			return
		}
		text = text[end+1:]
	}
}

// unquoted writes each pair of quotes as one, in place.
func unquoted(cell []byte) []byte {
	if bytes.IndexByte(cell, '"') < 0 {
		return cell
	}
	out := cell[:0]
	for i := 0; i < len(cell); i++ {
		out = append(out, cell[i])
		if cell[i] == '"' {
			i++
		}
	}
	return out
}

// readCSV reads a CSV file with a header.
func (t *table) readCSV(in *bufio.Reader, env Env, sink *Sink) error {
	c := csvReader{in: in, max: env.RecordBytes}
	switch err := c.next(); {
	case err == io.EOF:
		return fmt.Errorf("line 1: the file is empty; its first line must name %s", t.columns[0].names[0])
	case err != nil:
		return err
	}
	names := make([]string, len(c.cells))
	for i, cell := range c.cells {
		names[i] = strings.TrimSpace(string(cell))
	}
	at, err := t.at(names)
	if err != nil {
		if _, broken := io.Copy(io.Discard, in); broken != nil { // which explains the header
			err = broken
		}
		return fmt.Errorf("line %d: %w", c.line, err)
	}
	width := len(names)
	v := make([]jsonscan.Value, len(t.columns))
	for {
		switch err := c.next(); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case c.long:
			sink.Reject(c.line, fmt.Sprintf("the row is longer than %d bytes", c.max))
			continue
		case len(c.cells) > width:
			sink.Reject(c.line, "the row has more cells than the header; put quotes around a cell that holds a comma")
			continue
		}
		for i, k := range at {
			v[i] = jsonscan.Value{}
			if k >= 0 && k < len(c.cells) {
				v[i] = cellValue(c.cells[k], t.columns[i].scan)
			}
		}
		t.take(v, c.line, sink)
	}
}

// cellValue is a cell as a field: nothing is absent. Of a map, which stands in
// the cell as JSON, it is what scan finds.
func cellValue(cell []byte, scan *jsonscan.Scanner) jsonscan.Value {
	if cell = trim(cell); len(cell) == 0 {
		return jsonscan.Value{}
	}
	if scan == nil {
		return jsonscan.Value{Raw: cell, Kind: jsonscan.String}
	}
	if _, err := scan.Scan(cell); err != nil {
		return jsonscan.Value{}
	}
	return scan.Values[0]
}
