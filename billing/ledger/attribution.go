package ledger

import (
	"context"
	_ "embed" // texts of selects
	"fmt"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/models"
)

//go:embed attributed_anew.sql
var attributedAnewText string

// attributionKeysText are whom the records of closed months stand with, each
// combination of what decides it once a day. What was reversed cancels out.
//
//go:embed attribution_keys.sql
var attributionKeysText string

// Attributed is what AttributedAnew asks references of: the people and names that
// occur in records of closed months.
func (l *Ledger) Attributed(ctx context.Context) (seen Seen, any bool, err error) {
	closed, err := warehouse.One[int64](ctx, l.w, warehouse.Select{Name: "count closed months", Text: "select count(*) as n from {months} where state = 'closed'"})
	if err != nil || closed == 0 {
		return seen, false, err
	}
	err = l.w.Compute(ctx, "attribution_keys", warehouse.Select{Name: "whom records of closed months stand with", Text: attributionKeysText})
	if err != nil {
		return seen, false, err
	}
	err = l.names(ctx, map[string]string{
		"actors_seen":  "select actor_id from {attribution_keys}",
		"callers_seen": "select caller_id from {attribution_keys}",
		"tasks_seen":   "select task_id from {attribution_keys} where false",
	}, nil, &seen)
	if err != nil {
		return seen, false, fmt.Errorf("read names: %w", err)
	}
	return seen, true, nil
}

// AttributedAnew lists the days of closed months on which some record would belong
// to another cost centre by references for what Attributed has seen. Usage that may
// belong to several requests needs these to tell: each of its days is listed.
func (l *Ledger) AttributedAnew(ctx context.Context, refs References) (days []civil.Date, err error) {
	p, err := l.Program(ctx, "", refs, Args{})
	if err != nil {
		return nil, err
	}
	p.Actors("select distinct actor_id from {attribution_keys} where actor_id is not null")
	if err := p.Add("people_said", "people_dated", "agents_dated", "owners_dated", "actors_dated", "successors_dated", "callers_dated"); err != nil {
		return nil, err
	}
	if err := p.Run(ctx, "agents_dated", "owners_dated", "actors_dated", "successors_dated", "callers_dated"); err != nil {
		return nil, fmt.Errorf("attribute records of closed months again: %w", err)
	}
	chain, err := models.PayersOf("attribution_keys")
	if err != nil {
		return nil, err
	}
	p.View("payers_found", chain)
	return warehouse.All[civil.Date](ctx, l.w, p.Select("days that belong to others", attributedAnewText))
}
