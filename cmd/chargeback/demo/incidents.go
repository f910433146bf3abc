package demo

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// contractor asks the company's assistant but stands in no people file.
const contractor = "contractor-03@example.com"

// calls makes everything that happened in the month, in order of time.
func (m month) calls() []*call {
	calls := append(m.ordinaryTraffic(), m.extraSessions()...)
	calls = append(calls, m.directCalls()...)
	within := calls[:0]
	for _, c := range calls {
		if n := m.businessDay(c.at); n >= 1 && n <= m.days {
			within = append(within, c)
		}
	}
	sortCalls(within)
	m.mishaps(within)
	return m.thinned(within)
}

// thinned keeps one of every so many ordinary calls.
func (m month) thinned(calls []*call) (kept []*call) {
	if m.every <= 1 {
		return calls
	}
	ordinary := 0
	for _, c := range calls {
		if c.kind == Ordinary {
			if ordinary++; ordinary%m.every != 0 {
				continue
			}
		}
		kept = append(kept, c)
	}
	return kept
}

// extra is a session that has to be there, whatever the dice say.
type extra struct {
	kind  Kind
	agent string
	day   int
	at    string // local time of day
	calls int
	email string
	model string
	team  string
	key   string
	size  tokens
}

func (m month) extras() []extra {
	all := []extra{
		{agent: "support-bot", day: 1, at: "00:10:00", calls: 6},
		{agent: "support-bot", day: 10, at: "23:30:00", calls: 6},
		{agent: "support-bot", day: 11, at: "10:59:35", calls: 9},
		{agent: "support-bot", day: 18, at: "01:59:30", calls: 9},
		{agent: "nightly-summaries", day: priceChangeDay, at: "01:59:25", calls: 12},
		{agent: "company-assistant", day: 8, at: "09:20:00", calls: 8, email: mover},
		{agent: "company-assistant", day: 23, at: "14:05:00", calls: 8, email: mover},
		{agent: "company-assistant", day: 6, at: "11:15:00", calls: 8, email: uncleanForm},
		{agent: "company-assistant", day: 17, at: "16:40:00", calls: 8, email: uncleanForm},
		{agent: "sales-copilot", day: leaveDay - 2, at: "10:10:00", calls: 6, email: leaver},
		{kind: LeftCompany, agent: "sales-copilot", day: leaveDay + 2, at: "08:30:00", calls: 2, email: leaver},
		{kind: NotOnStaff, agent: "company-assistant", day: 14, at: "15:25:00", calls: 4, email: contractor},
		{kind: UnknownModel, agent: "code-assistant", day: 20, at: "13:45:00", calls: 5, email: "user010@example.com", model: unpriced},
		{kind: TeamOwned, agent: pilot, day: 12, at: "10:35:00", calls: 6, model: haikuEU, team: "data-platform", key: "notebook-key"},
		{kind: KeyOwned, agent: pilot, day: 27, at: "17:20:00", calls: 6, model: haikuEU, key: "pilot-key"},
		{kind: LastEvening, agent: "support-bot", day: m.days, at: "23:35:00", calls: 5},
	}
	// A day on which marketing rewrites the whole catalogue.
	for i := range 9 {
		all = append(all, extra{agent: "campaign-writer", day: spikeDay, at: fmt.Sprintf("%02d:12:00", 9+i), calls: 13,
			size: tokens{60_000, 10_000, 55_000, 9_000}})
	}
	return all
}

// spikeDay is when one department goes from 40 to more than 100 % of its budget.
const spikeDay = 22

func (m month) extraSessions() []*call {
	var calls []*call
	for i, e := range m.extras() {
		r := newRandom(fmt.Sprint(m.name, "extra", i))
		w := e.workload()
		made := m.session(r, w, e.day, m.clock(e.day, e.at), e.calls)
		for _, c := range made {
			if e.email != "" {
				c.email = e.email
			}
			if e.kind != "" {
				c.kind = e.kind
			}
			if e.kind == LastEvening {
				c.attempts[0].delay = m.nextMonth().Sub(c.at) + 4*time.Minute
			}
		}
		calls = append(calls, made...)
	}
	return calls
}

// workload is the agent's ordinary workload with what the session changes.
func (e extra) workload() workload {
	w := workload{agent: e.agent, place: dataEU, operations: chat, size: tokens{40_000, 10_000, 2_000, 2_000}}
	for _, known := range workloads {
		if known.agent == e.agent {
			w = known
		}
	}
	if e.model != "" {
		w.models = []string{e.model}
	}
	if e.team != "" || e.key != "" {
		w.team, w.key = e.team, e.key
	}
	if e.size != (tokens{}) {
		w.size = e.size
	}
	w.steady = true
	return w
}

// clock is a local time of day, given as 15:04:05, as UTC.
func (m month) clock(day int, at string) time.Time {
	t, err := time.Parse(time.TimeOnly, at)
	if err != nil {
		panic(err) // the table above is wrong
	}
	return m.local(day, t.Hour(), t.Minute(), t.Second())
}

// nextMonth is the first instant of the next month in UTC, by which the
// provider names its folders.
func (m month) nextMonth() time.Time { return m.first.AddDate(0, 1, 0) }

// direct is a group of calls that went to the provider past the gateway.
type direct struct {
	kind   Kind
	days   []int
	calls  int
	caller string
	place  place
	model  string
	agent  string
	center string
}

var directs = []direct{
	{DirectCaller, []int{2, 5, 8, 11, 14, 17, 20, 23, 26, 28}, 5, callerETL, dataUS, nova, "", ""},
	{DirectExplicit, []int{7, 14, 21, 28}, 4, callerReports, prodUS, sonnet, "", "CC-4001"},
	{DirectAgent, []int{5, 15, 25}, 3, "arn:aws:sts::" + accountData + ":assumed-role/triage-worker/task-7", dataUS, nova, ticketTriage, ""},
	{DirectUnknown, []int{9, 23}, 4, callerSandbox, dataEU, sonnetEU, "", ""},
	{DirectError, []int{3, 13, 24}, 1, callerETL, dataUS, nova, "", ""},
}

func (m month) directCalls() []*call {
	var calls []*call
	for _, d := range directs {
		w := workload{agent: d.agent, place: d.place, operations: []string{converse}, size: tokens{60_000, 0, 0, 3_000}, steady: true, models: []string{d.model}}
		for _, n := range d.days {
			r := newRandom(fmt.Sprint(m.name, d.kind, n))
			for _, c := range m.session(r, w, n, m.local(n, 4+r.IntN(14), 7+r.IntN(40), 0), d.calls) {
				c.kind, c.gateway, c.caller, c.costCenter = d.kind, false, d.caller, d.center
				c.clientRef, c.took = "", 0
				if d.kind == DirectError {
					c.attempts[0].errorCode, c.attempts[0].tokens = "AccessDeniedException", tokens{}
				}
				calls = append(calls, c)
			}
		}
	}
	return calls
}

// mishaps turns single ordinary calls into the cases that logs are full of.
func (m month) mishaps(calls []*call) {
	r := newRandom(m.name + "mishaps")
	for _, n := range []int{2, 6, 9, 13, 21, 28} {
		m.find(calls, n, bedrockByHeader).retry(r)
	}
	for _, n := range []int{4, 11, 18, 26} {
		c := m.find(calls, n, bedrockByHeader)
		c.kind, c.outcome, c.join, c.tools, c.tokens, c.replyID = TimedOut, failed, byCallID, nil, tokens{}, ""
		c.took = 10 * time.Minute
	}
	for _, n := range []int{3, 10, 19, 24} {
		c := m.find(calls, n, bedrockByHeader)
		c.kind, c.attempts[0].delay = LateUsage, 43*time.Hour
	}
	for _, n := range []int{7, 17} {
		c := m.find(calls, n, bedrockByHeader)
		c.kind, c.attempts[0].delay = VeryLateUsage, 5*24*time.Hour
	}
	for _, n := range []int{5, 12, 16, 22, m.days - 1} {
		c := m.find(calls, n, bedrockByHeader)
		c.kind, c.attempts[0].lost = LostUsage, true
	}
	broken := m.find(calls, 13, bedrockByHeader, inMidSession(calls))
	broken.kind, broken.attempts[0].broken = BrokenUsage, true
	m.find(calls, 8, bedrockByHeader).kind = DoubleCallback
	m.find(calls, 12, bedrockByHeader, fromEU).kind = RepeatedUsage
	for _, n := range []int{bodiesDay, bodiesDay + 7, bodiesDay + 14} {
		m.find(calls, n, bedrockByHeader, withBodies).attempts[0].apart = true
	}
	for i, n := range []int{2, 4, 9, 12, 19, 23, 26, 28} {
		c := m.find(calls, n, func(c *call) bool { return c.email != "" && (c.bedrock() || i%2 == 0) })
		c.kind, c.costCenter = ExplicitCenter, []string{"CC-3001", "CC-4001", "00420"}[i%3]
	}
}

// retry makes a call that the gateway sent twice because the first answer took
// too long; the provider finished and billed both.
func (c *call) retry(r random) {
	first := c.attempts[0]
	second := first
	second.at, second.requestID = first.at.Add(21*time.Second), r.uuid()
	first.tokens.output /= 3
	if first.responseID != "" {
		first.responseID = "msg_bdrk_" + r.token(24)
	}
	c.kind, c.attempts, c.took = Retried, []attempt{first, second}, c.took+21*time.Second
}

// find gives the first ordinary, answered call on or after a business day that
// fits, at daytime and away from the full hour; where there is none, the last
// one before. Calls are in order of time.
func (m month) find(calls []*call, day int, fits ...func(*call) bool) *call {
	suits := func(c *call) bool {
		local := c.at.In(m.zone)
		ok := c.kind == Ordinary && local.Hour() >= 8 && local.Minute() >= 5 && local.Minute() < 55
		for _, f := range fits {
			ok = ok && f(c)
		}
		return ok
	}
	start := sort.Search(len(calls), func(i int) bool { return m.businessDay(calls[i].at) >= day })
	for _, c := range calls[start:] {
		if suits(c) {
			return c
		}
	}
	for _, c := range slices.Backward(calls[:start]) {
		if suits(c) {
			return c
		}
	}
	panic(fmt.Sprintf("demo: no ordinary call fits for day %d", day))
}

func bedrockByHeader(c *call) bool { return c.bedrock() && c.join == byHeader }

func withBodies(c *call) bool { return c.place.logsBodies() && !c.attempts[0].apart }

func fromEU(c *call) bool { return c.place == prodEU }

// inMidSession fits calls that have two of their session before and after
// them within half a minute, so that their line stands amid others.
func inMidSession(calls []*call) func(*call) bool {
	return func(c *call) bool {
		before, after := 0, 0
		for _, o := range calls {
			gap := o.at.Sub(c.at)
			if o.trace != c.trace || !o.bedrock() || o == c || gap.Abs() > 25*time.Second {
				continue
			}
			if gap < 0 {
				before++
			} else {
				after++
			}
		}
		return before >= 2 && after >= 2
	}
}
