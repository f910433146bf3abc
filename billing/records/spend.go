package records

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

//go:embed spend.sql
var spendText string

//go:embed agent_spend.sql
var agentSpendText string

// Spend is what one cost centre has spent in a month so far.
type Spend struct {
	Department, CostCenter string
	Actual                 money.USD
	Held                   int64 // requests without a cost yet
}

// Spend sums the month's cost records by cost centre.
func (l *Records) Spend(ctx context.Context, month civil.Month) ([]Spend, error) {
	return OfMonth[Spend](ctx, l.q, month, "spend", spendText)
}

// OfMonth reads the rows of a select that is bounded by what a month charges.
func OfMonth[T any](ctx context.Context, q warehouse.Querier, month civil.Month, what, text string) ([]T, error) {
	bounds, err := ChargedDays(ctx, q, month.FirstDay(), month.FirstDay())
	if err != nil {
		return nil, err
	}
	return warehouse.All[T](ctx, q, warehouse.Select{Name: what + " of " + month.String(), Text: text, Args: bounds.Args()})
}

// Driver is one agent's part of a spend.
type Driver struct {
	Label string
	Spent money.USD
}

// Drivers is what a month's spend went to, by who pays and agent.
type Drivers []agentSpend

type agentSpend struct {
	Department, CostCenter, Agent string
	Spent                         money.USD
}

// Drivers reads what a month's spend went to.
func (l *Records) Drivers(ctx context.Context, month civil.Month) (Drivers, error) {
	return OfMonth[agentSpend](ctx, l.q, month, "agents' spend", agentSpendText)
}

// Of are the dearest agents of a department or cost centre (column names which), or
// of all where column is empty.
func (d Drivers) Of(column, value string, limit int) (drivers []Driver, err error) {
	sums := map[string]money.USD{}
	for _, a := range d {
		switch column {
		case "":
		case "department":
			if a.Department != value {
				continue
			}
		case "cost_center":
			if a.CostCenter != value {
				continue
			}
		default:
			return nil, fmt.Errorf("drivers of %q: only department and cost_center are known", column)
		}
		sums[a.Agent] = sums[a.Agent].Add(a.Spent)
	}
	for agent, spent := range sums {
		drivers = append(drivers, Driver{agent, spent})
	}
	slices.SortFunc(drivers, func(a, b Driver) int {
		if by := b.Spent.Cmp(a.Spent); by != 0 {
			return by
		}
		return strings.Compare(a.Label, b.Label)
	})
	return drivers[:min(limit, len(drivers))], nil
}
