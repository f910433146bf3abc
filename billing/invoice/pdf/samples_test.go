package pdf

import (
	"fmt"
	"testing"

	"chargeback/billing/invoice"
	"chargeback/transform/money"
)

// sample is a document that a layout must cope with.
type sample struct {
	name  string
	pages int
	input invoice.Input
}

func samples() []sample {
	return []sample{
		{"few", 2, sampleFew()},
		{"many", 8, sampleMany(120)},
		{"showback", 2, sampleShowback()},
		{"names", 2, sampleNames()},
		{"warnings", 3, sampleWarnings()},
		{"credit", 2, sampleCredit()},
		{"statement-credit", 2, sampleStatementCredit()},
		{"corrections", 3, sampleCorrections()},
		{"empty", 1, sampleEmpty()},
		{"huge", 2, sampleHuge()},
	}
}

func build(t testing.TB, in invoice.Input) invoice.Document {
	t.Helper()
	doc, err := invoice.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func sampleEmpty() invoice.Input {
	return invoice.Input{
		Number:          invoice.Number("2026-10", "00420", 0),
		Period:          invoice.Period{Month: "2026-10", From: "2026-10-01", To: "2026-10-31", Zone: "Europe/Berlin"},
		IssueDate:       "2026-11-05",
		DisputeUntil:    "2026-11-25",
		Issuer:          invoice.Issuer{Name: "Example Corp - AI Platform", CostCenter: "CC-9000", Contact: "ai-platform@example.com", Approver: "Head of AI Platform", Company: "Example Corp", CompanyCode: "1000"},
		Party:           invoice.Party{Code: "00420", Name: "Customer Support", Department: "Support", Owner: "support-lead@example.com", CompanyCode: "1000", ExpenseAccount: "613500", Mode: invoice.Chargeback},
		RecoveryAccount: "690100",
		Notes: invoice.Notes{
			DataSources:      []string{"bedrock-prod (bedrock)", "gateway (litellm)", "people"},
			RateVersions:     []string{"2026-10-14/9f3a1c", "2026-01-01/41be07"},
			DirectoryVersion: "5d0c2e91",
			Run:              "monthly/2026-10",
			LedgerHash:       "5f1c3f0a9f8f5f6b6f0d6c1f2b7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f7",
		},
	}
}

func sampleFew() invoice.Input {
	in := sampleEmpty()
	in.Charges = []invoice.Charge{
		{AgentID: "support-bot", AgentName: "Support Bot", Model: "anthropic.claude-sonnet-4-20250514-v1:0", Requests: 18_240, CacheHits: 1_204, InputTokens: 41_220_118, CacheReadTokens: 88_120_400, CacheWriteTokens: 5_210_044, OutputTokens: 6_120_554, LLM: money.MustParse("261.452810400000"), Infra: money.MustParse("1.7276"), Tool: money.MustParse("34.12"), CacheSavings: money.MustParse("231.884215")},
		{AgentID: "support-bot", AgentName: "Support Bot", Model: "anthropic.claude-haiku-4-5-20251001-v1:0", Requests: 44_102, InputTokens: 20_114_987, OutputTokens: 3_004_112, LLM: money.MustParse("35.135547"), Infra: money.MustParse("4.4102"), Estimated: 12},
		{AgentID: "triage", AgentName: "Ticket Triage", Model: "gpt-4.1-mini", Requests: 9_310, InputTokens: 8_240_110, CacheReadTokens: 2_110_200, OutputTokens: 710_400, LLM: money.MustParse("4.643604"), Infra: money.MustParse("0.931"), Tool: money.MustParse("9.31"), CacheSavings: money.MustParse("0.63306")},
		{AgentID: "faq", AgentName: "faq", Model: "gpt-4.1-nano", Requests: 3, InputTokens: 903, OutputTokens: 77, LLM: money.MustParse("0.000121"), Infra: money.MustParse("0.0003")},
	}
	in.Shared = []invoice.Shared{
		{Name: "Gateway hosting", Method: "proportional", Ratio: "0.374412", Amount: money.MustParse("112.3236")},
		{Name: "Vector store", Method: "fixed", Ratio: "60/100", Amount: money.MustParse("60")},
	}
	in.Notes.Budgets = []invoice.Budget{
		{Name: "support-october", Scope: "department Support", Amount: money.MustParse("1200"), Actual: money.MustParse("1008.334"), Thresholds: []int64{50, 80, 100}},
	}
	return in
}

func sampleMany(n int) invoice.Input {
	in := sampleFew()
	models := []string{"anthropic.claude-sonnet-4-20250514-v1:0", "anthropic.claude-haiku-4-5-20251001-v1:0", "gpt-4.1-mini"}
	in.Charges = nil
	for i := range n {
		pico := int64(i*i+1) * 137_000_123_457
		in.Charges = append(in.Charges, invoice.Charge{
			AgentID: fmt.Sprintf("agent-%03d", i/3), AgentName: fmt.Sprintf("Agent %03d", i/3), Model: models[i%3],
			Requests: int64(i*731 + 1), CacheHits: int64(i * 13), InputTokens: int64(i * 911_113), CacheReadTokens: int64(i%5) * 1_104_211, OutputTokens: int64(i * 81_119),
			LLM: money.FromPico(pico), Infra: money.FromPico(pico / 97), Tool: money.FromPico(pico / 13 * int64(i%2)), CacheSavings: money.FromPico(pico / 3),
		})
	}
	return in
}

func sampleShowback() invoice.Input {
	in := sampleFew()
	in.Number = invoice.StatementNumber("2026-10", "CC-1001", 0)
	in.Party = invoice.Party{Code: "CC-1001", Name: "Research", Department: "Research", Owner: "research-lead@example.com", Mode: invoice.Showback}
	in.RecoveryAccount = ""
	return in
}

func sampleNames() invoice.Input {
	in := sampleFew()
	in.Party.Name = "Bereich Kundenbetreuung, Qualitätssicherung und Außendienst (Süd) – 顧客サポート"
	in.Party.Department = "Zákaznická podpora / Εξυπηρέτηση / Поддержка"
	in.Party.Owner = "a-very-long-mailbox-name-of-the-owner-of-this-cost-centre@subsidiary.example.com"
	in.Charges[0].AgentName = "Assistent für die Beantwortung besonders umfangreicher Rückfragen aus dem Vertragswesen und der Rechtsabteilung, zweite Stufe, mit Eskalation"
	in.Charges[0].Model = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0"
	in.Charges[1].AgentName = "客服机器人 🤖"
	in.Charges[2].AgentName = "Поддержка клиентов"
	in.Charges[3].AgentID = "agentwithanidentifierthathasneitherspacesnorpunctuationandgoesonandonandon"
	in.Charges[3].AgentName = "a\tb\u202Ec"
	in.Shared[0].Name = "Hosting of the gateway, of its caches and of the log store in three regions, including stand-by capacity and the on-call rota of the platform team"
	return in
}

func sampleWarnings() invoice.Input {
	in := sampleFew()
	in.Charges = append(in.Charges,
		invoice.Charge{AgentID: "support-bot", AgentName: "Support Bot", Model: "anthropic.claude-sonnet-4-20250514-v1:0", Requests: 120, InputTokens: 301_204, OutputTokens: 40_110, LLM: money.MustParse("1.505262"), Infra: money.MustParse("0.012"), AdjustsMonth: "2026-09", AdjustsInvoice: "CB-2026-09-00420-r0"},
		invoice.Charge{AgentID: "triage", AgentName: "Ticket Triage", Model: "gpt-4.1-mini", Requests: -14, InputTokens: -14_302, OutputTokens: -1_200, LLM: money.MustParse("-0.0076408"), Infra: money.MustParse("-0.0014"), AdjustsMonth: "2026-08", AdjustsInvoice: "CB-2026-08-00420-r0"},
	)
	in.Notes.Waivers = []invoice.Waiver{
		{Gate: "unpriced", Bound: "up to 5 records", Measured: "3 records", By: "controller@example.com", Reason: "3 requests of a preview model; its price is announced for November and they will be charged then. Agreed with the owner of the cost centre on 2026-11-04, and the amount is known to be below 5 USD in any case."},
		{Gate: "conflicts", By: "controller@example.com", Reason: "two copies of one record differ in their region only"},
	}
	in.Notes.Sources = []invoice.SourceNote{
		{Name: "bedrock-prod", Format: "bedrock", Outcome: "usage, 71,655 records"},
		{Name: "aws-bill", Format: "aws-cur", Outcome: "bill, 812.40 USD against 812.37 USD charged (0.00%)"},
		{Name: "people", Format: "people"},
	}
	in.Notes.Held = invoice.Held{Unpriced: 3, Pending: 1_204, Conflicts: 1}
	in.Notes.Budgets = append(in.Notes.Budgets, invoice.Budget{Name: "customer-support", Scope: "cost centre 00420", Amount: money.MustParse("400"), Actual: money.MustParse("525.56"), Thresholds: []int64{50, 80, 100}})
	return in
}

func sampleCredit() invoice.Input {
	in := sampleEmpty()
	in.Charges = []invoice.Charge{
		{AgentID: "faq", AgentName: "FAQ", Model: "gpt-4.1-nano", Requests: 3, InputTokens: 903, OutputTokens: 77, LLM: money.MustParse("0.05"), CacheSavings: money.MustParse("-0.02")},
		{AgentID: "support-bot", AgentName: "Support Bot", Model: "gpt-4.1-mini", Requests: -5_300, InputTokens: -9_000_111, LLM: money.MustParse("-1204.555"), AdjustsMonth: "2026-09"},
	}
	return in
}

func sampleStatementCredit() invoice.Input {
	in := sampleCredit()
	in.Party.Mode, in.Number = invoice.Showback, invoice.StatementNumber("2026-10", "00420", 0)
	return in
}

// sampleCorrections is what a person who moved, a row that came late, a cost
// centre that ended and a bill that was dearer do to a document of another company.
func sampleCorrections() invoice.Input {
	in := sampleFew()
	in.Party.CompanyCode, in.Intercompany = "2000", invoice.Intercompany{DueTo: "219000", DueFrom: "139000"}
	in.Charges = append(in.Charges,
		invoice.Charge{
			AgentID: "support-bot", AgentName: "Support Bot", Model: "gpt-4.1-mini", Requests: -40, InputTokens: -301_204, OutputTokens: -40_110, LLM: money.MustParse("-20"), Infra: money.MustParse("-0.004"),
			AdjustsMonth: "2026-09", AdjustsInvoice: "CB-2026-09-00420-r0", Reason: "ann@example.com belongs to another cost centre since 2026-09-12 (people.csv, line 4)", Counterpart: "CC-1001", Reversed: true, CounterAmount: money.MustParse("18.0036"), HasCounter: true,
		},
		invoice.Charge{
			AgentID: "triage", AgentName: "Ticket Triage", Model: "gpt-4.1-mini", Requests: 14, InputTokens: 14_302, OutputTokens: 1_200, LLM: money.MustParse("7.5"),
			AdjustsMonth: "2026-09", AdjustsInvoice: "SB-2026-09-UNALLOCATED-r0", AdjustsCode: "UNALLOCATED", Reason: "eve@example.com was not in the people file", Counterpart: "UNALLOCATED", CounterAmount: money.MustParse("7.5"), HasCounter: true,
		},
		invoice.Charge{
			AgentID: "faq", Model: "gpt-4.1-nano", Requests: 1, InputTokens: 900, LLM: money.MustParse("0.05"),
			AdjustsMonth: "2026-08", AdjustsInvoice: "CB-2026-08-00410-r0", AdjustsCode: "00410", Reason: "came after the close of its month; cost centre 00410 has ended and 00420 is its successor",
		},
	)
	in.Shared = append(in.Shared, invoice.Shared{
		Name: "Gateway hosting", Method: "proportional", Ratio: "0.25", Whole: money.MustParse("60"), Amount: money.MustParse("15"),
		AdjustsMonth: "2026-09", AdjustsInvoice: "CB-2026-09-00420-r0", Reason: "100.00 USD became 160.00 USD after the close",
	})
	return in
}

func sampleHuge() invoice.Input {
	in := sampleFew()
	in.Charges = in.Charges[:1]
	in.Charges[0].LLM = money.MustParse("9123456789.12")
	in.Charges[0].InputTokens = 912_345_678_901_234
	in.Shared = nil
	in.Notes.Budgets = nil
	return in
}
