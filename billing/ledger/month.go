package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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
  (select ifnull(sum(rows_rejected), 0) from objects where state not in ('replaced', 'earlier') and (day is null or day between @first_day and @last_day)),
  (select count(*) from objects where state = 'failed' and (day is null or day between @first_day and @last_day)),
  (select count(*) from objects where state = 'missing' and (day is null or day between @first_day and @last_day))
from cost_items
where billing_month = @month and usage_date >= @since`, args)
	if err != nil {
		return g, fmt.Errorf("read gates of %s: %w", month, err)
	}
	g = Gates{
		Unpriced: row.Int(0), Pending: row.Int(1), Doubtful: row.Int(2), DoubtfulCost: row.USD(3),
		Unallocated: row.USD(4), Conflicts: row.Int(5), Rejected: row.Int(6), Failed: row.Int(7), Missing: row.Int(8),
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

// Charge is what one cost centre owes for one agent and model in a month.
type Charge struct {
	Department, CostCenter, AgentID, PriceKey, Model, AdjustsMonth string
	Requests, CacheHits, Input, CacheRead, CacheWrite, Output      int64
	LLM, Infra, Tool, CacheSavings                                 money.USD
	Estimated, Unpriced, Pending                                   int64
}

// Charges sums a month's cost records by cost centre, agent, model and
// corrected month.
func (l *Ledger) Charges(ctx context.Context, month civil.Month) (charges []Charge, err error) {
	err = l.engine.Query(ctx, `
select
  min(department), cost_center, ifnull(agent_id, ''), ifnull(price_key, ''), if(price_key is null, model, ''), ifnull(adjusts_month, ''),
  sum(if(correction < 0, -1, 1)), sum(case when not cache_hit then 0 when correction < 0 then -1 else 1 end), sum(input_uncached_tokens), sum(cache_read_tokens),
  sum(cache_write_5m_tokens + cache_write_1h_tokens + cache_write_unknown_tokens), sum(output_tokens),
  total_usd(llm_cost_usd), total_usd(infra_cost_usd), total_usd(tool_cost_usd), total_usd(cache_savings_usd),
  sum(case when pricing <> 'estimated' then 0 when correction < 0 then -1 else 1 end), countif(pricing in ('unpriced', 'doubtful')), countif(pricing = 'pending')
from cost_items
where billing_month = @month and usage_date >= @since
group by 2, 3, 4, 5, 6
order by 2, 3, 4, 5, 6`, Args{"month": month, "since": civil.Min}, func(r Row) error {
		charges = append(charges, Charge{
			r.Text(0), r.Text(1), r.Text(2), r.Text(3), r.Text(4), r.Text(5),
			r.Int(6), r.Int(7), r.Int(8), r.Int(9), r.Int(10), r.Int(11),
			r.USD(12), r.USD(13), r.USD(14), r.USD(15), r.Int(16), r.Int(17), r.Int(18),
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sum charges of %s: %w", month, err)
	}
	return charges, nil
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
