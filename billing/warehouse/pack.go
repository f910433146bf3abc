package warehouse

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Pack puts rows of Go values into batches, for engines to which that is less
// work than so many rows as text. The channel holds all of them and is closed.
func Pack(table Table, rows [][]any) (<-chan *record.Batch, error) {
	schema := table.Schema()
	for _, c := range schema.Columns {
		if c.Type == record.Sum {
			return nil, fmt.Errorf("load %s: column %s is a sum, which is computed and not loaded", table.Name, c.Name)
		}
	}
	var all []*record.Batch
	for i, row := range rows {
		if err := FitRow(table, row); err != nil {
			return nil, err
		}
		if i%record.BatchRows == 0 {
			all = append(all, record.NewBatch(schema))
		}
		b := all[len(all)-1]
		for c, v := range row {
			put(&b.Cols[c], table.Columns[c], v)
		}
		b.Rows++
	}
	batches := make(chan *record.Batch, len(all))
	for _, b := range all {
		batches <- b
	}
	close(batches)
	return batches, nil
}

// FitRow says why a row of Go values is none of the table; nil where it is one.
func FitRow(table Table, row []any) error {
	if len(row) != len(table.Columns) {
		return fmt.Errorf("insert into %s: %d values for %d columns", table.Name, len(row), len(table.Columns))
	}
	for i, v := range row {
		if err := fit(table.Columns[i], v); err != nil {
			return fmt.Errorf("insert into %s: column %s: %w", table.Name, table.Columns[i].Name, err)
		}
	}
	return nil
}

// FitSet says why values are none that columns of the table can be set to; nil
// where they are.
func FitSet(table Table, set Args) error {
	if len(set) == 0 {
		return fmt.Errorf("update %s: no column is set", table.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		at := table.place(name)
		if at < 0 {
			return fmt.Errorf("update %s: there is no column %s", table.Name, name)
		}
		if _, is := set[name].(Expression); is {
			continue
		}
		if err := fit(table.Columns[at], set[name]); err != nil {
			return fmt.Errorf("update %s: column %s: %w", table.Name, name, err)
		}
	}
	return nil
}

// amountEnd is the first amount that a row can't have, on any engine, and sumEnd the
// first sum.
var (
	amountEnd = money.MustParse("1000000")
	sumEnd    = money.MustParse("100000000000000000000000000")
)

func fit(c record.Column, v any) error {
	kind := c.Type
	switch v := v.(type) {
	case nil:
		if !c.Nullable {
			return errors.New("null, and the column has none")
		}
	case string:
		if !utf8.ValidString(v) {
			return errors.New("text that is not valid UTF-8")
		}
		kind = record.Text
	case civil.Month:
		if v.IsZero() {
			return errors.New("no month")
		}
		kind = record.Text
	case record.Key:
		kind = record.ID
	case int, int64:
		kind = record.Int
	case bool:
		kind = record.Bool
	case time.Time:
		kind = record.Time
	case civil.Date:
		if v.AddDays(0) != v { // also the zero date
			return errors.New("no date")
		}
		kind = record.Date
	case money.USD:
		if c.Type == record.Sum {
			if v.Cmp(sumEnd) >= 0 || v.Neg().Cmp(sumEnd) >= 0 {
				return errors.New("a sum of more than 38 digits")
			}
			return nil
		}
		if v.Cmp(amountEnd) >= 0 || v.Neg().Cmp(amountEnd) >= 0 {
			return errors.New("an amount of a million US dollars or more")
		}
		kind = record.USD
	default:
		return fmt.Errorf("a %T can't be kept", v)
	}
	if kind != c.Type {
		return fmt.Errorf("a %T does not fit the column", v)
	}
	return nil
}

var epoch = civil.Date{Year: 1970, Mon: time.January, Day: 1}

// put appends a value that fits to a vector.
func put(to *record.Vector, c record.Column, v any) {
	if v == nil {
		to.Nulls++
	}
	if c.Nullable {
		to.Null = append(to.Null, v == nil)
	}
	if c.Type == record.ID {
		key, _ := v.(record.Key)
		to.Keys = append(to.Keys, key)
		return
	}
	if c.Type == record.Text {
		text, _ := v.(string)
		if month, is := v.(civil.Month); is {
			text = month.String()
		}
		to.Heap = append(to.Heap, text...)
		to.Ends = append(to.Ends, uint32(len(to.Heap)))
		return
	}
	var number int64
	switch v := v.(type) {
	case int:
		number = int64(v)
	case int64:
		number = v
	case bool:
		if v {
			number = 1
		}
	case time.Time:
		number = v.UnixMicro()
	case civil.Date:
		number = int64(v.DaysSince(epoch))
	case money.USD:
		number = v.Pico().Int64()
	}
	to.Ints = append(to.Ints, number)
}
