package warehousetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

var valueTests = []test{
	{"every value comes back as it was", begin(testValues)},
	{"texts are quoted", begin(testTexts)},
	{"values that don't fit are refused", begin(testUnfit)},
	{"many rows at once", begin(testManyRows)},
	{"keys of ids", begin(testKeys)},
}

// typedValues are the values that every engine must keep, by column of probe.
func typedValues() map[string][]any {
	return map[string][]any{
		"word":  {"", "x", "twelve bytes", "thirteen byte", strings.Repeat("0123456789", 500), "é", "twelve byteé", "日本語", "🙂", strings.Repeat("é", 2500), " ", "\n", "'", `\`, nil},
		"whole": {int64(0), int64(1), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), int64(math.MaxInt32) + 1, nil},
		"flag":  {true, false, nil},
		"at_time": {
			at("2026-10-05 10:00:00"), at("2026-10-05 10:00:00.000001"), at("2026-10-05 10:00:00.999999"), at("1970-01-01 00:00:00"),
			at("1969-12-31 23:59:59.999999"), at("0001-01-01 00:00:00"), at("9999-12-31 23:59:59.999999"), nil,
		},
		"on_day": {day("2026-10-05"), civil.Min, civil.Max, day("1970-01-01"), day("1969-12-31"), day("2024-02-29"), nil},
		"amount": {
			usd("0"), usd("0.000000000001"), usd("-0.000000000001"), usd("999999.999999999999"), usd("-999999.999999999999"), usd("1"), usd("-0.5"), usd("0.1"), nil,
		},
		"id_key": {record.Key{}, record.Key{1}, record.Key{15: 1}, record.Key{0x7f, 7: 0xff, 8: 0x80}, record.Key{0x80}, key("6ba7b810-9dad-11d1-b0b4-00c04fd430c8"), key("msg_1"), nil},
	}
}

// Goal: a value is the same however it came in: appended, put, set, or as an
// argument; and once the ledger was opened again.
func testValues(w *world) {
	want := map[int64]any{}
	var rows [][]any
	var sets []warehouse.Change
	for _, column := range []string{"word", "whole", "flag", "at_time", "on_day", "amount", "id_key"} {
		for _, v := range typedValues()[column] {
			id := int64(len(rows) + 1)
			want[id] = v
			rows = append(rows, probed(id, column, v))
			sets = append(sets, warehouse.Key("probe", warehouse.Args{"id": 1000 + id}, warehouse.Args{column: v}))
			if v == nil {
				continue
			}
			w.equal("an argument", readable(v), w.rows("select {@v} as v", warehouse.Args{"v": v})[0])
		}
	}
	w.must(w.Put(w.ctx, "put", probe.Columns, rows))
	blank := make([][]any, len(rows))
	for i := range rows {
		blank[i] = probed(1001+int64(i), "", nil)
	}
	w.apply(append([]warehouse.Change{warehouse.Append{Table: "probe", Rows: rows}, warehouse.Append{Table: "probe", Rows: blank}}, sets...)...)
	check := func(when, table string) {
		w.Helper()
		for _, column := range []string{"word", "whole", "flag", "at_time", "on_day", "amount", "id_key"} {
			for _, r := range w.rows("select id, "+column+" from {"+table+"} where "+column+" is not null", nil) {
				w.equal(column+" "+when, readable(want[r[0].(int64)%1000]), r[1:])
			}
		}
	}
	check("put", "put")
	check("appended or set", "probe")
	w.equal("nulls", int64(7*2), w.one("select count(*) from {probe} where word is null and whole is null and flag is null and at_time is null and on_day is null and amount is null and id_key is null", nil))
	for id, v := range want {
		for column, values := range typedValues() {
			if v != nil && fmt.Sprintf("%T", values[0]) == fmt.Sprintf("%T", v) {
				w.equal("rows that are found by it", int64(2), w.one("select count(*) from {probe} where (id = {@id} or id = {@id} + 1000) and "+column+" = {@v}", warehouse.Args{"id": id, "v": v}))
			}
		}
	}
	w.equal("a month", "2026-10", w.one("select {@m} as m", warehouse.Args{"m": day("2026-10-31").Month()}))
	w.equal("a whole number", int64(7), w.one("select {@n} as n", warehouse.Args{"n": 7}))
	w.reopen()
	check("after opening again", "probe")
}

// key is the key of an id.
func key(id string) record.Key {
	k, _ := record.KeyOf([]byte(id))
	return k
}

// Goal: an engine makes the keys that the program makes, tells the ids that they
// tell, and has them in the order of their texts.
func testKeys(w *world) {
	ids := []string{
		"6ba7b810-9dad-11d1-b0b4-00c04fd430c8", "ffffffff-ffff-4fff-bfff-ffffffffffff", "00000000-0000-1000-8000-000000000001", "7fffffff-ffff-7fff-8000-000000000000",
		"6ba7b810-9dad-81d1-b0b4-00c04fd430c8", "6BA7B810-9DAD-11D1-B0B4-00C04FD430C8", "6ba7b8109dad11d1b0b400c04fd430c8", "6ba7b810-9dad-11d1-b0b4-00c04fd430cg",
		"req_011CSHoEeqs5C35K2UUqR7Fy", "it's", "日本語", "x", "",
	}
	var rows [][]any
	for i, id := range ids {
		told := any(nil)
		if k, tells := record.KeyOf([]byte(id)); tells {
			told = k
		}
		row := probed(int64(i), "word", id)
		row[len(row)-1] = told
		rows = append(rows, row)
	}
	w.apply(warehouse.Append{Table: "probe", Rows: append(rows, probed(int64(len(ids)), "", nil))})
	all := w.rows("select id, {id_key(word)} as made, {key_text(id_key)} as told from {probe} order by id", nil)
	w.equal("rows", len(ids)+1, len(all))
	for i, id := range ids {
		w.equal("key of "+id, any(key(id)), all[i][1])
		if rows[i][len(rows[i])-1] != nil {
			w.equal("id of a key", any(id), all[i][2])
		}
	}
	w.equal("key of nothing", []any{nil, nil}, all[len(ids)][1:])
	var texts []string
	for _, r := range w.rows("select {key_text(id_key)} as told from {probe} where id_key is not null order by id_key", nil) {
		texts = append(texts, r[0].(string))
	}
	w.equal("in order", true, len(texts) == 4 && slices.IsSorted(texts))
	w.equal("the first and the last", [][]any{{texts[0], texts[3]}}, w.rows("select {key_text(min(id_key))} as first, {key_text(max(id_key))} as last from {probe}", nil))
	w.equal("how many there are", int64(4), w.one("select count(distinct id_key) as n from {probe}", nil))
	w.equal("those that are joined", int64(4), w.one("select count(*) as n from {probe} as p inner join {probe} as q on q.id_key = p.id_key", nil))
}

func testTexts(w *world) {
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "word", "kept")}})
	for _, hostile := range []string{
		"'; drop table probe; --", "' or ''='", "''", "'", `\`, `\'; drop table probe; --`, `\\'`, `"`, "`", "$1 ? :x %s {}", "{probe}", "{@id}", "{", "}",
		"@id", "-- a comment", "/* another", "two\nlines\r\n\tand a tab", " ", "日本語 🙂 é e\u0301", "\u202eright to left\u202c", "\ufeffmark", "null",
	} {
		w.equal(fmt.Sprintf("select of %q", hostile), [][]any{{hostile, "after"}},
			w.rows("select {@word} as word, {@after} as next", warehouse.Args{"word": hostile, "after": "after"}))
		w.apply(warehouse.Update{Table: "probe", Set: warehouse.Args{"word": hostile}, Where: "id = 1"})
		w.equal(fmt.Sprintf("rows where it is %q", hostile), [][]any{{int64(1), hostile}},
			w.rows("select id, word from {probe} where word = {@word}", warehouse.Args{"word": hostile}))
	}
	var read any
	err := w.Query(w.ctx, warehouse.Select{Text: "select {@word} as word", Args: warehouse.Args{"word": "cut\x00here"}}, func(r warehouse.Row) error { read = r.Values[0]; return nil })
	if err == nil && read != "cut\x00here" {
		w.Errorf("a text with a zero byte came back as %q", read)
	}
}

func testUnfit(w *world) {
	for name, row := range map[string][]any{
		"too many values":                 append(probed(2, "", nil), nil),
		"too few values":                  {int64(2)},
		"null where none may be":          {nil, nil, nil, nil, nil, nil, nil, nil},
		"bytes":                           probed(2, "word", []byte("x")),
		"text that is not valid UTF-8":    probed(2, "word", "\xff"),
		"no date":                         probed(2, "on_day", civil.Date{}),
		"no month":                        probed(2, "word", civil.Month{}),
		"an amount of a million":          probed(2, "amount", usd("1000000")),
		"an amount below minus a million": probed(2, "amount", usd("-1000000")),
		"a word for a number":             probed(2, "whole", "seven"),
		"a number for a word":             probed(2, "word", 7),
		"a number for an amount":          probed(2, "amount", 7),
		"a word for a key":                probed(2, "id_key", "6ba7b810-9dad-11d1-b0b4-00c04fd430c8"),
		"a key for a word":                probed(2, "word", record.Key{}),
	} {
		few := [][]any{probed(1, "", nil), row}
		many := slices.Repeat([][]any{probed(1, "", nil)}, 3_000)
		many[2_500] = row
		w.must(w.Put(w.ctx, "put", probe.Columns[:1], [][]any{{5}}))
		for _, rows := range [][][]any{few, many} {
			w.refused(name, w.Apply(w.ctx, warehouse.Append{Table: "probe", Rows: rows}), "probe")
			w.refused(name+", put", w.Put(w.ctx, "put", probe.Columns, rows), "put")
		}
		w.equal("rows after "+name+", and rows put before", [][]any{{int64(0), int64(5)}}, w.rows("select (select count(*) from {probe} as p) as kept, w.id from {put} as w", nil))
	}
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "word", "kept")}})
	for name, set := range map[string]warehouse.Args{
		"whole":     {"whole": "seven"},
		"id":        {"id": nil},
		"amount":    {"amount": usd("1000000")},
		"on_day":    {"on_day": civil.Date{}},
		"nowhere":   {"word": "changed", "nowhere": 1},
		"no column": {},
	} {
		w.refused("setting "+name, w.Apply(w.ctx, warehouse.Update{Table: "probe", Set: set, Where: "true"}), name, "probe")
		w.equal("row after setting "+name, [][]any{{int64(1), "kept", nil, nil, nil, nil, nil, nil}}, w.rows("select "+probe.ColumnNames()+" from {probe}", nil))
	}
}

// Goal: rows that go another way because they are many are the same rows.
func testManyRows(w *world) {
	const n = 4_203
	rows, want := make([][]any, n), make([][]any, n)
	for i := range rows {
		rows[i] = []any{
			i, fmt.Sprint("row ", i), int64(i) * 2, i%2 == 0, at("2026-10-05 10:00:00").Add(time.Duration(i) * time.Microsecond),
			day("2026-10-05").AddDays(i), usd("-0.000000000001").MulInt(int64(i)), record.Key{byte(i >> 8), byte(i), 15: 1},
		}
		if i%3 == 0 {
			rows[i][1+i%6] = nil
		}
		want[i] = readable(rows[i]...)
	}
	w.apply(warehouse.Append{Table: "probe"}, warehouse.Append{Table: "probe", Rows: rows})
	w.must(w.Put(w.ctx, "put", probe.Columns, rows))
	for _, table := range []string{"probe", "put"} {
		got := w.rows("select "+probe.ColumnNames()+" from {"+table+"} order by id", nil)
		if len(got) != n {
			w.Fatalf("%s: %d rows, want %d", table, len(got), n)
		}
		for i := range got {
			if !slices.Equal(got[i], want[i]) {
				w.Fatalf("%s, row %d: got %v, want %v", table, i, got[i], want[i])
			}
		}
	}
	sums := w.rows("select count(*) as n, sum(id) as ids, {total_usd(amount)} as total from {probe} where amount is not null", nil)[0]
	count, ids := int64(0), int64(0)
	for i := range int64(n) {
		if i%3 != 0 || 1+i%6 != 6 {
			count, ids = count+1, ids+i
		}
	}
	w.equal("sums", []any{count, ids, readable(usd("-0.000000000001").MulInt(ids))[0]}, sums)
}
