package report

import (
	"context"
	_ "embed" // texts of selects
	"errors"
	"fmt"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// bounds are what bounds monthRows to what a month charges.
func (r *Report) bounds(ctx context.Context, q Querier, month civil.Month) (ledger.Args, error) {
	days, err := ledger.ChargedDays(ctx, q, month.FirstDay(), month.FirstDay())
	if err != nil {
		return nil, fmt.Errorf("read report %s: %w", r.Name, err)
	}
	return days.Args(), nil
}

// Departments is the month by department and cost centre, dearest first.
func Departments(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{
		Name: "departments", Title: "Cost by department and cost centre", Month: month.String(),
		Columns: columns([]Column{departmentColumn, centerColumn}),
	}
	args, err := r.bounds(ctx, q, month)
	if err != nil {
		return r, err
	}
	err = r.read(ctx, q, `
select
  department,
  cost_center,`+measures+monthRows+`
group by department, cost_center
order by total desc, department, cost_center`, args)
	if err != nil {
		return r, err
	}
	return r, r.noteRecords(ctx, q, monthRows, args)
}

// CostCenters is the month by cost centre, dearest first, each with its share
// of the total. The shares add up to 100.00; they are nil where the month's
// total is not above zero.
func CostCenters(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{
		Name: "cost-centers", Title: "Cost by cost centre", Month: month.String(),
		Columns: columns([]Column{centerColumn, homeColumn}, shareColumn),
	}
	args, err := r.bounds(ctx, q, month)
	if err != nil {
		return r, err
	}
	err = r.read(ctx, q, `
select
  cost_center,
  `+departmentList+`,`+measures+monthRows+`
group by cost_center
order by total desc, cost_center`, args)
	if err != nil {
		return r, err
	}
	r.fillShares("cost_center")
	return r, r.noteRecords(ctx, q, monthRows, args)
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
	args, err := r.bounds(ctx, q, month)
	if err != nil {
		return r, err
	}
	err = r.read(ctx, q, `
select
  agent_id,
  `+centerList+`,`+measures+`,
  sum(if(`+failedRows+`, records, 0)) as errors`+monthRows+`
group by agent_id
order by total desc, ifnull(agent_id, '')`, args)
	if err != nil {
		return r, err
	}
	r.fillAverages()
	return r, r.noteRecords(ctx, q, monthRows, args)
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
	const agentRows = `
from {daily_items}
where agent_id = {@agent} and usage_date between {@first_day} and {@last_day}`
	args := ledger.Args{"agent": agent, "first_day": firstDay, "last_day": lastDay}
	err := r.read(ctx, q, `
select
  usage_date,
  `+modelName+` as model_name,`+measures+`,
  sum(if(adjusts_month is not null, records, 0)) as corrections`+agentRows+`
group by usage_date, model_name
order by usage_date, total desc, model_name`, args)
	if err != nil {
		return r, err
	}
	if corrections := r.count(r.Total, "corrections"); corrections > 0 {
		r.note("%s a closed month and charged in a later one.", plural(corrections, "row is a correction of", "rows are corrections of"))
	}
	return r, r.noteRecords(ctx, q, agentRows, args)
}

//go:embed users.sql
var usersText string

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
	const ofDepartment = ` and ({@department} = '' or department = {@department})`
	args, err := r.bounds(ctx, q, month)
	if err != nil {
		return r, err
	}
	args["department"] = department
	err = r.read(ctx, q, usersText, args)
	if err != nil {
		return r, err
	}
	r.fillAverages()
	err = r.noteRecords(ctx, q, monthRows+ofDepartment, args)
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
