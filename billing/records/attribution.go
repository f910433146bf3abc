package records

import (
	"context"
	_ "embed" // texts of selects
	"fmt"
	"maps"

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

//go:embed attributed_open.sql
var attributedOpenText string

//go:embed attribution_keys_open.sql
var attributionKeysOpenText string

// AttributedOpen is Attributed for the records of days of open months.
func (l *Records) AttributedOpen(ctx context.Context, days Days) (Seen, error) {
	args := Args{"first_day": days.First, "last_day": days.Last}
	maps.Copy(args, models.States())
	return l.attributed(ctx, warehouse.Select{Name: "whom records of open months stand with", Text: attributionKeysOpenText, Args: args})
}

// AttributedOtherwise is AttributedAnew for what AttributedOpen has seen: the days on
// which some record belongs to another cost centre, or by another rule, than it says.
func (l *Records) AttributedOtherwise(ctx context.Context, refs References) ([]civil.Date, error) {
	return l.attributedBy(ctx, refs, attributedOpenText)
}

// Attributed is what AttributedAnew asks references of: the people and names that
// occur in records of closed months.
func (l *Records) Attributed(ctx context.Context) (seen Seen, any bool, err error) {
	closed, err := warehouse.One[int64](ctx, l.w, warehouse.Select{Name: "count closed months", Text: "select count(*) as n from {months} where state = 'closed'"})
	if err != nil || closed == 0 {
		return seen, false, err
	}
	seen, err = l.attributed(ctx, warehouse.Select{Name: "whom records of closed months stand with", Text: attributionKeysText})
	return seen, true, err
}

// attributed keeps a select as {attribution_keys}, and says what occurs in it.
func (l *Records) attributed(ctx context.Context, keys warehouse.Select) (seen Seen, err error) {
	if err := l.w.Compute(ctx, "attribution_keys", keys); err != nil {
		return seen, err
	}
	err = l.names(ctx, map[string]string{
		"actors_seen":  "select actor_id from {attribution_keys}",
		"callers_seen": "select caller_id from {attribution_keys}",
		"tasks_seen":   "select task_id from {attribution_keys} where false",
	}, nil, nil, &seen)
	if err != nil {
		return seen, fmt.Errorf("read names: %w", err)
	}
	return seen, nil
}

// AttributedAnew lists the days of closed months on which some record would belong
// to another cost centre by references for what Attributed has seen. Usage that may
// belong to several requests needs these to tell: each of its days is listed.
func (l *Records) AttributedAnew(ctx context.Context, refs References) ([]civil.Date, error) {
	return l.attributedBy(ctx, refs, attributedAnewText)
}

// attributedBy lists days by references for {attribution_keys}.
func (l *Records) attributedBy(ctx context.Context, refs References, text string) ([]civil.Date, error) {
	p, err := l.Program(ctx, "", refs, Args{})
	if err != nil {
		return nil, err
	}
	p.Actors("select distinct actor_id from {attribution_keys} where actor_id is not null")
	if err := p.Add("people_said", "people_dated", "agents_dated", "owners_dated", "actors_dated", "successors_dated", "callers_dated"); err != nil {
		return nil, err
	}
	if err := p.Run(ctx, "agents_dated", "owners_dated", "actors_dated", "successors_dated", "callers_dated"); err != nil {
		return nil, fmt.Errorf("attribute records again: %w", err)
	}
	chain, err := models.PayersOf("attribution_keys")
	if err != nil {
		return nil, err
	}
	p.View("payers_found", chain)
	return warehouse.All[civil.Date](ctx, l.w, p.Select("days that belong to others", text))
}
