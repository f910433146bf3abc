package models_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	"google.golang.org/api/option"
	"pgregory.net/rapid"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// callCompany is a company whose calls are logged by the provider, by a gateway
// and often by an application's own gateway, as badly as logs are kept: ids are
// missing or written in another form, usage comes late or never, calls are sent
// again and billed again, and many of them look alike.
type callCompany struct {
	first, late ledgertest.Rows
	users       map[string]*big.Int     // what the usage of each user's calls costs, in pico-dollars
	days        map[civil.Date]*big.Int // what was metered, and on which days some of it is there at first
	covered     map[civil.Date]bool
}

const (
	companyFirst = "2026-10-05"
	companyLast  = "2026-10-08"
	sonnetInput  = 3_000_000
	sonnetOutput = 15_000_000
)

// drawNumber is any source of random numbers below n.
type drawNumber func(n int) int

func newCallCompany(draw drawNumber, calls int) callCompany {
	c := callCompany{users: map[string]*big.Int{}, days: map[civil.Date]*big.Int{}, covered: map[civil.Date]bool{}}
	for i := range calls {
		c.call(draw, i)
	}
	return c
}

// call adds one call with all that is logged of it.
func (c *callCompany) call(draw drawNumber, n int) {
	at := ledgertest.At(companyFirst + " 00:00:30").Add(time.Duration(draw(4*24*12)) * 5 * time.Minute).Add(time.Duration(draw(4)) * 20 * time.Second)
	user := []string{"ana", "bo", "cem"}[draw(3)]
	tokens := counts([]int64{1_000, 1_000, 250}[draw(3)], []int64{100, 40}[draw(2)])
	id, answer, ref := fmt.Sprintf("5ca1ab1e-%d", n), "", ""
	if draw(3) == 0 {
		answer = fmt.Sprintf("msg_%d", n)
	}
	if draw(4) == 0 {
		ref = fmt.Sprintf("call-%d", n)
	}
	lost := draw(12) == 0 // the provider's own log never tells of it
	request := ledgertest.Request{ID: fmt.Sprintf("call-%d", n), RequestID: id, ResponseID: answer, At: sqlTime(at), Ended: sqlTime(at.Add(3 * time.Second)), User: user + "@example.com", Tokens: tokens}
	switch draw(6) {
	case 0:
		request.RequestID = ""
	case 1:
		request.RequestID = "req/" + id // in a form that nobody knows
	}
	if draw(8) == 0 {
		request.ResponseID = ""
	}
	if draw(5) == 0 { // an attempt before it that failed, and was billed
		attempt := request
		attempt.RequestID, attempt.Failed, attempt.Tokens, attempt.ResponseID = id+"-0", true, record.Tokens{}, ""
		attempt.At, attempt.Ended = sqlTime(at.Add(-10*time.Second)), sqlTime(at.Add(-5*time.Second))
		if draw(3) == 0 {
			attempt.RequestID = ""
		}
		c.first.Requests = append(c.first.Requests, attempt)
		c.meter(draw, user, at.Add(-10*time.Second), ledgertest.Usage{RequestID: id + "-0", ClientRef: ref, Tokens: tokens})
	}
	c.first.Requests = append(c.first.Requests, request)
	if draw(3) == 0 { // the application's own gateway logs it, too
		own := request
		own.Source, own.ID, own.At, own.Ended = "gateway", fmt.Sprintf("own-%d", n), sqlTime(at.Add(-time.Second)), ""
		if draw(2) == 0 {
			own.RequestID = id
		}
		c.first.Requests = append(c.first.Requests, own)
	}
	if !lost {
		c.meter(draw, user, at.Add(time.Second), ledgertest.Usage{RequestID: id, ResponseID: answer, ClientRef: ref, Tokens: tokens})
	}
}

// meter adds usage that the provider logs now or later.
func (c *callCompany) meter(draw drawNumber, user string, at time.Time, u ledgertest.Usage) {
	u.At, u.Caller = sqlTime(at), "arn:gateway"
	cost := new(big.Int).SetInt64(u.Tokens.InputUncached*sonnetInput + u.Tokens.Output*sonnetOutput)
	day := civil.DateOf(at, time.UTC)
	for _, sum := range []*big.Int{sumOf(c.users, user+"@example.com"), sumOf(c.days, day)} {
		sum.Add(sum, cost)
	}
	if draw(8) == 0 {
		c.late.Usage = append(c.late.Usage, u)
		return
	}
	c.covered[day] = true
	c.first.Usage = append(c.first.Usage, u)
}

func sqlTime(at time.Time) string { return at.Format("2006-01-02 15:04:05") }

// sumOf is the sum at a key, made where there is none.
func sumOf[K comparable](sums map[K]*big.Int, key K) *big.Int {
	if sums[key] == nil {
		sums[key] = new(big.Int)
	}
	return sums[key]
}

// check makes the days with what came first, then with all, and holds what is
// charged against what was metered.
func (c callCompany) check(b *books) {
	b.Helper()
	book := plainBook()
	book.Fees = []ledgertest.Fee{{From: ledgertest.At("2026-01-01 00:00:00"), To: rates.Forever}} // no fees: charged is metered
	book.CostCenters = []records.CostCenter{{Code: "CC-9", Department: "Platform"}}
	book.Owners = []records.Owner{{Kind: "caller", Value: "arn:gateway", CostCenter: "CC-9", From: civil.Min, To: civil.Max}}
	c.first.People = []person{
		works("ana@example.com", "Research", "CC-1", "2026-01-01", ""), works("bo@example.com", "Sales", "CC-2", "2026-01-01", ""), works("cem@example.com", "Ops", "CC-3", "2026-01-01", ""),
	}
	c.first.Object, c.late.Object = "first.json", "late.json"
	b.stage(c.first)
	all := days(companyFirst, companyLast)
	b.replace(book, companyLast, all)
	c.holds(b, false)
	b.stage(c.late)
	b.replace(book, companyLast, all)
	c.holds(b, true)
}

// holds fails where a day is charged more than was metered, or, once all usage
// has come, another amount; and, where calls meet by ids alone, where a user pays
// more than their calls, estimates of days without a log aside. (By what both sides count a call whose usage was never
// logged can meet usage of an attempt that was never logged.)
func (c callCompany) holds(b *books, complete bool) {
	b.Helper()
	charged := map[civil.Date]*big.Int{}
	each(b, "select usage_date, {total_usd(total_cost_usd)} as total from {cost_items} where usage_date >= {@since} group by usage_date", records.Args{"since": civil.Min}, func(r struct {
		UsageDate civil.Date
		Total     money.USD
	}) {
		charged[r.UsageDate] = r.Total.Pico()
	})
	for day, metered := range c.days {
		if !complete && !c.covered[day] {
			continue // of a day without a log requests are estimated
		}
		if got := sumOf(charged, day); got.Cmp(metered) > 0 || complete && got.Cmp(metered) != 0 {
			b.Fatalf("%s: %s pico-dollars charged, %s metered, all usage there: %t", day, got, metered, complete)
		}
	}
	if !b.byIDsAlone {
		return
	}
	each(b, "select user_id, {total_usd(total_cost_usd)} as total from {cost_items} where usage_date >= {@since} and user_id is not null and pricing = 'priced' group by user_id", records.Args{"since": civil.Min}, func(r struct {
		UserID string
		Total  money.USD
	}) {
		if own := sumOf(c.users, r.UserID); r.Total.Pico().Cmp(own) > 0 {
			b.Fatalf("%s pays %s pico-dollars for calls that cost %s", r.UserID, r.Total.Pico(), own)
		}
	})
}

// Goal: what is charged for a provider on a day is never more than its own log
// metered, whatever the logs lack, and nobody pays for another's call.
// Method: random companies, before and after their late usage has come.
func TestNeverMoreThanMetered(t *testing.T) {
	whole := openBooks(t)
	whole.zone = time.UTC
	rapid.Check(t, func(t *rapid.T) {
		b := *whole
		b.TB = t
		b.byIDsAlone = rapid.Bool().Draw(t, "by ids alone")
		c := newCallCompany(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") }, rapid.IntRange(1, 40).Draw(t, "calls"))
		b.clear()
		c.check(&b)
	})
}

// Goal: BigQuery holds the same.
// Method: two companies of another size on the emulator.
func TestNeverMoreThanMeteredOnBigQuery(t *testing.T) {
	endpoint := bqtest.Start(t, os.Getenv(bqtest.Program))
	for seed, calls := range []int{12, 60} {
		dice := rand.New(rand.NewPCG(uint64(seed), 13))
		newCallCompany(dice.IntN, calls).check(openEmulated(t, endpoint, fmt.Sprintf("company%d", seed), time.UTC))
	}
}

// openEmulated opens a ledger in a dataset of the emulator.
func openEmulated(t *testing.T, endpoint, dataset string, zone *time.Location) *books {
	t.Helper()
	engine, err := bigquery.Open(t.Context(), bigquery.Options{
		Project: "demo", Dataset: dataset, Run: dataset, MaxBytesBilled: 1 << 40, Clock: time.Now,
		Client: []option.ClientOption{option.WithEndpoint(endpoint), option.WithHTTPClient(&http.Client{Transport: bqtest.NewStrict(http.DefaultTransport)})},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	l, err := ledger.Open(t.Context(), engine, zone, "2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	return &books{TB: t, engine: engine, ledger: l, manifest: manifest.New(engine), zone: zone}
}
