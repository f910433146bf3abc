package demo

import (
	"strings"

	"chargeback/transform/money"
)

// charge is what one call costs in the end, after every late record has come.
// What the provider's log never told of is held: it covers every day.
type charge struct {
	day            int // business day of the month
	center         string
	rule           string
	llm            money.USD
	infra          money.USD
	tool           money.USD
	gatewaySavings money.USD
	promptSavings  money.USD
}

func (c charge) total() money.USD { return money.Sum(c.llm, c.infra, c.tool) }

// charges works out what each call costs, by the plain reading of the rules.
// It is what the program's result is compared with, so it shares no code with
// the program but the type of an amount.
func (m month) charges(calls []*call) []charge {
	var all []charge
	for _, c := range calls {
		if ch, billed := m.charge(c); billed {
			all = append(all, ch)
		}
	}
	return all
}

// charge prices one call; billed is false for failures that nobody bills, and for
// calls that are held: of models without a price, or without usage.
func (m month) charge(c *call) (ch charge, billed bool) {
	rate, priced := rateOf(m.book, c.model, c.at)
	if !priced {
		return charge{}, false
	}
	ch.day = m.businessDay(c.at)
	ch.center, ch.rule = m.payer(c)
	if c.outcome == cacheHit {
		ch.infra, ch.gatewaySavings = money.MustParse(feeCacheHit), rate.cost(c.tokens)
		return ch, true
	}
	if !c.bedrock() && c.outcome == succeeded {
		ch.llm, ch.promptSavings, billed = rate.cost(c.tokens), rate.cacheSavings(c.tokens), true
	}
	for _, a := range c.attempts {
		if a.errorCode == "" && !a.lost && !a.broken {
			ch.llm, billed = ch.llm.Add(rate.cost(a.tokens)), true
			ch.promptSavings = ch.promptSavings.Add(rate.cacheSavings(a.tokens))
		}
	}
	if !billed {
		return charge{}, false
	}
	ch.infra, ch.tool = money.MustParse(feeRequest), c.toolCost()
	return ch, true
}

// toolCost is what the call's tools cost. Where only their number is known,
// each costs what any other tool costs.
func (c *call) toolCost() money.USD {
	var sum money.USD
	for _, name := range c.tools {
		if c.toolForm == 0 {
			name = "*"
		}
		sum = sum.Add(toolFee(name))
	}
	return sum
}

// Rules by which a payer is found, in their order.
const (
	ruleExplicit    = "explicit"
	ruleUser        = "user"
	ruleAgent       = "agent"
	ruleTeam        = "team"
	ruleKey         = "key"
	ruleCaller      = "caller"
	ruleUnallocated = "unallocated"
)

// payer finds the cost centre of a call and the rule that found it.
func (m month) payer(c *call) (center, rule string) {
	day := m.day(m.businessDay(c.at))
	if c.costCenter != "" {
		return c.costCenter, ruleExplicit
	}
	if center := centerAt(m.staff, tidyEmail(c.email), day); center != "" {
		return center, ruleUser
	}
	date := day.Format("2006-01-02")
	for _, a := range agents(m.name) {
		if a.ID == c.agent && a.Owner != "" && date >= a.From && (a.To == "" || date < a.To) {
			if strings.Contains(a.Owner, "@") {
				return centerAt(m.staff, a.Owner, day), ruleAgent
			}
			return a.Owner, ruleAgent
		}
	}
	for _, o := range owners {
		switch {
		case o.Team != "" && o.Team == c.team:
			return o.CostCenter, ruleTeam
		case o.Key != "" && o.Key == c.key:
			return o.CostCenter, ruleKey
		case o.Caller != "" && c.caller == callerETL:
			return o.CostCenter, ruleCaller
		}
	}
	return unallocated, ruleUnallocated
}
