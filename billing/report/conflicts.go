package report

import (
	"context"
	_ "embed" // texts of selects
	"fmt"
	"strings"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

var (
	//go:embed conflicts_named.sql
	conflictsNamedText string
	//go:embed conflicts_of_days.sql
	conflictsOfDaysText string
)

// conflictColumn is what records of one key may differ in.
type conflictColumn struct {
	expression string // over the joined rows of one staged table
	words      string
	shown      bool // a count, which may be shown; other values never are
}

// dimensionJoins are the tables that staged rows point into, by the column that
// points, each with the alias that its columns have.
var dimensionJoins = map[string]struct {
	alias  string
	schema *record.Schema
}{
	"meter_id": {"dm", record.MeterSchema}, "caller_id": {"dc", record.CallerSchema}, "actor_id": {"da", record.ActorSchema}, "task_id": {"dt", record.TaskSchema},
}

// conflictWords names columns where their own name says too little.
var conflictWords = map[string]string{"reported_pico_usd": "reported cost", "object_id": "", "line": "", "record_key": "", "usage_date": "", "request_date": "", "completeness": ""}

// conflictColumns lists what records of a staged table may differ in, and the
// joins that it takes.
func conflictColumns(s *record.Schema) (columns []conflictColumn, joins string) {
	for i, c := range s.Columns {
		if i > 0 && s.Columns[i-1].Type == record.ID {
			continue // the text of an id, whose key says the same
		}
		if d, points := dimensionJoins[c.Name]; points {
			joins += "\n    left join {" + d.schema.Table + "} as " + d.alias + " on " + d.alias + "." + c.Name + " = u." + c.Name
			for _, of := range d.schema.Columns[1:] {
				columns = append(columns, conflictColumn{d.alias + "." + of.Name, strings.ReplaceAll(of.Name, "_", " "), false})
			}
			continue
		}
		name := c.Name
		if c.Type == record.ID {
			name = s.Columns[i+1].Name
		}
		words, named := conflictWords[name]
		if !named {
			words = strings.ReplaceAll(name, "_", " ")
		}
		switch count := c.Type == record.Int && c.Name != "reported_pico_usd"; {
		case words == "":
		case count:
			columns = append(columns, conflictColumn{"ifnull(u." + c.Name + ", 0)", words, true})
		default:
			columns = append(columns, conflictColumn{"u." + c.Name, words, false})
		}
	}
	return columns, joins
}

// conflictsOf is a row for each record of a staged table that is set aside
// because it contradicts others of its key: where it lies, its ids, and in what
// it differs from these, in words alone (fields) and with the counts (differs).
func conflictsOf(kind string, s *record.Schema, day, id string) string {
	columns, joins := conflictColumns(s)
	var all, fields, differs strings.Builder
	for i, c := range columns {
		name := fmt.Sprintf("v%d", i)
		fmt.Fprintf(&all, ",\n      %s as %s", c.expression, name)
		differ := fmt.Sprintf("count(distinct %s) + max(if(%s is null, 1, 0)) > 1", name, name)
		fmt.Fprintf(&fields, ",\n      if(%s, ', %s', '')", differ, c.words)
		if c.shown {
			fmt.Fprintf(&differs, ",\n      if(%s, concat(', %s (', cast(min(%s) as string), if(count(distinct %s) > 2, ' to ', ' and '), cast(max(%s) as string), ')'), '')",
				differ, c.words, name, name, name)
		} else {
			fmt.Fprintf(&differs, ",\n      if(%s, ', %s', '')", differ, c.words)
		}
	}
	rows := `
      u.object_id,
      u.line,
      u.record_key,
      u.` + day + ` as usage_date,
      ` + id + ` as call_id`
	from := `
    from {repeats} as p
    inner join {` + s.Table + `} as u on u.object_id = p.object_id and u.line = p.line and u.` + day + ` = p.usage_date` + joins + `
    where p.kind = '` + kind + `' and p.verdict = 'conflict'
      and p.usage_date between {@first_day} and {@last_day} and u.` + day + ` between {@first_day} and {@last_day}`
	return `
  select
    '` + kind + `' as kind,
    r.object_id,
    r.line,
    r.usage_date,
    r.call_id,
    g.fields,
    g.differs
  from (
    select` + rows + from + `
  ) as r
  inner join (
    select
      record_key,
      usage_date,
      substr(concat(''` + fields.String() + `), 3) as fields,
      substr(concat(''` + differs.String() + `), 3) as differs
    from (
      select` + rows + all.String() + from + `
    ) as s
    group by record_key, usage_date
  ) as g on g.record_key = r.record_key and g.usage_date = r.usage_date`
}

// conflictRows is a select of all records of the days from {@first_day} to {@last_day}
// that are set aside because others of their key say something else: kind,
// object_id, line, usage_date, call_id, fields (the names of what differs) and
// differs (the same, with counts). No value but counts is in it.
func conflictRows() string {
	return conflictsOf("usage", record.UsageSchema, "usage_date", "coalesce(u.provider_request_id, {key_text(u.provider_request_key)}, u.response_id, {key_text(u.response_key)}, u.client_ref, {key_text(u.client_ref_key)})") +
		"\n  union all" + conflictsOf("request", record.RequestSchema, "request_date", "coalesce(nullif(u.agent_request_id, ''), {key_text(u.agent_request_key)})")
}

// Conflict is a record that is not charged because others of its key say
// something else.
type Conflict struct {
	Kind    string     `json:"kind"` // usage or request
	Source  string     `json:"source"`
	Object  string     `json:"object" column:"object_key"`
	Line    int64      `json:"line"`
	Day     civil.Date `json:"day" column:"usage_date"`
	CallID  string     `json:"call_id" column:",null"`
	Differs string     `json:"differs"` // names of fields, with counts
}

// ConflictsOf lists the conflicts that have an id, as the provider, the agent
// platform or the caller has it. days are those of report.DaysOf.
func ConflictsOf(ctx context.Context, books *records.Records, id string, days []civil.Date) (all []Conflict, err error) {
	if len(days) == 0 {
		return nil, nil
	}
	type place struct{ ObjectID, Line int64 }
	key, _ := record.KeyOf([]byte(id))
	named, err := warehouse.All[struct {
		place
		UsageDate civil.Date
	}](ctx, books, warehouse.Select{
		Name: "read conflicts of " + id, Text: conflictsNamedText, Args: records.Args{"days": days, "key": key},
	})
	if err != nil || len(named) == 0 {
		return nil, err
	}
	places := map[place]bool{}
	for _, r := range named {
		places[r.place] = true
	}
	err = warehouse.Each(ctx, books, warehouse.Select{
		Name: "read conflicts of " + id, Text: conflictsOfDaysText, Views: map[string]string{"conflict_rows": conflictRows()},
		Args: records.Args{"first_day": named[0].UsageDate, "last_day": named[len(named)-1].UsageDate},
	}, func(r struct {
		Conflict
		ObjectID int64
	}) error {
		if places[place{r.ObjectID, r.Line}] {
			all = append(all, r.Conflict)
		}
		return nil
	})
	return all, err
}
