package report_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/duckdb"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

var october = civil.Month{Year: 2026, Month: time.October}

// books is a real ledger that tests write rows into.
type books struct {
	*ledger.Ledger
	engine  warehouse.Warehouse
	rulings map[[2]string]int64 // by match and pricing
	last    int64               // id of the last cost record
}

// fatal is what *testing.T and *rapid.T share.
type fatal interface {
	Helper()
	Fatal(args ...any)
}

func openBooks(t *testing.T) *books {
	t.Helper()
	engine, err := duckdb.Open(t.Context(), duckdb.Options{Path: filepath.Join(t.TempDir(), "ledger.duckdb"), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return booksOn(t, engine)
}

func booksOn(t *testing.T, engine warehouse.Warehouse) *books {
	t.Helper()
	l, err := ledger.Open(t.Context(), engine, time.UTC, "2026-10-01")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &books{Ledger: l, engine: engine, rulings: map[[2]string]int64{}}
	err = warehouse.Each(t.Context(), l, warehouse.Select{Text: "select ruling_id, match, pricing from {rulings} where match_rung is null and attribution = 'user'"}, func(r struct {
		RulingID       int64
		Match, Pricing string
	}) error {
		b.rulings[[2]string{r.Match, r.Pricing}] = r.RulingID
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// values is a row by column name.
type values map[string]any

// insert writes rows; see rows.
func (b *books) insert(t fatal, table string, all ...values) {
	t.Helper()
	b.apply(t, rows(t, table, all...))
}

func (b *books) apply(t fatal, changes ...warehouse.Change) {
	t.Helper()
	if err := b.Apply(context.Background(), changes...); err != nil {
		t.Fatal(err)
	}
}

// rows are rows of a table; a column that a row leaves out is null, or the zero value
// where it may not be.
func rows(t fatal, name string, all ...values) warehouse.Change {
	t.Helper()
	table, found := ledger.Layout().Table(name)
	if !found {
		t.Fatal("no table " + name)
	}
	known := map[string]bool{}
	tuples := make([][]any, len(all))
	for i, row := range all {
		for _, c := range table.Columns {
			known[c.Name] = true
			v, given := row[c.Name]
			if !given && !c.Nullable {
				v = zeroOf(c.Type)
			}
			tuples[i] = append(tuples[i], v)
		}
		for column := range row {
			if !known[column] {
				t.Fatal("table " + name + " has no column " + column)
			}
		}
	}
	return warehouse.Append{Table: name, Rows: tuples}
}

// record writes cost records, each with a meter, actor, payer and task of its own.
func (b *books) record(t fatal, records ...values) {
	t.Helper()
	var facts, meters, actors, payers, tasks []values
	for _, r := range records {
		b.last++
		fact := values{"record_id": b.last, "meter_id": b.last}
		for name, v := range r {
			fact[name] = v
		}
		ruling, known := b.rulings[[2]string{r["match"].(string), r["pricing"].(string)}]
		if !known {
			t.Fatal("no ruling for ", r["match"], " and ", r["pricing"])
		}
		fact["ruling_id"] = ruling
		meters = append(meters, values{"meter_id": b.last, "provider": r["provider"], "model": r["model"], "account": r["account"]})
		if r["user_id"] != nil {
			fact["actor_id"] = b.last
			actors = append(actors, values{"actor_id": b.last, "user_id": r["user_id"]})
		}
		fact["payer_id"], fact["task_id"] = b.last, b.last
		payers = append(payers, values{"payer_id": b.last, "department": r["department"], "cost_center": r["cost_center"]})
		tasks = append(tasks, values{"task_id": b.last, "agent_id": r["agent_id"]})
		for _, name := range []string{"provider", "account", "model", "user_id", "match", "pricing", "department", "cost_center", "agent_id"} {
			delete(fact, name)
		}
		facts = append(facts, fact)
	}
	b.apply(t, rows(t, "meters", meters...), rows(t, "actors", actors...), rows(t, "payers", payers...), rows(t, "tasks", tasks...), rows(t, "record_facts", facts...))
	if err := ledgertest.SumDays(context.Background(), b.engine, time.UTC, "2026-10-01"); err != nil {
		t.Fatal(err)
	}
}

// clear empties the ledger, so that one serves many random ones.
func (b *books) clear(t fatal) {
	t.Helper()
	if err := ledgertest.Clear(context.Background(), b.engine); err != nil {
		t.Fatal(err)
	}
}

func zeroOf(kind record.Type) any {
	switch kind {
	case records.Int:
		return int64(0)
	case records.Bool:
		return false
	case records.Timestamp:
		return time.Date(2026, time.October, 1, 8, 0, 0, 0, time.UTC)
	case records.Date:
		return civil.Date{Year: 2026, Mon: time.October, Day: 1}
	case records.USD:
		return money.USD{}
	}
	return ""
}

// cost is a priced cost record of October; change alters it.
func cost(department, center, agent, user, model string, day int, change values) values {
	v := values{
		"usage_date": civil.Date{Year: 2026, Mon: time.October, Day: day}, "billing_month": october.FirstDay(),
		"department": department, "cost_center": center, "agent_id": agent, "user_id": user,
		"provider": "bedrock", "model": model, "match": "matched", "pricing": "priced", "usage_line": int64(1),
		"input_uncached_tokens": int64(1_000), "cache_read_tokens": int64(200), "output_tokens": int64(300),
		"llm_cost_usd": money.MustParse("0.0075"), "infra_cost_usd": money.MustParse("0.0001"),
		"tool_cost_usd": money.MustParse("0"), "total_cost_usd": money.MustParse("0.0076"),
		"cache_savings_usd": money.MustParse("0.00054"),
	}
	for name, value := range change {
		v[name] = value
	}
	return v
}

// amounts is a change of a record's cost.
func amounts(llm, infra, tool, saved string) values {
	l, i, t := money.MustParse(llm), money.MustParse(infra), money.MustParse(tool)
	return values{
		"llm_cost_usd": l, "infra_cost_usd": i, "tool_cost_usd": t,
		"total_cost_usd": money.Sum(l, i, t), "cache_savings_usd": money.MustParse(saved),
	}
}

func held(pricing, note string) values {
	flags := map[string]string{"unpriced": records.FlagMissing + "model", "pending": records.FlagMissing + records.MissingUsage}[pricing]
	return values{
		"pricing": pricing, "pricing_note": note, "flags": flags,
		"llm_cost_usd": nil, "infra_cost_usd": nil, "tool_cost_usd": nil, "total_cost_usd": nil, "cache_savings_usd": nil,
	}
}

func and(changes ...values) values {
	all := values{}
	for _, change := range changes {
		for name, value := range change {
			all[name] = value
		}
	}
	return all
}

const (
	sonnet = "anthropic.claude-sonnet-4-20250514-v1:0"
	haiku  = "anthropic.claude-haiku-4-5-20251001-v1:0"
)

// fillExample writes a small month with one of everything.
func (b *books) fillExample(t *testing.T) {
	t.Helper()
	b.record(t,
		cost("Support", "00420", "support-bot", "user001@example.com", sonnet, 1, amounts("1234.567890123456", "0.0001", "0.03", "12.5")),
		cost("Support", "00420", "support-bot", "user002@example.com", haiku, 1, amounts("0.005", "0.0001", "0", "-0.001")),
		cost("Support", "00420", "support-bot", "user002@example.com", haiku, 2, and(amounts("0", "0.00002", "0", "3.10"), values{"cache_hit": true, "usage_line": nil, "match": "agent_only"})),
		cost("Support", "00420", "support-bot", "user001@example.com", sonnet, 2, and(amounts("0", "0", "0", "0"), values{"pricing": "not_billed", "input_uncached_tokens": int64(0)})),
		cost("Research", "CC-1001", "deep-search", "user003@example.com", sonnet, 2, amounts("88.005", "0.0001", "1.5", "0")),
		cost("Research", "CC-1001", "support-bot", "user003@example.com", sonnet, 3, amounts("1.005", "0.0001", "0", "0")),
		cost("Research", "CC-1001", "support-bot", "user003@example.com", sonnet, 3, and(amounts("0", "0", "0", "0"), values{"pricing": "not_billed", "match": "ambiguous", "usage_line": nil})),
		cost("Research and Development of Very Long Names", "CC-1002", "nightly-summary", "", haiku, 3, and(amounts("12.34", "0.0001", "0", "0"), values{"user_id": nil})),
		cost("Research and Development of Very Long Names", "CC-1002", "nightly-summary", "", "example.preview-model-v1:0", 4, and(held("unpriced", "model is not in the rate book"), values{"user_id": nil})),
		cost("Support", "00420", "support-bot", "user001@example.com", haiku, 31, held("pending", "no usage yet; it may still come")),
		cost("UNALLOCATED", "UNALLOCATED", "", "", sonnet, 5, and(amounts("4.2", "0.0001", "0", "0"), values{"agent_id": nil, "user_id": nil, "match": "provider_only"})),
		cost("Support", "00420", "support-bot", "user001@example.com", sonnet, 1, and(amounts("-0.25", "0", "0", "0"), values{
			"usage_date": civil.Date{Year: 2026, Mon: time.September, Day: 30}, "correction": int64(-1), "input_uncached_tokens": int64(-1_000), "cache_read_tokens": int64(-200), "output_tokens": int64(-300),
		})),
		cost("Support", "00420", "support-bot", "user001@example.com", sonnet, 1, and(amounts("999", "0", "0", "0"), values{"billing_month": october.Next().FirstDay(), "correction": int64(1)})),
	)
	b.fillProblems(t)
}

func (b *books) fillProblems(t *testing.T) {
	t.Helper()
	const hour = "AWSLogs/111122223333/BedrockModelInvocationLogs/eu-central-1/2026/10/31/08/"
	day := civil.Date{Year: 2026, Mon: time.October, Day: 31}
	object := func(id int64, key, state string, problem any) values {
		return values{"object_id": id, "source": "bedrock-prod", "format": "bedrock", "object_key": key, "etag": "e1", "day": day, "state": state, "rows_staged": int64(12_345), "error": problem}
	}
	b.insert(t, "objects",
		object(1, hour+"20261031T0800Z_aaaa.json.gz", "read", nil),
		object(2, hour+"20261031T0805Z_bbbb.json.gz", "failed", "decode: gzip ends before its trailer after 1,024 bytes; the object is truncated"),
		object(3, hour+"20261031T0810Z_cccc.json.gz", "missing", nil),
		object(4, hour+"20261031T0800Z_aaaa.json.gz", "replaced", nil),
	)
	b.insert(t, "rejects",
		values{"object_id": int64(1), "line": int64(1_017), "reason": `input.inputTokenCount: "abc" is not a whole number`},
		values{"object_id": int64(1), "line": int64(3), "reason": "timestamp: missing"},
		values{"object_id": int64(4), "line": int64(3), "reason": "of a version that was replaced"},
	)
	b.insert(t, "repeats",
		values{"kind": "usage", "object_id": int64(1), "line": int64(8), "usage_date": day, "verdict": "conflict"},
		values{"kind": "usage", "object_id": int64(1), "line": int64(7), "usage_date": day, "verdict": "conflict"},
		values{"kind": "usage", "object_id": int64(1), "line": int64(9), "usage_date": day, "verdict": "duplicate"},
		values{"kind": "request", "object_id": int64(3), "line": int64(1), "usage_date": day.AddDays(1), "verdict": "conflict"},
	)
}

// must fails the test where a report could not be read.
func must(t fatal, r report.Report, err error) report.Report {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return r
}
