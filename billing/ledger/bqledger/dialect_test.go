package bqledger

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chargeback/billing/ledger"
	"chargeback/transform/models"
)

// Goal: what differs between the engines' SQL is written as BigQuery wants it,
// and nothing else is touched.
func TestDialect(t *testing.T) {
	full := map[string]string{"usage": "`p`.`d`.`usage`", "months": "`p`.`d`.`months`"}
	for _, test := range []struct{ text, want string }{
		{"select usage from usage", "select usage from `p`.`d`.`usage` as usage"},
		{"select u.x from usage as u where u.x = 'from usage'", "select u.x from `p`.`d`.`usage` as u where u.x = 'from usage'"},
		{"delete from usage where a in (select first_day from months)", "delete from `p`.`d`.`usage` as usage where a in (select first_day from `p`.`d`.`months` as months)"},
		{"insert into usage (a) select 1", "insert into `p`.`d`.`usage` (a) select 1"},
		{"update usage set a = 1 where true", "update `p`.`d`.`usage` set a = 1 where true"},
		{"select usd(a + b) from kept", "select (cast(a + b as bignumeric) * cast('0.000000000001' as bignumeric)) from kept"},
		{"select total_usd(if(x = ')', y, null))", "select ifnull(sum(if(x = ')', y, null)), cast('0' as bignumeric))"},
		{"select month_of(first_of_month(d))", "select format_date('%Y-%m', date_trunc(d, month))"},
		{"-- usage isn't read\nselect 1", "select 1"},
	} {
		text, err := plain(test.text, nil)
		if got := renamed(text, full); err != nil || got != test.want {
			t.Errorf("%s\ngot  %s (%v)\nwant %s", test.text, got, err, test.want)
		}
	}
	hostile := "usd( is month_of(x) and set a where b"
	text, err := plain("update runs set summary = @text where run_window = @name", ledger.Args{"text": hostile, "name": "it's"})
	if want := "update runs set summary = '" + hostile + "' where run_window = 'it\\'s'"; err != nil || text != want {
		t.Errorf("a value was read as SQL: %s (%v)", text, err)
	}
	if m := updates.FindStringSubmatch(text); m == nil || m[3] != `run_window = 'it\'s'` {
		t.Errorf("the condition was found in a value: %q", m)
	}
	if _, err := plain("select usd(a", nil); err == nil {
		t.Error("a macro that is not closed was accepted")
	}
}

// Goal: no model uses a word that only DuckDB has.
func TestModelsAreCommonText(t *testing.T) {
	all, err := models.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		for _, word := range []string{"::", "strftime", "try_cast", " exclude ", "list_", "struct_pack", "read_parquet", "date '19"} {
			if strings.Contains(m.Text, word) {
				t.Errorf("model %s has %q, which BigQuery does not read", m.Name, word)
			}
		}
	}
}

// Goal: no text, however odd, ends its literal early or reads as another one.
// Method: random texts; what stands between the quotes has no bare quote, no
// line end, and gives the text back when its escapes are read.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		q := quote(text)
		inside, begins := strings.CutPrefix(q, "'")
		inside, ends := strings.CutSuffix(inside, "'")
		if !begins || !ends {
			t.Fatalf("%q is not quoted", q)
		}
		var read strings.Builder
		for runes := []rune(inside); len(runes) > 0; runes = runes[1:] {
			switch r := runes[0]; {
			case r == '\'' || r < 0x20:
				t.Fatalf("%q has a bare %q inside", q, r)
			case r != '\\':
				read.WriteRune(r)
			case runes[1] == 'u':
				n := rune(0)
				for _, digit := range string(runes[2:6]) {
					n = n*16 + rune(strings.IndexRune("0123456789abcdef", digit))
				}
				read.WriteRune(n)
				runes = runes[5:]
			default:
				read.WriteRune(runes[1])
				runes = runes[1:]
			}
		}
		if read.String() != text {
			t.Fatalf("%q reads as %q", q, read.String())
		}
	})
}

func TestSplitList(t *testing.T) {
	got := splitList("a = 1, b = if(c, 'x, y', concat(d, ',')), e = 'it\\'s, so'")
	want := []string{"a = 1", "b = if(c, 'x, y', concat(d, ','))", "e = 'it\\'s, so'"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRowsAsTextStayShort(t *testing.T) {
	table := ledger.Table{Name: "t", Columns: []ledger.Column{{Name: "word", Type: ledger.Text}}}
	rows := make([][]any, 400)
	for i := range rows {
		rows[i] = []any{strings.Repeat("x", 1_000)}
	}
	parts, err := asText(table, rows)
	if err != nil || len(parts) < 4 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	for _, part := range parts {
		if len(part) > 2*textMax {
			t.Errorf("a part of %d bytes", len(part))
		}
	}
}
