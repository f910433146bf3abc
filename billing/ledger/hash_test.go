package ledger_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/option"

	"chargeback/billing/ledger"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/billing/warehouse/duckdb"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

var (
	october   = civil.Month{Year: 2026, Month: time.October}
	halloween = civil.Date{Year: 2026, Mon: time.October, Day: 31}
)

// opened is a new ledger in a warehouse.
func opened(t *testing.T, w warehouse.Warehouse) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), w, time.UTC, "2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func openDuckDB(t *testing.T) warehouse.Warehouse {
	t.Helper()
	w, err := duckdb.Open(t.Context(), duckdb.Options{Path: filepath.Join(t.TempDir(), "ledger.duckdb"), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// row is a row of a table with a value in each column, which seed decides; what set
// names has its value from there.
func row(t *testing.T, table string, seed int, set records.Args) []any {
	t.Helper()
	of, found := ledger.Layout().Table(table)
	if !found {
		t.Fatalf("the ledger has no table %s", table)
	}
	values := make([]any, len(of.Columns))
	for i, c := range of.Columns {
		if v, is := set[c.Name]; is {
			values[i] = v
			continue
		}
		values[i] = value(c, seed*1_000+i)
	}
	return values
}

// value is a value of a column, another one for each number.
func value(c records.Column, n int) any {
	switch c.Type {
	case record.Int:
		return int64(n)
	case record.Bool:
		return n%2 == 0
	case record.Time:
		return time.Date(2026, 10, 31, 12, 0, 0, n*1_000, time.UTC)
	case record.Date:
		return halloween.AddDays(-n % 7)
	case record.USD:
		return money.FromPico(int64(1_000_000_000_000 - n*1_000_003))
	}
	return fmt.Sprint("it's 日|~", n)
}

// fill puts three records of October into a ledger, and one that November charges for
// it, each with rows of its own in all that it points to.
func fill(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	ids := []string{"meters", "callers", "actors", "tasks", "rate_entries", "payers", "rulings"}
	rows := map[string][][]any{}
	for n := 1; n <= 4; n++ {
		id := int64(n)
		record := records.Args{
			"record_id": id, "correction": int64(0), "usage_date": halloween.AddDays(-n % 2), "billing_month": october.FirstDay(), "meter_id": id, "caller_id": id, "actor_id": id, "task_id": id,
			"rate_id": id, "payer_id": id, "ruling_id": 100_000 + id, "adjusts_payer_id": id, "usage_object_id": id, "request_object_id": 100 + id, "run_date": halloween,
		}
		switch n {
		case 2: // null where that may be, and empty texts
			for _, c := range []string{"caller_id", "rate_id", "usage_object_id", "searches", "llm_cost_usd", "doubtful_cost_usd", "flags", "adjusts_payer_id"} {
				record[c] = nil
			}
			record["pricing_note"], record["total_cost_usd"] = "", money.FromPico(-1)
		case 4:
			record["correction"], record["billing_month"] = int64(1), october.Next().FirstDay()
		}
		rows["record_facts"] = append(rows["record_facts"], row(t, "record_facts", n, record))
		for _, table := range ids {
			of, _ := ledger.Layout().Table(table)
			key := id
			if table == "rulings" {
				key += 100_000 // apart from those that every ledger has
			}
			rows[table] = append(rows[table], row(t, table, n, records.Args{of.Columns[0].Name: key}))
		}
		for _, object := range []int64{id, 100 + id} {
			rows["objects"] = append(rows["objects"], row(t, "objects", int(object), records.Args{"object_id": object}))
		}
	}
	var changes []warehouse.Change
	for table, of := range rows {
		changes = append(changes, warehouse.Append{Table: table, Rows: of})
	}
	if err := l.Apply(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
}

func monthHash(t *testing.T, l *ledger.Ledger, m civil.Month) string {
	t.Helper()
	h, err := l.Months.MonthHash(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// leftOut are the columns that don't decide who owes what and why, by table.
var leftOut = map[string][]string{
	"record_facts": {"run_date"},
	"rate_entries": {"priced_as", "rule", "valid_from", "learned_at", "source", "terms", "infra_pico", "cache_hit_pico", "tool_fees", "markup", "signature", "reported", "rate_hash"},
	"objects":      {"format", "etag", "size_bytes", "day", "state", "rows_staged", "rows_rejected", "rows_before_start", "error", "run", "rows_ignored", "modified_at", "reading", "missing_since", "first_row_day", "last_row_day"},
}

// Goal: whatever column of whatever record changes, the hash changes, but for columns
// that are named as left out; and it is the old one when the column is.
// Method: change each column of each row of the records and of all that they point to,
// to another value and, where it may be, to null.
func TestHashTellsEveryColumn(t *testing.T) {
	t.Parallel()
	l := opened(t, openDuckDB(t))
	fill(t, l)
	want := monthHash(t, l, october)
	for _, table := range []string{"record_facts", "meters", "callers", "actors", "tasks", "rate_entries", "payers", "rulings", "objects"} {
		of, _ := ledger.Layout().Table(table)
		key := of.Columns[0].Name
		for i, c := range of.Columns {
			for n := int64(1); n <= 3; n++ {
				id := n
				if table == "rulings" {
					id += 100_000
				}
				var was any
				read := "select " + c.Name + " from {" + table + "} where " + key + " = {@id}"
				if err := l.Query(t.Context(), warehouse.Select{Text: read, Args: records.Args{"id": id}}, func(r warehouse.Row) error { was = r.Values[0]; return nil }); err != nil {
					t.Fatal(err)
				}
				values := []any{value(c, 900_001+i)}
				if was == nil && strings.HasSuffix(c.Name, "_id") {
					values = []any{int64(1)} // one that is there
				}
				if was == value(c, 900_001+i) {
					values = []any{value(c, 900_002+i)}
				}
				if c.Nullable && was != nil {
					values = append(values, nil)
				}
				for _, v := range values {
					at := records.Args{key: id}
					set := func(v any) {
						t.Helper()
						if err := l.Apply(t.Context(), warehouse.Key(table, at, records.Args{c.Name: v})); err != nil {
							t.Fatal(err)
						}
						if c.Name == key {
							at = records.Args{key: v}
						}
					}
					set(v)
					unused := n == 2 && table != "record_facts" && slices.Contains([]string{"callers", "rate_entries", "objects"}, table)
					if got, silent := monthHash(t, l, october), unused || slices.Contains(leftOut[table], c.Name); (got == want) != silent {
						t.Errorf("%s.%s of row %d from %v to %v: hash is the same: %v", table, c.Name, id, was, v, got == want)
					}
					set(was)
				}
			}
		}
	}
	if monthHash(t, l, october) != want {
		t.Error("the records are as they were, and their hash isn't")
	}
}

// Goal: a record more or less, or twice, is another hash, and so is no record at all.
func TestHashCountsRecords(t *testing.T) {
	t.Parallel()
	l := opened(t, openDuckDB(t))
	seen := map[string]string{}
	look := func(what string) {
		t.Helper()
		h := monthHash(t, l, october)
		if before, is := seen[h]; is {
			t.Errorf("%s gives the hash of %s", what, before)
		}
		seen[h] = what
	}
	look("nothing")
	fill(t, l)
	look("three records")
	record := row(t, "record_facts", 1, records.Args{"billing_month": october.FirstDay(), "usage_date": halloween, "meter_id": int64(99)})
	for _, what := range []string{"one more, of a model that is not there", "two more that are alike"} {
		if err := l.Apply(t.Context(), warehouse.Append{Table: "record_facts", Rows: [][]any{record}}); err != nil {
			t.Fatal(err)
		}
		look(what)
	}
}

// Goal: a month closed by any version still shows whether it is what it was.
// Method: the hash that the last version with the old way gave for these records.
func TestHashOfAClosedMonth(t *testing.T) {
	t.Parallel()
	const ofEarlier = "ed6400d4014f4c9455c7602818ca8ebb752eb5d1715f6c96210ad30499647d0c"
	l := opened(t, openDuckDB(t))
	fill(t, l)
	kept := []string{monthHash(t, l, october), ofEarlier}
	unchanged := func(what, kept string, want bool) {
		t.Helper()
		got, err := l.Months.Unchanged(t.Context(), october, kept)
		if err != nil || got != want {
			t.Errorf("%s, hash %.8s: unchanged %v (error %v), want %v", what, kept, got, err, want)
		}
	}
	for _, hash := range kept {
		unchanged("as it was closed", hash, true)
		unchanged("another hash", hash[:len(hash)-1]+"x", false)
	}
	if err := l.Apply(t.Context(), warehouse.Key("record_facts", records.Args{"record_id": int64(2)}, records.Args{"output_tokens": int64(1)})); err != nil {
		t.Fatal(err)
	}
	for _, hash := range kept {
		unchanged("a record is another one", hash, false)
	}
	if err := l.Apply(t.Context(), warehouse.Delete{Table: "record_facts", Where: "true"}); err != nil {
		t.Fatal(err)
	}
	for _, hash := range kept {
		unchanged("all records are gone", hash, false)
	}
}

// Goal: both engines give the same hashes.
func TestHashOnBothEngines(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(os.Getenv(bqtest.Program)); err != nil {
		t.Skipf("left out: %s names no BigQuery emulator; make test builds one", bqtest.Program)
	}
	w, err := bigquery.Open(t.Context(), bigquery.Options{
		Project: "demo", Dataset: "hashes", Run: "hashes", MaxBytesBilled: 1 << 40, Clock: time.Now,
		Client: []option.ClientOption{option.WithEndpoint(bqtest.Start(t, os.Getenv(bqtest.Program))), option.WithHTTPClient(&http.Client{Transport: bqtest.NewStrict(http.DefaultTransport)})},
	})
	if err != nil {
		t.Fatal(err)
	}
	there, here := opened(t, w), opened(t, openDuckDB(t))
	fill(t, there)
	fill(t, here)
	for _, m := range []civil.Month{october.Prev(), october, october.Next()} {
		if a, b := monthHash(t, here, m), monthHash(t, there, m); a != b {
			t.Errorf("%s: DuckDB %s, BigQuery %s", m, a, b)
		}
	}
}
