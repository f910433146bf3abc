package ledger

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// ErrClosed says that a month is closed and can't be closed or changed again.
var ErrClosed = errors.New("month is closed")

// Issued is one document as it was issued. Document is JSON.
type Issued struct {
	Number, Month, CostCenter string
	Total                     money.Cents
	ContentHash               string
	Document                  string
}

// CloseMonth closes a month with the documents that it was billed by, and runs
// then in the same transaction. It returns ErrClosed where it is closed.
func (l *Ledger) CloseMonth(ctx context.Context, month civil.Month, now time.Time, hash string, summary any, documents []Issued, then func() error) error {
	text, err := json.Marshal(summary)
	if err != nil {
		return fmt.Errorf("write summary of %s: %w", month, err)
	}
	return l.engine.Transact(ctx, func() error {
		closed, err := l.ClosedMonths(ctx)
		if err != nil {
			return err
		}
		if _, is := closed[month]; is {
			return fmt.Errorf("close %s: %w", month, ErrClosed)
		}
		rows := make([][]any, 0, len(documents))
		for _, d := range documents {
			rows = append(rows, []any{d.Number, d.Month, d.CostCenter, int64(d.Total), d.ContentHash, d.Document})
		}
		if err := l.engine.Insert(ctx, invoicesTable, rows); err != nil {
			return err
		}
		if err := l.engine.Insert(ctx, monthsTable, [][]any{{month.String(), month.FirstDay(), "closed", now, hash, string(text)}}); err != nil {
			return err
		}
		return then()
	})
}

// Issued returns the documents of a month, by number.
func (l *Ledger) Issued(ctx context.Context, month civil.Month) (documents []Issued, err error) {
	err = l.engine.Query(ctx, "select number, month, cost_center, total_cents, content_hash, document from invoices where month = @month order by number", Args{"month": month}, func(r Row) error {
		documents = append(documents, Issued{r.Text(0), r.Text(1), r.Text(2), money.Cents(r.Int(3)), r.Text(4), r.Text(5)})
		return nil
	})
	return documents, err
}

// File is one file of a closed month as it was first written.
type File struct {
	Folder, Name, SHA256 string
}

// NoteFiles notes the files of a closed month once they are all written, and
// runs then in the same transaction.
func (l *Ledger) NoteFiles(ctx context.Context, month civil.Month, files []File, then func() error) error {
	rows := make([][]any, 0, len(files))
	for _, f := range files {
		rows = append(rows, []any{month.String(), f.Folder, f.Name, f.SHA256})
	}
	return l.engine.Transact(ctx, func() error {
		if err := l.engine.Insert(ctx, filesTable, rows); err != nil {
			return err
		}
		return then()
	})
}

// Files returns the files that were noted of a month, by folder and name.
func (l *Ledger) Files(ctx context.Context, month civil.Month) (files []File, err error) {
	err = l.engine.Query(ctx, "select folder, name, sha256 from document_files where month = @month order by folder, name", Args{"month": month}, func(r Row) error {
		files = append(files, File{r.Text(0), r.Text(1), r.Text(2)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read files of %s: %w", month, err)
	}
	return files, nil
}

// Gates counts what may stand in the way of a month's close.
type Gates struct {
	Records                                                           int64 // that it charges or holds, corrections too
	Unpriced, Pending, Doubtful, Conflicts, Rejected, Failed, Missing int64
	Unallocated                                                       money.USD
	// What the doubtful requests would cost, as far as that is known, beside what
	// the usage without a request was charged of the same providers and days.
	DoubtfulCost, UsageAlone money.USD
	UsageAloneRecords        int64
}

// Gates reads the gates of a month. Rejects and objects belong to the month
// in which their objects were delivered.
func (l *Ledger) Gates(ctx context.Context, month civil.Month) (g Gates, err error) {
	args := Args{"month": month, "first_day": month.FirstDay(), "last_day": month.LastDay(), "since": civil.Min}
	row, err := l.one(ctx, `
select
  countif(pricing = 'unpriced'),
  countif(pricing = 'pending'),
  countif(pricing = 'doubtful'),
  total_usd(doubtful_cost_usd),
  total_usd(if(cost_center = 'UNALLOCATED', total_cost_usd, null)),
  (select count(*) from repeats where verdict = 'conflict' and usage_date between @first_day and @last_day),
  (select ifnull(sum(rows_rejected), 0) from objects where state not in ('deleted', 'replaced', 'earlier') and (day is null or day between @first_day and @last_day)),
  (select count(*) from objects where state = 'failed' and (day is null or day between @first_day and @last_day)),
  (select count(*) from objects where state = 'missing' and (day is null or day between @first_day and @last_day)),
  count(*)
from cost_items
where billing_month = @month and usage_date >= @since`, args)
	if err != nil {
		return g, fmt.Errorf("read gates of %s: %w", month, err)
	}
	g = Gates{
		Unpriced: row.Int(0), Pending: row.Int(1), Doubtful: row.Int(2), DoubtfulCost: row.USD(3),
		Unallocated: row.USD(4), Conflicts: row.Int(5), Rejected: row.Int(6), Failed: row.Int(7), Missing: row.Int(8), Records: row.Int(9),
	}
	if g.Doubtful == 0 {
		return g, nil
	}
	both, err := l.Doubtful(ctx, month.FirstDay(), month.LastDay())
	g.UsageAlone, g.UsageAloneRecords = both.UsageAlone, both.UsageAloneRecords
	return g, err
}

// Doubtful is what stands on both sides of requests that are held as doubtful.
type Doubtful struct {
	Requests          int64     // requests held
	Cost              money.USD // what they would cost, as far as that is known
	UsageAloneRecords int64     // usage records of the same providers and days that found no request
	UsageAlone        money.USD // what these were charged
}

// Doubtful reads the doubtful requests of the days that open months charge,
// with the usage that they may be.
func (l *Ledger) Doubtful(ctx context.Context, first, last civil.Date) (d Doubtful, err error) {
	row, err := l.one(ctx, `
with doubtful_days as (
  select
    m.provider,
    f.usage_date,
    count(*) as requests,
    total_usd(f.doubtful_cost_usd) as cost
  from record_facts as f
  inner join rulings as r on r.ruling_id = f.ruling_id
  inner join meters as m on m.meter_id = f.meter_id
  left join months as c on c.first_day = f.billing_month and c.state = 'closed'
  where f.usage_date between @first_day and @last_day and r.pricing = 'doubtful' and f.correction = 0 and c.month is null
  group by m.provider, f.usage_date
),
usage_alone as (
  select
    m.provider,
    f.usage_date,
    sum(if(f.correction < 0, -1, 1)) as records,
    total_usd(f.total_cost_usd) as cost
  from record_facts as f
  inner join rulings as r on r.ruling_id = f.ruling_id
  inner join meters as m on m.meter_id = f.meter_id
  where f.usage_date between @first_day and @last_day and r.match = 'provider_only' and r.pricing <> 'not_billed'
  group by m.provider, f.usage_date
)
select
  ifnull(sum(d.requests), 0),
  total_usd(d.cost),
  ifnull(sum(u.records), 0),
  total_usd(u.cost)
from doubtful_days as d
left join usage_alone as u on u.provider = d.provider and u.usage_date = d.usage_date`, Args{"first_day": first, "last_day": last})
	if err != nil {
		return d, fmt.Errorf("read doubtful requests: %w", err)
	}
	return Doubtful{row.Int(0), row.USD(1), row.Int(2), row.USD(3)}, nil
}

// Payer is who pays for something in a month, with the days that count: those of
// use, and for a correction of a closed month the first day of this one.
type Payer struct {
	CostCenter
	First, Last civil.Date
	Own         bool // for records of the month itself, not for corrections alone
}

// Payers lists who pays in a month, by department and cost centre.
func (l *Ledger) Payers(ctx context.Context, month civil.Month) (payers []Payer, err error) {
	err = l.engine.Query(ctx, `
select
  p.department,
  p.cost_center,
  min(greatest(f.usage_date, f.billing_month)),
  max(greatest(f.usage_date, f.billing_month)),
  countif(f.correction = 0) > 0
from record_facts as f
inner join payers as p on p.payer_id = f.payer_id
where f.billing_month = @first_day and f.usage_date >= @since
group by p.department, p.cost_center
order by p.department, p.cost_center`, Args{"first_day": month.FirstDay(), "since": civil.Min}, func(r Row) error {
		payers = append(payers, Payer{CostCenter{Department: r.Text(0), Code: r.Text(1)}, r.Date(2), r.Date(3), r.Bool(4)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who pays in %s: %w", month, err)
	}
	return payers, nil
}

// SourceRecords is how many records of a kind a source has for a month.
type SourceRecords struct {
	Source, Kind string // usage, requests or people
	Records      int64
}

// SourceRecords counts the staged records of a month's days, by source and kind,
// and the people of which each source tells.
func (l *Ledger) SourceRecords(ctx context.Context, month civil.Month) (all []SourceRecords, err error) {
	err = l.engine.Query(ctx, `
with staged as (
  select object_id, 'usage' as kind, count(*) as records from usage where usage_date between @first_day and @last_day group by object_id
  union all
  select object_id, 'requests' as kind, count(*) as records from requests where request_date between @first_day and @last_day group by object_id
)
select o.source, s.kind, sum(s.records)
from staged as s
inner join objects as o on o.object_id = s.object_id
group by o.source, s.kind
union all
select o.source, 'people' as kind, count(distinct p.email)
from people as p
inner join objects as o on o.object_id = p.object_id
group by o.source
order by 1, 2`, Args{"first_day": month.FirstDay(), "last_day": month.LastDay()}, func(r Row) error {
		all = append(all, SourceRecords{r.Text(0), r.Text(1), r.Int(2)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count records of %s by source: %w", month, err)
	}
	return all, nil
}

// Hash is the SHA-256, in hex, of the cost records that match: everything that
// decides who owes what and why, with the lines of their sources. Which run
// wrote a row, and which version of an object it came from, is left out, so
// that the same inputs give the same hash in every ledger. The ids of requests
// are in it by record_id; in words they go when their object is rewritten.
func (l *Ledger) Hash(ctx context.Context, first, last civil.Date, month string) (string, error) {
	sum := sha256.New()
	err := l.engine.Query(ctx, `
select
  c.record_id, c.correction, c.started_at, c.usage_date, c.billing_month, c.adjusts_month,
  c.provider, c.account, c.region, c.model, c.price_key, c.service_tier,
  c.input_uncached_tokens, c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens, c.cache_write_unknown_tokens,
  c.output_tokens, c.reasoning_tokens, c.input_audio_tokens, c.input_image_tokens, c.cache_read_audio_tokens, c.output_audio_tokens, c.output_image_tokens, c.searches, c.user_id, c.department, c.cost_center, c.agent_id, c.tools, c.tool_calls, c.cache_hit,
  c.llm_cost_usd, c.infra_cost_usd, c.tool_cost_usd, c.total_cost_usd, c.cache_savings_usd,
  c.match, c.match_rung, c.pricing, c.pricing_note, c.attribution, c.rate_version,
  u.source, u.object_key, c.usage_line, r.source as request_source, r.object_key as request_object_key, c.request_line
from cost_items as c
left join objects as u on u.object_id = c.usage_object_id
left join objects as r on r.object_id = c.request_object_id
where c.usage_date between @first_day and @last_day and (@month = '' or c.billing_month = @month)
order by c.usage_date, c.record_id, c.correction`, Args{"first_day": first, "last_day": last, "month": month}, func(r Row) error {
		for _, v := range r {
			sum.Write([]byte(canonical(v)))
			sum.Write([]byte{0})
		}
		sum.Write([]byte{'\n'})
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("hash cost records: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func canonical(v any) string {
	switch v := v.(type) {
	case nil:
		return "\x01"
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return strconv.FormatInt(v.UnixMicro(), 10)
	case civil.Date:
		return v.String()
	case money.USD:
		return v.Fixed()
	}
	return fmt.Sprint(v)
}

// Charge is what one cost centre owes for one agent and model in a month, or, of a
// correction, for one reason and counterpart, too.
type Charge struct {
	Department, CostCenter, AgentID, PriceKey, Model, AdjustsMonth string
	Requests, CacheHits, Input, CacheRead, CacheWrite, Output      int64
	LLM, Infra, Tool, CacheSavings                                 money.USD
	Estimated, Unpriced, Pending                                   int64

	// Of a correction.
	AdjustsCenter string    // cost centre whose document is corrected: CostCenter, or one that it succeeds
	Reason        string    // why
	Paired        bool      // a record is reversed and charged again, and this is one of the two
	Counterpart   string    // AdjustsCenter of the other one
	CounterAmount money.USD // of what is reversed the new amount, of what is charged again the old one
	// BookedMonth and BookedCenter are on whose document the amount stands that is
	// corrected: AdjustsMonth and AdjustsCenter, or, where that is a correction itself,
	// the month and the bearer of that one.
	BookedMonth, BookedCenter string
}

// Charges sums a month's cost records by cost centre, agent, model and, of
// corrections, corrected month and cost centre, reason and counterpart.
func (l *Ledger) Charges(ctx context.Context, month civil.Month) (charges []Charge, err error) {
	err = l.engine.Query(ctx, `
with pairs as (
  select
    f.usage_date,
    f.record_id,
    f.correction,
    f.total_cost_usd,
    y.cost_center
  from record_facts as f
  inner join payers as y on y.payer_id = ifnull(f.adjusts_payer_id, f.payer_id)
  where f.billing_month = @first_day and f.usage_date >= @since and f.correction <> 0
)
select
  min(c.department), c.cost_center, ifnull(c.agent_id, ''), ifnull(c.price_key, ''), if(c.price_key is null, c.model, ''), ifnull(c.adjusts_month, ''),
  sum(if(c.correction < 0, -1, 1)), sum(case when not c.cache_hit then 0 when c.correction < 0 then -1 else 1 end), sum(c.input_uncached_tokens), sum(c.cache_read_tokens),
  sum(c.cache_write_5m_tokens + c.cache_write_1h_tokens + c.cache_write_unknown_tokens), sum(c.output_tokens),
  total_usd(c.llm_cost_usd), total_usd(c.infra_cost_usd), total_usd(c.tool_cost_usd), total_usd(c.cache_savings_usd),
  sum(case when c.pricing <> 'estimated' then 0 when c.correction < 0 then -1 else 1 end), countif(c.pricing in ('unpriced', 'doubtful')), countif(c.pricing = 'pending'),
  coalesce(c.adjusts_cost_center, c.cost_center),
  if(c.correction = 0, '', ifnull(c.pricing_note, '')),
  case when p.record_id is null then 0 when c.correction > 0 then 1 else -1 end,
  ifnull(p.cost_center, ''),
  total_usd(p.total_cost_usd),
  if(c.correction < 0 or v.cost_center = coalesce(c.adjusts_cost_center, c.cost_center), ifnull(month_of(o.billing_month), ''), ''),
  if(c.correction < 0 or v.cost_center = coalesce(c.adjusts_cost_center, c.cost_center), ifnull(w.cost_center, ''), '')
from cost_items as c
left join record_facts as o
  on c.correction <> 0 and o.usage_date = c.usage_date and o.record_id = c.record_id and o.correction = abs(c.correction) - 1 and o.usage_date >= @since
left join payers as v on v.payer_id = ifnull(o.adjusts_payer_id, o.payer_id)
left join payers as w on w.payer_id = o.payer_id
left join pairs as p
  on c.correction <> 0 and p.usage_date = c.usage_date and p.record_id = c.record_id and p.correction = 0 - c.correction
where c.billing_month = @month and c.usage_date >= @since
group by 2, 3, 4, 5, 6, 20, 21, 22, 23, 25, 26
order by 2, 3, 4, 5, 6, 20, 21, 23, 22, 25, 26`, Args{"month": month, "first_day": month.FirstDay(), "since": civil.Min}, func(r Row) error {
		c := Charge{
			Department: r.Text(0), CostCenter: r.Text(1), AgentID: r.Text(2), PriceKey: r.Text(3), Model: r.Text(4), AdjustsMonth: r.Text(5),
			Requests: r.Int(6), CacheHits: r.Int(7), Input: r.Int(8), CacheRead: r.Int(9), CacheWrite: r.Int(10), Output: r.Int(11),
			LLM: r.USD(12), Infra: r.USD(13), Tool: r.USD(14), CacheSavings: r.USD(15), Estimated: r.Int(16), Unpriced: r.Int(17), Pending: r.Int(18),
		}
		if c.AdjustsMonth != "" {
			c.AdjustsCenter, c.Reason, c.Paired, c.Counterpart, c.CounterAmount = r.Text(19), r.Text(20), r.Int(21) != 0, r.Text(22), r.USD(23)
			c.BookedMonth, c.BookedCenter = c.AdjustsMonth, c.AdjustsCenter
			if booked := r.Text(24); booked != "" && booked != c.AdjustsMonth {
				c.BookedMonth, c.BookedCenter = booked, r.Text(25)
			}
			if r.Int(21) > 0 { // charged again: what was reversed is below zero
				c.CounterAmount = c.CounterAmount.Neg()
			}
		}
		charges = append(charges, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sum charges of %s: %w", month, err)
	}
	return charges, nil
}

// Correction is what a month corrects of a closed one, of one cost centre's document
// and for one reason. A pair is two of them, each other's counterpart.
type Correction struct {
	Month       string // the closed one
	CostCenter  string // whose document is corrected
	Bearer      string // who bears it: CostCenter, or its successor
	Reason      string
	Counterpart string // whose document the other half of a pair corrects; "" where it has none
	Records     int64
	Reversed    money.USD // taken back, below 0
	Charged     money.USD // charged late, or again
}

// Corrections are those that a month charges, in the order of month, cost centre,
// bearer, reason and counterpart.
func (l *Ledger) Corrections(ctx context.Context, month civil.Month) ([]Correction, error) {
	charges, err := l.Charges(ctx, month)
	return correctionsOf(charges), err
}

// CorrectionsBy are the corrections that ReplaceDays would leave in the open month.
// It makes the days in a transaction of which nothing is kept.
func (l *Ledger) CorrectionsBy(ctx context.Context, b Build) (all []Correction, err error) {
	if len(b.Days) == 0 {
		return l.Corrections(ctx, b.OpenMonth)
	}
	refs, err := l.referencesOf(ctx, b)
	if err != nil {
		return nil, err
	}
	err = l.engine.Transact(ctx, func() error {
		if err := l.writeReferences(ctx, b.RateVersion, refs); err != nil {
			return err
		}
		for _, days := range b.Days {
			if err := l.replace(ctx, b, days); err != nil {
				return err
			}
		}
		if all, err = l.Corrections(ctx, b.OpenMonth); err != nil {
			return err
		}
		return errScratch
	})
	if !errors.Is(err, errScratch) {
		return nil, fmt.Errorf("make corrections in %s to look at: %w", b.OpenMonth, err)
	}
	return all, nil
}

func correctionsOf(charges []Charge) (all []Correction) {
	at := map[Correction]int{}
	for _, c := range charges {
		if c.AdjustsMonth == "" {
			continue
		}
		k := Correction{Month: c.AdjustsMonth, CostCenter: c.AdjustsCenter, Bearer: c.CostCenter, Reason: c.Reason, Counterpart: c.Counterpart}
		i, found := at[k]
		if !found {
			i = len(all)
			at[k], all = i, append(all, k)
		}
		total := money.Sum(c.LLM, c.Infra, c.Tool)
		if c.Requests < 0 {
			all[i].Records, all[i].Reversed = all[i].Records-c.Requests, all[i].Reversed.Add(total)
		} else {
			all[i].Records, all[i].Charged = all[i].Records+c.Requests, all[i].Charged.Add(total)
		}
	}
	slices.SortFunc(all, func(x, y Correction) int {
		return cmp.Or(cmp.Compare(x.Month, y.Month), cmp.Compare(x.CostCenter, y.CostCenter), cmp.Compare(x.Bearer, y.Bearer), cmp.Compare(x.Reason, y.Reason), cmp.Compare(x.Counterpart, y.Counterpart))
	})
	return all
}

// Numbers are the numbers of the documents issued for the months from first to last,
// by month and cost centre, sorted.
func (l *Ledger) Numbers(ctx context.Context, first, last civil.Month) (numbers map[string]map[string][]string, err error) {
	numbers = map[string]map[string][]string{}
	err = l.engine.Query(ctx, "select month, cost_center, number from invoices where month between @first_month and @last_month order by 1, 2, 3", Args{"first_month": first, "last_month": last}, func(r Row) error {
		if numbers[r.Text(0)] == nil {
			numbers[r.Text(0)] = map[string][]string{}
		}
		numbers[r.Text(0)][r.Text(1)] = append(numbers[r.Text(0)][r.Text(1)], r.Text(2))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read numbers of documents: %w", err)
	}
	return numbers, nil
}

// RateVersions lists the versions of the rate book that priced a month.
func (l *Ledger) RateVersions(ctx context.Context, month civil.Month) (versions []string, err error) {
	err = l.engine.Query(ctx, `
select distinct e.rate_version
from record_facts as f
inner join rate_entries as e on e.rate_id = f.rate_id
where f.billing_month = @first_day and f.usage_date >= @since
order by 1`, Args{"first_day": month.FirstDay(), "since": civil.Min}, func(r Row) error {
		versions = append(versions, r.Text(0))
		return nil
	})
	return versions, err
}
