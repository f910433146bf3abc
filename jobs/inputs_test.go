package jobs_test

import (
	"strings"
	"testing"

	"chargeback/billing/runs"
	"chargeback/jobs"
	"chargeback/transform/civil"
)

// monthHash is the hash of the records that a month charges.
func (b *books) monthHash(t *testing.T, m string) string {
	t.Helper()
	h, err := b.Ledger.Months.Hash(t.Context(), civil.Min, civil.Max, m)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Goal: what decides a record besides the logs decides it for every day of
// the open months that it concerns, and for no day of a closed one.
// Method: nights over a month's end; a setting changes before and after the
// close; the open days must be those of new books with the new setting.
func TestInputsChange(t *testing.T) {
	t.Parallel()
	base := inputsCompany(t)
	b := open(t, base.dir, wiring{})
	b.nights(t, firstDay, "2026-11-02")
	before := scene{base: b.kept(t)}
	all := []string{firstDay + "..2026-11-01"} // of which there are rows
	for _, tt := range []struct {
		name   string
		change func(company)
		moves  bool // a record of each month
		days   []string
	}{
		// of which some records were priced by other entries, and keep the version of the book that did
		{"price", func(c company) { c.edit("prices.yaml", `input: "1.00"`, `input: "1.50"`) }, true, all},
		{"person", func(c company) {
			c.edit("people.csv", "user003@example.com,People,CC-5001,2026-01-01,", "user003@example.com,People,CC-5001,2026-01-01,2026-10-28\nuser003@example.com,Support,00420,2026-10-28,")
		}, true, all},
		{"agent's owner", func(c company) { c.edit("directory.yaml", "owner: CC-1001", `owner: "00420"`) }, true, all},
		{"unknown model", func(c company) {
			c.append("chargeback.yaml", "unknown_models:\n  - {provider: bedrock, model: example.preview-v1:0, price_as: \"example.small-v1:0\"}\n")
		}, true, []string{"2026-10-28..2026-10-28", "2026-11-01..2026-11-01"}},
		{"a price of what some days have", func(c company) {
			c.edit("prices.yaml", "fees:", `  - {provider: bedrock, model: "example.preview-v1:0", from: 2026-10-31T00:00:00Z, usd_per_million: {input: "10.00", output: "100.00"}, source: test}`+"\nfees:")
		}, true, []string{firstDay + "..2026-11-03"}},
		{"a budget, which decides no record", func(c company) { c.edit("chargeback.yaml", `amount_usd: "0.05"`, `amount_usd: "5.00"`) }, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, own := inputsCompany(t), wiring{ledger: before.copyTo(t)}
			tt.change(c) // while October is open
			b := open(t, c.dir, own)
			s := b.night(t, date(lateDay))
			equal(t, "days", tt.days, s.Days)
			want := c.rebuilt(lastDay, lateDay)
			parts := []string{"records", "meta"}
			if tt.name != "price" { // it is in the hash
				parts = append(parts, "hash")
			}
			same(t, want.only(parts...), b.state(t).only(parts...))

			b.closing(t, october)
			closed, files := b.monthHash(t, october), filesOf(t, b.Month.Dir)
			november := b.monthHash(t, "2026-11")
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			undo(c)
			b = open(t, c.dir, own)
			b.night(t, date("2026-11-04"))
			equal(t, "closed month", closed, b.monthHash(t, october))
			if got := b.monthHash(t, "2026-11"); (got != november) != tt.moves {
				t.Errorf("November was %s and is %s", november, got)
			}
			b.closing(t, october)
			equal(t, "documents", files, filesOf(t, b.Month.Dir))
		})
	}
}

// inputsCompany has something of everything that the cases change. Two of them
// are the same to the last byte and time of change.
func inputsCompany(t *testing.T) company {
	t.Helper()
	c := newCompany(t)
	c.edit("chargeback.yaml", `unallocated_limit_usd: "0.01"`, "waivers:\n  - {month: 2026-10, gate: unpriced, count: 1, by: controller@example.com, reason: test}\nunallocated_limit_usd: \"1.00\"")
	c.ordinary(firstDay, "2026-11-01")
	for _, day := range []string{firstDay, "2026-11-01"} {
		c.deliver(usageKey(local(date(day), "15:00:00"), "preview"), usage{id: "u-preview-" + day, at: local(date(day), "14:00:00"), model: "example.preview-v1:0", in: 100, out: 10})
	}
	return c
}

// undo puts all settings back, which is a change like any other.
func undo(c company) {
	c.t.Helper()
	for name, text := range map[string]string{"directory.yaml": companyDirectory, "prices.yaml": companyPrices, "people.csv": companyPeople} {
		if now, _ := c.get(name); string(now) != text {
			c.put(name, []byte(text))
		}
	}
	settings, _ := c.get("chargeback.yaml")
	if before, _, found := strings.Cut(string(settings), "unknown_models:"); found {
		c.put("chargeback.yaml", []byte(before))
	}
	if strings.Contains(string(settings), `amount_usd: "5.00"`) {
		c.edit("chargeback.yaml", `amount_usd: "5.00"`, `amount_usd: "0.05"`)
	}
}

// Goal: what a closed month leaves to the open one, a record held without a
// cost and a correction, gets a new price by the night that first knows it, not
// by whoever happens to run an old night again.
// Method: close with held records, waived; let a call come late; change prices;
// run the next night, then the old ones.
func TestPriceAfterClose(t *testing.T) {
	t.Parallel()
	c := inputsCompany(t)
	b := open(t, c.dir, wiring{})
	b.nights(t, lastDay, lastDay)
	b.ran(t, runs.Done, "nightly/2026-10-28", "nightly/2026-10-29", "nightly/2026-10-30")
	b.nights(t, "2026-11-01", lateDay)
	b.closing(t, october)
	closed := b.monthHash(t, october)
	const record = "preview-2026-10-28"
	held := "2026-10-28 2026-10 0 provider_only unpriced <nil>\n"
	equal(t, "as closed", []string{held}, b.call(t, record))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	c.append("prices.yaml", "") // another time of change is no other price
	c.deliver(usageKey("2026-11-04T12:00:00Z", "late"), usage{id: "u-late", at: clock("10-31 12:00:00"), in: 1000, out: 0})
	b = open(t, c.dir, wiring{})
	b.night(t, date("2026-11-04"))
	equal(t, "late, by the first price", []string{"2026-10-31 2026-11 1 provider_only priced 0.0011\n"}, b.call(t, "late"))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	c.edit("prices.yaml", "fees:", `  - {provider: bedrock, model: "example.preview-v1:0", from: 2026-01-01T00:00:00Z, usd_per_million: {input: "10.00", output: "100.00"}, source: test}`+"\nfees:")
	c.edit("prices.yaml", `input: "1.00"`, `input: "2.00"`)
	b = open(t, c.dir, wiring{})
	equal(t, "days", []string{"2026-10-28..2026-11-04"}, b.night(t, date("2026-11-05")).Days)
	equal(t, "with a price", []string{held, "2026-10-28 2026-11 1 provider_only priced 0.0021\n"}, b.call(t, record))
	equal(t, "late, by the second price", []string{"2026-10-31 2026-11 1 provider_only priced 0.0021\n"}, b.call(t, "late"))
	before := b.state(t)
	b.night(t, date("2026-10-28"))
	b.night(t, date("2026-10-31"))
	b.night(t, date("2026-11-05"))
	same(t, before, b.state(t))
	equal(t, "closed month", closed, b.monthHash(t, october))
}

// Goal: what comes after the close is charged in the next open month, by a
// line that names the month and the document it corrects, and the closed
// month's files keep every byte.
// Method: an estimate is closed with October; its usage comes in November,
// with a call that nobody had heard of; November is closed too.
func TestAfterClose(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, "2026-10-29")
	c.ordinary("2026-10-31", "2026-11-01") // of 10-30 there is no log of the provider
	c.log(request{id: "late", at: clock("10-30 12:00:00"), usageID: "u-late", email: "user001@example.com", agent: "helper", in: 1000, out: 1000})
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	first := b.closing(t, october)
	equal(t, "as closed", []string{"2026-10-30 2026-10 0 agent_only estimated 0.0061\n"}, b.call(t, "late"))
	closed, files := b.monthHash(t, october), filesOf(t, b.Month.Dir)

	c.deliver(usageKey("2026-11-06T12:00:00Z", "late"),
		usage{id: "u-late", at: clock("10-30 12:00:00"), in: 2000, out: 1000},
		usage{id: "u-unheard", at: clock("10-29 12:00:00"), in: 1000, out: 0})
	s := b.night(t, date("2026-11-06"))
	equal(t, "problems", []string{"corrections 2026-10"}, problemsOf(s))
	want := []string{
		"2026-10-30 2026-10 0 agent_only estimated 0.0061\n",
		"2026-10-30 2026-11 -1 agent_only estimated -0.0061\n",
		"2026-10-30 2026-11 1 matched priced 0.0071\n",
	}
	equal(t, "after the close", want, b.call(t, "late"))
	equal(t, "unheard of", []string{"2026-10-29 2026-11 1 provider_only priced 0.0011\n"}, b.call(t, "unheard"))
	before := b.state(t)
	for _, day := range []string{"2026-10-29", "2026-11-02", "2026-10-30", "2026-11-06"} {
		b.night(t, date(day))
	}
	same(t, before, b.state(t))
	equal(t, "closed month", closed, b.monthHash(t, october))

	var quiet []string
	for d := date("2026-11-04"); !date("2026-12-03").Before(d); d = d.AddDays(1) {
		quiet = append(quiet, jobs.NightlyWindow(d))
	}
	b.ran(t, runs.Done, quiet...)
	second := b.closing(t, "2026-11")
	equal(t, "documents of October", files, filesOf(t, b.Month.Dir)[:len(files)])
	equal(t, "October again", first.Documents, b.closing(t, october).Documents)
	corrected := map[string][]string{}
	for _, d := range second.Documents {
		for _, row := range rows(t, d.CSV) {
			if row["row"] == "line" && row["section"] == "adjustment" {
				corrected[d.CostCenter] = append(corrected[d.CostCenter], row["adjusts_month"]+" "+row["adjusts_invoice"]+" "+row["total_usd_exact"])
			}
		}
	}
	equal(t, "adjustments", map[string][]string{
		"00420":          {"2026-10 CB-2026-10-00420-r0 0.007100000000", "2026-10 CB-2026-10-00420-r0 -0.006100000000"},
		jobs.Unallocated: {"2026-10  0.001100000000"},
	}, corrected)
	total, err := b.DocumentsTotal(t.Context(), month("2026-11"))
	if err != nil {
		t.Fatal(err)
	}
	records := b.lines(t, "select {total_usd(total_cost_usd)} from {cost_records} where billing_month = '2026-11'")
	equal(t, "documents = records + shared costs", amount(t, strings.TrimSpace(records[0])).Add(amount(t, "10")).String(), total.String())
}
