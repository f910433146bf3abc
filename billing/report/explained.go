package report

import (
	"context"
	"crypto/sha256"
	_ "embed" // texts of selects
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/meta"
	"chargeback/billing/records"
	"chargeback/billing/runs"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Quantities are what unit prices are multiplied with. The token classes below
// Reasoning are parts of others; see record.Tokens. They are below 0 where a
// charge is taken back.
type Quantities struct {
	InputUncached, CacheRead                                         int64
	CacheWrite5m                                                     int64 `column:"cache_write_5m"`
	CacheWrite1h                                                     int64 `column:"cache_write_1h"`
	CacheWriteUnknown, Output, Reasoning                             int64
	InputAudio, InputImage, CacheReadAudio, OutputAudio, OutputImage int64
	Searches                                                         int64
}

// RateTerms is a rate as the ledger keeps it; see the table rate_entries. What it
// doesn't have is the zero value.
type RateTerms struct {
	Version   string    `column:"rate_version,null"`
	Key       string    `column:"price_key,null"`
	PricedAs  string    `column:",null"`
	Rule      string    `column:"rate_rule,null"`
	Source    string    `column:"rate_source,null"`
	Terms     string    `column:"rate_terms,null"`
	ToolFees  string    `column:",null"`
	ValidFrom time.Time `column:",null"`
	Learned   time.Time `column:"learned_at,null"`
	Infra     int64     `column:"infra_pico,null"` // pico-dollars, as CacheHit
	CacheHit  int64     `column:"cache_hit_pico,null"`
	HasFees   bool
	Reported  bool `column:",null"` // the cost is what the gateway reported
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
	Hit     bool `column:"cache_hit"` // answers from the gateway's cache
	Fees    int64
	Mixes   []Mix `column:"-"`
	Quantities
	Rate    RateTerms `column:"-"`
	LLM     money.USD `column:",null"` // zero where it is not known, as the other amounts
	Infra   money.USD `column:",null"`
	Tool    money.USD `column:",null"`
	Total   money.USD `column:",null"`
	Savings money.USD `column:",null"`
	Known   bool      // amounts are known
	Flags   []string  `json:",omitempty" column:"-"` // of a single record; see Flags
}

// mixed is the mix of tools of a Priced that a select gives.
type mixed struct {
	Mix      string
	MixTimes int64
}

func (m mixed) mixes() []Mix {
	if m.MixTimes == 0 {
		return nil
	}
	return []Mix{{m.Mix, m.MixTimes}}
}

// Explained is one cost record with all that decided it.
type Explained struct {
	Record                                                      int64 `column:"record_id"`
	Correction                                                  int64
	At                                                          time.Time  `column:"started_at"`
	Date                                                        civil.Date `column:"usage_date"`
	Month, Adjusts                                              string
	Provider, Account, Region, Model, Operation, Tier           string
	Match, Rung, Attribution, Department, CostCenter            string
	User                                                        string `column:"user_name"`
	Team, Key, Project, Caller, Agent, Explicit                 string
	UsageSource, UsageObject, RequestSource, RequestObject, Run string
	UsageLine, RequestLine                                      int64
	ProviderRequestID, AgentRequestID                           string
	AdjustsCenter                                               string // of a correction: whose document it corrects, where CostCenter is the successor
	Priced
}

var (
	//go:embed explain.sql
	explainText string
	//go:embed line_records.sql
	lineRecordsText string
	//go:embed days_named.sql
	daysNamedText string
	//go:embed explain_line.sql
	explainLineText string
	//go:embed rates_of_line.sql
	ratesOfLineText string
	//go:embed rules_of_line.sql
	rulesOfLineText string
)

// Explain reads the records that a text names: a record id, or any id of a
// request as the provider, the agent platform or the caller has it. Records of
// one request come together, the oldest charge first. days are those of DaysOf.
func Explain(ctx context.Context, q warehouse.Querier, id string, number int64, days []civil.Date) (all []Explained, err error) {
	if len(days) == 0 {
		return nil, nil
	}
	key, _ := record.KeyOf([]byte(id))
	err = warehouse.Each(ctx, q, warehouse.Select{
		Name: "cost records of " + id, Text: explainText, Args: warehouse.Args{"key": key, "number": number, "named_days": days, "days": records.Reach(days), "scan_days": records.Reach(records.Reach(days))},
	}, func(r struct {
		Explained
		RateTerms
		mixed
		AllFlags string `column:"flags,null"`
	}) error {
		x := r.Explained
		x.Rate, x.Mixes, x.Flags = r.RateTerms, r.mixes(), records.Flags(r.AllFlags) // the mix of a retry is on its request's first usage
		all = append(all, x)
		return nil
	})
	return all, err
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

// ExplainLine sums the records of a line of a document by the rate that priced
// them. model is as documents name it, adjusts the month that the line corrects
// or "".
func ExplainLine(ctx context.Context, q warehouse.Querier, line DocumentLine) (all []Priced, err error) {
	type priced struct {
		rate    int64
		pricing string
		hit     bool
	}
	selects, err := line.selects()
	if err != nil {
		return nil, err
	}
	at := map[priced]int{}
	var ids []int64
	err = warehouse.Each(ctx, q, selects("cost records", explainLineText), func(r struct {
		Priced
		mixed
		RateID int64 `column:",null"`
	}) error {
		p := r.Priced
		p.Mixes = r.mixes()
		key := priced{r.RateID, p.Pricing, p.Hit}
		i, known := at[key]
		if !known {
			at[key] = len(all)
			all, ids = append(all, p), append(ids, key.rate)
			return nil
		}
		all[i].merge(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	known := map[int64]RateTerms{}
	err = warehouse.Each(ctx, q, selects("rates", ratesOfLineText), func(r struct {
		RateID int64
		RateTerms
	}) error {
		known[r.RateID] = r.RateTerms
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Rate = known[ids[i]]
	}
	return all, nil
}

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

// selects makes selects of the line's records, {line_records}. Their days are bounded:
// those of its month or, of a correction, of the month that it corrects.
func (d DocumentLine) selects() (func(what, text string) warehouse.Select, error) {
	days := d.Month
	if d.Adjusts != "" {
		var err error
		if days, err = civil.ParseMonth(d.Adjusts); err != nil {
			return nil, err
		}
	}
	args := warehouse.Args{
		"first_of_month": d.Month.FirstDay(), "first_day": days.FirstDay(), "last_day": days.LastDay(),
		"cost_center": d.CostCenter, "agent": d.Agent, "model": d.Model, "adjusts": d.Adjusts,
		"reason": d.Reason, "adjusts_code": d.AdjustsCode, "counterpart": d.Counterpart, "reversed": d.Reversed,
		"most": sampleMost,
	}
	return func(what, text string) warehouse.Select {
		return warehouse.Select{Name: fmt.Sprintf("%s of %s in %s", what, d.CostCenter, d.Month), Text: text, Args: args, Views: map[string]string{"line_records": lineRecordsText}}
	}, nil
}

// sampleMost is how many records of a rule are named.
const sampleMost = 5

// LineRule is a rule by which records of a line were attributed.
type LineRule struct {
	Attribution string
	Records     int64
	Sample      []int64 // ids of some of the records, the first ones
}

// RulesOfLine counts the records behind a line of a document by the rule that
// attributed them, most records first, and names the first few of each.
func RulesOfLine(ctx context.Context, q warehouse.Querier, line DocumentLine) (all []LineRule, err error) {
	selects, err := line.selects()
	if err != nil {
		return nil, err
	}
	type ruled struct {
		Attribution string
		Records     int64
		Record      *int64
	}
	err = warehouse.Each(ctx, q, selects("rules", rulesOfLineText), func(r ruled) error {
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

// idPart is where id_days.sql puts the name of an id: its key, or the digits of a number.
func idPart(name string) (part civil.Date, hash int64) {
	sum := sha256.Sum256([]byte(name))
	n := int64(binary.BigEndian.Uint32(sum[:4])) % 1000
	return civil.Date{Year: 1970, Mon: 1, Day: 1}.AddDays(int(n)), int64(binary.BigEndian.Uint32(sum[4:8]))
}

// DaysOf are the days on which an id occurs, as the provider, the agent platform or the
// caller has it, or of which the record of a number is: of closed months by what was
// written down of them, of others by their rows. Some may have nothing of it.
func DaysOf(ctx context.Context, q warehouse.Querier, id string, number int64) ([]civil.Date, error) {
	key, _ := record.KeyOf([]byte(id))
	part, hash := idPart(key.String())
	numberPart, numberHash := idPart(fmt.Sprint(number))
	days, err := warehouse.All[civil.Date](ctx, q, warehouse.Select{
		Name: "days of closed months with " + id,
		Text: "select distinct day from {id_days} where part in ({@part}, {@number_part}) and (part = {@part} and id_hash = {@hash} or part = {@number_part} and id_hash = {@number_hash})",
		Args: warehouse.Args{"part": part, "hash": hash, "number_part": numberPart, "number_hash": numberHash},
	})
	if err != nil {
		return nil, err
	}
	open, err := openDays(ctx, q)
	if err != nil || len(open) == 0 {
		return civil.EachOnce(days), err
	}
	more, err := warehouse.All[civil.Date](ctx, q, warehouse.Select{Name: "days with " + id, Text: daysNamedText, Args: warehouse.Args{"days": open, "key": key, "number": number}})
	return civil.EachOnce(append(days, more...)), err
}

// openDays are the days from the first of the ledger to the newest that a night was run
// for, or that has a record, whose months are not closed.
func openDays(ctx context.Context, q warehouse.Querier) ([]civil.Date, error) {
	closed, err := records.ClosedMonths(ctx, q)
	if err != nil {
		return nil, err
	}
	begun, err := meta.Get(ctx, q, meta.Start)
	if err != nil {
		return nil, err
	}
	first, err := civil.ParseDate(begun)
	if err != nil {
		return nil, fmt.Errorf("read the first day of the ledger: %w", err)
	}
	last, err := records.NewestRecordDay(ctx, q)
	if err != nil {
		return nil, err
	}
	newest, err := warehouse.One[*string](ctx, q, warehouse.Select{Name: "newest night", Text: "select max(run_window) as newest from {runs} where run_window like 'nightly/%'"})
	if err != nil {
		return nil, err
	}
	if newest != nil {
		if night := runs.NightOf(*newest); last.Before(night) {
			last = night
		}
	}
	days := warehouse.Days{First: first.AddDays(-records.MatchReach), Last: last.AddDays(records.MatchReach)}
	return slices.DeleteFunc(days.All(), func(d civil.Date) bool {
		_, is := closed[d.Month()]
		return is
	}), nil
}
