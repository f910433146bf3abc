package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"chargeback/transform/civil"
)

// said gives models of people as common table expressions, for selects outside
// of a night.
func (l *Ledger) said(names ...string) string {
	text := ""
	for _, name := range names {
		for _, m := range l.models {
			if m.Name == name {
				text += ",\n" + name + " as (\n" + m.Text + "\n)"
			}
		}
	}
	return "with " + text[2:]
}

// PersonNames are other names under which a source showed a person, from a
// snapshot's day until a later snapshot of the source that shows others or
// doesn't show the person. Of what the names are, record.EachName tells.
type PersonNames struct {
	Source, Email, Names string
	From                 civil.Date // as far back as the export dates the person
	Since, To            civil.Date // To is exclusive
}

// namesShown are runs of snapshots of one source that show a person with the same
// other names.
const namesShown = `
with shown as (
  select
    o.source,
    p.email,
    p.names,
    p.snapshot_date,
    min(p.valid_from) as valid_from
  from people as p
  inner join objects as o on o.object_id = p.object_id
  where p.names is not null and p.snapshot_date is not null
  group by o.source, p.email, p.names, p.snapshot_date
),
days as (
  select distinct
    o.source,
    p.snapshot_date
  from people as p
  inner join objects as o on o.object_id = p.object_id
  where p.snapshot_date is not null and o.source in (select source from shown)
),
days_in_order as (
  select
    source,
    snapshot_date,
    lead(snapshot_date) over (partition by source order by snapshot_date) as next_date
  from days
),
marked as (
  select
    s.source,
    s.email,
    s.names,
    s.snapshot_date,
    s.valid_from,
    d.next_date,
    if(lag(d.next_date) over (partition by s.source, s.email, s.names order by s.snapshot_date) = s.snapshot_date, 0, 1) as begins
  from shown as s
  inner join days_in_order as d on d.source = s.source and d.snapshot_date = s.snapshot_date
),
numbered as (
  select
    source,
    email,
    names,
    snapshot_date,
    valid_from,
    next_date,
    sum(begins) over (partition by source, email, names order by snapshot_date) as run
  from marked
),
names_shown as (
  select
    source,
    email,
    names,
    min(valid_from) as valid_from,
    min(snapshot_date) as shown_from,
    max(ifnull(next_date, date '9999-12-31')) as valid_to
  from numbered
  group by source, email, names, run
)`

// PeopleNames calls do with all other names of people, by source and address.
func (l *Ledger) PeopleNames(ctx context.Context, do func(PersonNames)) error {
	err := l.engine.Query(ctx, namesShown+`
select source, email, names, valid_from, shown_from, valid_to
from names_shown
order by source, email, shown_from, names`, nil, func(r Row) error {
		do(PersonNames{r.Text(0), r.Text(1), r.Text(2), r.Date(3), r.Date(4), r.Date(5)})
		return nil
	})
	if err != nil {
		return fmt.Errorf("read people's names: %w", err)
	}
	return nil
}

// PeopleAddresses calls do with each address that people files have a row of,
// and the days on which they do.
func (l *Ledger) PeopleAddresses(ctx context.Context, do func(email string, from, to civil.Date)) error {
	err := l.engine.Query(ctx, l.said("people_said")+`
select distinct email, valid_from, valid_to
from people_said
order by email, valid_from, valid_to`, nil, func(r Row) error {
		do(r.Text(0), r.Date(1), r.Date(2))
		return nil
	})
	if err != nil {
		return fmt.Errorf("read people's addresses: %w", err)
	}
	return nil
}

// Asked lists those of some names under which somebody has ever asked for
// something.
func (l *Ledger) Asked(ctx context.Context, names []string) (asked map[string]bool, err error) {
	wanted := map[string]bool{}
	for _, n := range names {
		wanted[n] = true
	}
	asked = map[string]bool{}
	err = l.engine.Query(ctx, "select distinct lower(coalesce(user_email, user_id)) as name from actors where coalesce(user_email, user_id) is not null", nil, func(r Row) error {
		if wanted[r.Text(0)] {
			asked[r.Text(0)] = true
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who asked: %w", err)
	}
	return asked, nil
}

// PeopleHash is the SHA-256, in hex, of what people files say of the days up
// to last, whatever files said it and in which order.
func (l *Ledger) PeopleHash(ctx context.Context, last civil.Date) (string, error) {
	end := civil.Max
	if last.Before(end) {
		end = last.AddDays(1)
	}
	sum := sha256.New()
	err := l.engine.Query(ctx, l.said("people_said")+`
select distinct
  concat(
    source, chr(31), email, chr(31), department, chr(31), cost_center, chr(31), cast(valid_from as string), chr(31),
    cast(least(valid_to, @after) as string), chr(31), ifnull(cast(shown_from as string), '')
  ) as person
from people_said
where valid_from < @after
order by person`, Args{"after": end}, func(r Row) error {
		fmt.Fprintf(sum, "%s\n", r.Text(0))
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("hash people: %w", err)
	}
	err = l.engine.Query(ctx, namesShown+`
select
  concat(
    source, chr(31), email, chr(31), names, chr(31), cast(valid_from as string), chr(31), cast(shown_from as string), chr(31), cast(least(valid_to, @after) as string)
  ) as person
from names_shown
where valid_from < @after
order by person`, Args{"after": end}, func(r Row) error {
		fmt.Fprintf(sum, "%s\n", r.Text(0))
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("hash people's names: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// PeopleProblem is something in a people file that can't be believed.
type PeopleProblem struct{ Source, Key, What string }

// PeopleProblems lists rows of one person that start on the same day and
// differ: neither is believed, so the person's requests go on down the chain.
func (l *Ledger) PeopleProblems(ctx context.Context) (problems []PeopleProblem, err error) {
	err = l.engine.Query(ctx, `
with starts as (
  select email, valid_from
  from people
  where snapshot_date is null
  group by email, valid_from
  having count(distinct concat(department, '|', cost_center, '|', cast(valid_to as string))) > 1
)
select o.source, o.object_key, p.line, p.valid_from
from starts as s
inner join people as p on p.email = s.email and p.valid_from = s.valid_from
inner join objects as o on o.object_id = p.object_id
where p.snapshot_date is null
order by 1, 2, 3`, nil, func(r Row) error {
		problems = append(problems, PeopleProblem{r.Text(0), r.Text(1), fmt.Sprintf("line %d: valid_from: the same person has another row that starts on %s and differs; neither counts until one of them goes", r.Int(2), r.Date(3))})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("check people: %w", err)
	}
	return problems, nil
}

// SnapshotState is what the newest snapshot of a source holds.
type SnapshotState struct {
	Source string
	Day    civil.Date
	Shown  int64 // people
	Before int64 // people whom the snapshot before showed; 0: there is none
	Unsure int64 // shown twice with other departments or cost centres
	Unpaid []Unpaid
}

// Unpaid are people of a department who have asked for something, and of whom a
// snapshot names no cost centre.
type Unpaid struct {
	Department string
	People     int64
}

// SnapshotStates looks at the newest snapshot of each source.
func (l *Ledger) SnapshotStates(ctx context.Context) (states []SnapshotState, err error) {
	err = l.engine.Query(ctx, `
with people_of_days as (
  select
    o.source,
    p.snapshot_date,
    p.email,
    min(p.department) as department,
    min(p.cost_center) as cost_center,
    count(distinct concat(p.department, chr(31), p.cost_center)) as alternatives
  from people as p
  inner join objects as o on o.object_id = p.object_id
  where p.snapshot_date is not null
  group by o.source, p.snapshot_date, p.email
),
days as (
  select
    source,
    snapshot_date,
    count(*) as shown,
    lag(count(*)) over (partition by source order by snapshot_date) as shown_before,
    row_number() over (partition by source order by snapshot_date desc) as age
  from people_of_days
  group by source, snapshot_date
),
users as (
  select coalesce(user_email, user_id) as email
  from actors
  union distinct
  select n.email
  from ref_aliases as n
  inner join actors as a on n.address = coalesce(a.user_email, a.user_id)
),
unpaid as (
  select
    d.source,
    p.department,
    count(*) as people
  from days as d
  inner join people_of_days as p on p.source = d.source and p.snapshot_date = d.snapshot_date
  inner join users as u on u.email = p.email
  where d.age = 1 and p.alternatives = 1 and p.cost_center = ''
  group by d.source, p.department
),
newest as (
  select
    d.source,
    d.snapshot_date,
    d.shown,
    ifnull(d.shown_before, 0) as shown_before,
    countif(p.alternatives > 1) as unsure
  from days as d
  inner join people_of_days as p on p.source = d.source and p.snapshot_date = d.snapshot_date
  where d.age = 1
  group by d.source, d.snapshot_date, d.shown, d.shown_before
)
select n.source, n.snapshot_date, n.shown, n.shown_before, n.unsure, u.department, u.people
from newest as n
left join unpaid as u on u.source = n.source
order by n.source, u.department`, nil, func(r Row) error {
		if last := len(states) - 1; last < 0 || states[last].Source != r.Text(0) {
			states = append(states, SnapshotState{Source: r.Text(0), Day: r.Date(1), Shown: r.Int(2), Before: r.Int(3), Unsure: r.Int(4)})
		}
		if s := &states[len(states)-1]; r.Int(6) > 0 {
			s.Unpaid = append(s.Unpaid, Unpaid{r.Text(5), r.Int(6)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("check snapshots of people: %w", err)
	}
	return states, nil
}

// PeopleCenter is a department and cost centre in a people file; Line is the
// first line that has them.
type PeopleCenter struct {
	CostCenter
	Source, Key string
	Line        int64
	Snapshot    bool // the newest of its source
}

// PeopleCenters lists the departments and cost centres that people belong to, by
// dated rows and by the newest snapshot of each source.
func (l *Ledger) PeopleCenters(ctx context.Context) (centers []PeopleCenter, err error) {
	err = l.engine.Query(ctx, `
with newest as (
  select o.source, max(p.snapshot_date) as snapshot_date
  from people as p
  inner join objects as o on o.object_id = p.object_id
  group by o.source
)
select p.cost_center, p.department, o.source, o.object_key, min(p.line), p.snapshot_date is not null
from people as p
inner join objects as o on o.object_id = p.object_id
left join newest as n on n.source = o.source and n.snapshot_date = p.snapshot_date
where p.cost_center <> '' and (p.snapshot_date is null or n.source is not null)
group by p.cost_center, p.department, o.source, o.object_key, p.snapshot_date is not null
order by 3, 4, 5`, nil, func(r Row) error {
		centers = append(centers, PeopleCenter{CostCenter{Code: r.Text(0), Department: r.Text(1)}, r.Text(2), r.Text(3), r.Int(4), r.Bool(5)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read people's cost centres: %w", err)
	}
	return centers, nil
}

// PersonRow is what people files say of a person from a day until a day.
type PersonRow struct {
	Email, Department, CostCenter, Source, Object string
	Line                                          int64
	From, To                                      civil.Date
	Shown                                         civil.Date // day of the snapshot that showed it first; zero: a dated row
}

// PersonHistory lists who pays for a person from when to when, oldest first.
// An address that another one stands for is followed.
func (l *Ledger) PersonHistory(ctx context.Context, email string) ([]PersonRow, error) {
	return l.personRows(ctx, l.said("people_said", "people_dated")+`,
asked as (
  select email, valid_from, valid_to
  from ref_aliases
  where address = @email
  union all
  select @email as email, date '0001-01-01' as valid_from, date '9999-12-31' as valid_to
  from (select count(*) as n from ref_aliases where address = @email) as known
  where known.n = 0
)
select
  p.email, y.department, y.cost_center, o.source, o.object_key, p.line,
  greatest(p.valid_from, a.valid_from) as valid_from, least(p.valid_to, a.valid_to) as valid_to, p.shown_from
from asked as a
inner join people_dated as p on p.email = a.email and p.valid_from < a.valid_to and a.valid_from < p.valid_to
inner join payers as y on y.payer_id = p.payer_id
inner join objects as o on o.object_id = p.object_id
order by 7`, email)
}

// PersonSaid lists what people files say under an address, believed or not,
// oldest first.
func (l *Ledger) PersonSaid(ctx context.Context, email string) ([]PersonRow, error) {
	return l.personRows(ctx, l.said("people_said")+`
select p.email, p.department, p.cost_center, o.source, o.object_key, p.line, p.valid_from, p.valid_to, p.shown_from
from people_said as p
inner join objects as o on o.object_id = p.object_id
where p.email = @email
order by p.valid_from, p.valid_to, o.source, o.object_key, p.line`, email)
}

func (l *Ledger) personRows(ctx context.Context, text, email string) (rows []PersonRow, err error) {
	err = l.engine.Query(ctx, text, Args{"email": email}, func(r Row) error {
		rows = append(rows, PersonRow{r.Text(0), r.Text(1), r.Text(2), r.Text(3), r.Text(4), r.Int(5), r.Date(6), r.Date(7), r.Date(8)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	return rows, nil
}

// Snapshots lists the days of the snapshots of each source, oldest first.
func (l *Ledger) Snapshots(ctx context.Context) (map[string][]civil.Date, error) {
	days := map[string][]civil.Date{}
	err := l.engine.Query(ctx, `
select distinct o.source, p.snapshot_date
from people as p
inner join objects as o on o.object_id = p.object_id
where p.snapshot_date is not null
order by 1, 2`, nil, func(r Row) error {
		days[r.Text(0)] = append(days[r.Text(0)], r.Date(1))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read snapshots of people: %w", err)
	}
	return days, nil
}
