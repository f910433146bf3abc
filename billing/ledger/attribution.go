package ledger

import (
	"context"
	"errors"
	"fmt"

	"chargeback/transform/civil"
	"chargeback/transform/models"
)

// attributionKeys are whom the records of closed months stand with, each
// combination of what decides it once a day. What was reversed cancels out.
const attributionKeys = `
select
  f.usage_date,
  f.actor_id,
  f.task_id,
  f.caller_id,
  ifnull(f.adjusts_payer_id, f.payer_id) as payer_id,
  mod(f.ruling_id, 10) as attribution,
  max(if(r.match = 'ambiguous', 1, 0)) as ambiguous
from record_facts as f
inner join months as m on m.first_day = f.billing_month and m.state = 'closed'
inner join rulings as r on r.ruling_id = f.ruling_id
where f.usage_date >= @since and f.total_cost_usd <> 0
group by 1, 2, 3, 4, 5, 6
having sum(if(f.correction < 0, -1, 1)) <> 0`

// AttributedAnew lists the days of closed months on which some record would belong
// to another cost centre by what references makes of the people and names that occur
// there. Usage that may belong to several requests needs these to tell: each of its
// days is listed.
func (l *Ledger) AttributedAnew(ctx context.Context, references func(Seen) (References, error)) (days []civil.Date, err error) {
	row, err := l.one(ctx, "select count(*) from months where state = 'closed'", nil)
	if err != nil || row.Int(0) == 0 {
		return nil, err
	}
	args := Args{"since": civil.Min, "unallocated": payerID(unallocated)}
	err = l.engine.Transact(ctx, func() error {
		if err := l.keepAttribution(ctx, args, references); err != nil {
			return err
		}
		if days, err = l.attributedAnew(ctx, args); err != nil {
			return err
		}
		return errScratch
	})
	if !errors.Is(err, errScratch) {
		return nil, fmt.Errorf("attribute records of closed months again: %w", err)
	}
	return days, nil
}

// keepAttribution makes what the chain of rules needs, in scratch tables.
func (l *Ledger) keepAttribution(ctx context.Context, args Args, references func(Seen) (References, error)) error {
	if err := l.engine.Keep(ctx, "attribution_keys", true, attributionKeys, args); err != nil {
		return err
	}
	var seen Seen
	err := l.names(ctx, namesSeen("select actor_id from attribution_keys", "select caller_id from attribution_keys", "select task_id from attribution_keys where false"), args, &seen)
	if err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	refs, err := references(seen)
	if err != nil {
		return err
	}
	if err := l.writeReferences(ctx, "", refs); err != nil {
		return err
	}
	if err := l.keepNamed(ctx, "select distinct actor_id from attribution_keys where actor_id is not null", args); err != nil {
		return err
	}
	return l.keepModels(ctx, args, "people_said", "people_dated", "agents_dated", "owners_dated", "actors_dated", "successors_dated", "callers_dated")
}

func (l *Ledger) attributedAnew(ctx context.Context, args Args) (days []civil.Date, err error) {
	chain, err := models.PayersOf("attribution_keys")
	if err != nil {
		return nil, err
	}
	err = l.engine.Query(ctx, `
with found as (
`+chain+`)
select distinct f.usage_date
from found as f
inner join payers as c on c.payer_id = f.payer_id
inner join payers as y on y.payer_id = f.rule_payer_id
where f.ambiguous = 1
  or y.cost_center <> c.cost_center
  and if(f.rule_attribution = 0, 8, f.rule_attribution) <= if(f.attribution = 0, 8, f.attribution)
order by 1`, args, func(r Row) error {
		days = append(days, r.Date(0))
		return nil
	})
	return days, err
}

// keepNamed makes, for models that need no staged rows, what they read of these.
func (l *Ledger) keepNamed(ctx context.Context, actors string, args Args) error {
	for _, own := range [][2]string{
		{"requests_kept", actors},
		{"actors_known", "select actor_id, user_id, user_email, team, key_alias, project from actors"},
		{"tasks_known", "select task_id, agent_id, cost_center, tools from tasks"},
	} {
		if err := l.engine.Keep(ctx, own[0], false, own[1], args); err != nil {
			return fmt.Errorf("scratch %s: %w", own[0], err)
		}
	}
	return nil
}

// keepModels makes some of the models.
func (l *Ledger) keepModels(ctx context.Context, args Args, names ...string) error {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	for _, m := range l.models {
		if !wanted[m.Name] {
			continue
		}
		if err := l.engine.Keep(ctx, m.Name, m.AsTable, m.Text, args); err != nil {
			return fmt.Errorf("model %s: %w", m.Name, err)
		}
	}
	return nil
}
