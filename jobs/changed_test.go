package jobs_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chargeback/billing/meta"
	"chargeback/transform/civil"
)

// made are the selects of all that a night makes of the books, row by row. What tells
// when a row was made is left out: the night that wrote it, and the version of the rate
// book, for a record that another version prices alike keeps the one that priced it; cost centres are
// named, for each ledger numbers them.
var made = map[string]string{
	"record_facts": `
select f.* exclude (run_date, rate_id, payer_id, adjusts_payer_id), e.* exclude (rate_id, rate_version, rate_hash), p.cost_center, p.department, a.cost_center, a.department
from {record_facts} as f left join {rate_entries} as e on e.rate_id = f.rate_id
left join {payers} as p on p.payer_id = f.payer_id left join {payers} as a on a.payer_id = f.adjusts_payer_id
order by all`,
	"repeats": `select * from {repeats} order by all`,
	"daily_costs": `
select d.usage_date, d.billing_month, d.utc_date, d.correction, p.cost_center, p.department, a.cost_center, a.department, d.meter_id, e.signature, d.agent_id, d.ruling_id, d.flags, d.pricing_note,
  d.cache_hit, d.metered, d.usage_source, d.request_source, sum(d.records), sum(d.output_tokens), sum(d.total_cost_usd), sum(d.cache_savings_usd)
from {daily_costs} as d left join {rate_entries} as e on e.rate_id = d.rate_id
left join {payers} as p on p.payer_id = d.payer_id left join {payers} as a on a.payer_id = d.adjusts_payer_id
group by all order by all`,
	"daily_users":  `select d.* exclude (payer_id), p.cost_center, p.department from {daily_users} as d left join {payers} as p on p.payer_id = d.payer_id order by all`,
	"charged_days": `select * from {charged_days} order by all`,
	"dirty":        `select distinct day from {dirty_days} order by all`,
}

// rowsMade reads them.
func (b *books) rowsMade(t testing.TB) state {
	t.Helper()
	s := state{}
	for name, text := range made {
		s[name] = b.lines(t, text)
	}
	return s
}

// Goal: a night that computes only what has changed leaves the books that one leaves
// which computes all days, row by row.
// Method: random companies whose calls lie near midnight, without ids, with ids that
// several share, with retries a day later and copies of a second gateway, delivered at
// once, late or twice; objects are written again and dropped; prices, people and owners
// are edited between nights; October is closed. Two ledgers run the same nights, and one
// of them forgets before each what its days were computed by.
func TestOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	for seed := range uint64(companies) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			c := newCompany(t)
			c.edit("chargeback.yaml", `unallocated_limit_usd: "0.01"`, "unallocated_limit_usd: \"100.00\"\n")
			c.edit("chargeback.yaml", "  - {name: people,", "  - {name: second, format: litellm, url: \"file:data/second\", silent_after_days: 0}\n  - {name: people,")
			w := &changing{company: c, r: rand.New(rand.NewPCG(seed, 17))}
			w.draw(40)
			own, all := wiring{ledger: filepath.Join(t.TempDir(), "own.duckdb")}, wiring{ledger: filepath.Join(t.TempDir(), "all.duckdb")}
			sparse := 0
			for day := date(firstDay); !date("2026-11-08").Before(day); day = day.AddDays(1) {
				t.Log(day, w.happen(day))
				var want, got state
				var days int
				for _, run := range []struct {
					wiring
					to *state
				}{{own, &got}, {all, &want}} {
					b := open(t, c.dir, run.wiring)
					if day == date("2026-11-05") {
						if err := b.closed(t, month(october), nil); err != nil {
							t.Fatal(err)
						}
					}
					if run.to == &want {
						if err := b.Ledger.Apply(t.Context(), meta.Set("inputs", "of nobody")...); err != nil {
							t.Fatal(err)
						}
					}
					s := b.night(t, day)
					*run.to = b.rowsMade(t)
					made := 0
					for _, r := range s.Days {
						made += date(r[12:]).DaysSince(date(r[:10])) + 1
					}
					t.Log("made", s.Days)
					if run.to == &got {
						days = made
					} else if days < made {
						sparse++
					}
					if err := b.Close(); err != nil {
						t.Fatal(err)
					}
				}
				if same(t, want, got); t.Failed() {
					t.FailNow()
				}
			}
			if sparse == 0 {
				t.Error("every night computed all days, so nothing was compared")
			}
		})
	}
}

// companies is how many random companies a test draws.
const companies = 2

// changing is a company to which things happen between its nights.
type changing struct {
	company
	r      *rand.Rand
	events map[civil.Date][]func() string
	ids    []string           // of usage, that others may use again
	usages map[string][]usage // by object
}

// draw makes the calls and what becomes of them.
func (w *changing) draw(calls int) {
	w.events, w.usages = map[civil.Date][]func() string{}, map[string][]usage{}
	for i := range calls {
		w.call(fmt.Sprint("call-", i))
	}
	for range 4 {
		w.on(w.day(9), w.rewrite)
	}
	for range 3 {
		w.on(w.day(10), w.setting())
	}
}

// day is one of the first n days.
func (w *changing) day(n int) civil.Date { return date(firstDay).AddDays(w.r.IntN(n)) }

// on lets something happen before the night of a day.
func (w *changing) on(day civil.Date, what func() string) {
	if last := date("2026-11-08"); last.Before(day) {
		day = last
	}
	w.events[day] = append(w.events[day], what)
}

// happen lets all happen that is due before a day's night.
func (w *changing) happen(day civil.Date) (told []string) {
	for _, e := range w.events[day] {
		told = append(told, e())
	}
	return told
}

func (w *changing) call(id string) {
	r := w.r
	day := w.day(8)
	at := instant(local(day, "00:00:00")).Add(time.Duration(r.IntN(600)-300) * time.Second)
	if r.IntN(3) == 0 {
		at = instant(local(day, "00:00:00")).Add(time.Duration(r.IntN(86_400)) * time.Second)
	}
	q := request{id: id, at: at.Format(time.RFC3339), agent: []string{"helper", "nightly-job"}[r.IntN(2)], email: fmt.Sprintf("user00%d@example.com", r.IntN(5)), in: 100 * r.IntN(4), out: 1 + r.IntN(2), failed: r.IntN(12) == 0, cacheHit: r.IntN(12) == 0}
	if r.IntN(6) == 0 {
		q.provider = "openai"
	}
	usageID, ref := "u-"+id, ""
	switch r.IntN(4) {
	case 0, 1:
		q.usageID = usageID
	case 2:
		ref = id
	}
	if len(w.ids) > 0 && r.IntN(5) == 0 { // an id that another call has, too
		q.usageID = w.ids[r.IntN(len(w.ids))]
	}
	w.ids = append(w.ids, usageID)
	if r.IntN(10) > 0 {
		w.on(civil.DateOf(at, berlin).AddDays([]int{0, 0, 0, 0, 1, 3, 5}[r.IntN(7)]), func() string { w.log(q); return "request " + id })
	}
	if q.usageID != "" && r.IntN(4) == 0 {
		second := q
		second.id, second.at = "second-"+id, at.Add(time.Duration(r.IntN(1200))*time.Second).Format(time.RFC3339)
		w.on(civil.DateOf(at, berlin).AddDays(r.IntN(3)), func() string {
			w.put("data/second/"+second.key()[len("data/litellm/"):], second.json())
			return "second of " + id
		})
	}
	for i := range []int{0, 1, 1, 1, 1, 2}[r.IntN(6)] {
		metered := at.Add(time.Duration(r.IntN(120)-60) * time.Second)
		if i > 0 {
			metered = at.Add(time.Duration(r.IntN(46)-23) * time.Hour)
		}
		u := usage{id: usageID, ref: ref, at: metered.Format(time.RFC3339), in: q.in, out: q.out}
		if i > 0 {
			u.id += "-again"
		}
		if r.IntN(12) == 0 {
			u.model = "example.preview-v1:0"
		}
		key := usageKey(metered.Add(time.Minute).Format(time.RFC3339), u.id)
		if r.IntN(3) == 0 { // in an object of several
			key = usageKey(local(civil.DateOf(metered, berlin), "12:00:00"), "many")
		}
		w.on(civil.DateOf(metered, berlin).AddDays([]int{0, 0, 0, 0, 1, 2, 4}[r.IntN(7)]), func() string {
			w.usages[key] = append(w.usages[key], u)
			w.deliver(key, w.usages[key]...)
			return "usage " + u.id
		})
	}
}

// rewrite writes an object again, with a row less or another count.
func (w *changing) rewrite() string {
	keys := slices.Sorted(maps.Keys(w.usages))
	if len(keys) == 0 {
		return "nothing to write again"
	}
	key := keys[w.r.IntN(len(keys))]
	if len(w.usages[key]) == 0 {
		return "nothing left of " + key
	}
	i := w.r.IntN(len(w.usages[key]))
	changed := w.usages[key][i].id
	if w.r.IntN(2) == 0 {
		w.usages[key] = slices.Delete(slices.Clone(w.usages[key]), i, i+1)
	} else {
		w.usages[key] = slices.Clone(w.usages[key])
		w.usages[key][i].in += 100
	}
	w.deliver(key, w.usages[key]...)
	return "other " + changed
}

// setting is one edit of prices, people or settings.
func (w *changing) setting() func() string {
	from := w.day(9)
	price := func(provider, model, input string) func() string {
		return func() string {
			w.edit("prices.yaml", "fees:", fmt.Sprintf("  - {provider: %s, model: %q, from: %sT00:00:00Z, learned: %sT00:00:00Z, usd_per_million: {input: %q, output: \"10.00\"}, source: test}\nfees:", provider, model, from, from.AddDays(1), input))
			return "price of " + model + " from " + from.String()
		}
	}
	switch w.r.IntN(6) {
	case 0:
		return price("bedrock", ownModel, "3.00")
	case 1:
		return price("openai", "other-small", "4.00")
	case 2:
		return price("bedrock", "example.preview-v1:0", "9.00")
	case 3:
		return func() string {
			people, _ := w.get("people.csv")
			w.put("people.csv", append(people, fmt.Sprintf("user004@example.com,Support,00420,%s,\n", from)...))
			return "person from " + from.String()
		}
	case 4:
		return func() string {
			directory, _ := w.get("directory.yaml")
			if strings.Contains(string(directory), "aliases:") {
				return "no second alias"
			}
			w.put("directory.yaml", append(slices.Clone(directory), "aliases:\n  - {alias: user003@example.com, email: user001@example.com}\n"...))
			return "an alias"
		}
	}
	return func() string {
		fees, _ := w.get("prices.yaml")
		w.put("prices.yaml", append(slices.Clone(fees), fmt.Sprintf("  - {from: %sT00:00:00Z, infra_per_request_usd: \"0.0003\", infra_per_cache_hit_usd: \"0.00002\", tools: {\"*\": \"0.002\"}}\n", from)...))
		return "fees from " + from.String()
	}
}

var berlin = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err) // config embeds the zones
	}
	return zone
}()
