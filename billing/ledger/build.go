package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chargeback/transform/civil"
)

// ErrNotTied says that rows in and rows accounted for differ. Nothing of the
// run was kept.
var ErrNotTied = errors.New("control totals do not tie")

// Days is a run of business dates, both ends inclusive.
type Days struct{ First, Last civil.Date }

// Build says which days are made anew and by what.
type Build struct {
	Days        []Days     // not touching each other, oldest first
	LateUntil   civil.Date // requests up to this day no longer wait for usage
	OpenMonth   civil.Month
	RateVersion string
	RunDate     civil.Date // the night's business day
	Fingerprint bool       // usage and a request that no id brings together may meet by what both count
	References  func(Seen) (References, error)
}

// Seen is what occurs in the staged rows of the days, for what Go resolves and
// SQL then joins.
type Seen struct {
	Span   [2]time.Time // in which all of it started, the end exclusive
	Meters []Meter
	Owned  [][2]string // kind, value: keys, teams, projects, callers
	Tools  []string    // tool mixes

	Departments []string // of people of whom a snapshot names no cost centre
	Users       []string // who asked, where people files show other names of people
}

// References are the rows that the models join with.
type References struct {
	Cards        []Card
	Rates        []Rate
	Markups      []Markup
	ToolFees     []ToolFee
	CostCenters  []CostCenter
	Successors   []Successor
	Departments  []Department
	Aliases      []Alias
	PeopleFrom   []string // sources of people in the order in which their snapshots are believed
	RequestsFrom []string // sources in the order in which their record of a call counts
	Agents       []Agent
	Owners       []Owner
	CallerUsers  [][2]string // caller, user: callers that are a person who signed on
	UsageFrom    []string    // providers whose own per-request file is the usage
	CacheTTLs    []CacheTTL
}

// CacheTTL says how long cache writes are kept where no record says so: those
// of a source, or, where Source is empty, those of a meter.
type CacheTTL struct {
	Source string
	Meter  int64
	TTL    string // TTL5m or TTL1h
}

// How long writes to a prompt cache are kept.
const (
	TTL5m = "5m"
	TTL1h = "1h"
)

// CostCenter is a cost centre and the department that it belongs to.
type CostCenter struct{ Code, Department string }

// Successor pays for a cost centre that has ended, from a day until a day.
type Successor struct {
	Code     string // of the one that has ended
	Payer    CostCenter
	From, To civil.Date
}

// Department has a cost centre that pays for its people where a snapshot names
// none.
type Department struct {
	Name   string // as snapshots have it
	Center CostCenter
}

// Alias says which address stands for another one on some days. The rows of an
// address cover all days.
type Alias struct {
	Address, Email string
	From, To       civil.Date
}

// unallocated bears what nobody's rule takes.
var unallocated = CostCenter{Code: "UNALLOCATED", Department: "UNALLOCATED"}

// Meter is a model of a provider as it was sent.
type Meter struct {
	ID                                             int64
	Provider, Account, Region, Model, Tier, Notice string
}

// Agent is an agent with its owner: a cost centre or an address.
type Agent struct {
	ID, CostCenter, OwnerEmail string
	From, To                   civil.Date
}

// Owner owns a key, team, project or caller.
type Owner struct {
	Kind, Value, CostCenter string
	From, To                civil.Date
}

// ReplaceDays makes the cost records of the days exactly what the models
// yield, and runs then in the same transaction. It is atomic: a reader, and a
// process started after a crash, sees the old rows or the new rows, never a
// mixture. Days of a closed month keep their rows; what has come since becomes
// adjustments in b.OpenMonth. It returns ErrNotTied, and keeps nothing, where a
// usage row is neither charged nor set aside, and ErrChanged where another
// process has staged rows meanwhile.
func (l *Ledger) ReplaceDays(ctx context.Context, b Build, then func() error) error {
	staged, err := l.one(ctx, "select count(*) from dirty_days", nil)
	if err != nil {
		return fmt.Errorf("read changed days: %w", err)
	}
	if len(b.Days) > 0 {
		if err := l.loadReferences(ctx, b); err != nil {
			return err
		}
	}
	return l.engine.Transact(ctx, func() error {
		// Rows that another process stages from here on would be in no record, and
		// their day no longer marked as changed. Staging adds a row for each day.
		if err := l.engine.Require(ctx, "select count(*) - @staged from dirty_days", Args{"staged": staged.Int(0)}); err != nil {
			return err
		}
		for _, days := range b.Days {
			if err := l.replace(ctx, b, days); err != nil {
				return fmt.Errorf("cost records of %s to %s: %w", days.First, days.Last, err)
			}
		}
		return then()
	})
}

// matchReach is how many days beside a day can decide its records. A usage row
// and its request lie on neighbouring days at most; which of a request's usage
// rows bears its fees depends on all of them, a day further; and whether those
// are its own depends on all requests that they may belong to, a day further.
// With fewer days, records would depend on the windows they were made in.
const matchReach = 3

func (l *Ledger) replace(ctx context.Context, b Build, days Days) error {
	args := Args{
		"first_day": days.First, "last_day": days.Last,
		"scan_first": days.First.AddDays(-matchReach), "scan_last": days.Last.AddDays(matchReach),
		"late_until": b.LateUntil, "open_month": b.OpenMonth.FirstDay(), "run_date": b.RunDate, "unallocated": payerID(unallocated), "payers_stay": false, "fingerprint": b.Fingerprint,
	}
	closed, err := l.closedWithin(ctx, days)
	if err != nil {
		return err
	}
	if err := l.addOccasions(ctx, args); err != nil {
		return err
	}
	for _, m := range l.models {
		if m.Name == "adjustments" && !closed {
			continue
		}
		if err := l.engine.Keep(ctx, m.Name, m.AsTable, m.Text, args); err != nil {
			return fmt.Errorf("model %s: %w", m.Name, err)
		}
	}
	columns := factsTable.ColumnNames()
	steps := []string{
		"delete from record_facts where usage_date between @first_day and @last_day and billing_month not in (select first_day from months where state = 'closed')",
		"insert into record_facts (" + columns + ") select " + columns + " from fresh_records where billing_month not in (select first_day from months where state = 'closed')",
		"delete from dirty_days where day between @first_day and @last_day",
		"delete from repeats where usage_date between @first_day and @last_day",
		"insert into repeats (kind, object_id, line, usage_date, verdict) select 'usage' as kind, object_id, line, usage_date, verdict from usage_repeats where verdict <> 'kept' and usage_date between @first_day and @last_day",
		"insert into repeats (kind, object_id, line, usage_date, verdict) select 'request' as kind, object_id, line, request_date as usage_date, aside as verdict from request_changes where aside is not null and request_date between @first_day and @last_day",
		"insert into repeats (kind, object_id, line, usage_date, verdict) select 'request' as kind, object_id, line, request_date as usage_date, 'duplicate' as verdict from unbilled_attempts where request_date between @first_day and @last_day",
		"insert into actors (actor_id, user_id, user_email, team, key_alias, project) select distinct actor_id, user_id, user_email, team, key_alias, project from calls_merged where actor_id not in (select actor_id from actors)",
		"insert into tasks (task_id, agent_id, cost_center, tools) select distinct task_id, agent_id, cost_center, tools from calls_merged where task_id not in (select task_id from tasks)",
	}
	if closed {
		steps = append(steps, "insert into record_facts ("+columns+") select "+columns+" from adjustments")
	}
	for _, text := range steps {
		if err := l.engine.Exec(ctx, text, args); err != nil {
			return fmt.Errorf("%.40s...: %w", text, err)
		}
	}
	if closed {
		return nil // the closed rows stand as they were; there is nothing new to tie them to
	}
	return l.tie(ctx, args)
}

// addOccasions adds what some models are there for: whether the days' requests come
// from several sources, so that a call may have been logged by more than one;
// whether writes to a prompt cache don't say how long they are kept; and whether a
// model costs what its gateway reported. Without an occasion they read nothing.
func (l *Ledger) addOccasions(ctx context.Context, args Args) error {
	row, err := l.one(ctx, `
select
  (select count(distinct o.source) from objects as o where o.object_id in (select r.object_id from requests as r where r.request_date between @scan_first and @scan_last)) as sources,
  (select count(*) from usage as u where u.usage_date between @scan_first and @scan_last and u.cache_write_unknown_tokens > 0)
  + (select count(*) from requests as r where r.request_date between @scan_first and @scan_last and r.cache_write_unknown_tokens > 0) as untold,
  (select count(*) from ref_rates as p where p.reported) as reported`, args)
	if err != nil {
		return fmt.Errorf("read what the models are needed for: %w", err)
	}
	args["several_platforms"], args["writes_untold"], args["costs_reported"] = row.Int(0) > 1, row.Int(1) > 0, row.Int(2) > 0
	return nil
}

func (l *Ledger) closedWithin(ctx context.Context, days Days) (bool, error) {
	row, err := l.one(ctx, "select count(*) from months where state = 'closed' and month between @first_month and @last_month",
		Args{"first_month": days.First.Month(), "last_month": days.Last.Month()})
	if err != nil {
		return false, fmt.Errorf("read closed months: %w", err)
	}
	return row.Int(0) > 0, nil
}

// tie checks that every staged usage row of the days is charged once or set
// aside once, and that amounts add up across. (That every request is accounted
// for once holds by how the models take them; it is tested, not counted again
// each night.)
func (l *Ledger) tie(ctx context.Context, args Args) error {
	row, err := l.one(ctx, `
select
  (select count(*) from usage where usage_date between @first_day and @last_day) as staged,
  (select count(*) from repeats where kind = 'usage' and usage_date between @first_day and @last_day) as set_aside,
  count(usage_line) as charged,
  total_usd(total_cost_usd) as total,
  total_usd(llm_cost_usd) as llm,
  total_usd(infra_cost_usd) as infra,
  total_usd(tool_cost_usd) as tools
from record_facts
where usage_date between @first_day and @last_day`, args)
	if err != nil {
		return fmt.Errorf("read control totals: %w", err)
	}
	staged, aside, charged := row.Int(0), row.Int(1), row.Int(2)
	if staged != aside+charged {
		return fmt.Errorf("%w: %d usage rows staged, %d set aside as duplicates or conflicts, %d charged", ErrNotTied, staged, aside, charged)
	}
	if sum := row.USD(4).Add(row.USD(5)).Add(row.USD(6)); !row.USD(3).Equal(sum) {
		return fmt.Errorf("%w: total %s USD, but LLM + infra + tools is %s USD", ErrNotTied, row.USD(3), sum)
	}
	return nil
}

// loadReferences writes what the models of all days join with. It is a
// transaction of its own: nobody reads these tables but the models, which come
// next, and an engine may compute these before it begins theirs.
func (l *Ledger) loadReferences(ctx context.Context, b Build) error {
	refs, err := l.referencesOf(ctx, b)
	if err != nil {
		return err
	}
	return l.engine.Transact(ctx, func() error { return l.writeReferences(ctx, b.RateVersion, refs) })
}

// referencesOf resolves what occurs on the days and those beside them.
func (l *Ledger) referencesOf(ctx context.Context, b Build) (References, error) {
	seen, err := l.seenWithin(ctx, b.Days[0].First.AddDays(-matchReach), b.Days[len(b.Days)-1].Last.AddDays(matchReach))
	if err != nil {
		return References{}, err
	}
	return b.References(seen)
}

// writeReferences replaces what the models join with.
func (l *Ledger) writeReferences(ctx context.Context, version string, refs References) error {
	if err := l.keepRates(ctx, version, refs.Rates); err != nil {
		return err
	}
	if err := l.keepPayers(ctx, refs.CostCenters); err != nil {
		return err
	}
	rows := refs.rows(version)
	for _, t := range referenceTables {
		if err := l.engine.Exec(ctx, "delete from "+t.Name+" where true", nil); err != nil {
			return fmt.Errorf("empty %s: %w", t.Name, err)
		}
		if err := l.engine.Insert(ctx, t, rows[t.Name]); err != nil {
			return err
		}
	}
	return nil
}

func (r References) rows(version string) map[string][][]any {
	rows := map[string][][]any{}
	add := func(t Table, values ...any) { rows[t.Name] = append(rows[t.Name], values) }
	for _, c := range r.Cards {
		add(refCardsTable, c.Meter, c.Card, c.Model)
	}
	for _, rate := range r.Rates {
		add(refRatesTable, rate.row(version)...)
	}
	for _, m := range r.Markups {
		add(refMarkupsTable, m.CostCenter, int64(m.Percent), m.From, m.To)
	}
	for _, f := range r.ToolFees {
		if f.Missing != "" {
			add(refToolFeesTable, f.Tools, int64(f.Markup), f.From, f.To, nil, f.Missing)
		} else {
			add(refToolFeesTable, f.Tools, int64(f.Markup), f.From, f.To, f.Pico, nil)
		}
	}
	for _, c := range r.CostCenters {
		add(refCostCentersTable, c.Code, payerID(c))
	}
	for _, s := range r.Successors {
		add(refSuccessorsTable, s.Code, payerID(s.Payer), s.From, s.To)
	}
	for _, d := range r.Departments {
		add(refDepartmentsTable, d.Name, payerID(d.Center))
	}
	for _, a := range r.Aliases {
		add(refAliasesTable, a.Address, a.Email, a.From, a.To)
	}
	for i, source := range r.PeopleFrom {
		add(refPeopleSourcesTable, source, i)
	}
	for i, source := range r.RequestsFrom {
		add(refRequestSourcesTable, source, i)
	}
	for _, a := range r.Agents {
		add(refAgentsTable, a.ID, nullText(a.CostCenter), nullText(a.OwnerEmail), a.From, a.To)
	}
	for _, o := range r.Owners {
		add(refOwnersTable, o.Kind, o.Value, o.CostCenter, o.From, o.To)
	}
	for _, c := range r.CallerUsers {
		add(refCallerUsersTable, c[0], c[1])
	}
	for _, p := range r.UsageFrom {
		add(refUsageFromTable, p)
	}
	for _, c := range r.CacheTTLs {
		if c.Source != "" {
			add(refCacheTTLsTable, c.Source, nil, c.TTL)
		} else {
			add(refCacheTTLsTable, nil, c.Meter, c.TTL)
		}
	}
	return rows
}

func payerID(c CostCenter) int64 { return idOf(c.Department, c.Code) }

// keepPayers adds the cost centres that may bear a record for the first time:
// those of the directory and those that people belong to.
func (l *Ledger) keepPayers(ctx context.Context, centers []CostCenter) error {
	known := map[int64]bool{}
	err := l.engine.Query(ctx, "select payer_id from payers", nil, func(r Row) error {
		known[r.Int(0)] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("read payers: %w", err)
	}
	var rows [][]any
	add := func(c CostCenter) {
		if id := payerID(c); !known[id] {
			known[id] = true
			rows = append(rows, []any{id, c.Department, c.Code})
		}
	}
	add(unallocated)
	for _, c := range centers {
		add(c)
	}
	err = l.engine.Query(ctx, "select distinct department, cost_center from people where department <> '' and cost_center <> '' order by 1, 2", nil, func(r Row) error {
		add(CostCenter{Department: r.Text(0), Code: r.Text(1)})
		return nil
	})
	if err != nil {
		return fmt.Errorf("read people's cost centres: %w", err)
	}
	return l.engine.Insert(ctx, payersTable, rows)
}

// keepRates adds the rates that price records for the first time.
func (l *Ledger) keepRates(ctx context.Context, version string, all []Rate) error {
	known := map[int64]bool{}
	err := l.engine.Query(ctx, "select rate_id from rate_entries where rate_version = @rate_version", Args{"rate_version": version}, func(r Row) error {
		known[r.Int(0)] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("read rate entries: %w", err)
	}
	var rows [][]any
	for _, rate := range all {
		if id := rate.id(version); !known[id] {
			known[id] = true
			rows = append(rows, rate.entry(version))
		}
	}
	return l.engine.Insert(ctx, rateEntriesTable, rows)
}

// metersSeen is what occurs in the days' rows.
const metersSeen = `
select distinct provider, ifnull(account, ''), ifnull(region, ''), model, ifnull(service_tier, ''), ifnull(notice, ''), meter_id
from meters
where meter_id in (select meter_id from usage where usage_date between @scan_first and @scan_last)
  or meter_id in (select meter_id from requests where request_date between @scan_first and @scan_last)
order by 1, 4, 2, 3, 5, 6, 7`

// namesSeen are the names that occur, by the selects of the ids that do.
func namesSeen(actors, callers, tasks string) string {
	return `
with active_actors as (
  select key_alias, team, project, coalesce(user_email, user_id) as user_name
  from actors
  where actor_id in (` + actors + `)
),
names as (
  select 'key' as kind, key_alias as name from active_actors
  union distinct
  select 'team' as kind, team as name from active_actors
  union distinct
  select 'project' as kind, project as name from active_actors
  union distinct
  select 'caller' as kind, caller as name
  from callers
  where caller_id in (` + callers + `)
  union distinct
  select 'tools' as kind, tools as name
  from tasks
  where task_id in (` + tasks + `)
  union distinct
  select 'department' as kind, department as name
  from people
  where snapshot_date is not null and cost_center = '' and department <> ''
  union distinct
  select 'user' as kind, user_name as name
  from active_actors
  where (select count(names) from people) > 0
)
select kind, name
from names
where name is not null
order by kind, name`
}

// seenWithin lists what occurs on some days, in any zone.
func (l *Ledger) seenWithin(ctx context.Context, first, last civil.Date) (Seen, error) {
	s, err := l.seen(ctx, Args{"scan_first": first, "scan_last": last})
	if err != nil {
		return s, fmt.Errorf("read what occurs: %w", err)
	}
	s.Span = [2]time.Time{first.AddDays(-1).Start(time.UTC), last.AddDays(2).Start(time.UTC)}
	return s, nil
}

// seen lists what needs resolving: the dimensions' rows that occur.
func (l *Ledger) seen(ctx context.Context, args Args) (s Seen, err error) {
	err = l.engine.Query(ctx, metersSeen, args, func(r Row) error {
		s.Meters = append(s.Meters, Meter{r.Int(6), r.Text(0), r.Text(1), r.Text(2), r.Text(3), r.Text(4), r.Text(5)})
		return nil
	})
	if err != nil {
		return s, err
	}
	err = l.names(ctx, namesSeen(
		"select actor_id from requests where request_date between @scan_first and @scan_last",
		"select caller_id from usage where usage_date between @scan_first and @scan_last",
		"select task_id from requests where request_date between @scan_first and @scan_last",
	), args, &s)
	return s, err
}

// names adds the names that text selects.
func (l *Ledger) names(ctx context.Context, text string, args Args, s *Seen) error {
	return l.engine.Query(ctx, text, args, func(r Row) error {
		switch kind, name := r.Text(0), r.Text(1); kind {
		case "tools":
			s.Tools = append(s.Tools, name)
		case "department":
			s.Departments = append(s.Departments, name)
		case "user":
			s.Users = append(s.Users, name)
		default:
			s.Owned = append(s.Owned, [2]string{kind, name})
		}
		return nil
	})
}
