package records

import (
	"context"
	_ "embed" // texts of selects
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"chargeback/billing/manifest"
	"chargeback/billing/program"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/models"
	"chargeback/transform/money"
)

// ErrNotTied says that rows in and rows accounted for differ. Nothing of the
// run was kept.
var ErrNotTied = errors.New("control totals do not tie")

// ErrOtherRecords is the ErrNotTied of records that can't be priced again as they stand:
// they and their daily sums differ already. Computed from their rows they are mended.
var ErrOtherRecords = fmt.Errorf("%w: cost records and their daily sums differ", ErrNotTied)

// Build says which days are made and by what.
type Build struct {
	Days        []civil.Date // each once, oldest first
	LateUntil   civil.Date   // requests up to this day no longer wait for usage
	OpenMonth   civil.Month
	RateVersion string
	RunDate     civil.Date // the night's business day
	Fingerprint bool       // usage and a request that no id brings together may meet by what both count

	near *near // nil: all rows of the days and of those around them decide
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

// NoCostCenter bears what nobody's rule takes.
var NoCostCenter = CostCenter{Code: "UNALLOCATED", Department: "UNALLOCATED"}

// Meter is a model of a provider as it was sent.
type Meter struct {
	ID                                             int64 `column:"meter_id"`
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

// MatchReach is how many days beside a day can decide its records. A usage row
// and its request lie on neighbouring days at most; which of a request's usage
// rows bears its fees depends on all of them, a day further; and whether those
// are its own depends on all requests that they may belong to, a day further.
// With fewer days, records would depend on the windows they were made in.
const MatchReach = 3

// Reach are the days that decide the records of days: these and those beside them.
func Reach(days []civil.Date) []civil.Date { return beside(days, MatchReach) }

// Made are the cost records of some days, computed and not yet kept.
type Made struct {
	b       Build
	staged  int64        // rows of dirty_days when the days were computed
	closed  []civil.Date // first days of closed months
	records warehouse.ReplaceDays
	changes []warehouse.Change // beside the records and the changed days
}

// Compute computes the cost records of days into work tables: exactly what the
// models yield. Days of a closed month keep their rows; what has come since
// becomes adjustments in b.OpenMonth. It returns ErrNotTied where a usage row is
// neither charged nor set aside. Nothing of the ledger has changed until its
// Changes are applied.
func (l *Records) Compute(ctx context.Context, b Build, refs References) (*Made, error) {
	staged, err := warehouse.One[int64](ctx, l.q, warehouse.Select{Name: "days that changed", Text: "select count(*) as changed from {dirty_days}"})
	if err != nil {
		return nil, err
	}
	m := &Made{b: b, staged: staged}
	if b.near != nil {
		m.staged = b.near.notes // what came since is in no work table
	}
	if len(b.Days) > 0 {
		if err := l.compute(ctx, m, refs); err != nil {
			return nil, fmt.Errorf("cost records of %s: %w", spans(b.Days), err)
		}
	}
	if alone := b.alone().Days(); len(alone) > 0 {
		if len(b.Days) == 0 {
			if m.changes, err = l.putReferences(ctx, b.RateVersion, refs); err != nil {
				return nil, err
			}
		}
		if err := l.reprice(ctx, m); err != nil {
			return nil, fmt.Errorf("cost records of %s at another price: %w", spans(alone), err)
		}
	}
	return m, nil
}

// Changes are what makes the days the ledger's, all or none of it. Where another
// process has staged rows since they were computed, they end with ErrChanged: these
// would be in no record, and their day no longer marked as changed.
func (m *Made) Changes() []warehouse.Change {
	changes := []warehouse.Change{warehouse.Guard{
		// Staging adds a row for each day.
		Count: warehouse.Select{Name: "days that have changed meanwhile", Text: "select count(*) - {@staged} as changed from {dirty_days}", Args: Args{"staged": m.staged}},
	}}
	if done := m.b.settled(); len(done) > 0 {
		changes = append(changes, warehouse.Delete{Table: manifest.DirtyDaysTable.Name, Where: "day in ({@days})", Args: Args{"days": done}})
	}
	return append(changes, m.ofRecords()...)
}

// ofRecords are the changes of records, and of what comes with them.
func (m *Made) ofRecords() []warehouse.Change {
	if len(m.b.Days) == 0 {
		return m.changes
	}
	return append([]warehouse.Change{m.records}, m.changes...)
}

// layout are the tables that computing records reads and changes.
var layout = warehouse.Layout{Tables: slices.Concat(manifest.Tables(), Tables())}

// After are the records as it will be when days that were made are kept.
func (l *Records) After(m *Made) *Records {
	changes := m.ofRecords()
	if len(changes) == 0 {
		return l
	}
	views, args := layout.After(changes...)
	for _, v := range []warehouse.View{costItems, costRecords, dailyItems} { // as stored they read what is stored
		views[v.Name] = v.Text
	}
	after := *l
	after.q = warehouse.With(l.w, views, args)
	return &after
}

func (l *Records) compute(ctx context.Context, m *Made, refs References) error {
	p, args, within, err := l.recordsOf(ctx, m, refs)
	if err != nil {
		return err
	}
	if err := l.addOccasions(ctx, m.b, args); err != nil {
		return err
	}
	if err := p.Run(ctx, madeTables...); err != nil {
		return err
	}
	m.records = warehouse.ReplaceDays{Table: factsTable.Name, Days: m.b.Days, From: "new_facts"}
	if len(m.closed) > 0 {
		m.records.Where, m.records.Args = openMonths, Args{"closed": m.closed}
	}
	m.changes = append(m.changes, dailyChanges(m.records)...)
	m.changes = append(m.changes,
		warehouse.ReplaceDays{Table: repeatsTable.Name, Days: m.b.Days, From: "new_repeats"},
		warehouse.Append{Table: record.ActorSchema.Table, From: "new_actors"},
		warehouse.Append{Table: record.TaskSchema.Table, From: "new_tasks"},
	)
	if within {
		ids, err := l.noteLateIDs(ctx, m.b.Days, m.closed)
		if err != nil {
			return err
		}
		m.changes = append(m.changes, ids...)
	}
	sums, err := l.tieDaily(ctx, p)
	if err == nil && m.b.near != nil {
		err = l.w.Drop(ctx, nearTables...)
	}
	if err != nil || within {
		return err // of a closed month its rows stand as they were; staged rows don't tie to what is new
	}
	return l.tie(ctx, args, sums)
}

// madeTables are the work tables of what is made.
var madeTables = append([]string{"new_facts", "new_repeats", "new_actors", "new_tasks"}, dailyTables...)

// openMonths are the records that no closed month charges.
const openMonths = "billing_month not in ({@closed})"

// recordsOf puts the references, and is the program that makes the days; within says
// that some of them lie in a closed month. What models are there for is not in its
// arguments yet.
func (l *Records) recordsOf(ctx context.Context, m *Made, refs References) (_ *program.Program, args Args, within bool, err error) {
	if m.changes, err = l.putReferences(ctx, m.b.RateVersion, refs); err != nil {
		return nil, nil, false, err
	}
	closed, err := ClosedMonths(ctx, l.q)
	if err != nil {
		return nil, nil, false, err
	}
	for _, month := range slices.SortedFunc(maps.Keys(closed), civil.Month.Compare) {
		m.closed = append(m.closed, month.FirstDay())
		within = within || slices.ContainsFunc(m.b.Days, func(d civil.Date) bool { return d.Month() == month })
	}
	args = Args{
		"days": m.b.Days, "scan_days": m.b.scanned(),
		"late_until": m.b.LateUntil, "open_month": m.b.OpenMonth.FirstDay(), "run_date": m.b.RunDate, "payers_stay": false, "fingerprint": m.b.Fingerprint,
	}
	p := l.program(args)
	for name, text := range m.b.staged(args) {
		p.View(name, text)
	}
	p.AddAll()
	columns := factsTable.ColumnNames()
	records := "select " + columns + " from {fresh_records}"
	open := "true"
	if len(m.closed) > 0 {
		open, args["closed"] = openMonths, m.closed
	}
	if within {
		p.WideTable("new_records", "model fresh_records", p.Text("fresh_records"))
		p.View("fresh_records", "select * from {new_records}")
		records = "select " + columns + " from {new_records} where " + open + "\nunion all\nselect " + columns + " from {adjustments}"
	}
	p.WideTable("new_facts", "records", m.b.parted(factsTable, records, "if(f.usage_line is null, 'request', 'usage')", "ifnull(f.usage_object_id, f.request_object_id)", "ifnull(f.usage_line, f.request_line)", args))
	p.Table("new_repeats", "rows that are not charged", m.b.parted(repeatsTable, `
select 'usage' as kind, object_id, line, usage_date, verdict from {usage_repeats} where verdict <> 'kept' and usage_date in ({@days})
union all
select 'request' as kind, object_id, line, request_date as usage_date, aside as verdict from {request_changes} where aside is not null and request_date in ({@days})
union all
select 'request' as kind, object_id, line, request_date as usage_date, 'duplicate' as verdict from {unbilled_attempts} where request_date in ({@days})`, "f.kind", "f.object_id", "f.line", args))
	p.Table("new_actors", "actors", "select distinct actor_id, user_id, user_email, team, key_alias, project from {calls_merged} where actor_id not in (select actor_id from {actors})")
	p.Table("new_tasks", "tasks", "select distinct task_id, agent_id, cost_center, tools from {calls_merged} where task_id not in (select task_id from {tasks})")
	p.View("daily_tasks", "select task_id, agent_id from {tasks} union all select task_id, agent_id from {new_tasks}")
	addDaily(p)
	return p, args, within, nil
}

// addOccasions adds what some models are there for: whether the days' requests come
// from several sources, so that a call may have been logged by more than one;
// whether writes to a prompt cache don't say how long they are kept; and whether a
// model costs what its gateway reported. Without an occasion they read nothing.
func (l *Records) addOccasions(ctx context.Context, b Build, args Args) error {
	found, err := warehouse.One[struct{ Sources, Untold, Reported int64 }](ctx, l.q, warehouse.Select{Name: "what the models are needed for", Text: occasions, Args: args, Views: b.staged(args)})
	if err != nil {
		return err
	}
	args["several_platforms"], args["writes_untold"], args["costs_reported"] = found.Sources > 1, found.Untold > 0, found.Reported > 0
	return nil
}

//go:embed occasions.sql
var occasions string

// spans writes days as runs, for messages.
func spans(days []civil.Date) string {
	if len(days) == 1 {
		return days[0].String()
	}
	return fmt.Sprintf("%s to %s", days[0], days[len(days)-1])
}

// tie checks that every staged usage row of the days is charged once or set
// aside once, and that amounts add up across. (That every request is accounted
// for once holds by how the models take them; it is tested, not counted again
// each night.)
func (l *Records) tie(ctx context.Context, args Args, sums dailySums) error {
	rows, err := warehouse.One[struct{ Staged, SetAside int64 }](ctx, l.w, warehouse.Select{Name: "control totals", Text: controlTotals, Args: args})
	if err != nil {
		return err
	}
	if rows.Staged != rows.SetAside+*sums.Metered {
		return fmt.Errorf("%w: %d usage rows staged, %d set aside as duplicates or conflicts, %d charged", ErrNotTied, rows.Staged, rows.SetAside, *sums.Metered)
	}
	if across := money.Sum(*sums.LLM, *sums.Infra, *sums.Tools); !sums.Total.Equal(across) {
		return fmt.Errorf("%w: total %s USD, but LLM + infra + tools is %s USD", ErrNotTied, sums.Total, across)
	}
	return nil
}

//go:embed control_totals.sql
var controlTotals string // what tie checks besides the daily sums

// putReferences makes work tables of what the models join with. What is met for the
// first time, a rate or a cost centre that bears a record, is among the changes.
func (l *Records) putReferences(ctx context.Context, version string, refs References) (changes []warehouse.Change, err error) {
	if err := l.readIDs(ctx, version); err != nil {
		return nil, err
	}
	payers, err := l.newPayers(ctx, refs.CostCenters)
	if err != nil {
		return nil, err
	}
	if err := l.w.Put(ctx, "new_rates", rateEntriesTable.Columns, l.newRates(version, refs.Rates)); err != nil {
		return nil, err
	}
	if err := l.w.Put(ctx, "new_payers", payersTable.Columns, payers); err != nil {
		return nil, err
	}
	rows := refs.rows(version, l.ids)
	for _, t := range referenceTables {
		if err := l.w.Put(ctx, t.Name, t.Columns, rows[t.Name]); err != nil {
			return nil, err
		}
	}
	return referenceChanges, nil
}

// referenceChanges keep what putReferences has met for the first time.
var referenceChanges = []warehouse.Change{
	warehouse.Append{Table: rateEntriesTable.Name, From: "new_rates"},
	warehouse.Append{Table: payersTable.Name, From: "new_payers"},
}

// Program puts references where models read them, and begins a program that reads
// these, with the rates and payers that they have met for the first time.
func (l *Records) Program(ctx context.Context, version string, refs References, args Args) (*program.Program, error) {
	if _, err := l.putReferences(ctx, version, refs); err != nil {
		return nil, err
	}
	return l.program(args), nil
}

func (l *Records) program(args Args) *program.Program {
	views, more := layout.After(referenceChanges...)
	maps.Copy(args, more)
	maps.Copy(args, models.States())
	args["unallocated"] = l.ids.payer(NoCostCenter)
	return program.New(l.w, l.models, views, args)
}

// Views are texts of models, to stand in Views of selects that read them.
func (l *Records) Views(names ...string) map[string]string {
	views := map[string]string{}
	for _, m := range l.models {
		if slices.Contains(names, m.Name) {
			views[m.Name] = m.Text
		}
	}
	return views
}

// PutAliases puts the other names of people alone where selects read them.
func (l *Records) PutAliases(ctx context.Context, aliases []Alias) error {
	rows := References{Aliases: aliases}.rows("", l.ids)[refAliasesTable.Name]
	return l.w.Put(ctx, refAliasesTable.Name, refAliasesTable.Columns, rows)
}

func (r References) rows(version string, given *ids) map[string][][]any {
	rows := map[string][][]any{}
	add := func(t Table, values ...any) { rows[t.Name] = append(rows[t.Name], values) }
	for _, c := range r.Cards {
		add(refCardsTable, c.Meter, c.Card, c.Model)
	}
	for _, rate := range r.Rates {
		add(refRatesTable, rate.row(given.rate(version, rate))...)
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
		add(refCostCentersTable, c.Code, given.payer(c))
	}
	for _, s := range r.Successors {
		add(refSuccessorsTable, s.Code, given.payer(s.Payer), s.From, s.To)
	}
	for _, d := range r.Departments {
		add(refDepartmentsTable, d.Name, given.payer(d.Center))
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

// newPayers are the cost centres that may bear a record for the first time:
// those of the directory and those that people belong to.
func (l *Records) newPayers(ctx context.Context, centers []CostCenter) ([][]any, error) {
	var rows [][]any
	met := map[CostCenter]bool{}
	add := func(c CostCenter) {
		if id := l.ids.payer(c); !l.ids.payers.kept[c] && !met[c] {
			met[c] = true
			rows = append(rows, []any{id, c.Department, c.Code})
		}
	}
	add(NoCostCenter)
	for _, c := range centers {
		add(c)
	}
	err := warehouse.Each(ctx, l.q, warehouse.Select{
		Name: "people's cost centres",
		Text: "select distinct department, cost_center as code from {people} where department <> '' and cost_center <> '' order by department, code",
	}, func(c CostCenter) error {
		add(c)
		return nil
	})
	return rows, err
}

// newRates are the rates that price records for the first time.
func (l *Records) newRates(version string, all []Rate) (rows [][]any) {
	met := map[int64]bool{}
	for _, rate := range all {
		if id, hash := l.ids.rate(version, rate), rate.hash(version); !l.ids.rates.kept[hash] && !met[id] {
			met[id] = true
			rows = append(rows, rate.entry(id, version))
		}
	}
	return rows
}

//go:embed meters_seen.sql
var metersSeen string

//go:embed names_seen.sql
var namesSeen string

// stagedNames are the ids of which the names occur in staged rows of days.
var stagedNames = map[string]string{
	"actors_seen":  "select actor_id from {requests} where request_date in ({@scan_days})",
	"callers_seen": "select caller_id from {usage} where usage_date in ({@scan_days})",
	"tasks_seen":   "select task_id from {requests} where request_date in ({@scan_days})",
}

// Seen lists what occurs in the rows that decide the records of a build.
func (l *Records) Seen(ctx context.Context, b Build) (Seen, error) {
	args := Args{}
	s, err := l.seenOn(ctx, b.scanned(), args, b.staged(args))
	if err != nil || len(b.alone()) == 0 {
		return s, err
	}
	occurred, err := l.occurredAlone(ctx, b)
	for _, o := range occurred {
		for _, m := range o.Meters {
			if !slices.Contains(s.Meters, m) {
				s.Meters = append(s.Meters, m)
			}
		}
	}
	days := b.alone().Days()
	span := [2]time.Time{days[0].AddDays(-1).Start(time.UTC), days[len(days)-1].AddDays(2).Start(time.UTC)}
	if s.Span[0].IsZero() || span[0].Before(s.Span[0]) {
		s.Span[0] = span[0]
	}
	s.Span[1] = later(s.Span[1], span[1])
	return s, err
}

// occurredAlone are the models of days of which records are priced again as they stand.
func (l *Records) occurredAlone(ctx context.Context, b Build) ([]Occurring, error) {
	days := b.alone().Days()
	if len(days) == 0 {
		return nil, nil
	}
	all, err := l.OccurringOnce(ctx, Days{First: days[0], Last: days[len(days)-1]})
	return slices.DeleteFunc(all, func(o Occurring) bool { return !slices.Contains(days, o.Day) }), err
}

// SeenOn lists what occurs on some days, for who prices their records again.
func (l *Records) SeenOn(ctx context.Context, days Days) (Seen, error) {
	return l.seenOn(ctx, days.All(), Args{}, nil)
}

// seenOn lists what occurs on some days, in any zone.
func (l *Records) seenOn(ctx context.Context, days []civil.Date, args Args, views map[string]string) (Seen, error) {
	if len(days) == 0 {
		return Seen{}, nil
	}
	args["scan_days"] = days
	s, err := l.seen(ctx, args, views)
	if err != nil {
		return s, fmt.Errorf("read what occurs: %w", err)
	}
	s.Span = [2]time.Time{days[0].AddDays(-1).Start(time.UTC), days[len(days)-1].AddDays(2).Start(time.UTC)}
	return s, nil
}

// seen lists what needs resolving: the dimensions' rows that occur.
func (l *Records) seen(ctx context.Context, args Args, views map[string]string) (s Seen, err error) {
	s.Meters, err = warehouse.All[Meter](ctx, l.q, warehouse.Select{Name: "models that occur", Text: metersSeen, Args: args, Views: views})
	if err != nil {
		return s, err
	}
	err = l.names(ctx, stagedNames, args, views, &s)
	return s, err
}

// names adds the names of ids, which are views for namesSeen, over other views.
func (l *Records) names(ctx context.Context, ids map[string]string, args Args, over map[string]string, s *Seen) error {
	views := maps.Clone(ids)
	maps.Copy(views, over)
	return warehouse.Each(ctx, l.q, warehouse.Select{Name: "names that occur", Text: namesSeen, Views: views, Args: args}, func(r struct{ Kind, Name string }) error {
		switch kind, name := r.Kind, r.Name; kind {
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
