package jobs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chargeback/billing/invoice"
	"chargeback/billing/warehouse"
	"chargeback/jobs"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// sharedMonths are the months of fourMonths, in which different people used
// anything, and nobody in December.
var sharedMonths = []string{october, "2026-11", "2026-12", "2027-01"}

// fourMonths is a company whose nights of four months are done, with changes to its
// directory. It returns the path of the ledger.
func fourMonths(t *testing.T, changes ...[2]string) (c company, ledger string) {
	t.Helper()
	c = newCompany(t)
	for _, change := range changes {
		c.edit("directory.yaml", change[0], change[1])
	}
	c.ordinary(firstDay, "2026-10-29")
	c.call("nov-1", "2026-11-10T10:00:00Z", "user001@example.com", 1000, 100)
	c.call("nov-3", "2026-11-10T11:00:00Z", "user003@example.com", 7000, 300)
	c.call("jan-2", "2027-01-05T10:00:00Z", "user002@example.com", 5000, 500)
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, "2026-10-30")
	b.ran(t, "done", nightsOf("2026-10-31", "2027-02-03")...)
	for _, day := range []string{"2026-11-10", "2027-01-05", "2027-02-03"} {
		b.night(t, date(day))
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return c, filepath.Join(c.dir, "ledger.duckdb")
}

// copied opens books over a copy of a ledger, with a folder of their own.
func (c company) copied(t *testing.T, ledger string) *books {
	t.Helper()
	path := scene{c: c, base: ledger}.copyTo(t)
	b := open(t, c.dir, wiring{ledger: path, invoices: path + ".invoices"})
	b.mayBeEmpty("2026-12")
	return b
}

// cost makes a shared cost of the months from first to last, both included.
func cost(name, amount, split, first, last string) jobs.SharedCost {
	return jobs.SharedCost{Name: name, Amount: money.MustParse(amount), Split: split, From: month(first), Covers: func(m civil.Month) bool {
		return !m.Before(month(first)) && !month(last).Before(m)
	}}
}

// charged adds up what documents of months charge for shared costs, under
// "name month" and "name month code"; a correction counts for the month that it
// corrects.
func (b *books) charged(t *testing.T, months ...string) map[string]string {
	t.Helper()
	sums := map[string]money.USD{}
	for _, m := range months {
		issued, err := b.Ledger.Months.Issued(t.Context(), month(m))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range issued {
			var d invoice.Document
			if err := json.Unmarshal([]byte(row.Document), &d); err != nil {
				t.Fatal(err)
			}
			for _, l := range slices.Concat(d.Shared.Lines, d.Adjustments.Lines) {
				if l.SharedName == "" || l.AgentID != "" {
					continue
				}
				of := m
				if l.AdjustsMonth != "" {
					of = l.AdjustsMonth
				}
				for _, key := range []string{l.SharedName + " " + of, l.SharedName + " " + of + " " + d.Party.Code} {
					sums[key] = sums[key].Add(l.Exact.Total)
				}
			}
		}
	}
	text := map[string]string{}
	for key, sum := range sums {
		if !sum.IsZero() {
			text[key] = sum.String()
		}
	}
	return text
}

// Goal: what is charged for shared costs over all closes is what the settings say
// in the end, for each month and to the last digit, and an amount that goes back
// leaves nothing behind with anybody.
// Method: four months with random costs, which change at random before each close.
func TestSharedCostsAddUp(t *testing.T) {
	t.Parallel()
	c, ledger := fourMonths(t)
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 14))
			b := c.copied(t, ledger)
			var first map[string]string
			for i, m := range sharedMonths {
				b.Month.SharedCosts = randomCosts(random)
				if i == len(sharedMonths)-1 && seed%2 == 0 { // back to what October was closed by
					b.Month.SharedCosts = slices.DeleteFunc(b.Month.SharedCosts, func(c jobs.SharedCost) bool { return c.Covers(month(october)) })
					for key, amount := range first {
						name, code, _ := strings.Cut(key, " "+october)
						if code == "" {
							b.Month.SharedCosts = append(b.Month.SharedCosts, cost(name, amount, "even", october, october))
						}
					}
				}
				b.closing(t, m)
				if i == 0 {
					first = b.charged(t, october)
				}
			}
			want := map[string]string{}
			for _, c := range b.Month.SharedCosts {
				for _, m := range sharedMonths {
					if c.Covers(month(m)) {
						want[c.Name+" "+m] = c.Amount.String()
					}
				}
			}
			charged, got := b.charged(t, sharedMonths...), map[string]string{}
			for key, amount := range charged {
				if strings.Count(key, " ") == 1 {
					got[key] = amount
				}
			}
			equal(t, "charged in the end", want, got)
			for key, amount := range first {
				if seed%2 == 0 && charged[key] != amount {
					t.Errorf("%s is %s in the end, %s at its close", key, charged[key], amount)
				}
			}
		})
	}
}

// randomCosts is a few costs of a random run of months each, and at times another
// of the same name behind it.
func randomCosts(random *rand.Rand) (costs []jobs.SharedCost) {
	one := func(name string, first, last int) {
		c := cost(name, fmt.Sprintf("%d.%012d", random.IntN(200), 1+random.Int64N(999_999_999_999)), []string{"even", "proportional", "fixed"}[random.IntN(3)], sharedMonths[first], sharedMonths[last])
		if c.Split == "fixed" {
			c.Shares = map[string]money.USD{}
			for _, code := range []string{"00420", "CC-1001", "CC-5001"} {
				if len(c.Shares) == 0 || random.IntN(2) == 0 {
					c.Shares[code] = money.FromPico(1 + random.Int64N(1_000_000_000_000))
				}
			}
		}
		costs = append(costs, c)
	}
	for _, name := range []string{"A", "B", "C"} {
		first := random.IntN(4)
		last := first + random.IntN(4-first)
		if random.IntN(4) > 0 {
			one(name, first, last)
		}
		if last < 3 && random.IntN(2) == 0 {
			one(name, last+1, 3)
		}
	}
	return costs
}

// Goal: a correction goes to the document that holds the part, by that month's
// weights, with its reason; what nobody is left to bear has a bearer; both are told.
func TestSharedCostTrueUp(t *testing.T) {
	t.Parallel()
	c, ledger := fourMonths(t)
	b := c.copied(t, ledger)
	b.Month.SharedBearer = "CC-5001"
	b.Month.SharedCosts = []jobs.SharedCost{cost("Hosting", "100.00", "proportional", "2026-11", "2026-12")}
	b.closing(t, october)
	b.closing(t, "2026-11")
	before := b.charged(t, "2026-11")
	b.Month.SharedCosts[0].Amount = money.MustParse("160.00")
	b.Month.SharedCosts[0].Split = "even"
	parts, told, closed, err := b.SharedParts(t.Context(), month("2026-12"))
	if err != nil || closed {
		t.Fatal(closed, err)
	}
	s := b.closing(t, "2026-12")
	equal(t, "told", []string{
		"Hosting of 2026-11: its split was changed after the close, to even. Closed months keep their weights; only the amount is trued up",
		"Hosting of 2026-11: amount changed from 100.00 to 160.00 USD after the close; 60.00 USD trued up",
		"Hosting: nobody used anything in 2026-12, so CC-5001 bears all of 160.00 USD",
	}, s.Told)
	equal(t, "told before the close", s.Told, told)
	equal(t, "true-ups", "60.00", s.Totals.TrueUps.String())
	equal(t, "shared", "160.00", s.Totals.Shared.String())
	equal(t, "documents", "220.00", s.Totals.Documents.Exact.String())
	after := b.charged(t, "2026-11", "2026-12")
	var sum money.USD
	for _, p := range parts {
		sum = sum.Add(p.Amount)
	}
	equal(t, "parts before the close", "220.00", sum.String())
	for _, code := range []string{"00420", "CC-5001"} {
		was, is := money.MustParse(before["Hosting 2026-11 "+code]), money.MustParse(after["Hosting 2026-11 "+code])
		// 160 / 100 = 8 / 5, to the last digit but one of each
		if off := is.MulInt(5).Sub(was.MulInt(8)); off.Cmp(money.FromPico(20)) > 0 || off.Neg().Cmp(money.FromPico(20)) > 0 {
			t.Errorf("%s pays %s of 160.00 and %s of 100.00", code, is, was)
		}
	}
	documents, err := b.Ledger.Months.Issued(t.Context(), month("2026-12"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range documents {
		if row.CostCenter == "00420" && (!strings.Contains(row.Document, `"AdjustsInvoice":"CB-2026-11-00420-r0"`) || !strings.Contains(row.Document, "amount changed from 100.00 to 160.00 USD after the close")) {
			t.Errorf("the correction does not say what it corrects and why: %s", row.Document)
		}
	}
	equal(t, "told once", []string(nil), b.closing(t, "2027-01").Told)
}

// Goal: the share of a cost centre that has ended goes to its successor, and so
// does the correction of one; where there is none, the bearer has it.
func TestSharedCostsOfEndedCentres(t *testing.T) {
	t.Parallel()
	c, ledger := fourMonths(t,
		[2]string{`owner: product-lead@example.com, company_code: "1000"}`, `owner: product-lead@example.com, company_code: "1000", to: 2026-11-15, successor: CC-5001}`},
		[2]string{`owner: support-lead@example.com, company_code: "1000"}`, `owner: support-lead@example.com, company_code: "1000", to: 2026-12-01}`})
	b := c.copied(t, ledger)
	b.Month.SharedBearer = "" // as where nobody issues: nothing is booked
	fixed := func(amount string) {
		b.Month.SharedCosts = []jobs.SharedCost{cost("Rent", amount, "fixed", october, "2026-12")}
		b.Month.SharedCosts[0].Shares = map[string]money.USD{"00420": money.MustParse("1"), "CC-1001": money.MustParse("2"), "CC-5001": money.MustParse("1")}
	}
	fixed("4.00")
	b.closing(t, october)
	b.closing(t, "2026-11")
	fixed("8.00")
	s := b.closing(t, "2026-12")
	equal(t, "told", []string{
		"Rent of 2026-10: cost centre 00420 has ended without a successor, so UNALLOCATED bears its part, 1.00 USD",
		"Rent of 2026-10: amount changed from 4.00 to 8.00 USD after the close; 4.00 USD trued up",
		"Rent of 2026-11: cost centre 00420 has ended without a successor, so UNALLOCATED bears its part, 1.00 USD",
		"Rent of 2026-11: amount changed from 4.00 to 8.00 USD after the close; 4.00 USD trued up",
		"Rent: cost centre 00420 has ended without a successor, so UNALLOCATED bears its share",
	}, s.Told)
	equal(t, "charged", map[string]string{
		"Rent 2026-10": "8.00", "Rent 2026-10 00420": "1.00", "Rent 2026-10 CC-1001": "2.00", "Rent 2026-10 CC-5001": "4.00", "Rent 2026-10 UNALLOCATED": "1.00",
		"Rent 2026-11": "8.00", "Rent 2026-11 00420": "1.00", "Rent 2026-11 CC-5001": "6.00", "Rent 2026-11 UNALLOCATED": "1.00",
		"Rent 2026-12": "8.00", "Rent 2026-12 CC-5001": "6.00", "Rent 2026-12 UNALLOCATED": "2.00",
	}, b.charged(t, sharedMonths[:3]...))
	equal(t, "without use", []string{"CC-9000"}, s.Unused)
}

// Goal: months that a version closed which kept no list of shared costs are trued
// up by their documents; a cost without a first month that such a close left out
// is meant from now on.
// Method: take from a month's summary what that version did not write.
func TestSharedCostsOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	c, ledger := fourMonths(t)
	b := c.copied(t, ledger)
	b.Month.SharedCosts = []jobs.SharedCost{cost("Hosting", "30.00", "even", october, october), cost("Rent", "9.00", "even", october, october)}
	b.closing(t, october)
	kept := warehouse.Args{"summary": `{"window":"monthly/2026-10","total_usd":"0.00","content_hash":""}`}
	if err := b.engine.Apply(t.Context(), warehouse.Update{Table: "months", Set: kept, Where: "true"}); err != nil {
		t.Fatal(err)
	}
	always := cost("Always", "5.00", "even", october, "2027-01")
	always.From = civil.Month{}
	b.Month.SharedCosts = []jobs.SharedCost{cost("Hosting", "36.00", "even", october, october), always}
	s := b.closing(t, "2026-11")
	equal(t, "told", []string{
		"Hosting of 2026-10: amount changed from 30.00 to 36.00 USD after the close; 6.00 USD trued up",
		"Rent of 2026-10: a cost of 9.00 USD was removed after the close; -9.00 USD trued up",
	}, s.Told)
	equal(t, "charged", map[string]string{
		"Hosting 2026-10": "36.00", "Hosting 2026-10 00420": "12.00", "Hosting 2026-10 CC-1001": "12.00", "Hosting 2026-10 CC-5001": "12.00",
		"Always 2026-11": "5.00", "Always 2026-11 00420": "2.50", "Always 2026-11 CC-5001": "2.50",
	}, b.charged(t, october, "2026-11"))
	if s := b.closing(t, october); s.Totals != nil || !s.Already {
		t.Errorf("the earlier close is told as %+v", s)
	}
}

// Goal: a budget on a page counts what the page charges, shared costs and all.
func TestBudgetCountsTheDocument(t *testing.T) {
	t.Parallel()
	c, ledger := fourMonths(t)
	b := c.copied(t, ledger)
	b.closing(t, october)
	issued, err := b.Ledger.Months.Issued(t.Context(), month(october))
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, row := range issued {
		var d invoice.Document
		if err := json.Unmarshal([]byte(row.Document), &d); err != nil {
			t.Fatal(err)
		}
		for _, budget := range d.Notes.Budgets {
			shown++
			equal(t, budget.Scope, d.Total.Exact.Total.String(), budget.Actual.String())
		}
	}
	equal(t, "budgets shown", 2, shown)
}

// Goal: the documents of one ledger are never written over by another; nothing of
// its month is closed then. Damage to a ledger's own files is repaired, also where
// all is missing; parts of a killed run go, notes of other people stay.
func TestNoDocumentOverAnother(t *testing.T) {
	t.Parallel()
	c, ledger := fourMonths(t)
	b := c.copied(t, ledger)
	folder := filepath.Join(b.Month.Dir, october)
	write := func(name, text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write(".part-12345", "half")
	write(".part-mine", "of somebody else")
	s := b.closing(t, october)
	if _, err := os.Stat(filepath.Join(folder, ".part-12345")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a part of a killed run: %v", err)
	}
	kept := filesOf(t, b.Month.Dir)

	other := open(t, c.dir, wiring{ledger: scene{base: ledger}.copyTo(t), invoices: b.Month.Dir})
	other.Month.SharedCosts[0].Amount = money.MustParse("11.00")
	_, err := other.Monthly(t.Context(), month(october), other.due(october))
	if !errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), "holds another content under the name of CB-2026-10-00420-r0.csv, CB-2026-10-00420-r0.pdf") {
		t.Errorf("the close of another ledger ended with %v", err)
	}
	closed, err := other.Ledger.Months.Closed(t.Context())
	equal(t, "closed by the other", 0, len(closed))
	equal(t, "files after it", kept, filesOf(t, b.Month.Dir))
	if err != nil {
		t.Fatal(err)
	}

	write(filepath.Base(s.Documents[0].PDF), "damage")
	if err := os.Remove(s.Journal); err != nil {
		t.Fatal(err)
	}
	again := b.closing(t, october)
	equal(t, "restored", []string{s.Documents[0].PDF, s.Journal}, again.Restored)
	equal(t, "files after damage", kept, filesOf(t, b.Month.Dir))

	draw := b.Month.Render
	b.Month.Render = func(d invoice.Document) ([]byte, error) { // as a later version might
		page, err := draw(d)
		return append(page, '\n'), err
	}
	equal(t, "restored by a version that draws otherwise", 0, len(b.closing(t, october).Restored))
	equal(t, "files after it", kept, filesOf(t, b.Month.Dir))
	write(filepath.Base(s.Documents[0].PDF), "damage")
	if _, err := b.Monthly(t.Context(), month(october), b.due(october)); err == nil || !strings.Contains(err.Error(), filepath.Base(s.Documents[0].PDF)) {
		t.Errorf("a damaged file that can't be drawn as it was ended with %v", err)
	}
}

// Goal: what lies under the same number where documents are delivered stops a
// close before anything is kept; where it may not be listed, the close says so.
func TestNoDeliveryOverAnother(t *testing.T) {
	t.Parallel()
	c, ledger := fourMonths(t)
	b := c.copied(t, ledger)
	to := newShelf()
	to.held["2026-10/CB-2026-10-00420-r0.pdf"] = "of another ledger"
	b.Month.Delivery = to
	_, err := b.Monthly(t.Context(), month(october), b.due(october))
	if !errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), "s3://finance/books/2026-10/ holds another content under the name of CB-2026-10-00420-r0.pdf") {
		t.Errorf("the close ended with %v", err)
	}
	equal(t, "due", []string{october}, b.dueMonths(t, b.due(october)))
	equal(t, "files", 0, len(filesOf(t, b.Month.Dir)))
	delete(to.held, "2026-10/CB-2026-10-00420-r0.pdf")
	to.unlisted = true
	b.Month.Delivery = to
	equal(t, "told", []string{"whether other documents lie under the same numbers was not looked at before the close: may not be listed"}, b.closing(t, october).Told)
}
