package report

import (
	"context"
	_ "embed" // texts of selects
	"errors"
	"fmt"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

var (
	//go:embed departments.sql
	departmentsText string
	//go:embed cost_centers.sql
	costCentersText string
	//go:embed agents.sql
	agentsText string
	//go:embed agent_daily.sql
	agentDailyText string
	//go:embed users.sql
	usersText string
)

// Departments is the month by department and cost centre, dearest first.
func Departments(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{
		Name: "departments", Title: "Cost by department and cost centre", Month: month.String(),
		Columns: columns([]Column{departmentColumn, centerColumn}),
	}
	q, err := r.ofMonth(ctx, q, month)
	if err != nil {
		return r, err
	}
	if err := r.read(ctx, q, warehouse.Select{Text: departmentsText}); err != nil {
		return r, err
	}
	return r, r.noteRecords(ctx, q)
}

// CostCenters is the month by cost centre, dearest first, each with its share
// of the total. The shares add up to 100.00; they are nil where the month's
// total is not above zero.
func CostCenters(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{
		Name: "cost-centers", Title: "Cost by cost centre", Month: month.String(),
		Columns: columns([]Column{centerColumn, homeColumn}, shareColumn),
	}
	q, err := r.ofMonth(ctx, q, month)
	if err != nil {
		return r, err
	}
	if err := r.read(ctx, q, warehouse.Select{Text: costCentersText}); err != nil {
		return r, err
	}
	r.fillShares("cost_center")
	return r, r.noteRecords(ctx, q)
}

// Agents is the month by agent, dearest first. The average is over the
// requests whose cost is known. Failed requests are among them: they bear
// no cost.
func Agents(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	failed := Column{Name: "errors", Title: "Errors", Kind: Count, Rank: 3}
	r := Report{
		Name: "agents", Title: "Cost by agent", Month: month.String(),
		Columns: columns([]Column{agentColumn, centersColumn}, failed, averageColumn),
	}
	q, err := r.ofMonth(ctx, q, month)
	if err != nil {
		return r, err
	}
	if err := r.read(ctx, q, warehouse.Select{Text: agentsText}); err != nil {
		return r, err
	}
	r.fillAverages()
	return r, r.noteRecords(ctx, q)
}

// AgentDaily is what an agent's requests of the days up to lastDay cost, by day
// and model. It goes by the day of use, whichever month charged it.
func AgentDaily(ctx context.Context, q Querier, agent string, lastDay civil.Date, days int) (Report, error) {
	if agent == "" {
		return Report{}, errors.New("read report agent-daily: no agent; name one that `chargeback report agents` lists")
	}
	if days < 1 {
		return Report{}, fmt.Errorf("read report agent-daily: %d days; ask for 1 or more", days)
	}
	firstDay := lastDay.AddDays(1 - days)
	r := Report{
		Name: "agent-daily", Title: fmt.Sprintf("Cost of agent %s by day and model, %s to %s", agent, firstDay, lastDay),
		Columns: columns([]Column{{Name: "usage_date", Title: "Day"}, {Name: "model", Title: "Model"}},
			Column{Name: "corrections", Title: "Corrections", Kind: Count, Rank: 8}),
	}
	q = counting(q, agentItems, records.Args{"agent": agent, "first_day": firstDay, "last_day": lastDay})
	if err := r.read(ctx, q, warehouse.Select{Text: agentDailyText}); err != nil {
		return r, err
	}
	if corrections := r.count(r.Total, "corrections"); corrections > 0 {
		r.note("%s a closed month and charged in a later one.", plural(corrections, "row is a correction of", "rows are corrections of"))
	}
	return r, r.noteRecords(ctx, q)
}

// ofDepartment are the daily sums of a month of one department.
const ofDepartment = "select * from {month_items} where department = {@department}"

// Users is the month's dearest users of a department, or of all where it is
// "", at most limit of them (0: all). Total also counts the users beyond the
// limit. The average is over the requests whose cost is known.
func Users(ctx context.Context, q Querier, month civil.Month, department string, limit int) (Report, error) {
	r := Report{
		Name: "users", Title: "Cost by user", Month: month.String(),
		Columns: columns([]Column{userColumn, departmentsColumn, centersColumn}, averageColumn),
	}
	if department != "" {
		r.Title += " of " + department
	}
	q, err := r.ofMonth(ctx, q, month)
	if err != nil {
		return r, err
	}
	if err := r.read(ctx, q, warehouse.Select{Text: usersText, Args: records.Args{"department": department}}); err != nil {
		return r, err
	}
	r.fillAverages()
	if department != "" {
		q = warehouse.With(q, map[string]string{"reported_items": ofDepartment, "month_items": monthItems}, records.Args{"department": department})
	}
	err = r.noteRecords(ctx, q)
	r.keep(limit, "user", "users")
	return r, err
}

// keep cuts the rows down to limit (0: all) and says what the rest comes to.
func (r *Report) keep(limit int, one, many string) {
	if limit <= 0 || len(r.Rows) <= limit {
		return
	}
	var rest money.USD
	for _, row := range r.Rows[limit:] {
		rest = rest.Add(r.usd(row, "total_cost_usd"))
	}
	r.note("%s with %s USD not listed; the total includes them.", plural(int64(len(r.Rows)-limit), one, many), rest)
	r.Rows = r.Rows[:limit]
}
