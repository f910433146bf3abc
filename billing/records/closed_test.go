package records_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/duckdb"
	"chargeback/transform/civil"
	"chargeback/transform/models"
	"chargeback/transform/money"
)

// The questions as all records of all closed months answer them.
const (
	ratesOfRecords = `
select d.meter_id, min(d.provider) as provider, min(ifnull(d.account, '')) as account, min(ifnull(d.region, '')) as region, min(d.model) as model, min(ifnull(d.service_tier, '')) as tier,
  min(ifnull(d.notice, '')) as notice, e.signature, f.usage_date, min(f.started_at) as first_started, max(f.started_at) as last_started
from {record_facts} as f
inner join {months} as m on m.first_day = f.billing_month and m.state = 'closed'
inner join {rulings} as r on r.ruling_id = f.ruling_id
inner join {rate_entries} as e on e.rate_id = f.rate_id
inner join {meters} as d on d.meter_id = f.meter_id
where f.usage_date >= {@since} and f.correction >= 0 and r.pricing <> 'not_billed'
group by d.meter_id, e.signature, f.usage_date`

	// What stands of a record is its newest charge that is not taken back.
	writesOfRecords = `
with standing as (
  select usage_date, meter_id, usage_object_id, request_object_id, flags, correction,
    row_number() over (partition by usage_date, record_id order by correction desc) as place,
    min(correction) over (partition by usage_date, record_id) as taken_back
  from {record_facts}
  where usage_date >= {@since} and billing_month in (select first_day from {months} where state = 'closed')
)
select distinct ifnull(q.source, '') as asked, ifnull(u.source, '') as metered, d.meter_id, d.provider, ifnull(d.account, '') as account, ifnull(d.region, '') as region,
  d.model, ifnull(d.service_tier, '') as tier, ifnull(d.notice, '') as notice,
  case when strpos(s.flags, 'ttl:1h') > 0 then '1h' when strpos(s.flags, 'ttl:matched') > 0 then 'matched' else '' end as charged, s.usage_date
from standing as s
inner join {meters} as d on d.meter_id = s.meter_id
left join {objects} as q on q.object_id = s.request_object_id
left join {objects} as u on u.object_id = s.usage_object_id
where s.place = 1 and strpos(s.flags, 'ttl:') > 0 and 0 - s.taken_back <= s.correction`

	keysOfRecords = `
select f.usage_date, f.actor_id, f.task_id, f.caller_id, ifnull(f.adjusts_payer_id, f.payer_id) as payer_id, mod(f.ruling_id, 10) as attribution, max(if(r.match = 'ambiguous', 1, 0)) as ambiguous
from {record_facts} as f
inner join {months} as m on m.first_day = f.billing_month and m.state = 'closed'
inner join {rulings} as r on r.ruling_id = f.ruling_id
where f.usage_date >= {@since} and f.total_cost_usd <> 0
group by 1, 2, 3, 4, 5, 6
having sum(if(f.correction < 0, -1, 1)) <> 0`
)

// answers are the rows of a select as text, sorted.
func answers(ctx context.Context, t rapid.TB, w warehouse.Warehouse, text string) (all []string) {
	t.Helper()
	err := w.Query(ctx, warehouse.Select{Text: text, Args: records.Args{"since": civil.Min}}, func(r warehouse.Row) error {
		all = append(all, fmt.Sprintf("%v", r.Values))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// charges are the rows of one record: what its month charged, and for each later month
// that corrects it what is taken back, and mostly what is charged in its place.
func charges(t *rapid.T, id int64, months []civil.Month) (rows [][]any) {
	of, _ := ledger.Layout().Table("record_facts")
	pick := func(name string, values ...any) any { return rapid.SampledFrom(values).Draw(t, name) }
	row := func(set records.Args) (row []any) {
		for _, c := range of.Columns {
			v := set[c.Name]
			if v == nil && !c.Nullable {
				v = int64(0)
				if c.Type == records.Bool {
					v = false
				}
			}
			row = append(row, v)
		}
		return row
	}
	own := rapid.IntRange(0, len(months)-1).Draw(t, "month")
	day := months[own].FirstDay().AddDays(rapid.IntRange(0, 2).Draw(t, "day"))
	charge := func(month civil.Month, correction int64) records.Args {
		return records.Args{
			"record_id": id, "correction": correction, "usage_date": day, "run_date": day, "billing_month": month.FirstDay(), "started_at": day.Start(time.UTC).Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "hour")) * time.Hour),
			"meter_id": pick("meter", int64(1), int64(2)), "rate_id": pick("rate", nil, int64(1), int64(2)), "payer_id": pick("payer", int64(1), int64(2)), "adjusts_payer_id": pick("adjusts", nil, int64(1)),
			"actor_id": pick("actor", nil, int64(1), int64(2)), "task_id": pick("task", nil, int64(1)), "ruling_id": pick("ruling", rulings(t)...),
			"flags": pick("flags", nil, "ttl:1h", "ttl:unknown,tier:x", "ttl:matched", "ttl:5m", "forecast"), "usage_object_id": pick("usage", nil, int64(1)), "request_object_id": pick("request", nil, int64(2)),
			"total_cost_usd": pick("total", nil, money.FromPico(0), money.FromPico(5)),
		}
	}
	stands := charge(months[own], 0)
	rows = append(rows, row(stands))
	correction := int64(0)
	for _, month := range months[own+1:] {
		if !rapid.Bool().Draw(t, "corrects") {
			continue
		}
		back := records.Args{}
		for name, v := range stands {
			back[name] = v
		}
		back["correction"], back["billing_month"] = -1-correction, month.FirstDay()
		rows = append(rows, row(back))
		if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
			return rows
		}
		correction++
		stands = charge(month, correction)
		rows = append(rows, row(stands))
	}
	return rows
}

// rulings are one of each pricing and of each rule, and one of ambiguous usage.
func rulings(t rapid.TB) (ids []any) {
	seen := map[string]bool{}
	for _, r := range models.Rulings() {
		if kind := r.Pricing + " " + fmt.Sprint(r.Match == "ambiguous"); !seen[kind] {
			seen[kind] = true
			ids = append(ids, r.ID, r.ID+1)
		}
	}
	if len(ids) < 10 {
		t.Fatalf("rulings %v, want some of each kind", ids)
	}
	return ids
}

// Goal: what was written down of closed months answers all that their records do: by
// which rates they were charged, which cache writes a setting decides, and whom they
// stand with.
// Method: random records of four months, the last one open, with chains of
// corrections; the answers of both.
func TestClosedMonthsAnswerAsTheirRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.duckdb")
	w, err := duckdb.Open(t.Context(), duckdb.Options{Path: path, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	var months []civil.Month
	for m := (civil.Month{Year: 2026, Month: time.July}); len(months) < 4; m = m.Next() {
		months = append(months, m)
	}
	told := map[string]int{}
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		_, err := ledger.Open(ctx, w, time.UTC, "2026-07-01")
		must(err)
		must(ledgertest.Clear(ctx, w))
		_, err = ledger.Open(ctx, w, time.UTC, "2026-07-01")
		must(err)
		var facts, closed [][]any
		for id := range rapid.IntRange(0, 12).Draw(t, "records") {
			facts = append(facts, charges(t, int64(id+1), months)...)
		}
		for _, m := range months[:3] {
			closed = append(closed, []any{m.String(), m.FirstDay(), "closed", time.Unix(0, 0), "hash", "{}"})
		}
		entry := func(id int64, signature string) []any {
			of, _ := ledger.Layout().Table("rate_entries")
			row := make([]any, len(of.Columns))
			for i, c := range of.Columns {
				switch c.Name {
				case "rate_id":
					row[i] = id
				case "rate_version":
					row[i] = "v"
				case "markup":
					row[i] = int64(0)
				case "signature":
					row[i] = signature
				}
			}
			return row
		}
		object := func(id int64, source string) []any {
			of, _ := ledger.Layout().Table("objects")
			row := make([]any, len(of.Columns))
			for i, c := range of.Columns {
				switch {
				case c.Name == "object_id":
					row[i] = id
				case c.Name == "source":
					row[i] = source
				case c.Nullable:
				case c.Type == records.Int:
					row[i] = int64(0)
				default:
					row[i] = "x"
				}
			}
			return row
		}
		must(w.Apply(ctx,
			warehouse.Append{Table: "record_facts", Rows: facts}, warehouse.Append{Table: "months", Rows: closed},
			warehouse.Append{Table: "rate_entries", Rows: [][]any{entry(1, "one"), entry(2, "two")}}, warehouse.Append{Table: "objects", Rows: [][]any{object(1, "log"), object(2, "gateway")}},
			warehouse.Append{Table: "meters", Rows: [][]any{{int64(1), "p", nil, nil, "m1", nil, nil, nil, nil}, {int64(2), "p", "a", nil, "m2", nil, nil, nil, nil}}},
			warehouse.Delete{Table: "meta", Where: "name in ('closed_months', 'daily_costs')"},
		))
		_, err = ledger.Open(ctx, w, time.UTC, "2026-07-01")
		must(err)
		for what, texts := range map[string][2]string{
			"rates": {ratesOfRecords, records.RatesUsedText}, "cache writes": {writesOfRecords, records.CacheWritesText}, "whom they stand with": {keysOfRecords, records.AttributionKeysText},
		} {
			want, got := answers(ctx, t, w, texts[0]), answers(ctx, t, w, texts[1])
			if !slices.Equal(want, got) {
				t.Fatalf("%s:\nof all records\n%s\nas it was written down\n%s", what, strings.Join(want, "\n"), strings.Join(got, "\n"))
			}
			told[what] += len(got)
		}
	})
	if len(told) != 3 || told["rates"] == 0 || told["cache writes"] == 0 || told["whom they stand with"] == 0 {
		t.Errorf("answers held against each other: %v, want some of each", told)
	}
}
