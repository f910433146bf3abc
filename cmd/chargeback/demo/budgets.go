package demo

import (
	"chargeback/transform/money"
)

// Budget is one budget of the demo and what has to come of it.
type Budget struct {
	Name       string
	Department string // one of the two is set
	CostCenter string
	AmountUSD  money.Cents
	Thresholds []int64
	Channel    string
	Crossed    []Crossing // in order of days
}

// Crossing is a business day on which spending reached thresholds of a budget.
type Crossing struct {
	Day        int
	Thresholds []int64
}

// budgetPlan says how far through its budget a scope shall get by the end of
// the month; with spike, it is at 40 % on the eve of spikeDay instead.
type budgetPlan struct {
	name, department, center string
	percent                  int64
	spike                    bool
	thresholds               []int64
	channel                  string
}

var usual = []int64{50, 80, 100}

var budgetPlans = []budgetPlan{
	{name: "support", department: "Support", percent: 113, thresholds: usual, channel: "#support-ai-costs"},
	{name: "engineering", department: "Engineering", percent: 86, thresholds: usual, channel: "#engineering-ai-costs"},
	{name: "sales", department: "Sales", percent: 61, thresholds: usual},
	{name: "marketing", department: "Marketing", spike: true, thresholds: usual, channel: "#marketing-ai-costs"},
	{name: "finance", department: "Finance", percent: 33, thresholds: usual},
	{name: "platform-engineering", center: "CC-1002", percent: 78, thresholds: []int64{50, 70, 90}, channel: "#engineering-ai-costs"},
}

// budgets chooses amounts from what was really spent, so that every threshold
// is crossed, or not, on a day that a few late records cannot change.
func (m month) budgets(charges []charge) []Budget {
	var all []Budget
	for _, plan := range budgetPlans {
		b := Budget{
			Name: plan.name, Department: plan.department, CostCenter: plan.center,
			Thresholds: plan.thresholds, Channel: plan.channel,
		}
		daily := make([]money.USD, m.days+1)
		for _, ch := range charges {
			if b.covers(ch.center) {
				daily[ch.day] = daily[ch.day].Add(ch.total())
			}
		}
		b.AmountUSD = plan.amount(daily)
		b.Crossed = b.crossings(daily)
		all = append(all, b)
	}
	return all
}

// covers says whether what a cost centre spends counts against the budget.
func (b Budget) covers(center string) bool {
	if b.Department == "" || center == unallocated {
		return b.CostCenter == center
	}
	return b.Department == centerOf(center).Department
}

// amount is the budget near the planned one, in steps of five dollars, whose
// crossings are the clearest.
func (p budgetPlan) amount(daily []money.USD) money.Cents {
	base, percent := money.Sum(daily...), p.percent
	if p.spike {
		base, percent = money.Sum(daily[:min(spikeDay, len(daily))]...), 40
	}
	target := int64(base.MulInt(100).Cents()) / percent / 500 * 500
	best, bestMargin := money.Cents(max(target, 500)), int64(-1)
	for step := int64(-6); step <= 6; step++ {
		candidate := money.Cents(target + step*500)
		if candidate < 500 {
			continue
		}
		if margin := p.margin(daily, candidate); margin > bestMargin {
			best, bestMargin = candidate, margin
		}
	}
	return best
}

// margin is the smallest distance, in hundredths of a percent of the budget,
// between any evening's spending and any threshold.
func (p budgetPlan) margin(daily []money.USD, budget money.Cents) int64 {
	var spent money.USD
	smallest := int64(1 << 62)
	for _, d := range daily {
		spent = spent.Add(d)
		for _, t := range p.thresholds {
			gap := money.Percent(spent.MulInt(100), money.FromCents(budget)) - t*100
			smallest = min(smallest, max(gap, -gap))
		}
	}
	return smallest
}

// crossings lists the days on which spending reaches thresholds.
func (b Budget) crossings(daily []money.USD) []Crossing {
	var all []Crossing
	var spent money.USD
	next := 0
	for day, d := range daily {
		spent = spent.Add(d)
		var crossed []int64
		for next < len(b.Thresholds) && money.AtLeastPercent(spent, money.FromCents(b.AmountUSD), b.Thresholds[next]) {
			crossed = append(crossed, b.Thresholds[next])
			next++
		}
		if len(crossed) > 0 {
			all = append(all, Crossing{Day: day, Thresholds: crossed})
		}
	}
	return all
}
