package demo

import (
	"sort"

	"chargeback/transform/money"
)

// Summary is the truth about a demo folder, known before anything reads it:
// what was written, and what a correct program makes of it.
type Summary struct {
	Month string // YYYY-MM
	Zone  string // billing zone
	Days  int    // business days in the month
	Files int    // files that belong to the demo, without its marker
	Kept  []string

	Bedrock BedrockCounts
	LiteLLM LiteLLMCounts
	People  int // rows of people.csv

	Kinds map[Kind]int // calls of each kind

	Match   MatchCounts
	Rules   map[string]int // charged calls by the rule that found their payer: explicit, user, agent, team, key, caller, unallocated
	Centers []CenterCost   // with UNALLOCATED, in order of their codes
	Budgets []Budget
	Cases   []Case // every call that is not ordinary, in order of time

	// What stays open when the month is closed without waivers.
	HeldUnpriced int // usage records of a model without a price
	Rejects      int // records that could not be read

	// Savings, by the rules: what the gateway's cache saved, and what the
	// providers' prompt caches saved net of the cost of writing to them.
	GatewaySavings money.USD
	PromptSavings  money.USD
}

// BedrockCounts counts what stands in the provider's folders.
type BedrockCounts struct {
	Objects         int // logs, with those delivered twice, without those to skip
	SkippedObjects  int // bodies and permission checks
	RepeatedObjects int // second deliveries of an object
	Records         int // different records that can be read
	RepeatedLines   int // exact copies of records, from repeated objects and else
	BrokenLines     int
	Errors          int // records with an error code
	UnknownModel    int // records of a model without a price

	MultiMemberObjects int
	NextHourFolder     int // records in a later hour's folder of their day
	NextDayFolder      int // records in a later day's folder
	NextMonthFolder    int // of these, records in the next month's
}

// Lines is the number of lines in all objects.
func (b BedrockCounts) Lines() int { return b.Records + b.RepeatedLines + b.BrokenLines }

// LiteLLMCounts counts what stands in the gateway's folder.
type LiteLLMCounts struct {
	Objects         int // logs, with those written twice, without those to skip
	SkippedObjects  int // audit logs
	RepeatedObjects int // second copies of a record
	Records         int // different records
	Successes       int
	Failures        int
	CacheHits       int // successes that the gateway's cache answered; not in Successes
}

// MatchCounts says how the two sides come together in the end. Every readable
// provider record is in one of the first four; Doubtful counts requests.
type MatchCounts struct {
	ByRequestID  int // provider records found by the request id in a header
	ByResponseID int
	ByClientRef  int // by the gateway's call id or a reference of the caller's own
	ProviderOnly int // no request

	GatewayUsage int // requests whose own tokens are the usage (OpenAI, no cache hits)
	Doubtful     int // answered requests whose provider record never came or cannot be read, on days that the provider's log covers
	FreeFailures int // failed requests without a billed record
}

// CenterCost is what one cost centre owes for the month's calls, without
// shared costs.
type CenterCost struct {
	Code       string
	Department string // "" for UNALLOCATED
	Mode       string
	Calls      int
	LLM        money.USD
	Infra      money.USD
	Tool       money.USD
}

// Total is all that the cost centre owes.
func (c CenterCost) Total() money.USD { return money.Sum(c.LLM, c.Infra, c.Tool) }

// Case is one call that is not ordinary, with where to find it.
type Case struct {
	Kind       Kind
	Day        int      // business day
	CallID     string   // the gateway's call id; "" for calls past the gateway
	RequestKey string   // the gateway's object, path in the demo folder
	RequestIDs []string // the provider's ids, as far as its records were written
	UsageKeys  []string // the provider's objects, in the order of RequestIDs
}

// Total is what all cost centres owe, with what is unallocated.
func (s Summary) Total() money.USD {
	var sum money.USD
	for _, c := range s.Centers {
		sum = sum.Add(c.Total())
	}
	return sum
}

// outcome fills in what a correct program makes of the calls.
func (b *builder) outcome(charges []charge) {
	centers := map[string]*CenterCost{}
	for _, ch := range charges {
		c := centers[ch.center]
		if c == nil {
			c = &CenterCost{Code: ch.center}
			if ch.center != unallocated {
				c.Department, c.Mode = centerOf(ch.center).Department, centerOf(ch.center).Mode
			}
			centers[ch.center] = c
		}
		c.Calls++
		c.LLM, c.Infra, c.Tool = c.LLM.Add(ch.llm), c.Infra.Add(ch.infra), c.Tool.Add(ch.tool)
		b.sum.Rules[ch.rule]++
		b.sum.GatewaySavings = b.sum.GatewaySavings.Add(ch.gatewaySavings)
		b.sum.PromptSavings = b.sum.PromptSavings.Add(ch.promptSavings)
	}
	for _, c := range centers {
		b.sum.Centers = append(b.sum.Centers, *c)
	}
	sort.Slice(b.sum.Centers, func(i, j int) bool { return b.sum.Centers[i].Code < b.sum.Centers[j].Code })
	b.sum.HeldUnpriced, b.sum.Rejects = b.sum.Bedrock.UnknownModel, b.sum.Bedrock.BrokenLines
	for _, c := range b.calls {
		b.sum.Kinds[c.kind]++
		b.sum.Match.count(c)
		if c.kind != Ordinary && c.kind != CacheHit && c.kind != Refused {
			b.sum.Cases = append(b.sum.Cases, b.caseOf(c))
		}
	}
}

// count adds one call to the counts.
func (n *MatchCounts) count(c *call) {
	readable := 0
	for i, a := range c.attempts {
		if a.lost || a.broken {
			continue
		}
		readable++
		switch {
		case !c.gateway:
			n.ProviderOnly++
		case c.join == byHeader && i == len(c.attempts)-1:
			n.ByRequestID++
		case c.join == byResponseID:
			n.ByResponseID++
		default:
			n.ByClientRef++
		}
	}
	switch {
	case c.outcome == succeeded && !c.bedrock():
		n.GatewayUsage++
	case c.outcome == succeeded && readable == 0:
		n.Doubtful++
	case c.outcome == failed && c.kind != TimedOut:
		n.FreeFailures++
	}
}

func (b *builder) caseOf(c *call) Case {
	found := Case{Kind: c.kind, Day: b.month.businessDay(c.at)}
	if c.gateway {
		found.CallID, found.RequestKey = c.id, b.where[c.id]
	}
	for _, a := range c.attempts {
		if !a.lost {
			found.RequestIDs = append(found.RequestIDs, a.requestID)
			found.UsageKeys = append(found.UsageKeys, b.where[a.requestID])
		}
	}
	return found
}
