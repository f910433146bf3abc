package warehousetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

var loadTests = []test{
	{"loaded batches come back value by value", begin(testLoad)},
	{"long batches", begin(testLongBatches)},
	{"empty loads", begin(testEmptyLoad)},
	{"a failed load leaves nothing", begin(testFailedLoad)},
	{"a cancelled load leaves nothing", begin(testCancelledLoad)},
	{"what is not applied is gone", begin(testNotApplied)},
	{"several loads are applied together", begin(testSeveralLoads)},
	{"while rows are loaded", begin(testWhileLoaded)},
	{"what was loaded is applied once, and all of it", begin(testAppliedOnce)},
	{"changes before and after what was loaded", begin(testAroundLoaded)},
	{"rows that are left out", begin(testExcept)},
	{"rows that are stored once", begin(testOnce)},
}

// load loads batches, which must all come back.
func (w *world) load(ctx context.Context, schema *record.Schema, batches ...*record.Batch) (*warehouse.Loaded, error) {
	w.Helper()
	var back atomic.Int64
	loaded, err := w.Load(ctx, schema, Feed(batches...), func(*record.Batch) { back.Add(1) })
	w.equal("batches that came back", int64(len(batches)), back.Load())
	return loaded, err
}

// mustLoad loads rows in one batch.
func (w *world) mustLoad(schema *record.Schema, rows ...[]any) *warehouse.Loaded {
	w.Helper()
	loaded, err := w.load(w.ctx, schema, Batch(schema, rows))
	w.must(err)
	w.equal("rows that were loaded", int64(len(rows)), loaded.Rows)
	return loaded
}

// stagedRow is a short row of staged.
func stagedRow(id int, on, word string) []any {
	return []any{id, word, nil, nil, nil, day(on), nil, "", nil}
}

// staged are the ids and words in staged, in order.
func (w *world) staged() string {
	w.Helper()
	var all []string
	for _, r := range w.rows("select id, word from {staged} where "+bounds+" order by id, word", nil) {
		all = append(all, fmt.Sprint(r[0], " ", r[1]))
	}
	return strings.Join(all, ", ")
}

// checkStaged compares what lies in staged with rows, whose ids count from 0.
func (w *world) checkStaged(want [][]any) {
	w.Helper()
	got := w.rows("select "+warehouse.ColumnNames(stagedSchema.Columns)+" from {staged} where "+bounds+" order by id", nil)
	if len(got) != len(want) {
		w.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for r := range want {
		for c, v := range readable(want[r]...) {
			if got[r][c] != v {
				w.Fatalf("row %d, column %s: got %#v, want %#v", r, stagedSchema.Columns[c].Name, got[r][c], v)
			}
		}
	}
}

// Goal: what a decoder hands over is what lies in the table.
// Method: random rows in batches of random length, with nulls wherever the schema
// has them and texts around every length at which an engine may keep them otherwise.
func testLoad(w *world) {
	random := rand.New(rand.NewPCG(1, 2))
	var batches []*record.Batch
	var all [][]any
	for range 40 {
		var rows [][]any
		for range random.IntN(60) {
			row := randomRow(random)
			row[0] = len(all)
			rows, all = append(rows, row), append(all, row)
		}
		batches = append(batches, Batch(stagedSchema, rows))
	}
	loaded, err := w.load(w.ctx, stagedSchema, batches...)
	w.must(err)
	w.equal("what was loaded", []any{"staged", int64(len(all))}, []any{loaded.Schema, loaded.Rows})
	w.apply(loaded)
	w.checkStaged(all)
	w.reopen()
	w.checkStaged(all)
}

func randomRow(random *rand.Rand) []any {
	row := make([]any, len(stagedSchema.Columns))
	for i, c := range stagedSchema.Columns {
		if !c.Nullable || random.IntN(4) > 0 {
			row[i] = randomValue(random, c.Type)
		}
	}
	return row
}

func randomValue(random *rand.Rand, kind record.Type) any {
	switch kind {
	case record.Text:
		texts := []string{"", "x", "eleven byte", "twelve bytes", "thirteen byte", "twelve byteé", "日本語日本語", strings.Repeat("long ", 800), "it's", "two\nlines", "🙂"}
		return strings.Repeat(texts[random.IntN(len(texts))], random.IntN(2)) + strings.Repeat("é", random.IntN(9))
	case record.Bool:
		return random.IntN(2) == 0
	case record.Time:
		first, last := at("0001-01-01 00:00:00").UnixMicro(), at("9999-12-31 23:59:59.999999").UnixMicro()
		return time.UnixMicro(first + random.Int64N(last-first+1)).UTC()
	case record.Date:
		return day("2026-01-01").AddDays(random.IntN(400))
	case record.ID:
		var key record.Key
		for i := range key {
			key[i] = byte(random.Uint64())
		}
		return key
	case record.USD:
		return money.FromPico(random.Int64N(2_000_000_000_000_000_000-1) - 1_000_000_000_000_000_000 + 1)
	}
	return int64(random.Uint64())
}

// Goal: an engine that works on several batches at once, or keeps memory from
// one to the next, mixes nothing up.
// Method: full batches, of which some columns are all null, some never and some
// in patterns, between short ones.
func testLongBatches(w *world) {
	var batches []*record.Batch
	var all [][]any
	for n, rows := range []int{record.BatchRows, 1, record.BatchRows, 65, 64, record.BatchRows, 63} {
		made := make([][]any, rows)
		for r := range made {
			made[r] = patternRow(n, r)
			made[r][0] = len(all) + r
		}
		all = append(all, made...)
		batches = append(batches, Batch(stagedSchema, made))
	}
	loaded, err := w.load(w.ctx, stagedSchema, batches...)
	w.must(err)
	w.apply(loaded)
	w.checkStaged(all)
}

// patternRow is row r of batch n: which columns are null differs from batch to
// batch, and how long texts are differs from row to row.
func patternRow(n, r int) []any {
	row := make([]any, len(stagedSchema.Columns))
	for i, c := range stagedSchema.Columns {
		if c.Nullable && (n+i)%3 == 0 || c.Nullable && (n+i)%3 == 1 && (r+i)%7 == 0 {
			continue
		}
		switch c.Type {
		case record.Text:
			row[i] = strings.Repeat(fmt.Sprint(r%10), (r+i)%17) + strings.Repeat("tail", (r/2000)*(n%2)*300)
		case record.Bool:
			row[i] = (r+i)%2 == 0
		case record.Time:
			row[i] = at("2026-10-05 00:00:00").Add(time.Duration(r) * time.Second)
		case record.Date:
			row[i] = day("2026-10-05").AddDays(r % 300)
		case record.ID:
			row[i] = record.Key{byte(r >> 8), byte(r), 8: byte(n), 15: byte(i)}
		case record.USD:
			row[i] = money.FromPico(int64(n*1_000_000 - r*100))
		default:
			row[i] = int64(n*1_000_000 + r*100 + i)
		}
	}
	return row
}

func testEmptyLoad(w *world) {
	none := func() *record.Batch { return Batch(stagedSchema, nil) }
	one := func() *record.Batch { return Batch(stagedSchema, [][]any{stagedRow(1, "2026-10-31", "one")}) }
	rows := int64(0)
	for _, test := range []struct {
		name    string
		batches []*record.Batch
		rows    int64
	}{
		{"no batch", nil, 0},
		{"an empty batch", []*record.Batch{none()}, 0},
		{"empty batches before, between and after", []*record.Batch{none(), none(), one(), none(), none(), none(), one(), none()}, 2},
	} {
		loaded, err := w.load(w.ctx, stagedSchema, test.batches...)
		w.must(err)
		w.equal(test.name, test.rows, loaded.Rows)
		w.apply(loaded)
		rows += test.rows
		w.equal("rows after "+test.name, rows, w.count("staged"))
	}
}

func testFailedLoad(w *world) {
	good := func() *record.Batch { return Batch(stagedSchema, [][]any{stagedRow(1, "2026-10-31", "one")}) }
	null, far := stagedRow(2, "2026-10-31", "two"), stagedRow(2, "2026-10-31", "two")
	null[0], far[6] = nil, usd("1000000")
	unknown := *stagedSchema
	unknown.Table = "nowhere"
	other := *stagedSchema
	other.Columns = append(append([]record.Column(nil), stagedSchema.Columns...), record.Column{Name: "surplus", Type: record.Int})
	for _, test := range []struct {
		name    string
		schema  *record.Schema
		batches []*record.Batch
		word    string
	}{
		{"null where none may be", stagedSchema, []*record.Batch{good(), Batch(stagedSchema, [][]any{null}), good(), good(), good(), good()}, "id"},
		{"an amount of a million", stagedSchema, []*record.Batch{good(), Batch(stagedSchema, [][]any{far}), good()}, "staged"},
		{"another schema's batch", stagedSchema, []*record.Batch{good(), Batch(wordsSchema, [][]any{{1, "x", nil}}), good(), good()}, "words"},
		{"a table that isn't there", &unknown, []*record.Batch{good(), good(), good()}, "nowhere"},
		{"a column that isn't there", &other, []*record.Batch{Batch(&other, [][]any{append(stagedRow(1, "2026-10-31", "one"), 3)})}, "surplus"},
	} {
		before := w.mustLoad(stagedSchema, stagedRow(9, "2026-10-31", "before"))
		_, err := w.load(w.ctx, test.schema, test.batches...)
		w.refused(test.name, err, test.word)
		w.equal("rows after "+test.name, int64(0), w.count("staged"))
		w.refused("what was loaded before "+test.name, w.Apply(w.ctx, before), "staged")
		w.equal("rows once it was to be applied", int64(0), w.count("staged"))
	}
	loaded, err := w.load(w.ctx, stagedSchema, good())
	w.must(err)
	w.apply(loaded)
	w.equal("rows of a load after failures", int64(1), w.count("staged"))
}

// Goal: a run that is stopped while it reads leaves nothing and hangs nowhere.
// Method: cancel between two batches, while the engine waits for the next.
func testCancelledLoad(w *world) {
	ctx, stop := context.WithCancel(w.ctx)
	defer stop()
	feed := make(chan *record.Batch)
	go func() {
		defer close(feed)
		for i := range 6 {
			if i == 3 {
				stop()
			}
			feed <- Batch(stagedSchema, [][]any{stagedRow(i, "2026-10-31", "word")})
		}
	}()
	var back atomic.Int64
	_, err := w.Load(ctx, stagedSchema, feed, func(*record.Batch) { back.Add(1) })
	w.is("a load that was cancelled", err, context.Canceled)
	w.equal("batches back", int64(6), back.Load())
	w.equal("rows", int64(0), w.count("staged"))
	w.apply(w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one")))
	w.equal("rows of the next load", int64(1), w.count("staged"))
}

func testNotApplied(w *world) {
	w.apply(w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "kept")))
	gone := w.mustLoad(stagedSchema, stagedRow(2, "2026-10-31", "discarded"))
	w.must(w.Discard(w.ctx))
	w.must(w.Discard(w.ctx)) // of nothing
	w.equal("rows after Discard", "1 kept", w.staged())
	w.refused("what was discarded", w.Apply(w.ctx, gone), "staged")
	w.equal("rows after that was to be applied", "1 kept", w.staged())
	w.mustLoad(stagedSchema, stagedRow(3, "2026-10-31", "closed"))
	w.reopen()
	w.equal("rows after Close", "1 kept", w.staged())
	w.mustLoad(stagedSchema, stagedRow(4, "2026-10-31", "discarded"))
	ctx, stop := context.WithCancel(w.ctx)
	stop()
	w.must(w.Discard(ctx)) // as a run does that was stopped
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "", nil)}})
	w.equal("rows after a Discard by a run that was stopped", "1 kept", w.staged())
}

func testSeveralLoads(w *world) {
	first := w.mustLoad(stagedSchema, stagedRow(1, "2026-10-30", "first"))
	second := w.mustLoad(stagedSchema, stagedRow(2, "2026-10-31", "second"))
	words := w.mustLoad(wordsSchema, []any{1, "word", nil})
	w.apply(words, warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "", nil)}}, first, second)
	w.equal("rows", "1 first, 2 second", w.staged())
	w.equal("rows of the others", []int64{1, 1}, []int64{w.count("words"), w.count("probe")})
	first = w.mustLoad(stagedSchema, stagedRow(3, "2026-10-30", "third"))
	words = w.mustLoad(wordsSchema, []any{2, "other", nil})
	w.is("loads with a guard", w.Apply(w.ctx, first, words, warehouse.Guard{Count: warehouse.Select{Text: "select 1 as n"}}), warehouse.ErrChanged)
	w.equal("rows after it", "1 first, 2 second", w.staged())
	w.equal("words after it", int64(1), w.count("words"))
	w.reopen()
	w.equal("rows after opening again", "1 first, 2 second", w.staged())
}

// Goal: work tables may be made, read and dropped while rows are loaded. They stay
// with what is applied; what is taken back may take them with it, or leave them, but
// never leaves other rows under their names.
func testWhileLoaded(w *world) {
	w.wide("work", "select 1 as id")
	w.wide("dropped", "select 1 as id")
	makeWork := func() {
		w.Helper()
		w.equal("a query", int64(1), w.one("select id from {work}", nil))
		w.compute("other", "select id + 1 as id, 'word' as word from {work}", nil)
		w.must(w.Put(w.ctx, "put", probe.Columns[:1], [][]any{{7}}))
		w.must(w.Drop(w.ctx, "dropped"))
	}
	loaded := w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"))
	makeWork()
	w.apply(loaded, warehouse.Append{Table: "probe", From: "other"}, warehouse.Append{Table: "probe", From: "put"})
	w.equal("rows", "1 one", w.staged())
	w.equal("rows of work tables", [][]any{{int64(2), "word"}, {int64(7), nil}}, w.rows("select id, word from {probe} order by id", nil))
	w.equal("work tables after it", []int64{1, 1, 1}, []int64{w.count("work"), w.count("other"), w.count("put")})

	for _, end := range []string{"Discard", "a change that fails", "a load that fails"} {
		w.must(w.Drop(w.ctx, "other"))
		w.wide("dropped", "select 1 as id")
		w.must(w.Put(w.ctx, "put", probe.Columns[:2], [][]any{{8, "eight"}}))
		w.must(w.Apply(w.ctx, warehouse.Append{Table: "probe", From: "put"}))
		loaded := w.mustLoad(stagedSchema, stagedRow(2, "2026-10-31", "two"))
		makeWork()
		switch end {
		case "Discard":
			w.must(w.Discard(w.ctx))
		case "a change that fails":
			w.is(end, w.Apply(w.ctx, loaded, warehouse.Append{Table: "probe", From: "put"}, warehouse.Guard{Count: warehouse.Select{Text: "select 1 as n"}}), warehouse.ErrChanged)
		default:
			_, err := w.load(w.ctx, stagedSchema, Batch(wordsSchema, [][]any{{1, "x", nil}}))
			w.refused(end, err)
		}
		w.equal("rows after "+end, "1 one", w.staged())
		w.mayHold("other after "+end, "other", "word", "word")
		w.mayHold("put after "+end, "put", "id", int64(7), int64(8))
		if w.Apply(w.ctx, warehouse.Delete{Table: "probe", Where: "id > 2"}, warehouse.Append{Table: "probe", From: "put"}) == nil {
			row := w.rows("select id, word from {probe} where id > 2", nil)
			if got := fmt.Sprint(row); got != "[[7 <nil>]]" && got != "[[8 eight]]" {
				w.Errorf("put was appended as %v after %s", got, end)
			}
		}
		w.equal("the work table of before, after "+end, int64(1), w.one("select id from {work}", nil))
		w.must(w.Drop(w.ctx, "put", "other"))
		w.compute("other", "select 3 as id", nil)
		w.apply(warehouse.Append{Table: "probe", From: "other"}, warehouse.Delete{Table: "probe", Where: "id > 2"})
		w.equal("rows of probe after "+end, [][]any{{int64(2), "word"}}, w.rows("select id, word from {probe}", nil))
	}
}

// mayHold says that a work table is gone, or holds one row with one of these values.
func (w *world) mayHold(what, table, column string, values ...any) {
	w.Helper()
	var got []any
	err := w.Query(w.ctx, warehouse.Select{Text: "select " + column + " from {" + table + "}"}, func(r warehouse.Row) error {
		got = append(got, r.Values[0])
		return nil
	})
	if err == nil && (len(got) != 1 || !slices.Contains(values, got[0])) {
		w.Errorf("%s: %v, want one of %v", what, got, values)
	}
}

func testAppliedOnce(w *world) {
	loaded := w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"))
	w.refused("changes without it", w.Apply(w.ctx, warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "", nil)}}), "staged")
	w.refused("it, after that", w.Apply(w.ctx, loaded), "staged")
	w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"))
	w.refused("no change", w.Apply(w.ctx), "staged")
	loaded = w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"))
	w.refused("it twice", w.Apply(w.ctx, loaded, loaded), "staged")
	w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"))
	second := w.mustLoad(stagedSchema, stagedRow(2, "2026-10-31", "two"))
	w.refused("one of two", w.Apply(w.ctx, second), "staged")
	w.equal("rows after all that", []int64{0, 0}, []int64{w.count("staged"), w.count("probe")})
	loaded = w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"))
	w.apply(loaded)
	w.refused("it, when it was applied", w.Apply(w.ctx, loaded), "staged")
	w.equal("rows", "1 one", w.staged())
}

// Goal: an object that is read again replaces its rows: what is deleted, set or
// replaced before the loaded rows are given concerns the rows that were there.
// Method: each kind of change before, and after.
func testAroundLoaded(w *world) {
	within := warehouse.Args{"first": civil.Min, "last": civil.Max}
	all := "day between {@first} and {@last}"
	for _, test := range []struct {
		name          string
		change        warehouse.Change
		before, after string
	}{
		{"delete", warehouse.Delete{Table: "staged", Where: "word = 'one' and " + all, Args: within}, "1 new, 1 one, 2 kept", "1 new, 2 kept"},
		{"delete of one of two", warehouse.Delete{Table: "staged", Where: "word = 'other' and " + all + " or word = 'one' and " + all, Args: within}, "1 new, 1 one, 2 kept", "1 new, 2 kept"},
		{"update", warehouse.Update{Table: "staged", Set: warehouse.Args{"word": "set"}, Where: "word = 'one' and " + all, Args: within}, "1 new, 1 one, 1 set, 2 kept", "1 new, 1 set, 1 set, 2 kept"},
		{"replace", warehouse.ReplaceDays{Table: "staged", Days: []civil.Date{day("2026-10-31")}, From: "work", Where: "word in ('one', 'work')"}, "1 new, 1 one, 2 kept, 3 work", "1 new, 2 kept, 3 work"},
	} {
		w.must(w.Put(w.ctx, "work", stagedSchema.Columns, [][]any{stagedRow(3, "2026-10-31", "work")}))
		for _, order := range []string{"before", "after"} {
			w.apply(warehouse.Delete{Table: "staged", Where: all, Args: within})
			w.apply(w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"), stagedRow(2, "2026-10-31", "kept")))
			loaded, want := w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"), stagedRow(1, "2026-10-31", "new")), test.before
			if order == "before" {
				w.apply(test.change, loaded)
			} else {
				want = test.after
				w.apply(loaded, test.change)
			}
			w.equal(test.name+" "+order+" loaded rows", want, w.staged())
		}
	}
}

// Goal: rows that can't be kept are left out of those that were loaded, and of no others.
// Method: a condition that reads a work table, which names nothing, some, or all of
// the rows, beside a row that was there before; and one that names no column.
func testExcept(w *world) {
	all := "day between {@first} and {@last}"
	for _, test := range []struct {
		name string
		out  []int64
		want string
	}{
		{"none", nil, "1 before, 1 one, 2 two"},
		{"one", []int64{1}, "1 before, 2 two"},
		{"all", []int64{1, 2}, "1 before"},
	} {
		w.apply(warehouse.Delete{Table: "staged", Where: all, Args: warehouse.Args{"first": civil.Min, "last": civil.Max}})
		w.apply(w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "before")))
		var ids [][]any
		for _, id := range test.out {
			ids = append(ids, []any{id})
		}
		w.must(w.Put(w.ctx, "unkept", stagedSchema.Columns[:1], ids))
		loaded := w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"), stagedRow(2, "2026-10-30", "two"))
		loaded.Except = "id in (select id from {unkept})"
		w.apply(loaded)
		w.equal("rows where "+test.name+" are left out", test.want, w.staged())
	}
	loaded := w.mustLoad(stagedSchema, stagedRow(3, "2026-10-31", "three"))
	loaded.Except = "nothing = 1"
	w.refused("a condition on a column that the table lacks", w.Apply(w.ctx, loaded), "nothing")
	w.equal("rows after it", "1 before", w.staged())
}

func testOnce(w *world) {
	words := func() string {
		var all []string
		for _, r := range w.rows("select word_id, word, note from {words} order by word_id, word", nil) {
			all = append(all, strings.TrimSuffix(fmt.Sprintln(r...), "\n"))
		}
		return strings.Join(all, ", ")
	}
	w.apply(w.mustLoad(wordsSchema, []any{1, "one", nil}, []any{2, "two", "a note"}))
	w.apply(w.mustLoad(wordsSchema, []any{2, "two", "a note"}, []any{3, "three", nil}))
	w.equal("rows of two runs", "1 one <nil>, 2 two a note, 3 three <nil>", words())
	first := w.mustLoad(wordsSchema, []any{4, "four", nil}, []any{4, "four", nil})
	second := w.mustLoad(wordsSchema, []any{4, "four", nil}, []any{5, "five", nil})
	w.apply(first, second)
	w.equal("rows of loads that are applied together", int64(5), w.count("words"))
	w.mustLoad(wordsSchema, []any{6, "six", nil})
	w.must(w.Discard(w.ctx))
	w.apply(w.mustLoad(wordsSchema, []any{6, "six", nil}))
	w.equal("rows after a load that was discarded", int64(6), w.count("words"))
}
