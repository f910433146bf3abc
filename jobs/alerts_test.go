package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chargeback/billing/budget"
	"chargeback/billing/notify"
	"chargeback/billing/outbox"
	"chargeback/jobs"
)

// desk is a medium that takes messages, unless it is told otherwise.
type desk struct {
	posts []string // "#channel kind of amount at spent: thresholds"
	says  error    // to every message
}

func (d *desk) Send(_ context.Context, m notify.Message) (string, error) {
	if d.says != nil {
		return "", d.says
	}
	a := m.Alert
	text := fmt.Sprintf("%s %s of %s at %s: %s", m.Channel, a.Kind, a.Amount, a.Spent, words(a.Crossed))
	for _, back := range a.TakenBack {
		text += fmt.Sprintf(", not %s of %s", words(back.Thresholds), back.Amount)
	}
	d.posts = append(d.posts, text)
	return "ref", nil
}

func words(thresholds []int) string { return strings.Trim(fmt.Sprint(thresholds), "[]") }

// took returns what was posted since it was last asked.
func (d *desk) took() []string {
	posts := d.posts
	d.posts = nil
	return posts
}

var (
	errDown     = &notify.SendError{Outcome: notify.NotSent, Reason: "down"}
	errArchived = &notify.SendError{Outcome: notify.Refused, Reason: "is_archived"}
)

// office is a company whose Support department spends what the test says, and one
// budget of it.
type office struct {
	company
	*books
	*desk
}

func newOffice(t *testing.T, amountUSD string) office {
	o := office{company: newCompany(t), desk: &desk{}}
	o.books = open(t, o.dir, wiring{change: func(b *jobs.Books) {
		b.Budgets = []budget.Budget{{Name: "support", Scope: budget.Scope{Kind: budget.Department, Value: "Support"}, Amount: amount(t, amountUSD), Thresholds: []int{50, 80, 100}, Channel: "#sup"}}
		b.AlertChannel = "#ai-costs"
	}})
	o.nextRun()
	return o
}

// nextRun is another run: a medium that rested is tried again.
func (o office) nextRun() {
	o.Courier = notify.NewCourier(o.desk, notify.Clock{Now: time.Now, Wait: noWait})
}

// spends writes a call of a day that costs whole dollars, and a fee of a hundredth
// of a cent.
func (o office) spends(day, id string, dollars int) {
	o.company.call(id, day+"T09:00:00Z", "user001@example.com", dollars*1_000_000, 0)
}

func (o office) nightOf(t *testing.T, day string) {
	t.Helper()
	o.nextRun()
	o.night(t, date(day))
}

// checks is a run in which no night is due.
func (o office) checks(t *testing.T) {
	t.Helper()
	o.nextRun()
	if _, err := o.CheckBudgets(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (o office) undelivered(t *testing.T) (ids []string) {
	t.Helper()
	messages, err := o.Undelivered(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		ids = append(ids, fmt.Sprintf("%s to %s %s: %s", m.ID, m.Channel, m.State, m.Reason))
	}
	return ids
}

// Goal: each threshold of each amount is told once, until a correction takes it
// back, and budgets are held against what is spent also where no night is due.
// Method: one month of one budget, step by step, each step also run again.
func TestBudgetOverAMonth(t *testing.T) {
	o := newOffice(t, "100")
	again := func(day string) {
		t.Helper()
		o.nightOf(t, day)
		equal(t, "told by the same night again", []string(nil), o.took())
		o.checks(t)
		equal(t, "told by a run in which no night is due", []string(nil), o.took())
	}
	o.checks(t)
	equal(t, "told by books without a night", []string(nil), o.took())

	o.spends("2026-10-28", "a", 60)
	o.nightOf(t, "2026-10-28")
	equal(t, "60 of 100", []string{"#sup actual of 100.00 at 60.0001: 50"}, o.took())
	again("2026-10-28")

	o.Budgets[0].Amount = amount(t, "1000")
	o.checks(t)
	equal(t, "60 of 1,000", []string(nil), o.took())
	o.Budgets[0].Amount = amount(t, "70")
	o.checks(t)
	equal(t, "60 of 70", []string{"#sup actual of 70.00 at 60.0001: 50 80"}, o.took())
	again("2026-10-28")

	o.spends("2026-10-28", "a", 40) // written again: 40, not 60
	o.spends("2026-10-29", "b", 1)
	o.nightOf(t, "2026-10-29")
	equal(t, "41 of 70, corrected", []string{"#sup correction of 70.00 at 41.0002: 50 80, not 80 of 70.00, not 50 of 100.00"}, o.took())
	again("2026-10-29")

	o.spends("2026-10-30", "c", 20)
	o.nightOf(t, "2026-10-30")
	equal(t, "61 of 70", []string{"#sup actual of 70.00 at 61.0003: 80"}, o.took())
	again("2026-10-30")

	o.Budgets[0].Amount = amount(t, "100")
	o.checks(t)
	equal(t, "61 of 100 again", []string{"#sup actual of 100.00 at 61.0003: 50"}, o.took())
	again("2026-10-30")
	equal(t, "left over", []string(nil), o.undelivered(t))
}

// Goal: a budget that is changed is looked at in every open month.
// Method: spend in October alone, a night of November, and a lower budget.
func TestBudgetChangedAfterTheMonth(t *testing.T) {
	o := newOffice(t, "100")
	o.spends("2026-10-28", "a", 40)
	for _, day := range []string{"2026-10-28", "2026-11-12"} {
		o.nightOf(t, day)
	}
	equal(t, "40 of 100", []string(nil), o.took())
	o.Budgets[0].Amount = amount(t, "50")
	o.nightOf(t, "2026-11-13")
	equal(t, "40 of 50, by the night of another month", []string{"#sup actual of 50.00 at 40.0001: 50 80"}, o.took())
}

// Goal: a team that could not be told is told once what holds, whatever happened.
// Method: a medium that is down for some nights.
func TestBacklogIsOneMessage(t *testing.T) {
	o := newOffice(t, "100")
	o.says = errDown
	for i, dollars := range []int{55, 30, 20} {
		day := date("2026-10-28").AddDays(i).String()
		o.spends(day, day, dollars)
		o.nightOf(t, day)
	}
	equal(t, "waits", []string{"support/2026-10/100.00/100/actual/1 to #sup pending: down"}, o.undelivered(t))
	o.says = nil
	o.checks(t)
	equal(t, "told", []string{"#sup actual of 100.00 at 105.0003: 50 80 100"}, o.took())
	equal(t, "left over", []string(nil), o.undelivered(t))

	messages, err := o.AlertsOf(t.Context(), month(october))
	if err != nil {
		t.Fatal(err)
	}
	var fates []string
	for _, m := range messages {
		fates = append(fates, m.ID+" "+string(m.State))
	}
	equal(t, "messages", []string{"support/2026-10/100.00/50/actual/1 folded", "support/2026-10/100.00/80/actual/1 folded", "support/2026-10/100.00/100/actual/1 sent"}, fates)
}

// Goal: figures of a message that waits are those of the newest night, and what
// was taken back before anybody was told is not told at all.
func TestWaitingMessageFollowsTheFigures(t *testing.T) {
	o := newOffice(t, "100")
	o.says = errDown
	o.spends("2026-10-28", "a", 55)
	o.nightOf(t, "2026-10-28")
	o.spends("2026-10-29", "b", 5)
	o.nightOf(t, "2026-10-29")
	o.says = nil
	o.checks(t)
	equal(t, "told", []string{"#sup actual of 100.00 at 60.0002: 50"}, o.took())

	o.says = errDown
	o.spends("2026-10-30", "c", 30)
	o.nightOf(t, "2026-10-30")
	equal(t, "waiting", 1, len(o.undelivered(t)))
	o.spends("2026-10-30", "c", 1) // written again
	o.nightOf(t, "2026-10-30")
	o.says = nil
	o.checks(t)
	equal(t, "told of what did not last", []string(nil), o.took())
	o.spends("2026-10-31", "d", 40)
	o.nightOf(t, "2026-10-31")
	equal(t, "told once it holds", []string{"#sup actual of 100.00 at 101.0004: 80 100"}, o.took())
}

// Goal: a message that is refused waits until the cause is mended: it follows a
// corrected channel.
func TestRefusedMessageIsKept(t *testing.T) {
	o := newOffice(t, "100")
	o.says = errArchived
	o.spends("2026-10-28", "a", 55)
	o.nightOf(t, "2026-10-28")
	o.nextRun()
	sent, err := o.Deliver(t.Context())
	if err != nil || len(sent.Failed) != 1 || sent.Delivered() {
		t.Errorf("%+v, %v", sent, err)
	}
	equal(t, "left over", []string{"support/2026-10/100.00/50/actual/1 to #sup pending: is_archived"}, o.undelivered(t))
	o.Budgets[0].Channel = "#support"
	equal(t, "where it goes now", []string{"support/2026-10/100.00/50/actual/1 to #support pending: is_archived"}, o.undelivered(t))
	o.says = nil
	o.checks(t)
	equal(t, "told", []string{"#support actual of 100.00 at 55.0001: 50"}, o.took())
	equal(t, "its row", "#support", query[string](t, o.books, "select channel from {outbox}"))
	o.checks(t)
	equal(t, "told again", []string(nil), o.took())
}

// fates are all messages of October and what became of them.
func (o office) fates(t *testing.T) (fates []string) {
	t.Helper()
	messages, err := o.AlertsOf(t.Context(), month(october))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		fates = append(fates, strings.TrimSuffix(m.ID+" "+string(m.State)+": "+m.Reason, ": "))
	}
	return fates
}

// Goal: what waits goes out by the budgets of now: with another amount, another scope,
// or not at all.
// Method: a medium that is down for a night; the budget is changed before it is back,
// and the run delivers before it looks at anything else.
func TestWaitingMessageFollowsTheBudget(t *testing.T) {
	waits := func(t *testing.T) office {
		o := newOffice(t, "100")
		o.says = errDown
		o.spends("2026-10-28", "a", 55)
		o.nightOf(t, "2026-10-28")
		o.says = nil
		o.nextRun()
		return o
	}
	for _, test := range []struct {
		name   string
		change func(*testing.T, office)
		told   []string
	}{
		{"a lower amount", func(t *testing.T, o office) { o.Budgets[0].Amount = amount(t, "60") }, []string{"#sup actual of 60.00 at 55.0001: 50 80"}},
		{"a higher amount", func(t *testing.T, o office) { o.Budgets[0].Amount = amount(t, "1000") }, nil},
		{"other spend", func(_ *testing.T, o office) { o.Budgets[0].Scope.Value = "Nobody" }, nil},
		{"another name", func(_ *testing.T, o office) { o.Budgets[0].Name = "help" }, nil},
		{"no budgets", func(_ *testing.T, o office) { o.Books.Budgets = nil }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := waits(t)
			test.change(t, o)
			if _, err := o.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			equal(t, "told first", test.told, o.took())
			equal(t, "left over", []string(nil), o.undelivered(t))
		})
	}
	o := waits(t)
	o.Budgets[0].Name = "help"
	o.checks(t)
	equal(t, "told under the new name alone", []string{"#sup actual of 100.00 at 55.0001: 50"}, o.took())
	equal(t, "messages", []string{"help/2026-10/100.00/50/actual/1 sent", "support/2026-10/100.00/50/actual/1 folded: the budget is no longer in the settings"},
		slices.Sorted(slices.Values(o.fates(t))))
}

// searchable is a desk that can be looked through.
type searchable struct{ *desk }

func (searchable) Find(context.Context, notify.Message) (string, bool, error) { return "", false, nil }

// Goal: messages that a failing medium did not take fold as others do, and while
// nobody knows what became of one, its reason is told.
func TestFailedMessagesFold(t *testing.T) {
	o := newOffice(t, "100")
	o.says = &notify.SendError{Outcome: notify.Unknown, Reason: "HTTP status 503", Down: true}
	next := func() {
		o.Courier = notify.NewCourier(searchable{o.desk}, notify.Clock{Now: time.Now, Wait: noWait})
	}
	for i, dollars := range []int{55, 30, 20} {
		day := date("2026-10-28").AddDays(i).String()
		o.spends(day, day, dollars)
		next()
		if _, err := o.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.night(t, date(day))
		if i == 0 {
			equal(t, "left over", []string{"support/2026-10/100.00/50/actual/1 to #sup sending: HTTP status 503"}, o.undelivered(t))
		}
	}
	o.says = nil
	next()
	if _, err := o.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "told", []string{"#sup actual of 100.00 at 105.0003: 50 80 100"}, o.took())
	equal(t, "left over", []string(nil), o.undelivered(t))
}

// Goal: a message that may be there twice goes when somebody asks for it, and not before.
func TestResendOfWhatMayBeThere(t *testing.T) {
	o := newOffice(t, "100")
	o.says = errors.New("connection reset")
	o.spends("2026-10-28", "a", 55)
	o.nightOf(t, "2026-10-28")
	o.checks(t)
	o.says = nil
	o.checks(t)
	equal(t, "told by a run", []string(nil), o.took())
	equal(t, "left over", 1, len(o.undelivered(t)))
	o.nextRun()
	if sent, err := o.Resend(t.Context(), "support/2026-10/100.00/50/actual/1"); err != nil || len(sent.Resent) != 1 {
		t.Errorf("%+v, %v", sent, err)
	}
	equal(t, "told when asked", 1, len(o.took()))
	equal(t, "left over", []string(nil), o.undelivered(t))
}

// oldAlert puts an alert into the outbox as earlier versions did.
func (o office) oldAlert(t *testing.T, kind, state string, thresholds ...int) string {
	t.Helper()
	var keys []string
	for _, threshold := range thresholds {
		keys = append(keys, fmt.Sprintf("support/2026-10/%d/%s", threshold, kind))
	}
	id := keys[len(keys)-1]
	payload, err := json.Marshal(map[string]any{
		"id": id, "kind": kind, "budget": "support", "month": october, "scope": map[string]string{"kind": "department", "value": "Support"},
		"amount_usd": "100.00", "spent_usd": "55.00", "forecast_usd": "70.00", "percent": 55, "crossed": thresholds, "keys": keys, "as_of": "2026-10-28", "channel": "#sup", "held": 0,
	})
	if err != nil {
		t.Fatal(err)
	}
	err = o.raised(t, outbox.Raised{Message: outbox.Message{ID: id, Channel: "#sup", Payload: string(payload)}, Keys: keys})
	if err := errors.Join(err, o.Outbox.Set(t.Context(), id, outbox.Delivery{State: state})); err != nil {
		t.Fatal(err)
	}
	return id
}

// Goal: books of earlier versions, whose keys hold no amount, tell nothing twice and
// lose nothing that was refused.
// Method: alerts as they were kept then: one that was sent, one that was given up.
func TestAlertsOfEarlierVersions(t *testing.T) {
	o := newOffice(t, "100")
	o.spends("2026-10-28", "a", 90)
	o.oldAlert(t, budget.Actual, outbox.Sent, 50)
	failed := o.oldAlert(t, budget.Actual, outbox.Failed, 80)
	equal(t, "undelivered", []string{failed + " to #sup failed: "}, o.undelivered(t))
	o.nightOf(t, "2026-10-28")
	equal(t, "told", []string{"#sup actual of 100.00 at 90.0001: 80"}, o.took())
	o.spends("2026-10-29", "b", 20)
	o.nightOf(t, "2026-10-29")
	equal(t, "told", []string{"#sup actual of 100.00 at 110.0002: 100"}, o.took())
}

// Goal: what an earlier version gave up in a month that is closed stays as it is,
// until somebody asks for it.
func TestGivenUpInAClosedMonth(t *testing.T) {
	o := newOffice(t, "100")
	failed := o.oldAlert(t, budget.Actual, outbox.Failed, 50)
	if err := o.closed(t, month(october), map[string]string{}); err != nil {
		t.Fatal(err)
	}
	equal(t, "undelivered", []string(nil), o.undelivered(t))
	o.checks(t)
	equal(t, "told", []string(nil), o.took())
	if sent, err := o.Resend(t.Context(), failed); err != nil || !slices.Equal(sent.Sent, []string{failed}) {
		t.Errorf("%+v, %v", sent, err)
	}
	equal(t, "told", []string{"#sup actual of 100.00 at 55.00: 50"}, o.took())
}

// Goal: a message can be sent again, as often as somebody asks and no oftener, and
// that says nothing to the evaluation of budgets.
func TestResend(t *testing.T) {
	o := newOffice(t, "100")
	o.spends("2026-10-28", "a", 55)
	o.nightOf(t, "2026-10-28")
	o.took()
	const id = "support/2026-10/100.00/50/actual/1"
	resend := func(id string) (notify.Result, error) { o.nextRun(); return o.Resend(t.Context(), id) }
	for i, asked := range []string{id, id, id + "/again-1"} {
		want := []string{fmt.Sprintf("%s/again-%d", id, i+1)}
		if sent, err := resend(asked); err != nil || !slices.Equal(sent.Sent, want) {
			t.Errorf("%+v, %v, want %v", sent, err, want)
		}
	}
	equal(t, "told", slices.Repeat([]string{"#sup actual of 100.00 at 55.0001: 50"}, 3), o.took())
	o.nightOf(t, "2026-10-28")
	o.checks(t)
	equal(t, "told by a night and a run after it", []string(nil), o.took())

	o.says = errDown
	for range 2 { // a copy that waits is the one that was asked for
		if sent, err := resend(id); err != nil || len(sent.Waiting) != 1 || sent.Waiting[0].ID != id+"/again-4" {
			t.Errorf("%+v, %v", sent, err)
		}
	}
	o.says = nil
	o.checks(t)
	equal(t, "told by the next run", 1, len(o.took()))

	if _, err := resend("support/2026-10/100.00/50/actual/9"); !errors.Is(err, jobs.ErrNoMessage) {
		t.Errorf("an id that there is not: %v", err)
	}
	if err := o.Outbox.Set(t.Context(), id, outbox.Delivery{State: outbox.Folded, Reason: "folded into x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := resend(id); !errors.Is(err, jobs.ErrFolded) || !strings.Contains(err.Error(), "folded into x") {
		t.Errorf("one that was folded: %v", err)
	}
	equal(t, "told", []string(nil), o.took())
}

// Goal: what is unallocated, and the whole company, are budgets like others.
func TestBudgetsOfEverybodyAndNobody(t *testing.T) {
	o := newOffice(t, "100")
	for _, each := range []struct{ name, kind, value string }{{"nobody", budget.Department, budget.Unallocated}, {"nobody too", budget.CostCenter, budget.Unallocated}, {"company", budget.Company, ""}} {
		o.Budgets = append(o.Budgets, budget.Budget{Name: each.name, Scope: budget.Scope{Kind: each.kind, Value: each.value}, Amount: amount(t, "50"), Thresholds: []int{100}, Channel: "#" + strings.ReplaceAll(each.name, " ", "-")})
	}
	o.nightOf(t, "2026-10-28")
	equal(t, "told of nothing", []string(nil), o.took())
	o.spends("2026-10-29", "a", 10)
	o.company.call("b", "2026-10-29T10:00:00Z", "stranger@example.com", 60_000_000, 0)
	o.nightOf(t, "2026-10-29")
	equal(t, "told", []string{"#company actual of 50.00 at 70.0002: 100", "#nobody actual of 50.00 at 60.0001: 100", "#nobody-too actual of 50.00 at 60.0001: 100"}, o.took())
	messages, err := o.AlertsOf(t.Context(), month(october))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if len(m.Alert.Drivers) == 0 || m.Alert.DaysElapsed != 2 || m.Alert.DaysLeft != 2 {
			t.Errorf("%s: drivers %v, %d days elapsed and %d left", m.ID, m.Alert.Drivers, m.Alert.DaysElapsed, m.Alert.DaysLeft)
		}
	}
	rows, err := o.BudgetStatus(t.Context(), month(october))
	equal(t, "budgets in the status", 4, len(rows))
	if err != nil {
		t.Fatal(err)
	}
}
