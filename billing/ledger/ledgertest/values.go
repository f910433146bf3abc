package ledgertest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// probe is a table with a column of each type.
var probe = ledger.Table{Name: "probe", Columns: []ledger.Column{
	{Name: "id", Type: ledger.Int},
	{Name: "word", Type: ledger.Text, Nullable: true},
	{Name: "whole", Type: ledger.Int, Nullable: true},
	{Name: "flag", Type: ledger.Bool, Nullable: true},
	{Name: "at_time", Type: ledger.Timestamp, Nullable: true},
	{Name: "on_day", Type: ledger.Date, Nullable: true},
	{Name: "amount", Type: ledger.USD, Nullable: true},
}}

// plain is probe without amounts, of which many rows may go another way.
var plain = ledger.Table{Name: "plain", Columns: probe.Columns[:len(probe.Columns)-1]}

// probed is a row of probe with one column set.
func probed(id int64, column string, v any) []any {
	row := []any{id, nil, nil, nil, nil, nil, nil}
	for i, c := range probe.Columns {
		if c.Name == column {
			row[i] = v
		}
	}
	return row
}

func (b *books) makeProbe() {
	b.Helper()
	b.must(b.engine.Migrate(b.ctx, []ledger.Table{probe, plain}))
}

func testMigrate(b *books) {
	b.makeProbe()
	b.must(b.engine.Insert(b.ctx, probe, [][]any{probed(1, "word", "kept")}))
	b.makeProbe()
	b.equal("rows after a second migration", []ledger.Row{{int64(1), "kept"}}, b.rows("select id, word from probe", nil))

}

func testWider(b *books) {
	b.makeProbe()
	b.must(b.engine.Insert(b.ctx, probe, [][]any{probed(1, "word", "kept")}))
	wider := probe
	wider.Columns = append(wider.Columns[:len(wider.Columns):len(wider.Columns)],
		ledger.Column{Name: "note", Type: ledger.Text, Nullable: true},
		ledger.Column{Name: "tries", Type: ledger.Int},
	)
	other := ledger.Table{Name: "other", Columns: []ledger.Column{{Name: "id", Type: ledger.Int}}}
	for range 2 {
		b.must(b.engine.Migrate(b.ctx, []ledger.Table{other, wider}))
		b.reopen()
	}
	b.equal("old row with new columns", []ledger.Row{{int64(1), "kept", nil, nil}}, b.rows("select id, word, note, tries from probe", nil))
	b.must(b.engine.Insert(b.ctx, wider, [][]any{append(probed(2, "word", "new"), "a note", int64(3))}))
	b.equal("new row", []ledger.Row{{int64(2), "new", "a note", int64(3)}}, b.rows("select id, word, note, tries from probe where id = 2", nil))

	b.makeProbe() // an older program knows fewer columns
	b.equal("columns that this program doesn't know", []ledger.Row{{"a note"}}, b.rows("select note from probe where id = 2", nil))
	b.equal("rows of the other table", int64(0), b.count("other"))
}

func testBind(b *books) {
	b.makeProbe()
	b.must(b.engine.Insert(b.ctx, probe, [][]any{probed(1, "word", "kept")}))
	for name, err := range map[string]error{
		"Exec":  b.engine.Exec(b.ctx, "delete from probe where id = @id", ledger.Args{"other": 1}),
		"Query": b.engine.Query(b.ctx, "select @word", nil, func(ledger.Row) error { return nil }),
		"Keep":  b.engine.Keep(b.ctx, "kept", true, "select @word as word", ledger.Args{}),
		"bytes": b.engine.Exec(b.ctx, "delete from probe where word = @word", ledger.Args{"word": []byte("kept")}),
	} {
		b.refused(name+" with a parameter that has no value", err)
		if err != nil && !strings.Contains(err.Error(), "parameter @") {
			b.Errorf("%s: error %q does not name the parameter", name, err)
		}
	}
	for _, hostile := range []string{
		"'; drop table probe; --", "' or ''='", "''", "'", `\`, `\'; drop table probe; --`, `\\'`, `"`, "`", "$1 ? :x %s {}",
		"@id", "@missing", "-- a comment", "/* another", "two\nlines\r\n\tand a tab", " ", "日本語 🙂 é e\u0301", "\u202eright to left\u202c", "\ufeffmark", "null",
	} {
		b.equal(fmt.Sprintf("select of %q", hostile), []ledger.Row{{hostile, "after"}},
			b.rows("select @id as word, @after", ledger.Args{"id": hostile, "after": "after"}))
		b.exec("update probe set word = @word where id = 1", ledger.Args{"word": hostile})
		b.equal(fmt.Sprintf("rows where it is %q", hostile), []ledger.Row{{int64(1), hostile}},
			b.rows("select id, word from probe where word = @word", ledger.Args{"word": hostile}))
	}
	var read string
	err := b.engine.Query(b.ctx, "select @word", ledger.Args{"word": "cut\x00here"}, func(r ledger.Row) error { read = r.Text(0); return nil })
	if err == nil && read != "cut\x00here" {
		b.Errorf("a text with a zero byte came back as %q", read)
	}
}

// typedValues are the values that every engine must keep, by column of probe.
func typedValues() map[string][]any {
	at := func(s string) time.Time { return At(s) }
	usd := money.MustParse
	return map[string][]any{
		"word": {"", "x", "twelve bytes", "thirteen byte", strings.Repeat("0123456789", 500), "é", "twelve byteé", "日本語", "🙂", strings.Repeat("é", 2500), " ", "\n", "'", `\`, nil},
		"whole": {
			int64(0), int64(1), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), int64(math.MaxInt32) + 1, nil,
		},
		"flag": {true, false, nil},
		"at_time": {
			at("2026-10-05 10:00:00"), at("2026-10-05 10:00:00.000001"), at("2026-10-05 10:00:00.999999"), at("1970-01-01 00:00:00"),
			at("1969-12-31 23:59:59.999999"), at("0001-01-01 00:00:00"), at("9999-12-31 23:59:59.999999"), nil,
		},
		"on_day": {Day("2026-10-05"), civil.Min, civil.Max, Day("1970-01-01"), Day("1969-12-31"), Day("2024-02-29"), nil},
		"amount": {
			usd("0"), usd("0.000000000001"), usd("-0.000000000001"), usd("999999.999999999999"), usd("-999999.999999999999"), usd("1"), usd("-0.5"), usd("0.1"), nil,
		},
	}
}

func testValues(b *books) {
	b.makeProbe()
	want, id := map[int64]any{}, int64(0)
	for column, values := range typedValues() {
		for _, v := range values {
			id++
			want[id] = v
			b.must(b.engine.Insert(b.ctx, probe, [][]any{probed(id, column, v)}))
			got := b.one("select "+column+" from probe where id = @id", ledger.Args{"id": id})
			b.equal(fmt.Sprintf("%s inserted", column), readable(v), readable(got))

			b.exec("update probe set "+column+" = @value where id = @id", ledger.Args{"id": id, "value": v})
			got = b.one("select "+column+" from probe where id = @id", ledger.Args{"id": id})
			b.equal(fmt.Sprintf("%s as a parameter", column), readable(v), readable(got))
			if v != nil {
				b.equal("rows found by the value", int64(1), b.one("select count(*) from probe where id = @id and "+column+" = @value", ledger.Args{"id": id, "value": v}))
			}
		}
	}
	b.equal("a month", "2026-10", b.one("select @month", ledger.Args{"month": Day("2026-10-31").Month()}))
	b.equal("an int", int64(7), b.one("select @n", ledger.Args{"n": 7}))
	b.reopen()
	for column := range typedValues() {
		for _, r := range b.rows("select id, "+column+" from probe where "+column+" is not null", nil) {
			b.equal(column+" after opening again", readable(want[r.Int(0)]), readable(r[1]))
		}
	}
}

// readable is a value as tests compare and print it.
func readable(v any) any {
	switch v := v.(type) {
	case money.USD:
		return v.Fixed() + " USD"
	case time.Time:
		return v.Format("2006-01-02 15:04:05.000000000 MST")
	}
	return v
}

func testUnfit(b *books) {
	b.makeProbe()
	insert := func(row []any) error { return b.engine.Insert(b.ctx, probe, [][]any{probed(1, "", nil), row}) }
	for name, row := range map[string][]any{
		"too many values":                 {int64(2), nil, nil, nil, nil, nil, nil, nil},
		"too few values":                  {int64(2)},
		"null where none may be":          {nil, nil, nil, nil, nil, nil, nil},
		"bytes":                           probed(2, "word", []byte("x")),
		"no date":                         probed(2, "on_day", civil.Date{}),
		"an amount of a million":          probed(2, "amount", money.MustParse("1000000")),
		"an amount below minus a million": probed(2, "amount", money.MustParse("-1000000")),
		"a word for a number":             probed(2, "whole", "seven"),
	} {
		b.refused(name, insert(row))
		b.equal("rows after "+name, int64(0), b.count("probe"))
		if strings.HasPrefix(name, "an amount") {
			continue
		}
		many := slices.Repeat([][]any{probed(1, "", nil)[:len(plain.Columns)]}, 3_000)
		many[2_500] = row[:max(len(row)-1, 1)]
		b.refused(name+" among many rows", b.engine.Insert(b.ctx, plain, many))
		b.equal("rows after "+name+" among many", int64(0), b.count("plain"))
	}
}

func testManyRows(b *books) {
	b.makeProbe()
	const n = 1_203
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = []any{int64(i), fmt.Sprint("row ", i), int64(i) * 2, i%2 == 0, At("2026-10-05 10:00:00").Add(time.Duration(i) * time.Microsecond), Day("2026-10-05").AddDays(i), money.FromPico(int64(i))}
	}
	b.must(b.engine.Insert(b.ctx, probe, nil))
	b.must(b.engine.Insert(b.ctx, probe, rows))
	without := make([][]any, n)
	for i, row := range rows {
		without[i] = slices.Clone(row[:len(plain.Columns)])
		if i%3 == 0 {
			without[i][1+i%5] = nil
		}
	}
	b.must(b.engine.Insert(b.ctx, plain, without))
	for table, want := range map[*ledger.Table][][]any{&probe: rows, &plain: without} {
		got := b.rows("select "+table.ColumnNames()+" from "+table.Name+" order by id", nil)
		if len(got) != n {
			b.Fatalf("%s: %d rows, want %d", table.Name, len(got), n)
		}
		for i, r := range got {
			for c, v := range r {
				if readable(v) != readable(want[i][c]) {
					b.Fatalf("%s, row %d, column %s: got %v, want %v", table.Name, i, probe.Columns[c].Name, v, want[i][c])
				}
			}
		}
	}
	const sums = "select count(*), count(distinct word), sum(whole), countif(flag), total_usd(amount), sum(cast(whole as int64)) from probe"
	b.equal("sums", []any{int64(n), int64(n), int64(n * (n - 1)), int64((n + 1) / 2), "0.000000723003 USD", int64(n * (n - 1))}, readables(b.rows(sums, nil)[0]))
}

func readables(r ledger.Row) (values []any) {
	for _, v := range r {
		values = append(values, readable(v))
	}
	return values
}

func testYield(b *books) {
	b.makeProbe()
	b.must(b.engine.Insert(b.ctx, probe, [][]any{probed(1, "", nil), probed(2, "", nil), probed(3, "", nil)}))
	enough, calls := errors.New("enough"), 0
	err := b.engine.Query(b.ctx, "select id from probe order by id", nil, func(ledger.Row) error {
		calls++
		if calls == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || calls != 2 {
		b.Errorf("after %d calls of yield the query ended with %v, want its error after 2", calls, err)
	}
	b.equal("rows after it", int64(3), b.count("probe"))
	b.refused("a statement that is none", b.engine.Query(b.ctx, "select nothing from nowhere", nil, func(ledger.Row) error { return nil }))
	b.equal("rows after a wrong statement", int64(3), b.count("probe"))
}

func testKeep(b *books) {
	b.makeProbe()
	b.undone(func() {
		b.must(b.engine.Insert(b.ctx, probe, [][]any{probed(1, "word", "one"), probed(2, "word", "two")}))
		const text = "select id, word, @tag as tag from probe where id >= @least"
		b.must(b.engine.Keep(b.ctx, "kept_table", true, text, ledger.Args{"tag": "it's", "least": 2}))
		b.must(b.engine.Keep(b.ctx, "kept_view", false, text, ledger.Args{"tag": "it's", "least": 2}))
		b.must(b.engine.Insert(b.ctx, probe, [][]any{probed(3, "word", "three")}))
		b.equal("table", []ledger.Row{{int64(2), "two", "it's"}}, b.rows("select id, word, tag from kept_table order by id", nil))
		b.equal("view", []ledger.Row{{int64(2), "two", "it's"}, {int64(3), "three", "it's"}}, b.rows("select id, word, tag from kept_view order by id", nil))

		b.must(b.engine.Keep(b.ctx, "kept_table", true, "select id from kept_view where id > 2", nil))
		b.must(b.engine.Keep(b.ctx, "kept_view", false, "select id from kept_table", nil))
		b.equal("kept anew", []ledger.Row{{int64(3)}}, b.rows("select id from kept_view", nil))
	})
}
