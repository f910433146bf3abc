package records

import (
	"context"
	_ "embed"
	"fmt"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// OwnedCost is what an agent did without a user on a day and its owner was
// charged for in a month.
type OwnedCost struct {
	AgentID, CostCenter string
	AdjustsMonth        string // of a correction: the closed month, else ""
	Day                 civil.Date
	Total               money.USD
}

//go:embed owned_costs.sql
var ownedCostsText string

// OwnedCosts sums the cost records of a month whose agent's owner pays, by
// agent, payer, corrected month and day.
func (l *Records) OwnedCosts(ctx context.Context, month civil.Month) ([]OwnedCost, error) {
	return OfMonth[OwnedCost](ctx, l.q, month, "costs of agents' owners", ownedCostsText)
}

// UsedCost is what a cost centre was charged in a month for its own requests to
// an agent.
type UsedCost struct {
	AgentID    string
	Month      civil.Month
	CostCenter string
	Total      money.USD
}

//go:embed used_costs.sql
var usedCostsText string

// UsedCosts sums the cost records of the months from first to last that name an
// agent and are paid by another rule than that of its owner, by agent, month
// and payer. What belongs to nobody is left out.
func (l *Records) UsedCosts(ctx context.Context, first, last civil.Month) ([]UsedCost, error) {
	args, err := l.daysArgs(ctx, first.FirstDay(), last.FirstDay())
	if err != nil {
		return nil, err
	}
	return warehouse.All[UsedCost](ctx, l.q, warehouse.Select{Name: fmt.Sprintf("use of agents from %s to %s", first, last), Text: usedCostsText, Args: args})
}
