package invoice

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/transform/money"
)

func usd(s string) money.USD { return money.MustParse(s) }

func testInput() Input {
	return Input{
		Number:          Number("2026-10", "00420", 0),
		Period:          Period{Month: "2026-10", From: "2026-10-01", To: "2026-10-31", Zone: "Europe/Berlin"},
		IssueDate:       "2026-11-05",
		DisputeUntil:    "2026-11-25",
		Issuer:          Issuer{Name: "AI Platform", CostCenter: "CC-9000", Contact: "ai-platform@example.com", Approver: "Head of AI Platform", Company: "Example Corp", CompanyCode: "1000"},
		Party:           Party{Code: "00420", Name: "Customer Support", Department: "Support", CompanyCode: "1000", ExpenseAccount: "613500", Mode: Chargeback},
		RecoveryAccount: "690100",
		Charges: []Charge{
			{AgentID: "triage", AgentName: "Triage", Model: "small", Requests: 2, LLM: usd("0.004"), Infra: usd("0.0002")},
			{AgentID: "bot", AgentName: "Support Bot", Model: "large", Requests: 10, CacheHits: 3, InputTokens: 100, CacheReadTokens: 50, CacheWriteTokens: 7, OutputTokens: 20, LLM: usd("1.004"), Infra: usd("0.003"), Tool: usd("0.5"), CacheSavings: usd("0.105")},
			{AgentID: "bot", AgentName: "Bot", Model: "large", Requests: 1, Estimated: 1, LLM: usd("0.001"), CacheSavings: usd("-0.005")},
			{AgentID: "bot", AgentName: "Support Bot", Model: "large", Requests: -1, LLM: usd("-0.25"), AdjustsMonth: "2026-09", AdjustsInvoice: "CB-2026-09-00420-r0"},
		},
		Shared: []Shared{
			{Name: "Vector store", Method: "fixed", Ratio: "60/100", Amount: usd("0.333")},
			{Name: "Gateway", Method: "even", Ratio: "1/3", Amount: usd("33.333333333333")},
		},
		Notes: Notes{
			Waivers:      []Waiver{{Gate: "unpriced", By: "controller@example.com", Reason: "known"}},
			Budgets:      []Budget{{Name: "support", Amount: usd("100"), Actual: usd("35"), Thresholds: []int64{80, 50}}},
			DataSources:  []string{"gateway", "bedrock", "gateway"},
			RateVersions: []string{"b", "a"},
		},
	}
}

func mustBuild(t testing.TB, in Input) Document {
	t.Helper()
	doc, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestBuildLines(t *testing.T) {
	doc := mustBuild(t, testInput())
	var got []string
	for _, s := range doc.Sections() {
		for _, l := range s.Lines {
			got = append(got, fmt.Sprintf("%s %s/%s%s %d req llm %s infra %s tool %s shared %s = %s",
				s.Name, l.AgentName, l.Model, l.SharedName, l.Requests, l.Cents.LLM, l.Cents.Infra, l.Cents.Tool, l.Cents.Shared, l.Cents.Total))
		}
		got = append(got, fmt.Sprintf("%s subtotal %d req %s = %s exactly", s.Name, s.Subtotal.Requests, s.Subtotal.Cents.Total, s.Subtotal.Exact.Total))
	}
	got = append(got, fmt.Sprintf("total %d req %s = %s exactly", doc.Total.Requests, doc.Total.Cents.Total, doc.Total.Exact.Total))
	want := []string{
		"direct Bot/large 11 req llm 1.01 infra 0.00 tool 0.50 shared 0.00 = 1.51",
		"direct Triage/small 2 req llm 0.00 infra 0.00 tool 0.00 shared 0.00 = 0.00",
		"direct subtotal 13 req 1.51 = 1.5122 exactly",
		"shared /Gateway 0 req llm 0.00 infra 0.00 tool 0.00 shared 33.34 = 33.34",
		"shared /Vector store 0 req llm 0.00 infra 0.00 tool 0.00 shared 0.33 = 0.33",
		"shared subtotal 0 req 33.67 = 33.666333333333 exactly",
		"adjustment Support Bot/large -1 req llm -0.25 infra 0.00 tool 0.00 shared 0.00 = -0.25",
		"adjustment subtotal -1 req -0.25 = -0.25 exactly",
		"total 12 req 34.93 = 34.928533333333 exactly",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBuildTotalIsRoundedOnceHalfUp(t *testing.T) {
	for _, row := range []struct {
		name  string
		parts []string
		want  string
	}{
		{"half a cent goes up", []string{"0.005"}, "0.01"},
		{"less than half goes down", []string{"0.004999999999"}, "0.00"},
		{"thirds of a cent are not lost", []string{"0.003333333333", "0.003333333333", "0.003333333334"}, "0.01"},
		{"many small lines", strings.Split(strings.Repeat("0.001 ", 24)+"0.001", " "), "0.03"},
		{"half a cent of credit goes away from zero", []string{"-0.005"}, "-0.01"},
		{"charge and credit", []string{"10.005", "-10.005"}, "0.00"},
		{"nothing", nil, "0.00"},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := testInput()
			in.Charges, in.Shared = nil, nil
			for i, amount := range row.parts {
				in.Charges = append(in.Charges, Charge{AgentID: fmt.Sprint("agent", i), LLM: usd(amount)})
			}
			doc := mustBuild(t, in)
			if got := doc.Total.Cents.Total.String(); got != row.want {
				t.Errorf("total is %s, want %s", got, row.want)
			}
		})
	}
}

func TestBuildSavings(t *testing.T) {
	doc := mustBuild(t, testInput())
	want := Savings{Exact: usd("0.1"), Gross: 161, Saved: 10, Net: 151}
	if got := doc.Savings; got.Gross != want.Gross || got.Saved != want.Saved || got.Net != want.Net || !got.Exact.Equal(want.Exact) {
		t.Errorf("savings are %+v, want %+v", got, want)
	}
}

func TestBuildRefuses(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*Input)
		want  string
	}{
		{"month", func(in *Input) { in.Period.Month = "2026-13" }, `period month "2026-13" is not a month`},
		{"first date", func(in *Input) { in.Period.From = "2026-10-00" }, `period date "2026-10-00"`},
		{"date of another month", func(in *Input) { in.Period.To = "2026-11-01" }, `period date "2026-11-01" is not a date of 2026-10`},
		{"dates swapped", func(in *Input) { in.Period.From, in.Period.To = in.Period.To, in.Period.From }, "period begins on 2026-10-31, after its end"},
		{"zone", func(in *Input) { in.Period.Zone = "" }, "no time zone"},
		{"issue date", func(in *Input) { in.IssueDate = "" }, `issue date "" is not a date`},
		{"dispute date", func(in *Input) { in.DisputeUntil = "soon" }, `dispute date "soon"`},
		{"code", func(in *Input) { in.Party.Code = "" }, "no cost-centre code"},
		{"mode", func(in *Input) { in.Party.Mode = "" }, `party mode "" is unknown`},
		{"expense account", func(in *Input) { in.Party.ExpenseAccount = "" }, "expense account is empty"},
		{"recovery account", func(in *Input) { in.RecoveryAccount = "" }, "recovery account is empty"},
		{"issuer's cost centre", func(in *Input) { in.Issuer.CostCenter = "" }, "issuer's cost centre is empty"},
		{"company code", func(in *Input) { in.Party.CompanyCode = "" }, "company code of cost centre 00420 is empty"},
		{"issuer's company code", func(in *Input) { in.Issuer.CompanyCode = "" }, "company code of the issuer's cost centre CC-9000 is not known"},
		{"two companies", func(in *Input) { in.Party.CompanyCode = "2000" }, "belongs to company 2000 and the issuer to company 1000"},
		{"half of the accounts between companies", func(in *Input) {
			in.Party.CompanyCode, in.Intercompany.DueTo = "2000", "2190"
		}, "set invoices.intercompany.due_to and due_from"},
		{"number of another month", func(in *Input) { in.Number = Number("2026-09", "00420", 0) }, `number "CB-2026-09-00420-r0" is not one of a chargeback document of 2026-10`},
		{"invoice number on a statement", func(in *Input) { in.Party.Mode = Showback }, "make it with StatementNumber"},
		{"adjusted document without a month", func(in *Input) { in.Charges[3].AdjustsMonth = "" }, "charge 3 (agent \"bot\", model \"large\"): adjusts document CB-2026-09-00420-r0 but no month"},
		{"adjusts this month", func(in *Input) { in.Charges[3].AdjustsMonth = "2026-10" }, `adjusted month "2026-10" is not a month before 2026-10`},
		{"adjusts no month", func(in *Input) { in.Charges[3].AdjustsMonth = "0000" }, `adjusted month "0000"`},
		{"shared cost that adjusts a document without a month", func(in *Input) { in.Shared[0].AdjustsInvoice = "CB-1" }, "shared cost 0 (\"Vector store\"): adjusts document CB-1 but no month"},
		{"shared cost that adjusts this month", func(in *Input) { in.Shared[0].AdjustsMonth = "2026-10" }, `adjusted month "2026-10" is not a month before 2026-10`},
		{"reason without a month", func(in *Input) { in.Charges[0].Reason = "came late" }, "only a correction of a closed month has a reason"},
		{"negative count", func(in *Input) { in.Charges[0].OutputTokens = -1 }, "output tokens: -1 is negative"},
		{"impossible count", func(in *Input) { in.Charges[0].InputTokens = countMax + 1 }, "input tokens: 1000000000000001 is beyond"},
		{"impossible credit", func(in *Input) { in.Charges[3].Requests = -countMax - 1 }, "requests: -1000000000000001 is beyond"},
		{"amount", func(in *Input) { in.Charges[0].LLM = usd("10000000000") }, "more than ten digits"},
		{"amounts that cancel out", func(in *Input) {
			in.Charges[0].LLM, in.Charges[1].LLM = usd("9000000000"), usd("-9000000000")
		}, "more than ten digits"},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := testInput()
			row.spoil(&in)
			_, err := Build(in)
			if err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "build document CB-") {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func TestBuildShowbackNeedsNoAccounts(t *testing.T) {
	in := testInput()
	in.Number = StatementNumber("2026-10", "00420", 0)
	in.Party.Mode, in.Party.ExpenseAccount, in.RecoveryAccount = Showback, "", ""
	mustBuild(t, in)
}

// Goal: the hash covers everything that the document says.
// Method: change one thing at a time.
func TestContentHashCovers(t *testing.T) {
	before := mustBuild(t, testInput()).ContentHash
	for _, row := range []struct {
		name   string
		change func(*Input)
	}{
		{"a pico-dollar", func(in *Input) { in.Charges[0].LLM = in.Charges[0].LLM.Add(money.FromPico(1)) }},
		{"savings", func(in *Input) { in.Charges[0].CacheSavings = money.FromPico(1) }},
		{"tokens", func(in *Input) { in.Charges[0].OutputTokens++ }},
		{"estimates", func(in *Input) { in.Charges[0].Estimated++ }},
		{"model", func(in *Input) { in.Charges[0].Model = "other" }},
		{"shared ratio", func(in *Input) { in.Shared[0].Ratio = "61/100" }},
		{"adjusted document", func(in *Input) { in.Charges[3].AdjustsInvoice = "CB-2026-09-00420-r1" }},
		{"issue date", func(in *Input) { in.IssueDate = "2026-11-06" }},
		{"owner", func(in *Input) { in.Party.Owner = "support-lead@example.com" }},
		{"account", func(in *Input) { in.RecoveryAccount = "690101" }},
		{"waiver", func(in *Input) { in.Notes.Waivers[0].Reason = "other" }},
		{"held", func(in *Input) { in.Notes.Held.Pending = 1 }},
		{"budget", func(in *Input) { in.Notes.Budgets[0].Actual = usd("36") }},
		{"waiver's bound", func(in *Input) { in.Notes.Waivers[0].Bound = "3 records" }},
		{"source", func(in *Input) { in.Notes.Sources = []SourceNote{{Name: "gateway"}} }},
		{"reason", func(in *Input) { in.Charges[3].Reason = "came late" }},
		{"counterpart", func(in *Input) { in.Charges[3].Counterpart = "CC-2" }},
		{"counterpart's amount", func(in *Input) { in.Charges[3].CounterAmount, in.Charges[3].HasCounter = usd("0.20"), true }},
		{"whose document is corrected", func(in *Input) { in.Charges[3].AdjustsCode = "00419" }},
		{"accounts between companies", func(in *Input) { in.Intercompany.DueTo = "2190" }},
		{"rate version", func(in *Input) { in.Notes.RateVersions = []string{"a"} }},
		{"run", func(in *Input) { in.Notes.Run = "monthly/2026-10" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := testInput()
			row.change(&in)
			if mustBuild(t, in).ContentHash == before {
				t.Error("the hash stays the same")
			}
		})
	}
}

// Goal: everything on the page adds up, in cents and exactly, and no figure is
// a whole cent away from what was spent.
// Method: arbitrary charges, credits and shared costs.
func TestBuildAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		doc, err := Build(in)
		if err != nil {
			t.Fatal(err)
		}
		var exact money.USD
		for _, c := range in.Charges {
			exact = exact.Add(money.Sum(c.LLM, c.Infra, c.Tool))
		}
		for _, s := range in.Shared {
			exact = exact.Add(s.Amount)
		}
		if !doc.Total.Exact.Total.Equal(exact) || doc.Total.Cents.Total != exact.Cents() {
			t.Errorf("total %s (%s), want %s (%s)", doc.Total.Exact.Total, doc.Total.Cents.Total, exact, exact.Cents())
		}
		var total Amounts
		for _, s := range doc.Sections() {
			var sum Amounts
			for _, l := range s.Lines {
				checkColumns(t, l.Amounts)
				checkNear(t, l)
				sum = sum.plus(l.Amounts)
			}
			checkColumns(t, s.Subtotal)
			sameAmounts(t, string(s.Name), s.Subtotal, sum)
			total = total.plus(sum)
		}
		checkColumns(t, doc.Total)
		sameAmounts(t, "total", doc.Total, total)
		if doc.Savings.Gross-doc.Savings.Saved != doc.Savings.Net || doc.Savings.Net != doc.Direct.Subtotal.Cents.Total {
			t.Errorf("savings do not tie: %+v", doc.Savings)
		}
	})
}

func checkColumns(t *rapid.T, a Amounts) {
	c, e := a.Cents, a.Exact
	if c.LLM+c.Infra+c.Tool+c.Shared != c.Total {
		t.Errorf("columns do not add up: %+v", c)
	}
	if !money.Sum(e.LLM, e.Infra, e.Tool, e.Shared).Equal(e.Total) {
		t.Errorf("exact columns do not add up: %+v", e)
	}
}

// checkNear wants every figure of a line less than a cent from its exact
// amount, which also keeps an exact zero at zero.
func checkNear(t *rapid.T, l Line) {
	for _, figure := range []struct {
		name  string
		cents money.Cents
		exact money.USD
	}{
		{"total", l.Cents.Total, l.Exact.Total},
		{"llm", l.Cents.LLM, l.Exact.LLM},
		{"infra", l.Cents.Infra, l.Exact.Infra},
		{"tool", l.Cents.Tool, l.Exact.Tool},
		{"shared", l.Cents.Shared, l.Exact.Shared},
	} {
		distance := money.FromCents(figure.cents).Sub(figure.exact)
		if distance.Sign() < 0 {
			distance = distance.Neg()
		}
		if distance.Cmp(usd("0.01")) >= 0 {
			t.Errorf("%s shows %s for %s", figure.name, figure.cents, figure.exact)
		}
		if figure.exact.IsZero() && figure.cents != 0 {
			t.Errorf("%s shows %s for nothing", figure.name, figure.cents)
		}
	}
}

func sameAmounts(t *rapid.T, name string, got, want Amounts) {
	if got.Quantities != want.Quantities || got.Cents != want.Cents || !got.Exact.Total.Equal(want.Exact.Total) {
		t.Errorf("%s is %+v, want %+v", name, got, want)
	}
}

// Goal: the order in which charges were found changes nothing.
// Method: shuffle everything and compare the JSON of the documents.
func TestBuildIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		in.Notes.Waivers = []Waiver{{Gate: "a", By: "b", Reason: "c"}, {Gate: "a", By: "b", Reason: "d"}, {Gate: "b", By: "a", Reason: "c"}}
		in.Notes.Budgets = []Budget{{Name: "x", Thresholds: []int64{50, 80}}, {Name: "x", Scope: "y"}, {Name: "w"}}
		in.Notes.DataSources = []string{"one", "two", "three"}
		shuffled := in
		shuffled.Charges = rapid.Permutation(in.Charges).Draw(t, "charges")
		shuffled.Shared = rapid.Permutation(in.Shared).Draw(t, "shared")
		shuffled.Notes.Waivers = rapid.Permutation(in.Notes.Waivers).Draw(t, "waivers")
		shuffled.Notes.Budgets = rapid.Permutation(in.Notes.Budgets).Draw(t, "budgets")
		shuffled.Notes.DataSources = rapid.Permutation(in.Notes.DataSources).Draw(t, "sources")
		first, second := documentJSON(t, in), documentJSON(t, shuffled)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("the order of the input shows (-first +second):\n%s", diff)
		}
	})
}

// Goal: how finely the caller groups charges changes nothing.
// Method: cut every charge in two.
func TestBuildMergesCharges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		cut := in
		cut.Charges = nil
		for _, c := range in.Charges {
			part := c
			part.LLM, part.Requests = money.FromPico(rapid.Int64Range(-1e12, 1e12).Draw(t, "part")), 0
			part.Infra, part.Tool, part.CacheSavings = money.USD{}, money.USD{}, money.USD{}
			c.LLM = c.LLM.Sub(part.LLM)
			cut.Charges = append(cut.Charges, part, c)
		}
		if diff := cmp.Diff(documentJSON(t, in), documentJSON(t, cut)); diff != "" {
			t.Errorf("the cut shows (-whole +cut):\n%s", diff)
		}
	})
}

func documentJSON(t *rapid.T, in Input) string {
	doc, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// drawInput draws few agents and models, so that charges merge, and amounts of
// many sizes on both sides of a cent.
func drawInput(t *rapid.T) Input {
	in := testInput()
	amount := rapid.Custom(func(t *rapid.T) money.USD {
		return rapid.SampledFrom([]money.USD{
			{}, usd("0.005"), usd("0.01"), usd("-0.005"),
			money.FromPico(rapid.Int64Range(-3e10, 3e10).Draw(t, "small")),
			money.FromPico(rapid.Int64Range(0, 1e18).Draw(t, "large")),
		}).Draw(t, "amount")
	})
	name := rapid.SampledFrom([]string{"", "a", "b", "A\x00", "a\"b", "é"})
	charge := rapid.Custom(func(t *rapid.T) Charge {
		return Charge{
			AgentID: name.Draw(t, "agent"), AgentName: name.Draw(t, "name"), Model: name.Draw(t, "model"),
			Requests: rapid.Int64Range(0, 1000).Draw(t, "requests"),
			LLM:      amount.Draw(t, "llm"), Infra: amount.Draw(t, "infra"), Tool: amount.Draw(t, "tool"), CacheSavings: amount.Draw(t, "savings"),
			AdjustsMonth: rapid.SampledFrom([]string{"", "", "2026-08", "2026-09"}).Draw(t, "adjusts"),
		}
	})
	shared := rapid.Custom(func(t *rapid.T) Shared {
		return Shared{Name: name.Draw(t, "shared"), Method: "even", Amount: amount.Draw(t, "amount")}
	})
	in.Charges = rapid.SliceOfN(charge, 0, 30).Draw(t, "charges")
	in.Shared = rapid.SliceOfN(shared, 0, 5).Draw(t, "shared")
	return in
}

// Goal: a percentage and the amounts beside it agree, and closed documents stay.
func TestBudgetPercent(t *testing.T) {
	b := Budget{Amount: usd("100"), Actual: usd("109.9996")}
	for format, want := range map[int]int64{0: 109, 2: 109, formatNow: 110} {
		if got := (Document{Format: format}).BudgetPercent(b); got != want {
			t.Errorf("format %d: %d%%, want %d%%", format, got, want)
		}
	}
	if got := (Document{Format: formatNow}).BudgetPercent(Budget{}); got != 0 {
		t.Errorf("no budget: %d%%", got)
	}
}
