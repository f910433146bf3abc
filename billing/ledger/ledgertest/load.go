package ledgertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"pgregory.net/rapid"

	"chargeback/billing/ledger"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// schemas are all tables that are filled by loading.
var schemas = append([]*record.Schema{record.UsageSchema, record.RequestSchema, record.PeopleSchema}, record.DimensionSchemas...)

// Batch makes a batch of rows of values: text, int64, bool, time.Time and
// civil.Date; nil is null, also where the column has none.
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

// load loads batches and returns how many were given back.
func (b *books) load(ctx context.Context, schema *record.Schema, batches ...*record.Batch) (rows, back int64, err error) {
	feed := make(chan *record.Batch)
	go func() {
		defer close(feed)
		for _, batch := range batches {
			feed <- batch
		}
	}()
	var given atomic.Int64
	rows, err = b.engine.Load(ctx, schema, feed, func(*record.Batch) { given.Add(1) })
	return rows, given.Load(), err
}

// numberColumn is the first column of whole numbers; tests number rows in it.
func numberColumn(schema *record.Schema) int {
	return slices.IndexFunc(schema.Columns, func(c record.Column) bool { return c.Type == record.Int })
}

// checkLoaded compares what lies in the table with rows, by number.
func (b *books) checkLoaded(schema *record.Schema, want [][]any) {
	b.Helper()
	var names []string
	for _, c := range schema.Columns {
		names = append(names, c.Name)
	}
	number := numberColumn(schema)
	slices.SortFunc(want, func(x, y []any) int { return cmp.Compare(x[number].(int64), y[number].(int64)) })
	filter := ""
	if t := b.table(schema.Table); t.Partition != "" {
		filter = " where " + t.Partition + " >= @since"
	}
	got := b.rows("select "+strings.Join(names, ", ")+" from "+schema.Table+filter+" order by "+names[number], ledger.Args{"since": civil.Min})
	if len(got) != len(want) {
		b.Fatalf("%s has %d rows, want %d", schema.Table, len(got), len(want))
	}
	for r := range want {
		for c := range names {
			if g, w := readable(got[r][c]), readable(want[r][c]); g != w {
				b.Fatalf("%s, row %d, column %s: got %#v, want %#v", schema.Table, r, names[c], g, w)
			}
		}
	}
}

// Goal: what a decoder hands over is what lies in the table.
// Method: random rows of a random schema, in batches of random length, with
// nulls wherever the schema has them and texts around every length at which an
// engine may keep them otherwise.
func testLoad(b *books) {
	b.begin()
	rapid.Check(b.test, func(t *rapid.T) {
		b := &books{TB: t, ctx: b.ctx, engine: b.engine}
		schema := schemas[rapid.IntRange(0, len(schemas)-1).Draw(t, "schema")]
		var batches []*record.Batch
		var all [][]any
		for range rapid.IntRange(0, 3).Draw(t, "batches") {
			var rows [][]any
			for range rapid.IntRange(0, 20).Draw(t, "rows") {
				row := drawRow(t, schema)
				row[numberColumn(schema)] = int64(len(all))
				rows, all = append(rows, row), append(all, row)
			}
			batches = append(batches, Batch(schema, rows))
		}
		b.undone(func() {
			rows, back, err := b.load(b.ctx, schema, batches...)
			b.must(err)
			if rows != int64(len(all)) || back != int64(len(batches)) {
				b.Fatalf("loaded %d rows and got %d batches back, want %d and %d", rows, back, len(all), len(batches))
			}
			b.checkLoaded(schema, all)
		})
	})
}

func drawRow(t *rapid.T, schema *record.Schema) []any {
	row := make([]any, len(schema.Columns))
	for i, c := range schema.Columns {
		if c.Nullable && rapid.IntRange(0, 3).Draw(t, c.Name+" null") == 0 {
			continue
		}
		row[i] = drawValue(t, c)
	}
	return row
}

func drawValue(t *rapid.T, c record.Column) any {
	switch c.Type {
	case record.Text:
		texts := rapid.OneOf(
			rapid.SampledFrom([]any{"", "x", "eleven byte", "twelve bytes", "thirteen byte", "twelve byteé", "日本語日本語", strings.Repeat("long ", 800)}),
			rapid.Map(rapid.StringN(0, 30, -1), func(s string) any { return strings.ReplaceAll(s, "\x00", "0") }),
		)
		return texts.Draw(t, c.Name)
	case record.Bool:
		return rapid.Bool().Draw(t, c.Name)
	case record.Time:
		return time.UnixMicro(rapid.Int64Range(At("0001-01-01 00:00:00").UnixMicro(), At("9999-12-31 23:59:59.999999").UnixMicro()).Draw(t, c.Name)).UTC()
	case record.Date:
		return civil.Min.AddDays(rapid.IntRange(0, civil.Max.DaysSince(civil.Min)).Draw(t, c.Name))
	}
	return rapid.Int64().Draw(t, c.Name)
}

// Goal: an engine that works on several batches at once, or keeps memory from
// one to the next, mixes nothing up.
// Method: full batches, of which some columns are all null, some never and some
// in patterns, between short ones.
func testLongBatches(b *books) {
	b.begin()
	for _, schema := range []*record.Schema{record.RequestSchema, record.ActorSchema} {
		var batches []*record.Batch
		var all [][]any
		for n, rows := range []int{record.BatchRows, 1, record.BatchRows, 65, 64, record.BatchRows, 63} {
			made := make([][]any, rows)
			for r := range made {
				made[r] = patternRow(schema, n, r)
				made[r][numberColumn(schema)] = int64(len(all) + r)
			}
			all = append(all, made...)
			batches = append(batches, Batch(schema, made))
		}
		b.undone(func() {
			rows, back, err := b.load(b.ctx, schema, batches...)
			b.must(err)
			b.equal("rows and batches back", []int64{int64(len(all)), int64(len(batches))}, []int64{rows, back})
			b.checkLoaded(schema, all)
		})
	}
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

func testEmptyLoad(b *books) {
	b.begin()
	row := patternRow(record.UsageSchema, 1, 1)
	for _, test := range []struct {
		name    string
		batches []*record.Batch
		rows    int64
	}{
		{"no batch", nil, 0},
		{"an empty batch", []*record.Batch{Batch(record.UsageSchema, nil)}, 0},
		{"empty batches before, between and after", []*record.Batch{
			Batch(record.UsageSchema, nil), Batch(record.UsageSchema, nil), Batch(record.UsageSchema, [][]any{row}), Batch(record.UsageSchema, nil),
			Batch(record.UsageSchema, nil), Batch(record.UsageSchema, nil), Batch(record.UsageSchema, [][]any{row}), Batch(record.UsageSchema, nil),
		}, 2},
	} {
		b.undone(func() {
			rows, back, err := b.load(b.ctx, record.UsageSchema, test.batches...)
			b.must(err)
			b.equal(test.name, []int64{test.rows, int64(len(test.batches)), test.rows}, []int64{rows, back, b.count("usage")})
		})
	}
}

func testFailedLoad(b *books) {
	b.begin()
	good := func() *record.Batch { return Batch(record.UsageSchema, [][]any{patternRow(record.UsageSchema, 1, 1)}) }
	null := patternRow(record.UsageSchema, 1, 1)
	null[0] = nil
	unknown := *record.UsageSchema
	unknown.Table = "nowhere"
	for _, test := range []struct {
		name    string
		schema  *record.Schema
		batches []*record.Batch
	}{
		{"null where none may be", record.UsageSchema, []*record.Batch{good(), Batch(record.UsageSchema, [][]any{null}), good(), good(), good(), good()}},
		{"another schema's batch", record.UsageSchema, []*record.Batch{good(), Batch(record.CallerSchema, [][]any{{int64(1), "x", nil, nil}}), good(), good()}},
		{"a table that isn't there", &unknown, []*record.Batch{good(), good(), good()}},
	} {
		b.undone(func() {
			_, back, err := b.load(b.ctx, test.schema, test.batches...)
			b.refused(test.name, err)
			b.equal("batches back after "+test.name, int64(len(test.batches)), back)
		})
		b.equal("rows after "+test.name, int64(0), b.count("usage"))
	}
	b.undone(func() {
		rows, _, err := b.load(b.ctx, record.UsageSchema, good())
		b.must(err)
		b.equal("rows of a load after failures", int64(1), rows)
	})
}

// Goal: a run that is stopped while it reads leaves nothing and hangs nowhere.
// Method: cancel between two batches, while the engine waits for the next.
func testCancelledLoad(b *books) {
	b.begin()
	ctx, stop := context.WithCancel(b.ctx)
	defer stop()
	feed := make(chan *record.Batch)
	go func() {
		defer close(feed)
		for i := range 6 {
			if i == 3 {
				stop()
			}
			feed <- Batch(record.UsageSchema, [][]any{patternRow(record.UsageSchema, 1, i)})
		}
	}()
	var back atomic.Int64
	err := b.engine.Transact(ctx, func() error {
		_, err := b.engine.Load(ctx, record.UsageSchema, feed, func(*record.Batch) { back.Add(1) })
		return err
	})
	if !errors.Is(err, context.Canceled) {
		b.Errorf("load ended with %v, want context.Canceled", err)
	}
	b.equal("batches back", int64(6), back.Load())
	b.equal("rows", int64(0), b.count("usage"))
	b.must(b.engine.Transact(b.ctx, func() error { return nil }))
}
