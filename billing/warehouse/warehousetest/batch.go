package warehousetest

import (
	"time"

	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Batch makes a batch of rows of values: text, int, int64, bool, time.Time,
// civil.Date, money.USD and record.Key; nil is null, also where the column has none.
func Batch(schema *record.Schema, rows [][]any) *record.Batch {
	b := record.NewBatch(schema)
	for _, row := range rows {
		for i, v := range row {
			c := &b.Cols[i]
			add(c, schema.Columns[i].Type, v)
			if n := b.Rows + 1; v == nil || len(c.Null) > 0 || schema.Columns[i].Nullable {
				c.Null = append(c.Null, make([]bool, n-len(c.Null))...)
				c.Null[b.Rows] = v == nil
			}
		}
		b.Rows++
	}
	return b
}

func add(c *record.Vector, kind record.Type, v any) {
	if v == nil {
		c.Nulls++
	}
	if kind == record.ID {
		key, _ := v.(record.Key)
		c.Keys = append(c.Keys, key)
		return
	}
	if kind == record.Text {
		text, _ := v.(string)
		c.Heap = append(c.Heap, text...)
		c.Ends = append(c.Ends, uint32(len(c.Heap)))
		return
	}
	var n int64
	switch v := v.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	case bool:
		if v {
			n = 1
		}
	case time.Time:
		n = v.UnixMicro()
	case civil.Date:
		n = int64(v.DaysSince(civil.Date{Year: 1970, Mon: time.January, Day: 1}))
	case money.USD:
		n = v.Pico().Int64()
	}
	c.Ints = append(c.Ints, n)
}

// Feed gives batches to a Load.
func Feed(batches ...*record.Batch) <-chan *record.Batch {
	feed := make(chan *record.Batch)
	go func() {
		defer close(feed)
		for _, b := range batches {
			feed <- b
		}
	}()
	return feed
}
