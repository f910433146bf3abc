package ledger

import (
	"context"
	"errors"
	"fmt"

	"chargeback/transform/money"
)

// Rerating says how records of some days are priced again, for comparison.
type Rerating struct {
	Days        Days
	RateVersion string
	References  func(Seen) (References, error)
	// Attribute also asks anew who pays; else each record stays with its payer.
	Attribute bool
	// CacheReads, where it is 0 or more, is how many millionths of the prompt
	// tokens that were not written to the cache are read from it, in each request.
	CacheReads int64
}

// Rerated is what the records of a payer, agent and model cost as they stand in
// the ledger and as they would cost. Held have no cost before or after.
type Rerated struct {
	Month                                  string // of the usage
	Department, CostCenter, AgentID, Model string // the model as the rate book names it
	Records                                int64  // as they would be
	Before, After                          money.USD
	HeldBefore, HeldAfter                  int64
}

// errScratch ends a transaction of which nothing is to be kept.
var errScratch = errors.New("scratch only")

// asTheyStand are the records of the days, each once, with what it costs with
// all its corrections: what charges gives, but from the ledger.
const asTheyStand = `
with all_rows as (
  select
    f.record_id,
    f.started_at,
    f.usage_date,
    f.correction,
    f.meter_id,
    f.actor_id,
    f.task_id,
    f.caller_id,
    f.ruling_id,
    f.rate_id,
    f.payer_id,
    f.input_uncached_tokens,
    f.cache_read_tokens,
    f.cache_write_5m_tokens,
    f.cache_write_1h_tokens,
    f.cache_write_unknown_tokens,
    f.output_tokens,
    f.reasoning_tokens,
    f.input_audio_tokens,
    f.input_image_tokens,
    f.cache_read_audio_tokens,
    f.output_audio_tokens,
    f.output_image_tokens,
    f.searches,
    f.tool_calls,
    f.cache_hit,
    f.total_cost_usd,
    f.usage_object_id,
    f.usage_line,
    f.request_object_id,
    f.request_line,
    r.pricing as stood,
    min(f.correction) over (partition by f.usage_date, f.record_id) as taken_back,
    row_number() over (partition by f.usage_date, f.record_id order by f.correction desc) as place
  from record_facts as f
  inner join rulings as r on r.ruling_id = f.ruling_id
  where f.usage_date between @scan_first and @scan_last
),
standing as (
  select
    *,
    row_number() over (
      partition by request_object_id, request_line
      order by if(stood = 'not_billed', 1, 0), started_at, record_id
    ) as attempt
  from all_rows
  where place = 1 and 0 - taken_back <= correction
)
select
  s.*,
  s.usage_line is null or s.request_line is null or s.attempt = 1 as bears_fees,
  case
    when s.stood = 'not_billed' then 4
    when s.stood = 'pending' then 3
    when s.stood = 'doubtful' then 5
    when s.cache_hit then 1
    when s.usage_line is null and u.provider is not null then 2
    else 0
  end as basis,
  s.usage_line is not null or ifnull(q.completeness, 2) >= 2 as metered,
  q.reported_pico_usd as reported_pico
from standing as s
inner join meters as d on d.meter_id = s.meter_id
left join ref_usage_from as u on u.provider = d.provider
left join requests as q
  on q.object_id = s.request_object_id
  and q.line = s.request_line
  and q.request_date between @scan_first and @scan_last
where s.usage_date between @first_day and @last_day`

// unmoved are the prompt's tokens as they are, moved with another share of them
// read from the cache.
const (
	unmoved = `
  input_uncached_tokens,
  cache_read_tokens,
  input_audio_tokens,
  input_image_tokens,
  cache_read_audio_tokens,`

	moved = `
  prompt - reads as input_uncached_tokens,
  reads as cache_read_tokens,
  least(input_audio_tokens, prompt - reads) as input_audio_tokens,
  least(input_image_tokens, prompt - reads - ifnull(least(input_audio_tokens, prompt - reads), 0)) as input_image_tokens,
  least(cache_read_audio_tokens, reads) as cache_read_audio_tokens,`
)

// chargedAsTheyStand are the payers of the records, as charged has them.
const chargedAsTheyStand = `
select s.record_id, s.usage_date, s.payer_id, s.ruling_id, s.payer_id as owner_payer_id, y.cost_center as owner_cost_center, s.actor_id, s.task_id, s.caller_id
from as_they_stand as s
inner join payers as y on y.payer_id = s.payer_id`

// sharedAsTheyStand leaves ambiguous usage with whom it is charged to: the
// requests that it may belong to are not asked anew.
const sharedAsTheyStand = `
select s.usage_object_id, s.usage_line, s.payer_id, mod(s.ruling_id, 10) as attribution
from as_they_stand as s
inner join rulings as r on r.ruling_id = s.ruling_id
where r.match = 'ambiguous' and s.usage_line is not null and s.payer_id <> @unallocated`

// chargesAgain are the records as charges has them.
func chargesAgain(prompt string) string {
	return `
with prompts as (
  select
    *,
    input_uncached_tokens + cache_read_tokens as prompt,
    cast(((input_uncached_tokens + cache_read_tokens) * @cache_reads - mod((input_uncached_tokens + cache_read_tokens) * @cache_reads, 1000000)) / 1000000 as int64) as reads
  from as_they_stand
)
select
  record_id,
  started_at,
  usage_date,
  meter_id,
  actor_id,
  task_id,
  caller_id,` + prompt + `
  cache_write_5m_tokens,
  cache_write_1h_tokens,
  cache_write_unknown_tokens,
  output_tokens,
  reasoning_tokens,
  output_audio_tokens,
  output_image_tokens,
  searches,
  tool_calls,
  cache_hit,
  bears_fees,
  basis,
  metered,
  usage_object_id,
  usage_line,
  request_object_id,
  request_line,
  reported_pico
from prompts`
}

// Rerate prices the records of days that are in the ledger again, by other
// references, and compares. It works in scratch tables: the ledger stays as it
// is.
func (l *Ledger) Rerate(ctx context.Context, r Rerating) (rows []Rerated, err error) {
	args := Args{
		"first_day": r.Days.First, "last_day": r.Days.Last, "cache_reads": r.CacheReads, "unallocated": payerID(unallocated), "payers_stay": !r.Attribute,
		"scan_first": r.Days.First.AddDays(-matchReach), "scan_last": r.Days.Last.AddDays(matchReach),
	}
	seen, err := l.seenWithin(ctx, r.Days.First, r.Days.Last)
	if err != nil {
		return nil, err
	}
	refs, err := r.References(seen)
	if err != nil {
		return nil, err
	}
	err = l.engine.Transact(ctx, func() error {
		if err := l.writeReferences(ctx, r.RateVersion, refs); err != nil {
			return err
		}
		if err := l.keepScratch(ctx, r, args); err != nil {
			return err
		}
		if rows, err = l.rerated(ctx, args); err != nil {
			return err
		}
		return errScratch
	})
	if !errors.Is(err, errScratch) {
		return nil, fmt.Errorf("price records of %s to %s again: %w", r.Days.First, r.Days.Last, err)
	}
	return rows, nil
}

// keepScratch makes the models from the ledger's own records on.
func (l *Ledger) keepScratch(ctx context.Context, r Rerating, args Args) error {
	charges, payers := chargesAgain(unmoved), chargedAsTheyStand
	if r.CacheReads >= 0 {
		charges = chargesAgain(moved)
	}
	if r.Attribute {
		payers += " where false"
	}
	for _, own := range []struct {
		name    string
		asTable bool // as the model of that name is
		text    string
	}{
		{"as_they_stand", true, asTheyStand}, {"charges", false, charges}, {"charged", true, payers},
		{"shared_payers", true, sharedAsTheyStand},
	} {
		if err := l.engine.Keep(ctx, own.name, own.asTable, own.text, args); err != nil {
			return fmt.Errorf("scratch %s: %w", own.name, err)
		}
	}
	if err := l.keepNamed(ctx, "select distinct actor_id from as_they_stand where actor_id is not null", args); err != nil {
		return err
	}
	return l.keepModels(ctx, args, "people_said", "people_dated", "agents_dated", "owners_dated", "actors_dated", "successors_dated", "callers_dated", "markups_dated", "attributed", "priced")
}

func (l *Ledger) rerated(ctx context.Context, args Args) (rows []Rerated, err error) {
	err = l.engine.Query(ctx, `
with named as (
  select
    b.record_id,
    b.usage_date,
    b.payer_id as payer_before,
    p.payer_id as payer_after,
    ifnull(p.agent_id, '') as agent_id,
    ifnull(regexp_replace(e.price_key, '^[^/]*/', ''), m.model) as model,
    b.total_cost_usd as usd_before,
    usd(p.llm_pico + p.infra_pico + p.tool_pico) as usd_after
  from as_they_stand as b
  inner join priced as p on p.record_id = b.record_id and p.usage_date = b.usage_date
  inner join meters as m on m.meter_id = b.meter_id
  left join rate_entries as e on e.rate_id = b.rate_id
),
sides as (
  select
    usage_date,
    payer_before as payer_id,
    agent_id,
    model,
    0 as records,
    usd_before,
    if(usd_before is null, 1, 0) as held_before,
    cast(null as bignumeric) as usd_after,
    0 as held_after
  from named
  union all
  select
    usage_date,
    payer_after as payer_id,
    agent_id,
    model,
    1 as records,
    cast(null as bignumeric) as usd_before,
    0 as held_before,
    usd_after,
    if(usd_after is null, 1, 0) as held_after
  from named
)
select
  month_of(first_of_month(s.usage_date)) as month,
  y.department,
  y.cost_center,
  s.agent_id,
  s.model,
  sum(s.records),
  total_usd(s.usd_before),
  total_usd(s.usd_after),
  sum(s.held_before),
  sum(s.held_after)
from sides as s
inner join payers as y on y.payer_id = s.payer_id
group by 1, 2, 3, 4, 5
order by 1, 3, 2, 4, 5`, args, func(r Row) error {
		rows = append(rows, Rerated{r.Text(0), r.Text(1), r.Text(2), r.Text(3), r.Text(4), r.Int(5), r.USD(6), r.USD(7), r.Int(8), r.Int(9)})
		return nil
	})
	return rows, err
}
