package main

import (
	"bytes"
	"strings"
	"testing"

	"chargeback/billing/invoice"
	"chargeback/transform/money"
)

// Goal: a correction says why it was made and what it moved.
func TestExplainCorrections(t *testing.T) {
	usd := money.MustParse
	lateText, movedText := "came after the close of its month", "ann@example.com belongs to another cost centre"
	correction := func(reason, amount string) invoice.Line {
		return invoice.Line{
			AgentID: "bot", Model: "m1", AdjustsMonth: "2026-09", AdjustsInvoice: "CB-2026-09-00420-r0", Reason: reason,
			Amounts: invoice.Amounts{Exact: invoice.Exact{Total: usd(amount)}},
		}
	}
	late, moved, shared := correction(lateText, "5"), correction(movedText, "-20"), correction("dearer", "15")
	moved.Counterpart, moved.CounterAmount, moved.HasCounter, moved.Reversed = "CC-3", usd("18"), true, true
	shared.SharedName, shared.Method, shared.Ratio, shared.AgentID, shared.Model = "Hosting", "even", "1 of 2", "", ""
	other := invoice.Line{AgentID: "bot", Model: "m1", Amounts: invoice.Amounts{Exact: invoice.Exact{Total: usd("7")}}}

	for _, row := range []struct {
		line invoice.Line
		name string
	}{
		{other, "bot, m1"},
		{late, "bot, m1, corrects 2026-09 CB-2026-09-00420-r0: " + lateText},
		{moved, "bot, m1, corrects 2026-09 CB-2026-09-00420-r0: " + movedText},
		{shared, "Hosting, shared even (1 of 2), corrects 2026-09 CB-2026-09-00420-r0: dearer"},
	} {
		if got := lineName(row.line); got != row.name {
			t.Errorf("line is called %q, want %q", got, row.name)
		}
	}

	var out bytes.Buffer
	x := &explainer{w: world{out: &out}}
	x.correction(moved)
	for _, want := range []string{movedText, "cost centre CC-3", "20.00 USD before, 18.00 USD now"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
