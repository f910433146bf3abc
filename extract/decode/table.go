package decode

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/frame"
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

// readCSV reads a CSV file with a header. A row may lack its last cells, and rows
// without any text are none: spreadsheets leave rows of commas behind.
func (t *table) readCSV(in io.Reader, env Env, sink *Sink) error {
	rows := newCSVRows(env.RecordBytes)
	rows.reset(in)
	cells, line, err := rows.next()
	switch {
	case err == io.EOF:
		return fmt.Errorf("line 1: the file is empty; its first line must name %s", t.columns[0].names[0])
	case err != nil:
		return lineError(line, err)
	}
	names := make([]string, len(cells))
	for i, cell := range cells {
		names[i] = strings.TrimSpace(string(cell))
	}
	at, err := t.at(names)
	if err != nil {
		if _, broken := io.Copy(io.Discard, in); broken != nil { // which explains the header
			err = broken
		}
		return lineError(line, err)
	}
	v := make([]jsonscan.Value, len(t.columns))
	for {
		cells, line, err := rows.next()
		if bad, is := errors.AsType[*frame.BadRecord](err); is {
			sink.Reject(bad.Line, bad.Reason)
			continue
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return lineError(line, err)
		case emptyRow(cells):
			continue
		case len(cells) > len(names):
			sink.Reject(line, "the row has more cells than the header; put quotes around a cell that holds a comma")
			continue
		}
		for i, k := range at {
			v[i] = jsonscan.Value{}
			if k >= 0 && k < len(cells) {
				v[i] = cellValue(cells[k], t.columns[i].scan)
			}
		}
		t.take(v, line, sink)
	}
}

// lineError says on which line a file went wrong.
func lineError(line int64, err error) error {
	if bad, is := errors.AsType[*frame.BadRecord](err); is {
		err = errors.New(bad.Reason)
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// emptyRow says whether a row has no text in any cell.
func emptyRow(cells [][]byte) bool {
	return !slices.ContainsFunc(cells, func(cell []byte) bool { return len(trim(cell)) > 0 })
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
