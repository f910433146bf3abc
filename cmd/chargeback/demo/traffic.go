package demo

import (
	"fmt"
	"strings"
	"time"
)

// month is the business month that the demo tells.
type month struct {
	name  string // YYYY-MM
	first time.Time
	zone  *time.Location
	days  int
	staff []assignment
	book  []price
	every int // see Options
}

func newMonth(name, zone string) (month, error) {
	first, err := time.Parse("2006-01", name)
	if err != nil {
		return month{}, fmt.Errorf("read demo month %q: it is not a month; write it as 2026-10", name)
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return month{}, fmt.Errorf("load time zone of the demo: %w; install the system's time zone data (tzdata)", err)
	}
	return month{
		name: name, first: first, zone: location, days: first.AddDate(0, 1, -1).Day(),
		staff: people(first), book: priceBook(first),
	}, nil
}

// day is the n-th business day, as a date without a zone.
func (m month) day(n int) time.Time { return m.first.AddDate(0, 0, n-1) }

// local is a time of the n-th business day in the billing zone, as UTC.
func (m month) local(n, hour, minute, second int) time.Time {
	return time.Date(m.first.Year(), m.first.Month(), n, hour, minute, second, 0, m.zone).UTC()
}

// businessDay is the number of the business day of an instant.
func (m month) businessDay(at time.Time) int {
	y, mo, d := at.In(m.zone).Date()
	return int(time.Date(y, mo, d, 0, 0, 0, 0, time.UTC).Sub(m.first)/(24*time.Hour)) + 1
}

// ordinaryTraffic makes every workload's sessions of every day.
func (m month) ordinaryTraffic() []*call {
	var calls []*call
	for n := 1; n <= m.days; n++ {
		weekday := m.day(n).Weekday()
		kind := 0
		if weekday == time.Saturday || weekday == time.Sunday {
			kind = 1
		}
		for _, w := range workloads {
			r := newRandom(fmt.Sprint(m.name, n, w.agent))
			for range r.in(w.sessions[kind]) {
				start := m.local(n, int(r.in(w.hours)), r.IntN(60), r.IntN(60))
				calls = append(calls, m.session(r, w, n, start, int(r.in(w.calls)))...)
			}
		}
	}
	return calls
}

// session makes the calls of one agent at work for one person, a few seconds
// apart, as an agent's loop sends them.
func (m month) session(r random, w workload, n int, start time.Time, count int) []*call {
	email := ""
	if len(w.staff) > 0 {
		email = pick(r, staffOf(m.staff, m.day(n), []string{pick(r, w.staff)}))
	}
	if email == unclean {
		email = uncleanForm
	}
	endUser := ""
	if w.endUsers {
		endUser = fmt.Sprintf("customer-%04d", r.IntN(2000))
	}
	model, trace, at := pick(r, w.models), r.uuid(), start
	calls := make([]*call, count)
	var answered *call
	for i := range calls {
		c := newCall(r, w, model, at)
		c.trace, c.email, c.endUser = trace, email, endUser
		if c.outcome == succeeded {
			answered = c
		} else if c.outcome == cacheHit && answered != nil { // the cache gives an earlier answer, under its id
			c.replyID, c.tokens = answered.replyID, answered.tokens
		}
		calls[i] = c
		at = at.Add(time.Duration(r.in(span{2_000_000, 9_000_000})) * time.Microsecond)
	}
	return calls
}

// newCall makes one ordinary call of a workload.
func newCall(r random, w workload, model string, at time.Time) *call {
	c := &call{
		kind: Ordinary, at: clearOfTheHour(at.Add(time.Duration(r.IntN(1_000_000)) * time.Microsecond)),
		took: time.Duration(r.in(span{600, 14_000})) * time.Millisecond,
		id:   r.uuid(), agent: w.agent, team: w.team, key: w.key,
		provider: "openai", model: model, place: w.place, gateway: true,
		tokens: varied(r, w.size), toolForm: r.IntN(3),
	}
	for range r.IntN(4) {
		if len(w.tools) > 0 && r.percent(55) {
			c.tools = append(c.tools, pick(r, w.tools))
		}
	}
	c.replyID = "chatcmpl-" + r.token(28)
	if w.place != openAI {
		c.provider, c.operation = "bedrock", pick(r, w.operations)
		c.caller = fmt.Sprintf("arn:aws:sts::%s%s%d", w.place.account, callerGateway, r.IntN(4))
		c.replyID = "chatcmpl-" + r.uuid()
		c.attempts = []attempt{{at: c.at, requestID: r.uuid(), tokens: c.tokens}}
		chooseJoin(r, c)
	}
	if !w.steady {
		chooseOutcome(r, c, w.cached)
	}
	return c
}

// chooseJoin decides which key the two sides of a Bedrock call share: mostly
// the header, else the message id of an Invoke call or a reference.
func chooseJoin(r random, c *call) {
	invoked := c.operation == invoke || c.operation == invokeStream
	if invoked {
		c.attempts[0].responseID = "msg_bdrk_" + r.token(24)
		c.replyID = c.attempts[0].responseID
	}
	switch n := r.IntN(100); {
	case n < 82:
		c.join = byHeader
	case invoked:
		c.join = byResponseID
	case n < 95:
		c.join = byCallID
	default:
		c.join, c.clientRef = byClientRef, "job-"+r.hex(6)
	}
}

// chooseOutcome lets some calls be answered by the gateway's cache and some fail.
func chooseOutcome(r random, c *call, cached int) {
	switch n := r.IntN(1000); {
	case n < cached*10:
		c.kind, c.outcome, c.attempts, c.tools, c.took = CacheHit, cacheHit, nil, nil, 4*time.Millisecond
	case n >= 996 && c.bedrock():
		c.kind, c.outcome, c.tools = Throttled, failed, nil
		c.attempts[0].errorCode, c.attempts[0].tokens, c.attempts[0].responseID = "ThrottlingException", tokens{}, ""
		c.replyID, c.tokens = "", tokens{}
		if c.join == byResponseID {
			c.join = byCallID
		}
	case n >= 990:
		c.kind, c.outcome, c.attempts, c.tools = Refused, failed, nil, nil
		c.replyID, c.tokens = "", tokens{}
	}
}

// varied gives 50 to 150 % of every count.
func varied(r random, t tokens) tokens {
	some := func(n int64) int64 {
		if n == 0 {
			return 0
		}
		return r.in(span{n / 2, n + n/2})
	}
	return tokens{some(t.fresh), some(t.read), some(t.written), some(t.output)}
}

// clearOfTheHour moves an instant a few seconds away from a full hour. Days,
// months and prices change at full hours, and the two sides' clocks may
// differ by a second.
func clearOfTheHour(at time.Time) time.Time {
	sinceHour := at.Sub(at.Truncate(time.Hour))
	switch {
	case sinceHour < 4*time.Second:
		return at.Add(5 * time.Second)
	case sinceHour > time.Hour-4*time.Second:
		return at.Add(10 * time.Second)
	}
	return at
}

// tidyEmail is an address as the people file has it.
func tidyEmail(logged string) string { return strings.ToLower(strings.TrimSpace(logged)) }
