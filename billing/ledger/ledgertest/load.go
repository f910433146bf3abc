package ledgertest

import (
	"fmt"
	"strings"
	"time"

	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// Batch makes a batch of rows of values: text, int64, bool, time.Time,
// civil.Date and record.Key; nil is null, also where the column has none.
func Batch(schema *record.Schema, rows [][]any) *record.Batch {
	b := record.NewBatch(schema)
	for _, row := range rows {
		for i, v := range row {
			put(&b.Cols[i], schema.Columns[i].Type, v)
			if n := b.Rows + 1; v == nil || len(b.Cols[i].Null) > 0 || schema.Columns[i].Nullable {
				b.Cols[i].Null = append(b.Cols[i].Null, make([]bool, n-len(b.Cols[i].Null))...)
				b.Cols[i].Null[b.Rows] = v == nil
			}
		}
		b.Rows++
	}
	return b
}

func put(c *record.Vector, kind record.Type, v any) {
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
	case int64:
		n = v
	case bool:
		if v {
			n = 1
		}
	case time.Time:
		n = v.UnixMicro()
	case civil.Date:
		n = epochDays(v)
	}
	c.Ints = append(c.Ints, n)
}

// patternRow is row r of batch n: which columns are null differs from batch to
// batch, and how long texts are differs from row to row.
func patternRow(schema *record.Schema, n, r int) []any {
	row := make([]any, len(schema.Columns))
	for i, c := range schema.Columns {
		if c.Nullable && (n+i)%3 == 0 || c.Nullable && (n+i)%3 == 1 && (r+i)%7 == 0 {
			continue
		}
		switch c.Type {
		case record.Text:
			row[i] = strings.Repeat(fmt.Sprint(r%10), (r+i)%17) + strings.Repeat("tail", (r/2000)*(n%2)*300)
		case record.ID:
			row[i] = record.Key{byte(n), byte(r), byte(i)}
		case record.Bool:
			row[i] = (r+i)%2 == 0
		case record.Time:
			row[i] = At("2026-10-05 00:00:00").Add(time.Duration(r) * time.Second)
		case record.Date:
			row[i] = Day("2026-10-05").AddDays(r)
		default:
			row[i] = int64(n*1_000_000 + r*100 + i)
		}
	}
	return row
}
