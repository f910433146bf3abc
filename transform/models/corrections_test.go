package models_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/rates"
)

const unallocated = "UNALLOCATED"

// pastCompany is a company of which more and more is learned after its October was
// closed: who people belong to, who owns keys, what models cost, and what its logs
// say, which are written again or deleted.
type pastCompany struct {
	*books
	draw    drawNumber
	people  map[string][2]string // of a user: cost centre until the 7th and from then on
	keys    map[string]string    // owners
	price   int64                // of input, in pico-dollars a token
	logs    map[string][]request
	version map[string]int
	open    civil.Month
	before  string // hash of October as it was closed
}

var (
	pastUsers   = []string{"ana", "bo", "cem", "new"}
	pastCenters = []string{"CC-1", "CC-2", "CC-3", "CC-5"}
	pastDays    = days("2026-10-05", "2026-10-08")
)

func newPastCompany(b *books, draw drawNumber) *pastCompany {
	c := &pastCompany{
		books: b, draw: draw, price: 3_000_000, keys: map[string]string{"k1": "CC-2"}, logs: map[string][]request{}, version: map[string]int{}, open: ledgertest.Day("2026-10-01").Month(),
		people: map[string][2]string{"ana": {"CC-1", "CC-1"}, "bo": {"CC-2", "CC-3"}, "cem": {"CC-3", "CC-3"}},
	}
	for range 1 + draw(3) {
		c.write(fmt.Sprintf("log-%d.json", len(c.logs)))
	}
	c.tellPeople()
	c.night(c.days())
	return c
}

// write makes the log anew, or for the first time.
func (c *pastCompany) write(name string) {
	rows := make([]request, 1+c.draw(4))
	for i := range rows {
		at := ledgertest.At("2026-10-05 00:00:00").Add(time.Duration(c.draw(4*24)) * time.Hour)
		rows[i] = request{
			ID: fmt.Sprintf("%s-%d", name, i), At: sqlTime(at), Email: pastUsers[c.draw(len(pastUsers))] + "@example.com",
			Key: []string{"", "k1", "k2"}[c.draw(3)], AgentID: []string{"bot", "triage"}[c.draw(2)], Tokens: record.Tokens{InputUncached: int64(1 + c.draw(3))},
		}
		if before := c.logs[name]; i < len(before) && c.draw(3) > 0 { // as it was, but for one thing
			kept := before[i]
			switch c.draw(4) {
			case 0:
				kept.Email = rows[i].Email
			case 1:
				kept.Tokens = rows[i].Tokens
			case 2:
				kept.Key = rows[i].Key
			}
			rows[i] = kept
		}
	}
	c.logs[name] = rows
	staged := ledgertest.Rows{Requests: rows, Object: name, ETag: fmt.Sprintf("v%d", c.version[name]+1)}
	if c.version[name] > 0 {
		staged.Replaced = []int64{ledgertest.ObjectID("requests", name, fmt.Sprintf("v%d", c.version[name]))}
	}
	c.version[name]++
	c.stage(staged)
}

// tellPeople writes the people file.
func (c *pastCompany) tellPeople() {
	var rows []person
	for _, user := range slices.Sorted(maps.Keys(c.people)) {
		of := c.people[user]
		rows = append(rows, works(user+"@example.com", "Dept "+of[0], of[0], "2026-01-01", "2026-10-07"), works(user+"@example.com", "Dept "+of[1], of[1], "2026-10-07", ""))
	}
	c.version["people"]++
	staged := ledgertest.Rows{People: rows, Object: "people.csv", ETag: fmt.Sprintf("v%d", c.version["people"])}
	if c.version["people"] > 1 {
		staged.Replaced = []int64{ledgertest.ObjectID("people", "people.csv", fmt.Sprintf("v%d", c.version["people"]-1))}
	}
	c.stage(staged)
}

func (c *pastCompany) book() ledgertest.Book {
	book := ledgertest.Book{
		Prices:     []ledgertest.Price{price("sonnet", c.price, 300_000, 3_750_000, 6_000_000, 15_000_000)},
		Fees:       []ledgertest.Fee{{From: ledgertest.At("2026-01-01 00:00:00"), To: rates.Forever}},
		References: records.References{RequestsFrom: []string{"requests"}},
	}
	center := func(code string) records.CostCenter {
		return records.CostCenter{Code: code, Department: "Dept " + code}
	}
	for _, code := range pastCenters {
		book.CostCenters = append(book.CostCenters, center(code))
	}
	for _, key := range slices.Sorted(maps.Keys(c.keys)) {
		book.Owners = append(book.Owners, records.Owner{Kind: "key", Value: key, CostCenter: c.keys[key], From: civil.Min, To: civil.Max})
	}
	// CC-1 has ended with November; CC-5 goes on with it.
	book.Successors = []records.Successor{{Code: "CC-1", Payer: center("CC-5"), From: ledgertest.Day("2026-12-01"), To: civil.Max}}
	return book
}

// days are those that a night would make: what changed, what costs something else or
// belongs to others, and what has corrections that are open still.
func (c *pastCompany) days() (all []civil.Date) {
	c.Helper()
	ctx, book := context.Background(), c.book()
	for _, found := range []func() ([]civil.Date, error){
		func() ([]civil.Date, error) {
			changed, err := c.manifest.ChangedDays(ctx)
			return records.Reach(changed.Days(civil.Max)), err
		},
		func() ([]civil.Date, error) {
			used, err := c.ledger.Records.RatesUsed(ctx)
			c.must(err)
			refs, err := book.Resolve(used.Seen)
			return used.Anew(refs), err
		},
		func() ([]civil.Date, error) {
			seen, any, err := c.ledger.Records.Attributed(ctx)
			c.must(err)
			refs, err := book.Resolve(seen)
			if err != nil || !any {
				return nil, err
			}
			return c.ledger.Records.AttributedAnew(ctx, refs)
		},
	} {
		days, err := found()
		c.must(err)
		all = append(all, days...)
	}
	each(c.books, "select distinct usage_date from {record_facts} where usage_date >= {@since} and correction <> 0 and billing_month = {@open}", records.Args{"since": civil.Min, "open": c.open.FirstDay()}, func(day civil.Date) { all = append(all, day) })
	slices.SortFunc(all, civil.Date.Compare)
	return slices.Compact(slices.DeleteFunc(all, func(d civil.Date) bool { return d.Before(pastDays.First) || pastDays.Last.Before(d) }))
}

func (c *pastCompany) night(days []civil.Date) {
	c.Helper()
	c.must(ledgertest.Make(context.Background(), c.ledger, records.Build{
		Days: days, LateUntil: pastDays.Last, OpenMonth: c.open, RateVersion: fmt.Sprintf("book-%d", c.price), RunDate: pastDays.Last,
	}, c.book()))
}

func (c *pastCompany) close() {
	c.Helper()
	changes, err := c.ledger.Months.Close(context.Background(), c.open, ledgertest.At("2027-06-01 00:00:00"), "hash", "", nil)
	c.must(err)
	c.must(c.ledger.Apply(context.Background(), changes...))
	c.open = c.open.Next()
}

// learn lets one thing be known otherwise.
func (c *pastCompany) learn() {
	names := slices.Sorted(maps.Keys(c.logs))
	switch c.draw(7) {
	case 0: // a person moves, from the 7th or dated back
		user := pastUsers[c.draw(len(pastUsers))]
		of := c.people[user]
		of[1] = pastCenters[c.draw(len(pastCenters))]
		if of[0] == "" || c.draw(2) == 0 {
			of[0] = of[1]
		}
		c.people[user] = of
		c.tellPeople()
	case 1:
		c.keys[[]string{"k1", "k2"}[c.draw(2)]] = pastCenters[c.draw(len(pastCenters))]
	case 2:
		c.price = int64(1+c.draw(4)) * 1_000_000
	case 3, 4:
		c.write(names[c.draw(len(names))])
	case 5:
		c.write(fmt.Sprintf("log-%d.json", len(c.version)))
	case 6:
		name := names[c.draw(len(names))]
		if len(c.logs[name]) == 0 {
			return
		}
		c.logs[name] = nil
		c.must(c.manifest.Delete(context.Background(), record.RequestSchema, []int64{ledgertest.ObjectID("requests", name, fmt.Sprintf("v%d", c.version[name]))}, "somebody"))
	}
}

// holds fails where what stands for a cost centre is not what it owes by all that is
// known now, where a closed month has changed, where the records of a pair don't
// differ, or where a cost centre that has ended is charged.
func (c *pastCompany) holds() {
	c.Helper()
	owed, got := map[string]*big.Int{}, map[string]*big.Int{}
	for _, rows := range c.logs {
		for _, r := range rows {
			day := civil.DateOf(ledgertest.At(r.At), time.UTC)
			of := c.people[r.Email[:len(r.Email)-len("@example.com")]]
			center := of[0]
			if !day.Before(ledgertest.Day("2026-10-07")) {
				center = of[1]
			}
			sum := sumOf(owed, cmp.Or(center, c.keys[r.Key], unallocated))
			sum.Add(sum, big.NewInt(r.Tokens.InputUncached*c.price))
		}
	}
	since := records.Args{"since": civil.Min}
	each(c.books, "select coalesce(adjusts_cost_center, cost_center) as cost_center, {total_usd(total_cost_usd)} as total from {cost_items} where usage_date >= {@since} group by 1", since, func(r owes) {
		got[r.CostCenter] = r.Total.Pico()
	})
	for _, code := range append([]string{unallocated}, pastCenters...) {
		if sumOf(got, code).Cmp(sumOf(owed, code)) != 0 {
			c.Fatalf("%s: %s pico-dollars stand, %s are owed; people %v, keys %v, price %d", code, got[code], owed[code], c.people, c.keys, c.price)
		}
	}
	if hash := c.hashOf("2026-10"); c.before != "" && hash != c.before {
		c.Fatalf("October has another hash than at its close")
	}
	each(c.books, `
select a.record_id
from {cost_items} as a
inner join {cost_items} as b on b.usage_date = a.usage_date and b.record_id = a.record_id and b.correction = 0 - a.correction and b.billing_month = a.billing_month
where a.usage_date >= {@since} and b.usage_date >= {@since} and a.correction > 0 and a.total_cost_usd + b.total_cost_usd = 0
  and coalesce(a.adjusts_cost_center, a.cost_center) = coalesce(b.adjusts_cost_center, b.cost_center) and a.user_id = b.user_id and a.agent_id = b.agent_id`, since, func(id int64) { c.Fatalf("record %d is corrected to what it was", id) })
	each(c.books, "select count(*) as n from {cost_items} where usage_date >= {@since} and billing_month >= '2026-12' and cost_center = 'CC-1'", since, func(records int64) {
		if records > 0 {
			c.Fatalf("CC-1 has ended and is charged for %d records", records)
		}
	})
}

func (c *pastCompany) hashOf(month string) string {
	hash, err := c.ledger.Months.Hash(context.Background(), civil.Min, civil.Max, month)
	c.must(err)
	return hash
}

// live lets the company close October and learn something some times, in this month
// or the next.
func (c *pastCompany) live(times int) {
	c.holds()
	c.close()
	c.before = c.hashOf("2026-10")
	for range times {
		if c.draw(3) == 0 {
			c.close()
		}
		for range 1 + c.draw(2) {
			c.learn()
		}
		c.night(c.days())
		c.holds()
	}
}

// again makes each day by itself, which must change nothing.
func (c *pastCompany) again() {
	c.Helper()
	hash := c.hashOf("")
	for d := pastDays.First; !pastDays.Last.Before(d); d = d.AddDays(1) {
		c.night([]civil.Date{d})
	}
	if again := c.hashOf(""); again != hash {
		c.Fatal("all days again change something")
	}
}

// Goal: whatever is learned of a closed month, and however often, corrections bring
// what stands to what is known, to the last digit, and none is made for nothing.
// Method: random companies that close months and learn; only the days that are found
// are made again.
func TestCorrectionsAddUp(t *testing.T) {
	whole := openBooks(t)
	whole.zone = time.UTC
	rapid.Check(t, func(t *rapid.T) {
		b := *whole
		b.TB = t
		b.clear()
		c := newPastCompany(&b, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") })
		c.live(rapid.IntRange(1, 3).Draw(t, "times"))
		c.again()
	})
}

// Goal: BigQuery holds the same.
func TestCorrectionsAddUpOnBigQuery(t *testing.T) {
	b := openEmulated(t, bqtest.Start(t, os.Getenv(bqtest.Program)), "past", time.UTC)
	newPastCompany(b, rand.New(rand.NewPCG(1, 14)).IntN).live(1)
}
