package ledger

import (
	"context"
	"encoding/json"
	"fmt"

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

// OwnedCosts sums the cost records of a month whose agent's owner pays, by
// agent, payer, corrected month and day.
func (l *Ledger) OwnedCosts(ctx context.Context, month civil.Month) (all []OwnedCost, err error) {
	err = l.engine.Query(ctx, `
select agent_id, cost_center, ifnull(adjusts_month, ''), usage_date, total_usd(total_cost_usd)
from cost_items
where billing_month = @month and usage_date >= @since and attribution = 'agent owner'
group by 1, 2, 3, 4
order by 1, 2, 3, 4`, Args{"month": month, "since": civil.Min}, func(r Row) error {
		all = append(all, OwnedCost{r.Text(0), r.Text(1), r.Text(2), r.Date(3), r.USD(4)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sum costs of agents' owners in %s: %w", month, err)
	}
	return all, nil
}

// UsedCost is what a cost centre was charged in a month for its own requests to
// an agent.
type UsedCost struct {
	AgentID    string
	Month      civil.Month
	CostCenter string
	Total      money.USD
}

// UsedCosts sums the cost records of the months from first to last that name an
// agent and are paid by another rule than that of its owner, by agent, month
// and payer. What belongs to nobody is left out.
func (l *Ledger) UsedCosts(ctx context.Context, first, last civil.Month) (all []UsedCost, err error) {
	err = l.engine.Query(ctx, `
select agent_id, billing_month, cost_center, total_usd(total_cost_usd)
from cost_items
where billing_month between @first_month and @last_month and usage_date >= @since
  and agent_id is not null and attribution not in ('agent owner', 'none')
group by 1, 2, 3
order by 1, 2, 3`, Args{"first_month": first, "last_month": last, "since": civil.Min}, func(r Row) error {
		m, err := civil.ParseMonth(r.Text(1))
		all = append(all, UsedCost{r.Text(0), m, r.Text(2), r.USD(3)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sum use of agents from %s to %s: %w", first, last, err)
	}
	return all, nil
}

// Closing reads into summary what CloseMonth kept of a closed month. It leaves
// summary as it is where the month is open.
func (l *Ledger) Closing(ctx context.Context, month civil.Month, summary any) error {
	err := l.engine.Query(ctx, "select summary from months where month = @month", Args{"month": month}, func(r Row) error {
		return json.Unmarshal([]byte(r.Text(0)), summary)
	})
	if err != nil {
		return fmt.Errorf("read the close of %s: %w", month, err)
	}
	return nil
}
