package records

import (
	"context"
	_ "embed"
	"fmt"
	"slices"

	"chargeback/billing/meta"
	"chargeback/billing/program"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// What is asked of many records together is read of daily_costs, never of the
// records: a night writes both in one step, and holds one against the other.

//go:embed daily_costs.sql
var dailyCostsText string

//go:embed daily_users.sql
var dailyUsersText string

//go:embed daily_tie.sql
var dailyTieText string

//go:embed charged_days.sql
var chargedDaysText string

//go:embed unsettled_days.sql
var unsettledDaysText string

//go:embed pending_days.sql
var pendingDaysText string

//go:embed daily_items.sql
var dailyItemsText string

// DailyMark is the fact that daily_costs has every record of the ledger.
const DailyMark = "daily_costs"

// daysArgs are arguments that bound a read of what some months charge: their first
// days, and the days of which they charge records.
func (l *Records) daysArgs(ctx context.Context, first, last civil.Date) (Args, error) {
	bounds, err := ChargedDays(ctx, l, first, last)
	if err != nil {
		return nil, err
	}
	return bounds.Args(), nil
}

func (l *Records) monthArgs(ctx context.Context, month civil.Month) (Args, error) {
	return l.daysArgs(ctx, month.FirstDay(), month.FirstDay())
}

// Bounds are constant bounds for reads of what some months charge.
type Bounds struct {
	First, Last civil.Date   // first days of the first and of the last month
	Days        []civil.Date // of which they charge records, oldest first; at least one
	Corrected   []civil.Date // those of them that lie in other, closed months
}

// Args are the bounds as arguments: {@first_month}, {@last_month}, {@charged_days} and,
// where there are any, {@corrected_days}.
func (b Bounds) Args() Args {
	args := Args{"first_month": b.First, "last_month": b.Last, "charged_days": b.Days}
	if len(b.Corrected) > 0 {
		args["corrected_days"] = b.Corrected
	}
	return args
}

// ChargedDays are the days of which the months that begin on the days from first to
// last charge records: their own, and those of closed months that they correct.
// Where there are none it is the first day, of which there are no records either.
func ChargedDays(ctx context.Context, q warehouse.Querier, first, last civil.Date) (Bounds, error) {
	b := Bounds{First: first, Last: first}
	err := warehouse.Each(ctx, q, warehouse.Select{
		Name: "days of which there are records",
		Text: "select billing_month, usage_date from {charged_days} where billing_month between {@first_month} and {@last_month}",
		Args: Args{"first_month": first, "last_month": last},
	}, func(d struct{ BillingMonth, UsageDate civil.Date }) error {
		if b.Last.Before(d.BillingMonth) {
			b.Last = d.BillingMonth
		}
		b.Days = append(b.Days, d.UsageDate)
		if d.UsageDate.Month() != d.BillingMonth.Month() {
			b.Corrected = append(b.Corrected, d.UsageDate)
		}
		return nil
	})
	if err != nil {
		return b, err
	}
	if b.Days == nil {
		b.Days = []civil.Date{first}
	}
	b.Days, b.Corrected = civil.EachOnce(b.Days), civil.EachOnce(b.Corrected)
	return b, nil
}

// NewestRecordDay is the last business day with a cost record; the zero date
// in new books.
func NewestRecordDay(ctx context.Context, q warehouse.Querier) (civil.Date, error) {
	day, err := warehouse.One[*civil.Date](ctx, q, warehouse.Select{Name: "newest day with a record", Text: "select max(usage_date) as newest from {charged_days}"})
	if err != nil || day == nil {
		return civil.Date{}, err
	}
	return *day, nil
}

// UnsettledDays are the days of closed months that still decide what an open
// month charges: days with records that were closed without a cost, which a
// later price gives one, and days with corrections in an open month.
func (l *Records) UnsettledDays(ctx context.Context) ([]civil.Date, error) {
	return warehouse.All[civil.Date](ctx, l.q, warehouse.Select{Name: "unsettled days of closed months", Text: unsettledDaysText})
}

// PendingDays returns those of some days on which requests wait for their usage.
func (l *Records) PendingDays(ctx context.Context, days Days) ([]civil.Date, error) {
	return warehouse.All[civil.Date](ctx, l.q, warehouse.Select{Name: "days with pending requests", Text: pendingDaysText, Args: Args{"first_day": days.First, "last_day": days.Last}})
}

// addDaily adds the daily sums of {new_facts}, whose agents are in {daily_tasks}.
func addDaily(p *program.Program) {
	p.Table("new_daily", "daily sums", dailyCostsText)
	p.Table("new_daily_users", "daily sums of users", dailyUsersText)
	p.Table("new_charged_days", "days that months charge", chargedDaysText)
}

// dailyTables are the work tables of daily sums that are kept.
var dailyTables = []string{"new_daily", "new_daily_users", "new_charged_days"}

// dailyChanges put the daily sums of days in the place of those that are there; open
// narrows them as it does the records.
func dailyChanges(records warehouse.ReplaceDays) []warehouse.Change {
	daily, users, days := records, records, warehouse.Delete{Table: chargedDaysTable.Name, Where: "usage_date in ({@days})", Args: Args{"days": records.Days}}
	daily.Table, daily.From = dailyTable.Name, "new_daily"
	users.Table, users.From = dailyUsersTable.Name, "new_daily_users"
	if records.Where != "" {
		days.Where += " and " + records.Where
		for name, v := range records.Args {
			days.Args[name] = v
		}
	}
	return []warehouse.Change{daily, users, days, warehouse.Append{Table: chargedDaysTable.Name, From: "new_charged_days"}}
}

// dailySums are what one side of the daily sums comes to; nil is what it doesn't tell.
type dailySums struct {
	Side                       string
	Records, Standing, Metered *int64
	ToolCalls                  *int64
	InputTokens, OutputTokens  *int64
	Searches                   *int64
	LLM, Infra, Tools, Total   *money.USD
	Savings, Doubtful          *money.USD
}

// dailyTie names the select by which the new daily sums are held against the records.
const dailyTie = "control totals of daily sums"

// tieDaily checks that the new daily sums of a program add up to its records.
func (l *Records) tieDaily(ctx context.Context, p *program.Program) (dailySums, error) {
	sides, err := warehouse.All[dailySums](ctx, l.w, p.Select(dailyTie, dailyTieText))
	if err != nil {
		return dailySums{}, err
	}
	return tiedDaily(sides)
}

// tiedDaily holds the sides against each other: the records, which tell everything,
// and what tells some of it.
func tiedDaily(sides []dailySums) (dailySums, error) {
	at := func(side string) int {
		return slices.IndexFunc(sides, func(s dailySums) bool { return s.Side == side })
	}
	records, sums, users := at("records"), at("daily sums"), at("daily sums of users")
	if len(sides) != 3 || records < 0 || sums < 0 || users < 0 {
		return dailySums{}, fmt.Errorf("%w: daily sums were held against nothing", ErrNotTied)
	}
	for _, other := range []int{sums, users} {
		if err := sides[records].differs(sides[other]); err != nil {
			return dailySums{}, err
		}
	}
	return sides[records], nil
}

// differs says in what another side is not what the records come to.
func (s dailySums) differs(other dailySums) error {
	compared := 0
	for _, c := range []struct {
		what     string
		is, says *int64
	}{
		{"records", s.Records, other.Records},
		{"records less those taken back", s.Standing, other.Standing},
		{"usage rows", s.Metered, other.Metered},
		{"tool calls", s.ToolCalls, other.ToolCalls},
		{"input tokens", s.InputTokens, other.InputTokens},
		{"output tokens", s.OutputTokens, other.OutputTokens},
		{"searches", s.Searches, other.Searches},
	} {
		if c.says == nil {
			continue
		}
		if compared++; c.is == nil || *c.is != *c.says {
			return fmt.Errorf("%w: %s: the %s are not what the records come to, %d", ErrNotTied, c.what, other.Side, *c.says)
		}
	}
	for _, c := range []struct {
		what     string
		is, says *money.USD
	}{
		{"LLM cost", s.LLM, other.LLM},
		{"infra cost", s.Infra, other.Infra},
		{"tool cost", s.Tools, other.Tools},
		{"total", s.Total, other.Total},
		{"cache savings", s.Savings, other.Savings},
		{"doubtful cost", s.Doubtful, other.Doubtful},
	} {
		if c.says == nil {
			continue
		}
		if compared++; c.is == nil || !c.is.Equal(*c.says) {
			return fmt.Errorf("%w: %s: the %s are not what the records come to, %s USD", ErrNotTied, c.what, other.Side, *c.says)
		}
	}
	if compared == 0 {
		return fmt.Errorf("%w: the %s were held against nothing", ErrNotTied, other.Side)
	}
	return nil
}

// FillDaily makes the daily sums of a ledger whose records are from before there were
// any, month by month, and marks them as whole with the last one. Where it is cut off
// it begins again. marks are what else of the ledger is whole, which is kept first.
func (l *Records) FillDaily(ctx context.Context, marks []warehouse.Change) error {
	whole, err := meta.Get(ctx, l.w, DailyMark)
	if err != nil {
		return err
	}
	if whole != "" {
		return l.w.Apply(ctx, marks...)
	}
	days, err := warehouse.All[civil.Date](ctx, l.w, warehouse.Select{
		Name: "days of cost records", Text: "select distinct usage_date from {record_facts} where usage_date >= {@since} order by usage_date", Args: Args{"since": civil.Min},
	})
	if err != nil {
		return err
	}
	if len(days) > 0 {
		if err := l.w.Apply(ctx, marks...); err != nil {
			return err
		}
	}
	for len(days) > 0 {
		month := days[0].Month()
		end := slices.IndexFunc(days, func(d civil.Date) bool { return d.Month() != month })
		if end < 0 {
			end = len(days)
		}
		if err := l.fillMonth(ctx, days[:end], end == len(days)); err != nil {
			return fmt.Errorf("daily sums of %s: %w", month, err)
		}
		days = days[end:]
		if len(days) == 0 {
			return nil
		}
	}
	return l.w.Apply(ctx, append(marks, meta.Set(DailyMark, "whole")...)...)
}

// fillMonth makes the daily sums of days of one month.
func (l *Records) fillMonth(ctx context.Context, days []civil.Date, last bool) error {
	p := program.New(l.w, nil, nil, Args{"first_day": days[0], "last_day": days[len(days)-1]})
	p.View("new_facts", "select "+factsTable.ColumnNames()+" from {record_facts} where usage_date between {@first_day} and {@last_day}")
	p.View("daily_tasks", "select task_id, agent_id from {"+record.TaskSchema.Table+"}")
	addDaily(p)
	if err := p.Run(ctx, dailyTables...); err != nil {
		return err
	}
	if _, err := l.tieDaily(ctx, p); err != nil {
		return err
	}
	changes := dailyChanges(warehouse.ReplaceDays{Days: days})
	if last {
		changes = append(changes, meta.Set(DailyMark, "whole")...)
	}
	if err := l.w.Apply(ctx, changes...); err != nil {
		return err
	}
	return l.w.Drop(ctx, dailyTables...)
}
