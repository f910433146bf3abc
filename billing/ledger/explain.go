package ledger

import (
	"context"
	"fmt"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Quantities are what unit prices are multiplied with. The token classes below
// Reasoning are parts of others; see record.Tokens. They are below 0 where a
// charge is taken back.
type Quantities struct {
	InputUncached, CacheRead, CacheWrite5m, CacheWrite1h, CacheWriteUnknown, Output, Reasoning int64
	InputAudio, InputImage, CacheReadAudio, OutputAudio, OutputImage, Searches                 int64
}

// RateTerms is a rate as the ledger keeps it; see the table rate_entries.
type RateTerms struct {
	Version, Key, PricedAs, Rule, Source, Terms, ToolFees string
	ValidFrom, Learned                                    time.Time // zero: none
	Infra, CacheHit                                       int64     // pico-dollars
	HasFees                                               bool
	Reported                                              bool // the cost is what the gateway reported
}

// Mix is a mix of tool calls and how many requests were charged for it.
type Mix struct {
	Tools string
	Times int64
}

// Priced is records that one rate priced in one way: a single one, or all such
// of an invoice line.
type Priced struct {
	Records int64 // those that are taken back count down
	Pricing string
	Note    string
	Hit     bool // answers from the gateway's cache
	Fees    int64
	Mixes   []Mix
	Quantities
	Rate                             RateTerms
	LLM, Infra, Tool, Total, Savings money.USD
	Known                            bool     // amounts are known
	Flags                            []string `json:",omitempty"` // of a single record; see Flags
}

// Explained is one cost record with all that decided it.
type Explained struct {
	Record, Correction                                          int64
	At                                                          time.Time
	Date                                                        civil.Date
	Month, Adjusts                                              string
	Provider, Account, Region, Model, Operation, Tier           string
	Match, Rung, Attribution, Department, CostCenter            string
	User, Team, Key, Project, Caller, Agent, Explicit           string
	UsageSource, UsageObject, RequestSource, RequestObject, Run string
	UsageLine, RequestLine                                      int64
	ProviderRequestID, AgentRequestID                           string
	AdjustsCenter                                               string // of a correction: whose document it corrects, where CostCenter is the successor
	Priced
}

const (
	quantitySums = `
  sum(f.input_uncached_tokens),
  sum(f.cache_read_tokens),
  sum(f.cache_write_5m_tokens),
  sum(f.cache_write_1h_tokens),
  sum(f.cache_write_unknown_tokens),
  sum(f.output_tokens),
  sum(f.reasoning_tokens),
  sum(ifnull(f.input_audio_tokens, 0)),
  sum(ifnull(f.input_image_tokens, 0)),
  sum(ifnull(f.cache_read_audio_tokens, 0)),
  sum(ifnull(f.output_audio_tokens, 0)),
  sum(ifnull(f.output_image_tokens, 0)),
  sum(ifnull(f.searches, 0)),`

	amountSums = `
  {total_usd(f.llm_cost_usd)},
  {total_usd(f.infra_cost_usd)},
  {total_usd(f.tool_cost_usd)},
  {total_usd(f.total_cost_usd)},
  {total_usd(f.cache_savings_usd)},
  countif(f.total_cost_usd is null) = 0`

	rateTerms = `
  ifnull(e.rate_version, ''),
  ifnull(e.price_key, ''),
  ifnull(e.priced_as, ''),
  ifnull(e.rule, ''),
  ifnull(e.source, ''),
  ifnull(e.terms, ''),
  ifnull(e.tool_fees, ''),
  e.valid_from,
  e.learned_at,
  ifnull(e.infra_pico, 0),
  ifnull(e.cache_hit_pico, 0),
  e.infra_pico is not null,
  ifnull(e.reported, false)`
)

// Explain reads the records that a text names: a record id, or any id of a
// request as the provider, the agent platform or the caller has it. Records of
// one request come together, the oldest charge first.
func (l *Ledger) Explain(ctx context.Context, id string, number int64) (all []Explained, err error) {
	err = l.Query(ctx, `
with named_usage as (
  select object_id, line
  from {usage}
  where usage_date >= {@since} and (provider_request_id = {@id} or response_id = {@id} or client_ref = {@id})
),
named_requests as (
  select object_id, line
  from {requests}
  where request_date >= {@since} and (agent_request_id = {@id} or provider_request_id = {@id} or response_id = {@id} or client_ref = {@id} or trace_id = {@id})
),
named as (
  select f.usage_date, f.record_id
  from {record_facts} as f
  left join named_usage as u on u.object_id = f.usage_object_id and u.line = f.usage_line
  left join named_requests as r on r.object_id = f.request_object_id and r.line = f.request_line
  where f.usage_date >= {@since} and (f.record_id = {@number} or u.line is not null or r.line is not null)
  group by f.usage_date, f.record_id
)
select
  f.record_id, f.correction, f.started_at, f.usage_date, {month_of(f.billing_month)}, if(f.correction = 0, '', {month_of(f.usage_date)}),
  d.provider, ifnull(d.account, ''), ifnull(d.region, ''), d.model, ifnull(d.operation, ''), ifnull(d.service_tier, ''),
  g.match, ifnull(g.match_rung, ''), g.attribution, y.department, y.cost_center,
  ifnull(coalesce(a.user_email, a.user_id), ''), ifnull(a.team, ''), ifnull(a.key_alias, ''), ifnull(a.project, ''), ifnull(c.caller, ''),
  ifnull(coalesce(t.agent_id, c.agent_id), ''), ifnull(coalesce(t.cost_center, c.cost_center), ''),
  ifnull(o.source, ''), ifnull(o.object_key, ''), ifnull(p.source, ''), ifnull(p.object_key, ''), concat('nightly/', cast(f.run_date as string)),
  ifnull(f.usage_line, 0), ifnull(f.request_line, 0), ifnull(u.provider_request_id, ''), ifnull(q.agent_request_id, ''),
  g.pricing, ifnull(f.pricing_note, ''), f.cache_hit, ifnull(t.tools, ''),
  f.input_uncached_tokens, f.cache_read_tokens, f.cache_write_5m_tokens, f.cache_write_1h_tokens, f.cache_write_unknown_tokens, f.output_tokens, f.reasoning_tokens,
  ifnull(f.input_audio_tokens, 0), ifnull(f.input_image_tokens, 0), ifnull(f.cache_read_audio_tokens, 0), ifnull(f.output_audio_tokens, 0), ifnull(f.output_image_tokens, 0), ifnull(f.searches, 0),
  f.llm_cost_usd, f.infra_cost_usd, f.tool_cost_usd, f.total_cost_usd, f.cache_savings_usd, f.total_cost_usd is not null,`+rateTerms+`,
  ifnull(f.flags, ''), ifnull(v.cost_center, '')
from named as n
inner join {record_facts} as f on f.record_id = n.record_id and f.usage_date = n.usage_date
inner join {meters} as d on d.meter_id = f.meter_id
inner join {rulings} as g on g.ruling_id = f.ruling_id
inner join {payers} as y on y.payer_id = f.payer_id
left join {rate_entries} as e on e.rate_id = f.rate_id
left join {actors} as a on a.actor_id = f.actor_id
left join {tasks} as t on t.task_id = f.task_id
left join {callers} as c on c.caller_id = f.caller_id
left join {payers} as v on v.payer_id = f.adjusts_payer_id
left join {objects} as o on o.object_id = f.usage_object_id
left join {objects} as p on p.object_id = f.request_object_id
left join {usage} as u on u.object_id = f.usage_object_id and u.line = f.usage_line and u.usage_date = f.usage_date and u.usage_date >= date '0001-01-01'
left join {requests} as q on q.object_id = f.request_object_id and q.line = f.request_line and q.request_date >= date '0001-01-01'
where f.usage_date >= {@since}
order by f.started_at, f.record_id, abs(f.correction), f.correction
limit 200`, Args{"since": civil.Min, "id": id, "number": number}, func(r Row) error {
		x := Explained{
			Record: r.Int(0), Correction: r.Int(1), At: r.Time(2), Date: r.Date(3), Month: r.Text(4), Adjusts: r.Text(5),
			Provider: r.Text(6), Account: r.Text(7), Region: r.Text(8), Model: r.Text(9), Operation: r.Text(10), Tier: r.Text(11),
			Match: r.Text(12), Rung: r.Text(13), Attribution: r.Text(14), Department: r.Text(15), CostCenter: r.Text(16),
			User: r.Text(17), Team: r.Text(18), Key: r.Text(19), Project: r.Text(20), Caller: r.Text(21), Agent: r.Text(22), Explicit: r.Text(23),
			UsageSource: r.Text(24), UsageObject: r.Text(25), RequestSource: r.Text(26), RequestObject: r.Text(27), Run: r.Text(28),
			UsageLine: r.Int(29), RequestLine: r.Int(30), ProviderRequestID: r.Text(31), AgentRequestID: r.Text(32), AdjustsCenter: r.Text(70),
			Priced: Priced{
				Records: 1, Pricing: r.Text(33), Note: r.Text(34), Hit: r.Bool(35), Quantities: quantities(r, 37),
				LLM: r.USD(50), Infra: r.USD(51), Tool: r.USD(52), Total: r.USD(53), Savings: r.USD(54), Known: r.Bool(55), Rate: terms(r, 56), Flags: Flags(r.Text(69)),
			},
		}
		if x.Correction < 0 {
			x.Records = -1
		}
		if !x.Tool.IsZero() { // a retry's are on its request's first usage
			x.Mixes = []Mix{{r.Text(36), x.Records}}
		}
		if !x.Infra.IsZero() {
			x.Fees = x.Records
		}
		all = append(all, x)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read cost records of %s: %w", id, err)
	}
	return all, nil
}

// merge adds records that the same rate priced.
func (p *Priced) merge(o Priced) {
	p.Records += o.Records
	p.Fees += o.Fees
	p.Mixes = append(p.Mixes, o.Mixes...)
	a, b := &p.Quantities, o.Quantities
	a.InputUncached += b.InputUncached
	a.CacheRead += b.CacheRead
	a.CacheWrite5m += b.CacheWrite5m
	a.CacheWrite1h += b.CacheWrite1h
	a.CacheWriteUnknown += b.CacheWriteUnknown
	a.Output += b.Output
	a.Reasoning += b.Reasoning
	a.InputAudio += b.InputAudio
	a.InputImage += b.InputImage
	a.CacheReadAudio += b.CacheReadAudio
	a.OutputAudio += b.OutputAudio
	a.OutputImage += b.OutputImage
	a.Searches += b.Searches
	p.LLM, p.Infra, p.Tool = p.LLM.Add(o.LLM), p.Infra.Add(o.Infra), p.Tool.Add(o.Tool)
	p.Total, p.Savings = p.Total.Add(o.Total), p.Savings.Add(o.Savings)
	p.Known = p.Known && o.Known
}

func quantities(r Row, at int) Quantities {
	return Quantities{
		r.Int(at), r.Int(at + 1), r.Int(at + 2), r.Int(at + 3), r.Int(at + 4), r.Int(at + 5), r.Int(at + 6),
		r.Int(at + 7), r.Int(at + 8), r.Int(at + 9), r.Int(at + 10), r.Int(at + 11), r.Int(at + 12),
	}
}

func terms(r Row, at int) RateTerms {
	return RateTerms{
		Version: r.Text(at), Key: r.Text(at + 1), PricedAs: r.Text(at + 2), Rule: r.Text(at + 3), Source: r.Text(at + 4), Terms: r.Text(at + 5), ToolFees: r.Text(at + 6),
		ValidFrom: r.Time(at + 7), Learned: r.Time(at + 8), Infra: r.Int(at + 9), CacheHit: r.Int(at + 10), HasFees: r.Bool(at + 11), Reported: r.Bool(at + 12),
	}
}

// ExplainLine sums the records of a line of a document by the rate that priced
// them. model is as documents name it, adjusts the month that the line corrects
// or "".
func (l *Ledger) ExplainLine(ctx context.Context, line DocumentLine) (all []Priced, err error) {
	type priced struct {
		rate    int64
		pricing string
		hit     bool
	}
	args, err := line.args()
	if err != nil {
		return nil, err
	}
	at := map[priced]int{}
	var ids []string
	err = l.Query(ctx, `
select
  sum(if(f.correction < 0, -1, 1)), g.pricing, '' as note, f.cache_hit,
  sum(case when f.infra_cost_usd is null or f.infra_cost_usd = 0 then 0 when f.correction < 0 then -1 else 1 end),
  if(f.tool_cost_usd = 0, '', ifnull(t.tools, '')) as mix,
  sum(case when f.tool_cost_usd is null or f.tool_cost_usd = 0 then 0 when f.correction < 0 then -1 else 1 end),`+quantitySums+amountSums+`,
  min(f.rate_id)
`+lineRows+`
group by f.rate_id, g.pricing, f.cache_hit, mix, f.correction < 0
order by min(f.started_at), 2, 4, 6, 1`, args, func(r Row) error {
		p := Priced{
			Records: r.Int(0), Pricing: r.Text(1), Note: r.Text(2), Hit: r.Bool(3), Fees: r.Int(4), Quantities: quantities(r, 7),
			LLM: r.USD(20), Infra: r.USD(21), Tool: r.USD(22), Total: r.USD(23), Savings: r.USD(24), Known: r.Bool(25),
		}
		if r.Int(6) != 0 {
			p.Mixes = []Mix{{r.Text(5), r.Int(6)}}
		}
		key := priced{r.Int(26), p.Pricing, p.Hit}
		i, known := at[key]
		if !known {
			at[key] = len(all)
			all, ids = append(all, p), append(ids, fmt.Sprint(key.rate))
			return nil
		}
		all[i].merge(p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read cost records of %s in %s: %w", line.CostCenter, line.Month, err)
	}
	known := map[string]RateTerms{} // by rate_id as text
	err = l.Query(ctx, "select cast(e.rate_id as string),"+rateTerms+" from {rate_entries} as e where e.rate_id in (select rate_id from {record_facts} where usage_date between {@first_day} and {@last_day} and billing_month = {@first_of_month})",
		args, func(r Row) error {
			known[r.Text(0)] = terms(r, 1)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read rates of %s: %w", line.Month, err)
	}
	for i := range all {
		all[i].Rate = known[ids[i]]
	}
	return all, nil
}

// lineRows is what joins the records behind one line of a document.
const lineRows = `
from {record_facts} as f
inner join {rulings} as g on g.ruling_id = f.ruling_id
inner join {payers} as y on y.payer_id = f.payer_id
inner join {meters} as d on d.meter_id = f.meter_id
left join {rate_entries} as e on e.rate_id = f.rate_id
left join {tasks} as t on t.task_id = f.task_id
left join {callers} as c on c.caller_id = f.caller_id
left join {payers} as v on v.payer_id = f.adjusts_payer_id
left join {record_facts} as h
  on f.correction <> 0 and h.usage_date = f.usage_date and h.record_id = f.record_id and h.correction = 0 - f.correction
  and h.billing_month = f.billing_month and h.billing_month = {@first_of_month} and h.usage_date between {@first_day} and {@last_day}
left join {payers} as w on w.payer_id = ifnull(h.adjusts_payer_id, h.payer_id)
where f.usage_date between {@first_day} and {@last_day}
  and f.billing_month = {@first_of_month}
  and y.cost_center = {@cost_center}
  and ifnull(coalesce(t.agent_id, c.agent_id), '') = {@agent}
  and ifnull(regexp_replace(e.price_key, '^[^/]*/', ''), d.model) = {@model}
  and if(f.correction = 0, '', {month_of(f.usage_date)}) = {@adjusts}
  and (
    {@reason} = ''
    or f.pricing_note = {@reason}
    and ifnull(v.cost_center, '') = {@adjusts_code}
    and ifnull(nullif(w.cost_center, ifnull(v.cost_center, y.cost_center)), '') = {@counterpart}
    and ({@counterpart} = '' or (f.correction < 0) = {@reversed})
  )`

// DocumentLine names a line of a document. Reason and what is below are of a
// correction; in documents of versions that kept no reason they are empty.
type DocumentLine struct {
	Month                    civil.Month
	CostCenter, Agent, Model string
	Adjusts                  string // month
	Reason, AdjustsCode      string // the code where it is another than CostCenter
	Counterpart              string
	Reversed                 bool
}

// args bounds the days of the line's records: those of its month or, of a correction,
// of the month that it corrects.
func (d DocumentLine) args() (Args, error) {
	days := d.Month
	if d.Adjusts != "" {
		var err error
		if days, err = civil.ParseMonth(d.Adjusts); err != nil {
			return nil, err
		}
	}
	return Args{
		"first_of_month": d.Month.FirstDay(), "first_day": days.FirstDay(), "last_day": days.LastDay(),
		"cost_center": d.CostCenter, "agent": d.Agent, "model": d.Model, "adjusts": d.Adjusts,
		"reason": d.Reason, "adjusts_code": d.AdjustsCode, "counterpart": d.Counterpart, "reversed": d.Reversed,
	}, nil
}

// LineRule is a rule by which records of a line were attributed.
type LineRule struct {
	Attribution string
	Records     int64
	Sample      []int64 // ids of some of the records, the first ones
}

// rulesOfLine counts the records of a line by rule, and names the first few of each
// that are not taken back. It takes those of each day first, so that no single window
// holds more than a day.
const rulesOfLine = `
with line_records as (
  select
    g.attribution,
    f.usage_date,
    f.started_at,
    f.record_id,
    f.correction
` + lineRows + `
),
counted as (
  select
    attribution,
    sum(if(correction < 0, -1, 1)) as records,
    min(started_at) as first_at
  from line_records
  group by attribution
),
first_of_days as (
  select
    attribution,
    started_at,
    record_id,
    correction
  from line_records
  where correction >= 0
  qualify row_number() over (partition by attribution, usage_date order by started_at, record_id, correction) <= {@most}
),
first_of_all as (
  select
    attribution,
    record_id,
    row_number() over (partition by attribution order by started_at, record_id, correction) as place
  from first_of_days
)
select
  c.attribution,
  c.records,
  f.record_id as record
from counted as c
left join first_of_all as f on f.attribution = c.attribution and f.place <= {@most}
order by c.records desc, c.first_at, c.attribution, f.place`

// RulesOfLine counts the records behind a line of a document by the rule that
// attributed them, most records first, and names the first few of each.
func (l *Ledger) RulesOfLine(ctx context.Context, line DocumentLine) (all []LineRule, err error) {
	args, err := line.args()
	if err != nil {
		return nil, err
	}
	args["most"] = 5
	type ruled struct {
		Attribution string
		Records     int64
		Record      *int64
	}
	err = warehouse.Each(ctx, l.q, warehouse.Select{Name: "rules of " + line.CostCenter + " in " + line.Month.String(), Text: rulesOfLine, Args: args}, func(r ruled) error {
		if len(all) == 0 || all[len(all)-1].Attribution != r.Attribution {
			all = append(all, LineRule{Attribution: r.Attribution, Records: r.Records})
		}
		if rule := &all[len(all)-1]; r.Record != nil {
			rule.Sample = append(rule.Sample, *r.Record)
		}
		return nil
	})
	return all, err
}
