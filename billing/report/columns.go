package report

import (
	"context"
	_ "embed" // texts of selects
	"fmt"
	"slices"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

//go:embed month_items.sql
var monthItems string

//go:embed agent_items.sql
var agentItems string

//go:embed counted_items.sql
var countedItems string

// counting is what selects of {counted_items} read: items, by args, with what reports
// count of them.
func counting(q Querier, items string, args records.Args) Querier {
	return warehouse.With(q, map[string]string{"reported_items": items, "counted_items": countedItems}, args)
}

// ofMonth is what selects read of what a month charges.
func (r *Report) ofMonth(ctx context.Context, q Querier, month civil.Month) (Querier, error) {
	days, err := records.ChargedDays(ctx, q, month.FirstDay(), month.FirstDay())
	if err != nil {
		return nil, fmt.Errorf("read report %s: %w", r.Name, err)
	}
	return counting(q, monthItems, days.Args()), nil
}

// measureColumns are what every cost report tells. On a narrow terminal fees go
// first, then tokens, then LLM cost and requests; what is held stays longest.
func measureColumns() []Column {
	return []Column{
		{Name: "requests", Title: "Requests", Kind: Count, Rank: 2},
		{Name: "input_tokens", Title: "Input tokens", Kind: Count, Rank: 4},
		{Name: "output_tokens", Title: "Output tokens", Kind: Count, Rank: 5},
		{Name: "llm_cost_usd", Title: "LLM", Kind: USD, Rank: 3},
		{Name: "infra_cost_usd", Title: "Infra", Kind: USD, Rank: 6},
		{Name: "tool_cost_usd", Title: "Tools", Kind: USD, Rank: 7},
		{Name: "total_cost_usd", Title: "Total", Kind: USD},
		{Name: "held", Title: "Held", Kind: Count, Rank: 1},
	}
}

// The columns that reports group by. Those with a plural name list all that
// occur in a row.
var (
	departmentColumn  = Column{Name: "department", Title: "Department"}
	homeColumn        = Column{Name: "department", Title: "Department", Rank: 2} // beside a cost centre that is the key
	departmentsColumn = Column{Name: "departments", Title: "Departments", Rank: 5}
	centerColumn      = Column{Name: "cost_center", Title: "Cost centre"}
	centersColumn     = Column{Name: "cost_centers", Title: "Cost centres", Rank: 5}
	agentColumn       = Column{Name: "agent_id", Title: "Agent", None: "no agent", Null: true}
	userColumn        = Column{Name: "user_id", Title: "User", None: "no user", Null: true}
)

// The columns that are derived from what the select tells.
var (
	averageColumn = Column{Name: "average_cost_usd", Title: "Per request", Kind: Average, Rank: 2}
	shareColumn   = Column{Name: "share_percent", Title: "Share %", Kind: Percent, Rank: 2}
)

// columns puts measureColumns between what a report groups by and what it derives.
func columns(keys []Column, derived ...Column) []Column {
	return slices.Concat(keys, measureColumns(), derived)
}
