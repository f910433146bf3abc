package jobs_test

import (
	"strings"
	"testing"

	"chargeback/billing/outbox"
	"chargeback/billing/records"
	"chargeback/billing/runs"
	"chargeback/jobs"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// oneSource is the small company with the gateway alone, which is watched by its
// habit, and a month that is charged to somebody.
func oneSource(t *testing.T) company {
	t.Helper()
	c := newCompany(t)
	c.edit("chargeback.yaml", `  - {name: bedrock, format: bedrock, url: "file:data/bedrock", silent_after_days: 0}`+"\n", "")
	c.edit("chargeback.yaml", `url: "file:data/litellm", silent_after_days: 0}`, `url: "file:data/litellm"}`)
	c.edit("chargeback.yaml", "usage_from: {bedrock: provider, openai: gateway}\n", "")
	return c
}

// ask writes one request of a day to the gateway's log.
func (c company) ask(day, email string) {
	c.t.Helper()
	c.log(request{id: day + "-" + email, at: day + "T10:00:00Z", provider: "openai", email: email, agent: "helper", in: 1000, out: 100})
}

// told keeps the problems of a kind, as source, object and text.
func told(problems []jobs.Problem, kind string) (all []string) {
	for _, p := range problems {
		if p.Kind == kind {
			all = append(all, p.Source+" "+p.Object+": "+p.What)
		}
	}
	return all
}

// says checks that the only problem of a kind begins with a text; "" that there is
// none.
func says(t *testing.T, what, want string, problems []jobs.Problem, kind string) {
	t.Helper()
	found := told(problems, kind)
	if want == "" && len(found) > 0 || want != "" && (len(found) != 1 || !strings.HasPrefix(found[0], want)) {
		t.Errorf("%s: told %q of kind %s, want %q", what, found, kind, want)
	}
}

// stands is what status tells.
func (b *books) stands(t *testing.T, day string) []jobs.Problem {
	t.Helper()
	problems, err := b.Signals(t.Context(), b.morning(date(day)))
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

// Goal: nights and status name a source that has dried up, or never held a record,
// and nobody is told of one that is quiet no longer than it is used to.
// Method: nights over logs that end; the same without any log; and with limits of
// the source's own.
func TestSilentSource(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, setting string
		days          []string // with a record
		last          string   // night
		want          string
	}{
		{"as usual", "", []string{"2026-10-28", "2026-10-29", "2026-10-30"}, "2026-11-02", ""},
		{"dried up", "", []string{"2026-10-28", "2026-10-29", "2026-10-30"}, "2026-11-03", "gateway since 2026-10-31: no record for 4 days, and its longest pause of the last 60 days was 1 day"},
		{"one record in all", "", []string{"2026-10-28"}, "2026-11-02", ""},
		{"one record in all, long ago", "", []string{"2026-10-28"}, "2026-11-03", "gateway since 2026-10-29: no record for 6 days"},
		{"used to pauses", "", []string{"2026-10-28", "2026-11-01"}, "2026-11-06", ""},
		{"no record, in the first nights", "", nil, "2026-10-30", ""},
		{"no record", "", nil, "2026-10-31", "gateway since 2026-10-28: no record since company.start"},
		{"never told", ", silent_after_days: 0", nil, "2026-11-03", ""},
		{"a limit of its own", ", silent_after_days: 1", []string{"2026-10-28"}, "2026-10-29", "gateway since 2026-10-29: no record for 1 day, and its silent_after_days is 1"},
		{"a long limit of its own", ", silent_after_days: 90", []string{"2026-10-28"}, "2026-11-10", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := oneSource(t)
			c.edit("chargeback.yaml", `url: "file:data/litellm"}`, `url: "file:data/litellm"`+tt.setting+`}`)
			for _, day := range tt.days {
				c.ask(day, "user001@example.com")
			}
			b := open(t, c.dir, wiring{})
			nights := b.nights(t, firstDay, tt.last)
			says(t, "the last night", tt.want, nights[len(nights)-1].Problems, jobs.KindSilentSource)
			says(t, "status", tt.want, b.stands(t, tt.last), jobs.KindSilentSource)
			if tt.want != "" && !strings.Contains(tt.want, "longest pause") {
				return
			}
			for _, n := range nights[:len(nights)-1] {
				says(t, n.Window, "", n.Problems, jobs.KindSilentSource)
			}
		})
	}
}

// Goal: a source whose days were read as a backlog is told silent as soon as one
// that was read each night, and for a true reason.
// Method: a week of one record a day is read by nights that run together; then nothing
// comes.
func TestSilentAfterBacklog(t *testing.T) {
	t.Parallel()
	c := oneSource(t)
	for _, day := range nightsOf(firstDay, "2026-11-03") {
		c.ask(strings.TrimPrefix(day, "nightly/"), "user001@example.com")
	}
	b := open(t, c.dir, wiring{})
	s, err := b.nightAndMessages(t.Context(), records.Days{First: date(firstDay), Last: date("2026-11-03")})
	if err != nil {
		t.Fatal(err)
	}
	says(t, "the backlog", "", s.Problems, jobs.KindSilentSource)
	nights := b.nights(t, "2026-11-04", "2026-11-07")
	for _, n := range nights[:3] {
		says(t, n.Window, "", n.Problems, jobs.KindSilentSource)
	}
	const want = "gateway since 2026-11-04: no record for 4 days, and its longest pause of the last 60 days was 1 day:"
	says(t, "the fourth silent night", want, nights[3].Problems, jobs.KindSilentSource)
	says(t, "status", want, b.stands(t, "2026-11-07"), jobs.KindSilentSource)
}

// Goal: a source that is added to older books is told silent after four nights that
// looked for it, as it is in new books; and a backlog of such nights counts.
func TestSilentNewSource(t *testing.T) {
	t.Parallel()
	c := oneSource(t)
	for _, day := range nightsOf(firstDay, "2026-11-10") {
		c.ask(strings.TrimPrefix(day, "nightly/"), "user001@example.com")
	}
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, "2026-11-02")
	c.put("data/added/2026/empty.txt", nil)
	c.edit("chargeback.yaml", `  - {name: gateway,`, `  - {name: added, format: litellm, url: "file:data/added"}`+"\n"+`  - {name: gateway,`)
	b = b.again(t, c.dir, wiring{})
	says(t, "status before any night", "", b.stands(t, "2026-11-02"), jobs.KindSilentSource)
	says(t, "the last night again", "", b.night(t, date("2026-11-02")).Problems, jobs.KindSilentSource)
	says(t, "a night of the past again", "", b.night(t, date("2026-10-29")).Problems, jobs.KindSilentSource)
	for _, n := range b.nights(t, "2026-11-03", "2026-11-04") {
		says(t, n.Window, "", n.Problems, jobs.KindSilentSource)
		says(t, "status of "+n.Window, "", b.stands(t, "2026-11-04"), jobs.KindSilentSource)
	}
	const want = "added since 2026-11-02: no record since its first night: correct its url or prefix"
	says(t, "the fourth night", want, b.night(t, date("2026-11-05")).Problems, jobs.KindSilentSource)
	says(t, "status", want, b.stands(t, "2026-11-05"), jobs.KindSilentSource)

	c.put("data/further/2026/empty.txt", nil)
	c.edit("chargeback.yaml", `{name: added, format: litellm, url: "file:data/added"}`, `{name: added, format: litellm, url: "file:data/further", silent_after_days: 0}`+"\n"+`  - {name: further, format: litellm, url: "file:data/further", silent_after_days: 3}`)
	b = b.again(t, c.dir, wiring{})
	s, err := b.nightAndMessages(t.Context(), records.Days{First: date("2026-11-06"), Last: date("2026-11-07")})
	if err != nil {
		t.Fatal(err)
	}
	says(t, "two nights of another one", "", s.Problems, jobs.KindSilentSource)
	says(t, "its third", "further since 2026-11-06: no record since its first night", b.night(t, date("2026-11-08")).Problems, jobs.KindSilentSource)
}

// Goal: a night of which most is rejected says so, as does status until the log is
// corrected; one with less does not.
func TestMostlyRejected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, setting string
		good, bad     int
		want          string
	}{
		{"nothing read", "", 0, 0, ""},
		{"nothing wrong", "", 2, 0, ""},
		{"one wrong row alone", "", 0, 1, "gateway nightly/2026-10-28: the only record was rejected, and reject_alarm_percent is 50"},
		{"all of two", "", 0, 2, "gateway nightly/2026-10-28: all 2 records were rejected"},
		{"half", "", 1, 1, ""},
		{"more than half", "", 1, 2, "gateway nightly/2026-10-28: 2 of 3 records were rejected"},
		{"less", "", 2, 1, ""},
		{"a lower bar", "reject_alarm_percent: 30\n", 2, 1, "gateway nightly/2026-10-28: 1 of 3 records was rejected, and reject_alarm_percent is 30"},
		{"off", "reject_alarm_percent: 0\n", 0, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := oneSource(t)
			c.append("chargeback.yaml", tt.setting)
			good := request{id: "r", at: "2026-10-28T10:00:00Z", provider: "openai", email: "user001@example.com", in: 10, out: 1}
			var lines []string
			for i := range tt.good {
				good.id = strings.Repeat("r", i+1)
				lines = append(lines, string(good.json()))
			}
			good.id = "bad"
			for range tt.bad {
				lines = append(lines, strings.Replace(string(good.json()), `"startTime":`, `"startTime":"x","was":`, 1))
			}
			key := good.key()
			if len(lines) > 0 {
				c.put(key, []byte(strings.Join(lines, "\n")+"\n"))
			}
			b := open(t, c.dir, wiring{})
			says(t, "night", tt.want, b.night(t, date(firstDay)).Problems, jobs.KindRejects)
			says(t, "the next night", "", b.night(t, date("2026-10-29")).Problems, jobs.KindRejects)
			says(t, "status", tt.want, b.stands(t, "2026-10-29"), jobs.KindRejects)
			good.id = "right"
			c.put(key, append(good.json(), '\n'))
			b.night(t, date("2026-10-30"))
			says(t, "status of a corrected log", "", b.stands(t, "2026-10-30"), jobs.KindRejects)
		})
	}
}

// Goal: a model without a price is named by the night that first has it and by
// status while it is held; and what is unallocated, by each as long as it is more
// than the limit.
func TestUnseenSpend(t *testing.T) {
	t.Parallel()
	c := oneSource(t)
	b := open(t, c.dir, wiring{})
	s := b.night(t, date(firstDay))
	says(t, "a night of nothing", "", s.Problems, jobs.KindUnpricedModel)
	says(t, "a night of nothing", "", s.Problems, jobs.KindUnallocated)
	r := request{id: "new", at: "2026-10-29T10:00:00Z", provider: "openai", email: "user001@example.com", in: 1000, out: 100}
	c.put(r.key(), []byte(strings.Replace(string(r.json()), `"model":"other-small"`, `"model":"model-new"`, 1)))
	c.ask("2026-10-29", "stranger@example.com")
	s = b.night(t, date("2026-10-29"))
	says(t, "a night of a new model", "unpriced openai/model-new: 1 record without a cost, in no budget and on no document: the model is not in the rate book: add its price, or name the model under unknown_models, and run again", s.Problems, jobs.KindUnpricedModel)
	says(t, "within the limit", "", s.Problems, jobs.KindUnallocated)
	for _, who := range []string{"a", "b", "c", "d"} {
		c.ask("2026-10-30", who+"@example.com")
	}
	s = b.night(t, date("2026-10-30"))
	const most = "unallocated 2026-10: 0.0145 USD are unallocated, and unallocated_limit_usd is 0.01: no department or cost centre pays for them, so only budgets of the company and of UNALLOCATED count them, and the month can't be closed; see `chargeback report users --department UNALLOCATED --month 2026-10`, and correct"
	says(t, "the model again", "", s.Problems, jobs.KindUnpricedModel)
	says(t, "above the limit", most, s.Problems, jobs.KindUnallocated)
	says(t, "status", "unpriced openai/model-new: 1 record", b.stands(t, "2026-10-30"), jobs.KindUnpricedModel)
	says(t, "status", most, b.stands(t, "2026-10-30"), jobs.KindUnallocated)
	says(t, "the next night", most, b.night(t, date("2026-10-31")).Problems, jobs.KindUnallocated)
	b.Month.UnallocatedLimit = money.MustParse("1")
	says(t, "another limit", "", b.stands(t, "2026-10-31"), jobs.KindUnallocated)
}

// Goal: corrections of a closed month are told by the night that makes or changes
// them, above the limit, and by status; an edit of an old price is named with what it
// corrects, and putting it back ends both. A new entry is no edit.
// Method: October is closed; then its price, or what is added to it, changes.
func TestCorrectionsAreTold(t *testing.T) {
	t.Parallel()
	c := oneSource(t)
	for _, day := range []string{"2026-10-28", "2026-10-29"} {
		c.ask(day, "user001@example.com")
	}
	c.ask("2026-11-01", "user001@example.com")
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	b.closing(t, october)
	says(t, "nothing", "", b.stands(t, lateDay), jobs.KindCorrections)
	says(t, "nothing", "", b.stands(t, lateDay), jobs.KindEditedPrice)

	const was, is = `input: "2.00", cache_read`, `input: "4.00", cache_read`
	const edited = "rate book price openai/other-small from 2026-01-01: was edited and charges something else"
	c.edit("prices.yaml", was, is)
	b = b.again(t, c.dir, wiring{})
	s := b.night(t, date("2026-11-04"))
	says(t, "an edited price", edited, s.Problems, jobs.KindEditedPrice)
	if all := told(s.Problems, jobs.KindEditedPrice); len(all) == 1 && !strings.Contains(all[0], "2026-11 now corrects 2026-10 by 0.004 USD") {
		t.Errorf("what it corrects is not in %q", all[0])
	}
	const corrected = "corrections 2026-10: this closed month is corrected in 2026-11 by 0.004 USD, and corrections_limit_usd is 0.00"
	says(t, "its corrections", corrected, s.Problems, jobs.KindCorrections)
	s = b.night(t, date("2026-11-05"))
	equal(t, "the next night", []string(nil), append(told(s.Problems, jobs.KindEditedPrice), told(s.Problems, jobs.KindCorrections)...))
	says(t, "status", edited, b.stands(t, "2026-11-05"), jobs.KindEditedPrice)
	says(t, "status", corrected, b.stands(t, "2026-11-05"), jobs.KindCorrections)
	b.Signal.CorrectionsLimit = money.MustParse("0.004")
	says(t, "status below the limit", "", b.stands(t, "2026-11-05"), jobs.KindCorrections)

	c.edit("prices.yaml", is, was)
	b = b.again(t, c.dir, wiring{})
	s = b.night(t, date("2026-11-05"))
	equal(t, "put back", []string(nil), append(told(s.Problems, jobs.KindEditedPrice), told(s.Problems, jobs.KindCorrections)...))
	equal(t, "status", []string(nil), append(told(b.stands(t, "2026-11-05"), jobs.KindEditedPrice), told(b.stands(t, "2026-11-05"), jobs.KindCorrections)...))

	c.edit("prices.yaml", "fees:\n", `  - {provider: openai, model: other-small, from: 2026-10-29T00:00:00Z, learned: 2026-11-05T00:00:00Z, usd_per_million: {input: "3.00", output: "8.00"}, source: test}`+"\nfees:\n")
	b = b.again(t, c.dir, wiring{})
	s = b.night(t, date("2026-11-06"))
	says(t, "a price that was learned late", "", s.Problems, jobs.KindEditedPrice)
	says(t, "its corrections", "corrections 2026-10: this closed month is corrected in 2026-11 by 0.001 USD", s.Problems, jobs.KindCorrections)

	b.ran(t, runs.Done, nightsOf("2026-11-07", "2026-12-03")...)
	b.closing(t, "2026-11")
	equal(t, "status behind the close", []string(nil), told(b.stands(t, "2026-12-03"), jobs.KindCorrections))
}

// Goal: money that a correction moves from one cost centre to another is told,
// although the month's sum stays.
func TestCorrectionsThatMoveAreTold(t *testing.T) {
	t.Parallel()
	c := oneSource(t)
	c.ask(firstDay, "user001@example.com")
	c.ask("2026-11-01", "user002@example.com")
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	b.closing(t, october)
	c.edit("people.csv", "user001@example.com,Support,00420,", "user001@example.com,Engineering,CC-1001,")
	s := b.night(t, date("2026-11-04"))
	says(t, "a move", "corrections 2026-10: this closed month is corrected in 2026-11 by 0.00 USD (0.0029 USD charged, 0.0029 USD credited)", s.Problems, jobs.KindCorrections)
}

// Goal: a month without any record is closed only where a waiver says so, which its
// documents print.
func TestEmptyMonth(t *testing.T) {
	t.Parallel()
	c := oneSource(t)
	c.ask("2026-11-01", "user001@example.com")
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	_, err := b.Monthly(t.Context(), month(october), b.due(october))
	if err == nil || !strings.Contains(err.Error(), "gate empty: 2026-10 has no cost record") || !strings.Contains(err.Error(), "Gateway hosting (10.00 USD)") {
		t.Fatalf("closed with %v", err)
	}
	b.mayBeEmpty("2026-11")
	if _, err = b.Monthly(t.Context(), month(october), b.due(october)); err == nil {
		t.Fatal("closed by the waiver of another month")
	}
	b.mayBeEmpty(october)
	s := b.closing(t, october)
	equal(t, "waived", []string{"empty: 1 empty month, up to 1 empty month"}, waived(s))
	c.ask("2026-11-02", "user001@example.com")
	b.night(t, date(lateDay))
	b.ran(t, runs.Done, nightsOf("2026-11-04", "2026-12-03")...)
	b.Month.Waivers = nil
	equal(t, "a month with one record", []string(nil), waived(b.closing(t, "2026-11")))
}

func waived(s jobs.MonthlySummary) (all []string) {
	for _, w := range s.Waived {
		all = append(all, w.Gate+": "+w.Measured+", "+w.Bound)
	}
	return all
}

// Goal: nights that nobody ran are told when they are more than two.
func TestOverdue(t *testing.T) {
	t.Parallel()
	due := []civil.Date{date("2026-11-01"), date("2026-11-02"), date("2026-11-03")}
	for n := range len(due) {
		says(t, "due nights", "", jobs.Overdue(due[:n]), jobs.KindOverdue)
	}
	says(t, "three nights", "run since 2026-11-01: 3 nights are due: look whether", jobs.Overdue(due), jobs.KindOverdue)
}

// Goal: status tells of a run that failed until its window is done, and of a message
// that waits.
func TestFailedRunsStand(t *testing.T) {
	t.Parallel()
	c := oneSource(t)
	b := open(t, c.dir, wiring{})
	equal(t, "new books", 0, len(b.stands(t, firstDay)))
	attempt, err := b.Ledger.Runs.Begin(t.Context(), "nightly/"+firstDay, b.morning(date(firstDay)))
	if err == nil {
		err = b.Ledger.Runs.End(t.Context(), "nightly/"+firstDay, attempt, runs.Failed, b.morning(date(firstDay)), b.morning(date(firstDay)), map[string]string{"error": "the disk is full"})
	}
	if err != nil {
		t.Fatal(err)
	}
	says(t, "failed", "run nightly/2026-10-28: failed: the disk is full", b.stands(t, firstDay), jobs.KindFailedRun)
	b.night(t, date(firstDay))
	says(t, "done", "", b.stands(t, firstDay), jobs.KindFailedRun)
	err = b.raised(t, outbox.Raised{Message: outbox.Message{ID: "support/2026-10/50/actual", Channel: "#support", Payload: "{}"}})
	if err != nil {
		t.Fatal(err)
	}
	says(t, "a message", "message support/2026-10/50/actual: was not tried yet", b.stands(t, firstDay), jobs.KindUndelivered)
}
