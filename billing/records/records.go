// Package records holds the cost records: what each request cost and who owes it.
//
// It owns: the shape of a cost record, the rule that a day is replaced whole or not at
// all, what has to be computed after a change, the daily sums, and what is written down
// of closed months for later nights.
// It does not own: what was read (manifest), months and documents (months), prices
// (transform/rates), the SQL models (transform/models), or when to run (jobs).
package records

import (
	"context"

	"chargeback/billing/warehouse"
	"chargeback/transform/models"
)

// Records are the cost records of one warehouse. They are used by one goroutine at a
// time.
type Records struct {
	w      warehouse.Warehouse
	q      warehouse.Querier // the records as they are, or as they will be after some changes
	models []models.Model
	ids    *ids
}

// New are the records of a warehouse that has their tables.
func New(w warehouse.Warehouse) (*Records, error) {
	all, err := models.All()
	if err != nil {
		return nil, err
	}
	return &Records{w: w, q: w, models: all, ids: &ids{}}, nil
}

// Query runs a select of the books as they are, or, of records that After gave, as
// they will be; see warehouse.Querier.
func (l *Records) Query(ctx context.Context, s warehouse.Select, yield func(warehouse.Row) error) error {
	return l.q.Query(ctx, s, yield)
}
