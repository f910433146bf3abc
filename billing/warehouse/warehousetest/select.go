package warehousetest

import (
	"errors"
	"slices"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

var selectTests = []test{
	{"rows are read by name into typed values", begin(testTyped)},
	{"a query ends with the error of yield", begin(testYield)},
	{"views of a select", begin(testSelectViews)},
	{"functions", begin(testFunctions)},
	{"what is wrong in a select is named", begin(testWrongSelect)},
	{"common table expressions, windows and joins", begin(testShared)},
}

type probeRow struct {
	ID     int64
	Word   string
	Whole  *int64
	Flag   bool
	AtTime time.Time
	OnDay  civil.Date
	Amount money.USD
	IDKey  record.Key
}

func testTyped(w *world) {
	seven := int64(7)
	want := probeRow{1, "one", &seven, true, at("2026-10-31 12:30:00.5"), day("2026-10-31"), usd("1.5"), record.Key{1, 15: 2}}
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{{1, "one", 7, true, want.AtTime, want.OnDay, want.Amount, want.IDKey}, probed(2, "", nil)}})
	one := warehouse.Select{Name: "row of probe", Text: "select id_key, amount, on_day, at_time, flag, whole, word, id from {probe} where id = {@id}", Args: warehouse.Args{"id": 1}}
	got, err := warehouse.One[probeRow](w.ctx, w, one)
	w.must(err)
	w.equal("a row", readable(want.ID, want.Word, *want.Whole, want.Flag, want.AtTime, want.OnDay, want.Amount, want.IDKey), readable(got.ID, got.Word, *got.Whole, got.Flag, got.AtTime, got.OnDay, got.Amount, got.IDKey))
	one.Args = warehouse.Args{"id": 2}
	_, err = warehouse.One[probeRow](w.ctx, w, one)
	w.refused("null where a field takes none", err, "row of probe", "null")
	one.Text = "select id_key, amount, on_day, at_time, flag, whole, word from {probe} where id = {@id}"
	_, err = warehouse.One[probeRow](w.ctx, w, one)
	w.refused("a select without a column", err, "row of probe", "id")
	_, err = warehouse.One[int64](w.ctx, w, warehouse.Select{Name: "a word", Text: "select word from {probe} where id = 1"})
	w.refused("text for a number", err, "a word", "string")

	var columns []string
	w.must(w.Query(w.ctx, warehouse.Select{Text: "select count(*) as n, {total_usd(amount)} as total, word as heading from {probe} group by word order by 1, 3 limit 1"}, func(r warehouse.Row) error {
		columns = slices.Clone(r.Columns)
		return nil
	}))
	w.equal("names of columns", []string{"n", "total", "heading"}, columns)
	w.equal("rows of a select of none", [][]any{}, w.rows("select id, word from {probe} where false", nil))
}

func testYield(w *world) {
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "", nil), probed(2, "", nil), probed(3, "", nil)}})
	enough, calls := errors.New("enough"), 0
	err := w.Query(w.ctx, warehouse.Select{Text: "select id from {probe} order by id"}, func(warehouse.Row) error {
		calls++
		if calls == 2 {
			return enough
		}
		return nil
	})
	w.is("a query whose yield ends it", err, enough)
	w.equal("calls of yield", 2, calls)
	w.equal("rows after it", int64(3), w.count("probe"))
	w.refused("a query without a table", w.Query(w.ctx, warehouse.Select{Text: "select nothing from nowhere"}, nothing))
	w.equal("rows after a wrong statement", int64(3), w.count("probe"))
}

func testSelectViews(w *world) {
	w.apply(warehouse.Append{Table: "facts", Rows: [][]any{fact(1, "2026-10-30", "blue", 3), fact(2, "2026-10-31", "red", 4), fact(3, "2026-10-31", "blue", 5)}})
	views := map[string]string{
		"facts": "select id, day, team, calls, amount from {facts} where team = {@team} and " + bounds,
		"late":  "select id, calls from {facts} where day >= {@since}",
	}
	args := warehouse.Args{"team": "blue", "since": day("2026-10-31")}
	for text, want := range map[string][][]any{
		"select f.id from {facts} as f order by 1":                                                     {{int64(1)}, {int64(3)}},
		"select l.id, l.calls from {late} as l":                                                        {{int64(3), int64(5)}},
		"select f.id, l.id as other from {facts} as f left join {late} as l on l.id = f.id order by 1": {{int64(1), nil}, {int64(3), int64(3)}},
	} {
		got := [][]any{}
		read := func(r warehouse.Row) error { got = append(got, readable(r.Values...)); return nil }
		w.must(w.Query(w.ctx, warehouse.Select{Text: text, Args: args, Views: views}, read))
		w.equal(text, want, got)
		got = [][]any{}
		w.must(warehouse.With(w, views, args).Query(w.ctx, warehouse.Select{Text: text}, read))
		w.equal(text+", by With", want, got)
	}
}

func testFunctions(w *world) {
	args := warehouse.Args{"day": day("2026-10-31"), "at": at("2026-11-01 00:01:00.000002"), "pico": 1_500_000_000_001}
	for text, want := range map[string]any{
		"{usd({@pico})}":                                        usd("1.500000000001"),
		"{usd(-1)}":                                             usd("-0.000000000001"),
		"{usd(cast(null as int64))}":                            nil,
		"{total_usd({usd({@pico})})}":                           usd("1.500000000001"),
		"{month_of({@day})}":                                    "2026-10",
		"{first_of_month({@day})}":                              day("2026-10-01"),
		"{month_of({first_of_month({@day})})}":                  "2026-10",
		"{date_of_days(mod({@pico}, 1000) + 1)}":                day("1970-01-03"),
		"{date_of_days(cast(null as int64))}":                   nil,
		"{micros_of({@at})}":                                    at("2026-11-01 00:01:00.000002").UnixMicro(),
		"{pico_of({usd({@pico})})}":                             1_500_000_000_001,
		"{pico_of({usd(-999999999999999999)})}":                 -999_999_999_999_999_999,
		"{pico_of(cast(null as bignumeric))}":                   nil,
		"{sha256_hex('aé日🙂')}":                                  "6e6fd6a3178a51d25d88e96535c1e81c538b1bcf1920c075c5fe03835df2275c",
		"{hex_int('ffffffffffffff')}":                           1<<56 - 1,
		"{hex_int(substr({sha256_hex('a')}, 1, 8))}":            0xca978112,
		"length('aé日🙂')":                                        4, // characters, not bytes
		"{utc_minute_of_week({@at})}":                           1, // of a Sunday
		"{utc_minute_of_week(timestamp '2026-10-31 23:59:59')}": 10_079,
	} {
		w.equal(text, readable(want)[0], w.one("select "+text+" as it from (select 1 as one) as o", args))
	}
	w.equal("a total of none", "0.000000000000 USD", w.one("select {total_usd(amount)} as it from {probe}", nil))
	for name := range warehouse.Functions {
		w.refused("function "+name+" without its bracket", w.Query(w.ctx, warehouse.Select{Text: "select {" + name + "(1} as it"}, nothing), name)
	}
}

func testWrongSelect(w *world) {
	for name, test := range map[string]struct {
		text  string
		words []string
	}{
		"no such table":           {"select id from {nowhere}", []string{"nowhere"}},
		"no such column":          {"select colour from {probe}", []string{"colour"}},
		"no value":                {"select {@missing} as it", []string{"@missing"}},
		"no such function":        {"select {sum_of(id)} from {probe}", []string{"sum_of"}},
		"a value without literal": {"select {@bytes} as it", []string{"@bytes"}},
		"no days":                 {"select id from {probe} where on_day in ({@days})", []string{"@days", "empty"}},
		"a word for a number":     {"select cast('seven' as int64) as it", []string{"seven"}},
		"no SQL":                  {"selected", []string{"selected"}},
	} {
		s := warehouse.Select{Name: "an example", Text: test.text, Args: warehouse.Args{"bytes": []byte("x"), "days": []civil.Date{}}}
		words := append([]string{"an example"}, test.words...)
		w.refused(name, w.Query(w.ctx, s, nothing), words...)
		w.refused(name+", computed", w.Compute(w.ctx, "computed", s), append(words, "computed")...)
		w.refused(name+", as a guard", w.Apply(w.ctx, warehouse.Guard{Count: s}), words...)
		w.refused("what failed to be computed", w.Query(w.ctx, warehouse.Select{Text: "select 1 as one from {computed}"}, nothing), "computed")
	}
	w.equal("rows after all of them", int64(0), w.count("probe"))
}

// Goal: what models are made of gives the same on every engine.
func testShared(w *world) {
	w.apply(warehouse.Append{Table: "facts", Rows: [][]any{fact(1, "2026-10-30", "blue", 3), fact(2, "2026-10-31", "red", 4), fact(3, "2026-10-31", "blue", 5), {4, day("2026-10-31"), nil, 1, nil}}})
	w.must(w.Put(w.ctx, "days", facts.Columns[1:2], [][]any{{day("2026-10-31")}, {day("2026-11-02")}}))
	w.equal("rows", [][]any{{"blue", int64(5), int64(1), int64(8)}, {"nobody", int64(1), int64(1), int64(1)}, {"red", int64(4), int64(1), int64(4)}}, w.rows(`with ranked as (
  select f.team, f.day, f.calls, row_number() over (partition by f.team order by f.day desc) as rank_in_team, sum(f.calls) over (partition by f.team) as team_total
  from {facts} as f
  where f.day between {@first} and {@last}
)
select ifnull(r.team, 'nobody') as team_name, r.calls, r.rank_in_team, r.team_total
from ranked as r
join {days} as d on d.day = r.day
where r.rank_in_team = 1
order by 1`, warehouse.Args{"first": day("2026-10-01"), "last": day("2026-10-31")}))
}
